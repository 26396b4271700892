//! Where activity is kept.

use async_trait::async_trait;
use guildhall_domain::{
    ActivityRecord, CommunityZone, Counter, CounterBump, StatsPatch, Timestamp, UserId, UserStats,
};

use crate::StorageError;

/// Where activity is kept. Every implementation passes `guildhall_testkit::contract::activity`.
#[cfg_attr(feature = "mock", mockall::automock)] // Stays above `async_trait`: mockall requires it.
#[async_trait]
pub trait ActivityRepository: Send + Sync {
    /// Adds signs of life: requests, active days in `zone`, last activity (which never moves
    /// back). Several of one member add up. At most 1000; members that do not exist are passed
    /// over. Gives the number of members touched.
    async fn record(
        &self,
        records: &[ActivityRecord],
        zone: &CommunityZone,
    ) -> Result<u64, StorageError>;

    /// The member's statistics; `None` without the member.
    async fn stats(&self, user: UserId) -> Result<Option<UserStats>, StorageError>;

    /// Changes statistics that no workflow owns. `NotFound`, or `Conflict` when the version moved.
    async fn update_stats(
        &self,
        user: UserId,
        patch: &StatsPatch,
        expected_version: i64,
    ) -> Result<UserStats, StorageError>;

    /// Folds values into counters, atomically, and gives the new values in the order given. 1 to
    /// 20 different counters. `NotFound` without the member; `InvalidState` when a counter was
    /// begun with another fold. A `highest_score_bp` of at least 9000 after a `lowest_score_bp` of
    /// at most 4000 sets the counter `redemption` to 1.
    async fn bump_counters(
        &self,
        user: UserId,
        bumps: &[CounterBump],
        now: Timestamp,
    ) -> Result<Vec<Counter>, StorageError>;

    /// The member's counters by name; at most 500.
    async fn counters(&self, user: UserId) -> Result<Vec<Counter>, StorageError>;
}
