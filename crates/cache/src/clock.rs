//! Time and randomness, injected so that tests choose both.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Tells the time.
pub trait Clock: Send + Sync {
    /// Nanoseconds since any fixed moment. Never goes back.
    fn monotonic_ns(&self) -> u64;

    /// The same, for less: it may be behind [`monotonic_ns`](Self::monotonic_ns) by up to 10 ms and
    /// is never ahead of it. Asked on every read, and only whether a value in this process has
    /// expired: one may live that much longer. No write is noticed by it.
    fn coarse_ns(&self) -> u64 {
        self.monotonic_ns()
    }

    /// Milliseconds since 1970-01-01T00:00:00Z. Written into shared entries; how old they are is
    /// told by it, whether they are valid is not.
    fn unix_ms(&self) -> u64;
}

/// Gives unpredictable numbers.
pub trait Random: Send + Sync {
    /// All 64 bits are random. Two processes must never give the same sequence: nonces are
    /// made of these numbers, and a repeated nonce can bring an old value back.
    fn next_u64(&self) -> u64;
}

/// The operating system's clocks.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock {
    // Room for what another system may need.
    _private: (),
}

impl Clock for SystemClock {
    #[inline]
    fn monotonic_ns(&self) -> u64 {
        ticks::precise_ns()
    }

    #[inline]
    fn coarse_ns(&self) -> u64 {
        ticks::coarse_ns()
    }

    fn unix_ms(&self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }
}

/// Both clocks count from the start of the machine; the coarse one is as of the last tick of the
/// kernel, 1 to 10 ms ago, and costs a fifth.
#[cfg(any(target_os = "linux", target_os = "android"))]
mod ticks {
    use rustix::time::{ClockId, clock_gettime};

    #[inline]
    fn ns(clock: ClockId) -> u64 {
        let since = clock_gettime(clock);
        // Neither is ever negative.
        (since.tv_sec as u64).wrapping_mul(1_000_000_000).wrapping_add(since.tv_nsec as u64)
    }

    #[inline]
    pub(super) fn precise_ns() -> u64 {
        ns(ClockId::Monotonic)
    }

    #[inline]
    pub(super) fn coarse_ns() -> u64 {
        ns(ClockId::MonotonicCoarse)
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod ticks {
    use std::sync::LazyLock;
    use std::time::Instant;

    static ORIGIN: LazyLock<Instant> = LazyLock::new(Instant::now);

    #[inline]
    pub(super) fn precise_ns() -> u64 {
        let elapsed = ORIGIN.elapsed();
        elapsed.as_secs() * 1_000_000_000 + u64::from(elapsed.subsec_nanos())
    }

    pub(super) use precise_ns as coarse_ns;
}

/// Keyed hashes of a counter; the 128-bit keys come from the operating system.
#[derive(Debug, Default)]
pub struct SystemRandom {
    drawn: AtomicU64,
}

impl Random for SystemRandom {
    fn next_u64(&self) -> u64 {
        let drawn = self.drawn.fetch_add(1, Ordering::Relaxed);
        // The process id and the time keep a forked child, which inherits the keys, apart.
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        RandomState::new().hash_one((drawn, std::process::id(), now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_coarse_clock_is_never_ahead() {
        let clock = SystemClock::default();
        let mut last = (0, 0);
        for _ in 0..100_000 {
            let (coarse_ns, precise_ns) = (clock.coarse_ns(), clock.monotonic_ns());
            assert!(coarse_ns <= precise_ns);
            assert!(last.0 <= coarse_ns && last.1 <= precise_ns, "neither goes back");
            last = (coarse_ns, precise_ns);
        }
    }
}
