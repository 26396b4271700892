//! The in-process level: values as they are, bounded by entries and by bytes.

use std::cell::Cell;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use quick_cache::sync::Cache as Table;
use quick_cache::{Equivalent, Lifecycle, OptionsBuilder, Weighter};

use crate::hash::Precomputed;
use crate::held::Held;
use crate::key::Key;
use crate::namespace::{Count, Namespaces};

/// What the table holds. Key and value are one: an entry costs the table a pointer, and so does
/// an evicted key that it remembers.
#[derive(Clone)]
struct Place(Held);

impl PartialEq for Place {
    fn eq(&self, other: &Self) -> bool {
        self.0.name == other.0.name
    }
}

impl Eq for Place {}

impl Hash for Place {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0.name.hash());
    }
}

/// Looks at an entry where it is. The table would only give a copy of what it holds, and to copy
/// is to count references up and down; the key it lends, to compare it.
struct Look<'k, F, R> {
    key: &'k Key,
    look: F,
    found: Cell<Option<R>>,
}

impl<F, R> Hash for Look<'_, F, R> {
    #[inline(always)]
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key.hash(state);
    }
}

impl<F, R> Equivalent<Place> for Look<'_, F, R>
where
    F: Fn(&Held) -> Option<R>,
{
    #[inline(always)]
    fn equivalent(&self, place: &Place) -> bool {
        let same = self.key.0.is(&place.0.name);
        if same {
            self.found.set((self.look)(&place.0));
        }
        same
    }
}

/// Whatever has a name of this hash.
struct Hashed(u64);

impl Hash for Hashed {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0);
    }
}

impl Equivalent<Place> for Hashed {
    fn equivalent(&self, place: &Place) -> bool {
        place.0.name.hash() == self.0
    }
}

/// No entry weighs less than its share of the bytes, so the one limit bounds both.
#[derive(Clone)]
struct ByBytes {
    least: u64,
}

impl Weighter<Place, ()> for ByBytes {
    fn weight(&self, place: &Place, (): &()) -> u64 {
        place.0.bytes.max(self.least)
    }
}

#[derive(Clone)]
struct Evicted;

impl Lifecycle<Place, ()> for Evicted {
    /// Kept until the lock is released: dropping a value may be slow.
    type RequestState = Vec<Held>;

    fn on_evict(&self, state: &mut Self::RequestState, place: Place, (): ()) {
        state.push(place.0);
    }
}

/// Share of the room for entries that were read again. The rest is for new ones to prove
/// themselves: quick_cache's own 97 % leaves a small cache too little of it. Measured on traces.
const HOT: f64 = 0.85;
/// So many evicted keys a held entry are remembered, to know those that come back.
const GHOSTS: f64 = 1.0;
/// A part of the table with fewer entries than this evicts noticeably worse.
const ENTRIES_A_SHARD: u64 = 128;

pub(crate) struct Memory {
    table: Table<Place, (), ByBytes, Precomputed, Evicted>,
    entries_max: u64,
    puts: AtomicU64,
    namespaces: Arc<Namespaces>,
}

impl Memory {
    pub(crate) fn new(entries_max: u64, bytes_max: u64, namespaces: Arc<Namespaces>) -> Self {
        let entries_max = entries_max.clamp(1, bytes_max.max(1));
        let least = bytes_max.max(1).div_ceil(entries_max);
        let options = OptionsBuilder::new()
            .estimated_items_capacity(usize::try_from(entries_max).unwrap_or(usize::MAX))
            .weight_capacity(bytes_max.max(1))
            .hot_allocation(HOT)
            .ghost_allocation(GHOSTS)
            .shards(shards(entries_max))
            .build();
        let (weighter, hasher) = (ByBytes { least }, Precomputed::default());
        let table = match options {
            Ok(options) => Table::with_options(options, weighter, hasher, Evicted),
            // Cannot happen: both settings are given. `with` would panic where this degrades.
            Err(_) => Table::with(1, 1, weighter, hasher, Evicted),
        };
        Self { table, entries_max, puts: AtomicU64::default(), namespaces }
    }

    /// What `look` makes of the entry. It runs under a lock: it is short, and asks no cache.
    #[inline(always)]
    pub(crate) fn look<R>(&self, key: &Key, look: impl Fn(&Held) -> Option<R>) -> Option<R> {
        let look = Look { key, look, found: Cell::new(None) };
        self.table.get(&look);
        look.found.into_inner()
    }

