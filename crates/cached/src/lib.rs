//! Caching decorators over the Guildhall repositories: the same traits, usually faster, never stale after a write.
