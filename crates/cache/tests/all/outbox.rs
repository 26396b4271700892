//! Writers that die, or never hear whether the shared level knows: the relay makes it known.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use guildhall_cache::{Cache, Entry, Outbox, OutboxError, OutboxRow, RelayOptions};

use crate::fake::{Fake, Loads, key, tag};

const TTL: Duration = Duration::from_secs(1000);

/// The table beside the data.
#[derive(Default)]
struct Table {
    rows: Mutex<BTreeMap<i64, Arc<str>>>,
    down: AtomicBool,
}

impl Table {
    fn commit(&self, row: OutboxRow) {
        assert!(self.rows.lock().unwrap().insert(row.id, row.targets).is_none());
    }

    fn len(&self) -> usize {
        self.rows.lock().unwrap().len()
    }

    fn answers(&self) -> Result<(), OutboxError> {
        if self.down.load(Ordering::SeqCst) { Err("injected".into()) } else { Ok(()) }
    }
}

#[async_trait]
impl Outbox for Table {
    /// Every row is old enough.
    async fn left_behind(&self, _: Duration, limit: u16) -> Result<Vec<OutboxRow>, OutboxError> {
        tokio::task::yield_now().await;
        self.answers()?;
        let rows = self.rows.lock().unwrap();
        let row =
            |(id, targets): (&i64, &Arc<str>)| OutboxRow { id: *id, targets: targets.clone() };
        Ok(rows.iter().map(row).take(usize::from(limit)).collect())
    }

    async fn delete(&self, ids: &[i64]) -> Result<(), OutboxError> {
        tokio::task::yield_now().await;
        self.answers()?;
        ids.iter().for_each(|id| drop(self.rows.lock().unwrap().remove(id)));
        Ok(())
    }
}

/// A process with a relay that has drained the outbox.
async fn process(fake: &Arc<Fake>, table: &Arc<Table>) -> Cache {
    let cache = Cache::builder().shared(fake.clone()).jitter(false).build();
    assert!(cache.relay(table.clone(), RelayOptions::default()));
    until(|| !cache.stats().draining).await;
    cache
}

async fn until(done: impl Fn() -> bool) {
    while !done() {
        tokio::time::sleep(Duration::from_millis(10)).await; // Of the paused clock.
    }
}

fn entry(cache: &Cache) -> Entry<'_, u32> {
    cache.entry(key(1), [tag(1)], TTL)
}

