//! The operation that a task is in.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::core::Core;
use super::entry::Ended;
use super::finding::Key;
use super::group::{Group, Parent, Seen};
use super::operation::Tally;
use super::outcome::Outcome;
use super::registry::{Index, OTHER};
use crate::fingerprint::StatementKind;

/// How many statements are compared in one operation.
const GROUPS_MAX: usize = 64;

/// How many statements most operations have at most.
const GROUPS_USUAL: usize = 2;

/// How many statements an operation remembers to have run last.
const RECENT_MAX: usize = 4;

/// How deep operations are nested; deeper ones tell those above nothing.
const DEPTH_MAX: u32 = 16;

tokio::task_local! {
    static CURRENT: Arc<Scope>;
}

/// One run of an operation.
pub(crate) struct Scope {
    pub(crate) id: u64,
    pub(crate) label: &'static str,
    pub(crate) parent: Option<Arc<Scope>>,
    depth: u32,
    state: Mutex<State>,
}

/// When an operation began: by the profiler's clock, once there is one.
#[derive(Clone, Copy)]
enum Begun {
    At(Instant),
    Ns(u64),
}

struct State {
    core: Option<Arc<Core>>,
    begun: Begun,
    label: Option<u32>,
    tally: Tally,
    groups: Vec<Group>,
    recent: [Option<Parent>; RECENT_MAX],
    writes: u64,
    attempt: u32,
    /// The last attempt met another writer: what comes next is another attempt.
    contended: bool,
    ended: bool,
}

