//! The circuit breaker: spares callers the wait for a node that does not answer.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::Clock;

/// Whether calls to a node go through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum BreakerState {
    /// They do.
    Closed,
    /// They fail at once, and so does everything else, while one task asks the node whether it is
    /// back.
    HalfOpen,
    /// They fail at once. The first one after a pause starts that task.
    Open,
}

#[derive(Clone, Copy)]
enum Phase {
    Closed,
    HalfOpen,
    Open { until_ns: u64 },
}

/// What a call may do.
pub(super) enum Admission {
    Pass,
    Refuse,
    /// Refused as well, but the caller is the one to start this probe.
    RefuseAndProbe(Probe),
}

/// Closed until so many failures in a row, then open for a pause, then probed by one task.
pub(super) struct Breaker {
    clock: Arc<dyn Clock>,
    failures_max: u32,
    pause_ns: u64,
    /// Told in traces.
    node: String,
    /// The common case is decided by these two alone.
    closed: AtomicBool,
    failures: AtomicU32,
    phase: Mutex<Phase>,
}

impl Breaker {
    pub(super) fn new(
        clock: Arc<dyn Clock>,
        failures_max: u32,
        pause: Duration,
        node: String,
    ) -> Self {
        Self {
            clock,
            failures_max: failures_max.max(1),
            pause_ns: u64::try_from(pause.as_nanos()).unwrap_or(u64::MAX),
            node,
            closed: AtomicBool::new(true),
            failures: AtomicU32::new(0),
            phase: Mutex::new(Phase::Closed),
        }
    }

    fn phase(&self) -> MutexGuard<'_, Phase> {
        self.phase.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn state(&self) -> BreakerState {
        match *self.phase() {
            Phase::Closed => BreakerState::Closed,
            Phase::HalfOpen => BreakerState::HalfOpen,
            Phase::Open { .. } => BreakerState::Open,
        }
    }

    pub(super) fn admit(self: &Arc<Self>) -> Admission {
        if self.closed.load(Ordering::Acquire) {
            return Admission::Pass;
        }
        let mut phase = self.phase();
        match *phase {
            Phase::Closed => Admission::Pass,
            Phase::Open { until_ns } if self.clock.monotonic_ns() >= until_ns => {
                *phase = Phase::HalfOpen;
                tracing::debug!(server.address = self.node, "redis breaker half-open");
                Admission::RefuseAndProbe(Probe { breaker: Arc::clone(self), answered: false })
            }
            Phase::Open { .. } | Phase::HalfOpen => Admission::Refuse,
        }
    }

    pub(super) fn succeeded(&self) {
        if self.failures.load(Ordering::Relaxed) != 0 {
            self.failures.store(0, Ordering::Relaxed);
        }
    }

    /// Of a call that was let through. One that began before the breaker opened changes nothing.
    pub(super) fn failed(&self) {
        let failures = self.failures.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        if failures < self.failures_max || !self.closed.load(Ordering::Acquire) {
            return;
        }
        let mut phase = self.phase();
        if matches!(*phase, Phase::Closed) {
            self.open(&mut phase);
            tracing::warn!(server.address = self.node, failures, "redis breaker open");
        }
    }

    fn open(&self, phase: &mut Phase) {
        let until_ns = self.clock.monotonic_ns().saturating_add(self.pause_ns);
        *phase = Phase::Open { until_ns };
        self.closed.store(false, Ordering::Release);
    }

    fn probed(&self, answered: bool) {
        let mut phase = self.phase();
        if answered {
            *phase = Phase::Closed;
            self.failures.store(0, Ordering::Relaxed);
            self.closed.store(true, Ordering::Release);
            tracing::info!(server.address = self.node, "redis breaker closed");
        } else {
            self.open(&mut phase);
            tracing::debug!(server.address = self.node, "redis breaker open again");
        }
    }
}

/// The one probe of a half-open breaker. Dropped without an answer, it has failed.
pub(super) struct Probe {
    breaker: Arc<Breaker>,
    answered: bool,
}

