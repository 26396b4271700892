//! Leaderboards of achievements through the cache; every unlock makes all of them anew.

use guildhall_domain::{
    AchievementLeader, AchievementRanking, AchievementStatistics, AchievementTotals, Slug,
    Timestamp,
};
use guildhall_repository::{AchievementReportRepository, OffsetRequest, Ranked};

use crate::decorate::decorate;
use crate::keys::{key, tag};

decorate! {
    impl AchievementReportRepository by achievement_reports, |link| {
        board leaderboard(by: AchievementRanking, rows: OffsetRequest, now: Timestamp)
            -> Ranked<AchievementLeader>
            = (key::achievement_board(by, rows), [tag::unlocks()], leaderboard);
        pass statistics(id: &Slug) -> AchievementStatistics;
        pass totals() -> AchievementTotals;
    }
}
