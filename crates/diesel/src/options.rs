//! What a storage may be told.

use std::time::Duration;

use guildhall_repository::RetryPolicy;

/// How a storage uses its connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreOptions {
    /// Connections at most, at least 1. Default 20.
    pub pool_max: u32,
    /// How long a call waits for a connection. Default 5 s.
    pub acquire_timeout: Duration,
    /// How long one call may take once it has a connection. PostgreSQL cancels the statement
    /// itself; on SQLite the statement ends in the background. Default 10 s.
    pub statement_timeout: Duration,
    /// How often a call is tried again when other writers win.
    pub retry: RetryPolicy,
    /// What an acknowledged write on SQLite survives.
    pub sqlite_durability: SqliteDurability,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            pool_max: 20,
            acquire_timeout: Duration::from_secs(5),
            statement_timeout: Duration::from_secs(10),
            retry: RetryPolicy::default(),
            sqlite_durability: SqliteDurability::Full,
        }
    }
}

/// What an acknowledged write on SQLite survives. The file stays whole either way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SqliteDurability {
    /// Power loss: every commit is flushed to the disk (`synchronous = FULL`).
    Full,
    /// A crash of the program, but not of the machine (`synchronous = NORMAL`); several times
    /// faster where the disk is slow.
    Process,
}

/// A migration and whether this database has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MigrationStatus {
    /// Its folder name: `2026-11-21-000001_members`.
    pub name: String,
    /// Whether it was applied.
    pub applied: bool,
}
