//! Namespaces: counters and a generation each, found without a lock.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use hdrhistogram::Histogram;

use crate::generations::Slot;
use crate::hash::Fold;
use crate::stats::{NamespaceStats, Percentiles};

/// Adds one. Relaxed: counters order nothing.
pub(crate) trait Count {
    fn count(&self) -> u64;
}

impl Count for AtomicU64 {
    #[inline]
    fn count(&self) -> u64 {
        self.fetch_add(1, Ordering::Relaxed)
    }
}

/// A counter that many threads raise at once, each on a line of memory of its own: a hit would
/// otherwise wait for the line from another core.
#[derive(Debug, Default)]
pub(crate) struct Striped([Line; Striped::STRIPES]);

/// Two lines of 64 bytes: processors fetch them in pairs.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Line(AtomicU64);

impl Striped {
    const STRIPES: usize = 8;

    /// The stripe of this thread. Threads take turns, so that a few share none.
    #[inline]
    fn own() -> usize {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        thread_local! {
            static OWN: Cell<usize> = const { Cell::new(usize::MAX) };
        }
        OWN.with(|own| {
            if own.get() == usize::MAX {
                own.set(NEXT.fetch_add(1, Ordering::Relaxed) % Self::STRIPES);
            }
            own.get()
        })
    }

    fn total(&self) -> u64 {
        self.0.iter().map(|line| line.0.load(Ordering::Relaxed)).sum()
    }

    fn reset(&self) {
        self.0.iter().for_each(|line| line.0.store(0, Ordering::Relaxed));
    }
}

impl Count for Striped {
    /// What this thread's stripe held before.
    #[inline]
    fn count(&self) -> u64 {
        self.0[Self::own()].0.fetch_add(1, Ordering::Relaxed)
    }
}

/// What the engine keeps per namespace.
#[derive(Debug)]
pub(crate) struct Namespace {
    pub(crate) name: &'static str,
    /// Counts for every entry of the namespace.
    pub(crate) slot: Slot,
    pub(crate) hits: Striped,
    pub(crate) misses: AtomicU64,
    pub(crate) negative_hits: AtomicU64,
    pub(crate) loads: AtomicU64,
    pub(crate) load_errors: AtomicU64,
    pub(crate) coalesced_waits: AtomicU64,
    pub(crate) sets: AtomicU64,
    pub(crate) invalidations: AtomicU64,
    pub(crate) evictions: AtomicU64,
    pub(crate) errors: AtomicU64,
    pub(crate) stale_served: AtomicU64,
    pub(crate) background_failures: AtomicU64,
    pub(crate) audits: AtomicU64,
    pub(crate) audit_stale: AtomicU64,
    pub(crate) hit_ns: Timings,
    pub(crate) load_ns: Timings,
}

impl Namespace {
    fn new(name: &'static str) -> Self {
        Self {
            name,
            slot: Slot::default(),
            hits: Striped::default(),
            misses: AtomicU64::default(),
            negative_hits: AtomicU64::default(),
            loads: AtomicU64::default(),
            load_errors: AtomicU64::default(),
            coalesced_waits: AtomicU64::default(),
            sets: AtomicU64::default(),
            invalidations: AtomicU64::default(),
            evictions: AtomicU64::default(),
            errors: AtomicU64::default(),
            stale_served: AtomicU64::default(),
            background_failures: AtomicU64::default(),
            audits: AtomicU64::default(),
            audit_stale: AtomicU64::default(),
            hit_ns: Timings::default(),
            load_ns: Timings::default(),
        }
    }

    fn counters(&self) -> [&AtomicU64; 13] {
        [
            &self.misses,
            &self.negative_hits,
            &self.loads,
            &self.load_errors,
            &self.coalesced_waits,
            &self.sets,
            &self.invalidations,
            &self.evictions,
            &self.errors,
            &self.stale_served,
            &self.background_failures,
            &self.audits,
            &self.audit_stale,
        ]
    }

