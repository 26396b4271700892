//! What one process changes, the others hear: messages, lost ones, and none at all.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use guildhall_cache::{Cache, CacheEvent, Key, Tag};

use crate::fake::{Fake, Loads, key, listening, tag, until};

const TTL: Duration = Duration::from_secs(100);

async fn fill(cache: &Cache, id: i64) {
    let entry = cache.entry::<i64>(key(id), [tag(id)], TTL);
    assert_eq!(entry.get_or_load(async || Loads::Ok(id)).await, Ok(id));
}

/// What is held in the process itself.
fn held(cache: &Cache) -> u64 {
    cache.stats().total.entries
}

async fn two() -> (Arc<Fake>, Cache, Cache) {
    let (fake, builder) = Fake::tiered();
    let (one, two) = (builder.build(), fake.process().build());
    listening(&one).await;
    listening(&two).await;
    // So that each knows the other before anything is lost.
    tokio::time::sleep(Duration::from_secs(2)).await;
    (fake, one, two)
}

async fn misses(cache: &Cache, key: Key, tag: Tag) -> bool {
    cache.entry::<i64>(key, [tag], TTL).get().await.is_none()
}

#[tokio::test(start_paused = true)]
async fn another_process_writes_and_the_copy_is_gone() {
    let (_fake, one, two) = two().await;
    fill(&two, 1).await;
    fill(&two, 2).await;
    let before = two.stats().bus.received;
    assert!(one.invalidate([tag(1)]).await);
    until(|| two.stats().bus.received > before).await;
    assert!(misses(&two, key(1), tag(1)).await);
    let hits = two.stats().total.hits;
    fill(&two, 2).await;
    assert_eq!(two.stats().total.hits, hits + 1, "the other entry stays");
}

#[tokio::test(start_paused = true)]
async fn every_kind_of_name_finds_its_tag_in_another_process() {
    let (_fake, one, two) = two().await;
    let tags = || {
        [
            Tag::new("a"),
            Tag::new("a").id(-5),
            Tag::new("a").id(i64::MIN).part("x"),
            Tag::new("a b").text("5"),
            Tag::new("a").text("+5"),
            Tag::new("a").text("007"),
            Tag::new("a").text("ü: {*}%41"),
            Tag::new("a").text("").part("-1").id(3),
        ]
    };
    for (index, tag) in tags().into_iter().enumerate() {
        let at = Key::new("k").id(index as i64);
        let entry = two.entry::<i64>(at.clone(), [tag.clone()], TTL);
        // Only the process itself has it, so that only the message can take it away.
        let entry = entry.skip_shared(guildhall_cache::Skip::Both);
        entry.get_or_load(async || Loads::Ok(1)).await.unwrap();
        assert_eq!(entry.get().await, Some(1));
        let before = two.stats().bus.received;
        one.invalidate([tag]).await;
        until(|| two.stats().bus.received > before).await;
        assert_eq!(entry.get().await, None, "{at:?}");
    }
    for clear_all in [false, true] {
        let entry = two.entry::<i64>(key(1), [tag(1)], TTL);
        let entry = entry.skip_shared(guildhall_cache::Skip::Both);
        entry.get_or_load(async || Loads::Ok(1)).await.unwrap();
        let before = two.stats().bus.received;
        let cleared = if clear_all { one.clear().await } else { one.clear_namespace("user").await };
        assert!(cleared);
        until(|| two.stats().bus.received > before).await;
        assert_eq!(entry.get().await, None);
    }
    assert_eq!(two.stats().bus.gaps, 0);
}

