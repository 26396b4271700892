//! Where levels are kept.

use async_trait::async_trait;
use guildhall_domain::{Level, Timestamp, UserId};

use crate::{ListLimit, StorageError};

/// Where levels are kept. Every implementation passes `guildhall_testkit::contract::level`. A new
/// database has the 20 levels of [`guildhall_domain::bot_levels`].
#[cfg_attr(feature = "mock", mockall::automock)] // Stays above `async_trait`: mockall requires it.
#[async_trait]
pub trait LevelRepository: Send + Sync {
    /// All levels, ascending; there are at most 1000.
    async fn list(&self) -> Result<Vec<Level>, StorageError>;

    /// Stores a level, new or changed. `Validation` on `min_xp` when it would not lie strictly
    /// between its neighbours, and on `level` past 1000.
    async fn save(&self, level: &Level) -> Result<Level, StorageError>;

    /// Replaces the whole table, checked as one.
    async fn replace_all(&self, levels: &[Level]) -> Result<(), StorageError>;

    /// Removes a level; `false` when there was none. `InvalidState` for level 1.
    async fn delete(&self, level: u32) -> Result<bool, StorageError>;

    /// Sets each stored level to what its experience gives, up or down, for at most `limit` members
    /// from just past `after`. Gives how many changed, and where to go on.
    async fn recompute(
        &self,
        after: Option<UserId>,
        limit: ListLimit,
        now: Timestamp,
    ) -> Result<(u64, Option<UserId>), StorageError>;
}
