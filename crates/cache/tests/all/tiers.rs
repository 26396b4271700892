//! Memory over a shared level: two processes on one level.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use guildhall_cache::{Cache, Skip};

use crate::fake::{Failed, Fake, HandClock, Loads, key, listening, tag};

const TTL: Duration = Duration::from_secs(100);

async fn fill(cache: &Cache, value: u32) {
    let entry = cache.entry::<u32>(key(1), [tag(1)], TTL);
    assert_eq!(entry.get_or_load(async || Loads::Ok(value)).await, Ok(value));
}

async fn read(cache: &Cache) -> Option<u32> {
    cache.entry::<u32>(key(1), [tag(1)], TTL).get().await
}

/// Two processes whose clocks a test sets.
async fn two(setting: impl Fn(u8) -> Duration) -> (Arc<Fake>, Arc<HandClock>, Cache, Cache) {
    let (fake, builder) = Fake::tiered();
    let clock = Arc::new(HandClock::default());
    clock.advance_ms(1_000);
    let one = builder.clock(clock.clone()).local_ttl(setting(1)).build();
    let two = fake.process().clock(clock.clone()).local_ttl(setting(2)).build();
    listening(&one).await;
    listening(&two).await;
    (fake, clock, one, two)
}

#[tokio::test(start_paused = true)]
async fn a_value_of_another_process_is_a_hit_and_the_next_one_sends_no_command() {
    let (fake, _, one, two) = two(|_| TTL).await;
    fill(&one, 7).await;
    let entry = two.entry::<u32>(key(1), [tag(1)], TTL);
    assert_eq!(entry.get_or_load(async || Err(Failed)).await, Ok(7));
    let commands = fake.commands.load(Ordering::SeqCst);
    assert_eq!(entry.get_or_load(async || Err(Failed)).await, Ok(7));
    assert_eq!(entry.get().await, Some(7));
    assert_eq!(fake.commands.load(Ordering::SeqCst), commands);
    let total = two.stats().total;
    assert_eq!((total.hits, total.misses, total.loads, total.entries), (3, 0, 0, 1));
}

#[tokio::test(start_paused = true)]
async fn a_copy_lives_no_longer_than_what_is_left_of_the_shared_entry() {
    let (fake, clock, one, two) = two(|_| TTL).await;
    fill(&one, 7).await;
    clock.advance_ms(97_000);
    assert_eq!(read(&two).await, Some(7));
    fake.down.store(true, Ordering::SeqCst);
    clock.advance_ms(2_999);
    assert_eq!(read(&two).await, Some(7));
    clock.advance_ms(1);
    assert_eq!(read(&two).await, None);
}

#[tokio::test(start_paused = true)]
async fn each_process_keeps_copies_for_its_own_time() {
    let (fake, clock, one, two) = two(|process| Duration::from_secs(process.into())).await;
    fill(&one, 7).await;
    assert_eq!(read(&two).await, Some(7));
    fake.down.store(true, Ordering::SeqCst);
    clock.advance_ms(999);
    assert_eq!((read(&one).await, read(&two).await), (Some(7), Some(7)));
    clock.advance_ms(1);
    assert_eq!((read(&one).await, read(&two).await), (None, Some(7)));
    clock.advance_ms(1_000);
    assert_eq!(read(&two).await, None);
    fake.down.store(false, Ordering::SeqCst);
    assert_eq!(read(&two).await, Some(7), "the shared entry has its own life");
}

/// No message arrives, and the server is gone: the bound of a copy's life is what is left.
#[tokio::test(start_paused = true)]
async fn without_a_bus_a_copy_outlives_a_write_by_its_own_bound_at_most() {
    let (fake, clock, one, two) = two(|_| Duration::from_secs(5)).await;
    fill(&one, 7).await;
    assert_eq!(read(&two).await, Some(7));
    fake.mute.store(true, Ordering::SeqCst);
    assert!(one.invalidate([tag(1)]).await);
    assert_eq!(read(&one).await, None);
    assert_eq!(read(&two).await, Some(7));
    clock.advance_ms(5_000);
    assert_eq!(read(&two).await, None, "it asked the shared level again");
}

#[tokio::test(start_paused = true)]
async fn a_value_loaded_before_a_message_is_not_kept_after_it() {
    let (_fake, _, one, two) = two(|_| TTL).await;
    let entry = two.entry::<u32>(key(1), [tag(1)], TTL);
    let late = entry.get_or_load(async || {
        one.invalidate([tag(1)]).await;
        while two.stats().bus.received < 1 {
            tokio::task::yield_now().await;
        }
        Loads::Ok(7)
    });
    assert_eq!(late.await, Ok(7));
    assert_eq!(read(&two).await, None);
}

#[tokio::test(start_paused = true)]
async fn a_level_is_skipped_as_asked_and_no_other() {
    let (fake, _, one, two) = two(|_| TTL).await;
    let entry = || one.entry::<u32>(key(1), [tag(1)], TTL);
    let load = async |value| Loads::Ok(value);
    let no_write = entry().skip_shared(Skip::Write).get_or_load(|| load(1)).await;
    assert_eq!((no_write, fake.keys().len(), read(&one).await), (Ok(1), 0, Some(1)));
    let no_copy = entry().skip_memory(Skip::Both).get_or_load(|| load(2)).await;
    assert_eq!((no_copy, read(&one).await, read(&two).await), (Ok(2), Some(1), Some(2)));
    let not_there = entry().skip_memory(Skip::Read).skip_shared(Skip::Read);
    assert_eq!(not_there.get_or_load(|| load(3)).await, Ok(3));
    assert_eq!(read(&one).await, Some(3), "skipped when reading, filled all the same");
    let commands = fake.commands.load(Ordering::SeqCst);
    let nowhere = entry().skip_memory(Skip::Both).skip_shared(Skip::Both);
    assert_eq!(nowhere.get_or_load(|| load(4)).await, Ok(4));
    assert_eq!(fake.commands.load(Ordering::SeqCst), commands);
    assert_eq!(read(&one).await, Some(3));
}

#[tokio::test(start_paused = true)]
async fn what_expired_is_freed_without_being_read() {
    let clock = Arc::new(HandClock::default());
    for builder in [Cache::builder().memory(), Fake::tiered().1] {
        let cache = builder.jitter(false).clock(clock.clone()).build();
        fill(&cache, 1).await;
        tokio::time::sleep(Duration::from_secs(2)).await;
        fill(&cache, 1).await;
        assert_eq!(cache.stats().total.entries, 1);
        clock.advance_ms(100_000);
        tokio::time::sleep(Duration::from_secs(10)).await;
        assert_eq!(cache.stats().total.entries, 0);
    }
}
