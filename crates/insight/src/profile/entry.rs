//! What is known of one statement.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

use super::histogram::Histogram;
use super::outcome::{ErrorClass, Outcome};
use super::sample::Samples;
use crate::fingerprint::{Fingerprint, Normal, StatementKind, System};

/// How many labels of operations are kept with a statement, the first ones.
pub(crate) const LABELS_MAX: usize = 8;

/// No operation.
const NO_LABEL: u32 = u32::MAX;

/// One statement: what it is, and its counters.
pub(crate) struct Entry {
    pub(crate) normal: Normal,
    pub(crate) system: System,
    pub(crate) total: Histogram,
    pub(crate) total_ns: AtomicU64,
    pub(crate) first_response_ns: AtomicU64,
    pub(crate) first_responses: AtomicU64,
    pub(crate) rows: AtomicU64,
    pub(crate) rows_max: AtomicU64,
    pub(crate) pool_wait_ns: AtomicU64,
    pub(crate) batch_rows: AtomicU64,
    pub(crate) batch_max: AtomicU64,
    pub(crate) stopped_early: AtomicU64,
    pub(crate) cancelled: AtomicU64,
    pub(crate) never_polled: AtomicU64,
    pub(crate) retried: AtomicU64,
    pub(crate) in_transaction: AtomicU64,
    pub(crate) slow: AtomicU64,
    failed: [AtomicU64; ErrorClass::ALL.len()],
    labels: [AtomicU32; LABELS_MAX],
    /// Calls whose details might be sampled.
    pub(crate) details: AtomicU64,
    pub(crate) samples: Samples,
    #[cfg(feature = "metrics")]
    pub(crate) meters: super::emit::Meters,
}

/// A call that ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ended {
    pub(crate) begun_ns: u64,
    pub(crate) ended_ns: u64,
    pub(crate) first_response_ns: Option<u64>,
    pub(crate) rows: u64,
    pub(crate) outcome: Outcome,
    pub(crate) pool_wait_ns: u64,
    pub(crate) batch: u32,
    pub(crate) depth: u32,
    pub(crate) attempt: u32,
    /// Of the operation, if there is one.
    pub(crate) label: Option<u32>,
}

impl Ended {
    pub(crate) fn total_ns(&self) -> u64 {
        self.ended_ns.saturating_sub(self.begun_ns)
    }
}

impl Entry {
    pub(crate) fn new(normal: Normal, system: System) -> Self {
        Self {
            #[cfg(feature = "metrics")]
            meters: super::emit::Meters::of(&normal, system),
            normal,
            system,
            total: Histogram::default(),
            total_ns: AtomicU64::new(0),
            first_response_ns: AtomicU64::new(0),
            first_responses: AtomicU64::new(0),
            rows: AtomicU64::new(0),
            rows_max: AtomicU64::new(0),
            pool_wait_ns: AtomicU64::new(0),
            batch_rows: AtomicU64::new(0),
            batch_max: AtomicU64::new(0),
            stopped_early: AtomicU64::new(0),
            cancelled: AtomicU64::new(0),
            never_polled: AtomicU64::new(0),
            retried: AtomicU64::new(0),
            in_transaction: AtomicU64::new(0),
            slow: AtomicU64::new(0),
            failed: [const { AtomicU64::new(0) }; ErrorClass::ALL.len()],
            labels: [const { AtomicU32::new(NO_LABEL) }; LABELS_MAX],
            details: AtomicU64::new(0),
            samples: Samples::default(),
        }
    }

    /// What does not fit is counted in one of these.
    pub(crate) fn other() -> Self {
        const TEXT: &str = "(other)";
        let normal = Normal {
            fingerprint: Fingerprint::of_normal(TEXT),
            text: TEXT.to_owned(),
            summary: TEXT.to_owned(),
            kind: StatementKind::Other,
            batch: 1,
            limit: None,
            offset: None,
            paged: false,
            single: false,
            placeholders: 0,
            binding: 0,
            understood: true,
        };
        Self::new(normal, System::Postgres)
    }

    /// Counts a call: no lock, no allocation.
    pub(crate) fn record(&self, call: &Ended) {
        let total_ns = call.total_ns();
        self.total_ns.fetch_add(total_ns, Relaxed);
        self.total.record(total_ns);
        add(&self.rows, call.rows);
        if call.rows > self.rows_max.load(Relaxed) {
            self.rows_max.fetch_max(call.rows, Relaxed);
        }
        if let Some(first) = call.first_response_ns {
            self.first_responses.fetch_add(1, Relaxed);
            add(&self.first_response_ns, first.saturating_sub(call.begun_ns));
        }
        add(&self.pool_wait_ns, call.pool_wait_ns);
        if call.batch > 1 || self.normal.kind == StatementKind::Insert {
            add(&self.batch_rows, u64::from(call.batch));
            self.batch_max.fetch_max(u64::from(call.batch), Relaxed);
        }
        if call.depth > 0 {
            self.in_transaction.fetch_add(1, Relaxed);
        }
        if call.attempt > 1 {
            self.retried.fetch_add(1, Relaxed);
        }
        match call.outcome {
            Outcome::Ok => {}
            Outcome::StoppedEarly => add(&self.stopped_early, 1),
            Outcome::Cancelled => add(&self.cancelled, 1),
            Outcome::Failed(class) => {
                if let Some(count) = self.failed.get(class as usize) {
                    add(count, 1);
                }
            }
        }
        if let Some(label) = call.label {
            self.note_label(label);
        }
    }

    /// How many calls were counted.
    pub(crate) fn calls(&self) -> u64 {
        self.total.count()
    }

    fn note_label(&self, label: u32) {
        for slot in &self.labels {
            // It is there nearly always.
            if slot.load(Relaxed) == label {
                return;
            }
            match slot.compare_exchange(NO_LABEL, label, Relaxed, Relaxed) {
                Ok(_) => return,
                Err(taken) if taken == label => return,
                Err(_) => {}
            }
        }
    }

    pub(crate) fn labels(&self) -> impl Iterator<Item = u32> + '_ {
        self.labels.iter().map(|slot| slot.load(Relaxed)).filter(|label| *label != NO_LABEL)
    }

    /// Errors by class, those that happened.
    pub(crate) fn failed(&self) -> impl Iterator<Item = (ErrorClass, u64)> + '_ {
        let counts = self.failed.iter().map(|count| count.load(Relaxed));
        ErrorClass::ALL.into_iter().zip(counts).filter(|(_, count)| *count > 0)
    }
}

/// Most calls add nothing to most counters.
#[inline]
fn add(counter: &AtomicU64, amount: u64) {
    if amount > 0 {
        counter.fetch_add(amount, Relaxed);
    }
}
