use std::sync::Arc;

use guildhall_domain::{
    BadgeEventKind, BadgeId, BadgePatch, NewBadge, RecentBadge, Tier, Timestamp, UserId, UserPatch,
    Vip, VipTerm,
};
use guildhall_repository::{ErrorKind, Storage};

use super::super::expect::{invalid, refused, walk};
use super::super::given;
use super::{defined, given_to, vip_badge, vip_of};
use crate::builder::{badge, badge_award, days, hours, label, now, page, seconds};

async fn given_at(storage: &Arc<dyn Storage>, user: UserId, badge: BadgeId, at: Timestamp) {
    storage.badges().give(&badge_award(user, badge), at).await.unwrap();
}

async fn hide(storage: &Arc<dyn Storage>, user: UserId) {
    let patch = UserPatch { is_active: Some(false), ..UserPatch::default() };
    let version = storage.users().by_id(user).await.unwrap().unwrap().version;
    storage.users().update(user, &patch, version, false, now()).await.unwrap();
}

/// Equals in the order they were given; with their definitions; pages lose nothing.
pub async fn badges_of_a_member_are_listed_newest_first(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let mut ids = Vec::new();
    for name in ["a", "b", "c", "d", "e"] {
        ids.push(defined(&storage, badge(name)).await);
    }
    for (index, at) in [(3, now()), (0, now()), (4, now().plus(hours(1))), (1, now())] {
        given_at(&storage, ada, ids[index], at).await;
    }
    given_at(&storage, ada, ids[2], now().minus(hours(1))).await;
    let badges = storage.badges();
    for limit in [1, 2, 3, 5, 200] {
        let items = walk(limit, async |page| badges.held_by(ada, &page).await).await;
        assert!(items.iter().all(|one| one.badge.id == one.held.badge));
        let names: Vec<_> = items.iter().map(|one| one.badge.name.as_str()).collect();
        assert_eq!(names, ["e", "d", "a", "b", "c"]);
    }
    for cursor in ["users.id~1", "badges.held~x~1", "badges.holders~1~1"] {
        let foreign = page(5).after(cursor.parse().unwrap());
        invalid(badges.held_by(ada, &foreign).await, "cursor");
    }
}

/// The first one first, then by member; active ones only.
pub async fn holders_are_listed_in_order(storage: Arc<dyn Storage>) {
    let ids = given::crowd(&storage, 6, 0).await;
    let (this, other) = (defined(&storage, badge("a")).await, defined(&storage, badge("b")).await);
    for (member, at) in [(3, now()), (1, now()), (2, now()), (0, now().plus(hours(1)))] {
        given_at(&storage, ids[member], this, at).await;
    }
    given_at(&storage, ids[4], this, now()).await;
    given_at(&storage, ids[5], other, now()).await;
    hide(&storage, ids[4]).await;
    let badges = storage.badges();
    for limit in [1, 2, 4, 200] {
        let items = walk(limit, async |page| badges.holders(this, &page).await).await;
        let users: Vec<_> = items.iter().map(|one| one.user).collect();
        assert_eq!(users, [ids[1], ids[2], ids[3], ids[0]]);
        assert_eq!(items[3].awarded_at, now().plus(hours(1)));
    }
    assert!(badges.holders(BadgeId(i64::MAX), &page(5)).await.unwrap().items.is_empty());
}

/// Of this member alone.
pub async fn events_tell_the_story_backwards(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let bob = given::member(&storage, "bob").await;
    let id = defined(&storage, badge("a")).await;
    for _ in 0..3 {
        given_to(&storage, ada, id).await;
        given_to(&storage, bob, id).await;
        storage.badges().take(ada, id, None, None, now()).await.unwrap();
    }
    let badges = storage.badges();
    for limit in [1, 2, 4, 200] {
        let items = walk(limit, async |page| badges.events(ada, &page).await).await;
        let (given, revoked) = (BadgeEventKind::Awarded, BadgeEventKind::Revoked);
        let kinds: Vec<_> = items.iter().map(|event| event.kind).collect();
        assert_eq!(kinds, [revoked, given, revoked, given, revoked, given]);
        assert!(items.is_sorted_by(|a, b| a.id > b.id));
        assert!(items.iter().all(|event| (event.user, event.badge) == (ada, id)));
    }
}

/// What was taken since is not among them; active members only; up to now.
pub async fn recent_badges_say_who_and_what(storage: Arc<dyn Storage>) {
    let ids = given::crowd(&storage, 3, 0).await;
    let crab = NewBadge { emoji: Some("🦀".parse().unwrap()), ..badge("Crab") };
    let (crab, other) = (defined(&storage, crab).await, defined(&storage, badge("Other")).await);
    given_at(&storage, ids[1], crab, now()).await;
    given_at(&storage, ids[0], other, now()).await;
    given_at(&storage, ids[0], crab, now()).await;
    given_at(&storage, ids[2], crab, now()).await;
    hide(&storage, ids[2]).await;
    let late = defined(&storage, badge("Late")).await;
    given_at(&storage, ids[0], late, now().plus(seconds(1))).await;
    given_at(&storage, ids[1], late, now().minus(days(7))).await;
    let shown = |one: &RecentBadge| {
        let emoji = one.emoji.as_ref().map_or("", |emoji| emoji.as_str());
        format!("{} {} {emoji}", one.user_name, one.name)
    };
    let recent = async |limit| {
        let found = storage.badges().recent(7, limit, now()).await.unwrap();
        found.iter().map(shown).collect::<Vec<_>>()
    };
    assert_eq!(recent(50).await, ["member0 Crab 🦀", "member0 Other ", "member1 Crab 🦀"]);
    assert_eq!(recent(1).await, ["member0 Crab 🦀"]);
    storage.badges().take(ids[0], crab, None, None, now()).await.unwrap();
    assert_eq!(recent(50).await, ["member0 Other ", "member1 Crab 🦀"]);
    for days in [0, 91] {
        invalid(storage.badges().recent(days, 5, now()).await, "days");
    }
    for limit in [0, 51] {
        invalid(storage.badges().recent(5, limit, now()).await, "limit");
    }
}

