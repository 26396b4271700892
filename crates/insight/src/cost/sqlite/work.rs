//! How long this thread worked.
//!
//! By its own processor time where the system tells it: other programs on a busy machine then neither
//! make an index look bad nor good. Elsewhere by the clock on the wall.

/// Work under way.
pub(super) struct Work(Moment);

impl Work {
    pub(super) fn begin() -> Self {
        Self(now())
    }

    /// Milliseconds since.
    pub(super) fn ms(&self) -> f64 {
        since(self.0)
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
type Moment = rustix::time::Timespec;

#[cfg(any(target_os = "linux", target_os = "android"))]
fn now() -> Moment {
    rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime)
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn since(begun: Moment) -> f64 {
    let now = now();
    (now.tv_sec - begun.tv_sec) as f64 * 1e3 + (now.tv_nsec - begun.tv_nsec) as f64 / 1e6
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
type Moment = std::time::Instant;

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn now() -> Moment {
    std::time::Instant::now()
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn since(begun: Moment) -> f64 {
    begun.elapsed().as_secs_f64() * 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_takes_time_and_never_less_than_none() {
        let work = Work::begin();
        let first = work.ms();
        let sum: u64 = (0..200_000_u64).map(std::hint::black_box).sum();
        assert_eq!(sum, 19_999_900_000);
        assert!(first >= 0.0 && work.ms() > first);
    }
}
