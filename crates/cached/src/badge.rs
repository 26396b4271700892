//! Badges through the cache.

use guildhall_cache::Tag;
use guildhall_domain::{
    Badge, BadgeAward, BadgeEvent, BadgeHolder, BadgeId, BadgePatch, BadgeStatistics, Description,
    HeldBadge, Label, MetricSnapshot, NewBadge, Outcome, RecentBadge, Timestamp, UserBadge,
    UserBadgeStatistics, UserId, Vip,
};
use guildhall_repository::{BadgeFilter, BadgeRepository, Change, Page, PageRequest};

use crate::decorate::decorate;
use crate::keys::{key, tag};

decorate! {
    impl BadgeRepository by badges, |link| {
        find by_id(id: BadgeId) -> Option<Badge>
            = (key::badge(id), [tag::badge_catalogue()], catalogue);
        many by_ids(ids: &[BadgeId]) -> Vec<Badge>
            = (ids, 500, id => (key::badge(*id), [tag::badge_catalogue()]), badge => badge.id,
                catalogue);
        pass by_name(name: &Label) -> Option<Badge>;
        page list(filter: BadgeFilter, page: &PageRequest) -> Page<Badge>
            = (page, key::badges(filter, page), [tag::badge_catalogue()], catalogue);
        write create(new: &NewBadge, now: Timestamp) -> Badge = ([tag::badge_catalogue()]);
        write update(id: BadgeId, patch: &BadgePatch, expected_version: i64) -> Badge
            = ([tag::badge_catalogue()]);
        write delete(id: BadgeId, hard: bool) -> bool = ([tag::badge_catalogue()]);
        write create_batch(new: &[NewBadge], now: Timestamp) -> Vec<Badge>
            = ([tag::badge_catalogue()]);
        write update_batch(changes: &[Change<BadgeId, BadgePatch>]) -> u64
            = ([tag::badge_catalogue()]);
        write delete_batch(ids: &[BadgeId], hard: bool) -> u64 = ([tag::badge_catalogue()]);
        pass count(filter: BadgeFilter) -> u64;
        pass exists(id: BadgeId) -> bool;
        pass candidates(metrics: &MetricSnapshot) -> Vec<Badge>;
        write give(award: &BadgeAward, now: Timestamp) -> Outcome<UserBadge>
            = (standing(award.user));
        write take(
            user: UserId,
            badge: BadgeId,
            actor: Option<UserId>,
            reason: Option<Description>,
            now: Timestamp,
        ) -> Outcome<bool> = (standing(user));
        pass has(user: UserId, badge: BadgeId) -> bool;
        // Each comes with its definition.
        page held_by(user: UserId, page: &PageRequest) -> Page<HeldBadge>
            = (page, key::held_badges(user, page), [tag::badges(user), tag::badge_catalogue()],
                honours);
        pass holders(badge: BadgeId, page: &PageRequest) -> Page<BadgeHolder>;
        pass vip_holders(now: Timestamp, page: &PageRequest) -> Page<UserId>;
        pass vip_standing(user: UserId, now: Timestamp) -> Vip;
        pass recent(days: u32, limit: u32, now: Timestamp) -> Vec<RecentBadge>;
        pass events(user: UserId, page: &PageRequest) -> Page<BadgeEvent>;
        pass statistics(id: BadgeId) -> BadgeStatistics;
        pass user_statistics(user: UserId) -> UserBadgeStatistics;
    }
}

/// A badge may change its holder's VIP standing, which is part of the member's row and of the list
/// of VIPs. Which badge does is not known before the write.
fn standing(user: UserId) -> [Tag; 3] {
    [tag::badges(user), tag::user(user), tag::lists()]
}
