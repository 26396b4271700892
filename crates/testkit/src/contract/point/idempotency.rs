use std::collections::BTreeSet;
use std::sync::Arc;

use guildhall_domain::{EntryId, Outcome, PointEntry};
use guildhall_repository::{EntryFilter, ErrorKind, Storage, StorageError};

use super::super::expect::{refused, sound, winners};
use super::super::given;
use crate::builder::{
    adjustment, amount, award, deduct, hours, key, now, page, points, source, transfer,
};

/// The repeat gives the first entry, says so, and tells of nothing.
pub async fn a_key_takes_effect_once(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let later = now().plus(hours(9));
    let gain = award(ada, 10).key(key("gain"));
    let first = storage.points().award(&gain, now()).await.unwrap();
    let again = storage.points().award(&gain, later).await.unwrap();
    assert_eq!((first.replayed, again.replayed, again.events), (false, true, vec![]));
    assert_eq!(again.value, first.value);
    let loss = deduct(ada, 4).key(key("loss"));
    let first = storage.points().deduct(&loss, now()).await.unwrap();
    let again = storage.points().deduct(&loss, later).await.unwrap();
    assert_eq!((first.replayed, again.replayed, again.events), (false, true, vec![]));
    assert_eq!(again.value, first.value);
    assert_eq!(storage.points().entry_by_key(&key("loss")).await.unwrap(), Some(first.value));
    assert_eq!(given::balance(&storage, ada).await, points(6));
    sound(&*storage, &[ada]).await;
}

/// Sender's and receiver's, whoever asks again.
pub async fn a_transfer_key_gives_both_entries_again(storage: Arc<dyn Storage>) {
    let ada = given::funded(&storage, "ada", 10).await;
    let bob = given::member(&storage, "bob").await;
    let request = transfer(ada, bob, 4).key(key("k"));
    let first = storage.points().transfer(&request, now()).await.unwrap();
    let again = storage.points().transfer(&request, now().plus(hours(1))).await.unwrap();
    assert_eq!((again.replayed, again.events), (true, vec![]));
    assert_eq!(again.value, first.value);
    assert_eq!(given::balance(&storage, ada).await, points(6));
    assert_eq!(given::balance(&storage, bob).await, points(4));
    sound(&*storage, &[ada, bob]).await;
}

/// Corrections are repeated by operators, too.
pub async fn an_adjustment_key_takes_effect_once(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let mut request = adjustment(ada, 10);
    request.idem_key = Some(key("k"));
    let first = storage.points().adjust(&request, now()).await.unwrap();
    let again = storage.points().adjust(&request, now()).await.unwrap();
    assert_eq!((again.replayed, &again.value), (true, &first.value));
    request.amount = points(-10);
    refused(storage.points().adjust(&request, now()).await, ErrorKind::Conflict);
    assert_eq!(given::balance(&storage, ada).await, points(10));
}

/// Another member, amount, source or thing; nothing is written.
pub async fn a_key_for_another_request_is_a_conflict(storage: Arc<dyn Storage>) {
    let ada = given::funded(&storage, "ada", 10).await;
    let bob = given::funded(&storage, "bob", 10).await;
    let gain = award(ada, 1).key(key("gain"));
    storage.points().award(&gain, now()).await.unwrap();
    let mut changes = vec![gain.clone(); 4];
    changes[0].user = bob;
    changes[1].amount = amount(2);
    changes[2].source = source("other");
    changes[3] = gain.reference(crate::builder::reference("r"));
    for request in changes {
        refused(storage.points().award(&request, now()).await, ErrorKind::Conflict);
    }
    let loss = deduct(ada, 1).key(key("loss"));
    storage.points().deduct(&loss, now()).await.unwrap();
    let mut changes = vec![loss; 3];
    changes[0].user = bob;
    changes[1].amount = amount(2);
    changes[2].source = source("other");
    for request in changes {
        refused(storage.points().deduct(&request, now()).await, ErrorKind::Conflict);
    }
    let sent = transfer(ada, bob, 1).key(key("sent"));
    storage.points().transfer(&sent, now()).await.unwrap();
    for request in [transfer(bob, ada, 1), transfer(ada, bob, 2)] {
        let outcome = storage.points().transfer(&request.key(key("sent")), now()).await;
        refused(outcome, ErrorKind::Conflict);
    }
    assert_eq!(given::balance(&storage, ada).await, points(9));
    assert_eq!(given::balance(&storage, bob).await, points(11));
    sound(&*storage, &[ada, bob]).await;
}

/// Spending under the key of an award is another request, even for the same amount.
pub async fn a_key_serves_one_operation(storage: Arc<dyn Storage>) {
    let ada = given::funded(&storage, "ada", 10).await;
    let bob = given::funded(&storage, "bob", 10).await;
    let points_of = storage.points();
    points_of.award(&award(ada, 1).key(key("award")), now()).await.unwrap();
    points_of.deduct(&deduct(ada, 1).key(key("deduct")), now()).await.unwrap();
    points_of.transfer(&transfer(ada, bob, 1).key(key("transfer")), now()).await.unwrap();
    for used in ["award", "deduct", "transfer"] {
        let mut conflicts: Vec<StorageError> = Vec::new();
        if used != "award" {
            let outcome = points_of.award(&award(ada, 1).key(key(used)), now()).await;
            conflicts.push(refused(outcome, ErrorKind::Conflict));
        }
        if used != "deduct" {
            let outcome = points_of.deduct(&deduct(ada, 1).key(key(used)), now()).await;
            conflicts.push(refused(outcome, ErrorKind::Conflict));
        }
        if used != "transfer" {
            let outcome = points_of.transfer(&transfer(ada, bob, 1).key(key(used)), now()).await;
            conflicts.push(refused(outcome, ErrorKind::Conflict));
        }
        assert_eq!(conflicts.len(), 2);
    }
    assert_eq!(given::balance(&storage, ada).await, points(9));
    sound(&*storage, &[ada, bob]).await;
}

