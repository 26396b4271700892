//! All statements: found by type or by text, made once, never removed.

use std::any::TypeId;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, OnceLock, PoisonError, RwLock};

use xxhash_rust::xxh3::xxh3_64;

use super::entry::Entry;
use super::paging::Paging;
use crate::fingerprint::{Fingerprint, System, normalise};

/// Where an entry stands. 0 is [`OTHER`].
pub(crate) type Index = u32;

/// The entry of all that does not fit.
pub(crate) const OTHER: Index = 0;

const SHARDS: usize = 16;

/// How many types a shard knows. A program has a fixed number of them; this is for one that has
/// very many.
const TYPES_MAX: usize = 1_024;

/// The result of a look-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) index: Index,
    pub(crate) batch: u32,
    /// Of this text: others of the same entry may be paged by other binds.
    pub(crate) paging: Paging,
    /// Which of this text's values are bound, and how: the places of its binds mean the same as in
    /// any text of the entry for which this is equal.
    pub(crate) binding: u64,
}

impl Default for Known {
    /// What cannot be told apart.
    fn default() -> Self {
        Self { index: OTHER, batch: 1, paging: Paging::default(), binding: 0 }
    }
}

type Shard<K> = RwLock<HashMap<K, Known, BuildHasherDefault<Ready>>>;

pub(crate) struct Registry {
    entries: Box<[OnceLock<Box<Entry>>]>,
    /// Fingerprints of all entries, and how many there are.
    by_fingerprint: Mutex<HashMap<Fingerprint, Index>>,
    by_type: [Shard<(TypeId, System)>; SHARDS],
    /// By the hash of the text as it was sent. A shard that is full is emptied: texts with their
    /// values written out are endless.
    by_text: [Shard<u64>; SHARDS],
    texts_max: usize,
    pub(crate) not_understood: AtomicU64,
    pub(crate) normalised: AtomicU64,
}

impl Registry {
    pub(crate) fn new(statements_max: usize) -> Self {
        let entries: Box<[OnceLock<Box<Entry>>]> =
            (0..=statements_max).map(|_| OnceLock::new()).collect();
        if let Some(first) = entries.first() {
            first.get_or_init(|| Box::new(Entry::other()));
        }
        Self {
            entries,
            by_fingerprint: Mutex::default(),
            by_type: Default::default(),
            by_text: Default::default(),
            texts_max: (statements_max * 4 / SHARDS).max(16),
            not_understood: AtomicU64::new(0),
            normalised: AtomicU64::new(0),
        }
    }

    /// The entry of a statically known statement. The text is built for the first call only; `None`
    /// where it cannot be.
    #[inline]
    pub(crate) fn typed(
        &self,
        id: TypeId,
        system: System,
        text: impl FnOnce() -> Option<String>,
    ) -> Option<Known> {
        let key = (id, system);
        let shard = shard(&self.by_type, ready(|state| std::hash::Hash::hash(&key, state)));
        if let Some(known) = shard.read().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Some(*known);
        }
        let known = self.text(&text()?, system);
        let mut shard = shard.write().unwrap_or_else(PoisonError::into_inner);
        if shard.len() < TYPES_MAX {
            shard.insert(key, known);
        }
        Some(known)
    }

    /// The entry of a text.
    pub(crate) fn text(&self, sql: &str, system: System) -> Known {
        let hash = xxh3_64(sql.as_bytes()) ^ u64::from(system == System::Sqlite);
        let shard = shard(&self.by_text, hash);
        if let Some(known) = shard.read().unwrap_or_else(PoisonError::into_inner).get(&hash) {
            return *known;
        }
        let known = self.read(sql, system);
        let mut shard = shard.write().unwrap_or_else(PoisonError::into_inner);
        if shard.len() >= self.texts_max {
            shard.clear();
        }
        shard.insert(hash, known);
        known
    }

    fn read(&self, sql: &str, system: System) -> Known {
        let normal = normalise(sql, system);
        self.normalised.fetch_add(1, Relaxed);
        if !normal.understood {
            self.not_understood.fetch_add(1, Relaxed);
        }
        let known = |index| Known {
            index,
            batch: normal.batch,
            paging: Paging::of(&normal),
            binding: normal.binding,
        };
        let mut indexes = self.by_fingerprint.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(index) = indexes.get(&normal.fingerprint) {
            return known(*index);
        }
        let next = indexes.len() + 1;
        let (Some(slot), Ok(index)) = (self.entries.get(next), Index::try_from(next)) else {
            return Known { batch: normal.batch, ..Known::default() };
        };
        let (known, fingerprint) = (known(index), normal.fingerprint);
        let entry = slot.get_or_init(|| Box::new(Entry::new(normal, system)));
        entry.samples.note_text(sql);
        indexes.insert(fingerprint, index);
        known
    }

    /// `None` for an index that was not given out, which none is.
    #[inline]
    pub(crate) fn entry(&self, index: Index) -> Option<&Entry> {
        self.entries.get(index as usize)?.get().map(|entry| &**entry)
    }

    /// All entries in the order of their first call, [`OTHER`] first.
    pub(crate) fn entries(&self) -> impl Iterator<Item = &Entry> + '_ {
        self.entries.iter().map_while(|slot| slot.get().map(|entry| &**entry))
    }

    /// How many statements are told apart, and how many could be.
    pub(crate) fn used(&self) -> (usize, usize) {
        let used = self.by_fingerprint.lock().unwrap_or_else(PoisonError::into_inner).len();
        (used, self.entries.len() - 1)
    }

    /// How many texts are remembered: bounded, whatever is sent.
    pub(crate) fn texts(&self) -> usize {
        let lens =
            self.by_text.iter().map(|s| s.read().unwrap_or_else(PoisonError::into_inner).len());
        lens.sum()
    }
}

