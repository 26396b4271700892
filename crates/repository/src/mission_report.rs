//! Figures about missions.

use async_trait::async_trait;
use guildhall_domain::{
    MissionCompletion, MissionStatistics, MissionTotals, Slug, Timestamp, UserId,
    UserMissionStatistics,
};

use crate::{Page, PageRequest, StorageError};

/// Figures about missions. Every implementation passes
/// `guildhall_testkit::contract::mission_report`. Each is read in one snapshot.
#[cfg_attr(feature = "mock", mockall::automock)] // Stays above `async_trait`: mockall requires it.
#[async_trait]
pub trait MissionReportRepository: Send + Sync {
    /// How a mission is received. `NotFound` without the mission.
    async fn statistics(&self, mission: &Slug) -> Result<MissionStatistics, StorageError>;

    /// What a member made of missions. `NotFound` without the member.
    async fn user_statistics(&self, user: UserId) -> Result<UserMissionStatistics, StorageError>;

    /// Missions as a whole.
    async fn totals(&self) -> Result<MissionTotals, StorageError>;

    /// What was completed in the last `days` (1 to 90) days up to `now`: last first, then by
    /// ascending member, mission and period.
    async fn recent_completions(
        &self,
        days: u32,
        now: Timestamp,
        page: &PageRequest,
    ) -> Result<Page<MissionCompletion>, StorageError>;

    /// The members who have begun a mission in any period, ascending. Empty without the mission.
    async fn progress_users(
        &self,
        mission: &Slug,
        page: &PageRequest,
    ) -> Result<Page<UserId>, StorageError>;
}
