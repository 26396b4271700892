//! What the workers told, gathered.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::clock::now_ns;
use crate::delay::Twin;
use crate::history::{Outcome, Read, Write};
use crate::wire::{Counts, Line};

/// Everything told so far.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) reads: Vec<Read>,
    pub(crate) writes: Vec<Write>,
    pub(crate) twins: Vec<Twin>,
    /// Calls that failed although the database was well.
    pub(crate) failed: u64,
    /// The first of them.
    pub(crate) failure: Option<String>,
    under_way: HashMap<i64, Write>,
    counts: HashMap<u32, Counts>,
}

/// Shared by all who listen to workers.
#[derive(Debug, Default)]
pub(crate) struct Journal(Mutex<Told>);

impl Journal {
    /// What was told so far.
    pub(crate) fn told(&self) -> MutexGuard<'_, Told> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes down a line of a worker.
    pub(crate) fn note(&self, process: u32, line: Line) {
        let mut told = self.told();
        match line {
            Line::Ready => {}
            Line::Began { op, at_ns } => {
                let (start_ns, outcome) = (at_ns, Outcome::Unknown);
                told.under_way.insert(op, Write { op, process, start_ns, end_ns: at_ns, outcome });
            }
            Line::Ended { op, at_ns, outcome } => {
                if let Some(write) = told.under_way.remove(&op) {
                    told.writes.push(Write { end_ns: at_ns, outcome, ..write });
                }
            }
            Line::Read { start_ns, end_ns, states } => {
                let read = |state| Read { process, start_ns, end_ns, state };
                told.reads.extend(states.into_iter().map(read));
            }
            Line::Failed { call, error } => {
                told.failed += 1;
                told.failure.get_or_insert_with(|| format!("{call}: {error}"));
            }
            Line::Twin { start_ns, cached_ns, uncached_ns } => {
                told.twins.push(Twin { start_ns, cached_ns, uncached_ns });
            }
            Line::Counts(counts) => {
                told.counts.insert(process, counts);
            }
        }
    }

    /// The worker is gone: nobody will learn how its writes under way ended.
    pub(crate) fn gone(&self, process: u32) {
        let mut told = self.told();
        let now = now_ns();
        let orphans: Vec<i64> =
            told.under_way.values().filter(|w| w.process == process).map(|w| w.op).collect();
        for op in orphans {
            if let Some(write) = told.under_way.remove(&op) {
                told.writes.push(Write { end_ns: now, ..write });
            }
        }
    }
}

impl Told {
    /// The counts of all workers, as last told.
    pub(crate) fn counts(&self) -> Counts {
        let mut sum = Counts::default();
        self.counts.values().for_each(|counts| sum.add(counts));
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_dead_worker_had_under_way_is_unknown() {
        let journal = Journal::default();
        for (process, op) in [(1, 10), (1, 11), (2, 20)] {
            journal.note(process, Line::Began { op, at_ns: 5 });
        }
        journal.note(1, Line::Ended { op: 10, at_ns: 9, outcome: Outcome::Refused });
        journal.gone(1);
        let told = journal.told();
        let outcomes: Vec<_> = told.writes.iter().map(|w| (w.op, w.outcome.clone())).collect();
        assert_eq!(outcomes, [(10, Outcome::Refused), (11, Outcome::Unknown)]);
        assert!(told.writes[1].end_ns > 5);
        assert!(told.under_way.contains_key(&20));
    }
}
