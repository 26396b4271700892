//! Dry runs, audits, events, and what operators look at.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use guildhall_cache::{BackendError, Cache, CacheBuilder, CacheEvent, Key};

use crate::fake::{Failed, Fake, Loads, key, listening, storing, tag, until};

const TTL: Duration = Duration::from_secs(100);

fn levels() -> [CacheBuilder; 3] {
    [Cache::builder().memory(), Fake::shared().1, Fake::tiered().1]
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_always_loads_and_counts_what_the_cache_would_have_said() {
    for builder in levels() {
        let cache = builder.dry_run(true).build();
        listening(&cache).await;
        let entry = cache.entry::<u32>(key(1), [tag(1)], TTL);
        let read = async |value| entry.get_or_load(async || Loads::Ok(value)).await;
        assert_eq!((read(1).await, read(1).await), (Ok(1), Ok(1)));
        assert_eq!(read(2).await, Ok(2), "the answer is the loader's, whatever is stored");
        assert_eq!(entry.get_or_load(async || Err(Failed)).await, Err(Failed));
        assert_eq!(entry.get().await, None);
        let total = cache.stats().total;
        assert_eq!((total.hits, total.misses, total.loads), (4, 1, 4));
        assert_eq!((total.audits, total.audit_stale), (2, 1));
        cache.invalidate([tag(1)]).await;
        assert_eq!((read(3).await, read(3).await), (Ok(3), Ok(3)));
        assert_eq!(cache.stats().total.audit_stale, 1);
        let load = async |ids: Vec<i64>| Loads::Ok(ids.into_iter().map(|id| (id, 7)).collect());
        for _ in 0..2 {
            let describe = |id: &i64| (Key::new("many").id(*id), [tag(*id)]);
            let many = cache.get_or_load_many(&[8, 9], TTL, describe, load).await;
            assert_eq!(many, Ok(vec![Some(7), Some(7)]));
        }
        let many = &cache.stats().namespaces["many"];
        assert_eq!((many.hits, many.misses, many.audits, many.audit_stale), (2, 2, 2, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn the_auditor_compares_a_sample_of_hits_and_finds_the_stale_one() {
    for builder in levels() {
        let told = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&told);
        let listener = move |event: &CacheEvent| heard.lock().unwrap().push(event.clone());
        let cache = builder.on_event(Arc::new(listener)).build();
        listening(&cache).await;
        let loads = AtomicU64::new(0);
        let read = async |share, value| {
            let entry = cache.entry::<u32>(key(1), [tag(1)], TTL).audited(share);
            let load = async || {
                loads.fetch_add(1, Ordering::SeqCst);
                Loads::Ok(value)
            };
            entry.get_or_load(load).await
        };
        for _ in 0..2_001 {
            assert_eq!(read(0.25, 1).await, Ok(1));
        }
        let audits = cache.stats().total.audits;
        assert!((400..600).contains(&audits), "{audits} of 2 000");
        assert_eq!(loads.load(Ordering::SeqCst), audits + 1);
        assert_eq!(cache.stats().total.audit_stale, 0);
        // Somebody wrote past the cache.
        assert_eq!(read(1.0, 2).await, Ok(2));
        assert_eq!(cache.stats().total.audit_stale, 1);
        let stale = CacheEvent::StaleHit { namespace: "user" };
        assert_eq!(told.lock().unwrap().iter().filter(|event| **event == stale).count(), 1);
        let alike = cache.entry::<u32>(key(1), [tag(1)], TTL).audited(1.0).same_if(|_, _| true);
        assert_eq!(alike.get_or_load(async || Loads::Ok(9)).await, Ok(9));
        let failing = alike.get_or_load(async || Loads::Err(Failed)).await;
        assert_eq!(failing, Ok(1), "an audit does no harm");
        assert_eq!(cache.stats().total.audit_stale, 1);
        let racing = cache.entry::<u32>(key(1), [tag(1)], TTL).audited(1.0);
        let raced = racing.get_or_load(async || {
            cache.invalidate([tag(1)]).await;
            Loads::Ok(3)
        });
        assert_eq!(raced.await, Ok(3));
        assert_eq!(cache.stats().total.audit_stale, 1, "a write in between proves nothing");
    }
}

#[tokio::test(start_paused = true)]
async fn quarantine_and_unreadable_entries_are_events() {
    let (fake, builder) = Fake::shared();
    let told = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&told);
    let listener = move |event: &CacheEvent| heard.lock().unwrap().push(event.clone());
    let cache = builder.on_event(Arc::new(listener)).build();
    let entry = cache.entry::<u32>(key(1), [tag(1)], TTL);
    entry.get_or_load(async || Loads::Ok(1)).await.unwrap();
    fake.damage_entries();
    assert_eq!(entry.get().await, None);
    fake.down.store(true, Ordering::SeqCst);
    assert!(!cache.invalidate([tag(1), tag(2)]).await);
    assert!(!cache.invalidate([tag(3)]).await);
    fake.down.store(false, Ordering::SeqCst);
    until(|| cache.stats().quarantined_tags == 0).await;
    let expected = [
        CacheEvent::UnreadableEntry { namespace: "user" },
        CacheEvent::QuarantineEntered,
        CacheEvent::QuarantineLeft,
    ];
    assert_eq!(*told.lock().unwrap(), expected);
}

#[tokio::test(start_paused = true)]
async fn operators_find_and_free_entries_by_pattern_in_every_process() {
    let (fake, builder) = Fake::tiered();
    let (one, two) = (builder.build(), fake.process().build());
    listening(&one).await;
    listening(&two).await;
    for id in [10, 11, 20] {
        let entry = two.entry::<i64>(key(id), [tag(id)], TTL);
        entry.get_or_load(async || Loads::Ok(id)).await.unwrap();
    }
    assert_eq!(one.keys("user:1*", 100).await.unwrap(), ["user:10", "user:11"]);
    assert_eq!(one.keys("*", 2).await.unwrap().len(), 2);
    assert_eq!(one.clear_matching("user:1*").await.unwrap(), 2);
    assert_eq!(one.keys("*", 100).await.unwrap(), ["user:20"]);
    until(|| two.stats().total.entries == 0).await;
    assert_eq!(two.entry::<i64>(key(10), [tag(10)], TTL).get().await, None);
    assert_eq!(two.entry::<i64>(key(20), [tag(20)], TTL).get().await, Some(20));
    let [memory, ..] = storing().await;
    let refused = memory.clear_matching("*").await;
    assert!(matches!(refused, Err(BackendError::NotSupported(_))), "{refused:?}");
}
