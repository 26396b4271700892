//! How the database would run a statement. Nothing here runs one.

#[cfg(feature = "postgres")]
mod postgres;
mod scrub;
#[cfg(feature = "sqlite")]
mod sqlite;

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use serde::Serialize;

use super::Profiler;
use super::entry::Entry;
use super::outcome::ErrorClass;
use super::registry::Index;
use super::sample::SentText;
use super::slow::{PlanState, SlowLog};
use crate::fingerprint::{StatementKind, System, normalise};

#[cfg(feature = "postgres")]
pub use postgres::PostgresPlanner;
#[cfg(feature = "sqlite")]
pub use sqlite::SqlitePlanner;

/// A plan as the database writes it, without literals.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Plan {
    /// Its lines.
    pub text: String,
    /// Whether it was made without knowing the values: for some the database may choose another.
    pub generic: bool,
}

impl Plan {
    /// Of what a database wrote; literals in it are replaced by `?`.
    pub fn new(lines: &str, generic: bool, system: System) -> Self {
        Self { text: scrub::scrub(lines, system), generic }
    }
}

/// A statement to be planned.
#[derive(Clone)]
pub struct PlanRequest {
    text: SentText,
    system: System,
    kind: StatementKind,
    placeholders: u16,
}

impl PlanRequest {
    pub(crate) fn of(entry: &Entry) -> Option<Self> {
        let normal = &entry.normal;
        let text = entry.samples.text()?;
        let (system, kind) = (entry.system, normal.kind);
        Some(Self { text, system, kind, placeholders: normal.placeholders })
    }

    /// A statement of one's own. `None` unless it is one query or one write.
    #[must_use]
    pub fn new(sql: &str, system: System) -> Option<Self> {
        let normal = normalise(sql, system);
        let kind = normal.kind;
        let is_planned = kind.writes() || kind == StatementKind::Select;
        (normal.understood && normal.single && is_planned).then(|| Self {
            text: SentText::new(sql),
            system,
            kind,
            placeholders: normal.placeholders,
        })
    }

    /// The statement as it was first sent: one statement, a query or a write. It may hold values.
    pub fn statement(&self) -> &str {
        self.text.expose()
    }

    /// Which database it is for.
    pub fn system(&self) -> System {
        self.system
    }

    /// What it does.
    pub fn kind(&self) -> StatementKind {
        self.kind
    }

    /// How many binds it has.
    pub fn placeholders(&self) -> u16 {
        self.placeholders
    }
}

impl fmt::Debug for PlanRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PlanRequest").field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// Why there is no plan. What the database says of it may quote values and is not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// No connection was to be had.
    #[error("no connection to plan on")]
    NoConnection,
    /// The statement is for another database.
    #[error("the statement is for another database")]
    OtherDatabase,
    /// The database could not plan it.
    #[error("the database could not plan it without its values")]
    Refused(ErrorClass),
}

impl PlanError {
    const fn reason(self) -> &'static str {
        match self {
            Self::NoConnection => "no connection to plan on",
            Self::OtherDatabase => "the statement is for another database",
            Self::Refused(_) => "the database could not plan it without its values",
        }
    }
}

/// The future of [`Planner::plan`].
pub type Planning<'p> = Pin<Box<dyn Future<Output = Result<Plan, PlanError>> + Send + 'p>>;

/// Fetches plans, on a connection of its own: not one that the application works with. It must not
/// run the statement: `EXPLAIN`, never `EXPLAIN ANALYZE`.
pub trait Planner: Send + Sync {
    /// The plan of a statement.
    fn plan<'p>(&'p self, request: &'p PlanRequest) -> Planning<'p>;
}

/// Is given when it is dropped.
struct Answer<'l> {
    slow: &'l SlowLog,
    index: Index,
    answer: PlanState,
}

impl Drop for Answer<'_> {
    fn drop(&mut self) {
        self.slow.answer(self.index, &self.answer);
    }
}

impl Profiler {
    /// Fetches plans of slow statements, within the budget, for as long as it is polled. Meant to be
    /// spawned. With a profiler that is off it ends at once.
    pub async fn fetch_plans(&self, planner: Arc<dyn Planner>) {
        let Some(core) = self.core() else { return };
        let _attached = core.slow.planner();
        loop {
            while self.plan_next(&*planner).await {}
            core.slow.asked.notified().await;
        }
    }

    /// Says that someone is going to call [`plan_next`](Self::plan_next): without one, or without
    /// [`fetch_plans`](Self::fetch_plans), no plan is asked for. Holds until the answer is dropped.
    pub fn attach_planner(&self) -> impl Sized + '_ {
        self.core().map(|core| core.slow.planner())
    }

    /// Fetches one plan that is asked for. `false` when none is.
    pub async fn plan_next(&self, planner: &dyn Planner) -> bool {
        let Some(core) = self.core() else { return false };
        let Some((index, request)) = core.slow.next(core) else { return false };
        // Whoever fetches may be stopped midway.
        let cut_short = PlanState::None("fetching the plan was cut short");
        let mut answer = Answer { slow: &core.slow, index, answer: cut_short };
        answer.answer = match planner.plan(&request).await {
            Ok(plan) => PlanState::Fetched(Arc::new(plan)),
            Err(error) => {
                tracing::debug!(%error, "a slow statement has no plan");
                PlanState::None(error.reason())
            }
        };
        true
    }
}
