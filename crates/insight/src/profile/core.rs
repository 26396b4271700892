//! What all connections of a profiler share.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Weak};
use std::time::Instant;

use super::clock::{Clock, SystemClock};
use super::finding::Findings;
use super::operation::Operations;
use super::options::Options;
use super::registry::Registry;
use super::slow::SlowLog;

/// One call in so many has the profiler's own time taken.
const OWN_TIME_EVERY: u32 = 256;

/// So many of the latest are kept.
const LATEST: usize = 63;

/// Where the time comes from. The usual way is asked without a detour.
pub(crate) enum Source {
    System(SystemClock),
    Given(Box<dyn Clock>),
}

pub(crate) struct Core {
    pub(crate) options: Options,
    pub(crate) slow_from_ns: u64,
    clock: Source,
    pub(crate) registry: Registry,
    pub(crate) operations: Operations,
    pub(crate) findings: Findings,
    pub(crate) slow: SlowLog,
    pub(crate) own: OwnTime,
    /// Keys the hashes of binds: they mean nothing outside this process.
    pub(crate) seed: u64,
    random: AtomicU64,
    me: Weak<Self>,
}

impl Core {
    pub(crate) fn new(options: Options, clock: Source) -> Arc<Self> {
        let state = RandomState::new();
        Arc::new_cyclic(|me| Self {
            options,
            slow_from_ns: u64::try_from(options.slow_from.as_nanos()).unwrap_or(u64::MAX),
            registry: Registry::new(options.statements_max),
            operations: Operations::new(options.operations_max),
            findings: Findings::new(options.findings_max),
            slow: SlowLog::new(&options),
            own: OwnTime::default(),
            seed: state.hash_one(1),
            random: AtomicU64::new(state.hash_one(2)),
            me: me.clone(),
            clock,
        })
    }

    #[inline]
    pub(crate) fn now_ns(&self) -> u64 {
        match &self.clock {
            Source::System(clock) => clock.monotonic_ns(),
            Source::Given(clock) => clock.monotonic_ns(),
        }
    }

    /// What [`now_ns`](Self::now_ns) told at a moment that is over.
    pub(crate) fn ns_at(&self, moment: Instant) -> u64 {
        match &self.clock {
            Source::System(clock) => clock.ns_at(moment),
            Source::Given(clock) => {
                let elapsed = u64::try_from(moment.elapsed().as_nanos()).unwrap_or(u64::MAX);
                clock.monotonic_ns().saturating_sub(elapsed)
            }
        }
    }

    pub(crate) fn unix_ms(&self) -> u64 {
        match &self.clock {
            Source::System(clock) => clock.unix_ms(),
            Source::Given(clock) => clock.unix_ms(),
        }
    }

    pub(crate) fn own(&self) -> Option<Arc<Self>> {
        self.me.upgrade()
    }

    /// The next number of a sequence that looks random (SplitMix64).
    pub(crate) fn random(&self) -> u64 {
        let mut z = self.random.fetch_add(0x9e37_79b9_7f4a_7c15, Relaxed);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// What the profiler itself takes, measured on some calls.
pub(crate) struct OwnTime {
    samples: AtomicU64,
    latest_ns: [AtomicU64; LATEST],
}

impl Default for OwnTime {
    fn default() -> Self {
        Self { samples: AtomicU64::new(0), latest_ns: [const { AtomicU64::new(0) }; LATEST] }
    }
}

impl OwnTime {
    /// Whether the call that begins is one of those measured. Each connection counts its own turns.
    #[inline]
    pub(crate) fn begins(turn: &mut u32) -> bool {
        let is_measured = turn.is_multiple_of(OWN_TIME_EVERY);
        *turn = turn.wrapping_add(1);
        is_measured
    }

    pub(crate) fn add(&self, ns: u64) {
        let number = self.samples.fetch_add(1, Relaxed);
        if let Some(slot) = self.latest_ns.get(number as usize % LATEST) {
            slot.store(ns, Relaxed);
        }
    }

    /// How many calls were measured.
    pub(crate) fn samples(&self) -> u64 {
        self.samples.load(Relaxed)
    }

    /// The median of the latest: a call that was interrupted takes a thousand times as long as the
    /// others, and would make a mean of its own.
    pub(crate) fn median_ns(&self) -> Option<u64> {
        let filled = usize::try_from(self.samples()).unwrap_or(LATEST).min(LATEST);
        let mut latest: Vec<u64> =
            self.latest_ns.iter().take(filled).map(|slot| slot.load(Relaxed)).collect();
        latest.sort_unstable();
        latest.get(filled / 2).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_interrupted_call_does_not_move_the_median() {
        let own = OwnTime::default();
        assert_eq!(own.median_ns(), None);
        for ns in [90, 110, 100, 4_000_000, 95] {
            own.add(ns);
        }
        assert_eq!((own.median_ns(), own.samples()), (Some(100), 5));
        for _ in 0..LATEST {
            own.add(70);
        }
        assert_eq!(own.median_ns(), Some(70));
    }

    #[test]
    fn one_call_in_so_many_is_measured() {
        let mut turn = 0;
        let measured = (0..OWN_TIME_EVERY * 3).filter(|_| OwnTime::begins(&mut turn)).count();
        assert_eq!(measured, 3);
    }
}
