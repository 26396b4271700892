//! What writes make wrong in caches, kept with the writes.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::StorageError;

/// A note of what one write makes wrong in caches. What is in it is the cache's affair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidationNote {
    /// Chosen by the writer, never negative. No two notes in the storage have the same.
    pub id: i64,
    /// Opaque text, at most 128 KiB.
    pub targets: Arc<str>,
}

/// Notes that were committed together with their writes. Every implementation passes
/// `guildhall_testkit::contract::invalidation`.
///
/// A note goes in with its write: [`Storage::noting`](crate::Storage::noting) for one call, or
/// [`insert`](Self::insert) inside the unit of work. It goes out when every cache knows.
#[cfg_attr(feature = "mock", mockall::automock)] // Stays above `async_trait`: mockall requires it.
#[async_trait]
pub trait InvalidationRepository: Send + Sync {
    /// Stores a note. Inside a unit it becomes permanent with the unit. `AlreadyExists` when its
    /// id is taken.
    async fn insert(&self, note: &InvalidationNote) -> Result<(), StorageError>;

    /// At most `limit` (1 to 500) notes that were inserted at least `age_min` ago, told by the
    /// database's clock, in ascending order of ids. One from the future counts as old: the clock
    /// was set back. Outside a unit: those that are committed.
    async fn left_behind(
        &self,
        age_min: Duration,
        limit: u16,
    ) -> Result<Vec<InvalidationNote>, StorageError>;

    /// Deletes at most 500 notes. How many of them were there.
    async fn delete(&self, ids: &[i64]) -> Result<u64, StorageError>;
}
