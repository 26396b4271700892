//! Storing and reading, on every level.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use guildhall_cache::{Cache, Key, Loaded, Tag};

use crate::fake::{Failed, Fake, HandClock, Loads, key, storing, tag};

const TTL: Duration = Duration::from_secs(100);

#[tokio::test]
async fn a_stored_value_is_a_hit_and_the_loader_does_not_run() {
    for cache in storing().await {
        let entry = cache.entry::<String>(key(1), [tag(1)], TTL);
        assert_eq!(entry.get().await, None);
        assert_eq!(entry.get_or_load(async || Loads::Ok("a".to_owned())).await.unwrap(), "a");
        assert_eq!(entry.get_or_load(async || Err(Failed)).await.unwrap(), "a");
        assert_eq!(entry.get().await.as_deref(), Some("a"));
        let stats = cache.stats().total;
        assert_eq!((stats.hits, stats.misses, stats.loads, stats.sets), (2, 2, 1, 1));
        assert_eq!((stats.reads(), stats.hit_rate_bp()), (4, 5_000));
    }
}

#[tokio::test]
async fn a_disabled_cache_loads_every_time() {
    let cache = Cache::builder().build();
    let entry = cache.entry::<u32>(key(1), [tag(1)], None);
    for value in 0..3 {
        assert_eq!(entry.get_or_load(async || Loads::Ok(value)).await, Ok(value));
    }
    assert_eq!(entry.get().await, None);
    assert!(cache.invalidate([tag(1)]).await && cache.ping().await.is_ok());
}

#[tokio::test]
async fn a_memory_hit_serialises_nothing_and_hands_out_the_same_allocation() {
    let cache = Cache::builder().memory().build();
    let value = Arc::new(());
    // `Arc<()>` has no serde of its own here: the wrapper panics when it is used.
    #[derive(Clone)]
    struct Opaque(Arc<()>);
    impl serde::Serialize for Opaque {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            panic!("serialised")
        }
    }
    impl<'de> serde::Deserialize<'de> for Opaque {
        fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
            panic!("deserialised")
        }
    }
    let entry = cache.entry::<Opaque>(key(1), [tag(1)], TTL);
    let loaded = entry.get_or_load(async || Loads::Ok(Opaque(Arc::clone(&value)))).await;
    assert!(Arc::ptr_eq(&loaded.unwrap().0, &value));
    assert!(Arc::ptr_eq(&entry.get().await.unwrap().0, &value));
}

#[tokio::test]
async fn zero_ttl_stores_nothing_and_an_endless_one_does_not_panic() {
    for cache in storing().await {
        let never = cache.entry::<u32>(key(1), [tag(1)], Duration::ZERO);
        assert_eq!(never.get_or_load(async || Loads::Ok(1)).await, Ok(1));
        assert_eq!(never.get().await, None);
        let endless = cache.entry::<u32>(key(2), [tag(2)], Duration::MAX);
        assert_eq!(endless.get_or_load(async || Loads::Ok(2)).await, Ok(2));
        assert_eq!(endless.get().await, Some(2));
    }
}

#[tokio::test]
async fn absence_is_stored_but_not_for_long() {
    let clock = Arc::new(HandClock::default());
    let cache = Cache::builder().memory().jitter(false).clock(clock.clone()).build();
    let entry = cache.entry::<u32>(key(1), [tag(1)], Duration::from_secs(600));
    assert_eq!(entry.get_or_load_optional(async || Loads::Ok(None)).await, Ok(None));
    assert_eq!(entry.get_or_load_optional(async || Loads::Ok(Some(1))).await, Ok(None));
    assert_eq!(cache.stats().total.negative_hits, 1);
    clock.advance_ms(60_000);
    assert_eq!(entry.get_or_load_optional(async || Loads::Ok(Some(1))).await, Ok(Some(1)));
    clock.advance_ms(599_999);
    assert_eq!(entry.get_optional().await, Some(Some(1)));
    clock.advance_ms(1);
    assert_eq!(entry.get_optional().await, None);
}

#[tokio::test]
async fn an_empty_list_can_be_negative() {
    let clock = Arc::new(HandClock::default());
    let cache = Cache::builder().memory().jitter(false).clock(clock.clone()).build();
    let entry = cache.entry::<Vec<u32>>(key(1), [tag(1)], TTL).negative_if(Vec::is_empty);
    assert_eq!(entry.get_or_load(async || Loads::Ok(vec![])).await, Ok(vec![]));
    assert_eq!(entry.get().await, Some(vec![]));
    clock.advance_ms(60_000);
    assert_eq!(entry.get().await, None);
}

#[tokio::test]
async fn a_loader_may_ask_not_to_be_stored_and_a_reload_replaces() {
    for cache in storing().await {
        let entry = cache.entry::<u32>(key(1), [tag(1)], TTL);
        let shy = entry.get_or_load_with(async || Loads::Ok(Loaded::DoNotStore(1))).await;
        assert_eq!((shy, entry.get().await), (Ok(1), None));
        let kept = entry.get_or_load_with(async || Loads::Ok(Loaded::Store(2))).await;
        assert_eq!((kept, entry.get().await), (Ok(2), Some(2)));
        assert_eq!(entry.reload(async || Loads::Ok(3)).await, Ok(3));
        assert_eq!(entry.get().await, Some(3));
    }
}

