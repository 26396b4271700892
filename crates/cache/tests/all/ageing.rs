//! Values that age: fail-safe, early refresh, and loads that outlive their callers.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use guildhall_cache::{
    Cache, CacheBackend, CacheBuilder, CacheEvent, Entry, LoadError, Loaded, Random,
};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

use crate::fake::{Failed, Fake, HandClock, Loads, key, listening, tag, until};

const TTL: Duration = Duration::from_secs(100);
const EXTRA: Duration = Duration::from_secs(50);

/// Each level that stores, with a clock set by hand.
async fn aging() -> Vec<(Cache, Arc<HandClock>)> {
    let tall = |builder: CacheBuilder| builder.local_ttl(Duration::from_secs(1_000));
    let mut caches = Vec::new();
    for builder in [Cache::builder().memory(), Fake::shared().1, tall(Fake::tiered().1)] {
        let clock = Arc::new(HandClock::default());
        clock.advance_ms(1_000);
        let cache = builder.jitter(false).clock(clock.clone()).build();
        listening(&cache).await;
        caches.push((cache, clock));
    }
    caches
}

fn entry(cache: &Cache) -> Entry<'_, u32> {
    cache.entry(key(1), [tag(1)], TTL).stale_for(EXTRA)
}

async fn load(entry: &Entry<'_, u32>, value: u32) -> Loads<u32> {
    entry.get_or_load(async || Loads::Ok(value)).await
}

#[tokio::test(start_paused = true)]
async fn a_failing_loader_is_stood_in_for_and_left_in_peace() {
    for (cache, clock) in aging().await {
        let entry = entry(&cache).retry_after(Duration::from_secs(5));
        load(&entry, 1).await.unwrap();
        clock.advance_ms(100_000);
        assert_eq!(entry.get().await, None, "aged is not fresh");
        let asked = AtomicU64::new(0);
        let fail = async || {
            asked.fetch_add(1, Ordering::SeqCst);
            Loads::Err(Failed)
        };
        assert_eq!(entry.get_or_load(fail).await, Ok(1));
        assert_eq!(entry.get_or_load(fail).await, Ok(1));
        assert_eq!(asked.load(Ordering::SeqCst), 1, "not asked again during the pause");
        clock.advance_ms(5_000);
        assert_eq!(entry.get_or_load(fail).await, Ok(1));
        assert_eq!(asked.load(Ordering::SeqCst), 2);
        let total = cache.stats().total;
        assert_eq!((total.stale_served, total.load_errors, total.reads()), (3, 2, 5));
        clock.advance_ms(45_000);
        assert_eq!(entry.get_or_load(fail).await, Err(Failed), "too old for anything");
        assert_eq!(load(&entry, 2).await, Ok(2));
    }
}

