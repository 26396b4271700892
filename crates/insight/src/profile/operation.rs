//! Operations: what statements are for.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{OnceLock, PoisonError, RwLock};

use super::entry::Ended;
use super::histogram::Histogram;
use super::outcome::Outcome;
use super::scope::{self, Guard, Scope};

/// Runs a future as one operation: the statements it makes are counted under the label, whatever
/// the database, and looked at together. It is counted by the profiler of its first statement, and by
/// no other; an
/// operation that makes none is not counted. [`Profiler::operation`](super::Profiler::operation)
/// counts it always.
///
/// The label holds for this task. A task that is spawned takes it along by [`carried`].
///
/// ```
/// use guildhall_insight::profile::operation;
///
/// # async fn award() {}
/// # async fn example() {
/// operation("points.award", award()).await;
/// # }
/// ```
pub async fn operation<F: Future>(label: &'static str, future: F) -> F::Output {
    run(Scope::new(label, None), future).await
}

pub(crate) async fn run<F: Future>(scope: std::sync::Arc<Scope>, future: F) -> F::Output {
    let mut guard = Guard { scope: std::sync::Arc::clone(&scope), completed: false };
    let output = scope.within(future).await;
    guard.completed = true;
    output
}

/// Takes the operation of the calling task along, for a future that is going to run on a task of
/// its own. Without an operation the future is as it was.
pub fn carried<F: Future>(future: F) -> impl Future<Output = F::Output> {
    let scope = scope::current();
    async move {
        match scope {
            Some(scope) => scope.within(future).await,
            None => future.await,
        }
    }
}

/// Says that the running operation is tried for the given time, counted from 1. Calls of different
/// attempts are not compared. After a serialization failure, a deadlock or a busy database it is
/// assumed without being said.
pub fn attempt(number: u32) {
    if number > 1
        && let Some(scope) = scope::current()
    {
        scope.attempt(number);
    }
}

/// The id of the running operation, and of the one around it.
pub fn operation_id() -> Option<(u64, Option<u64>)> {
    let scope = scope::current()?;
    Some((scope.id, scope.parent.as_ref().map(|parent| parent.id)))
}

/// What one operation did, the inner ones included.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    elapsed_ns: u64,
    completed: bool,
    statements: u64,
    rows: u64,
    database_ns: u64,
    pool_wait_ns: u64,
    failed: u64,
    cancelled: u64,
    pub(crate) retries: u64,
    pub(crate) findings: u64,
    pub(crate) unwatched: u64,
}

impl Tally {
    pub(crate) fn add(&mut self, call: &Ended) {
        self.statements += 1;
        self.rows += call.rows;
        self.database_ns += call.total_ns();
        self.pool_wait_ns += call.pool_wait_ns;
        match call.outcome {
            Outcome::Failed(_) => self.failed += 1,
            Outcome::Cancelled => self.cancelled += 1,
            Outcome::Ok | Outcome::StoppedEarly => {}
        }
    }

    pub(crate) fn end(&mut self, elapsed_ns: u64, completed: bool) {
        (self.elapsed_ns, self.completed) = (elapsed_ns, completed);
    }

    pub(crate) fn take_in(&mut self, inner: &Self) {
        self.statements += inner.statements;
        self.rows += inner.rows;
        self.database_ns += inner.database_ns;
        self.pool_wait_ns += inner.pool_wait_ns;
        self.failed += inner.failed;
        self.cancelled += inner.cancelled;
        self.unwatched += inner.unwatched;
    }
}

/// All runs under one label.
pub(crate) struct OperationEntry {
    pub(crate) label: &'static str,
    pub(crate) elapsed: Histogram,
    pub(crate) runs: AtomicU64,
    pub(crate) dropped: AtomicU64,
    pub(crate) elapsed_ns: AtomicU64,
    pub(crate) statements: AtomicU64,
    pub(crate) statements_max: AtomicU64,
    pub(crate) rows: AtomicU64,
    pub(crate) database_ns: AtomicU64,
    pub(crate) pool_wait_ns: AtomicU64,
    pub(crate) failed: AtomicU64,
    pub(crate) cancelled: AtomicU64,
    pub(crate) retries: AtomicU64,
    pub(crate) findings: AtomicU64,
    pub(crate) unwatched: AtomicU64,
}

impl OperationEntry {
    fn new(label: &'static str) -> Self {
        let zero = || AtomicU64::new(0);
        Self {
            label,
            elapsed: Histogram::default(),
            runs: zero(),
            dropped: zero(),
            elapsed_ns: zero(),
            statements: zero(),
            statements_max: zero(),
            rows: zero(),
            database_ns: zero(),
            pool_wait_ns: zero(),
            failed: zero(),
            cancelled: zero(),
            retries: zero(),
            findings: zero(),
            unwatched: zero(),
        }
    }

