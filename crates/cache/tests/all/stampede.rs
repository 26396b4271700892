//! One load among several processes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use guildhall_cache::{Cache, CacheBackend};
use tokio::time::{Instant, sleep};

use crate::fake::{Failed, Fake, Loads, key, tag, until};

const TTL: Duration = Duration::from_secs(100);

fn processes(count: usize) -> (Arc<Fake>, Vec<Cache>) {
    let fake = Arc::new(Fake::default());
    let process = |_| {
        let backend = Arc::clone(&fake) as Arc<dyn CacheBackend>;
        Cache::builder().shared(backend).jitter(false).build()
    };
    let caches = (0..count).map(process).collect();
    (fake, caches)
}

async fn slow(loads: &AtomicU64) -> Loads<u64> {
    sleep(Duration::from_millis(200)).await;
    Ok(loads.fetch_add(1, Ordering::SeqCst))
}

#[tokio::test(start_paused = true)]
async fn ten_processes_with_a_hundred_readers_each_load_once() {
    let (fake, caches) = processes(10);
    let loads = AtomicU64::new(0);
    let entries: Vec<_> =
        caches.iter().map(|cache| cache.entry::<u64>(key(1), [tag(1)], TTL)).collect();
    let readers = (0..1_000).map(|reader| entries[reader % 10].get_or_load(|| slow(&loads)));
    for answer in join_all(readers).await {
        assert_eq!(answer, Ok(0));
    }
    assert_eq!(loads.load(Ordering::SeqCst), 1);
    until(|| fake.locked() == 0).await;
    let totals: Vec<_> = caches.iter().map(|cache| cache.stats().total).collect();
    assert!(totals.iter().all(|total| total.reads() == 100));
    assert_eq!(totals.iter().filter(|total| total.hits == 100).count(), 9);
}

#[tokio::test(start_paused = true)]
async fn an_unlocked_entry_and_a_cache_without_the_lock_load_for_themselves() {
    let (fake, caches) = processes(1);
    fake.take_locks(TTL);
    let entry = caches[0].entry::<u64>(key(1), [tag(1)], TTL).unlocked();
    assert_eq!(entry.get_or_load(async || Loads::Ok(1)).await, Ok(1));
    let (fake, builder) = Fake::shared();
    fake.take_locks(TTL);
    let cache = builder.stampede_lock(None).build();
    let entry = cache.entry::<u64>(key(1), [tag(1)], TTL);
    let started = Instant::now();
    assert_eq!(entry.get_or_load(async || Loads::Ok(1)).await, Ok(1));
    assert!(started.elapsed().is_zero());
}

#[tokio::test(start_paused = true)]
async fn a_loader_that_fails_or_is_dropped_gives_the_lock_back() {
    let (fake, caches) = processes(2);
    let [one, two] = [0, 1].map(|at| caches[at].entry::<u64>(key(1), [tag(1)], TTL));
    assert_eq!(one.get_or_load(async || Err(Failed)).await, Err(Failed));
    until(|| fake.locked() == 0).await;
    {
        let mut dropped = Box::pin(one.get_or_load(async || {
            std::future::pending::<()>().await;
            Loads::Ok(1)
        }));
        while fake.locked() == 0 {
            assert!(futures_util::poll!(&mut dropped).is_pending());
            tokio::task::yield_now().await;
        }
    }
    let started = Instant::now();
    assert_eq!(two.get_or_load(async || Loads::Ok(2)).await, Ok(2));
    assert!(started.elapsed() < Duration::from_millis(100), "{:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn when_the_holder_dies_exactly_one_takes_over() {
    let (fake, caches) = processes(5);
    fake.take_locks(Duration::from_secs(1));
    let loads = AtomicU64::new(0);
    let entries: Vec<_> =
        caches.iter().map(|cache| cache.entry::<u64>(key(1), [tag(1)], TTL)).collect();
    let answers = join_all(entries.iter().map(|entry| entry.get_or_load(|| slow(&loads)))).await;
    assert_eq!(answers, vec![Ok(0); 5]);
    assert_eq!(loads.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn who_waited_long_enough_loads_and_stores_nothing() {
    let (fake, caches) = processes(1);
    fake.take_locks(Duration::from_secs(60));
    let entry = caches[0].entry::<u64>(key(1), [tag(1)], TTL);
    let started = Instant::now();
    assert_eq!(entry.get_or_load(async || Loads::Ok(1)).await, Ok(1));
    assert!(started.elapsed() < Duration::from_millis(2_100), "{:?}", started.elapsed());
    assert_eq!((entry.get().await, fake.keys().len()), (None, 0));
}

#[tokio::test(start_paused = true)]
async fn a_write_while_another_process_holds_the_lock_ends_the_wait() {
    let (fake, caches) = processes(1);
    fake.take_locks(Duration::from_secs(60));
    let entry = caches[0].entry::<u64>(key(1), [tag(1)], TTL);
    let started = Instant::now();
    let read = entry.get_or_load(async || Loads::Ok(1));
    let write = async {
        sleep(Duration::from_millis(50)).await;
        let write = caches[0].begin_write([tag(1)]);
        sleep(Duration::from_millis(500)).await;
        write.committed().await
    };
    let (read, acknowledged) = futures_util::future::join(read, write).await;
    assert_eq!((read, acknowledged), (Ok(1), true));
    assert!(started.elapsed() < Duration::from_secs(1));
    assert!(fake.keys().is_empty(), "what was loaded beside a write is not stored");
}
