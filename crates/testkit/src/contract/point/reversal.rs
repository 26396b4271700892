use std::sync::Arc;

use guildhall_domain::{EntryId, EntryKind};
use guildhall_repository::{ErrorKind, Storage};

use super::super::expect::{refused, sound};
use super::super::given;
use crate::builder::{award, deduct, description, hold, hours, now, points, transfer};

/// The second call is a replay, whatever reason it gives.
pub async fn a_reversal_takes_an_entry_back_once(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let entry = storage.points().award(&award(ada, 10), now()).await.unwrap().value;
    let (why, later) = (description("A mistake"), now().plus(hours(1)));
    let first = storage.points().reverse_entry(entry.id, &why, later).await.unwrap();
    assert_eq!((first.replayed, first.value.kind), (false, EntryKind::Refund));
    assert_eq!((first.value.user, first.value.seq), (ada, 2));
    assert_eq!((first.value.amount, first.value.balance_after), (points(-10), points(0)));
    assert_eq!((&first.value.description, first.value.created_at), (&Some(why), later));
    let other = description("Another reason");
    let again = storage.points().reverse_entry(entry.id, &other, later).await.unwrap();
    assert_eq!((again.replayed, again.events), (true, vec![]));
    assert_eq!(again.value, first.value);
    assert_eq!(given::balance(&storage, ada).await, points(0));
    assert_eq!(storage.ledger().entry(entry.id).await.unwrap(), Some(entry));
    sound(&*storage, &[ada]).await;
}

/// With the member, as points.
pub async fn a_reversed_spend_comes_back(storage: Arc<dyn Storage>) {
    let ada = given::funded(&storage, "ada", 10).await;
    let entry = storage.points().deduct(&deduct(ada, 10), now()).await.unwrap().value;
    let why = description("Sold out");
    let back = storage.points().reverse_entry(entry.id, &why, now()).await.unwrap().value;
    assert_eq!((back.amount, back.balance_after), (points(10), points(10)));
    assert_eq!(given::balance(&storage, ada).await, points(10));
    sound(&*storage, &[ada]).await;
}

/// Nor is an unknown entry.
pub async fn a_refund_is_not_reversed(storage: Arc<dyn Storage>) {
    let ada = given::funded(&storage, "ada", 10).await;
    let entry = storage.points().award(&award(ada, 5), now()).await.unwrap().value;
    let why = description("test");
    let refund = storage.points().reverse_entry(entry.id, &why, now()).await.unwrap().value;
    let outcome = storage.points().reverse_entry(refund.id, &why, now()).await;
    refused(outcome, ErrorKind::InvalidState);
    let outcome = storage.points().reverse_entry(EntryId(999_999), &why, now()).await;
    refused(outcome, ErrorKind::NotFound);
    assert_eq!(given::balance(&storage, ada).await, points(10));
    sound(&*storage, &[ada]).await;
}

/// Neither half: points would appear or vanish.
pub async fn half_a_transfer_is_not_reversed(storage: Arc<dyn Storage>) {
    let ada = given::funded(&storage, "ada", 10).await;
    let bob = given::member(&storage, "bob").await;
    let pair = storage.points().transfer(&transfer(ada, bob, 4), now()).await.unwrap().value;
    for entry in [pair.sent, pair.received] {
        let outcome = storage.points().reverse_entry(entry.id, &description("test"), now()).await;
        refused(outcome, ErrorKind::InvalidState);
    }
    sound(&*storage, &[ada, bob]).await;
}

/// What is spent or held cannot be taken back, until it is there again.
pub async fn a_reversal_needs_the_points(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let entry = storage.points().award(&award(ada, 10), now()).await.unwrap().value;
    let why = description("test");
    let held = storage.points().hold(&hold(ada, 1, "a1"), now()).await.unwrap();
    let outcome = storage.points().reverse_entry(entry.id, &why, now()).await;
    refused(outcome, ErrorKind::InsufficientBalance);
    assert_eq!(given::balance(&storage, ada).await, points(10));
    storage.points().release_hold(held.id, now()).await.unwrap();
    let outcome = storage.points().reverse_entry(entry.id, &why, now()).await.unwrap();
    assert!(!outcome.replayed);
    sound(&*storage, &[ada]).await;
}

/// All callers get the same entry.
pub async fn concurrent_reversals_take_effect_once(storage: Arc<dyn Storage>) {
    let ada = given::funded(&storage, "ada", 1000).await;
    let entry = storage.points().award(&award(ada, 10), now()).await.unwrap().value;
    let outcomes = given::at_once(50, &storage, |storage, _| async move {
        storage.points().reverse_entry(entry.id, &description("test"), now()).await.unwrap()
    })
    .await;
    assert_eq!(outcomes.iter().filter(|outcome| !outcome.replayed).count(), 1);
    assert!(outcomes.iter().all(|outcome| outcome.value == outcomes[0].value));
    assert_eq!(given::balance(&storage, ada).await, points(1000));
    sound(&*storage, &[ada]).await;
}
