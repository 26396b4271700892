//! Writes that commit, roll back, vanish, or find the shared level gone.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use guildhall_cache::{Cache, Entry};

use crate::fake::{Fake, HandClock, Loads, key, storing, tag, until};

const TTL: Duration = Duration::from_secs(100);

async fn read(entry: &Entry<'_, u32>, truth: u32) -> u32 {
    entry.get_or_load(async || Loads::Ok(truth)).await.unwrap()
}

#[tokio::test]
async fn while_a_write_runs_reads_load_and_fill_nothing() {
    for cache in storing().await {
        let entry = cache.entry::<u32>(key(1), [tag(1)], TTL);
        read(&entry, 1).await;
        let write = cache.begin_write([tag(1)]);
        assert_eq!(read(&entry, 2).await, 2);
        assert_eq!(read(&entry, 3).await, 3);
        assert!(write.committed().await);
        assert_eq!(read(&entry, 4).await, 4);
        assert_eq!(read(&entry, 5).await, 4);
    }
}

#[tokio::test]
async fn a_roll_back_sends_nothing() {
    let (fake, builder) = Fake::shared();
    let cache = builder.build();
    let entry = cache.entry::<u32>(key(1), [tag(1)], TTL);
    read(&entry, 1).await;
    let commands = fake.commands.load(Ordering::SeqCst);
    let mut write = cache.begin_write([tag(1)]);
    write.add(tag(2));
    write.add(tag(2));
    write.rolled_back();
    assert_eq!(fake.commands.load(Ordering::SeqCst), commands);
    assert_eq!(read(&entry, 2).await, 1, "what was stored is still right");
}

#[tokio::test]
async fn of_two_writers_one_rolls_back_and_nothing_stale_remains() {
    for cache in storing().await {
        let entry = cache.entry::<u32>(key(1), [tag(1)], TTL);
        read(&entry, 1).await;
        let (real, vain) = (cache.begin_write([tag(1)]), cache.begin_write([tag(1)]));
        vain.rolled_back();
        assert_eq!(read(&entry, 1).await, 1);
        assert!(real.committed().await);
        assert_eq!(read(&entry, 2).await, 2);
    }
}

#[tokio::test(start_paused = true)]
async fn an_unreachable_level_means_quarantine_until_it_acknowledges() {
    let (fake, builder) = Fake::shared();
    let cache = builder.build();
    let entry = cache.entry::<u32>(key(1), [tag(1)], TTL);
    read(&entry, 1).await;
    until(|| fake.locked() == 0).await;
    fake.down.store(true, Ordering::SeqCst);
    assert!(!cache.begin_write([tag(1)]).committed().await);
    assert_eq!(cache.stats().quarantined_tags, 1);
    fake.down.store(false, Ordering::SeqCst);
    assert_eq!(read(&entry, 2).await, 2, "the old entry is there but in quarantine");
    while cache.stats().quarantined_tags > 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(read(&entry, 3).await, 3);
    assert_eq!(read(&entry, 4).await, 3, "out of quarantine it is cached again");
}

#[tokio::test(start_paused = true)]
async fn dropping_the_conclusion_midway_counts_as_not_acknowledged() {
    let (_fake, builder) = Fake::shared();
    let cache = builder.build();
    let entry = cache.entry::<u32>(key(1), [tag(1)], TTL);
    read(&entry, 1).await;
    let mut commit = Box::pin(cache.begin_write([tag(1)]).committed());
    assert!(futures_util::poll!(&mut commit).is_pending());
    drop(commit);
    assert_eq!(cache.stats().quarantined_tags, 1);
    assert_eq!(read(&entry, 2).await, 2);
    while cache.stats().quarantined_tags > 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(read(&entry, 3).await, 3);
}

#[tokio::test]
async fn a_write_of_unknown_outcome_is_fenced_for_the_grace_period() {
    let clock = Arc::new(HandClock::default());
    let cache = Cache::builder().memory().clock(clock.clone()).build();
    let entry = cache.entry::<u32>(key(1), [tag(1)], TTL);
    read(&entry, 1).await;
    drop(cache.begin_write([tag(1)]));
    assert_eq!((read(&entry, 1).await, read(&entry, 2).await), (1, 2));
    clock.advance_ms(5_000);
    read(&entry, 3).await; // Opens the doors.
    assert_eq!((read(&entry, 4).await, read(&entry, 5).await), (4, 4));
}

#[tokio::test(start_paused = true)]
async fn beyond_the_limit_everything_is_quarantined_and_memory_stays_bounded() {
    let (fake, builder) = Fake::shared();
    let cache = builder.max_quarantined(10).build();
    let bystander = cache.entry::<u32>(key(999), [tag(999)], TTL);
    read(&bystander, 1).await;
    until(|| fake.locked() == 0).await;
    fake.down.store(true, Ordering::SeqCst);
    for id in 0..50 {
        assert!(!cache.invalidate([tag(id), tag(id + 1)]).await);
    }
    let stats = cache.stats();
    assert_eq!((stats.quarantined_tags, stats.quarantined_all), (1, true));
    fake.down.store(false, Ordering::SeqCst);
    assert_eq!(read(&bystander, 2).await, 2);
    while cache.stats().quarantined_tags > 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(read(&bystander, 3).await, 3);
    assert_eq!(read(&bystander, 4).await, 3);
}

#[test]
fn without_a_runtime_a_dropped_write_does_not_panic_and_is_made_up_for_later() {
    let (_fake, builder) = Fake::shared();
    let clock = Arc::new(HandClock::default());
    let cache = builder.clock(clock.clone()).build();
    drop(cache.begin_write([tag(1)]));
    clock.advance_ms(5_000);
    // The first runtime ends before the task does; the second takes over.
    for _ in 0..2 {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let entry = cache.entry::<u32>(key(1), [tag(1)], TTL);
        runtime.block_on(read(&entry, 1));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let entry = cache.entry::<u32>(key(1), [tag(1)], TTL);
        while cache.stats().quarantined_tags > 0 {
            read(&entry, 1).await;
            tokio::task::yield_now().await;
        }
    });
}
