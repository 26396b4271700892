use std::sync::Arc;

use guildhall_domain::{NewUser, Patch, UserId, UserPatch};
use guildhall_repository::{BulkMode, ErrorKind, Storage};

use super::super::expect::{refused, sound};
use super::super::given;
use crate::builder::{
    award, deduct, external, hold, key, level, now, points, telegram, transfer, user, username,
};
use crate::poll::Cut;

/// Nothing of the refused member stays in the unit.
pub async fn a_refused_registration_leaves_the_unit_usable(storage: Arc<dyn Storage>) {
    given::member(&storage, "ada").await;
    let work = storage.begin().await.unwrap();
    let bob = work.users().create(&user("bob"), now()).await.unwrap();
    refused(work.users().create(&user("ADA"), now()).await, ErrorKind::AlreadyExists);
    let thief = NewUser { externals: vec![telegram("ada")], ..user("eve") };
    refused(work.users().create(&thief, now()).await, ErrorKind::AlreadyExists);
    assert_eq!(work.users().by_username(&username("eve")).await.unwrap(), None);
    let eve = work.users().create(&user("eve"), now()).await.unwrap();
    work.commit().await.unwrap();
    assert_eq!(storage.users().count(&Default::default(), now()).await.unwrap(), 3);
    let found = storage.users().by_ids(&[bob.id, eve.id]).await.unwrap();
    assert_eq!(found, [bob, eve]);
}

/// Nobody of the refused batch stays in the unit.
pub async fn a_refused_batch_leaves_the_unit_usable(storage: Arc<dyn Storage>) {
    given::member(&storage, "ada").await;
    let work = storage.begin().await.unwrap();
    let batch = [user("bob"), NewUser { username: None, ..user("ada") }];
    refused(work.users().create_batch(&batch, now()).await, ErrorKind::AlreadyExists);
    assert_eq!(work.users().by_username(&username("bob")).await.unwrap(), None);
    work.users().create_batch(&batch[..1], now()).await.unwrap();
    work.commit().await.unwrap();
    assert_eq!(storage.users().count(&Default::default(), now()).await.unwrap(), 2);
}

/// Each refusal of a movement, one after the other.
pub async fn a_refused_movement_leaves_the_unit_usable(storage: Arc<dyn Storage>) {
    let ids = given::crowd(&storage, 2, 10).await;
    let (ada, bob, nobody) = (ids[0], ids[1], UserId(999_999));
    storage.points().award(&award(ada, 1).key(key("used")), now()).await.unwrap();
    let work = storage.begin().await.unwrap();
    let repository = work.points();
    let short = ErrorKind::InsufficientBalance;
    refused(repository.deduct(&deduct(ada, 99), now()).await, short);
    refused(repository.transfer(&transfer(ada, bob, 99), now()).await, short);
    refused(repository.transfer(&transfer(bob, ada, 99), now()).await, short);
    refused(repository.hold(&hold(ada, 99, "a1"), now()).await, short);
    refused(repository.award(&award(nobody, 1), now()).await, ErrorKind::NotFound);
    refused(repository.transfer(&transfer(ada, nobody, 1), now()).await, ErrorKind::NotFound);
    let conflict = award(bob, 1).key(key("used"));
    refused(repository.award(&conflict, now()).await, ErrorKind::Conflict);
    repository.hold(&hold(ada, 1, "a1"), now()).await.unwrap();
    let again = repository.hold(&hold(ada, 1, "a1"), now()).await;
    refused(again, ErrorKind::AlreadyExists);
    repository.transfer(&transfer(ada, bob, 5), now()).await.unwrap();
    work.commit().await.unwrap();
    assert_eq!(given::balance(&storage, ada).await, points(6));
    assert_eq!(given::balance(&storage, bob).await, points(15));
    let account = storage.points().account(ada).await.unwrap().unwrap();
    assert_eq!(account.held(), points(1));
    sound(&*storage, &ids).await;
}

/// Names, versions, links and levels.
pub async fn a_refused_change_leaves_the_unit_usable(storage: Arc<dyn Storage>) {
    let ada = given::registered(&storage, "ada").await;
    let bob = given::registered(&storage, "bob").await;
    let work = storage.begin().await.unwrap();
    let users = work.users();
    let rename = |name| UserPatch { username: Patch::Set(username(name)), ..UserPatch::default() };
    let taken = users.update(bob.id, &rename("ada"), 1, false, now()).await;
    refused(taken, ErrorKind::AlreadyExists);
    let stale = users.update(bob.id, &rename("bob2"), 7, false, now()).await;
    refused(stale, ErrorKind::Conflict);
    let mut stolen = telegram("ada");
    refused(users.link_external(bob.id, &stolen, now()).await, ErrorKind::AlreadyExists);
    stolen.external_id = crate::builder::external_id("1");
    refused(users.link_external(bob.id, &stolen, now()).await, ErrorKind::AlreadyExists);
    let unlink = users.unlink_external(bob.id, &stolen.provider, now()).await;
    refused(unlink, ErrorKind::InvalidState);
    refused(work.levels().save(&level(2, 0)).await, ErrorKind::Validation);
    refused(work.levels().delete(1).await, ErrorKind::InvalidState);
    users.update(bob.id, &rename("bob3"), 1, false, now()).await.unwrap();
    users.link_external(ada.id, &external("faceit", "f1"), now()).await.unwrap();
    work.commit().await.unwrap();
    let stored = storage.users().by_id(bob.id).await.unwrap().unwrap();
    assert_eq!(stored.username, Some(username("bob3")));
    assert_eq!(storage.users().external_accounts(ada.id).await.unwrap().len(), 2);
}