    fn record(&self, tally: &Tally) {
        self.elapsed.record(tally.elapsed_ns);
        // Most of these are nothing most of the time, and a look is cheaper than an addition.
        for (counter, more) in [
            (&self.runs, 1),
            (&self.dropped, u64::from(!tally.completed)),
            (&self.elapsed_ns, tally.elapsed_ns),
            (&self.statements, tally.statements),
            (&self.rows, tally.rows),
            (&self.database_ns, tally.database_ns),
            (&self.pool_wait_ns, tally.pool_wait_ns),
            (&self.failed, tally.failed),
            (&self.cancelled, tally.cancelled),
            (&self.retries, tally.retries),
            (&self.findings, tally.findings),
            (&self.unwatched, tally.unwatched),
        ] {
            if more > 0 {
                counter.fetch_add(more, Relaxed);
            }
        }
        if tally.statements > self.statements_max.load(Relaxed) {
            self.statements_max.fetch_max(tally.statements, Relaxed);
        }
    }
}

/// All labels; the first is that of all which do not fit.
pub(crate) struct Operations {
    entries: Box<[OnceLock<Box<OperationEntry>>]>,
    by_label: RwLock<HashMap<&'static str, u32>>,
    /// Numbers of labels by where their text stands, a guess that is looked at before it is taken: a
    /// label is the same text at the same place nearly always. 0 guesses nothing.
    guesses: [AtomicU32; GUESSES],
}

/// How many labels are guessed: a power of two.
const GUESSES: usize = 256;

/// The label of all that do not fit.
pub(crate) const OTHER_LABEL: &str = "(other)";

impl Operations {
    pub(crate) fn new(operations_max: usize) -> Self {
        let entries: Box<[OnceLock<Box<OperationEntry>>]> =
            (0..=operations_max).map(|_| OnceLock::new()).collect();
        if let Some(first) = entries.first() {
            first.get_or_init(|| Box::new(OperationEntry::new(OTHER_LABEL)));
        }
        let guesses = [const { AtomicU32::new(0) }; GUESSES];
        Self { entries, by_label: RwLock::default(), guesses }
    }

    /// The number of a label: 0 for one that does not fit.
    #[inline]
    pub(crate) fn label(&self, label: &'static str) -> u32 {
        // Texts stand next to each other: the odd multiplier spreads their beginnings.
        let place = (label.as_ptr() as usize).wrapping_mul(0x9e37_79b9) >> 16;
        let Some(guess) = self.guesses.get(place % GUESSES) else { return 0 };
        let guessed = guess.load(Relaxed);
        let is_right = |entry: &OperationEntry| std::ptr::eq(entry.label, label);
        if guessed != 0 && self.entry(guessed).is_some_and(is_right) {
            return guessed;
        }
        let number = self.find(label);
        guess.store(number, Relaxed);
        number
    }

    fn find(&self, label: &'static str) -> u32 {
        if let Some(known) = self.by_label.read().unwrap_or_else(PoisonError::into_inner).get(label)
        {
            return *known;
        }
        let mut labels = self.by_label.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = labels.get(label) {
            return *known;
        }
        let next = labels.len() + 1;
        let (Some(slot), Ok(number)) = (self.entries.get(next), u32::try_from(next)) else {
            return 0;
        };
        slot.get_or_init(|| Box::new(OperationEntry::new(label)));
        labels.insert(label, number);
        number
    }

    pub(crate) fn name(&self, number: u32) -> &'static str {
        self.entry(number).map_or(OTHER_LABEL, |entry| entry.label)
    }

    fn entry(&self, number: u32) -> Option<&OperationEntry> {
        self.entries.get(number as usize)?.get().map(|entry| &**entry)
    }

    pub(crate) fn record(&self, number: u32, tally: &Tally) {
        if let Some(entry) = self.entry(number) {
            entry.record(tally);
            #[cfg(feature = "metrics")]
            super::emit::operation(
                entry.label,
                tally.elapsed_ns,
                tally.statements,
                tally.rows,
                tally.retries,
            );
        }
    }

    /// All labels, that of the others first.
    pub(crate) fn entries(&self) -> impl Iterator<Item = &OperationEntry> + '_ {
        self.entries.iter().map_while(|slot| slot.get().map(|entry| &**entry))
    }

    /// How many labels are told apart, and how many could be.
    pub(crate) fn used(&self) -> (usize, usize) {
        let used = self.by_label.read().unwrap_or_else(PoisonError::into_inner).len();
        (used, self.entries.len() - 1)
    }
}
