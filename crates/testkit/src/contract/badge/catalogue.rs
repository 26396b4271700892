use std::sync::Arc;

use guildhall_domain::{
    Badge, BadgeId, BadgePatch, BadgeRule, Icon, NewBadge, Patch, Summary, Tier, VipTerm,
};
use guildhall_repository::{BadgeFilter, ErrorKind, Storage};

use super::super::expect::{invalid, refused, walk};
use super::super::given;
use super::{defined, given_to, vip_badge};
use crate::builder::{badge, label, metric, now, page};

fn full() -> NewBadge {
    NewBadge {
        description: Some(Summary::parse(&"ß".repeat(2_000)).unwrap()),
        icon: Some(Icon::parse("crown.gold").unwrap()),
        emoji: Some(Icon::parse("👩🏽‍🚀").unwrap()),
        tier: Tier::Gold,
        rule: Some(BadgeRule { metric: metric("categories_perfect:3"), threshold: i64::MIN }),
        vip: Some(VipTerm::Days(36_525)),
        auto_permissions: true,
        revocable: false,
        is_active: false,
        ..badge("צוות 🦀")
    }
}

/// What a definition becomes.
fn badge_of(new: NewBadge, id: BadgeId, version: i64) -> Badge {
    Badge {
        id,
        name: new.name,
        description: new.description,
        icon: new.icon,
        emoji: new.emoji,
        tier: new.tier,
        rule: new.rule,
        vip: new.vip,
        auto_permissions: new.auto_permissions,
        revocable: new.revocable,
        is_active: new.is_active,
        created_at: now(),
        version,
    }
}

/// Every field, and the defaults of a bare one; by id, by name and in lists.
pub async fn a_badge_comes_back_as_it_was_defined(storage: Arc<dyn Storage>) {
    let badges = storage.badges();
    let lifetime = vip_badge("lifetime", VipTerm::Lifetime);
    for new in [full(), badge(&"x".repeat(100)), lifetime] {
        let created = badges.create(&new, now()).await.unwrap();
        let expected = badge_of(new, created.id, 1);
        assert_eq!(created, expected);
        assert_eq!(badges.by_id(expected.id).await.unwrap().as_ref(), Some(&expected));
        assert_eq!(badges.by_name(&expected.name).await.unwrap().as_ref(), Some(&expected));
        assert_eq!(badges.by_ids(&[expected.id]).await.unwrap(), [expected]);
    }
    assert_eq!(badges.by_id(BadgeId(i64::MAX)).await.unwrap(), None);
    assert_eq!(badges.by_name(&label("nothing")).await.unwrap(), None);
}

/// An open unit stays usable.
pub async fn a_taken_name_is_refused_whatever_its_case(storage: Arc<dyn Storage>) {
    let first = defined(&storage, badge("Élan")).await;
    let work = storage.begin().await.unwrap();
    refused(work.badges().create(&badge("éLAN"), now()).await, ErrorKind::AlreadyExists);
    work.badges().create(&badge("Other"), now()).await.unwrap();
    work.commit().await.unwrap();
    assert_eq!(storage.badges().by_name(&label("ÉLAN")).await.unwrap().unwrap().id, first);
}

/// A VIP term out of range.
pub async fn what_makes_no_badge_is_refused(storage: Arc<dyn Storage>) {
    let id = defined(&storage, badge("stored")).await;
    for days in [0, 36_526] {
        let wrong = vip_badge("wrong", VipTerm::Days(days));
        invalid(storage.badges().create(&wrong, now()).await, "vip_duration_days");
        let patch = BadgePatch { vip: Patch::Set(VipTerm::Days(days)), ..BadgePatch::default() };
        invalid(storage.badges().update(id, &patch, 1).await, "vip_duration_days");
    }
    assert_eq!(storage.badges().by_name(&label("wrong")).await.unwrap(), None);
}

/// At most 500.
pub async fn badges_are_answered_once_each_in_the_order_asked(storage: Arc<dyn Storage>) {
    let a = defined(&storage, badge("a")).await;
    let b = defined(&storage, badge("b")).await;
    let found = storage.badges().by_ids(&[b, BadgeId(i64::MAX), a, b]).await.unwrap();
    assert_eq!(found.iter().map(|badge| badge.id).collect::<Vec<_>>(), [b, a]);
    assert!(storage.badges().by_ids(&[]).await.unwrap().is_empty());
    let many: Vec<_> = (0..501).map(BadgeId).collect();
    invalid(storage.badges().by_ids(&many).await, "ids");
}