/// What was paid is paid, though nothing is left to pay with.
pub async fn a_replay_needs_no_balance(storage: Arc<dyn Storage>) {
    let ada = given::funded(&storage, "ada", 10).await;
    let bob = given::member(&storage, "bob").await;
    let loss = deduct(ada, 4).key(key("loss"));
    let sent = transfer(ada, bob, 6).key(key("sent"));
    storage.points().deduct(&loss, now()).await.unwrap();
    storage.points().transfer(&sent, now()).await.unwrap();
    assert!(storage.points().deduct(&loss, now()).await.unwrap().replayed);
    assert!(storage.points().transfer(&sent, now()).await.unwrap().replayed);
    sound(&*storage, &[ada, bob]).await;
}

/// Only an effect uses a key up.
pub async fn a_refused_request_leaves_its_key_free(storage: Arc<dyn Storage>) {
    let ada = given::funded(&storage, "ada", 1).await;
    let loss = deduct(ada, 4).key(key("k"));
    let outcome = storage.points().deduct(&loss, now()).await;
    refused(outcome, ErrorKind::InsufficientBalance);
    assert_eq!(storage.points().entry_by_key(&key("k")).await.unwrap(), None);
    storage.points().award(&award(ada, 9), now()).await.unwrap();
    assert!(!storage.points().deduct(&loss, now()).await.unwrap().replayed);
    assert_eq!(given::balance(&storage, ada).await, points(6));
}

/// They are not names.
pub async fn keys_are_told_apart_by_case(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    for name in ["k", "K", "ß", "ẞ", "k "] {
        let outcome = storage.points().award(&award(ada, 1).key(key(name)), now()).await.unwrap();
        assert_eq!(outcome.replayed, name == "k ", "white space around a key does not count");
    }
    assert_eq!(given::balance(&storage, ada).await, points(4));
}

/// Absence is an answer.
pub async fn an_unused_key_has_no_entry(storage: Arc<dyn Storage>) {
    given::funded(&storage, "ada", 1).await;
    assert_eq!(storage.points().entry_by_key(&key("never")).await.unwrap(), None);
}

#[track_caller]
fn one_effect(outcomes: Vec<Outcome<PointEntry>>) {
    assert_eq!(outcomes.iter().filter(|outcome| !outcome.replayed).count(), 1);
    let ids: BTreeSet<EntryId> = outcomes.iter().map(|outcome| outcome.value.id).collect();
    assert_eq!(ids.len(), 1);
}

/// All callers get the same entry.
pub async fn fifty_awards_with_one_key_take_effect_once(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let outcomes = given::at_once(50, &storage, |storage, _| async move {
        storage.points().award(&award(ada, 10).key(key("k")), now()).await.unwrap()
    })
    .await;
    one_effect(outcomes);
    assert_eq!(given::balance(&storage, ada).await, points(10));
    sound(&*storage, &[ada]).await;
}

/// Though the balance would do for one only.
pub async fn fifty_deductions_with_one_key_take_effect_once(storage: Arc<dyn Storage>) {
    let ada = given::funded(&storage, "ada", 10).await;
    let outcomes = given::at_once(50, &storage, |storage, _| async move {
        storage.points().deduct(&deduct(ada, 10).key(key("k")), now()).await.unwrap()
    })
    .await;
    one_effect(outcomes);
    assert_eq!(given::balance(&storage, ada).await, points(0));
    sound(&*storage, &[ada]).await;
}

/// All callers get the same pair.
pub async fn fifty_transfers_with_one_key_take_effect_once(storage: Arc<dyn Storage>) {
    let ada = given::funded(&storage, "ada", 10).await;
    let bob = given::member(&storage, "bob").await;
    let outcomes = given::at_once(50, &storage, |storage, _| async move {
        storage.points().transfer(&transfer(ada, bob, 10).key(key("k")), now()).await.unwrap()
    })
    .await;
    let received = outcomes.iter().map(|outcome| outcome.value.received.id);
    assert_eq!(received.collect::<BTreeSet<_>>().len(), 1);
    one_effect(outcomes.into_iter().map(|outcome| outcome.map(|pair| pair.sent)).collect());
    assert_eq!(given::balance(&storage, bob).await, points(10));
    sound(&*storage, &[ada, bob]).await;
}

/// The others conflict with it.
pub async fn fifty_requests_under_one_key_let_one_win(storage: Arc<dyn Storage>) {
    let ids = given::crowd(&storage, 50, 0).await;
    let outcomes = given::at_once(50, &storage, |storage, n| {
        let request = award(ids[n], 10).key(key("k"));
        async move { storage.points().award(&request, now()).await }
    })
    .await;
    let (won, lost) = winners(outcomes, ErrorKind::Conflict);
    assert_eq!((won.len(), lost.len()), (1, 49));
    for &id in &ids {
        let entries = storage.ledger().transactions(id, &EntryFilter::default(), &page(2)).await;
        let count = usize::from(id == won[0].value.user);
        assert_eq!(entries.unwrap().items.len(), count);
    }
    sound(&*storage, &ids).await;
}
