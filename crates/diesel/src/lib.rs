//! The Guildhall repositories on PostgreSQL and SQLite through Diesel: exact points under concurrency, crash and retry.
