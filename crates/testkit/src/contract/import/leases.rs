use std::sync::Arc;

use guildhall_repository::{ErrorKind, ImportPhase, Storage};

use super::super::expect::{refused, winners};
use super::super::given;
use crate::builder::{hours, imported, level, now};

/// The same source and owner find the same import.
pub async fn an_import_begins_once_and_goes_on(storage: Arc<dyn Storage>) {
    assert_eq!(storage.imports().find("a.db").await.unwrap(), None);
    let new = given::import("a.db", "ada");
    let run = storage.imports().begin(&new, now()).await.unwrap();
    assert_eq!((run.source.as_str(), run.phase), ("a.db", ImportPhase::Running));
    assert_eq!((&run.checkpoint, run.started_at), (&None, now()));
    assert_eq!(storage.imports().find("a.db").await.unwrap(), Some(run.clone()));
    let again = storage.imports().begin(&new, now().plus(hours(1))).await.unwrap();
    assert_eq!(again, run);
    assert_eq!(storage.imports().find("b.db").await.unwrap(), None);
}

/// Of every source, as two imports would write the same members.
pub async fn an_import_keeps_others_out(storage: Arc<dyn Storage>) {
    storage.imports().begin(&given::import("a.db", "ada"), now()).await.unwrap();
    for source in ["a.db", "b.db"] {
        let outcome = storage.imports().begin(&given::import(source, "bob"), now()).await;
        refused(outcome, ErrorKind::InvalidState);
    }
    assert_eq!(storage.imports().find("b.db").await.unwrap(), None);
}

/// Once its lease is over, with its checkpoint.
pub async fn an_abandoned_import_is_taken_over(storage: Arc<dyn Storage>) {
    let run = storage.imports().begin(&given::import("a.db", "ada"), now()).await.unwrap();
    let lease = now().plus(hours(1));
    storage.imports().write_members(&run, &[], "row 7", lease, now()).await.unwrap();
    let mut new = given::import("a.db", "bob");
    new.leased_until = now().plus(hours(9));
    let later = now().plus(hours(2));
    let taken = storage.imports().begin(&new, later).await.unwrap();
    assert_eq!((taken.id, taken.checkpoint.as_deref()), (run.id, Some("row 7")));
    let mut other = given::import("c.db", "eve");
    other.leased_until = now().plus(hours(9));
    let outcome = storage.imports().begin(&other, later).await;
    refused(outcome, ErrorKind::InvalidState);
}

/// The next owner may begin at once.
pub async fn a_finished_import_lets_go(storage: Arc<dyn Storage>) {
    let run = storage.imports().begin(&given::import("a.db", "ada"), now()).await.unwrap();
    storage.imports().finish(&run, now()).await.unwrap();
    let found = storage.imports().find("a.db").await.unwrap().unwrap();
    assert_eq!((found.id, found.phase), (run.id, ImportPhase::Finished));
    let next = storage.imports().begin(&given::import("b.db", "bob"), now()).await.unwrap();
    assert!(next.id > run.id);
}

/// The others are kept out.
pub async fn twenty_owners_let_one_begin(storage: Arc<dyn Storage>) {
    let outcomes = given::at_once(20, &storage, |storage, n| async move {
        let new = given::import(&format!("{}.db", n % 3), &format!("owner {n}"));
        storage.imports().begin(&new, now()).await
    })
    .await;
    let (won, lost) = winners(outcomes, ErrorKind::InvalidState);
    assert_eq!((won.len(), lost.len()), (1, 19));
}

/// And nothing else is touched.
pub async fn levels_are_written_where_they_differ(storage: Arc<dyn Storage>) {
    let run = given::running(&storage, "a.db").await;
    let before = storage.levels().list().await.unwrap();
    let mut levels = before[..5].to_vec();
    levels[2] = level(3, 1_100);
    levels.push(level(30, 90_000));
    let write = || storage.imports().write_levels(&run, &levels, now());
    assert_eq!((write().await.unwrap(), write().await.unwrap()), (2, 0));
    let after = storage.levels().list().await.unwrap();
    assert_eq!((after.len(), &after[2], &after[20]), (21, &levels[2], &levels[5]));
    assert_eq!(after[3..20], before[3..]);
    let lease = now().plus(hours(1));
    let members = [imported("1", "ada")];
    storage.imports().write_members(&run, &members, "1", lease, now()).await.unwrap();
}
