use std::sync::Arc;
use std::time::{Duration, Instant};

use guildhall_domain::{MatchId, StatsPatch, UiState, UserId, UserPatch};
use guildhall_repository::{ErrorKind, ListLimit, Storage};

use super::super::expect::{refused, sound};
use super::super::given::{self, note, noted};
use crate::builder::{adjustment, award, deduct, hold, key, now, points, transfer, user};
use crate::poll::Cut;

/// For statements of dropped calls to end.
const PATIENCE: Duration = Duration::from_secs(60);

/// One statement or several, with or without experience, alone or in twos.
pub async fn every_kind_of_write_stores_its_note(storage: Arc<dyn Storage>) {
    let ids = given::crowd(&storage, 2, 10).await;
    let (ada, bob) = (ids[0], ids[1]);
    let targets = "gh:%tag:user:1\nünïcode ' \" \\ $1";
    let on = |id| storage.noting(&note(id, targets));
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
    on(11).users().set_ui_state(ada, &UiState::parse("menu").unwrap()).await.unwrap();
    on(12).users().set_last_checked_match(ada, &MatchId::parse("m1").unwrap()).await.unwrap();
    let patch = StatsPatch { content_read: Some(3), ..StatsPatch::default() };
    let version = storage.activity().stats(ada).await.unwrap().unwrap().version;
    let stats = on(13).activity().update_stats(ada, &patch, version).await.unwrap();
    assert_eq!(stats, storage.activity().stats(ada).await.unwrap().unwrap());
    let user = storage.users().by_id(ada).await.unwrap().unwrap();
    assert_eq!((user.is_admin, user.ui_state.as_str()), (true, "menu"));
    assert_eq!(noted(&storage).await, (1..=13).map(|id| note(id, targets)).collect::<Vec<_>>());
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
    refused(on().users().set_admin(nobody, true, now()).await, ErrorKind::NotFound);
    let state = UiState::parse("menu").unwrap();
    refused(on().users().set_ui_state(nobody, &state).await, ErrorKind::NotFound);
    let patch = StatsPatch { content_read: Some(3), ..StatsPatch::default() };
    refused(on().activity().update_stats(ada, &patch, 99).await, ErrorKind::Conflict);
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
    refused(on().users().touch_login(ada, now()).await, taken);
    refused(on().points().hold(&hold(ada, 1, "a1"), now()).await, taken);
    refused(on().users().create(&user("eve"), now()).await, taken);
    assert_eq!(noted(&storage).await, [note(1, "taken")]);
    assert_eq!(storage.users().by_id(ada).await.unwrap(), before);
    for id in [ada, bob] {
        assert_eq!(given::balance(&storage, id).await, points(10));
    }
    sound(&*storage, &ids).await;
}

/// Wherever its caller gives it up: as soon as it is known what became of it, both are there or
/// neither.
pub async fn a_dropped_write_has_its_note_or_neither(storage: Arc<dyn Storage>) {
    let mut dropped = Vec::new();
    Cut::at_each(async |cut| {
        let id = i64::try_from(dropped.len()).unwrap() + 1;
        let ada = given::member(&storage, &format!("ada{id}")).await;
        let on = storage.noting(&note(id, "a"));
        let done = cut.apply(on.users().set_admin(ada, true, now())).await.is_some();
        dropped.push((id, ada));
        done
    })
    .await;
    // A statement may still be under way, and between two looks more of them end.
    let start = Instant::now();
    loop {
        let notes: Vec<i64> = noted(&storage).await.iter().map(|note| note.id).collect();
        let mut torn = Vec::new();
        for (id, ada) in &dropped {
            let user = storage.users().by_id(*ada).await.unwrap().unwrap();
            if user.is_admin != notes.contains(id) {
                torn.push(*id);
            }
        }
        if torn.is_empty() {
            return;
        }
        assert!(start.elapsed() < PATIENCE, "a write without its note, or the other way: {torn:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
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
