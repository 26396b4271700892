//! The catalogue of achievements through the cache.

use guildhall_domain::{Achievement, AchievementPatch, Metric, NewAchievement, Slug, Timestamp};
use guildhall_repository::{
    AchievementFilter, AchievementRepository, Change, ListLimit, Page, PageRequest, SeedReport,
};

use crate::decorate::decorate;
use crate::keys::{key, tag};

decorate! {
    impl AchievementRepository by achievements, |link| {
        find by_id(id: &Slug) -> Option<Achievement>
            = (key::achievement(id), [tag::achievement_catalogue()], catalogue);
        pass by_ids(ids: &[Slug]) -> Vec<Achievement>;
        page list(filter: &AchievementFilter, page: &PageRequest) -> Page<Achievement>
            = (page, key::achievements(filter, page), [tag::achievement_catalogue()], catalogue);
        read count(filter: &AchievementFilter) -> u64
            = (key::achievement_count(filter), [tag::achievement_catalogue()], catalogue);
        pass exists(id: &Slug) -> bool;
        pass by_metric(metric: &Metric, limit: ListLimit) -> Vec<Achievement>;
        write create(new: &NewAchievement, now: Timestamp) -> Achievement
            = ([tag::achievement_catalogue()]);
        write update(id: &Slug, patch: &AchievementPatch, expected_version: i64) -> Achievement
            = ([tag::achievement_catalogue()]);
        write delete(id: &Slug, hard: bool) -> bool = ([tag::achievement_catalogue()]);
        write create_batch(new: &[NewAchievement], now: Timestamp) -> Vec<Achievement>
            = ([tag::achievement_catalogue()]);
        write update_batch(changes: &[Change<Slug, AchievementPatch>]) -> u64
            = ([tag::achievement_catalogue()]);
        write delete_batch(ids: &[Slug], hard: bool) -> u64 = ([tag::achievement_catalogue()]);
        write seed(definitions: &[NewAchievement], now: Timestamp) -> SeedReport
            = ([tag::achievement_catalogue()]);
    }
}
