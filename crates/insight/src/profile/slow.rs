//! The latest slow calls, with the plans of their statements.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Serialize, Serializer};
use tokio::sync::Notify;

use super::core::Core;
use super::entry::{Ended, Entry};
use super::options::Options;
use super::outcome::Outcome;
use super::plan::{Plan, PlanRequest};
use super::registry::Index;
use super::scope::Scope;
use crate::fingerprint::Fingerprint;

/// How long a statement's plan does for its further slow calls.
const PLAN_KEEPS_MS: u64 = 10 * 60 * 1_000;

const MINUTE_MS: u64 = 60 * 1_000;

/// How many statements wait for their plan.
const WAITING_MAX: usize = 16;

/// A call that took long.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct SlowCall {
    /// When it ended, in milliseconds since 1970.
    pub at_unix_ms: u64,
    /// Its statement.
    pub fingerprint: Fingerprint,
    /// The statement's normal text.
    pub text: String,
    /// The label of its operation.
    pub operation: Option<&'static str>,
    /// The id of its operation.
    pub operation_id: Option<u64>,
    /// The id of the operation around that.
    pub parent_operation_id: Option<u64>,
    /// From its begin to its end.
    pub total_ns: u64,
    /// From its begin to the first response, if there was one.
    pub first_response_ns: Option<u64>,
    /// Rows given or changed.
    pub rows: u64,
    /// How it ended.
    pub outcome: Outcome,
    /// Which attempt of its operation it belonged to, from 1.
    pub attempt: u32,
    /// In how many transactions, one in the other.
    pub depth: u32,
    /// How long its connection was waited for before it began.
    pub pool_wait_ns: u64,
    /// Rows of its `VALUES`.
    pub batch: u32,
    /// Its `LIMIT`, when it was sampled.
    pub limit: Option<u64>,
    /// Its `OFFSET`, when it was sampled.
    pub offset: Option<u64>,
    /// How the database would run it.
    #[serde(serialize_with = "serialize_plan")]
    pub plan: PlanState,
}

/// What is known of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlanState {
    /// It has been asked for.
    Waiting,
    /// There it is.
    Fetched(Arc<Plan>),
    /// There is none, and why.
    None(&'static str),
}

pub(crate) struct SlowLog {
    state: Mutex<State>,
    pub(crate) asked: Notify,
    calls_max: usize,
    plans_per_minute: u32,
    pub(crate) noted: AtomicU64,
}

#[derive(Default)]
struct State {
    calls: VecDeque<(Index, SlowCall)>,
    waiting: VecDeque<Index>,
    planners: usize,
    minute: u64,
    asked: u32,
}