/// Filters and pages.
pub async fn badges_are_listed_by_id(storage: Arc<dyn Storage>) {
    let mut ids = Vec::new();
    for (name, is_active, vip) in [
        ("a", true, None),
        ("b", false, Some(VipTerm::Days(1))),
        ("c", true, Some(VipTerm::Lifetime)),
        ("d", true, None),
    ] {
        ids.push(defined(&storage, NewBadge { is_active, vip, ..badge(name) }).await);
    }
    let listed = async |filter: BadgeFilter, limit| {
        let badges = storage.badges();
        let items = walk(limit, async |page| badges.list(filter, &page).await).await;
        items.iter().map(|badge| badge.id).collect::<Vec<_>>()
    };
    let all = BadgeFilter::default();
    for limit in [1, 2, 4, 200] {
        assert_eq!(listed(all, limit).await, ids);
    }
    let active = BadgeFilter { is_active: Some(true), ..all };
    assert_eq!(listed(active, 2).await, [ids[0], ids[2], ids[3]]);
    let vips = BadgeFilter { vip_only: true, ..all };
    assert_eq!(listed(vips, 1).await, [ids[1], ids[2]]);
    let inactive_vips = BadgeFilter { is_active: Some(false), vip_only: true };
    assert_eq!(listed(inactive_vips, 1).await, [ids[1]]);
    let foreign = page(5).after("users.id~1".parse().unwrap());
    invalid(storage.badges().list(all, &foreign).await, "cursor");
}

/// And nothing else; it can clear. An empty patch changes nothing at all. Its own name in another
/// case is free, somebody else's is not.
pub async fn an_update_changes_what_its_patch_says(storage: Arc<dyn Storage>) {
    let badges = storage.badges();
    defined(&storage, badge("taken")).await;
    let stored = badges.create(&full(), now()).await.unwrap();
    let empty = BadgePatch::default();
    assert_eq!(badges.update(stored.id, &empty, 99).await.unwrap(), stored);
    let patch = BadgePatch {
        name: Some(label("Crew")),
        rule: Patch::Clear,
        vip: Patch::Clear,
        emoji: Patch::Clear,
        is_active: Some(true),
        ..BadgePatch::default()
    };
    let expected = patch.clone().applied_to(stored.clone()).unwrap();
    assert_eq!(badges.update(stored.id, &patch, 1).await.unwrap(), expected);
    assert_eq!(badges.by_id(stored.id).await.unwrap(), Some(expected));
    let work = storage.begin().await.unwrap();
    let taken = BadgePatch { name: Some(label("TAKEN")), ..BadgePatch::default() };
    refused(work.badges().update(stored.id, &taken, 2).await, ErrorKind::AlreadyExists);
    let own = BadgePatch { name: Some(label("CREW")), ..BadgePatch::default() };
    work.badges().update(stored.id, &own, 2).await.unwrap();
    work.commit().await.unwrap();
    assert_eq!(badges.by_name(&label("crew")).await.unwrap().unwrap().version, 3);
    refused(badges.update(BadgeId(i64::MAX), &own, 1).await, ErrorKind::NotFound);
}

/// Nothing is written.
pub async fn an_update_of_an_old_version_is_a_conflict(storage: Arc<dyn Storage>) {
    let id = defined(&storage, badge("a")).await;
    let patch = BadgePatch { tier: Some(Tier::Gold), ..BadgePatch::default() };
    refused(storage.badges().update(id, &patch, 2).await, ErrorKind::Conflict);
    storage.badges().update(id, &patch, 1).await.unwrap();
    refused(storage.badges().update(id, &patch, 1).await, ErrorKind::Conflict);
    assert_eq!(storage.badges().by_id(id).await.unwrap().unwrap().version, 2);
}

/// It stays, for those who have it.
pub async fn a_badge_is_deactivated_once(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let id = defined(&storage, badge("a")).await;
    given_to(&storage, ada, id).await;
    assert!(storage.badges().delete(id, false).await.unwrap());
    assert!(!storage.badges().delete(id, false).await.unwrap());
    assert!(!storage.badges().delete(BadgeId(i64::MAX), false).await.unwrap());
    assert!(!storage.badges().by_id(id).await.unwrap().unwrap().is_active);
    assert!(storage.badges().has(ada, id).await.unwrap());
}

/// Not even once it was taken back: the story of it stays.
pub async fn a_badge_is_removed_only_while_nobody_was_given_it(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let (held, free) = (defined(&storage, badge("a")).await, defined(&storage, badge("b")).await);
    given_to(&storage, ada, held).await;
    refused(storage.badges().delete(held, true).await, ErrorKind::InvalidState);
    storage.badges().take(ada, held, None, None, now()).await.unwrap();
    refused(storage.badges().delete(held, true).await, ErrorKind::InvalidState);
    assert!(storage.badges().delete(free, true).await.unwrap());
    assert!(!storage.badges().delete(free, true).await.unwrap());
    assert_eq!(storage.badges().by_id(free).await.unwrap(), None);
}