#[tokio::test(start_paused = true)]
async fn an_invalidated_value_never_stands_in() {
    for (cache, clock) in aging().await {
        let entry = entry(&cache);
        load(&entry, 1).await.unwrap();
        clock.advance_ms(100_000);
        assert!(cache.invalidate([tag(1)]).await);
        assert_eq!(entry.get_or_load(async || Loads::Err(Failed)).await, Err(Failed));
        load(&entry, 2).await.unwrap();
        clock.advance_ms(100_000);
        let overtaken = entry.get_or_load(async || {
            cache.invalidate([tag(1)]).await;
            Loads::Err(Failed)
        });
        assert_eq!(overtaken.await, Err(Failed), "invalidated while the loader ran");
    }
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_does_not_ask_for_aged_values_gets_none() {
    for (cache, clock) in aging().await {
        load(&entry(&cache), 1).await.unwrap();
        clock.advance_ms(100_000);
        let strict = cache.entry::<u32>(key(1), [tag(1)], TTL);
        assert_eq!(strict.get_or_load(async || Loads::Err(Failed)).await, Err(Failed));
        let absent = cache.entry::<u32>(key(2), [tag(2)], TTL).stale_for(EXTRA);
        assert_eq!(absent.get_or_load_optional(async || Loads::Ok(None)).await, Ok(None));
        clock.advance_ms(61_000);
        assert_eq!(absent.get_or_load_optional(async || Err(Failed)).await, Err(Failed));
    }
}

/// Another process invalidated it; this one has an aged copy and did not hear of it.
#[tokio::test(start_paused = true)]
async fn the_shared_level_has_the_last_word_on_an_aged_copy() {
    let (fake, builder) = Fake::tiered();
    let clock = Arc::new(HandClock::default());
    clock.advance_ms(1_000);
    let cache = builder.clock(clock.clone()).local_ttl(Duration::from_secs(1_000)).build();
    load(&entry(&cache), 1).await.unwrap();
    clock.advance_ms(100_000);
    fake.mute.store(true, Ordering::SeqCst);
    fake.process().build().invalidate([tag(1)]).await;
    let failing = entry(&cache).get_or_load(async || Loads::Err(Failed)).await;
    assert_eq!(failing, Err(Failed));
}

#[tokio::test(start_paused = true)]
async fn while_somebody_loads_the_others_get_the_aged_value_at_once() {
    for (cache, clock) in aging().await {
        let entry = entry(&cache);
        load(&entry, 1).await.unwrap();
        clock.advance_ms(100_000);
        let gate = Notify::new();
        let leader = entry.get_or_load(async || {
            gate.notified().await;
            Loads::Ok(2)
        });
        let follower = async {
            sleep(Duration::from_millis(1)).await;
            let started = Instant::now();
            let answer = entry.get_or_load(async || Loads::Err(Failed)).await;
            assert!(started.elapsed().is_zero());
            gate.notify_one();
            answer
        };
        let (leader, follower) = futures_util::future::join(leader, follower).await;
        assert_eq!((leader, follower), (Ok(2), Ok(1)));
        assert_eq!(entry.get().await, Some(2));
    }
}

#[tokio::test(start_paused = true)]
async fn while_another_process_loads_the_aged_value_is_given_at_once() {
    let (fake, builder) = Fake::shared();
    let clock = Arc::new(HandClock::default());
    let cache = builder.clock(clock.clone()).build();
    load(&entry(&cache), 1).await.unwrap();
    until(|| fake.locked() == 0).await;
    clock.advance_ms(100_000);
    fake.take_locks(Duration::from_secs(60));
    let started = Instant::now();
    assert_eq!(entry(&cache).get_or_load(async || Loads::Ok(2)).await, Ok(1));
    assert!(started.elapsed().is_zero());
    assert_eq!(cache.stats().total.stale_served, 1);
}

#[tokio::test(start_paused = true)]
async fn an_aged_value_is_given_while_a_task_loads_the_next() {
    for (cache, clock) in aging().await {
        let entry = entry(&cache);
        load(&entry, 1).await.unwrap();
        clock.advance_ms(100_000);
        let gate = Arc::new(Notify::new());
        let opened = Arc::clone(&gate);
        let read = entry.get_or_load_detached(async move |previous| {
            assert_eq!(previous, Some(1));
            opened.notified().await;
            Loads::Ok(Loaded::Store(2))
        });
        assert_eq!(read.await, Ok(1));
        gate.notify_one();
        until(|| cache.stats().total.sets == 2).await;
        assert_eq!(entry.get().await, Some(2));
        assert_eq!(cache.stats().total.background_failures, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_soft_timeout_waits_that_long_for_the_fresh_value() {
    for (cache, clock) in aging().await {
        let entry = entry(&cache).soft_timeout(Duration::from_millis(100));
        load(&entry, 1).await.unwrap();
        clock.advance_ms(100_000);
        let after = |ms, value| {
            entry.get_or_load_detached(async move |_| {
                sleep(Duration::from_millis(ms)).await;
                Loads::Ok(Loaded::Store(value))
            })
        };
        assert_eq!(after(50, 2).await, Ok(2));
        clock.advance_ms(100_000);
        let started = Instant::now();
        assert_eq!(after(150, 3).await, Ok(2));
        assert_eq!(started.elapsed(), Duration::from_millis(100));
        until(|| cache.stats().total.sets == 3).await;
        assert_eq!(entry.get().await, Some(3));
    }
}

#[tokio::test(start_paused = true)]
async fn without_an_older_value_only_the_hard_timeout_ends_the_wait() {
    for (cache, _) in aging().await {
        let entry = entry(&cache)
            .soft_timeout(Duration::from_millis(10))
            .hard_timeout(Duration::from_millis(200));
        let after = |ms| {
            entry.get_or_load_detached(async move |_| {
                sleep(Duration::from_millis(ms)).await;
                Loads::Ok(Loaded::Store(1))
            })
        };
        assert_eq!(after(300).await, Err(LoadError::TimedOut { after_ms: 200 }));
        assert_eq!(after(300).await, Ok(1), "the first load went on and was joined");
        assert_eq!(cache.stats().total.loads, 1);
        assert_eq!(cache.stats().total.reads(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_detached_load_survives_the_caller_who_began_it() {
    for (cache, _) in aging().await {
        let entry = cache.entry::<u32>(key(1), [tag(1)], TTL);
        let load = |value| {
            entry.get_or_load_detached(async move |_| {
                sleep(Duration::from_millis(50)).await;
                Loads::Ok(Loaded::Store(value))
            })
        };
        {
            let mut first = Box::pin(load(1));
            assert!(futures_util::poll!(&mut first).is_pending());
            tokio::task::yield_now().await;
        }
        let waiters = (0..3).map(|_| load(2));
        let answers = futures_util::future::join_all(waiters).await;
        assert_eq!(answers, [Ok(1), Ok(1), Ok(1)]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_background_load_that_fails_is_told_and_leaves_no_lock() {
    let (fake, builder) = Fake::shared();
    let told = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&told);
    let listener = Arc::new(move |event: &CacheEvent| heard.lock().unwrap().push(event.clone()));
    let clock = Arc::new(HandClock::default());
    let cache = builder.clock(clock.clone()).on_event(listener).build();
    let entry = entry(&cache);
    load(&entry, 1).await.unwrap();
    clock.advance_ms(100_000);
    let read = entry.get_or_load_detached(async |_| {
        sleep(Duration::from_millis(10)).await;
        Loads::Err(Failed)
    });
    assert_eq!(read.await, Ok(1));
    until(|| cache.stats().total.background_failures == 1).await;
    assert_eq!(*told.lock().unwrap(), [CacheEvent::BackgroundLoadFailed { namespace: "user" }]);
    until(|| fake.locked() == 0).await;
    let other = cache.entry::<u32>(key(2), [tag(2)], TTL);
    let hanging = other.get_or_load_detached(async |_| {
        std::future::pending::<()>().await;
        Loads::Ok(Loaded::Store(1))
    });
    assert_eq!(hanging.await, Err(LoadError::Abandoned));
    assert_eq!(cache.stats().total.background_failures, 2);
    until(|| fake.locked() == 0).await;
}

#[tokio::test(start_paused = true)]
async fn a_refresh_in_the_background_is_overtaken_by_a_write_and_stores_nothing() {
    for (cache, clock) in aging().await {
        let entry = || cache.entry::<u32>(key(1), [tag(1)], TTL).refresh_at(0.5);
        load(&entry(), 1).await.unwrap();
        clock.advance_ms(60_000);
        let (gate, began) = (Arc::new(Notify::new()), Arc::new(AtomicBool::new(false)));
        let (opened, begun) = (Arc::clone(&gate), Arc::clone(&began));
        let owned = cache.clone();
        let reader = tokio::spawn(async move {
            let entry = owned.entry::<u32>(key(1), [tag(1)], TTL).refresh_at(0.5);
            entry
                .get_or_load_detached(async move |_| {
                    begun.store(true, Ordering::SeqCst);
                    opened.notified().await;
                    Loads::Ok(Loaded::Store(2))
                })
                .await
        });
        until(|| began.load(Ordering::SeqCst)).await;
        assert!(cache.invalidate([tag(1)]).await);
        gate.notify_one();
        reader.await.unwrap().unwrap();
        until(|| cache.stats().total.loads == 2).await;
        assert_eq!(entry().get().await, None);
        assert_eq!(load(&entry(), 3).await, Ok(3));
    }
}

struct Luckiest;

impl Random for Luckiest {
    fn next_u64(&self) -> u64 {
        // Nonces have to differ; a draw looks at the upper bits only.
        static DRAWN: AtomicU64 = AtomicU64::new(0);
        DRAWN.fetch_add(1, Ordering::SeqCst) % 2_048
    }
}

#[tokio::test(start_paused = true)]
async fn a_drawn_refresh_replaces_the_value_before_it_expires() {
    let clock = Arc::new(HandClock::default());
    let builder = Cache::builder().memory().jitter(false).random(Arc::new(Luckiest));
    let cache = builder.clock(clock.clone()).build();
    let entry = cache.entry::<u32>(key(1), [tag(1)], TTL).early_refresh(1.0);
    let slow = async |value| {
        clock.advance_ms(1_000); // How long the load takes is what the draw weighs.
        Loads::Ok(value)
    };
    assert_eq!(entry.get_or_load(|| slow(1)).await, Ok(1));
    clock.advance_ms(60_000);
    assert_eq!(entry.get_or_load(|| slow(2)).await, Ok(1), "too early for any draw");
    clock.advance_ms(3_000);
    assert_eq!(entry.get_or_load(|| slow(2)).await, Ok(2), "37 load times before the expiry");
    clock.advance_ms(98_000);
    let failed = entry.get_or_load(async || Loads::Err(Failed)).await;
    assert_eq!(failed, Ok(2), "a refresh that fails costs nothing while the value is fresh");
    let total = cache.stats().total;
    assert_eq!((total.loads, total.reads(), total.stale_served), (3, 4, 0));
}

/// One process is refreshing: another with the same value does not.
#[tokio::test(start_paused = true)]
async fn of_several_processes_one_refreshes() {
    let fake = Arc::new(Fake::default());
    let clock = Arc::new(HandClock::default());
    let process = || {
        let backend = Arc::clone(&fake) as Arc<dyn CacheBackend>;
        Cache::builder().shared(backend).jitter(false).clock(clock.clone()).build()
    };
    let caches = [process(), process(), process()];
    let loads = Arc::new(AtomicU64::new(0));
    let read = async |cache: &Cache| {
        let loads = Arc::clone(&loads);
        let entry = cache.entry::<u64>(key(1), [tag(1)], TTL).refresh_at(0.5);
        let answer = entry.get_or_load(async || {
            sleep(Duration::from_millis(50)).await;
            Loads::Ok(loads.fetch_add(1, Ordering::SeqCst))
        });
        answer.await.unwrap()
    };
    read(&caches[0]).await;
    clock.advance_ms(60_000);
    let answers = futures_util::future::join_all(caches.iter().map(&read)).await;
    assert_eq!(loads.load(Ordering::SeqCst), 2, "{answers:?}");
    assert_eq!(answers.iter().filter(|answer| **answer == 0).count(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_miss_joins_the_refresh_under_way() {
    for (cache, clock) in aging().await {
        let entry = cache.entry::<u32>(key(1), [tag(1)], TTL).refresh_at(0.9);
        load(&entry, 1).await.unwrap();
        clock.advance_ms(99_999);
        let gate = Notify::new();
        let refresh = entry.get_or_load(async || {
            clock.advance_ms(1); // It expires meanwhile.
            gate.notified().await;
            Loads::Ok(2)
        });
        let miss = async {
            sleep(Duration::from_millis(1)).await;
            let miss = entry.get_or_load(async || Loads::Ok(3));
            let open = async {
                sleep(Duration::from_millis(1)).await;
                gate.notify_one();
            };
            futures_util::future::join(miss, open).await.0
        };
        let (refresh, miss) = futures_util::future::join(refresh, miss).await;
        assert_eq!((refresh, miss), (Ok(2), Ok(2)));
        assert_eq!(cache.stats().total.loads, 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_value_that_was_not_modified_begins_its_life_anew_on_both_levels() {
    for (cache, clock) in aging().await {
        let entry = entry(&cache);
        load(&entry, 1).await.unwrap();
        clock.advance_ms(100_000);
        let answer = entry.get_or_revalidate(async |previous| {
            Loads::Ok(previous.map_or(Loaded::Store(2), Loaded::NotModified))
        });
        assert_eq!(answer.await, Ok(1));
        clock.advance_ms(99_999);
        assert_eq!(entry.get().await, Some(1));
        cache.invalidate([tag(1)]).await;
        let answer = entry.get_or_revalidate(async |previous| {
            assert_eq!(previous, None, "an invalidated value is nothing to compare with");
            Loads::Ok(Loaded::Store(2))
        });
        assert_eq!(answer.await, Ok(2));
    }
}

#[tokio::test(start_paused = true)]
async fn a_sweep_frees_what_has_expired_here_and_says_how_much() {
    for (cache, clock) in aging().await {
        for id in 1..=3 {
            load(&cache.entry(key(id), [tag(id)], TTL), 7).await.unwrap();
        }
        clock.advance_ms(60_000);
        load(&cache.entry(key(4), [tag(4)], TTL), 7).await.unwrap();
        let held = cache.stats().total.entries;
        assert_eq!(cache.sweep().unwrap_or(0), 0, "nothing is old enough");
        clock.advance_ms(60_000);
        let freed = cache.sweep();
        let left = cache.stats().total.entries;
        match freed {
            // In the shared level alone.
            None => assert_eq!(held, 0),
            Some(freed) => assert_eq!((held, freed, left), (4, 3, 1)),
        }
    }
}
