//! Where time and chance come from: always injected, so that tests choose both.

use std::time::SystemTime;

use crate::time::Timestamp;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// Now, to the microsecond.
    fn now(&self) -> Timestamp;
}

/// The computer's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_system_time(SystemTime::now())
    }
}

/// Chance: identifiers, jitter, draws.
pub trait Random: Send + Sync {
    /// 64 uniformly distributed bits.
    fn next_u64(&self) -> u64;

    /// Uniform in `low..=high`; `low` when the range is empty.
    fn between(&self, low: u64, high: u64) -> u64 {
        match high.saturating_sub(low).checked_add(1) {
            // The bias of a 128-bit product is below 2^-64: nobody can measure it.
            Some(span) => low + ((u128::from(self.next_u64()) * u128::from(span)) >> 64) as u64,
            None => self.next_u64(),
        }
    }
}

/// A fast generator, seeded from the operating system. Not for secrets.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn next_u64(&self) -> u64 {
        fastrand::u64(..)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn between_stays_in_its_range() {
        for _ in 0..1000 {
            assert!((5..=50).contains(&SystemRandom.between(5, 50)));
        }
        assert_eq!(SystemRandom.between(7, 7), 7);
        assert_eq!(SystemRandom.between(9, 3), 9);
        SystemRandom.between(0, u64::MAX);
    }
}
