use std::sync::Arc;

use guildhall_domain::{DomainEvent, UserId, Xp};
use guildhall_repository::{EntryFilter, ErrorKind, Storage};

use super::super::expect::{refused, sound};
use super::super::given;
use crate::builder::{award, deduct, key, now, page, points, xp};

/// The levels that events tell of.
fn reached(events: &[DomainEvent]) -> Vec<u32> {
    let level = |event: &DomainEvent| match event {
        DomainEvent::LevelUp { level, .. } => Some(*level),
        _ => None,
    };
    events.iter().filter_map(level).collect()
}

async fn stored(storage: &Arc<dyn Storage>, user: UserId) -> (Xp, u32) {
    let account = storage.points().account(user).await.unwrap().unwrap();
    (account.xp(), account.level())
}

/// One event a level, ascending, and the last is stored.
pub async fn passing_levels_tells_of_each(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let outcome = storage.points().award(&award(ada, 499), now()).await.unwrap();
    assert!(reached(&outcome.events).is_empty());
    let outcome = storage.points().award(&award(ada, 1101), now()).await.unwrap();
    assert_eq!(reached(&outcome.events), [2, 3, 4]);
    assert_eq!(stored(&storage, ada).await, (xp(1600), 4));
    let outcome = storage.points().award(&award(ada, 1_000_000), now()).await.unwrap();
    assert_eq!(reached(&outcome.events), (5..=20).collect::<Vec<_>>());
    assert_eq!(stored(&storage, ada).await.1, 20);
}

/// Neither a replay nor the next award tells of it again.
pub async fn a_level_is_reached_once(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let request = award(ada, 500).key(key("k"));
    let outcome = storage.points().award(&request, now()).await.unwrap();
    assert_eq!(reached(&outcome.events), [2]);
    let outcome = storage.points().award(&request, now()).await.unwrap();
    assert_eq!((outcome.replayed, outcome.events), (true, vec![]));
    let outcome = storage.points().award(&award(ada, 1), now()).await.unwrap();
    assert!(reached(&outcome.events).is_empty());
}

/// And earning the same points again does not raise it twice.
pub async fn spending_never_lowers_a_level(storage: Arc<dyn Storage>) {
    let ada = given::funded(&storage, "ada", 600).await;
    storage.points().deduct(&deduct(ada, 600), now()).await.unwrap();
    assert_eq!(stored(&storage, ada).await, (xp(600), 2));
    let outcome = storage.points().award(&award(ada, 300), now()).await.unwrap();
    assert_eq!((reached(&outcome.events), stored(&storage, ada).await.1), (vec![], 2));
}

/// It raises the level, and no entry is written.
pub async fn experience_is_granted_without_points(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let outcome = storage.points().grant_xp(ada, xp(1000), now()).await.unwrap();
    assert_eq!(reached(&outcome.events), [2, 3]);
    assert_eq!((outcome.value.xp(), outcome.value.level()), (xp(1000), 3));
    assert_eq!(outcome.value.balance(), points(0));
    assert_eq!(storage.points().account(ada).await.unwrap(), Some(outcome.value));
    let entries = storage.ledger().transactions(ada, &EntryFilter::default(), &page(1)).await;
    assert_eq!(entries.unwrap().items, []);
    let outcome = storage.points().grant_xp(UserId(999_999), xp(1), now()).await;
    refused(outcome, ErrorKind::NotFound);
    sound(&*storage, &[ada]).await;
}

/// Nor less than none, nor more than fits.
pub async fn no_experience_is_no_grant(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    storage.points().grant_xp(ada, xp(1), now()).await.unwrap();
    for refusal in [Xp::ZERO, xp(-1), Xp::MAX] {
        refused(storage.points().grant_xp(ada, refusal, now()).await, ErrorKind::Validation);
    }
    assert_eq!(stored(&storage, ada).await, (xp(1), 1));
}
