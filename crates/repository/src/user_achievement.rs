//! Where it is kept who has which achievements.

use async_trait::async_trait;
use guildhall_domain::{
    Achievement, AchievementStats, AchievementSummary, Badge, CommunityZone, HeldAchievement,
    Metric, MetricSnapshot, Outcome, PendingAchievement, RecentUnlock, Slug, Tier, Timestamp,
    Unlock, UserAchievement, UserId,
};

use crate::{Page, PageRequest, StorageError};

/// Which of a member's achievements a list holds. The default: all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct HeldFilter {
    /// Those of exactly this category.
    pub category: Option<Slug>,
    /// Those of exactly this tier.
    pub tier: Option<Tier>,
}

/// What rules give, each in the order of its ids and at most 500.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Earned {
    /// Achievements.
    pub achievements: Vec<Achievement>,
    /// Badges.
    pub badges: Vec<Badge>,
    /// Whether points that these achievements pay may earn more: an active rule looks at points,
    /// experience or levels, and the member does not have what it gives. Only told with
    /// achievements, which are what pays; what is itself among them counts as not had.
    pub points_may_earn_more: bool,
}

impl Earned {
    /// The most of each that one look finds; there may be more.
    pub const COUNT_MAX: usize = 500;
}

/// Where it is kept who has which achievements. Every implementation passes
/// `guildhall_testkit::contract::user_achievement`.
#[cfg_attr(feature = "mock", mockall::automock)] // Stays above `async_trait`: mockall requires it.
#[async_trait]
pub trait UserAchievementRepository: Send + Sync {
    /// Everything that rules look at, in one snapshot and a fixed number of statements. `NotFound`
    /// without the member, or for a deleted one. At most 5000 counters, by name.
    async fn metrics(&self, user: UserId, now: Timestamp) -> Result<MetricSnapshot, StorageError>;

    /// The active achievements that these metrics earn and the member does not have, by id. One
    /// statement, however many there are and however many the member has; at most 500.
    async fn candidates(&self, metrics: &MetricSnapshot) -> Result<Vec<Achievement>, StorageError>;

    /// What rules give the member by now and the member does not have: [`Self::metrics`], and what
    /// the candidates of achievements and of badges are by them, in one call. `NotFound` without
    /// the member.
    async fn earned(&self, user: UserId, now: Timestamp) -> Result<Earned, StorageError>;

    /// The active achievements with a criterion on `metric` that the member would earn, and does
    /// not have, if the metric had this value: the least threshold first, then by id. In one
    /// snapshot; at most 500. `NotFound` without the member.
    async fn qualifying(
        &self,
        user: UserId,
        metric: &Metric,
        value: i64,
        now: Timestamp,
    ) -> Result<Vec<Achievement>, StorageError>;

    /// Gives a member an achievement, once: repeated, it gives the first row with `replayed`,
    /// whatever the source. `NotFound` without the member or an active achievement. It pays
    /// nothing by itself.
    async fn unlock(
        &self,
        unlock: &Unlock,
        now: Timestamp,
    ) -> Result<Outcome<UserAchievement>, StorageError>;

    /// Whether the member has the achievement.
    async fn has(&self, user: UserId, achievement: &Slug) -> Result<bool, StorageError>;

    /// The member's achievements, the newest first, then by id.
    async fn list(
        &self,
        user: UserId,
        filter: &HeldFilter,
        page: &PageRequest,
    ) -> Result<Page<HeldAchievement>, StorageError>;

    /// The active achievements that the member does not have, those that are closest first, then
    /// by id. In one snapshot. `NotFound` without the member. Progress moves between two pages: a
    /// page goes on below the progress that the one before it ended with.
    async fn pending(
        &self,
        user: UserId,
        now: Timestamp,
        page: &PageRequest,
    ) -> Result<Page<PendingAchievement>, StorageError>;

    /// What active members unlocked in the last `days` (1 to 90) up to `now`: newest first, then
    /// by member, then by id. At most `limit` (1 to 50) of them.
    async fn recent(
        &self,
        days: u32,
        limit: u32,
        now: Timestamp,
    ) -> Result<Vec<RecentUnlock>, StorageError>;

    /// The member's achievements in short, in one snapshot. `NotFound` without the member.
    async fn summary(&self, user: UserId) -> Result<AchievementSummary, StorageError>;

    /// The member's achievements over time, in days of `zone`, in one snapshot. `NotFound` without
    /// the member.
    async fn stats(
        &self,
        user: UserId,
        zone: &CommunityZone,
        now: Timestamp,
    ) -> Result<AchievementStats, StorageError>;
}
