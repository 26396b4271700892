use std::path::Path;
use std::process::Command;
use std::sync::{Arc, mpsc};

use guildhall_diesel::{SqliteStorage, StoreOptions};
use guildhall_repository::{ErrorKind, Repositories, Storage};
use guildhall_testkit::SeededRandom;
use guildhall_testkit::builder::{award, deduct, now, points, user};
use guildhall_testkit::poll::Cut;
use guildhall_testkit::server::sqlite_file;

use super::{PATIENCE, all_sound, is_passing};
use crate::harness::{options, sqlite_on};

/// Units of each of eight writers.
const UNITS: i64 = 500;

/// Four on each of two storages, as two processes would be.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_writers_never_see_a_busy_file() {
    let file = sqlite_file();
    let mut storages: Vec<Arc<dyn Storage>> = Vec::new();
    for _ in 0..2 {
        let options = StoreOptions { pool_max: 4, ..options() };
        storages.push(Arc::new(sqlite_on(&file, options).await));
    }
    let ada = storages[0].users().create(&user("ada"), now()).await.unwrap().id;
    let writers: Vec<_> = (0..8)
        .map(|writer| {
            let storage = storages[writer % 2].clone();
            tokio::spawn(async move {
                for unit in 0..UNITS {
                    let work = storage.begin().await.unwrap();
                    let before = work.points().balance(ada).await.unwrap();
                    let entry = if unit % 2 == 1 && before >= points(1) {
                        work.points().deduct(&deduct(ada, 1), now()).await.unwrap()
                    } else {
                        work.points().award(&award(ada, 1), now()).await.unwrap()
                    };
                    let change = entry.value.amount;
                    assert_eq!(entry.value.balance_after, before.plus(change).unwrap());
                    work.commit().await.unwrap();
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    let report = storages[1].ledger().verify(ada).await.unwrap();
    assert!(report.is_clean(), "{report:?}");
    assert_eq!(report.entries, 8 * u64::try_from(UNITS).unwrap());
}

/// Of either kind; and the file it leaves is sound.
#[test]
fn a_program_ends_beside_abandoned_writes() {
    for threads in [1, 2] {
        let file = sqlite_file();
        let path = file.path().to_owned();
        let (ended, end) = mpsc::channel();
        std::thread::spawn(move || {
            let mut builder = match threads {
                1 => tokio::runtime::Builder::new_current_thread(),
                _ => tokio::runtime::Builder::new_multi_thread(),
            };
            let runtime = builder.enable_all().build().unwrap();
            runtime.block_on(abandon_writes(&path));
            drop(runtime);
            ended.send(()).unwrap();
        });
        end.recv_timeout(PATIENCE / 2).expect("the runtime ends");
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let storage: Arc<dyn Storage> = Arc::new(sqlite_on(&file, options()).await);
            storage.users().create(&user("bob"), now()).await.unwrap();
            all_sound(&storage).await;
        });
    }
}

async fn abandon_writes(path: &Path) {
    let random = Arc::new(SeededRandom::new(1));
    let storage = SqliteStorage::connect(path, options(), random).await.unwrap();
    storage.migrate().await.unwrap();
    let ada = storage.users().create(&user("ada"), now()).await.unwrap().id;
    let mut abandoned = 0;
    for _ in 0..50 {
        let request = award(ada, 1);
        // A thread that is held up between the start of the call and its first look finds it done.
        let outcome = Cut::Poll(1).apply(storage.points().award(&request, now())).await;
        abandoned += usize::from(outcome.is_none());
    }
    assert!(abandoned > 0);
}

/// Names the small disk to the child that fills it.
const DISK: &str = "GUILDHALL_TEST_DISK";

/// In a child with a disk of two megabytes, mounted where only the child sees it.
#[test]
fn a_full_disk_is_a_typed_error_and_passes() {
    if let Some(disk) = std::env::var_os(DISK) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        return runtime.block_on(fill(Path::new(&disk)));
    }
    let disk = tempfile::tempdir().unwrap();
    let script = "mount -t tmpfs -o size=2m tmpfs \"$1\" && exec \"$2\" --exact \
                  faults::sqlite::a_full_disk_is_a_typed_error_and_passes --nocapture";
    let child = Command::new("unshare")
        .args(["--map-root-user", "--mount", "sh", "-c", script, "sh"])
        .arg(disk.path())
        .arg(std::env::current_exe().unwrap())
        .env(DISK, disk.path())
        .output()
        .expect("unshare, of util-linux, which every distribution has");
    let said = String::from_utf8_lossy(&child.stderr);
    let out = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success(), "no small disk, or it was not survived: {said}\n{out}");
    assert!(out.contains("1 passed"), "{out}");
}

async fn fill(disk: &Path) {
    let ballast = disk.join("ballast");
    std::fs::write(&ballast, vec![1; 512 << 10]).unwrap();
    let path = disk.join("test.db");
    let random = Arc::new(SeededRandom::new(1));
    let storage = SqliteStorage::connect(&path, options(), random).await.unwrap();
    storage.migrate().await.unwrap();
    let storage: Arc<dyn Storage> = Arc::new(storage);
    let ada = storage.users().create(&user("ada"), now()).await.unwrap();
    let mut written = 0;
    let refusal = loop {
        match storage.points().award(&award(ada.id, 1), now()).await {
            Ok(_) => written += 1,
            Err(error) => break error,
        }
        assert!(written < 100_000, "the disk is never full");
    };
    assert!(is_passing(&refusal), "{refusal:?}");
    assert_ne!(refusal.kind(), ErrorKind::Contention);
    // Reads go on, and what was acknowledged is there.
    assert_eq!(storage.users().by_id(ada.id).await.unwrap(), Some(ada.clone()));
    assert_eq!(storage.points().balance(ada.id).await.unwrap(), points(written));
    std::fs::remove_file(ballast).unwrap();
    storage.points().award(&award(ada.id, 1), now()).await.unwrap();
    assert_eq!(storage.points().balance(ada.id).await.unwrap(), points(written + 1));
    all_sound(&storage).await;
}
