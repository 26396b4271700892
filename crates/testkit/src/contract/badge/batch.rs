use std::sync::Arc;

use guildhall_domain::{BadgeId, BadgePatch, NewBadge};
use guildhall_repository::{BATCH_MAX, BadgeFilter, Change, ErrorKind, Repositories, Storage};

use super::super::expect::{invalid, refused};
use super::super::given;
use super::given_to;
use crate::builder::{badge, label, now};

fn numbered(count: usize) -> Vec<NewBadge> {
    (0..count).map(|n| badge(&format!("Badge {n}"))).collect()
}

fn renamed(key: BadgeId, name: &str, expected_version: i64) -> Change<BadgeId, BadgePatch> {
    let change = BadgePatch { name: Some(label(name)), ..BadgePatch::default() };
    Change { key, change, expected_version }
}

async fn count<R: Repositories + ?Sized>(on: &R, is_active: Option<bool>) -> u64 {
    on.badges().count(BadgeFilter { is_active, ..BadgeFilter::default() }).await.unwrap()
}

/// In the order given, as if one by one; as many as fit.
pub async fn many_badges_are_defined_at_once(storage: Arc<dyn Storage>) {
    let badges = storage.badges();
    assert_eq!(badges.create_batch(&[], now()).await.unwrap(), []);
    let new = numbered(BATCH_MAX);
    let made = badges.create_batch(&new, now()).await.unwrap();
    assert!(made.iter().map(|made| &made.name).eq(new.iter().map(|new| &new.name)));
    assert_eq!(count(&*storage, None).await, 1000);
    let ids: Vec<BadgeId> = made.iter().rev().take(500).map(|made| made.id).collect();
    assert!(badges.by_ids(&ids).await.unwrap().iter().eq(made.iter().rev().take(500)));
    assert_eq!(badges.delete_batch(&ids, true).await.unwrap(), 500);
    assert!(!badges.exists(ids[0]).await.unwrap() && badges.exists(made[0].id).await.unwrap());
}

/// A name that is taken, or given twice, a row that breaks a rule, or too many of them.
pub async fn a_batch_of_badges_is_defined_wholly_or_not(storage: Arc<dyn Storage>) {
    storage.badges().create(&badge("Äther"), now()).await.unwrap();
    let unknown = NewBadge { vip: Some(guildhall_domain::VipTerm::Days(0)), ..badge("c") };
    let work = storage.begin().await.unwrap();
    let create = async |new: &[NewBadge]| work.badges().create_batch(new, now()).await;
    refused(create(&[badge("a"), badge("äTHER")]).await, ErrorKind::AlreadyExists);
    refused(create(&[badge("a"), badge("b"), badge("A")]).await, ErrorKind::AlreadyExists);
    refused(create(&[badge("a"), unknown]).await, ErrorKind::Validation);
    invalid(create(&numbered(BATCH_MAX + 1)).await, "new");
    assert_eq!(create(&[badge("a")]).await.unwrap().len(), 1);
    work.commit().await.unwrap();
    assert_eq!(count(&*storage, None).await, 2);
}

/// And every read of them is fresh.
pub async fn many_badges_are_changed_at_once_or_none(storage: Arc<dyn Storage>) {
    let badges = storage.badges();
    let made = badges.create_batch(&numbered(3), now()).await.unwrap();
    let name = async |at: usize| badges.by_id(made[at].id).await.unwrap().unwrap().name.to_string();
    assert_eq!(name(2).await, "Badge 2");
    // They swap a name, in the order of their ids.
    let changes =
        [renamed(made[2].id, "c", 1), renamed(made[0].id, "a", 1), renamed(made[0].id, "b", 2)];
    assert_eq!(badges.update_batch(&changes).await.unwrap(), 3);
    assert_eq!(
        (name(0).await, name(1).await, name(2).await),
        ("b".into(), "Badge 1".into(), "c".into())
    );
    let stale = [renamed(made[1].id, "x", 1), renamed(made[2].id, "y", 1)];
    refused(badges.update_batch(&stale).await, ErrorKind::Conflict);
    let absent = [renamed(made[1].id, "x", 1), renamed(BadgeId(i64::MAX), "y", 1)];
    refused(badges.update_batch(&absent).await, ErrorKind::NotFound);
    let taken = [renamed(made[1].id, "x", 1), renamed(made[2].id, "B", 2)];
    refused(badges.update_batch(&taken).await, ErrorKind::AlreadyExists);
    assert_eq!((name(1).await, name(2).await), ("Badge 1".into(), "c".into()));
}

/// Those that were given stay, and with them all others.
pub async fn many_badges_are_removed_at_once_or_none(storage: Arc<dyn Storage>) {
    let badges = storage.badges();
    let made = badges.create_batch(&numbered(4), now()).await.unwrap();
    let mut ids: Vec<BadgeId> = made.iter().map(|made| made.id).collect();
    given_to(&storage, given::member(&storage, "ada").await, ids[3]).await;
    let error = refused(badges.delete_batch(&ids, true).await, ErrorKind::InvalidState);
    assert!(error.to_string().contains(&ids[3].to_string()), "{error}");
    assert_eq!(count(&*storage, Some(true)).await, 4);
    assert_eq!(badges.delete_batch(&ids[2..], false).await.unwrap(), 2);
    ids.push(BadgeId(i64::MAX));
    assert_eq!(badges.delete_batch(&ids, false).await.unwrap(), 2, "the others were inactive");
    assert_eq!((count(&*storage, None).await, count(&*storage, Some(true)).await), (4, 0));
    ids.remove(3);
    assert_eq!(badges.delete_batch(&ids, true).await.unwrap(), 3);
    assert_eq!(badges.by_id(ids[0]).await.unwrap(), None);
}
