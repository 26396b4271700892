//! Two processes that read and write while something happens to their Redis.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::time::{Duration, Instant};

use guildhall_cache::Cache;

use crate::fake::{Loads, key, tag};

const IDS: usize = 12;
const TTL: Duration = Duration::from_secs(100);
const PATIENCE: Duration = Duration::from_secs(60);
/// So much has to succeed again after the fault.
const PROGRESS: u64 = 40;

#[derive(Default)]
struct Row {
    /// What the database would say.
    truth: AtomicU64,
    /// The newest write that has returned: binding for its own process.
    returned: AtomicU64,
    /// The newest write that was acknowledged: binding for every process.
    acknowledged: AtomicU64,
}

#[derive(Default)]
struct Load {
    rows: [Row; IDS],
    done: AtomicBool,
    acknowledged: AtomicU64,
}

/// Runs `fault` under load. No read may be older than the promises allow, and both processes have
/// to get hits and acknowledgements again afterwards.
pub(crate) async fn under_load(here: Cache, there: Cache, fault: impl Future<Output = ()>) {
    let load = Arc::new(Load::default());
    let mut tasks = tokio::task::JoinSet::new();
    for id in 0..IDS {
        tasks.spawn(Arc::clone(&load).write(here.clone(), id));
        tasks.spawn(Arc::clone(&load).read(here.clone(), id, |row| &row.returned));
        // One reader a key: whoever joins the load of another may get what that one asked for.
        tasks.spawn(Arc::clone(&load).read(there.clone(), id, |row| &row.acknowledged));
    }
    progress(&load, [&here, &there]).await;
    fault.await;
    progress(&load, [&here, &there]).await;
    load.done.store(true, SeqCst);
    while let Some(outcome) = tasks.join_next().await {
        outcome.unwrap();
    }
}

async fn progress(load: &Load, caches: [&Cache; 2]) {
    let done = || {
        let [here, there] = caches.map(|cache| cache.stats().total.hits);
        [here, there, load.acknowledged.load(SeqCst)]
    };
    let before = done();
    let start = Instant::now();
    while done().iter().zip(before).any(|(now, before)| *now < before + PROGRESS) {
        assert!(start.elapsed() < PATIENCE, "no progress: {before:?}, {:?}", done());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

impl Load {
    async fn write(self: Arc<Self>, cache: Cache, id: usize) {
        let row = &self.rows[id];
        while !self.done.load(SeqCst) {
            let write = cache.begin_write([tag(id as i64)]);
            let version = row.truth.fetch_add(1, SeqCst) + 1;
            if write.committed().await {
                row.acknowledged.fetch_max(version, SeqCst);
                self.acknowledged.fetch_add(1, SeqCst);
            }
            row.returned.fetch_max(version, SeqCst);
            // Time for some hits.
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    async fn read(self: Arc<Self>, cache: Cache, id: usize, binding: fn(&Row) -> &AtomicU64) {
        let row = &self.rows[id];
        while !self.done.load(SeqCst) {
            let floor = binding(row).load(SeqCst);
            let entry = cache.entry::<u64>(key(id as i64), [tag(id as i64)], TTL);
            let read = entry.get_or_load(async || Loads::Ok(row.truth.load(SeqCst))).await;
            let read = read.unwrap();
            assert!(read >= floor, "row {id}: {read} after {floor}");
            tokio::task::yield_now().await;
        }
    }
}
