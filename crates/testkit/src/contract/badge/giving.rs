use std::sync::Arc;

use guildhall_domain::{
    BadgeAward, BadgeEventKind, BadgeId, BadgeRule, CounterFold, DomainEvent, NewBadge, UserBadge,
    UserId, VipTerm,
};
use guildhall_repository::{ErrorKind, Storage};

use super::super::expect::refused;
use super::super::given;
use super::{defined, given_to, vip_badge};
use crate::builder::{badge, badge_award, bump, description, metric, now, page, seconds, source};

/// The row, the event and what happened; the second time nothing but the first row.
pub async fn a_badge_is_given_once(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let boss = given::member(&storage, "boss").await;
    let id = defined(&storage, badge("a")).await;
    let award = BadgeAward {
        by: Some(boss),
        source: source("admin"),
        reason: Some(description("Für alles 🎁")),
        ..badge_award(ada, id)
    };
    let first = storage.badges().give(&award, now()).await.unwrap();
    let expected = UserBadge {
        id: first.value.id,
        user: ada,
        badge: id,
        awarded_at: now(),
        awarded_by: Some(boss),
        source: source("admin"),
        vip_grant: None,
    };
    assert_eq!((&first.value, first.replayed), (&expected, false));
    assert_eq!(first.events, [DomainEvent::BadgeAwarded { user: ada, badge: id }]);
    let again = storage.badges().give(&badge_award(ada, id), now().plus(seconds(9))).await.unwrap();
    assert_eq!((again.value, again.replayed, again.events.len()), (expected.clone(), true, 0));
    let held = storage.badges().held_by(ada, &page(5)).await.unwrap().items;
    assert_eq!(held.iter().map(|one| &one.held).collect::<Vec<_>>(), [&expected]);
    let events = storage.badges().events(ada, &page(5)).await.unwrap().items;
    let [event] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!((event.kind, event.actor), (BadgeEventKind::Awarded, Some(boss)));
    assert_eq!((&event.reason, event.at), (&award.reason, now()));
    assert!(storage.badges().has(ada, id).await.unwrap());
    assert!(!storage.badges().has(boss, id).await.unwrap());
}

/// One grant, one event.
pub async fn fifty_gifts_of_one_badge_make_one_row(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let id = defined(&storage, vip_badge("a", VipTerm::Days(10))).await;
    let outcomes = given::at_once(50, &storage, |storage, _| async move {
        storage.badges().give(&badge_award(ada, id), now()).await.unwrap()
    })
    .await;
    assert_eq!(outcomes.iter().filter(|outcome| !outcome.replayed).count(), 1);
    assert!(outcomes.iter().all(|outcome| outcome.value == outcomes[0].value));
    assert_eq!(storage.badges().events(ada, &page(50)).await.unwrap().items.len(), 1);
    let until = now().plus(crate::builder::days(10));
    assert_eq!(super::vip_of(&storage, ada).await, guildhall_domain::Vip::Until(until));
}

/// Who has an inactive one keeps it, and gets it again as a repeat. An open unit stays usable.
pub async fn giving_needs_a_member_and_an_active_badge(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let bob = given::member(&storage, "bob").await;
    let gone = given::member(&storage, "gone").await;
    storage.users().delete(gone, now()).await.unwrap();
    let (on, off) = (defined(&storage, badge("on")).await, defined(&storage, badge("off")).await);
    given_to(&storage, ada, off).await;
    storage.badges().delete(off, false).await.unwrap();
    let work = storage.begin().await.unwrap();
    let nobody = UserId(i64::MAX);
    for (user, badge) in [(nobody, on), (gone, on), (ada, BadgeId(i64::MAX))] {
        let outcome = work.badges().give(&badge_award(user, badge), now()).await;
        refused(outcome, ErrorKind::NotFound);
    }
    refused(work.badges().give(&badge_award(bob, off), now()).await, ErrorKind::InvalidState);
    assert!(work.badges().give(&badge_award(ada, off), now()).await.unwrap().replayed);
    work.badges().give(&badge_award(bob, on), now()).await.unwrap();
    work.commit().await.unwrap();
    assert!(storage.badges().has(bob, on).await.unwrap());
}