    /// Where no task sweeps, once in `entries_max` puts the expired entries go.
    pub(crate) fn put(&self, held: Held, now_ns: u64) {
        let mut gone = Vec::new();
        let this = Arc::clone(&held);
        self.table.insert_with_lifecycle(Place(held), (), &mut gone);
        for other in gone {
            // The one in whose place it came was not evicted.
            if Arc::ptr_eq(&other, &this) || other.name != this.name {
                self.namespaces.named(other.name.namespace()).evictions.count();
            }
        }
        if self.puts.fetch_add(1, Ordering::Relaxed) % self.entries_max == self.entries_max - 1 {
            self.sweep(now_ns);
        }
    }

    /// Frees what has expired, shard by shard, and says how much that was.
    pub(crate) fn sweep(&self, now_ns: u64) -> u64 {
        let freed = AtomicU64::default();
        self.table.retain(|place, ()| {
            let stays = place.0.gone_ns > now_ns;
            freed.fetch_add(u64::from(!stays), Ordering::Relaxed);
            stays
        });
        freed.into_inner()
    }

    /// Entries and bytes, by namespace, for the statistics. Walks the whole table.
    pub(crate) fn each(&self, mut visit: impl FnMut(&'static str, u64)) {
        self.table.iter().for_each(|(place, ())| visit(place.0.name.namespace(), place.0.bytes));
    }

    /// Frees the entry whose key has a name of this hash.
    pub(crate) fn free_named(&self, hash: u64) {
        self.table.remove_if(&Hashed(hash), |()| true);
    }

    /// Frees the entries of the namespaces chosen, and says how many. Their generation is what
    /// invalidates them.
    pub(crate) fn free(&self, chosen: impl Fn(&'static str) -> bool) -> u64 {
        let freed = AtomicU64::default();
        self.table.retain(|place, ()| {
            let goes = chosen(place.0.name.namespace());
            freed.fetch_add(u64::from(goes), Ordering::Relaxed);
            !goes
        });
        freed.into_inner()
    }
}

/// The table rounds up to a power of two; this is one.
fn shards(entries_max: u64) -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let shards_max = usize::try_from(entries_max / ENTRIES_A_SHARD).unwrap_or(usize::MAX);
    let shards = (4 * cores).min(shards_max).max(1);
    1 << shards.ilog2()
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::time::Duration;

    use crate::{Cache, Key, Tag};

    async fn read(cache: &Cache, key: Key, id: i64) {
        let entry = cache.entry::<i64>(key, [Tag::new("row").id(id)], Duration::from_secs(60));
        assert_eq!(entry.get_or_load(async || Ok::<_, Infallible>(id)).await, Ok(id));
    }

    #[tokio::test]
    async fn a_write_frees_the_entry_that_is_named_like_its_tag() {
        let cache = Cache::builder().memory().build();
        for id in 0..3 {
            read(&cache, Key::new("row").id(id), id).await;
            read(&cache, Key::new("row").id(id).part("more"), id).await;
        }
        assert!(cache.invalidate([Tag::new("row").id(1)]).await);
        let total = cache.stats().total;
        assert_eq!((total.entries, total.evictions), (5, 0));
    }

    #[tokio::test]
    async fn only_what_was_dropped_for_want_of_room_counts_as_evicted() {
        let cache = Cache::builder().memory().max_entries(10).build();
        for round in 0..3 {
            read(&cache, Key::new("row").part("kept"), 1).await;
            assert!(cache.invalidate([Tag::new("row").id(1)]).await);
            assert_eq!(cache.stats().total.evictions, 0, "round {round}");
        }
        for id in 100..120 {
            read(&cache, Key::new("row").id(id), id).await;
        }
        let total = cache.stats().total;
        assert_eq!(total.entries + total.evictions, 21);
    }

    #[test]
    fn no_part_of_the_table_is_too_small_to_evict_well() {
        for entries_max in [1, 127, 128, 204, 763, 7_634, 1 << 40] {
            let shards = super::shards(entries_max);
            assert!(shards.is_power_of_two());
            assert!(shards == 1 || entries_max / shards as u64 >= super::ENTRIES_A_SHARD);
        }
    }
}
