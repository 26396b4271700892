//! Leaderboards, ranks and totals.

use async_trait::async_trait;
use guildhall_domain::{
    ActivitySummary, CommunityZone, DailyActivity, Day, LeaderboardMetric, LeaderboardRow,
    PointAccount, PointTotals, Points, RankInfo, Timestamp, UserId,
};

use crate::{OffsetRequest, Page, PageRequest, Ranked, StorageError};

/// Leaderboards, ranks and totals. Every implementation passes
/// `guildhall_testkit::contract::ranking`.
#[cfg_attr(feature = "mock", mockall::automock)] // Stays above `async_trait`: mockall requires it.
#[async_trait]
pub trait RankingRepository: Send + Sync {
    /// Active members with a value above zero: greatest first, then ascending ids. Equals share a
    /// rank. Read in one snapshot. An achievement counts as one point, whether it is active or not.
    async fn leaderboard(
        &self,
        metric: LeaderboardMetric,
        rows: OffsetRequest,
        now: Timestamp,
    ) -> Result<Ranked<LeaderboardRow>, StorageError>;

    /// The member's place by the same rule; `None` for inactive members and a value of zero.
    async fn rank_of(
        &self,
        user: UserId,
        metric: LeaderboardMetric,
    ) -> Result<Option<RankInfo>, StorageError>;

    /// Accounts of at least `threshold`, greatest balance first, then ascending ids.
    async fn accounts_above(
        &self,
        threshold: Points,
        page: &PageRequest,
    ) -> Result<Page<PointAccount>, StorageError>;

    /// Accounts of less than `threshold`, least balance first, then ascending ids.
    async fn accounts_below(
        &self,
        threshold: Points,
        page: &PageRequest,
    ) -> Result<Page<PointAccount>, StorageError>;

    /// The sum of all balances.
    async fn points_in_circulation(&self) -> Result<Points, StorageError>;

    /// Totals over all members, in one snapshot.
    async fn totals(&self) -> Result<PointTotals, StorageError>;

    /// One community day of the ledger, from its first instant in `zone` to before the next day's.
    async fn daily_activity(
        &self,
        day: Day,
        zone: &CommunityZone,
    ) -> Result<DailyActivity, StorageError>;

    /// The member's ledger over the last `days` (1 to 365) days up to `now`, in one snapshot.
    /// `NotFound` without an account.
    async fn activity_summary(
        &self,
        user: UserId,
        days: u32,
        zone: &CommunityZone,
        now: Timestamp,
    ) -> Result<ActivitySummary, StorageError>;
}
