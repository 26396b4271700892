//! Single flight: waiting, failing, being dropped.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::future::{join, join_all};
use guildhall_cache::Cache;
use tokio::sync::Notify;

use crate::fake::{Failed, Loads, key, storing, tag};

const TTL: Duration = Duration::from_secs(100);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_readers_of_a_cold_key_cause_one_load() {
    for cache in storing().await {
        let loads = Arc::new(AtomicU64::new(0));
        let readers = (0..1_000).map(|_| {
            let (cache, loads) = (cache.clone(), Arc::clone(&loads));
            tokio::spawn(async move {
                let entry = cache.entry::<u64>(key(1), [tag(1)], TTL);
                let load = async || {
                    tokio::task::yield_now().await;
                    Loads::Ok(loads.fetch_add(1, Ordering::SeqCst))
                };
                entry.get_or_load(load).await
            })
        });
        for reader in join_all(readers).await {
            assert_eq!(reader.unwrap(), Ok(0));
        }
        assert_eq!(loads.load(Ordering::SeqCst), 1);
        let total = cache.stats().total;
        assert_eq!((total.reads(), total.loads), (1_000, 1));
    }
}

#[tokio::test]
async fn a_failure_reaches_every_waiter_and_is_forgotten() {
    for cache in storing().await {
        let entry = cache.entry::<u32>(key(1), [tag(1)], TTL);
        let loads = AtomicU64::new(0);
        let fail = async || {
            loads.fetch_add(1, Ordering::SeqCst);
            tokio::task::yield_now().await;
            Err(Failed)
        };
        let answers = join_all((0..10).map(|_| entry.get_or_load(fail))).await;
        assert!(answers.iter().all(|answer| *answer == Err(Failed)));
        assert_eq!(loads.load(Ordering::SeqCst), 1);
        assert_eq!(entry.get_or_load(async || Loads::Ok(1)).await, Ok(1));
    }
}

#[tokio::test]
async fn when_the_leader_is_dropped_a_waiter_leads() {
    for cache in storing().await {
        let entry = cache.entry::<u32>(key(1), [tag(1)], TTL);
        let mut leader = Box::pin(entry.get_or_load(async || {
            std::future::pending::<()>().await;
            Loads::Ok(1)
        }));
        for _ in 0..5 {
            assert!(futures_util::poll!(&mut leader).is_pending());
            tokio::task::yield_now().await;
        }
        let drop_leader = async {
            tokio::task::yield_now().await;
            drop(leader);
        };
        let waiters = join_all((0..3).map(|_| entry.get_or_load(async || Loads::Ok(2))));
        let (answers, ()) = join(waiters, drop_leader).await;
        assert_eq!(answers, [Ok(2), Ok(2), Ok(2)]);
        assert_eq!(cache.stats().total.loads, 1);
    }
}

#[tokio::test]
async fn when_the_leader_panics_a_waiter_leads() {
    let cache = Cache::builder().memory().build();
    let other = cache.clone();
    let started = Arc::new(Notify::new());
    let signal = Arc::clone(&started);
    let leader = tokio::spawn(async move {
        let entry = other.entry::<u32>(key(1), [tag(1)], TTL);
        let load = async || -> Loads<u32> {
            signal.notify_one();
            tokio::task::yield_now().await;
            panic!("on purpose")
        };
        entry.get_or_load(load).await
    });
    started.notified().await;
    let entry = cache.entry::<u32>(key(1), [tag(1)], TTL);
    assert_eq!(entry.get_or_load(async || Loads::Ok(2)).await, Ok(2));
    assert!(leader.await.unwrap_err().is_panic());
}

#[tokio::test(start_paused = true)]
async fn a_waiter_past_its_deadline_loads_for_itself_and_stores_nothing() {
    let cache = Cache::builder().memory().load_wait(Duration::from_secs(1)).build();
    let entry = cache.entry::<u32>(key(1), [tag(1)], TTL);
    let mut leader = Box::pin(entry.get_or_load(async || {
        std::future::pending::<()>().await;
        Loads::Ok(1)
    }));
    assert!(futures_util::poll!(&mut leader).is_pending());
    assert_eq!(entry.get_or_load(async || Loads::Ok(2)).await, Ok(2));
    assert_eq!(entry.get().await, None);
    assert_eq!(cache.stats().total.coalesced_waits, 1);
}

#[tokio::test]
async fn a_load_from_before_a_write_is_not_joined_after_it() {
    for cache in storing().await {
        let entry = cache.entry::<u32>(key(1), [tag(1)], TTL);
        let gate = Notify::new();
        let slow = entry.get_or_load(async || {
            gate.notified().await;
            Loads::Ok(1)
        });
        let fast = async {
            for _ in 0..5 {
                tokio::task::yield_now().await;
            }
            assert!(cache.invalidate([tag(1)]).await);
            let answer = entry.get_or_load(async || Loads::Ok(2)).await;
            gate.notify_one();
            answer
        };
        assert_eq!(join(slow, fast).await, (Ok(1), Ok(2)));
        assert_eq!(entry.get().await, Some(2), "the late load must not replace the newer one");
    }
}

/// A handle may be used from a spawned task, with a loader that borrows.
#[tokio::test]
async fn futures_are_send() {
    fn send<T: Send>(value: T) -> T {
        value
    }
    let cache = Cache::builder().memory().build();
    let text = String::from("borrowed");
    let entry = cache.entry::<String>(key(1), [tag(1)], TTL);
    let load = || async { Loads::Ok(text.clone()) };
    assert_eq!(send(entry.get_or_load(load)).await.unwrap(), text);
    send(cache.begin_write([tag(1)]).committed()).await;
    let many = cache.get_or_load_many(
        &[1_i64],
        None,
        |id| (key(*id), [tag(*id)]),
        |ids| async { Loads::Ok(ids.into_iter().map(|id| (id, text.clone())).collect()) },
    );
    assert_eq!(send(many).await.unwrap(), [Some(text.clone())]);
}
