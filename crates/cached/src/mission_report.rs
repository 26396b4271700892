//! Figures about missions through the cache.

use guildhall_domain::{
    MissionCompletion, MissionStatistics, MissionTotals, Slug, Timestamp, UserId,
    UserMissionStatistics,
};
use guildhall_repository::{MissionReportRepository, Page, PageRequest};

use crate::decorate::decorate;
use crate::keys::{key, tag};

decorate! {
    impl MissionReportRepository by mission_reports, |link| {
        read statistics(mission: &Slug) -> MissionStatistics = (
            key::mission_stats(mission),
            [tag::mission_stats(), tag::missions()],
            mission_reports
        );
        // Points taken back and members deleted count too.
        read user_statistics(user: UserId) -> UserMissionStatistics = (
            key::user_mission_stats(user),
            [tag::mission_progress(user), tag::points(user), tag::user(user)],
            mission_reports
        );
        // Points for missions that come without a step of a member are seen when this has aged.
        read totals() -> MissionTotals
            = (key::mission_totals(), [tag::mission_stats(), tag::missions()], mission_reports);
        pass recent_completions(days: u32, now: Timestamp, page: &PageRequest)
            -> Page<MissionCompletion>;
        pass progress_users(mission: &Slug, page: &PageRequest) -> Page<UserId>;
    }
}
