//! Namespaces: counters and a generation each, found without a lock.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use hdrhistogram::Histogram;

use crate::generations::Slot;
use crate::name::namespace_hash;
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
pub(crate) struct Striped {
    lines: [Line; Striped::LINES],
    /// What the lines held when it was last reset: only its own thread writes a line.
    before: AtomicU64,
}

/// Two lines of 64 bytes: processors fetch them in pairs.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Line(AtomicU64);

/// The place where this thread counts.
#[derive(Clone, Copy)]
pub(crate) struct Own<'s> {
    line: &'s AtomicU64,
    is_shared: bool,
}

impl Own<'_> {
    /// Whether what is counted next is one that is timed: every 64th.
    #[inline(always)]
    pub(crate) fn is_sampled(self) -> bool {
        self.line.load(Ordering::Relaxed).is_multiple_of(64)
    }

    #[inline(always)]
    pub(crate) fn count(self) {
        if self.is_shared {
            self.line.count();
        } else {
            // Nobody else writes it: no need to lock the line.
            self.line.store(self.line.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
        }
    }
}

impl Striped {
    /// Lines that one thread each has to itself, for good.
    const OWNED: usize = 16;
    /// Lines that all later threads share in turn.
    const SHARED: usize = 8;
    const LINES: usize = Self::OWNED + Self::SHARED;

    /// Where this thread counts.
    #[inline]
    pub(crate) fn own(&self) -> Own<'_> {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        thread_local! {
            static THREAD: Cell<usize> = const { Cell::new(usize::MAX) };
        }
        let thread = THREAD.with(|thread| {
            if thread.get() == usize::MAX {
                thread.set(NEXT.fetch_add(1, Ordering::Relaxed));
            }
            thread.get()
        });
        let is_shared = thread >= Self::OWNED;
        let at = if is_shared { Self::OWNED + thread % Self::SHARED } else { thread };
        Own { line: &self.lines[at].0, is_shared }
    }

    pub(crate) fn count(&self) {
        self.own().count();
    }

    fn sum(&self) -> u64 {
        let lines = self.lines.iter().map(|line| line.0.load(Ordering::Relaxed));
        lines.fold(0, u64::wrapping_add)
    }

    fn total(&self) -> u64 {
        self.sum().wrapping_sub(self.before.load(Ordering::Relaxed))
    }

    fn reset(&self) {
        self.before.store(self.sum(), Ordering::Relaxed);
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
    pub(crate) unsettled: AtomicU64,
    pub(crate) overtagged: AtomicU64,
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
            unsettled: AtomicU64::default(),
            overtagged: AtomicU64::default(),
            hit_ns: Timings::default(),
            load_ns: Timings::default(),
        }
    }

    fn counters(&self) -> [&AtomicU64; 15] {
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
            &self.unsettled,
            &self.overtagged,
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
            unsettled: read(&self.unsettled),
            overtagged: read(&self.overtagged),
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

/// `extern "C"` tells the compiler that nothing unwinds from here: see `hash::draw_seed`.
#[cold]
#[expect(improper_ctypes_definitions, reason = "nobody but Rust calls it")]
extern "C" fn occupy<'p>(place: &'p OnceLock<Box<Namespace>>, name: &'static str) -> &'p Namespace {
    place.get_or_init(|| Box::new(Namespace::new(name)))
}

/// All namespaces seen so far, in an open-addressed table that only ever grows.
#[derive(Debug)]
pub(crate) struct Namespaces {
    table: Box<[OnceLock<Box<Namespace>>; Self::PLACES]>,
    /// Shared by all that find no place. Clearing one of them clears them all.
    overflow: Namespace,
}

impl Namespaces {
    const PLACES: usize = 256;

    pub(crate) fn new() -> Self {
        let table = Box::new([const { OnceLock::new() }; Self::PLACES]);
        Self { table, overflow: Namespace::new("(other)") }
    }

    pub(crate) fn named(&self, name: &'static str) -> &Namespace {
        self.get(name, namespace_hash(name.as_bytes()))
    }

    /// The namespace of a name from outside, if this process has used it.
    pub(crate) fn find(&self, name: &str) -> Option<&Namespace> {
        let hash = namespace_hash(name.as_bytes());
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
            let namespace = match place.get() {
                Some(namespace) => namespace,
                None => occupy(place, name),
            };
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
    fn no_count_is_lost_between_threads_and_a_reset_begins_anew() {
        let counter = Striped::default();
        let all = || {
            std::thread::scope(|scope| {
                for _ in 0..3 * Striped::LINES {
                    scope.spawn(|| (0..1_000).for_each(|_| counter.count()));
                }
            });
        };
        all();
        assert_eq!(counter.total(), 3_000 * Striped::LINES as u64);
        counter.reset();
        assert_eq!(counter.total(), 0);
        all();
        assert_eq!(counter.total(), 3_000 * Striped::LINES as u64);
    }

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