/// Gifts and returns of everybody, holders of now.
pub async fn statistics_tell_of_active_holders(storage: Arc<dyn Storage>) {
    let ids = given::crowd(&storage, 5, 0).await;
    let id = defined(&storage, badge("a")).await;
    for (member, hour) in [(0, 1), (1, 2), (2, 3), (3, 4)] {
        given_at(&storage, ids[member], id, now().plus(hours(hour))).await;
    }
    storage.badges().take(ids[0], id, None, None, now()).await.unwrap();
    hide(&storage, ids[3]).await;
    let found = storage.badges().statistics(id).await.unwrap();
    assert_eq!((found.holders, found.rate.get()), (2, 5_000));
    assert_eq!((found.awarded, found.revoked), (4, 1));
    assert_eq!(found.first_awarded_at, Some(now().plus(hours(2))));
    assert_eq!(found.last_awarded_at, Some(now().plus(hours(3))));
    refused(storage.badges().statistics(BadgeId(i64::MAX)).await, ErrorKind::NotFound);
}

/// By tier, by hand, and with a grant.
pub async fn a_members_badges_are_counted(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let nothing = storage.badges().user_statistics(ada).await.unwrap();
    assert_eq!((nothing.total, nothing.revoked, nothing.last_awarded_at), (0, 0, None));
    let gold = NewBadge { tier: Tier::Gold, ..vip_badge("gold", VipTerm::Days(1)) };
    let (gold, plain) = (defined(&storage, gold).await, defined(&storage, badge("plain")).await);
    let gone = defined(&storage, badge("gone")).await;
    let mut by_hand = badge_award(ada, plain);
    by_hand.by = Some(ada);
    storage.badges().give(&by_hand, now().plus(hours(1))).await.unwrap();
    given_to(&storage, ada, gold).await;
    given_to(&storage, ada, gone).await;
    storage.badges().take(ada, gone, None, None, now()).await.unwrap();
    let found = storage.badges().user_statistics(ada).await.unwrap();
    assert_eq!((found.total, found.by_hand, found.with_vip, found.revoked), (2, 1, 1, 1));
    assert_eq!((found.by_tier.gold, found.by_tier.none), (1, 1));
    assert_eq!(found.last_awarded_at, Some(now().plus(hours(1))));
    refused(storage.badges().user_statistics(UserId(i64::MAX)).await, ErrorKind::NotFound);
}

/// The member's badges in every page, the member's row, and the list of VIPs; a unit's with its
/// commit. And the definitions that lists show.
pub async fn reads_are_fresh_after_every_gift(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let plain = defined(&storage, badge("plain")).await;
    let ten = defined(&storage, vip_badge("ten", VipTerm::Days(10))).await;
    let expect = async |held: &[&str], vip: Vip| {
        for limit in [1, 2, 50] {
            let found = storage.badges().held_by(ada, &page(limit)).await.unwrap();
            let names: Vec<_> = found.items.iter().map(|one| one.badge.name.as_str()).collect();
            assert_eq!(names, held[..held.len().min(limit as usize)], "{limit}");
            let vips = storage.users().vip_users(now(), &page(limit)).await.unwrap();
            assert_eq!(vips.items.len(), usize::from(vip != Vip::None));
        }
        assert_eq!(vip_of(&storage, ada).await, vip);
    };
    let until = Vip::Until(now().plus(days(10)));
    expect(&[], Vip::None).await;
    given_to(&storage, ada, plain).await;
    expect(&["plain"], Vip::None).await;
    let work = storage.begin().await.unwrap();
    work.badges().give(&badge_award(ada, ten), now()).await.unwrap();
    work.commit().await.unwrap();
    expect(&["plain", "ten"], until).await;
    let patch = BadgePatch { name: Some(label("new")), ..BadgePatch::default() };
    storage.badges().update(plain, &patch, 1).await.unwrap();
    expect(&["new", "ten"], until).await;
    assert_eq!(storage.badges().by_id(plain).await.unwrap().unwrap().name.as_str(), "new");
    let listed = storage.badges().by_ids(&[plain, ten]).await.unwrap();
    assert_eq!(listed[0].name.as_str(), "new");
    let work = storage.begin().await.unwrap();
    work.badges().take(ada, ten, None, None, now()).await.unwrap();
    work.rollback().await.unwrap();
    expect(&["new", "ten"], until).await;
    storage.badges().take(ada, ten, None, None, now()).await.unwrap();
    expect(&["new"], Vip::None).await;
}