/// What an atomic bulk wrote before it failed is gone from the unit, too.
pub async fn a_failed_bulk_leaves_nothing_and_the_unit_usable(storage: Arc<dyn Storage>) {
    let ids = given::crowd(&storage, 2, 0).await;
    let work = storage.begin().await.unwrap();
    let requests = [award(ids[0], 5), award(ids[1], 5), award(UserId(999_999), 5)];
    let outcome = work.points().award_bulk(&requests, BulkMode::Atomic, now()).await;
    refused(outcome, ErrorKind::NotFound);
    assert_eq!(work.points().balance(ids[0]).await.unwrap(), points(0));
    let outcomes = work.points().award_bulk(&requests, BulkMode::BestEffort, now()).await.unwrap();
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 2);
    work.commit().await.unwrap();
    for &id in &ids {
        assert_eq!(given::balance(&storage, id).await, points(5));
    }
    sound(&*storage, &ids).await;
}

/// Though nobody else can see it yet.
pub async fn a_replay_in_a_unit_finds_its_own_write(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let work = storage.begin().await.unwrap();
    let request = award(ada, 10).key(key("k"));
    let first = work.points().award(&request, now()).await.unwrap();
    let again = work.points().award(&request, now()).await.unwrap();
    assert_eq!((first.replayed, again.replayed), (false, true));
    assert_eq!(work.points().entry_by_key(&key("k")).await.unwrap(), Some(first.value));
    work.rollback().await.unwrap();
    assert_eq!(storage.points().entry_by_key(&key("k")).await.unwrap(), None);
    assert!(!storage.points().award(&request, now()).await.unwrap().replayed);
    assert_eq!(given::balance(&storage, ada).await, points(10));
}

/// Nobody knows what it did: later calls and the commit are refused, and nothing is written.
pub async fn a_call_dropped_midway_spends_the_unit(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let work = storage.begin().await.unwrap();
    work.points().award(&award(ada, 1), now()).await.unwrap();
    let request = award(ada, 2);
    let dropped = Cut::Poll(1).apply(work.points().award(&request, now())).await;
    assert!(dropped.is_none(), "the call was to be dropped midway");
    refused(work.points().balance(ada).await, ErrorKind::InvalidState);
    refused(work.points().award(&award(ada, 4), now()).await, ErrorKind::InvalidState);
    refused(work.users().create(&user("bob"), now()).await, ErrorKind::InvalidState);
    refused(work.commit().await, ErrorKind::InvalidState);
    assert_eq!(given::balance(&storage, ada).await, points(0));
    storage.points().award(&award(ada, 8), now()).await.unwrap();
    assert_eq!(given::balance(&storage, ada).await, points(8));
    sound(&*storage, &[ada]).await;
}

/// As any unit does, and leaves nothing when it is rolled back.
pub async fn an_act_is_committed_or_rolled_back(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    for (whole, commit) in [(1, true), (2, false), (4, true)] {
        let work = storage.begin_act().await.unwrap();
        work.points().lock(&[ada]).await.unwrap();
        let before = work.points().balance(ada).await.unwrap();
        work.points().award(&award(ada, whole), now()).await.unwrap();
        let after = work.points().balance(ada).await.unwrap();
        assert_eq!(after, before.plus(points(whole)).unwrap());
        if commit {
            work.commit().await.unwrap();
        } else {
            work.rollback().await.unwrap();
        }
    }
    assert_eq!(given::balance(&storage, ada).await, points(5));
    sound(&*storage, &[ada]).await;
}

/// After a call that failed, either all the rest is written or nothing at all; and the place of the
/// unit is given back.
pub async fn an_act_that_failed_writes_all_the_rest_or_nothing(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    for _ in 0..20 {
        let before = given::balance(&storage, ada).await;
        let work = storage.begin_act().await.unwrap();
        work.points().award(&award(ada, 1), now()).await.unwrap();
        refused(work.users().create(&user("ADA"), now()).await, ErrorKind::AlreadyExists);
        let rest = work.points().award(&award(ada, 2), now()).await;
        let committed = work.commit().await;
        let written = match (rest, committed) {
            (Ok(_), Ok(())) => points(3),
            (rest, committed) => {
                refused(rest, ErrorKind::InvalidState);
                refused(committed, ErrorKind::InvalidState);
                points(0)
            }
        };
        assert_eq!(given::balance(&storage, ada).await, before.plus(written).unwrap());
    }
    given::at_rest(&storage).await;
    sound(&*storage, &[ada]).await;
}

/// Movements that are refused have written nothing: there is nothing to go back to.
pub async fn a_refused_movement_leaves_an_act_usable(storage: Arc<dyn Storage>) {
    let ids = given::crowd(&storage, 2, 10).await;
    let (ada, bob) = (ids[0], ids[1]);
    storage.points().award(&award(ada, 1).key(key("used")), now()).await.unwrap();
    let work = storage.begin_act().await.unwrap();
    let repository = work.points();
    refused(repository.deduct(&deduct(ada, 99), now()).await, ErrorKind::InsufficientBalance);
    refused(repository.award(&award(UserId(999_999), 1), now()).await, ErrorKind::NotFound);
    let conflict = award(bob, 1).key(key("used"));
    refused(repository.award(&conflict, now()).await, ErrorKind::Conflict);
    repository.award(&award(bob, 2), now()).await.unwrap();
    work.commit().await.unwrap();
    assert_eq!(given::balance(&storage, bob).await, points(12));
    sound(&*storage, &ids).await;
}
