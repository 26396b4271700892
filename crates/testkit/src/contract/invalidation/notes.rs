use std::sync::Arc;
use std::time::Duration;

use guildhall_repository::{ErrorKind, Storage};

use super::super::expect::{invalid, refused};
use super::super::given::{note, noted};
use crate::builder::hours;

/// Whatever is in it.
pub async fn a_note_comes_back_as_it_was(storage: Arc<dyn Storage>) {
    let plain = note(1, "gh:%tag:user:1\ngh:%ns:points");
    let odd = note(2, "ünïcode % ' \" \\ \t");
    let long = note(3, &"x".repeat(64 << 10));
    for note in [&plain, &odd, &long] {
        storage.invalidations().insert(note).await.unwrap();
    }
    assert_eq!(noted(&storage).await, [plain, odd, long]);
}

/// By the database's clock, which needs no help of ours.
pub async fn young_notes_wait(storage: Arc<dyn Storage>) {
    storage.invalidations().insert(&note(1, "a")).await.unwrap();
    assert_eq!(storage.invalidations().left_behind(hours(1), 500).await.unwrap(), []);
    assert_eq!(storage.invalidations().left_behind(Duration::MAX, 500).await.unwrap(), []);
    assert_eq!(noted(&storage).await, [note(1, "a")]);
}

/// Deleting what is gone is no error.
pub async fn notes_go_once(storage: Arc<dyn Storage>) {
    for id in 1..=3 {
        storage.invalidations().insert(&note(id, "a")).await.unwrap();
    }
    assert_eq!(storage.invalidations().delete(&[]).await.unwrap(), 0);
    assert_eq!(storage.invalidations().delete(&[3, 1, 7]).await.unwrap(), 2);
    assert_eq!(storage.invalidations().delete(&[3, 1, 7]).await.unwrap(), 0);
    assert_eq!(noted(&storage).await, [note(2, "a")]);
}

/// In ascending order of ids.
pub async fn notes_come_in_bounded_batches(storage: Arc<dyn Storage>) {
    for id in (1..=12).rev() {
        storage.invalidations().insert(&note(id, "a")).await.unwrap();
    }
    let first = storage.invalidations().left_behind(Duration::ZERO, 10).await.unwrap();
    assert_eq!(first, (1..=10).map(|id| note(id, "a")).collect::<Vec<_>>());
    let ids: Vec<i64> = (1..=10).collect();
    assert_eq!(storage.invalidations().delete(&ids).await.unwrap(), 10);
    assert_eq!(noted(&storage).await, [note(11, "a"), note(12, "a")]);
    for limit in [0, 501] {
        invalid(storage.invalidations().left_behind(Duration::ZERO, limit).await, "limit");
    }
    invalid(storage.invalidations().delete(&vec![1; 501]).await, "ids");
}

/// Not before the commit, and not at all after a roll-back.
pub async fn a_note_of_a_unit_goes_with_it(storage: Arc<dyn Storage>) {
    let undone = storage.begin().await.unwrap();
    undone.invalidations().insert(&note(1, "undone")).await.unwrap();
    undone.rollback().await.unwrap();
    let dropped = storage.begin().await.unwrap();
    dropped.invalidations().insert(&note(2, "dropped")).await.unwrap();
    drop(dropped);
    let work = storage.begin().await.unwrap();
    work.invalidations().insert(&note(3, "kept")).await.unwrap();
    assert_eq!(noted(&storage).await, []);
    work.commit().await.unwrap();
    assert_eq!(noted(&storage).await, [note(3, "kept")]);
}

/// Ids tell notes apart: the first one stays as it is, and a unit stays usable.
pub async fn a_taken_id_is_refused(storage: Arc<dyn Storage>) {
    let work = storage.begin().await.unwrap();
    work.invalidations().insert(&note(1, "first")).await.unwrap();
    let outcome = work.invalidations().insert(&note(1, "second")).await;
    refused(outcome, ErrorKind::AlreadyExists);
    work.commit().await.unwrap();
    let outcome = storage.invalidations().insert(&note(1, "third")).await;
    refused(outcome, ErrorKind::AlreadyExists);
    assert_eq!(noted(&storage).await, [note(1, "first")]);
}