#[tokio::test]
async fn tags_families_and_clearing_reach_what_they_name_and_nothing_else() {
    for cache in storing().await {
        let both = [tag(1), Tag::new("guild").id(9)];
        let pair = cache.entry::<u32>(key(1), both, TTL);
        let other = cache.entry::<u32>(Key::new("shop").id(1), [Tag::new("shop")], TTL);
        let fill = async |value: u32| {
            pair.get_or_load(async || Loads::Ok(value)).await.unwrap();
            other.get_or_load(async || Loads::Ok(value)).await.unwrap();
        };
        fill(1).await;
        assert!(cache.invalidate([Tag::new("guild").id(9)]).await);
        assert_eq!((pair.get().await, other.get().await), (None, Some(1)));
        fill(2).await;
        assert_eq!((pair.get().await, other.get().await), (Some(2), Some(1)));
        assert!(cache.clear_namespace("user").await);
        assert_eq!((pair.get().await, other.get().await), (None, Some(1)));
        fill(3).await;
        assert!(cache.clear().await);
        assert_eq!((pair.get().await, other.get().await), (None, None));
        fill(4).await;
        assert_eq!((pair.get().await, other.get().await), (Some(4), Some(4)));
    }
}

#[tokio::test]
async fn one_key_under_other_tags_or_as_another_type_is_a_miss() {
    for cache in storing().await {
        let stored = cache.entry::<u32>(key(1), [tag(1)], TTL);
        stored.get_or_load(async || Loads::Ok(7)).await.unwrap();
        assert_eq!(cache.entry::<u32>(key(1), [tag(2)], TTL).get().await, None);
        assert_eq!(cache.entry::<i64>(key(1), [tag(1)], TTL).get().await, None);
        assert_eq!(stored.get().await, Some(7));
    }
}

#[tokio::test]
async fn the_in_process_level_stays_within_entries_and_bytes() {
    let cache = Cache::builder().memory().max_entries(100).max_bytes(100_000).build();
    for id in 0..1_000 {
        let entry = cache.entry::<Vec<u8>>(key(id), [tag(id)], TTL).weigh(Vec::len);
        let size = if id % 10 == 0 { 200_000 } else { 10 };
        let value = entry.get_or_load(async || Loads::Ok(vec![0; size])).await.unwrap();
        assert_eq!(value.len(), size, "an entry too heavy to be kept is returned all the same");
        let total = cache.stats().total;
        assert!(total.entries <= 100 && total.bytes <= 100_000, "{total:?}");
    }
    assert!(cache.stats().total.evictions >= 900);
    cache.clear().await;
    assert_eq!(cache.stats().total.entries, 0);
}

#[tokio::test]
async fn strange_identifiers_do_not_collide() {
    let long = "x".repeat(10_000);
    let odd = ["a:b", "a", "*", "a*", "{a}", "42", "", " ", "a%3Ab", "\u{0}", long.as_str()];
    let (fake, builder) = Fake::shared();
    let cache = builder.build();
    for text in odd {
        let entry = cache.entry::<String>(Key::new("k").text(text), [], TTL);
        assert_eq!(entry.get_or_load(async || Loads::Ok(text.to_owned())).await.unwrap(), text);
    }
    cache
        .entry::<u32>(Key::new("k").id(42), [], TTL)
        .get_or_load(async || Loads::Ok(1))
        .await
        .unwrap();
    assert_eq!(fake.keys().len(), odd.len() + 1);
    assert!(
        fake.keys().iter().all(|key| key.starts_with("gh:v1:k:") && !key.contains(['*', '{', ' ']))
    );
}

#[tokio::test]
async fn damaged_or_oversized_shared_entries_are_misses() {
    let (fake, builder) = Fake::shared();
    let cache = builder.max_value_bytes(1_000).build();
    let entry = cache.entry::<u32>(key(1), [tag(1)], TTL);
    entry.get_or_load(async || Loads::Ok(1)).await.unwrap();
    fake.damage_entries();
    assert_eq!(entry.get_or_load(async || Loads::Ok(2)).await, Ok(2));
    assert_eq!(cache.stats().total.errors, 1);
    assert_eq!(entry.get().await, Some(2));
    let big = cache.entry::<Vec<u8>>(key(2), [tag(2)], TTL);
    assert_eq!(big.get_or_load(async || Loads::Ok(vec![1; 2_000])).await.unwrap().len(), 2_000);
    assert_eq!(big.get().await, None);
}

#[tokio::test]
async fn a_restored_snapshot_and_an_evicted_nonce_bring_nothing_back() {
    let (fake, builder) = Fake::shared();
    let cache = builder.build();
    let entry = cache.entry::<u32>(key(1), [tag(1)], TTL);
    entry.get_or_load(async || Loads::Ok(1)).await.unwrap();
    let old = fake.snapshot();
    cache.invalidate([tag(1)]).await;
    fake.restore(old);
    assert_eq!(entry.get_or_load(async || Loads::Ok(2)).await, Ok(2));
    let late = entry.reload(async || {
        fake.evict_nonces(); // After the stamps were taken, before the value is stored.
        Loads::Ok(3)
    });
    assert_eq!(late.await, Ok(3));
    assert_eq!(entry.get_or_load(async || Loads::Ok(4)).await, Ok(4));
}

#[tokio::test]
async fn reading_without_a_loader_writes_nothing() {
    let (fake, builder) = Fake::shared();
    let cache = builder.build();
    assert_eq!(cache.entry::<u32>(key(1), [tag(1)], TTL).get().await, None);
    let (entries, nonces) = fake.snapshot();
    assert!(entries.is_empty() && nonces.is_empty());
    assert_eq!(fake.commands.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn hints_need_no_tags_and_statistics_start_over() {
    for cache in storing().await {
        cache.put_untagged(Key::new("hint").id(1), 5_u32, TTL).await;
        assert_eq!(cache.entry::<u32>(Key::new("hint").id(1), [], TTL).get().await, Some(5));
        assert_eq!(cache.stats().namespaces["hint"].hits, 1);
        cache.reset_stats();
        assert_eq!(cache.stats().total.hits, 0);
    }
}
