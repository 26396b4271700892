//! Tags that only the loader knows: a page, and the fragments that are on it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::future::{join, join_all};
use guildhall_cache::{Cache, Key, Loaded, Tag};
use tokio::sync::Notify;

use crate::fake::{Failed, Fake, HandClock, Loads, key, listening, storing, tag, until};

const TTL: Duration = Duration::from_secs(100);

fn fragment(id: i64) -> Tag {
    Tag::new("fragment").id(id)
}

async fn load(cache: &Cache, value: u32, fragments: &[i64]) -> u32 {
    let entry = cache.entry::<u32>(key(1), [tag(1)], TTL);
    let tags = fragments.iter().copied().map(fragment);
    entry.get_or_load_with(async || Loads::Ok(Loaded::tagged(value, tags))).await.unwrap()
}

async fn stored(cache: &Cache) -> Option<u32> {
    cache.entry::<u32>(key(1), [tag(1)], TTL).get().await
}

/// Two processes on one level.
async fn two() -> (Arc<Fake>, Cache, Cache) {
    let (fake, builder) = Fake::tiered();
    let (one, two) = (builder.build(), fake.process().build());
    listening(&one).await;
    listening(&two).await;
    (fake, one, two)
}

#[tokio::test(start_paused = true)]
async fn the_first_load_teaches_and_the_second_one_is_stored() {
    for cache in storing().await {
        assert_eq!(load(&cache, 1, &[7, 8]).await, 1);
        assert_eq!(stored(&cache).await, None, "nobody knew of the fragments before the load");
        assert_eq!(load(&cache, 2, &[8, 7]).await, 2);
        assert_eq!((stored(&cache).await, load(&cache, 3, &[]).await), (Some(2), 2));
        let total = cache.stats().total;
        assert_eq!((total.loads, total.unsettled, total.sets), (2, 1, 1));
        for id in [7, 8] {
            assert!(cache.invalidate([fragment(id)]).await);
            assert_eq!(stored(&cache).await, None, "fragment {id} changed");
            assert_eq!((load(&cache, 4, &[7, 8]).await, stored(&cache).await), (4, Some(4)));
        }
        cache.invalidate([fragment(9)]).await;
        assert_eq!(stored(&cache).await, Some(4), "it is not on the page");
        assert_eq!(cache.stats().total.unsettled, 1);
    }
}

#[tokio::test(start_paused = true)]
async fn an_entrys_own_tags_named_again_cost_nothing() {
    for cache in storing().await {
        let entry = cache.entry::<u32>(key(1), [tag(1), fragment(7)], TTL);
        let load = async || Loads::Ok(Loaded::tagged(1, [fragment(7), tag(1)]));
        assert_eq!(entry.get_or_load_with(load).await, Ok(1));
        assert_eq!((entry.get().await, cache.stats().total.unsettled), (Some(1), 0));
    }
}

