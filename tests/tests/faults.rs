//! Servers that crash, hang and cut connections, disks that are full, writers that crowd: what
//! callers see is a typed error, and afterwards nothing is lost, doubled or stuck.

mod commits;
mod migrations;
mod postgres;
mod sqlite;

use std::sync::Arc;
use std::time::Duration;

use guildhall_domain::UserId;
use guildhall_repository::{ErrorKind, ListLimit, Storage, StorageError};
use guildhall_testkit::builder::{award, key, now, points, user};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How long anything may take before a test says that it hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// Tasks that award one member a point under ever new keys. Each key is repeated until it is
/// acknowledged, as a careful caller would.
struct Load {
    user: UserId,
    acknowledged: watch::Sender<u64>,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Load {
    async fn start(storage: &Arc<dyn Storage>, tasks: usize) -> Self {
        let user = storage.users().create(&user("loaded"), now()).await.unwrap().id;
        let (acknowledged, stop) = (watch::Sender::new(0), watch::Sender::new(false));
        let spawn = |task| {
            let (storage, acknowledged) = (storage.clone(), acknowledged.clone());
            let stop = stop.subscribe();
            tokio::spawn(async move {
                for number in 0.. {
                    if *stop.borrow() {
                        return;
                    }
                    until_acknowledged(&storage, user, &format!("{task}.{number}")).await;
                    acknowledged.send_modify(|count| *count += 1);
                }
            })
        };
        let tasks = (0..tasks).map(spawn).collect();
        Self { user, acknowledged, stop, tasks }
    }

    /// Waits until `count` more writes were acknowledged.
    async fn goes_on(&self, count: u64) {
        let mut seen = self.acknowledged.subscribe();
        let goal = *seen.borrow() + count;
        let reached = tokio::time::timeout(PATIENCE, seen.wait_for(|seen| *seen >= goal)).await;
        reached.expect("writes go on").unwrap();
    }

    /// Stops it. Every acknowledged write is present, once.
    async fn adds_up(self, storage: &Arc<dyn Storage>) {
        self.stop.send_replace(true);
        for task in self.tasks {
            tokio::time::timeout(PATIENCE, task).await.expect("the load ends").unwrap();
        }
        let count = *self.acknowledged.borrow();
        let balance = storage.points().balance(self.user).await.unwrap();
        assert_eq!(balance, points(i64::try_from(count).unwrap()));
        let report = storage.ledger().verify(self.user).await.unwrap();
        assert!(report.is_clean(), "{report:?}");
        assert_eq!(report.entries, count);
    }
}

/// Awards a point under `name`, as often as it takes.
async fn until_acknowledged(storage: &Arc<dyn Storage>, user: UserId, name: &str) {
    let request = award(user, 1).key(key(name));
    loop {
        match storage.points().award(&request, now()).await {
            Ok(_) => return,
            Err(error) => assert!(is_passing(&error), "{error:?}"),
        }
        // The server is away; there is nothing to await but time.
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Whether the caller is told that it may try again.
fn is_passing(error: &StorageError) -> bool {
    matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::Timeout | ErrorKind::Contention)
}

async fn all_sound(storage: &Arc<dyn Storage>) {
    let report = storage.ledger().verify_page(None, ListLimit::default()).await.unwrap();
    assert!(report.is_clean(), "{report:?}");
}
