//! How a value ages: fresh, then aged, then gone; and when it is worth a refresh before that.

use std::time::Duration;

use crate::clock::Random;
use crate::envelope::Times;

const NS_PER_MS: u64 = 1_000_000;

/// Saturates after 584 years.
pub(crate) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// A value's ages in the nanoseconds of this process' monotonic clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ages {
    /// Fresh before this moment.
    pub(crate) fresh_until_ns: u64,
    /// Aged before this one, gone from it on.
    pub(crate) aged_until_ns: u64,
    /// The whole fresh life.
    pub(crate) fresh_ns: u64,
    /// How long its load took.
    pub(crate) load_ns: u64,
}

impl Ages {
    /// Of a value whose load began at `since_ns`: a slow load does not make it live longer.
    pub(crate) fn loaded(since_ns: u64, fresh: Duration, stale: Duration, load_ns: u64) -> Self {
        let fresh_ns = nanos(fresh);
        let fresh_until_ns = since_ns.saturating_add(fresh_ns);
        let aged_until_ns = fresh_until_ns.saturating_add(nanos(stale));
        Self { fresh_until_ns, aged_until_ns, fresh_ns, load_ns }
    }

    /// Of a shared entry, as old as the wall clocks of two machines agree it is.
    pub(crate) fn shared(times: &Times, now_unix_ms: u64, now_ns: u64) -> Self {
        let age_ms = now_unix_ms.saturating_sub(times.created_ms);
        let left_ns = |life_ms: u64| life_ms.saturating_sub(age_ms).saturating_mul(NS_PER_MS);
        let life_ms = times.fresh_ms.saturating_add(times.stale_ms);
        Self {
            fresh_until_ns: now_ns.saturating_add(left_ns(times.fresh_ms)),
            aged_until_ns: now_ns.saturating_add(left_ns(life_ms)),
            fresh_ns: times.fresh_ms.saturating_mul(NS_PER_MS),
            load_ns: times.load_ms.saturating_mul(NS_PER_MS),
        }
    }

    pub(crate) fn is_fresh(&self, now_ns: u64) -> bool {
        now_ns < self.fresh_until_ns
    }

    /// Before this moment [`Early::is_due`] cannot say yes: a hit need not ask.
    pub(crate) fn calm_until_ns(&self, early: Early) -> u64 {
        let ahead_ns = match early {
            Early::Never => 0,
            // Of 53 random bits the smallest share is 2^-53, whose logarithm this is.
            Early::Drawn { beta } => self.scaled(beta, 53.0 * std::f64::consts::LN_2),
            Early::At { share } => share_of(self.fresh_ns, 1.0 - share),
        };
        self.fresh_until_ns.saturating_sub(ahead_ns)
    }

    /// `delta * beta * logarithm` in nanoseconds.
    fn scaled(&self, beta: f32, logarithm: f64) -> u64 {
        (self.load_ns as f64 * f64::from(beta) * logarithm).ceil() as u64
    }
}

fn share_of(whole_ns: u64, share: f32) -> u64 {
    (whole_ns as f64 * f64::from(share.clamp(0.0, 1.0))) as u64
}

/// Whether and when a value that is still fresh is loaded anew.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum Early {
    #[default]
    Never,
    /// "XFetch" of Vattani, Chierichetti and Lowenstein, "Optimal Probabilistic Cache Stampede
    /// Prevention" (VLDB 2015): refresh when `now - delta * beta * ln(rand) >= expiry`, where
    /// `delta` is how long the load took and `rand` is uniform in (0, 1].
    Drawn { beta: f32 },
    /// From this share of the fresh life on.
    At { share: f32 },
}

impl Early {
    pub(crate) fn is_due(self, ages: &Ages, now_ns: u64, random: &dyn Random) -> bool {
        match self {
            Self::Never => false,
            Self::Drawn { beta } => {
                let rand = ((random.next_u64() >> 11) + 1) as f64 / (1_u64 << 53) as f64;
                now_ns.saturating_add(ages.scaled(beta, -rand.ln())) >= ages.fresh_until_ns
            }
            Self::At { .. } => now_ns >= ages.calm_until_ns(self),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Sequence(std::sync::Mutex<u64>);

    impl Random for Sequence {
        /// SplitMix64: the same numbers in every run.
        fn next_u64(&self) -> u64 {
            let mut state = self.0.lock().unwrap();
            *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mut word = *state;
            word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            word ^ (word >> 31)
        }
    }

    struct Always(u64);

    impl Random for Always {
        fn next_u64(&self) -> u64 {
            self.0
        }
    }

    fn ages() -> Ages {
        let second = Duration::from_secs(1);
        Ages::loaded(5_000, second * 10, second * 5, 100 * NS_PER_MS)
    }

    /// Of draws at a time t before the expiry, a share of e^(-t / (delta * beta)) succeeds.
    #[test]
    fn the_share_of_early_refreshes_is_the_papers() {
        let random = Sequence(1.into());
        let draws = 40_000;
        for (beta, before_ms) in [(1.0_f32, 50_u64), (1.0, 100), (1.0, 300), (2.0, 300)] {
            let now_ns = ages().fresh_until_ns - before_ms * NS_PER_MS;
            let early = Early::Drawn { beta };
            let due = (0..draws).filter(|_| early.is_due(&ages(), now_ns, &random)).count();
            let expected = (-(before_ms as f64) / (100.0 * f64::from(beta))).exp();
            let share = due as f64 / f64::from(draws);
            assert!((share - expected).abs() < 0.01, "{share} instead of {expected}");
        }
    }

    #[test]
    fn no_draw_succeeds_before_the_calm_ends() {
        let early = Early::Drawn { beta: 1.5 };
        let calm_until_ns = ages().calm_until_ns(early);
        let luckiest = Always(0);
        assert!(!early.is_due(&ages(), calm_until_ns - 2, &luckiest));
        assert!(early.is_due(&ages(), calm_until_ns + 2, &luckiest));
        assert!(!early.is_due(&ages(), ages().fresh_until_ns - 1, &Always(u64::MAX)));
    }

    #[test]
    fn a_threshold_is_a_share_of_the_fresh_life() {
        let early = Early::At { share: 0.75 };
        assert_eq!(ages().calm_until_ns(early), 5_000 + 7_500 * NS_PER_MS);
    }

    #[test]
    fn a_shared_entry_keeps_what_is_left_of_its_life() {
        let times = Times { created_ms: 1_000, fresh_ms: 10_000, stale_ms: 5_000, load_ms: 7 };
        let at = |unix_ms| Ages::shared(&times, unix_ms, 1);
        assert_eq!(at(8_000).fresh_until_ns, 1 + 3_000 * NS_PER_MS);
        assert_eq!(at(8_000).aged_until_ns, 1 + 8_000 * NS_PER_MS);
        assert_eq!((at(99_000).fresh_until_ns, at(99_000).aged_until_ns), (1, 1));
        assert_eq!(at(0).fresh_until_ns, 1 + 10_000 * NS_PER_MS, "a clock that is behind");
        let endless = Times { fresh_ms: u64::MAX, stale_ms: u64::MAX, ..times };
        assert_eq!(Ages::shared(&endless, 1_000, 1).aged_until_ns, u64::MAX);
    }
}