impl Probe {
    pub(super) fn answered(mut self) {
        self.answered = true;
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        self.breaker.probed(self.answered);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU64;

    use super::*;

    #[derive(Default)]
    struct HandClock(AtomicU64);

    impl Clock for HandClock {
        fn monotonic_ns(&self) -> u64 {
            self.0.load(Ordering::SeqCst)
        }

        fn unix_ms(&self) -> u64 {
            0
        }
    }

    fn breaker(failures_max: u32) -> (Arc<Breaker>, Arc<HandClock>) {
        let clock = Arc::new(HandClock::default());
        let told = Arc::clone(&clock) as Arc<dyn Clock>;
        let pause = Duration::from_nanos(100);
        (Arc::new(Breaker::new(told, failures_max, pause, "node".to_owned())), clock)
    }

    fn passes(breaker: &Arc<Breaker>) -> bool {
        matches!(breaker.admit(), Admission::Pass)
    }

    fn probe(breaker: &Arc<Breaker>) -> Option<Probe> {
        match breaker.admit() {
            Admission::RefuseAndProbe(probe) => Some(probe),
            Admission::Pass | Admission::Refuse => None,
        }
    }

    #[test]
    fn only_failures_in_a_row_open_it() {
        let (breaker, _) = breaker(3);
        for _ in 0..5 {
            breaker.failed();
            breaker.failed();
            breaker.succeeded();
        }
        assert_eq!(breaker.state(), BreakerState::Closed);
        (0..3).for_each(|_| breaker.failed());
        assert_eq!(breaker.state(), BreakerState::Open);
        assert!(!passes(&breaker));
    }

    #[test]
    fn one_probe_after_the_pause_and_its_answer_closes() {
        let (breaker, clock) = breaker(1);
        breaker.failed();
        clock.0.store(99, Ordering::SeqCst);
        assert!(probe(&breaker).is_none(), "the pause is not over");
        clock.0.store(100, Ordering::SeqCst);
        let first = probe(&breaker).unwrap();
        assert_eq!(breaker.state(), BreakerState::HalfOpen);
        assert!(probe(&breaker).is_none() && !passes(&breaker), "one probe at a time");
        first.answered();
        assert_eq!(breaker.state(), BreakerState::Closed);
        assert!(passes(&breaker));
    }

    #[test]
    fn a_probe_that_fails_or_is_dropped_begins_the_next_pause() {
        let (breaker, clock) = breaker(1);
        breaker.failed();
        clock.0.store(100, Ordering::SeqCst);
        drop(probe(&breaker).unwrap());
        assert_eq!(breaker.state(), BreakerState::Open);
        clock.0.store(199, Ordering::SeqCst);
        assert!(probe(&breaker).is_none());
        clock.0.store(200, Ordering::SeqCst);
        assert!(probe(&breaker).is_some());
    }

    /// Keeps the messages of all events.
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<String>>>);

    impl tracing::field::Visit for Log {
        fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
            if field.name() == "message" {
                self.0.lock().unwrap().push(format!("{value:?}"));
            }
        }
    }

    impl tracing::Subscriber for Log {
        fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
            true
        }

        fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
            tracing::span::Id::from_u64(1)
        }

        fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}

        fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

        fn event(&self, event: &tracing::Event<'_>) {
            event.record(&mut self.clone());
        }

        fn enter(&self, _: &tracing::span::Id) {}

        fn exit(&self, _: &tracing::span::Id) {}
    }

    #[test]
    fn each_change_is_traced_once() {
        let log = Log::default();
        tracing::subscriber::with_default(log.clone(), || {
            let (breaker, clock) = breaker(2);
            (0..9).for_each(|_| breaker.failed());
            (0..9).for_each(|_| assert!(!passes(&breaker)));
            clock.0.store(100, Ordering::SeqCst);
            drop(probe(&breaker).unwrap());
            clock.0.store(200, Ordering::SeqCst);
            probe(&breaker).unwrap().answered();
            (0..9).for_each(|_| breaker.succeeded());
        });
        let changes = ["open", "half-open", "open again", "half-open", "closed"];
        let changes = changes.map(|change| format!("redis breaker {change}"));
        assert_eq!(*log.0.lock().unwrap(), changes);
    }

    #[test]
    fn calls_that_end_late_change_nothing() {
        let (breaker, clock) = breaker(2);
        (0..9).for_each(|_| breaker.failed());
        breaker.succeeded();
        assert_eq!(breaker.state(), BreakerState::Open);
        clock.0.store(100, Ordering::SeqCst);
        let probe = probe(&breaker).unwrap();
        breaker.failed();
        assert_eq!(breaker.state(), BreakerState::HalfOpen);
        probe.answered();
        breaker.failed();
        assert_eq!(breaker.state(), BreakerState::Closed, "one failure is not two");
    }
}
