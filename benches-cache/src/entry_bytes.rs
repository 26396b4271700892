//! What a cached value costs in memory.

use std::convert::Infallible;
use std::sync::Arc;

use guildhall_cache::{Cache, Key, Tag};
use stats_alloc::Region;

use crate::peers::TTL;
use crate::table::{Row, Unit};

const ENTRIES: usize = 100_000;
/// Twice as many as there is room for: the caches are full, and remember what they gave up.
const PUT: i64 = 2 * ENTRIES as i64;
const VALUE_BYTES: usize = 200;

fn value() -> Arc<[u8]> {
    Arc::from([7; VALUE_BYTES])
}

pub(crate) async fn run() -> Vec<Row> {
    let ours = ours().await;
    let row = |baseline: &str, bytes: f64| {
        let what = format!("a value of {VALUE_BYTES} bytes among {ENTRIES}, bytes an entry");
        Row::once("entry_bytes", what, ours, Unit::Bytes).against_once(baseline, bytes)
    };
    vec![row("quick_cache", quick()), row("moka", moka()), row("foyer, lru", foyer())]
}

/// Bytes that are allocated and not freed, a live entry.
fn each<C>(region: &Region<'_, std::alloc::System>, full: &C, entries: impl Fn(&C) -> u64) -> f64 {
    let change = region.change();
    let bytes = change.bytes_allocated - change.bytes_deallocated;
    bytes as f64 / entries(full) as f64
}

async fn ours() -> f64 {
    let region = Region::new(crate::ALLOCATOR);
    let cache = Cache::builder().memory().max_entries(ENTRIES as u64).max_bytes(1 << 30).build();
    for id in 0..PUT {
        let entry =
            cache.entry::<Arc<[u8]>>(Key::new("member").id(id), [Tag::new("member").id(id)], TTL);
        let Ok(_) = entry.get_or_load(async || Ok::<_, Infallible>(value())).await;
    }
    each(&region, &cache, |cache| cache.stats().total.entries)
}

fn quick() -> f64 {
    let region = Region::new(crate::ALLOCATOR);
    let cache = quick_cache::sync::Cache::new(ENTRIES);
    (0..PUT).for_each(|id| cache.insert(id, value()));
    each(&region, &cache, |cache| cache.len() as u64)
}

fn moka() -> f64 {
    let region = Region::new(crate::ALLOCATOR);
    let cache = moka::sync::Cache::new(ENTRIES as u64);
    (0..PUT).for_each(|id| cache.insert(id, value()));
    cache.run_pending_tasks();
    each(&region, &cache, |cache| cache.entry_count())
}

fn foyer() -> f64 {
    let region = Region::new(crate::ALLOCATOR);
    let cache: foyer_memory::Cache<i64, Arc<[u8]>> =
        foyer_memory::CacheBuilder::new(ENTRIES).build();
    (0..PUT).for_each(|id| drop(cache.insert(id, value())));
    each(&region, &cache, |cache| cache.usage() as u64)
}