#[tokio::test(start_paused = true)]
async fn its_own_messages_change_nothing_and_no_message_causes_one() {
    let (fake, one, two) = two().await;
    fill(&one, 1).await;
    fill(&one, 2).await;
    let published = fake.published.load(Ordering::SeqCst);
    one.invalidate([tag(1)]).await;
    assert_eq!(fake.published.load(Ordering::SeqCst), published + 1);
    fill(&one, 1).await;
    let (sets, received) = (one.stats().total.sets, two.stats().bus.received);
    until(|| two.stats().bus.received > received).await;
    fill(&one, 1).await;
    assert_eq!(one.stats().total.sets, sets, "the second entry of 1 survived the echo");
    assert_eq!(one.stats().bus.gaps + two.stats().bus.gaps, 0);
    assert!(fake.published.load(Ordering::SeqCst) - published <= 3, "heartbeats only");
}

#[tokio::test(start_paused = true)]
async fn a_lost_message_is_noticed_by_the_heartbeats() {
    let (fake, one, two) = two().await;
    fill(&two, 1).await;
    let writer = tokio::time::Instant::now();
    fake.mute.store(true, Ordering::SeqCst);
    assert!(one.invalidate([tag(1)]).await);
    fake.mute.store(false, Ordering::SeqCst);
    assert!(!misses(&two, key(1), tag(1)).await, "it cannot know yet");
    until(|| two.stats().bus.gaps == 1).await;
    assert!(writer.elapsed() <= Duration::from_secs(4), "{:?}", writer.elapsed());
    assert!(misses(&two, key(1), tag(1)).await);
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(two.stats().bus.gaps, 1, "noticed once");
}

#[tokio::test(start_paused = true)]
async fn a_new_subscription_forgets_everything_of_before() {
    let (fake, one, two) = two().await;
    fill(&two, 1).await;
    fake.cut_bus();
    assert!(one.invalidate([tag(1)]).await);
    assert_eq!(held(&two), 1);
    until(|| two.stats().bus.subscriptions == 1).await;
    assert_eq!(held(&two), 0);
    assert!(misses(&two, key(1), tag(1)).await);
    fill(&two, 1).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let before = two.stats().bus.received;
    assert!(one.invalidate([tag(1)]).await);
    until(|| two.stats().bus.received > before).await;
    assert!(misses(&two, key(1), tag(1)).await);
}

#[tokio::test(start_paused = true)]
async fn a_bus_that_takes_messages_and_brings_none_is_not_trusted() {
    let (fake, builder) = Fake::tiered();
    let told = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&told);
    let listener = Arc::new(move |event: &CacheEvent| heard.lock().unwrap().push(event.clone()));
    let cache = builder.on_event(listener).build();
    listening(&cache).await;
    fill(&cache, 1).await;
    fake.mute.store(true, Ordering::SeqCst);
    let deaf = |events: &[CacheEvent]| events.contains(&CacheEvent::BusDeaf);
    until(|| deaf(&told.lock().unwrap())).await;
    assert_eq!(held(&cache), 0);
    fake.mute.store(false, Ordering::SeqCst);
    tokio::time::sleep(Duration::from_secs(3)).await;
    fill(&cache, 1).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(held(&cache), 1, "it carries again");
    fake.cut_bus();
    until(|| cache.stats().bus.subscriptions == 1).await;
    let expected = [
        CacheEvent::BusSubscribed,
        CacheEvent::BusDeaf,
        CacheEvent::BusLost,
        CacheEvent::BusSubscribed,
    ];
    assert_eq!(*told.lock().unwrap(), expected);
}

/// An unreachable server is not a deaf bus: copies then live as long as they always may.
#[tokio::test(start_paused = true)]
async fn an_unreachable_server_leaves_the_copies_their_own_bound() {
    let (fake, builder) = Fake::tiered();
    let cache = builder.build();
    listening(&cache).await;
    fill(&cache, 1).await;
    fake.down.store(true, Ordering::SeqCst);
    tokio::time::sleep(Duration::from_secs(20)).await;
    assert_eq!(held(&cache), 1);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_cache_ends_its_task() {
    let (fake, builder) = Fake::tiered();
    let cache = builder.build();
    listening(&cache).await;
    drop(cache);
    until(|| Arc::strong_count(&fake) == 1).await;
}