impl SlowLog {
    pub(crate) fn new(options: &Options) -> Self {
        Self {
            state: Mutex::default(),
            asked: Notify::new(),
            calls_max: options.slow_max,
            plans_per_minute: options.plans_per_minute,
            noted: AtomicU64::new(0),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cold]
    pub(crate) fn note(
        &self,
        core: &Core,
        index: Index,
        entry: &Entry,
        ended: &Ended,
        operation: Option<&Scope>,
        window: Option<(Option<u64>, Option<u64>)>,
    ) {
        self.noted.fetch_add(1, Relaxed);
        entry.slow.fetch_add(1, Relaxed);
        if self.calls_max == 0 {
            return;
        }
        let now_ms = core.unix_ms();
        let (limit, offset) = window.unwrap_or_default();
        let mut state = self.lock();
        let plan = self.plan_for(&mut state, index, entry, now_ms);
        if plan == PlanState::Waiting {
            self.asked.notify_one();
        }
        let call = SlowCall {
            at_unix_ms: now_ms,
            fingerprint: entry.normal.fingerprint,
            text: entry.normal.text.clone(),
            operation: operation.map(|scope| scope.label),
            operation_id: operation.map(|scope| scope.id),
            parent_operation_id: operation.and_then(|scope| Some(scope.parent.as_ref()?.id)),
            total_ns: ended.total_ns(),
            first_response_ns: ended.first_response_ns.map(|at| at - ended.begun_ns),
            rows: ended.rows,
            outcome: ended.outcome,
            attempt: ended.attempt,
            depth: ended.depth,
            pool_wait_ns: ended.pool_wait_ns,
            batch: ended.batch,
            limit,
            offset,
            plan,
        };
        if state.calls.len() >= self.calls_max {
            state.calls.pop_front();
        }
        state.calls.push_back((index, call));
    }

    /// Whether a plan is fetched for a slow call, and why not.
    fn plan_for(&self, state: &mut State, index: Index, entry: &Entry, now_ms: u64) -> PlanState {
        let normal = &entry.normal;
        if !(normal.single && (normal.kind.writes() || normal.kind == crate::StatementKind::Select))
        {
            return PlanState::None("only single queries and writes are planned");
        }
        if entry.samples.text().is_none() {
            return PlanState::None("the statement is too long to be kept");
        }
        if state.planners == 0 {
            return PlanState::None("nobody fetches plans");
        }
        let minute = now_ms / MINUTE_MS;
        if state.minute != minute {
            (state.minute, state.asked) = (minute, 0);
        }
        let over = state.asked >= self.plans_per_minute || state.waiting.len() >= WAITING_MAX;
        if !over && entry.samples.take_plan_turn(now_ms, PLAN_KEEPS_MS) {
            state.asked += 1;
            state.waiting.push_back(index);
            return PlanState::Waiting;
        }
        let known = state
            .calls
            .iter()
            .rev()
            .find(|(own, call)| *own == index && !matches!(call.plan, PlanState::None(_)));
        match known {
            Some((_, call)) => call.plan.clone(),
            None if over => PlanState::None("as many plans as allowed were fetched this minute"),
            None => PlanState::None("planned less than ten minutes ago"),
        }
    }

    /// Says that someone fetches plans, until the answer is dropped.
    pub(crate) fn planner(&self) -> Attached<'_> {
        self.lock().planners += 1;
        Attached(self)
    }

    /// The next statement to be planned.
    pub(crate) fn next(&self, core: &Core) -> Option<(Index, PlanRequest)> {
        loop {
            let index = self.lock().waiting.pop_front()?;
            let request = core.registry.entry(index).and_then(PlanRequest::of);
            match request {
                Some(request) => return Some((index, request)),
                None => self.answer(index, &PlanState::None("the statement is not kept")),
            }
        }
    }

    /// Gives all calls of a statement that wait for its plan the answer.
    pub(crate) fn answer(&self, index: Index, answer: &PlanState) {
        let mut state = self.lock();
        let waiting = state
            .calls
            .iter_mut()
            .filter(|(own, call)| *own == index && call.plan == PlanState::Waiting);
        for (_, call) in waiting {
            call.plan = answer.clone();
        }
    }

    /// The latest first.
    pub(crate) fn calls(&self) -> Vec<SlowCall> {
        self.lock().calls.iter().rev().map(|(_, call)| call.clone()).collect()
    }
}

/// Someone who fetches plans.
pub(crate) struct Attached<'l>(&'l SlowLog);

impl Drop for Attached<'_> {
    fn drop(&mut self) {
        self.0.lock().planners -= 1;
    }
}

/// `{"state": "fetched", "text": .., "generic": ..}` and the like.
fn serialize_plan<S: Serializer>(plan: &PlanState, to: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    #[serde(tag = "state", rename_all = "snake_case")]
    enum Shown<'p> {
        Waiting,
        Fetched { text: &'p str, generic: bool },
        None { reason: &'static str },
    }
    let shown = match plan {
        PlanState::Waiting => Shown::Waiting,
        PlanState::Fetched(plan) => Shown::Fetched { text: &plan.text, generic: plan.generic },
        PlanState::None(reason) => Shown::None { reason },
    };
    shown.serialize(to)
}
