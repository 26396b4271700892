//! Leaderboards and totals of achievements.

use async_trait::async_trait;
use guildhall_domain::{
    AchievementLeader, AchievementRanking, AchievementStatistics, AchievementTotals, Slug,
    Timestamp,
};

use crate::{OffsetRequest, Ranked, StorageError};

/// Leaderboards and totals of achievements. Every implementation passes
/// `guildhall_testkit::contract::achievement_report`.
#[cfg_attr(feature = "mock", mockall::automock)] // Stays above `async_trait`: mockall requires it.
#[async_trait]
pub trait AchievementReportRepository: Send + Sync {
    /// Active members with a value above zero: greatest first, then who reached it first, then
    /// ascending ids. Equals share a rank. Read in one snapshot.
    async fn leaderboard(
        &self,
        by: AchievementRanking,
        rows: OffsetRequest,
        now: Timestamp,
    ) -> Result<Ranked<AchievementLeader>, StorageError>;

    /// One achievement among active members, in one snapshot. `NotFound` without the achievement.
    async fn statistics(&self, id: &Slug) -> Result<AchievementStatistics, StorageError>;

    /// All achievements, in one snapshot.
    async fn totals(&self) -> Result<AchievementTotals, StorageError>;
}
