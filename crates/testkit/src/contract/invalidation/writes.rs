use std::sync::Arc;

use guildhall_domain::{UserId, UserPatch};
use guildhall_repository::{ErrorKind, ListLimit, Storage};

use super::super::expect::{refused, sound};
use super::super::given::{self, note, noted};
use crate::builder::{adjustment, award, deduct, hold, key, now, points, transfer, user};

/// One statement or several, with or without experience, alone or in twos.
pub async fn every_kind_of_write_stores_its_note(storage: Arc<dyn Storage>) {
    let ids = given::crowd(&storage, 2, 10).await;
    let (ada, bob) = (ids[0], ids[1]);
    let on = |id| storage.noting(&note(id, "a"));
    on(1).points().award(&award(ada, 1), now()).await.unwrap();
    on(2).points().deduct(&deduct(ada, 1), now()).await.unwrap();
    on(3).points().adjust(&adjustment(ada, -1), now()).await.unwrap();
    on(4).points().transfer(&transfer(ada, bob, 1), now()).await.unwrap();
    on(5).points().hold(&hold(ada, 1, "a1"), now()).await.unwrap();
    on(6).users().create(&user("eve"), now()).await.unwrap();
    on(7).users().touch_login(ada, now()).await.unwrap();
    on(8).users().set_admin(ada, true, now()).await.unwrap();
    let version = storage.users().by_id(ada).await.unwrap().unwrap().version;
    on(9).users().update(ada, &UserPatch::default(), version, false, now()).await.unwrap();
    on(10).levels().delete(20).await.unwrap();
    let noted: Vec<i64> = noted(&storage).await.iter().map(|note| note.id).collect();
    assert_eq!(noted, (1..=10).collect::<Vec<_>>());
    sound(&*storage, &ids).await;
}

/// As nothing was changed, nothing is wrong.
pub async fn a_refused_write_stores_no_note(storage: Arc<dyn Storage>) {
    let ids = given::crowd(&storage, 2, 10).await;
    let (ada, bob, nobody) = (ids[0], ids[1], UserId(999_999));
    let on = || storage.noting(&note(1, "a"));
    let short = ErrorKind::InsufficientBalance;
    refused(on().points().deduct(&deduct(ada, 99), now()).await, short);
    refused(on().points().transfer(&transfer(ada, bob, 99), now()).await, short);
    refused(on().points().award(&award(nobody, 1), now()).await, ErrorKind::NotFound);
    refused(on().points().hold(&hold(ada, 99, "a1"), now()).await, short);
    refused(on().users().touch_login(nobody, now()).await, ErrorKind::NotFound);
    refused(on().users().create(&user("MEMBER0"), now()).await, ErrorKind::AlreadyExists);
    assert_eq!(noted(&storage).await, []);
}

/// The first request left its note; what a repeat leaves is nobody's business.
pub async fn a_replay_does_nothing_twice(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let gain = award(ada, 10).key(key("gain"));
    let first = storage.noting(&note(1, "a")).points().award(&gain, now()).await.unwrap();
    let again = storage.noting(&note(2, "a")).points().award(&gain, now()).await.unwrap();
    assert_eq!((first.replayed, again.replayed, again.value), (false, true, first.value));
    assert!(noted(&storage).await.contains(&note(1, "a")));
    sound(&*storage, &[ada]).await;
}

/// Both or neither.
pub async fn a_write_whose_note_is_refused_writes_nothing(storage: Arc<dyn Storage>) {
    let ids = given::crowd(&storage, 2, 10).await;
    let (ada, bob) = (ids[0], ids[1]);
    storage.invalidations().insert(&note(1, "taken")).await.unwrap();
    let before = storage.users().by_id(ada).await.unwrap();
    let on = || storage.noting(&note(1, "a"));
    let taken = ErrorKind::AlreadyExists;
    refused(on().points().award(&award(ada, 1), now()).await, taken);
    refused(on().points().deduct(&deduct(ada, 1), now()).await, taken);
    refused(on().points().transfer(&transfer(ada, bob, 1), now()).await, taken);
    refused(on().users().set_admin(ada, true, now()).await, taken);
    assert_eq!(noted(&storage).await, [note(1, "taken")]);
    assert_eq!(storage.users().by_id(ada).await.unwrap(), before);
    for id in [ada, bob] {
        assert_eq!(given::balance(&storage, id).await, points(10));
    }
    sound(&*storage, &ids).await;
}

/// Nor does a call that found nothing to do before it began to write.
pub async fn reads_store_no_note(storage: Arc<dyn Storage>) {
    let ada = given::funded(&storage, "ada", 1).await;
    let on = storage.noting(&note(1, "a"));
    assert_eq!(on.users().by_id(ada).await.unwrap().map(|user| user.id), Some(ada));
    assert_eq!(on.points().balance(ada).await.unwrap(), points(1));
    on.ledger().verify_page(None, ListLimit::new(10).unwrap()).await.unwrap();
    on.rankings().totals().await.unwrap();
    assert_eq!(noted(&storage).await, []);
}
