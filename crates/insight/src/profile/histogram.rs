//! How long calls took, in buckets: percentiles within 2 % from 1 µs to 100 s, in under 2 kB.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

/// The allowed error of a percentile.
const ERROR: f64 = 0.019_5;

/// How much wider each bucket is than the one before: the middle of a bucket is then at most
/// `ERROR` off whatever is in it.
const GROWTH: f64 = (1.0 + ERROR) / (1.0 - ERROR);

/// What is shorter stands in the first bucket.
const SHORTEST_NS: f64 = 1_000.0;

/// `log2(GROWTH)`, which is no `const` function: `2 * atanh(ERROR) / ln(2)` by its series.
const GROWTH_LOG2: f64 = 2.0 * (ERROR + ERROR * ERROR * ERROR / 3.0) / std::f64::consts::LN_2;

/// One for what is below 1 µs, those up to 100 s, one for what is beyond.
const BUCKETS: usize = 475;

/// Where all buckets are halved, which leaves percentiles as they are. The counts beside are exact.
const FULL: u32 = 1 << 31;

/// Durations, in nanoseconds. Recording is a few atomic additions.
pub(crate) struct Histogram {
    buckets: [AtomicU32; BUCKETS],
    /// What was taken out of the buckets by halving them.
    halved: AtomicU64,
    shortest: AtomicU64,
    longest: AtomicU64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self {
            buckets: [const { AtomicU32::new(0) }; BUCKETS],
            halved: AtomicU64::new(0),
            shortest: AtomicU64::new(u64::MAX),
            longest: AtomicU64::new(0),
        }
    }
}

impl Histogram {
    #[inline]
    pub(crate) fn record(&self, ns: u64) {
        if let Some(bucket) = self.buckets.get(bucket_of(ns))
            && bucket.fetch_add(1, Relaxed) >= FULL
        {
            self.halve();
        }
        // Reading first spares other threads the line of memory: extremes hardly ever change.
        if ns < self.shortest.load(Relaxed) {
            self.shortest.fetch_min(ns, Relaxed);
        }
        if ns > self.longest.load(Relaxed) {
            self.longest.fetch_max(ns, Relaxed);
        }
    }

    #[cold]
    fn halve(&self) {
        for bucket in &self.buckets {
            // What is recorded meanwhile is kept: only what was read is taken away.
            let half = bucket.load(Relaxed) / 2;
            bucket.fetch_sub(half, Relaxed);
            self.halved.fetch_add(u64::from(half), Relaxed);
        }
    }

    /// How many were recorded: counted here, so that recording counts in one place only.
    pub(crate) fn count(&self) -> u64 {
        let buckets = self.buckets.iter().map(|bucket| u64::from(bucket.load(Relaxed)));
        buckets.sum::<u64>() + self.halved.load(Relaxed)
    }

    pub(crate) fn longest(&self) -> u64 {
        self.longest.load(Relaxed)
    }

    /// `None` before the first record.
    pub(crate) fn shortest(&self) -> Option<u64> {
        let shortest = self.shortest.load(Relaxed);
        (shortest != u64::MAX).then_some(shortest)
    }

    /// A duration for each bucket that holds something, always the same for the same bucket, and how
    /// much it holds.
    pub(crate) fn counts(&self) -> impl Iterator<Item = (u64, u64)> {
        let counts = self.buckets.iter().map(|bucket| u64::from(bucket.load(Relaxed)));
        // The last bucket has no middle.
        let middle = |bucket: usize| middle_of(bucket.min(BUCKETS - 2));
        counts.enumerate().filter(|(_, n)| *n > 0).map(move |(bucket, n)| (middle(bucket), n))
    }

    /// The values that these shares of all records do not exceed, such as 0.5 and 0.99; `None`
    /// before the first record. Shares ascend.
    pub(crate) fn percentiles<const N: usize>(&self, shares: [f64; N]) -> Option<[u64; N]> {
        let counts: Vec<u64> = self.buckets.iter().map(|b| u64::from(b.load(Relaxed))).collect();
        let total: u64 = counts.iter().sum();
        let (low, high) = (self.shortest()?, self.longest());
        if total == 0 {
            return None;
        }
        let mut out = [0; N];
        for (value, share) in out.iter_mut().zip(shares) {
            let rank = rank(total, share);
            let mut below = 0;
            let found = counts.iter().position(|count| {
                below += count;
                below >= rank
            });
            let middle = found.map_or(high, middle_of);
            *value = middle.clamp(low, high.max(low));
        }
        Some(out)
    }
}

/// Which of `total` sorted values, from 1, is the one asked for.
fn rank(total: u64, share: f64) -> u64 {
    ((total as f64 * share).ceil() as u64).clamp(1, total)
}

fn bucket_of(ns: u64) -> usize {
    let ratio = ns as f64 / SHORTEST_NS;
    if ratio <= 1.0 {
        return 0;
    }
    (1 + (log2(ratio) * (1.0 / GROWTH_LOG2)) as usize).min(BUCKETS - 1)
}