/// Then there is nothing to take, and no second event; it can be given again.
pub async fn a_badge_is_taken_once(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let id = defined(&storage, badge("a")).await;
    given_to(&storage, ada, id).await;
    let badges = storage.badges();
    let taken = badges.take(ada, id, Some(ada), Some(description("spam")), now()).await.unwrap();
    assert!(taken.value && !taken.replayed);
    assert_eq!(taken.events, [DomainEvent::BadgeRevoked { user: ada, badge: id }]);
    for (user, badge) in [(ada, id), (ada, BadgeId(i64::MAX)), (UserId(i64::MAX), id)] {
        let again = badges.take(user, badge, None, None, now()).await.unwrap();
        assert_eq!((again.value, again.events.len()), (false, 0));
    }
    assert!(!badges.has(ada, id).await.unwrap());
    assert!(!badges.give(&badge_award(ada, id), now()).await.unwrap().replayed);
    let events = badges.events(ada, &page(5)).await.unwrap().items;
    let kinds: Vec<_> = events.iter().map(|event| event.kind).collect();
    let (given, revoked) = (BadgeEventKind::Awarded, BadgeEventKind::Revoked);
    assert_eq!(kinds, [given, revoked, given]);
    assert_eq!((events[1].actor, &events[1].reason), (Some(ada), &Some(description("spam"))));
}

/// Twenty who take it at once find it there.
pub async fn what_cannot_be_taken_stays(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let forever = NewBadge { revocable: false, ..badge("a") };
    let id = defined(&storage, forever).await;
    assert!(!storage.badges().take(ada, id, None, None, now()).await.unwrap().value);
    given_to(&storage, ada, id).await;
    let refusal = storage.badges().take(ada, id, None, None, now()).await;
    refused(refusal, ErrorKind::InvalidState);
    assert!(storage.badges().has(ada, id).await.unwrap());
    let other = defined(&storage, badge("b")).await;
    given_to(&storage, ada, other).await;
    let outcomes = given::at_once(20, &storage, |storage, _| async move {
        storage.badges().take(ada, other, None, None, now()).await.unwrap().value
    })
    .await;
    assert_eq!(outcomes.iter().filter(|taken| **taken).count(), 1);
}

/// Neither row, nor event, nor standing.
pub async fn a_gift_that_rolls_back_leaves_nothing(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let id = defined(&storage, vip_badge("a", VipTerm::Lifetime)).await;
    let before = storage.users().by_id(ada).await.unwrap();
    let work = storage.begin().await.unwrap();
    work.badges().give(&badge_award(ada, id), now()).await.unwrap();
    assert!(work.badges().has(ada, id).await.unwrap());
    work.rollback().await.unwrap();
    assert_eq!(storage.users().by_id(ada).await.unwrap(), before);
    assert!(storage.badges().events(ada, &page(5)).await.unwrap().items.is_empty());
    assert!(!storage.badges().give(&badge_award(ada, id), now()).await.unwrap().replayed);
}

fn ruled(name: &str, on: &str, threshold: i64) -> NewBadge {
    NewBadge { rule: Some(BadgeRule { metric: metric(on), threshold }), ..badge(name) }
}

async fn candidates(storage: &Arc<dyn Storage>, user: UserId) -> Vec<String> {
    let metrics = storage.user_achievements().metrics(user, now()).await.unwrap();
    let found = storage.badges().candidates(&metrics).await.unwrap();
    assert!(found.iter().all(|badge| badge.qualifies(&metrics)));
    found.into_iter().map(|badge| badge.name.into_string()).collect()
}

/// Neither held ones, nor inactive ones, nor those by hand; by id.
pub async fn candidates_are_what_the_rules_allow(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let bumps = bump("reactions", 3, CounterFold::Sum);
    storage.activity().bump_counters(ada, &[bumps], now()).await.unwrap();
    let inactive = NewBadge { is_active: false, ..ruled("off", "reactions", 1) };
    let mut ids = Vec::new();
    for new in [
        ruled("three", "reactions", 3),
        ruled("four", "reactions", 4),
        ruled("first", "level", 1),
        ruled("absent", "invites", 0),
        badge("by hand"),
        inactive,
    ] {
        ids.push(defined(&storage, new).await);
    }
    assert_eq!(candidates(&storage, ada).await, ["three", "first"]);
    given_to(&storage, ada, ids[0]).await;
    assert_eq!(candidates(&storage, ada).await, ["first"]);
}

/// Or the rule would undo at once what somebody did for a reason.
pub async fn what_was_taken_is_only_given_by_hand(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let bob = given::member(&storage, "bob").await;
    let id = defined(&storage, ruled("first", "level", 1)).await;
    given_to(&storage, ada, id).await;
    storage.badges().take(ada, id, None, None, now()).await.unwrap();
    assert!(candidates(&storage, ada).await.is_empty());
    assert_eq!(candidates(&storage, bob).await, ["first"]);
    given_to(&storage, ada, id).await;
    assert!(storage.badges().has(ada, id).await.unwrap());
}
