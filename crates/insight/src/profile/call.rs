//! One call, from the moment it is built until it is known how it ended.

use std::sync::atomic::Ordering::Relaxed;

use diesel::QueryResult;

use super::core::Core;
use super::entry::{Ended, Entry};
use super::outcome::{ErrorClass, Outcome};
use super::record::{NOT_YET, Place, Record, known};
use super::registry::Known;
use super::scope;

/// Details are sampled from the first call of a statement and one in so many of the others.
const DETAILS_EVERY: u64 = 64;

/// A call under way. Dropped before it ended, it was cancelled or left early.
///
/// The futures around it are moved about, so it is small: what it knows stands in its [`Record`].
pub(crate) struct Call<'c> {
    core: &'c Core,
    entry: &'c Entry,
    at: Place<'c>,
}

/// How a kind of connection behaves.
#[derive(Clone, Copy)]
pub(crate) struct Manner {
    /// A statement is sent when its future is built.
    pub(crate) begins_when_built: bool,
    /// The count that `execute` gives for a statement that writes nothing is one.
    pub(crate) counts_reads: bool,
}

/// What a call can be asked about its statement, when that is needed.
pub(crate) trait Details {
    /// A hash of the binds as they are sent; `None` when they cannot be read.
    fn hash(&self, seed: u64) -> Option<u64>;
    /// The binds as Diesel shows them.
    fn shown(&self) -> Option<Vec<String>>;
    /// How many rows it stands for, where its text does not say.
    fn batch(&self) -> Option<u32> {
        None
    }
}

/// Of a statement that has no binds.
pub(crate) struct Plain;

impl Details for Plain {
    fn hash(&self, _seed: u64) -> Option<u64> {
        Some(0)
    }

    fn shown(&self) -> Option<Vec<String>> {
        Some(Vec::new())
    }
}

impl<'c> Call<'c> {
    /// Begins the record of a call of the statement that `find` finds.
    #[inline]
    pub(crate) fn new(
        core: &'c Core,
        mut at: Place<'c>,
        find: impl FnOnce(&'c Core, &mut Record) -> Known,
        details: &dyn Details,
        depth: u32,
        pool_wait_ns: u64,
        manner: Manner,
    ) -> Option<Self> {
        let measured = at.is_measured().then(|| core.now_ns());
        let known = find(core, &mut at);
        let entry = core.registry.entry(known.index)?;
        at.begin(known, depth, pool_wait_ns, manner.counts_reads);
        let mut call = Self { core, entry, at };
        if let Some(scope) = scope::current()
            && let Some(compares) = scope.enter(core, known.index)
        {
            if compares {
                call.at.binds = details.hash(core.seed);
            }
            call.at.scope = Some(scope);
        }
        if known.paging.is_some() || core.options.keep_binds {
            call.sample(details);
        }
        if manner.begins_when_built || measured.is_some() {
            let now = core.now_ns();
            if manner.begins_when_built {
                call.at.begun_ns = now;
            }
            call.at.own_ns = measured.map_or(NOT_YET, |since| now.saturating_sub(since));
        }
        Some(call)
    }

    fn sample(&mut self, details: &dyn Details) {
        let (entry, core) = (self.entry, self.core);
        let known = self.at.known;
        let keeps = core.options.keep_binds;
        let turn = entry.details.fetch_add(1, Relaxed);
        if !turn.is_multiple_of(DETAILS_EVERY) && !keeps {
            return;
        }
        let shown =
            if keeps || known.paging.is_bound() { details.shown() } else { Some(Vec::new()) };
        let Some(shown) = shown else { return };
        let window = known.paging.values(&shown);
        if window != (None, None) {
            entry.samples.note_window(window.0, window.1);
            self.at.window = Some(window);
        }
        // Binds are read beside the text that is kept: those of a text that binds otherwise would
        // stand for other things there.
        if keeps && !shown.is_empty() && known.binding == entry.normal.binding {
            let hash =
                |text: &str| xxhash_rust::xxh3::xxh3_64_with_seed(text.as_bytes(), core.seed);
            entry.samples.note_binds(shown, core.random(), hash);
        }
    }

    /// Its future is polled.
    #[inline]
    pub(crate) fn polled(&mut self) {
        if !self.at.polled {
            self.at.polled = true;
            // A future that is built as an argument of `operation` is built outside of it.
            if self.at.scope.is_none() {
                self.at.scope = scope::current().filter(|scope| scope.belongs_to(self.core));
            }
            if self.at.begun_ns == NOT_YET {
                self.at.begun_ns = self.core.now_ns();
            }
        }
    }

    /// The response has begun.
    pub(crate) fn responded(&mut self) {
        self.at.first_response_ns = self.core.now_ns();
    }

    #[inline]
    pub(crate) fn row(&mut self) {
        self.at.rows += 1;
    }

    /// It ended by itself with so many rows.
    pub(crate) fn returned(&mut self, outcome: &QueryResult<usize>) {
        match outcome {
            Ok(rows) => {
                if self.at.counts_reads || self.entry.normal.kind.writes() {
                    self.at.rows = *rows as u64;
                }
                self.end(Outcome::Ok);
            }
            Err(error) => self.failed(error),
        }
    }

    pub(crate) fn failed(&mut self, error: &diesel::result::Error) {
        self.end(Outcome::Failed(ErrorClass::of(error)));
    }

    pub(crate) fn end(&mut self, outcome: Outcome) {
        if std::mem::replace(&mut self.at.ended, true) {
            return;
        }
        let ended_ns = self.core.now_ns();
        let at = &self.at;
        let ended = |label, attempt| Ended {
            begun_ns: at.begun_ns.min(ended_ns),
            ended_ns,
            first_response_ns: known(at.first_response_ns),
            rows: at.rows,
            outcome,
            pool_wait_ns: at.pool_wait_ns,
            batch: at.known.batch,
            depth: at.depth,
            attempt,
            label,
        };
        let ended = match &at.scope {
            Some(scope) => scope.observe(at.known.index, self.entry.normal.kind, at.binds, ended),
            None => ended(None, 1),
        };
        self.entry.record(&ended);
        #[cfg(feature = "metrics")]
        self.entry.meters.record(&self.entry.normal, self.entry.system, &ended);
        if ended.total_ns() >= self.core.slow_from_ns {
            let scope = self.at.scope.as_deref();
            let window = self.at.window;
            self.core.slow.note(self.core, self.at.known.index, self.entry, &ended, scope, window);
        }
        if let Some(own_ns) = known(self.at.own_ns) {
            let after = self.core.now_ns().saturating_sub(ended_ns);
            self.core.own.add(own_ns + after);
        }
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        if !self.at.ended {
            if !self.at.polled {
                self.entry.never_polled.fetch_add(1, Relaxed);
            } else if known(self.at.first_response_ns).is_some() {
                self.end(Outcome::StoppedEarly);
            } else {
                self.end(Outcome::Cancelled);
            }
        }
        // Its connection may live for long, and its operation must not for that.
        self.at.scope = None;
    }
}
