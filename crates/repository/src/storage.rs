//! The storage as a whole, and the unit of work.

use std::time::Duration;

use async_trait::async_trait;
use guildhall_domain::Timestamp;

use crate::{
    ActivityRepository, ImportRepository, InvalidationNote, InvalidationRepository,
    LedgerRepository, LevelRepository, PointRepository, RankingRepository, StorageError,
    UserRepository,
};

/// Every repository. What lends them decides how their calls run: each on its own, or all in one
/// transaction.
pub trait Repositories: Send + Sync {
    /// Members and their accounts elsewhere.
    fn users(&self) -> &dyn UserRepository;
    /// What members do.
    fn activity(&self) -> &dyn ActivityRepository;
    /// Accounts, movements, holds and earning rules.
    fn points(&self) -> &dyn PointRepository;
    /// Reading and auditing the ledger.
    fn ledger(&self) -> &dyn LedgerRepository;
    /// Leaderboards, ranks and totals.
    fn rankings(&self) -> &dyn RankingRepository;
    /// The level table.
    fn levels(&self) -> &dyn LevelRepository;
    /// Bringing members from other systems.
    fn imports(&self) -> &dyn ImportRepository;
    /// What writes make wrong in caches.
    fn invalidations(&self) -> &dyn InvalidationRepository;
}

/// A storage. Each call runs by itself: it is atomic, is tried again when other writers win, and
/// may be dropped at any await, whereupon it took effect wholly or not at all.
#[async_trait]
pub trait Storage: Repositories {
    /// Begins a unit of work.
    ///
    /// `Unavailable` when no connection is to be had within the acquire timeout.
    async fn begin(&self) -> Result<Box<dyn UnitOfWork>, StorageError>;

    /// The same repositories for **one** call that writes, which stores `note` in its own
    /// transaction: both become permanent, or neither does. A call that only reads stores nothing,
    /// nor need one that found its work done already.
    fn noting(&self, note: &InvalidationNote) -> Box<dyn Repositories>;

    /// Probes that the storage can be written to, and how busy it is. `now` marks the probe.
    async fn health(&self, now: Timestamp) -> Result<StorageHealth, StorageError>;
}

/// The same repositories in one transaction. Dropped, it rolls back and costs its connection.
///
/// After a call inside it was dropped midway it is spent: every later call and the commit answer
/// `InvalidState`.
#[async_trait]
pub trait UnitOfWork: Repositories {
    /// Makes everything in it permanent. On `Timeout` or `Unavailable` the outcome is unknown.
    async fn commit(self: Box<Self>) -> Result<(), StorageError>;
    /// Undoes everything in it.
    async fn rollback(self: Box<Self>) -> Result<(), StorageError>;
}

/// What a health probe of a storage found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StorageHealth {
    /// `postgresql` or `sqlite`, or what another storage calls itself.
    pub system: &'static str,
    /// What the server or library says of its version.
    pub version: String,
    /// How long a write took there and back.
    pub write_latency: Duration,
    /// Connections open.
    pub connections: u32,
    /// Connections not in use at that moment.
    pub idle: u32,
    /// Connections at most.
    pub connections_max: u32,
}

/// Ends a unit by the outcome of its body: commits on `Ok`; on `Err` rolls back and keeps the
/// error.
pub async fn conclude<T, E: From<StorageError>>(
    work: Box<dyn UnitOfWork>,
    outcome: Result<T, E>,
) -> Result<T, E> {
    match outcome {
        Ok(value) => {
            work.commit().await?;
            Ok(value)
        }
        Err(error) => {
            if let Err(failed) = work.rollback().await {
                // The connection is given up with the unit, which rolls back all the same.
                tracing::warn!(error = %failed, "roll-back failed; the connection is closed");
            }
            Err(error)
        }
    }
}
