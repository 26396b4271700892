//! A cache-aside engine whose hits are never older than a committed write: memory, Redis or none, tags, single flight.
