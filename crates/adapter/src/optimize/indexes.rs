//! Building what was recommended, and whether it helped.

use std::sync::PoisonError;

use guildhall_insight::advise::Recommendation;
use guildhall_insight::catalog::IndexShape;
use guildhall_insight::create::{postgres, sqlite};
use guildhall_insight::fingerprint::Fingerprint;
pub use guildhall_insight::validate::Verdict;
use guildhall_insight::validate::{Comparison, Latencies, compare, verdict_of};
use guildhall_insight::{Profiler, Report};
use serde::Serialize;

use super::told;
use crate::Guildhall;
use crate::performance::FOREIGN;
use crate::store::Store;

/// How long a build on SQLite waits for writers of other programs.
const BUSY_TIMEOUT_MS: u32 = 5_000;

/// What became of an index that was to be built.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct IndexResult {
    /// Its name.
    pub name: String,
    /// The statement that makes it.
    pub ddl: String,
    /// What became of it.
    pub outcome: IndexOutcome,
}

/// What became of an index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", content = "detail", rename_all = "snake_case")]
pub enum IndexOutcome {
    /// Built, and the database says that it is valid. Whether it helps, calls have to show.
    Created,
    /// This one does the same.
    AlreadyThere(String),
    /// Not begun, and why.
    NotBegun(String),
    /// Tried, and why it failed.
    Failed(String),
}

/// What calls showed of an index that was built.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct IndexVerdict {
    /// Its name.
    pub name: String,
    /// The statement that made it.
    pub ddl: String,
    /// What to make of it. One that is harmful or without effect is best dropped, by a person.
    pub verdict: Verdict,
    /// Each statement that it was built for, before and after.
    pub statements: Vec<(Fingerprint, Comparison)>,
}

/// An index that was built by this process, and how long calls took until then.
pub(crate) struct Built {
    name: String,
    ddl: String,
    before: Vec<(Fingerprint, Latencies)>,
}

impl Built {
    fn new(one: &Recommendation, profiler: &Profiler) -> Self {
        let helped = one.helped.iter().filter_map(|helped| helped.fingerprint.map(Fingerprint));
        let before = helped.map(|fingerprint| (fingerprint, profiler.latencies_of(fingerprint)));
        Self { name: one.name.clone(), ddl: one.ddl.clone(), before: before.collect() }
    }

    fn verdict(&self, profiler: &Profiler) -> IndexVerdict {
        let compared = self.before.iter().map(|(fingerprint, before)| {
            (*fingerprint, compare(before, &profiler.latencies_of(*fingerprint).since(before)))
        });
        let statements: Vec<_> = compared.collect();
        let comparisons: Vec<_> = statements.iter().map(|(_, one)| one.clone()).collect();
        let verdict = verdict_of(&comparisons);
        IndexVerdict { name: self.name.clone(), ddl: self.ddl.clone(), verdict, statements }
    }
}

impl Guildhall {
    /// What calls showed of every index that this process built so far. A verdict needs 200 calls
    /// before and 200 after.
    pub(crate) fn verdicts(&self) -> Vec<IndexVerdict> {
        let built = self.0.built.lock().unwrap_or_else(PoisonError::into_inner);
        built.iter().map(|one| one.verdict(self.profiler())).collect()
    }

    /// Builds what a report recommends, for who has read it: on PostgreSQL concurrently, one at a
    /// time and only if the server has room for it; on SQLite writers wait. It runs on a task of its
    /// own and ends well when the caller goes away. An error says in words why nothing was begun.
    pub async fn build_indexes(&self, report: &Report) -> Result<Vec<IndexResult>, String> {
        let Some(store) = self.0.store.clone() else { return Err(FOREIGN.to_owned()) };
        let shapes = report.shapes();
        if shapes.is_empty() {
            return Ok(Vec::new());
        }
        // Before the first is built: it serves calls while the others are.
        let before = report.recommendations.iter().map(|one| Built::new(one, self.profiler()));
        let before: Vec<Built> = before.collect();
        let own = self.clone();
        let created = tokio::spawn(async move {
            let outcomes = create(&store, &shapes).await?;
            Ok(own.remember(before, outcomes))
        });
        created.await.map_err(|_| "the runtime ended the work".to_owned())?
    }

    /// Keeps what was built, to be judged by later calls.
    fn remember(
        &self,
        before: Vec<Built>,
        outcomes: Vec<(String, IndexOutcome)>,
    ) -> Vec<IndexResult> {
        let mut built = self.0.built.lock().unwrap_or_else(PoisonError::into_inner);
        let mut results = Vec::with_capacity(outcomes.len());
        for (one, (name, outcome)) in before.into_iter().zip(outcomes) {
            results.push(IndexResult { name, ddl: one.ddl.clone(), outcome: outcome.clone() });
            if outcome == IndexOutcome::Created {
                built.push(one);
            }
        }
        results
    }
}

/// One outcome for each shape, in order.
async fn create(
    store: &Store,
    shapes: &[IndexShape],
) -> Result<Vec<(String, IndexOutcome)>, String> {
    match store {
        Store::Postgres(storage) => {
            let mut conn = storage.connection().await.map_err(|error| told(&error))?;
            let options = postgres::CreateOptions::default();
            let report = postgres::create(&mut conn, shapes, &options).await;
            let report = report.map_err(|error| told(&error))?;
            Ok(report.indexes.into_iter().map(|one| (one.name, of_postgres(one.outcome))).collect())
        }
        Store::Sqlite(storage) => {
            // Writers of this process queue for their turn instead of for the file.
            let turn = storage.turn().await.map_err(|error| told(&error))?;
            let mut conn = storage.connection().await.map_err(|error| told(&error))?;
            let built = sqlite::create(&mut conn, shapes, BUSY_TIMEOUT_MS, false).await;
            drop(turn);
            let built = built.map_err(|error| told(&error))?;
            Ok(built.into_iter().map(|one| (one.name, of_sqlite(one.outcome))).collect())
        }
    }
}

fn of_postgres(outcome: postgres::Outcome) -> IndexOutcome {
    use postgres::Outcome;
    match outcome {
        Outcome::Created => IndexOutcome::Created,
        Outcome::AlreadyThere(name) => IndexOutcome::AlreadyThere(name),
        Outcome::WouldRun(_) => IndexOutcome::NotBegun("it was only looked at".to_owned()),
        Outcome::Refused(why) => IndexOutcome::NotBegun(told(&why)),
        Outcome::NotIndexable => {
            IndexOutcome::NotBegun("the table is not one to build indexes on".to_owned())
        }
        Outcome::Postponed(why) => IndexOutcome::NotBegun(why),
        Outcome::Failed { error, left, .. } => IndexOutcome::Failed(match left {
            Some(left) => format!("{error}; the invalid index {left} is left"),
            None => error,
        }),
    }
}

fn of_sqlite(outcome: sqlite::Outcome) -> IndexOutcome {
    use sqlite::Outcome;
    match outcome {
        Outcome::Created => IndexOutcome::Created,
        Outcome::AlreadyThere(name) => IndexOutcome::AlreadyThere(name),
        Outcome::WouldRun(_) => IndexOutcome::NotBegun("it was only looked at".to_owned()),
        Outcome::Refused(why) => IndexOutcome::NotBegun(told(&why)),
    }
}
