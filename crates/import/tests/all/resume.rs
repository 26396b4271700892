//! Broken off anywhere and run again, the end is the same.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use guildhall_import::{ImportOptions, Importer, Phase};

use crate::fake::{FakeStorage, FixedClock, options, run};
use crate::legacy;

fn small_batches() -> ImportOptions {
    ImportOptions { batch_members: 7, batch_entries: 20, ..options() }
}

async fn interrupted_everywhere(path: &Path, batches: usize) {
    let whole = FakeStorage::new();
    let expected = run(&whole, path, small_batches()).await.unwrap();
    assert!(expected.matches);
    assert_eq!(whole.state.lock().unwrap().batches.len(), batches);
    for batch in 0..batches {
        for written in [false, true] {
            let storage = FakeStorage::new();
            storage.state.lock().unwrap().fail_at = Some((batch, written));
            let error = run(&storage, path, small_batches()).await.unwrap_err();
            assert_eq!(error.code(), "unavailable");
            let report = run(&storage, path, small_batches()).await.unwrap();
            assert!(report.matches, "{report:#?}");
            assert_eq!(storage.members(), whole.members(), "broken off at batch {batch}");
            let users = report.table("users").unwrap();
            assert_eq!(users.written + users.unchanged, users.read);
            // The batch that failed unwritten is the only one that is sent twice.
            let calls = storage.state.lock().unwrap().batches.len();
            assert_eq!(calls, batches + usize::from(!written));
        }
    }
}

#[tokio::test]
async fn an_sqlite_import_goes_on_after_its_last_batch() {
    let dir = tempfile::tempdir().unwrap();
    interrupted_everywhere(&legacy::crowd(dir.path(), 40, 4), 8).await;
}

#[tokio::test]
async fn a_json_import_goes_on_after_its_last_batch() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data.json");
    let users: Vec<String> = (1..=40).map(|id| format!("{{\"user_id\": {id}}}")).collect();
    std::fs::write(&path, format!("{{\"users\": [{}]}}", users.join(","))).unwrap();
    interrupted_everywhere(&path, 6).await;
}

#[tokio::test]
async fn a_run_can_be_spawned() {
    fn sendable<F: Future + Send>(future: F) -> F {
        future
    }
    let dir = tempfile::tempdir().unwrap();
    let path = legacy::crowd(dir.path(), 1, 1);
    let importer = Importer::new(FakeStorage::new(), Arc::new(FixedClock), options());
    assert!(sendable(importer.run(&path, |_| {})).await.unwrap().matches);
    drop(sendable(importer.undo("x", |_| {})));
    drop(sendable(importer.inspect(&path)));
}

#[tokio::test]
async fn batches_keep_their_bounds() {
    let dir = tempfile::tempdir().unwrap();
    let storage = FakeStorage::new();
    run(&storage, &legacy::crowd(dir.path(), 10, 30), small_batches()).await.unwrap();
    let state = storage.state.lock().unwrap();
    assert_eq!(state.batches, [(1, 30); 10], "more entries than fit: one member each");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_can_be_dropped_at_any_sign_of_life() {
    let dir = tempfile::tempdir().unwrap();
    let path = legacy::crowd(dir.path(), 40, 2);
    let storage = FakeStorage::new();
    let mut stop_at = 0;
    loop {
        let importer = Importer::new(storage.clone(), Arc::new(FixedClock), small_batches());
        let seen = AtomicU64::new(0);
        let stopped = tokio::sync::Notify::new();
        let running = importer.run(&path, |_| {
            if seen.fetch_add(1, Ordering::Relaxed) == stop_at {
                stopped.notify_one();
            }
        });
        let finished = tokio::select! {
            biased;
            () = stopped.notified() => None,
            report = running => Some(report.unwrap()),
        };
        if let Some(report) = finished {
            assert!(report.matches);
            break;
        }
        stop_at += 1;
    }
    assert_eq!(storage.members().len(), 40);
}

#[tokio::test]
async fn members_who_came_since_are_added_and_nobody_else_changes() {
    let dir = tempfile::tempdir().unwrap();
    let path = legacy::crowd(dir.path(), 20, 2);
    let storage = FakeStorage::new();
    run(&storage, &path, small_batches()).await.unwrap();
    legacy::file(
        dir.path(),
        "bot.sqlite",
        "INSERT INTO users (id, points) VALUES (5, 0), (9999, 0);",
    );
    let report = run(&storage, &path, small_batches()).await.unwrap();
    let users = report.table("users").unwrap();
    assert_eq!((users.written, users.unchanged), (2, 20));
    assert!(report.matches);
}

#[tokio::test]
async fn a_checkpoint_of_another_file_is_not_trusted() {
    let dir = tempfile::tempdir().unwrap();
    let path = legacy::crowd(dir.path(), 20, 2);
    let storage = FakeStorage::new();
    storage.state.lock().unwrap().fail_at = Some((2, true));
    run(&storage, &path, small_batches()).await.unwrap_err();
    legacy::file(dir.path(), "bot.sqlite", "INSERT INTO users (id, points) VALUES (5, 0);");
    let report = run(&storage, &path, small_batches()).await.unwrap();
    assert!(report.matches && report.totals.members_target == 21);
}

#[tokio::test]
async fn what_an_undo_took_back_comes_back() {
    let dir = tempfile::tempdir().unwrap();
    let path = legacy::crowd(dir.path(), 20, 2);
    let storage = FakeStorage::new();
    storage.state.lock().unwrap().fail_at = Some((2, true));
    run(&storage, &path, small_batches()).await.unwrap_err();
    storage.state.lock().unwrap().members.clear(); // Taken back by somebody, the checkpoint left.
    assert!(run(&storage, &path, small_batches()).await.unwrap().matches);

    let importer = Importer::new(storage.clone(), Arc::new(FixedClock), small_batches());
    let undone = importer.undo("sqlite-bot", |_| {}).await.unwrap();
    assert_eq!((undone.undone, undone.complete), (20, true));
    let report = run(&storage, &path, small_batches()).await.unwrap();
    assert!(report.matches && report.table("users").unwrap().written == 20);
}

#[tokio::test]
async fn a_file_that_changes_meanwhile_is_not_finished() {
    let dir = tempfile::tempdir().unwrap();
    let path = legacy::crowd(dir.path(), 40, 2);
    let storage = FakeStorage::new();
    let importer = Importer::new(storage.clone(), Arc::new(FixedClock), small_batches());
    let grown = path.clone();
    let error = importer
        .run(&path, |progress| {
            if progress.phase == Phase::Write && progress.done <= 7 {
                let file = std::fs::OpenOptions::new().append(true).open(&grown).unwrap();
                file.set_len(file.metadata().unwrap().len() + 4096).unwrap();
            }
        })
        .await
        .unwrap_err();
    assert_eq!(error.code(), "source_changed");
    assert!(
        storage.state.lock().unwrap().phase == Some(guildhall_repository::ImportPhase::Running)
    );
}
