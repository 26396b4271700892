//! Members' achievements through the cache. What decides an unlock is read from the storage.

use guildhall_domain::{
    Achievement, AchievementStats, AchievementSummary, CommunityZone, HeldAchievement, Metric,
    MetricSnapshot, Outcome, PendingAchievement, RecentUnlock, Slug, Timestamp, Unlock,
    UserAchievement, UserId,
};
use guildhall_repository::{Earned, HeldFilter, Page, PageRequest, UserAchievementRepository};

use crate::decorate::decorate;
use crate::keys::{key, tag};

decorate! {
    impl UserAchievementRepository by user_achievements, |link| {
        pass metrics(user: UserId, now: Timestamp) -> MetricSnapshot;
        pass candidates(metrics: &MetricSnapshot) -> Vec<Achievement>;
        pass earned(user: UserId, now: Timestamp) -> Earned;
        pass qualifying(user: UserId, metric: &Metric, value: i64, now: Timestamp)
            -> Vec<Achievement>;
        write unlock(unlock: &Unlock, now: Timestamp) -> Outcome<UserAchievement>
            = ([tag::achievements(unlock.user), tag::unlocks()]);
        pass has(user: UserId, achievement: &Slug) -> bool;
        page list(user: UserId, filter: &HeldFilter, page: &PageRequest) -> Page<HeldAchievement>
            = (page, key::held_achievements(user, filter, page),
                [tag::achievements(user), tag::achievement_catalogue()], honours);
        pass pending(user: UserId, now: Timestamp, page: &PageRequest) -> Page<PendingAchievement>;
        // Titles and tiers are those of the catalogue.
        list recent(days: u32, limit: u32, now: Timestamp) -> Vec<RecentUnlock>
            = (key::recent_achievements(days, limit),
                [tag::unlocks(), tag::achievement_catalogue()], recent);
        read summary(user: UserId) -> AchievementSummary
            = (key::achievement_summary(user),
                [tag::achievements(user), tag::achievement_catalogue()], honours);
        // The place among all changes with what others unlock.
        read stats(user: UserId, zone: &CommunityZone, now: Timestamp) -> AchievementStats
            = (key::achievement_stats(user, zone, now),
                [tag::achievements(user), tag::unlocks(), tag::achievement_catalogue()], honours);
    }
}