impl Scope {
    pub(crate) fn new(label: &'static str, core: Option<Arc<Core>>) -> Arc<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let parent = current().filter(|parent| parent.depth < DEPTH_MAX);
        let state = State {
            begun: match &core {
                Some(core) => Begun::Ns(core.now_ns()),
                None => Begun::At(Instant::now()),
            },
            label: core.as_ref().map(|core| core.operations.label(label)),
            core,
            tally: Tally::default(),
            groups: Vec::with_capacity(GROUPS_USUAL),
            recent: [None; RECENT_MAX],
            writes: 0,
            attempt: 1,
            contended: false,
            ended: false,
        };
        Arc::new(Self {
            id: NEXT.fetch_add(1, Relaxed),
            label,
            depth: parent.as_ref().map_or(0, |parent| parent.depth + 1),
            parent,
            state: Mutex::new(state),
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a future in this operation.
    pub(crate) async fn within<F: Future>(self: Arc<Self>, future: F) -> F::Output {
        CURRENT.scope(self, future).await
    }

    /// Does something in this operation that awaits nothing.
    pub(crate) fn within_sync<R>(self: &Arc<Self>, work: impl FnOnce() -> R) -> R {
        CURRENT.sync_scope(Arc::clone(self), work)
    }

    /// Whether the binds of a call are worth comparing: the statement was seen before, here or
    /// further out. `None` if the operation is not counted by this profiler.
    pub(crate) fn enter(&self, core: &Core, index: Index) -> Option<bool> {
        let mut state = self.lock();
        state.attach(self, core);
        if !state.is_of(core) {
            return None;
        }
        let mut known = state.compares(index);
        drop(state);
        let mut outer = self.parent.as_deref();
        while let (None, Some(scope)) = (known, outer) {
            known = scope.lock().compares(index);
            outer = scope.parent.as_deref();
        }
        Some(known.unwrap_or(false))
    }

    /// Begins another attempt at the whole.
    pub(crate) fn attempt(&self, number: u32) {
        let mut state = self.lock();
        if number > state.attempt {
            state.next_attempt(self, number);
        }
    }

    /// Whether the operation is counted by this profiler: that of its first call. Another one keeps
    /// its calls to itself, since the two number statements differently.
    pub(crate) fn belongs_to(&self, core: &Core) -> bool {
        let mut state = self.lock();
        state.attach(self, core);
        state.is_of(core)
    }

    /// Takes note of a call, which is made of the profiler's number of the label and of the attempt
    /// that it belongs to: the next one, if the last one met another writer and this is not the end
    /// of its transaction.
    pub(crate) fn observe(
        &self,
        index: Index,
        kind: StatementKind,
        binds: Option<u64>,
        ended: impl FnOnce(Option<u32>, u32) -> Ended,
    ) -> Ended {
        let mut state = self.lock();
        if state.ended {
            return ended(state.label, state.attempt); // The call outlived its operation.
        }
        let control = kind == StatementKind::Transaction;
        if state.contended && !control {
            let next = state.attempt + 1;
            state.next_attempt(self, next);
        }
        let call = ended(state.label, state.attempt);
        state.tally.add(&call);
        match call.outcome {
            Outcome::Failed(class) if class.is_contention() => state.contended = true,
            Outcome::Failed(_) | Outcome::Cancelled => {}
            Outcome::Ok | Outcome::StoppedEarly if control || index == OTHER => {}
            Outcome::Ok | Outcome::StoppedEarly => {
                state.writes += u64::from(kind.writes());
                let seen = Seen {
                    index,
                    kind,
                    begun_ns: call.begun_ns,
                    ended_ns: call.ended_ns,
                    rows: call.rows,
                    batch: call.batch,
                    binds,
                    writes: state.writes,
                };
                state.add(&seen);
            }
        }
        call
    }

    /// Ends it: judges what was seen, counts it, and tells the operation around it.
    pub(crate) fn end(&self, completed: bool) {
        let mut lock = self.lock();
        if std::mem::replace(&mut lock.ended, true) {
            return;
        }
        lock.judge(self);
        let state = &mut *lock;
        let Some(core) = &state.core else { return };
        let begun_ns = match state.begun {
            Begun::Ns(ns) => ns,
            Begun::At(moment) => core.ns_at(moment),
        };
        state.tally.end(core.now_ns().saturating_sub(begun_ns), completed);
        core.operations.record(state.label.unwrap_or_default(), &state.tally);
        let Some(parent) = &self.parent else { return };
        let (core, tally) = (Arc::clone(core), state.tally);
        let (groups, writes) = (std::mem::take(&mut state.groups), state.writes);
        let contended = state.contended;
        drop(lock);
        parent.take_in(&core, groups, &tally, writes, contended);
    }

    fn take_in(
        &self,
        core: &Core,
        groups: Vec<Group>,
        tally: &Tally,
        writes: u64,
        contended: bool,
    ) {
        let mut state = self.lock();
        state.attach(self, core);
        if state.ended || !state.is_of(core) {
            return;
        }
        if state.contended && !groups.is_empty() {
            let next = state.attempt + 1;
            state.next_attempt(self, next);
        }
        state.contended |= contended;
        state.tally.take_in(tally);
        state.writes += writes;
        for group in groups {
            state.merge(group);
        }
    }
}

impl State {
    fn is_of(&self, core: &Core) -> bool {
        self.core.as_deref().is_some_and(|own| std::ptr::eq(own, core))
    }

    /// Counts the operation by the profiler of its first call, unless it has one already.
    fn attach(&mut self, scope: &Scope, core: &Core) {
        if self.core.is_none() {
            if let Begun::At(moment) = self.begun {
                self.begun = Begun::Ns(core.ns_at(moment));
            }
            self.core = core.own();
            self.label = Some(core.operations.label(scope.label));
        }
    }

    fn compares(&self, index: Index) -> Option<bool> {
        self.groups.iter().find(|group| group.index == index).map(Group::compares)
    }

    fn add(&mut self, seen: &Seen) {
        if let Some(group) = self.groups.iter_mut().find(|group| group.index == seen.index) {
            group.add(seen);
        } else if self.groups.len() < GROUPS_MAX {
            let group = Group::begin(seen, self.recent.iter().flatten().copied());
            self.groups.push(group);
        } else {
            self.tally.unwatched += 1;
        }
        self.remember((seen.index, seen.rows));
    }

    fn merge(&mut self, inner: Group) {
        let latest = (inner.index, inner.rows());
        let inner = inner.moved_out(self.writes, self.recent.iter().flatten().copied());
        if let Some(group) = self.groups.iter_mut().find(|group| group.index == inner.index) {
            group.merge(inner);
        } else if self.groups.len() < GROUPS_MAX {
            self.groups.push(inner);
        } else {
            self.tally.unwatched += 1;
        }
        self.remember(latest);
    }

    /// The latest first, each statement once.
    fn remember(&mut self, latest: Parent) {
        let same = self.recent.iter().position(|p| p.is_some_and(|(index, _)| index == latest.0));
        let until = same.unwrap_or(RECENT_MAX - 1);
        if let Some(moved) = self.recent.get_mut(..=until) {
            moved.rotate_right(1);
        }
        self.recent[0] = Some(latest);
    }

    /// What was done so far is not compared with what is done again.
    fn next_attempt(&mut self, scope: &Scope, number: u32) {
        self.judge(scope);
        self.groups.clear();
        self.recent = [None; RECENT_MAX];
        self.contended = false;
        self.attempt = number;
        self.tally.retries = self.tally.retries.max(u64::from(number.saturating_sub(1)));
    }

    /// Reports each group that amounts to something, and forgets it: the operation around this one
    /// is not blamed again.
    fn judge(&mut self, scope: &Scope) {
        let Self { core: Some(core), tally, groups, .. } = self else { return };
        groups.retain(|group| {
            let Some(entry) = core.registry.entry(group.index) else { return false };
            let Some((kind, evidence)) = group.judge(&entry.normal, &core.options) else {
                return true;
            };
            tally.findings += 1;
            let key = Key { kind, operation: scope.label, index: group.index };
            core.findings.add(key, scope.id, evidence);
            #[cfg(feature = "metrics")]
            super::emit::finding(scope.label, kind);
            false
        });
    }
}

/// The operation of the running task.
pub(crate) fn current() -> Option<Arc<Scope>> {
    CURRENT.try_with(Arc::clone).ok()
}

/// Ends an operation however its future ends.
pub(crate) struct Guard {
    pub(crate) scope: Arc<Scope>,
    pub(crate) completed: bool,
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.scope.end(self.completed);
    }
}