#[tokio::test(start_paused = true)]
async fn a_tag_that_this_process_writes_during_the_load_keeps_the_value_out() {
    for cache in storing().await {
        load(&cache, 1, &[7]).await;
        let entry = cache.entry::<u32>(key(1), [tag(1)], TTL);
        let overtaken = entry.get_or_load_with(async || {
            assert!(cache.invalidate([fragment(7)]).await);
            Loads::Ok(Loaded::tagged(2, [fragment(7)]))
        });
        assert_eq!(overtaken.await, Ok(2));
        assert_eq!(stored(&cache).await, None);
        let fenced = cache.begin_write([fragment(7)]);
        assert_eq!((load(&cache, 3, &[7]).await, stored(&cache).await), (3, None));
        fenced.rolled_back();
        assert_eq!((load(&cache, 4, &[7]).await, stored(&cache).await), (4, Some(4)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_tag_that_another_process_writes_during_the_load_keeps_the_value_out() {
    let (fake, one, two) = two().await;
    load(&two, 1, &[7]).await;
    for silent in [false, true] {
        fake.mute.store(silent, Ordering::SeqCst);
        let entry = two.entry::<u32>(key(1), [tag(1)], TTL);
        let heard = two.stats().bus.received;
        let overtaken = entry.get_or_load_with(async || {
            assert!(one.invalidate([fragment(7)]).await);
            if !silent {
                until(|| two.stats().bus.received > heard).await;
            }
            Loads::Ok(Loaded::tagged(2, [fragment(7)]))
        });
        assert_eq!(overtaken.await, Ok(2));
        let shared = fake.process().build();
        assert_eq!(stored(&shared).await, None, "it was stored under the nonce of before");
        assert_eq!(stored(&two).await, if silent { Some(2) } else { None }, "P2");
        one.invalidate([tag(1)]).await;
        fake.mute.store(false, Ordering::SeqCst);
        two.invalidate([tag(1)]).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_process_that_never_loaded_it_asks_for_the_tags_of_the_entry() {
    let (fake, one, two) = two().await;
    load(&one, 1, &[7]).await;
    load(&one, 2, &[7]).await;
    let reads = fake.reads.load(Ordering::SeqCst);
    assert_eq!(stored(&two).await, Some(2));
    assert_eq!(fake.reads.load(Ordering::SeqCst), reads + 2, "one more, for the tags");
    assert_eq!(stored(&two).await, Some(2));
    assert_eq!(fake.reads.load(Ordering::SeqCst), reads + 2, "in memory it is as any other");
    one.invalidate([fragment(7)]).await;
    until(|| two.stats().bus.received > 0).await;
    assert_eq!(stored(&two).await, None);
    let third = fake.process().build();
    listening(&third).await;
    assert_eq!((load(&third, 3, &[7]).await, stored(&third).await), (3, Some(3)));
    assert_eq!(third.stats().total.unsettled, 0, "the old entry told it what to expect");
    fake.evict_nonces();
    assert_eq!(stored(&fake.process().build()).await, None);
}

#[tokio::test(start_paused = true)]
async fn in_quarantine_neither_level_gives_it() {
    let (fake, builder) = Fake::tiered();
    let cache = builder.build();
    listening(&cache).await;
    load(&cache, 1, &[7]).await;
    load(&cache, 2, &[7]).await;
    fake.down.store(true, Ordering::SeqCst);
    assert!(!cache.invalidate([fragment(7)]).await);
    let snapshot = fake.snapshot();
    fake.down.store(false, Ordering::SeqCst);
    assert_eq!(snapshot.0.len(), 1, "the entry is there under a nonce that counts");
    assert_eq!(stored(&cache).await, None);
    assert_eq!((load(&cache, 3, &[7]).await, stored(&cache).await), (3, None));
    until(|| cache.stats().quarantined_tags == 0).await;
    assert_eq!((load(&cache, 4, &[7]).await, stored(&cache).await), (4, Some(4)));
}

#[tokio::test(start_paused = true)]
async fn a_page_with_other_fragments_depends_on_those() {
    for cache in storing().await {
        load(&cache, 1, &[7]).await;
        load(&cache, 2, &[7]).await;
        cache.invalidate([tag(1)]).await;
        assert_eq!((load(&cache, 3, &[8]).await, stored(&cache).await), (3, None));
        assert_eq!((load(&cache, 4, &[8]).await, stored(&cache).await), (4, Some(4)));
        cache.invalidate([fragment(7)]).await;
        assert_eq!(stored(&cache).await, Some(4), "7 is gone from the page");
        cache.invalidate([fragment(8)]).await;
        assert_eq!(stored(&cache).await, None);
        // In turns: both are known by now.
        for fragments in [[7], [8], [7]] {
            assert_eq!(load(&cache, 5, &fragments).await, 5);
            assert_eq!(stored(&cache).await, Some(5));
            cache.invalidate([fragment(fragments[0])]).await;
            assert_eq!(stored(&cache).await, None);
        }
        assert_eq!((load(&cache, 6, &[]).await, stored(&cache).await), (6, Some(6)));
        cache.invalidate([fragment(7), fragment(8)]).await;
        assert_eq!(stored(&cache).await, Some(6), "no fragment is left");
    }
}

#[tokio::test(start_paused = true)]
async fn too_many_tags_are_returned_and_counted() {
    for cache in storing().await {
        let many: Vec<i64> = (0..=Loaded::<u32>::TAGS_MAX as i64).collect();
        for value in 1..=3 {
            assert_eq!((load(&cache, value, &many).await, stored(&cache).await), (value, None));
        }
        let total = cache.stats().total;
        assert_eq!((total.overtagged, total.unsettled, total.sets), (3, 0, 0));
        let most = &many[1..];
        load(&cache, 4, most).await;
        assert_eq!((load(&cache, 5, most).await, stored(&cache).await), (5, Some(5)));
    }
}

/// More keys than hints: those that were forgotten learn again.
#[tokio::test]
async fn a_forgotten_hint_costs_a_load() {
    let cache = Cache::builder().memory().jitter(false).build();
    let read = async |id: i64| {
        let entry = cache.entry::<i64>(key(id), [tag(id)], TTL);
        let load = async || Loads::Ok(Loaded::tagged(id, [fragment(id)]));
        assert_eq!(entry.get_or_load_with(load).await, Ok(id));
        entry.get().await
    };
    for id in 0..5_000 {
        assert_eq!(read(id).await, None);
    }
    assert_eq!(read(4_999).await, Some(4_999));
    assert_eq!((read(0).await, read(0).await), (None, Some(0)));
}

#[tokio::test(start_paused = true)]
async fn absence_depends_on_them_as_well() {
    for cache in storing().await {
        let entry = cache.entry::<u32>(key(1), [tag(1)], TTL);
        let absent = async || Loads::Ok(Loaded::tagged(None, [fragment(7)]));
        for _ in 0..2 {
            assert_eq!(entry.get_or_load_optional_with(absent).await, Ok(None));
        }
        assert_eq!(entry.get_optional().await, Some(None));
        cache.invalidate([fragment(7)]).await;
        assert_eq!(entry.get_optional().await, None);
    }
}

#[tokio::test(start_paused = true)]
async fn batches_know_them_too() {
    let (fake, one, two) = two().await;
    let describe = |id: &i64| (key(*id), [tag(*id)]);
    let loads = AtomicU64::new(0);
    let read = async |cache: &Cache, value: i64| {
        let loader = async |ids: Vec<i64>| {
            loads.fetch_add(ids.len() as u64, Ordering::SeqCst);
            let tagged = |id: i64| (id, Loaded::tagged(Some(id * value), [fragment(id)]));
            Loads::Ok(ids.into_iter().filter(|id| *id != 3).map(tagged).collect())
        };
        cache.get_or_load_many_with(&[1, 2, 3], TTL, describe, loader).await.unwrap()
    };
    assert_eq!(read(&one, 10).await, [Some(10), Some(20), None]);
    assert_eq!(read(&one, 100).await, [Some(100), Some(200), None]);
    assert_eq!(loads.load(Ordering::SeqCst), 5, "the absence of 3 was stored at once");
    let reads = fake.reads.load(Ordering::SeqCst);
    assert_eq!(read(&two, 1_000).await, [Some(100), Some(200), None]);
    assert_eq!(fake.reads.load(Ordering::SeqCst), reads + 2, "for all of them together");
    let heard = two.stats().bus.received;
    one.invalidate([fragment(2)]).await;
    until(|| two.stats().bus.received > heard).await;
    let many = two.get_many::<_, i64, _>(&[1, 2, 3], describe).await;
    assert_eq!(many, [Some(Some(100)), None, Some(None)]);
    assert_eq!(read(&two, 1_000).await, [Some(100), Some(2_000), None]);
    assert_eq!(read(&two, 1).await, [Some(100), Some(2_000), None]);
}

#[tokio::test(start_paused = true)]
async fn an_aged_value_is_not_given_once_a_fragment_changed() {
    for builder in [Cache::builder().memory(), Fake::shared().1, Fake::tiered().1] {
        let clock = Arc::new(HandClock::default());
        let cache = builder.jitter(false).clock(clock.clone()).build();
        listening(&cache).await;
        let entry = cache.entry::<u32>(key(1), [tag(1)], TTL).stale_for(10 * TTL);
        let load = async |answer: Loads<u32>| {
            let tagged = |value| Loaded::tagged(value, [fragment(7)]);
            entry.get_or_load_with(async || answer.map(tagged)).await
        };
        for _ in 0..2 {
            assert_eq!(load(Ok(1)).await, Ok(1));
        }
        clock.advance_ms(200_000);
        assert_eq!(load(Err(Failed)).await, Ok(1), "it merely aged");
        clock.advance_ms(10_000);
        let overtaken = entry.get_or_load_with(async || {
            cache.invalidate([fragment(7)]).await;
            Err(Failed)
        });
        assert_eq!(overtaken.await, Err(Failed), "it was invalidated while the loader failed");
        clock.advance_ms(10_000);
        assert_eq!(load(Err(Failed)).await, Err(Failed));
    }
}

#[tokio::test(start_paused = true)]
async fn an_offer_is_not_taken_once_a_fragment_changed() {
    let clock = Arc::new(HandClock::default());
    let cache = Fake::tiered().1.clock(clock.clone()).build();
    listening(&cache).await;
    let entry = cache.entry::<u32>(key(1), [tag(1)], TTL).stale_for(10 * TTL);
    let tagged = |value| Loads::Ok(Loaded::tagged(value, [fragment(7)]));
    for _ in 0..2 {
        assert_eq!(entry.get_or_load_with(async || tagged(1)).await, Ok(1));
    }
    clock.advance_ms(200_000);
    let (began, gate) = (Notify::new(), Notify::new());
    let slow = entry.get_or_load_with(async || {
        began.notify_one();
        gate.notified().await;
        tagged(1)
    });
    let fast = async {
        began.notified().await;
        assert!(cache.invalidate([fragment(7)]).await);
        gate.notify_one();
        entry.get_or_load_with(async || tagged(2)).await
    };
    assert_eq!(join(slow, fast).await, (Ok(1), Ok(2)), "whoever asks after the write is new");
    assert_eq!(entry.get().await, Some(2));
}

#[tokio::test(start_paused = true)]
async fn a_value_that_was_not_modified_keeps_its_tags() {
    for builder in [Cache::builder().memory(), Fake::shared().1, Fake::tiered().1] {
        let clock = Arc::new(HandClock::default());
        let cache = builder.jitter(false).clock(clock.clone()).build();
        listening(&cache).await;
        let entry = cache.entry::<u32>(key(1), [tag(1)], TTL).stale_for(TTL);
        let first = async || Loads::Ok(Loaded::tagged(1, [fragment(7)]));
        for _ in 0..2 {
            assert_eq!(entry.get_or_load_with(first).await, Ok(1));
        }
        clock.advance_ms(110_000);
        let same = async |previous: Option<u32>| {
            Loads::Ok(previous.map_or(Loaded::Store(9), Loaded::NotModified))
        };
        assert_eq!(entry.get_or_revalidate(same).await, Ok(1));
        clock.advance_ms(90_000);
        assert_eq!(stored(&cache).await, Some(1));
        cache.invalidate([fragment(7)]).await;
        assert_eq!(stored(&cache).await, None);
    }
}

/// Who asks after a write to a fragment does not get what was loaded before it, although nobody
/// knew, when the load began, that the page has this fragment.
#[tokio::test(start_paused = true)]
async fn a_load_from_before_a_fragments_write_is_not_joined_after_it() {
    for (cache, known) in storing().await.into_iter().flat_map(|c| [(c.clone(), false), (c, true)])
    {
        if known {
            load(&cache, 0, &[7]).await;
            cache.invalidate([fragment(7)]).await;
        }
        let entry = cache.entry::<u32>(key(1), [tag(1)], TTL);
        let (began, gate) = (Notify::new(), Notify::new());
        let slow = entry.get_or_load_with(async || {
            began.notify_one();
            gate.notified().await;
            Loads::Ok(Loaded::tagged(1, [fragment(7)]))
        });
        let fast = async {
            began.notified().await;
            assert!(cache.invalidate([fragment(7)]).await);
            let (answer, ()) = join(
                entry.get_or_load_with(async || Loads::Ok(Loaded::tagged(2, [fragment(7)]))),
                async { gate.notify_one() },
            )
            .await;
            answer
        };
        assert_eq!(join(slow, fast).await, (Ok(1), Ok(2)), "known: {known}");
        cache.clear().await;
    }
}

#[tokio::test(start_paused = true)]
async fn of_many_callers_two_load_the_first_time_and_one_from_then_on() {
    for cache in storing().await {
        let loads = AtomicU64::new(0);
        let entry = cache.entry::<u64>(key(1), [tag(1)], TTL);
        let load = async || {
            tokio::task::yield_now().await;
            let value = loads.fetch_add(1, Ordering::SeqCst);
            Loads::Ok(Loaded::tagged(value, [fragment(7)]))
        };
        let answers = join_all((0..100).map(|_| entry.get_or_load_with(load))).await;
        assert!(answers.iter().all(|answer| matches!(answer, Ok(0 | 1))));
        assert_eq!(loads.load(Ordering::SeqCst), 2);
        cache.invalidate([fragment(7)]).await;
        let answers = join_all((0..100).map(|_| entry.get_or_load_with(load))).await;
        assert!(answers.iter().all(|answer| *answer == Ok(2)));
        let detached = async |_| Loads::Ok(Loaded::tagged(9_u64, [fragment(8)]));
        cache.invalidate([fragment(7)]).await;
        for _ in 0..2 {
            assert_eq!(entry.get_or_load_detached(detached).await, Ok(9));
        }
        assert_eq!(entry.get().await, Some(9));
    }
}

/// A difference proves nothing when a fragment was written meanwhile.
#[tokio::test(start_paused = true)]
async fn an_audit_that_a_fragments_write_overtook_finds_nothing() {
    for cache in storing().await {
        load(&cache, 1, &[7]).await;
        load(&cache, 1, &[7]).await;
        let entry = cache.entry::<u32>(key(1), [tag(1)], TTL).audited(1.0);
        let read = async |invalidates: bool, value| {
            let audited = entry.get_or_load_with(async || {
                if invalidates {
                    cache.invalidate([fragment(7)]).await;
                }
                Loads::Ok(Loaded::tagged(value, [fragment(7)]))
            });
            audited.await
        };
        assert_eq!(read(false, 2).await, Ok(2));
        assert_eq!(cache.stats().total.audit_stale, 1, "somebody wrote past the cache");
        assert_eq!(read(true, 3).await, Ok(3));
        let total = cache.stats().total;
        assert_eq!((total.audits, total.audit_stale), (2, 1));
    }
}

/// Another namespace, so that the counters of the keys above stay theirs.
#[tokio::test(start_paused = true)]
async fn a_reload_and_a_ttl_of_the_loader_work_with_tags() {
    for cache in storing().await {
        let entry = cache.entry::<u32>(Key::new("page").id(1), [], TTL);
        let brief = async || {
            let (tags, ttl) = (vec![fragment(7)], Some(Duration::ZERO));
            Loads::Ok(Loaded::StoreTagged { value: 1, tags, ttl })
        };
        for _ in 0..3 {
            assert_eq!(entry.get_or_load_with(brief).await, Ok(1));
        }
        assert_eq!(entry.get().await, None, "a TTL of zero stores nothing");
        assert_eq!(entry.reload(async || Loads::Ok(2)).await, Ok(2));
        cache.invalidate([fragment(7)]).await;
        assert_eq!(entry.get().await, Some(2), "this loader named none");
    }
}
