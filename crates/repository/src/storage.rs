//! The storage as a whole, and what a unit of work is.

use std::time::Duration;

use async_trait::async_trait;
use guildhall_domain::Timestamp;

use crate::{InvalidationNote, StorageError};

crate::lend! { @each declare () }

/// A storage. Each call runs by itself: it is atomic, is tried again when other writers win, and
/// may be dropped at any await, whereupon it took effect wholly or not at all.
#[async_trait]
pub trait Storage: Repositories {
    /// Begins a unit of work.
    ///
    /// `Unavailable` when no connection is to be had within the acquire timeout.
    async fn begin(&self) -> Result<Box<dyn UnitOfWork>, StorageError>;

    /// Begins a unit of work for a body that gives up at the first error, as what [`in_act`] runs
    /// does. Nothing in it needs a way back to before a single call, which some databases keep at a
    /// price; so after a call that writes has failed the unit may be spent: every later call and
    /// the commit then answer `InvalidState`, and nothing is written. A movement of points that is
    /// refused has written nothing, and leaves it usable. By default a unit like any other.
    ///
    /// [`in_act`]: crate::in_act
    async fn begin_act(&self) -> Result<Box<dyn UnitOfWork>, StorageError> {
        self.begin().await
    }

    /// The same repositories for **one** call that writes, which stores `note` in its own
    /// transaction: both become permanent, or neither does. A call that only reads stores nothing,
    /// nor need one that found its work done already.
    fn noting(&self, note: &InvalidationNote) -> Box<dyn Repositories>;

    /// Whether several writes make progress at a time, so that it pays to have several under way:
    /// `true` unless an implementation says otherwise, as one of a single writer does.
    fn writes_concurrently(&self) -> bool {
        true
    }

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