    pub(crate) fn snapshot(&self) -> NamespaceStats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        NamespaceStats {
            hits: self.hits.total(),
            misses: read(&self.misses),
            negative_hits: read(&self.negative_hits),
            stale_served: read(&self.stale_served),
            loads: read(&self.loads),
            load_errors: read(&self.load_errors),
            background_failures: read(&self.background_failures),
            coalesced_waits: read(&self.coalesced_waits),
            sets: read(&self.sets),
            invalidations: read(&self.invalidations),
            evictions: read(&self.evictions),
            errors: read(&self.errors),
            audits: read(&self.audits),
            audit_stale: read(&self.audit_stale),
            entries: 0,
            bytes: 0,
            hit_ns: self.hit_ns.percentiles(),
            load_ns: self.load_ns.percentiles(),
        }
    }

    pub(crate) fn reset(&self) {
        self.hits.reset();
        self.counters().iter().for_each(|counter| counter.store(0, Ordering::Relaxed));
        self.hit_ns.reset();
        self.load_ns.reset();
    }
}

/// A histogram of durations, two significant digits. Made when first used.
#[derive(Debug, Default)]
pub(crate) struct Timings(Mutex<Option<Histogram<u64>>>);

impl Timings {
    pub(crate) fn record(&self, ns: u64) {
        let mut guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if guard.is_none() {
            *guard = Histogram::new_with_bounds(1, 3_600_000_000_000, 2).ok();
        }
        if let Some(histogram) = guard.as_mut() {
            histogram.saturating_record(ns);
        }
    }

    fn percentiles(&self) -> Percentiles {
        let guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        guard.as_ref().map_or_else(Percentiles::default, |histogram| {
            let at = |quantile| histogram.value_at_quantile(quantile);
            Percentiles { p50: at(0.50), p95: at(0.95), p99: at(0.99) }
        })
    }

    fn reset(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// All namespaces seen so far, in an open-addressed table that only ever grows.
#[derive(Debug)]
pub(crate) struct Namespaces {
    table: Box<[OnceLock<Box<Namespace>>]>,
    /// Shared by all that find no place. Clearing one of them clears them all.
    overflow: Namespace,
}

impl Namespaces {
    const PLACES: usize = 256;

    pub(crate) fn new() -> Self {
        let table = (0..Self::PLACES).map(|_| OnceLock::new()).collect();
        Self { table, overflow: Namespace::new("(other)") }
    }

    pub(crate) fn named(&self, name: &'static str) -> &Namespace {
        self.get(name, Fold::seeded().bytes(name.as_bytes()).get())
    }

    /// The namespace of a name from outside, if this process has used it.
    pub(crate) fn find(&self, name: &str) -> Option<&Namespace> {
        let hash = Fold::seeded().bytes(name.as_bytes()).get();
        for step in 0..Self::PLACES {
            let place = &self.table[(hash as usize).wrapping_add(step) % Self::PLACES];
            let namespace = place.get()?;
            if namespace.name == name {
                return Some(namespace);
            }
        }
        Some(&self.overflow)
    }

    #[inline]
    pub(crate) fn get(&self, name: &'static str, hash: u64) -> &Namespace {
        for step in 0..Self::PLACES {
            let place = &self.table[(hash as usize).wrapping_add(step) % Self::PLACES];
            let namespace = place.get_or_init(|| Box::new(Namespace::new(name)));
            if std::ptr::eq(namespace.name, name) || namespace.name == name {
                return namespace;
            }
        }
        &self.overflow
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Namespace> {
        let taken = self.table.iter().filter_map(|place| place.get().map(AsRef::as_ref));
        taken.chain([&self.overflow])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_beyond_the_table_share_one_namespace() {
        let namespaces = Namespaces::new();
        let names: Vec<&'static str> = (0..300).map(|index| &*format!("n{index}").leak()).collect();
        names.iter().for_each(|name| {
            namespaces.named(name).hits.count();
        });
        assert_eq!(namespaces.named(names[0]).hits.total(), 1);
        assert_eq!(namespaces.overflow.hits.total(), 44);
        assert_eq!(namespaces.named(names[0]).name, "n0");
        assert_eq!(namespaces.named(names[299]).name, "(other)");
        assert_eq!(namespaces.iter().count(), 257);
    }
}
