//! Time, injected so that tests choose it.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Tells the time.
pub trait Clock: Send + Sync {
    /// Nanoseconds since any fixed moment. Never goes back.
    fn monotonic_ns(&self) -> u64;

    /// Milliseconds since 1970-01-01T00:00:00Z.
    fn unix_ms(&self) -> u64;
}

/// The operating system's clocks.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    base: Instant,
}

impl Default for SystemClock {
    fn default() -> Self {
        Self { base: Instant::now() }
    }
}

impl SystemClock {
    /// What [`Clock::monotonic_ns`] would have told at a moment.
    #[inline]
    pub(crate) fn ns_at(&self, moment: Instant) -> u64 {
        let elapsed = moment.saturating_duration_since(self.base);
        // 584 years fit.
        elapsed.as_secs() * 1_000_000_000 + u64::from(elapsed.subsec_nanos())
    }
}

impl Clock for SystemClock {
    #[inline]
    fn monotonic_ns(&self) -> u64 {
        self.ns_at(Instant::now())
    }

    fn unix_ms(&self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }
}