fn shard<K>(shards: &[Shard<K>; SHARDS], hash: u64) -> &Shard<K> {
    // The map below uses the lowest and the highest bits.
    &shards[(hash >> 32) as usize % SHARDS]
}

fn ready(hash: impl FnOnce(&mut Ready)) -> u64 {
    let mut state = Ready::default();
    hash(&mut state);
    state.finish()
}

/// A type's own hash: the compiler made it one.
#[inline]
pub(crate) fn hash_of(id: TypeId) -> u64 {
    ready(|state| std::hash::Hash::hash(&id, state))
}

/// For keys that are hashes already: a `TypeId`, a hash of a text.
#[derive(Clone, Copy, Default)]
struct Ready(u64);

impl Hasher for Ready {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = xxh3_64(bytes) ^ self.0.rotate_left(5);
    }

    fn write_u64(&mut self, part: u64) {
        self.0 = part ^ self.0.rotate_left(5);
    }

    fn write_u128(&mut self, part: u128) {
        self.write_u64((part ^ (part >> 64)) as u64);
    }

    fn write_isize(&mut self, part: isize) {
        // The number of a variant: `System`.
        self.0 ^= (part as u64) << 40;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_in_values_is_one_entry() {
        let registry = Registry::new(10);
        let one = registry.text("SELECT a FROM t WHERE b = 1", System::Postgres);
        let two = registry.text("SELECT a FROM t WHERE b = 2", System::Postgres);
        assert_eq!(one, two);
        assert_ne!(one.index, OTHER);
        assert_eq!(registry.used(), (1, 10));
    }

    #[test]
    fn a_text_has_its_own_places_although_its_entry_is_shared() {
        let registry = Registry::new(10);
        let text = |list| format!("SELECT a FROM t WHERE b IN ({list}) LIMIT ?");
        let one = registry.text(&text("?"), System::Sqlite);
        let three = registry.text(&text("?, ?, ?"), System::Sqlite);
        assert_eq!(one.index, three.index);
        let shown = ["111", "222", "333", "10"].map(str::to_owned);
        assert_eq!(three.paging.values(&shown), (Some(10), None));
        assert_ne!(one.binding, three.binding);
        assert_eq!(size_of::<Known>(), 32, "each type and each text that is known has one");
    }

    #[test]
    fn what_does_not_fit_is_counted_as_other() {
        let registry = Registry::new(10);
        let indexes: Vec<Index> = (0..5_000)
            .map(|n| registry.text(&format!("SELECT a FROM t{n}"), System::Sqlite).index)
            .collect();
        assert_eq!(indexes.iter().filter(|index| **index == OTHER).count(), 4_990);
        assert_eq!(registry.used(), (10, 10));
        assert!(registry.texts() <= 16 * SHARDS, "{}", registry.texts());
    }

    #[test]
    fn a_type_builds_its_text_once() {
        let registry = Registry::new(10);
        let id = TypeId::of::<u8>();
        let text = || Some("SELECT 1".to_owned());
        let first = registry.typed(id, System::Postgres, text);
        let again = registry.typed(id, System::Postgres, || unreachable!("the text is known"));
        assert_eq!(first, again);
        // The other database has its own dialect; a text that cannot be built is nobody's.
        assert_eq!(registry.typed(id, System::Sqlite, text), first);
        assert_eq!(registry.typed(TypeId::of::<i8>(), System::Sqlite, || None), None);
    }
}
