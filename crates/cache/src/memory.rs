//! The in-process level: values as they are, bounded by entries and by bytes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use quick_cache::sync::Cache as Table;
use quick_cache::{Lifecycle, OptionsBuilder, Weighter};

use crate::hash::Precomputed;
use crate::held::Held;
use crate::key::Key;
use crate::namespace::{Count, Namespaces};

/// No entry weighs less than its share of the bytes, so the one limit bounds both.
#[derive(Clone)]
struct ByBytes {
    least: u64,
}

impl Weighter<Key, Held> for ByBytes {
    fn weight(&self, _: &Key, held: &Held) -> u64 {
        held.bytes.max(self.least)
    }
}

#[derive(Clone)]
struct Evicted(Arc<Namespaces>);

impl Lifecycle<Key, Held> for Evicted {
    /// Kept until the lock is released: dropping a value may be slow.
    type RequestState = Vec<(Key, Held)>;

    fn on_evict(&self, state: &mut Self::RequestState, key: Key, held: Held) {
        self.0.get(key.namespace(), key.0.namespace_hash()).evictions.count();
        state.push((key, held));
    }
}

/// Share of the room for entries that were read again. The rest is for new ones to prove
/// themselves: quick_cache's own 97 % leaves a small cache too little of it. Measured on traces.
const HOT: f64 = 0.85;
/// So many evicted keys a held entry are remembered, to know those that come back.
const GHOSTS: f64 = 0.75;
/// A part of the table with fewer entries than this evicts noticeably worse.
const ENTRIES_A_SHARD: u64 = 128;

pub(crate) struct Memory {
    table: Table<Key, Held, ByBytes, Precomputed, Evicted>,
    entries_max: u64,
    puts: AtomicU64,
}

impl Memory {
    pub(crate) fn new(entries_max: u64, bytes_max: u64, namespaces: Arc<Namespaces>) -> Self {
        let entries_max = entries_max.clamp(1, bytes_max.max(1));
        let least = bytes_max.max(1).div_ceil(entries_max);
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let shards_max = usize::try_from(entries_max / ENTRIES_A_SHARD).unwrap_or(usize::MAX);
        let options = OptionsBuilder::new()
            .estimated_items_capacity(usize::try_from(entries_max).unwrap_or(usize::MAX))
            .weight_capacity(bytes_max.max(1))
            .hot_allocation(HOT)
            .ghost_allocation(GHOSTS)
            .shards((4 * cores).min(shards_max).max(1))
            .build();
        let weighter = ByBytes { least };
        let table = match options {
            Ok(options) => {
                Table::with_options(options, weighter, Precomputed::default(), Evicted(namespaces))
            }
            // Cannot happen: both settings are given. `with` would panic where this degrades.
            Err(_) => Table::with(1, 1, weighter, Precomputed::default(), Evicted(namespaces)),
        };
        Self { table, entries_max, puts: AtomicU64::default() }
    }

    #[inline]
    pub(crate) fn get(&self, key: &Key) -> Option<Held> {
        self.table.get(key)
    }

    /// Where no task sweeps, once in `entries_max` puts the expired entries go.
    pub(crate) fn put(&self, key: Key, held: Held, now_ns: u64) {
        self.table.insert(key, held);
        if self.puts.fetch_add(1, Ordering::Relaxed) % self.entries_max == self.entries_max - 1 {
            self.sweep(now_ns);
        }
    }

    /// Frees what has expired, shard by shard.
    pub(crate) fn sweep(&self, now_ns: u64) {
        self.table.retain(|_, held| held.gone_ns > now_ns);
    }

    /// Entries and bytes, by key, for the statistics. Walks the whole table.
    pub(crate) fn each(&self, mut visit: impl FnMut(&Key, u64)) {
        self.table.iter().for_each(|(key, held)| visit(&key, held.bytes));
    }

    /// Frees the entries chosen, and says how many. Their generation is what invalidates them.
    pub(crate) fn free(&self, chosen: impl Fn(&Key) -> bool) -> u64 {
        let freed = AtomicU64::default();
        self.table.retain(|key, _| {
            let goes = chosen(key);
            freed.fetch_add(u64::from(goes), Ordering::Relaxed);
            !goes
        });
        freed.into_inner()
    }
}