async fn read(cache: &Cache, truth: u32) -> u32 {
    entry(cache).get_or_load(async || Loads::Ok(truth)).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_writer_that_dies_after_its_commit_leaves_nothing_stale() {
    let (fake, table) = (Arc::new(Fake::default()), Arc::new(Table::default()));
    let reader = Cache::builder().shared(fake.clone()).jitter(false).build();
    assert_eq!(read(&reader, 1).await, 1);
    let victim = process(&fake, &table).await;
    let mut write = victim.begin_write([tag(1)]);
    table.commit(write.outbox_row().unwrap());
    write.rolled_back(); // All that a dead process still does: nothing.
    assert_eq!(read(&reader, 2).await, 1, "without a relay it would stay");
    until(|| table.len() == 0).await;
    assert_eq!(read(&reader, 2).await, 2);
}

#[tokio::test(start_paused = true)]
async fn a_process_serves_nothing_before_it_has_relayed_what_it_finds() {
    let (fake, table) = (Arc::new(Fake::default()), Arc::new(Table::default()));
    let last_run = process(&fake, &table).await;
    assert_eq!(read(&last_run, 1).await, 1);
    let row = last_run.outbox_row([tag(1)], &[]).unwrap();
    drop(last_run);
    table.commit(row);
    for broken in [&table.down, &fake.down] {
        broken.store(true, Ordering::SeqCst);
        let cache = Cache::builder().shared(fake.clone()).jitter(false).build();
        assert!(cache.relay(table.clone(), RelayOptions::default()));
        assert_eq!(read(&cache, 2).await, 2);
        until(|| cache.stats().relay_failures > 3).await;
        assert!(cache.stats().draining);
        assert_eq!(read(&cache, 3).await, 3, "nothing was stored meanwhile");
        drop(cache);
        broken.store(false, Ordering::SeqCst);
    }
    let cache = process(&fake, &table).await;
    assert_eq!(read(&cache, 4).await, 4);
    assert_eq!(read(&cache, 5).await, 4, "from here on it is cached");
    assert_eq!((table.len(), cache.stats().relayed_rows), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn an_acknowledged_write_takes_its_row_away() {
    let (fake, table) = (Arc::new(Fake::default()), Arc::new(Table::default()));
    let cache = process(&fake, &table).await;
    let mut write = cache.begin_write([tag(1), tag(2)]);
    let row = write.outbox_row().unwrap();
    assert_eq!(&*row.targets, "gh:%tag:user:1\ngh:%tag:user:2");
    table.commit(row);
    assert!(write.committed().await);
    cache.settle_outbox().await.unwrap();
    assert_eq!((table.len(), cache.stats().relayed_rows), (0, 0));
    let row = cache.outbox_row([], &["user"]).unwrap();
    assert_eq!(&*row.targets, "gh:%ns:user");
    let mut write = cache.begin_write([]);
    write.settles(row.id);
    table.commit(row);
    assert!(write.committed().await);
    cache.settle_outbox().await.unwrap();
    assert_eq!(table.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn finished_rows_go_by_themselves_and_in_batches() {
    let (fake, table) = (Arc::new(Fake::default()), Arc::new(Table::default()));
    let cache = process(&fake, &table).await;
    for _ in 0..1200 {
        let mut write = cache.begin_write([tag(1)]);
        table.commit(write.outbox_row().unwrap());
        assert!(write.committed().await);
    }
    until(|| table.len() == 0).await;
}

#[tokio::test(start_paused = true)]
async fn an_unacknowledged_write_leaves_its_row_until_the_level_is_back() {
    let (fake, table) = (Arc::new(Fake::default()), Arc::new(Table::default()));
    let (writer, reader) = (process(&fake, &table).await, process(&fake, &table).await);
    assert_eq!(read(&reader, 1).await, 1);
    fake.down.store(true, Ordering::SeqCst);
    let mut write = writer.begin_write([tag(1)]);
    table.commit(write.outbox_row().unwrap());
    assert!(!write.committed().await);
    until(|| writer.stats().relay_failures > 2).await;
    assert_eq!((table.len(), read(&writer, 2).await), (1, 2));
    fake.down.store(false, Ordering::SeqCst);
    until(|| table.len() == 0 && writer.stats().quarantined_tags == 0).await;
    assert_eq!(read(&reader, 2).await, 2);
    assert_eq!(read(&writer, 3).await, 2, "stored by the other process, and right");
}

#[tokio::test(start_paused = true)]
async fn a_commit_that_comes_after_all_is_relayed() {
    let (fake, table) = (Arc::new(Fake::default()), Arc::new(Table::default()));
    let cache =
        Cache::builder().shared(fake.clone()).unknown_grace(Duration::ZERO).jitter(false).build();
    assert!(cache.relay(table.clone(), RelayOptions::default()));
    until(|| !cache.stats().draining).await;
    let mut write = cache.begin_write([tag(1)]);
    let row = write.outbox_row().unwrap();
    drop(write); // Nobody knows; and the quarantine ends before the database does it.
    until(|| cache.stats().quarantined_tags == 0).await;
    assert_eq!(read(&cache, 1).await, 1);
    table.commit(row);
    until(|| table.len() == 0).await;
    assert_eq!(read(&cache, 2).await, 2);
}

#[tokio::test(start_paused = true)]
async fn a_write_without_a_relay_tags_or_a_shared_level_has_no_row() {
    let table = Arc::new(Table::default());
    let memory = Cache::builder().memory().build();
    assert!(!memory.relay(table.clone(), RelayOptions::default()));
    assert_eq!(memory.begin_write([tag(1)]).outbox_row(), None);
    let (_fake, builder) = Fake::shared();
    let cache = builder.build();
    assert_eq!(cache.outbox_row([tag(1)], &[]), None);
    assert!(cache.relay(table.clone(), RelayOptions::default()));
    assert!(!cache.relay(table, RelayOptions::default()), "one is enough");
    assert_eq!(cache.begin_write([]).outbox_row(), None);
}

#[tokio::test(start_paused = true)]
async fn a_long_list_becomes_all_and_so_does_what_nobody_wrote() {
    let (fake, table) = (Arc::new(Fake::default()), Arc::new(Table::default()));
    let cache = process(&fake, &table).await;
    let row = cache.outbox_row((0..9000).map(tag), &[]).unwrap();
    assert_eq!(&*row.targets, "gh:%all");
    assert_eq!(read(&cache, 1).await, 1);
    let names = || fake.snapshot().1.into_keys().collect::<BTreeSet<_>>();
    let before = names();
    table.commit(OutboxRow { id: 1, targets: "session:42\n\ngh:v1:user:1\ngh:%tag:".into() });
    until(|| table.len() == 0).await;
    assert_eq!(read(&cache, 2).await, 2, "to be safe everything went");
    assert_eq!(names(), before);
}

#[tokio::test(start_paused = true)]
async fn rows_of_another_prefix_on_the_same_server_are_relayed_too() {
    let (fake, table) = (Arc::new(Fake::default()), Arc::new(Table::default()));
    let other = Cache::builder().shared(fake.clone()).prefix("other").jitter(false).build();
    assert_eq!(read(&other, 1).await, 1);
    let _relaying = process(&fake, &table).await;
    table.commit(OutboxRow { id: 1, targets: "other:%tag:user:1".into() });
    until(|| table.len() == 0).await;
    assert_eq!(read(&other, 2).await, 2);
}

#[tokio::test(start_paused = true)]
async fn more_rows_than_fit_a_batch_are_drained_in_one_look() {
    let (fake, table) = (Arc::new(Fake::default()), Arc::new(Table::default()));
    for id in 0..1700 {
        table.commit(OutboxRow { id, targets: format!("gh:%tag:user:{id}").into() });
    }
    let cache = process(&fake, &table).await;
    assert_eq!((table.len(), cache.stats().relayed_rows), (0, 1700));
}

#[tokio::test(start_paused = true)]
async fn the_relay_ends_with_the_cache_and_takes_finished_rows_along() {
    let (fake, table) = (Arc::new(Fake::default()), Arc::new(Table::default()));
    let cache = process(&fake, &table).await;
    let mut write = cache.begin_write([tag(1)]);
    table.commit(write.outbox_row().unwrap());
    assert!(write.committed().await);
    drop(cache);
    until(|| Arc::strong_count(&table) == 1).await;
    assert_eq!(table.len(), 0);
}

/// A relay lives on a runtime. When that one ends, the next write on another starts it again.
#[test]
fn a_relay_whose_runtime_ended_is_started_again() {
    let runtime = || {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.enable_all().start_paused(true).build().unwrap()
    };
    let (fake, table) = (Arc::new(Fake::default()), Arc::new(Table::default()));
    let cache = runtime().block_on(process(&fake, &table));
    runtime().block_on(async {
        let mut write = cache.begin_write([tag(1)]);
        table.commit(write.outbox_row().unwrap());
        drop(write);
        until(|| table.len() == 0).await;
    });
}
