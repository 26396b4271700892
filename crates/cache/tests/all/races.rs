//! Random schedules: a read that starts after a write returned is never older.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use guildhall_cache::{Cache, Loaded};

use crate::fake::{Failed, Fake, Loads, key, tag};

const TTL: Duration = Duration::from_secs(100);
const ROUNDS: u64 = 10_000;

/// The database: a value, and the newest value whose write has returned.
#[derive(Default)]
struct Truth {
    id: i64,
    stored: AtomicU64,
    returned: AtomicU64,
}

async fn pause() {
    for _ in 0..fastrand::u8(..4) {
        tokio::task::yield_now().await;
    }
}

async fn reader(cache: Cache, truth: Arc<Truth>) {
    let mut entry = cache.entry::<u64>(key(truth.id), [tag(truth.id)], TTL);
    if fastrand::bool() {
        entry = entry.stale_for(TTL).retry_after(Duration::from_millis(1));
    }
    if fastrand::bool() {
        entry = entry.refresh_at(0.0); // Every hit is due for a refresh.
    }
    let floor = truth.returned.load(Ordering::SeqCst);
    let load = async || {
        pause().await;
        let value = truth.stored.load(Ordering::SeqCst);
        pause().await;
        if fastrand::u8(..10) == 0 { Err(Failed) } else { Loads::Ok(value) }
    };
    let answer = match fastrand::u8(..3) {
        0 => {
            let truth = Arc::clone(&truth);
            let load = async move |_| {
                pause().await;
                Loads::Ok(Loaded::Store(truth.stored.load(Ordering::SeqCst)))
            };
            entry.get_or_load_detached(load).await.map_err(|_| Failed)
        }
        _ => entry.get_or_load(load).await,
    };
    let Ok(got) = answer else { return };
    assert!(got >= floor, "read {got} after {floor} had been written");
}

async fn writer(cache: Cache, truth: Arc<Truth>, value: u64) {
    let write = cache.begin_write([tag(truth.id)]);
    pause().await;
    if fastrand::u8(..5) == 0 {
        return write.rolled_back();
    }
    truth.stored.fetch_max(value, Ordering::SeqCst);
    pause().await;
    match fastrand::u8(..30) {
        0 => drop(write),
        _ => drop(write.committed().await),
    }
    truth.returned.fetch_max(value, Ordering::SeqCst);
}

async fn rounds(cache: Cache, fake: Option<Arc<Fake>>) {
    let mut truth = Arc::new(Truth::default());
    let mut tasks = tokio::task::JoinSet::new();
    for round in 1..=ROUNDS {
        match fastrand::u8(..10) {
            0 | 1 => tasks.spawn(writer(cache.clone(), Arc::clone(&truth), round)),
            2 => {
                let read = reader(cache.clone(), Arc::clone(&truth));
                // Dropped wherever it happens to be.
                tasks.spawn(async { drop(tokio::time::timeout(Duration::ZERO, read).await) })
            }
            _ => tasks.spawn(reader(cache.clone(), Arc::clone(&truth))),
        };
        if round % 50 == 0 {
            // Another key, so that one quarantine is not all there is to see.
            truth = Arc::new(Truth { id: truth.id + 1, ..Truth::default() });
        }
        if let Some(fake) = fake.as_ref().filter(|_| round % 10 == 0) {
            fake.down.store(fastrand::u8(..10) == 0, Ordering::SeqCst);
            let percent = if fastrand::bool() { 0 } else { fastrand::u64(..30) };
            fake.fail_percent.store(percent, Ordering::SeqCst);
            if fastrand::u8(..5) == 0 {
                fake.evict_nonces();
            }
        }
        while tasks.len() > 12 {
            tasks.join_next().await.unwrap().unwrap();
        }
    }
    while let Some(task) = tasks.join_next().await {
        task.unwrap();
    }
    let total = cache.stats().total;
    assert!(total.hits > 0 && total.loads > 0, "the schedule exercised nothing: {total:?}");
}

fn memory() -> Cache {
    Cache::builder().memory().unknown_grace(Duration::from_millis(1)).build()
}

fn shared() -> (Arc<Fake>, Cache) {
    let (fake, builder) = Fake::shared();
    (fake, builder.unknown_grace(Duration::from_millis(1)).build())
}

#[tokio::test]
async fn memory_on_one_thread() {
    rounds(memory(), None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn memory_on_several_threads() {
    rounds(memory(), None).await;
}

#[tokio::test(start_paused = true)]
async fn shared_on_one_thread() {
    let (fake, cache) = shared();
    rounds(cache, Some(fake)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn shared_on_several_threads() {
    let (fake, cache) = shared();
    rounds(cache, Some(fake)).await;
}

fn tiered() -> (Arc<Fake>, Cache) {
    let (fake, builder) = Fake::tiered();
    (fake, builder.unknown_grace(Duration::from_millis(1)).build())
}

#[tokio::test(start_paused = true)]
async fn tiered_on_one_thread() {
    let (fake, cache) = tiered();
    rounds(cache, Some(fake)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn tiered_on_several_threads() {
    let (fake, cache) = tiered();
    rounds(cache, Some(fake)).await;
}