/// The binary logarithm of a number from 1, within 0.000 02, and many times as fast as the exact one:
/// the number's own exponent, and a polynomial for what is left.
fn log2(number: f64) -> f64 {
    const FRACTION: u64 = (1 << 52) - 1;
    let bits = number.to_bits();
    let exponent = (bits >> 52) as f64 - 1023.0;
    let x = f64::from_bits(bits & FRACTION | 1.0_f64.to_bits()) - 1.0;
    // Exact at both ends, so that nothing jumps from one power of two to the next.
    let bend = -0.441_917 + x * (0.267_179 + x * (-0.148_426 + x * 0.045_149));
    exponent + x * (1.0 + (x - 1.0) * bend)
}

fn middle_of(bucket: usize) -> u64 {
    if bucket == BUCKETS - 1 {
        return u64::MAX; // As long as the longest.
    }
    let upper = SHORTEST_NS * GROWTH.powi(bucket as i32);
    (2.0 * upper / (1.0 + GROWTH)) as u64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn exact(values: &[u64], share: f64) -> u64 {
        let mut sorted = values.to_vec();
        sorted.sort_unstable();
        sorted[usize::try_from(rank(values.len() as u64, share)).unwrap() - 1]
    }

    fn check(values: &[u64]) {
        let histogram = Histogram::default();
        for value in values {
            histogram.record(*value);
        }
        let shares = [0.5, 0.9, 0.95, 0.99];
        let found = histogram.percentiles(shares).unwrap();
        for (share, found) in shares.into_iter().zip(found) {
            let exact = exact(values, share);
            let error = (found as f64 - exact as f64).abs() / exact as f64;
            assert!(error <= 0.02, "p{share}: {found} for {exact}, {error}");
        }
    }

    #[test]
    fn it_fits_in_two_kilobytes() {
        assert!(size_of::<Histogram>() <= 2_000, "{}", size_of::<Histogram>());
    }

    #[test]
    fn buckets_reach_to_a_hundred_seconds() {
        assert!(bucket_of(100_000_000_000) < BUCKETS - 1);
        assert_eq!(bucket_of(u64::MAX), BUCKETS - 1);
        assert_eq!((bucket_of(0), bucket_of(1_000)), (0, 0));
        assert!((GROWTH_LOG2 - GROWTH.log2()).abs() < 1e-7);
    }

    #[test]
    fn the_quick_logarithm_ascends_and_is_close() {
        let mut before = 0.0;
        for step in 0..40_000_u32 {
            let number = 1.000_7_f64.powf(f64::from(step));
            let found = log2(number);
            assert!((found - number.log2()).abs() < 0.000_02, "{number}");
            assert!(found >= before);
            before = found;
        }
    }

    #[test]
    fn nothing_recorded_is_no_percentile() {
        assert_eq!(Histogram::default().percentiles([0.5]), None);
    }

    #[test]
    fn a_single_value_is_itself() {
        for value in [0, 1, 999, 1_000, 12_345, 99_999_999_999, 400_000_000_000, u64::MAX - 1] {
            let histogram = Histogram::default();
            histogram.record(value);
            assert_eq!(histogram.percentiles([0.5, 0.99]), Some([value, value]));
        }
    }

    #[test]
    fn a_full_bucket_halves_all() {
        let histogram = Histogram::default();
        for _ in 0..1_000 {
            histogram.record(1_000_000);
            histogram.record(9_000_000);
        }
        histogram.buckets[bucket_of(1_000_000)].store(FULL, Relaxed);
        histogram.buckets[bucket_of(9_000_000)].store(FULL / 2, Relaxed);
        histogram.record(1_000_000);
        assert!(histogram.buckets[bucket_of(1_000_000)].load(Relaxed) < FULL);
        let [p60, p99] = histogram.percentiles([0.6, 0.99]).unwrap();
        assert!(p60.abs_diff(1_000_000) <= 20_000 && p99.abs_diff(9_000_000) <= 180_000);
        assert_eq!(histogram.count(), u64::from(FULL) + u64::from(FULL / 2) + 1);
    }

    #[test]
    fn known_distributions() {
        // Long-tailed, as latencies are: 1 % a hundred times slower.
        let tail: Vec<u64> =
            (1..10_000_u64)
                .map(|n| {
                    if n % 100 == 0 {
                        40_000_000 + n * 977
                    } else {
                        300_000 + (n * 7_919) % 200_000
                    }
                })
                .collect();
        check(&tail);
        let uniform: Vec<u64> = (1..10_000_u64).map(|n| n * 10_007).collect();
        check(&uniform);
        let two: Vec<u64> = (0..1_000).map(|n| if n < 501 { 52_000 } else { 4_100_000 }).collect();
        check(&two);
    }

    proptest! {
        #[test]
        fn percentiles_are_within_two_percent(
            values in prop::collection::vec(1_000_u64..100_000_000_000, 1..500)
        ) {
            check(&values);
        }

        #[test]
        fn also_when_all_magnitudes_are_equally_likely(
            logs in prop::collection::vec(3.0_f64..11.0, 1..500)
        ) {
            check(&logs.iter().map(|log| 10_f64.powf(*log) as u64).collect::<Vec<_>>());
        }
    }
}
