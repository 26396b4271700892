//! Did it help? Latencies of a statement before and after an index was built, compared.
//!
//! By ranks (Mann and Whitney's test), since latencies have long tails that a mean or a t-test would
//! stumble over; and by how much the middle moved, since with many calls any change is significant.

mod adopted;

use serde::{Deserialize, Serialize};

pub use adopted::{Adopted, Baseline, LatenciesByStatement, adopted};

/// Fewer calls say nothing, in either window.
pub const CALLS_MIN: u64 = 200;
/// A change of the median below this share is no effect.
const CHANGE_MIN: f64 = 0.1;
/// Two-sided 1 %.
const Z_MIN: f64 = 2.576;

/// Latencies in a span of time, as counts by value: buckets of a histogram, or single calls.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Latencies {
    /// Milliseconds and calls that took as long, in any order.
    pub buckets: Vec<(f64, u64)>,
}

impl Latencies {
    /// Of single calls.
    #[must_use]
    pub fn of(calls_ms: impl IntoIterator<Item = f64>) -> Self {
        Self { buckets: calls_ms.into_iter().map(|ms| (ms, 1)).collect() }
    }

    /// What was added to an earlier reading of the same counters. Where they began anew meanwhile,
    /// all of it is new.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let before = |ms: f64| earlier.buckets.iter().filter(move |(own, _)| *own == ms);
        let count = |ms: f64| before(ms).map(|(_, calls)| calls).sum::<u64>();
        let is_anew = self.calls() < earlier.calls()
            || self.buckets.iter().any(|(ms, calls)| *calls < count(*ms));
        if is_anew {
            return self.clone();
        }
        let left = self.buckets.iter().map(|(ms, calls)| (*ms, calls - count(*ms)));
        Self { buckets: left.filter(|(_, calls)| *calls > 0).collect() }
    }

    /// How many calls.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.buckets.iter().map(|(_, calls)| calls).sum()
    }

    /// The latency that `share` of the calls stay within; `None` of no calls.
    #[must_use]
    pub fn quantile(&self, share: f64) -> Option<f64> {
        let mut sorted = self.buckets.clone();
        sorted.retain(|(ms, calls)| ms.is_finite() && *calls > 0);
        sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
        let wanted = (share.clamp(0.0, 1.0) * self.calls() as f64).ceil().max(1.0) as u64;
        let mut seen = 0;
        sorted.iter().find_map(|(ms, calls)| {
            seen += calls;
            (seen >= wanted).then_some(*ms)
        })
    }
}

/// What the comparison says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// Faster: keep it.
    Kept,
    /// Neither: it takes space and writes for nothing.
    NoEffect,
    /// Slower.
    Harmful,
    /// Too few calls yet, in the window named.
    TooFewCalls,
}

/// A statement before and after.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// What to make of it.
    pub verdict: Verdict,
    /// Medians, in milliseconds.
    pub median_ms: Option<(f64, f64)>,
    /// 99th percentiles, in milliseconds.
    pub p99_ms: Option<(f64, f64)>,
    /// How likely a call after is faster than one before, ties counted half: 0 to 1.
    pub faster_share: f64,
}

/// Compares two windows of equal length of one statement.
#[must_use]
pub fn compare(before: &Latencies, after: &Latencies) -> Comparison {
    let both = |share| before.quantile(share).zip(after.quantile(share));
    let (faster_share, z) = mann_whitney(before, after);
    let median_ms = both(0.5);
    let p99_ms = both(0.99);
    let verdict = if before.calls().min(after.calls()) < CALLS_MIN {
        Verdict::TooFewCalls
    } else {
        let moved = median_ms.map_or(0.0, |(before, after)| after / before.max(1e-6) - 1.0);
        // A tail that doubles hurts whoever is in it, however the middle fares.
        let tail = p99_ms.map_or(0.0, |(before, after)| after / before.max(1e-6) - 1.0);
        if z.abs() >= Z_MIN && z > 0.0 && moved > CHANGE_MIN || tail > 1.0 && moved > -CHANGE_MIN {
            Verdict::Harmful
        } else if z <= -Z_MIN && moved < -CHANGE_MIN {
            Verdict::Kept
        } else {
            Verdict::NoEffect
        }
    };
    Comparison { verdict, median_ms, p99_ms, faster_share }
}

/// The verdict on an index that serves several statements: one that it harms decides, then one that
/// it helps.
#[must_use]
pub fn verdict_of(comparisons: &[Comparison]) -> Verdict {
    let any = |verdict| comparisons.iter().any(|one| one.verdict == verdict);
    [Verdict::Harmful, Verdict::Kept, Verdict::TooFewCalls, Verdict::NoEffect]
        .into_iter()
        .find(|verdict| any(*verdict))
        .unwrap_or(Verdict::TooFewCalls)
}

