//! What a storage may be told.

use std::time::Duration;

use guildhall_insight::Profiler;
use guildhall_repository::RetryPolicy;

/// How a storage uses its connections.
#[derive(Clone, Debug)]
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
    /// Who records what the connections do. One profiler may serve several storages. Default off:
    /// nothing is recorded.
    pub profiler: Profiler,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            pool_max: 20,
            acquire_timeout: Duration::from_secs(5),
            statement_timeout: Duration::from_secs(10),
            retry: RetryPolicy::default(),
            sqlite_durability: SqliteDurability::Full,
            profiler: Profiler::off(),
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

/// How a pool of connections is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolState {
    /// Connections that are open.
    pub open: u32,
    /// Of these, the ones that nobody uses.
    pub idle: u32,
    /// Connections at most.
    pub max: u32,
}

/// What a database tells of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerState {
    /// What the database takes on disk.
    pub bytes: u64,
    /// Who is connected to it; `None` where the database does not know.
    pub sessions: Option<Sessions>,
}

/// Sessions of a server, those of other programs included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sessions {
    /// At work now.
    pub active: u64,
    /// Of these, the ones that wait for a lock.
    pub waiting: u64,
    /// Without work.
    pub idle: u64,
    /// Without work in an open transaction: they hold back others.
    pub idle_in_transaction: u64,
    /// The age of the oldest open transaction.
    pub oldest_transaction: Option<Duration>,
}

/// A turn to write, given back when it is dropped.
#[derive(Debug)]
pub struct WriterTurn(
    #[expect(dead_code, reason = "holding it is what it is for")]
    pub(crate)  Option<tokio::sync::OwnedSemaphorePermit>,
);

/// A migration and whether this database has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MigrationStatus {
    /// Its folder name: `2026-11-21-000001_members`.
    pub name: String,
    /// Whether it was applied.
    pub applied: bool,
}
