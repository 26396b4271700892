//! A clock that stands still until told otherwise.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use guildhall_domain::{Clock, Timestamp};

/// A clock that shows what it was set to. Shared by reference or in an `Arc`, it can be moved
/// while others read it.
#[derive(Debug)]
pub struct FixedClock(AtomicI64);

impl FixedClock {
    /// Stands at `now`.
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        Self(AtomicI64::new(now.micros()))
    }

    /// Stands at `now` from here on, be it earlier or later.
    pub fn set(&self, now: Timestamp) {
        self.0.store(now.micros(), Ordering::SeqCst);
    }

    /// Moves on by `duration` and gives the new time.
    pub fn advance(&self, duration: Duration) -> Timestamp {
        let later = self.now().plus(duration);
        self.set(later);
        later
    }
}

impl Default for FixedClock {
    /// Stands at [`builder::now`](crate::builder::now).
    fn default() -> Self {
        Self::at(crate::builder::now())
    }
}

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst)).expect("it was one when stored")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_moves_only_when_told() {
        let clock = FixedClock::default();
        let begin = clock.now();
        assert_eq!(clock.now(), begin);
        assert_eq!(clock.advance(Duration::from_secs(1)).since(begin), Duration::from_secs(1));
        clock.set(begin);
        assert_eq!(clock.now(), begin);
    }
}
