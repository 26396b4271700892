//! What operations do that they had better not, with the evidence.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use super::registry::Index;
use crate::fingerprint::Fingerprint;

/// What is wrong with the way an operation uses a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// One call for each row of a list, with other binds each time.
    NPlusOne,
    /// The same question again and again.
    Duplicate,
    /// Many calls of one statement at the same time.
    FanOut,
    /// Single rows written in a loop.
    LoopedWrite,
    /// Repeated; whether with the same binds could not be told.
    Repeated,
}

impl FindingKind {
    /// Its name, fit for the label of a metric.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NPlusOne => "n_plus_one",
            Self::Duplicate => "duplicate",
            Self::FanOut => "fan_out",
            Self::LoopedWrite => "looped_write",
            Self::Repeated => "repeated",
        }
    }

    /// What to do about it.
    pub const fn advice(self) -> &'static str {
        match self {
            Self::NPlusOne => "load all of them in one query: a join, or `eq_any` over the ids",
            Self::Duplicate => "keep the first answer for the rest of the operation, or cache it",
            Self::FanOut => {
                "load all of them in one query: each of these calls takes a connection or a turn"
            }
            Self::LoopedWrite => {
                "use one bulk statement: several rows of `VALUES`, or one `UPDATE`"
            }
            Self::Repeated => "look whether one query would do",
        }
    }
}

/// What was seen in one operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Evidence {
    pub(crate) calls: u64,
    pub(crate) rows: u64,
    pub(crate) rows_max: u64,
    pub(crate) compared: u64,
    pub(crate) distinct: u64,
    pub(crate) overlapped: u64,
    pub(crate) total_ns: u64,
    pub(crate) longest_ns: u64,
    pub(crate) parent: Option<(Index, u64)>,
}

/// What was found, and the evidence of the operation in which it was seen with most calls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// What it is.
    pub kind: FindingKind,
    /// The operation's label.
    pub operation: &'static str,
    /// The id of the operation that the numbers are of.
    pub operation_id: u64,
    /// The statement.
    pub fingerprint: Fingerprint,
    /// The statement's normal text.
    pub text: String,
    /// The statement before it that gave as many rows as there were calls.
    pub parent: Option<Fingerprint>,
    /// The parent's normal text.
    pub parent_text: Option<String>,
    /// How many operations showed it.
    pub occurrences: u64,
    /// How many calls there were in one operation.
    pub calls: u64,
    /// How many rows they gave or changed together.
    pub rows: u64,
    /// How many rows one of them gave or changed, at most.
    pub rows_max: u64,
    /// How many calls had their binds compared.
    pub compared: u64,
    /// How many different binds there were among those compared.
    pub distinct: u64,
    /// How many calls began while another one was under way.
    pub overlapped: u64,
    /// What the calls took together, in nanoseconds.
    pub total_ns: u64,
    /// What could be saved if one call did the work of all and took as long as the longest of them.
    /// An estimate: what that one call would take was not measured. Calls that overlap count each:
    /// the operation itself may save less.
    pub wasted_ns: u64,
    /// The same over all operations that showed it.
    pub wasted_ns_sum: u64,
    /// What to do about it.
    pub advice: &'static str,
}

/// Findings of all operations, each once.
pub(crate) struct Findings {
    kept: Mutex<HashMap<Key, Kept>>,
    max: usize,
    overflowed: std::sync::atomic::AtomicU64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) kind: FindingKind,
    pub(crate) operation: &'static str,
    pub(crate) index: Index,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Kept {
    pub(crate) occurrences: u64,
    pub(crate) wasted_ns_sum: u64,
    pub(crate) operation_id: u64,
    pub(crate) evidence: Evidence,
}

impl Findings {
    pub(crate) fn new(max: usize) -> Self {
        Self { kept: Mutex::default(), max, overflowed: std::sync::atomic::AtomicU64::new(0) }
    }

    pub(crate) fn add(&self, key: Key, operation_id: u64, evidence: Evidence) {
        let wasted = evidence.total_ns - evidence.longest_ns;
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = kept.get_mut(&key) {
            known.occurrences += 1;
            known.wasted_ns_sum += wasted;
            if evidence.calls >= known.evidence.calls {
                (known.evidence, known.operation_id) = (evidence, operation_id);
            }
        } else if kept.len() < self.max {
            let first = Kept { occurrences: 1, wasted_ns_sum: wasted, operation_id, evidence };
            kept.insert(key, first);
        } else {
            self.overflowed.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        }
    }

    pub(crate) fn overflowed(&self) -> u64 {
        self.overflowed.load(std::sync::atomic::Ordering::Relaxed)
    }

    pub(crate) fn all(&self) -> Vec<(Key, Kept)> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().map(|(key, kept)| (*key, *kept)).collect()
    }
}
