//! Time and randomness, injected so that tests choose both.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Tells the time.
pub trait Clock: Send + Sync {
    /// Nanoseconds since any fixed moment. Never goes back. Called on every read: keep it cheap.
    fn monotonic_ns(&self) -> u64;

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
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    origin: Instant,
}

impl Default for SystemClock {
    fn default() -> Self {
        Self { origin: Instant::now() }
    }
}

impl Clock for SystemClock {
    #[inline]
    fn monotonic_ns(&self) -> u64 {
        let elapsed = self.origin.elapsed();
        elapsed.as_secs() * 1_000_000_000 + u64::from(elapsed.subsec_nanos())
    }

    fn unix_ms(&self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }
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
