//! Rankings and totals through the cache. Those of points age by their time to live: see
//! [`CachedOptions::leaderboard_live`](crate::CachedOptions::leaderboard_live).

use guildhall_cache::Tag;
use guildhall_domain::{
    ActivitySummary, CommunityZone, DailyActivity, Day, LeaderboardMetric, LeaderboardRow,
    PointAccount, PointTotals, Points, RankInfo, Timestamp, UserId,
};
use guildhall_repository::{OffsetRequest, Page, PageRequest, Ranked, RankingRepository};

use crate::decorate::decorate;
use crate::keys::{key, tag};

decorate! {
    impl RankingRepository by rankings, |link| {
        board leaderboard(metric: LeaderboardMetric, rows: OffsetRequest, now: Timestamp)
            -> Ranked<LeaderboardRow>
            = (key::leaderboard(metric, rows), ranked(metric), leaderboard);
        find rank_of(user: UserId, metric: LeaderboardMetric) -> Option<RankInfo>
            = (key::rank(user, metric), ranked(metric).chain([tag::points(user)]), rank);
        pass accounts_above(threshold: Points, page: &PageRequest) -> Page<PointAccount>;
        pass accounts_below(threshold: Points, page: &PageRequest) -> Page<PointAccount>;
        read points_in_circulation() -> Points
            = (key::global("circulation"), [tag::totals()], totals);
        read totals() -> PointTotals = (key::global("totals"), [tag::totals()], totals);
        // Whether the day is past is unknown without a clock, so it is kept no longer than today.
        read daily_activity(day: Day, zone: &CommunityZone) -> DailyActivity
            = (key::day(day, zone.start_of(day).micros()), [tag::totals()], activity);
        pass activity_summary(user: UserId, days: u32, zone: &CommunityZone, now: Timestamp)
            -> ActivitySummary;
    }
}

/// What makes a ranking wrong. Unlocks are rarer than movements of points, so each makes the ranking
/// by achievements anew.
fn ranked(metric: LeaderboardMetric) -> impl Iterator<Item = Tag> {
    let unlocks = (metric == LeaderboardMetric::Achievements).then(tag::unlocks);
    std::iter::once(tag::leaderboard()).chain(unlocks)
}
