//! What a caller may ask of one read.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::future::{join, join_all};
use guildhall_cache::{Cache, Loaded};
use tokio::sync::Notify;
use tokio::time::sleep;

use crate::fake::{Failed, Fake, HandClock, Loads, key, storing, tag};

const TTL: Duration = Duration::from_secs(100);

#[tokio::test]
async fn a_loader_says_how_long_its_value_lives() {
    let clock = Arc::new(HandClock::default());
    let cache = Cache::builder().memory().jitter(false).clock(clock.clone()).build();
    let entry = cache.entry::<u32>(key(1), [tag(1)], TTL);
    let short = async || Loads::Ok(Loaded::StoreFor(1, Duration::from_secs(10)));
    assert_eq!(entry.get_or_load_with(short).await, Ok(1));
    clock.advance_ms(9_999);
    assert_eq!(entry.get().await, Some(1));
    clock.advance_ms(1);
    assert_eq!(entry.get().await, None);
    let never = async || Loads::Ok(Loaded::StoreFor(2, Duration::ZERO));
    assert_eq!(entry.get_or_load_with(never).await, Ok(2));
    assert_eq!(entry.get().await, None);
    let endless = async || Loads::Ok(Loaded::StoreFor(3, Duration::MAX));
    assert_eq!(entry.get_or_load_with(endless).await, Ok(3));
    assert_eq!(entry.get().await, Some(3));
}

#[tokio::test]
async fn many_stored_values_come_in_one_round_trip_and_nothing_is_written() {
    let (fake, builder) = Fake::shared();
    let cache = builder.build();
    let describe = |id: &i64| (key(*id), [tag(*id)]);
    let load = async |ids: Vec<i64>| {
        Loads::Ok(ids.into_iter().filter(|id| *id != 2).map(|id| (id, id * 10)).collect())
    };
    cache.get_or_load_many(&[1, 2], TTL, describe, load).await.unwrap();
    let before = fake.snapshot();
    fake.reads.store(0, Ordering::SeqCst);
    let got = cache.get_many::<_, i64, _>(&[3, 2, 1, 3, 1], describe).await;
    assert_eq!(got, [None, Some(None), Some(Some(10)), None, Some(Some(10))]);
    assert_eq!(fake.reads.load(Ordering::SeqCst), 1);
    assert_eq!(fake.snapshot(), before);
    let total = cache.stats().total;
    assert_eq!((total.hits, total.misses), (2, 3));
    assert_eq!(cache.get_many::<i64, i64, [_; 1]>(&[], describe).await, []);
    assert_eq!(fake.reads.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn a_batch_joins_the_loads_of_others_and_is_joined() {
    for cache in storing().await {
        let (loads, gate) = (AtomicU64::new(0), Notify::new());
        let one = cache.entry::<i64>(key(1), [tag(1)], TTL);
        let first = one.get_or_load_optional(async || {
            loads.fetch_add(1, Ordering::SeqCst);
            gate.notified().await;
            Loads::Ok(Some(10))
        });
        let batch = async {
            sleep(Duration::from_millis(1)).await;
            let load = async |ids: Vec<i64>| {
                assert_eq!(ids, [2, 3], "1 is under way");
                loads.fetch_add(1, Ordering::SeqCst);
                sleep(Duration::from_millis(5)).await;
                Loads::Ok(vec![(2, 20_i64)])
            };
            let ids = [1, 2, 3, 2];
            cache.get_or_load_many(&ids, TTL, |id| (key(*id), [tag(*id)]), load).await
        };
        let last = async {
            sleep(Duration::from_millis(3)).await;
            let two = cache.entry::<i64>(key(2), [tag(2)], TTL);
            let joined = two.get_or_load_optional(async || Err(Failed)).await;
            gate.notify_one();
            joined
        };
        let (first, (batch, last)) = join(first, join(batch, last)).await;
        assert_eq!((first, last), (Ok(Some(10)), Ok(Some(20))));
        assert_eq!(batch, Ok(vec![Some(10), Some(20), None, Some(20)]));
        assert_eq!(loads.load(Ordering::SeqCst), 2);
        let total = cache.stats().total;
        assert_eq!((total.reads(), total.coalesced_waits), (5, 2));
    }
}

#[tokio::test(start_paused = true)]
async fn batches_that_wait_for_each_other_all_arrive() {
    for cache in storing().await {
        let fetch = async |ids: Vec<i64>| {
            let load = async |ids: Vec<i64>| {
                sleep(Duration::from_millis(5)).await;
                Loads::Ok(ids.into_iter().map(|id| (id, id)).collect())
            };
            cache.get_or_load_many(&ids, TTL, |id| (key(*id), [tag(*id)]), load).await
        };
        let all = join_all((0..20).map(|from| fetch((from..from + 10).rev().collect()))).await;
        for (from, answer) in all.into_iter().enumerate() {
            let expected = (from as i64..from as i64 + 10).rev().map(Some).collect();
            assert_eq!(answer, Ok(expected));
        }
        assert_eq!(cache.stats().total.reads(), 200);
    }
}

#[tokio::test(start_paused = true)]
async fn a_failing_batch_fails_those_who_joined_it_and_a_dropped_one_does_not() {
    for cache in storing().await {
        let describe = |id: &i64| (key(*id), [tag(*id)]);
        let one = cache.entry::<i64>(key(1), [tag(1)], TTL);
        let fail = async |_: Vec<i64>| {
            sleep(Duration::from_millis(5)).await;
            Loads::<Vec<(i64, i64)>>::Err(Failed)
        };
        let joiner = async {
            sleep(Duration::from_millis(1)).await;
            one.get_or_load_optional(async || Loads::Ok(Some(1))).await
        };
        let ids = [1];
        let batch = cache.get_or_load_many(&ids, TTL, describe, fail);
        assert_eq!(join(batch, joiner).await, (Err(Failed), Err(Failed)));
        let batch = cache.get_or_load_many(&ids, TTL, describe, fail);
        let dropped = tokio::time::timeout(Duration::from_millis(2), batch);
        let joiner = async {
            sleep(Duration::from_millis(1)).await;
            one.get_or_load_optional(async || Loads::Ok(Some(1))).await
        };
        let (dropped, joiner) = join(dropped, joiner).await;
        assert!(dropped.is_err());
        assert_eq!(joiner, Ok(Some(1)));
    }
}

#[tokio::test(start_paused = true)]
async fn no_more_loaders_run_at_once_than_allowed() {
    let cache = Cache::builder().memory().max_concurrent_loads(3).build();
    let (running, most) = (AtomicU64::new(0), AtomicU64::new(0));
    let read = async |id: i64| {
        let entry = cache.entry::<i64>(key(id), [tag(id)], TTL);
        entry
            .get_or_load(async || {
                most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                sleep(Duration::from_millis(10)).await;
                running.fetch_sub(1, Ordering::SeqCst);
                Loads::Ok(id)
            })
            .await
    };
    let answers = join_all((0..30).map(&read)).await;
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(most.load(Ordering::SeqCst), 3);
    // Three that never end: the fourth goes ahead after its patience.
    let stuck = |id| {
        let cache = cache.clone();
        tokio::spawn(async move {
            let entry = cache.entry::<i64>(key(id), [tag(id)], TTL);
            entry.get_or_load(async || std::future::pending::<Loads<i64>>().await).await
        })
    };
    let tasks: Vec<_> = (100..103).map(stuck).collect();
    tokio::task::yield_now().await;
    assert_eq!(read(200).await, Ok(200));
    tasks.iter().for_each(tokio::task::JoinHandle::abort);
}