/// The share of pairs in which the call after is faster, and the test's z: negative if calls after
/// are faster than chance explains. Buckets are ties, which the variance is corrected for.
fn mann_whitney(before: &Latencies, after: &Latencies) -> (f64, f64) {
    let mut all: Vec<(f64, f64, f64)> = Vec::new();
    all.extend(before.buckets.iter().map(|(ms, calls)| (*ms, *calls as f64, 0.0)));
    all.extend(after.buckets.iter().map(|(ms, calls)| (*ms, 0.0, *calls as f64)));
    all.retain(|(ms, _, _)| ms.is_finite());
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut slower_pairs, mut seen_before, mut ties) = (0.0, 0.0, 0.0);
    let mut place = 0;
    while let Some((ms, _, _)) = all.get(place).copied() {
        let (mut old, mut new) = (0.0, 0.0);
        while let Some((_, one, other)) = all.get(place).filter(|entry| entry.0 == ms) {
            old += one;
            new += other;
            place += 1;
        }
        // A call after that took longer than `seen_before` calls before.
        slower_pairs += new * (seen_before + old / 2.0);
        seen_before += old;
        let tied: f64 = old + new;
        ties += tied.powi(3) - tied;
    }
    let (n, m) = (before.calls() as f64, after.calls() as f64);
    if n < 1.0 || m < 1.0 {
        return (0.5, 0.0);
    }
    let total = n + m;
    let variance = n * m / 12.0 * (total + 1.0 - ties / (total * (total - 1.0)).max(1.0));
    let z = (slower_pairs - n * m / 2.0) / variance.max(f64::MIN_POSITIVE).sqrt();
    (1.0 - slower_pairs / (n * m), z)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Spread evenly over 10 % to each side of a middle.
    fn around(middle: f64, calls: u32) -> Latencies {
        Latencies::of((0..calls).map(|n| middle * (0.9 + 0.2 * f64::from(n) / f64::from(calls))))
    }

    fn verdict(before: &Latencies, after: &Latencies) -> Verdict {
        compare(before, after).verdict
    }

    #[test]
    fn faster_slower_and_the_same_are_told_apart() {
        let before = around(10.0, 500);
        assert_eq!(verdict(&before, &around(1.0, 500)), Verdict::Kept);
        assert_eq!(verdict(&before, &around(15.0, 500)), Verdict::Harmful);
        assert_eq!(verdict(&before, &around(10.0, 700)), Verdict::NoEffect);
    }

    #[test]
    fn a_change_that_is_significant_and_tiny_is_no_effect() {
        let comparison = compare(&around(10.0, 100_000), &around(9.8, 100_000));
        assert_eq!(comparison.verdict, Verdict::NoEffect);
        assert!(comparison.faster_share > 0.5);
    }

    #[test]
    fn a_tail_that_doubles_is_harm_though_the_middle_stays() {
        let before = around(10.0, 1_000);
        let mut after = around(10.0, 980);
        after.buckets.push((80.0, 20));
        assert_eq!(verdict(&before, &after), Verdict::Harmful);
    }

    #[test]
    fn what_was_seen_before_is_taken_off() {
        let earlier = Latencies { buckets: vec![(1.0, 5), (2.0, 7)] };
        let now = Latencies { buckets: vec![(1.0, 5), (2.0, 9), (4.0, 1)] };
        assert_eq!(now.since(&earlier), Latencies { buckets: vec![(2.0, 2), (4.0, 1)] });
        assert_eq!(now.since(&Latencies::default()), now);
    }

    #[test]
    fn few_calls_are_no_verdict() {
        assert_eq!(verdict(&around(10.0, 199), &around(1.0, 500)), Verdict::TooFewCalls);
        assert_eq!(verdict(&Latencies::default(), &Latencies::default()), Verdict::TooFewCalls);
    }

    #[test]
    fn harm_to_one_statement_outweighs_help_for_another() {
        let before = around(10.0, 500);
        let helped = compare(&before, &around(1.0, 500));
        let harmed = compare(&before, &around(20.0, 500));
        assert_eq!(verdict_of(&[helped.clone(), harmed]), Verdict::Harmful);
        assert_eq!(verdict_of(&[helped]), Verdict::Kept);
    }

    #[test]
    fn buckets_and_single_calls_say_the_same() {
        let single = compare(&around(10.0, 400), &around(5.0, 400));
        let bucketed = |from: &Latencies| Latencies {
            buckets: from.buckets.iter().map(|(ms, n)| ((ms * 4.0).round() / 4.0, *n)).collect(),
        };
        let grouped = compare(&bucketed(&around(10.0, 400)), &bucketed(&around(5.0, 400)));
        assert_eq!(single.verdict, grouped.verdict);
        assert_eq!(single.faster_share, 1.0);
    }
}
