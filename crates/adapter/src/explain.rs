//! How the database runs a statement.

use guildhall_insight::Fingerprint;
use guildhall_insight::fingerprint::normalise;
use guildhall_insight::profile::{Plan, PlanError, PlanRequest, Planner};
use guildhall_repository::StorageError;
use thiserror::Error;

use crate::Guildhall;
use crate::performance::FOREIGN;
use crate::plans::Shielded;
use crate::store::Store;

/// A statement and its plan, both without values.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Explained {
    /// Which statement.
    pub fingerprint: Fingerprint,
    /// Its normal text.
    pub text: String,
    /// How the database would run it.
    pub plan: Plan,
}

/// Why there is no plan.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ExplainError {
    /// Neither this process nor the server has seen such a statement.
    #[error("no statement {0} is known to this process, nor to the server")]
    Unknown(Fingerprint),
    /// Transactions, settings and several statements in one text have no plan.
    #[error("only one query or one write at a time is planned")]
    NotPlannable,
    /// There is no database of ours to ask.
    #[error("{}", FOREIGN)]
    Foreign,
    /// The database could not be asked.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The database made no plan.
    #[error(transparent)]
    Plan(#[from] PlanError),
}

impl Guildhall {
    /// How the database runs the statement with this fingerprint, which this process or the server
    /// (`pg_stat_statements`) has seen. It is planned, never run.
    pub async fn explain(&self, fingerprint: Fingerprint) -> Result<Explained, ExplainError> {
        let store = self.planned_on()?;
        let seen = self.profiler().samples();
        let own = seen.iter().find(|sample| sample.fingerprint == fingerprint);
        let sql = match own.and_then(|sample| sample.sent.as_ref()) {
            Some(sent) => sent.expose().to_owned(),
            None => {
                let found = store.server_statement(fingerprint).await?;
                found.ok_or(ExplainError::Unknown(fingerprint))?
            }
        };
        self.explain_sql(&sql).await
    }

    /// How the database would run this statement, which may have placeholders for its values. It is
    /// planned, never run.
    pub async fn explain_sql(&self, sql: &str) -> Result<Explained, ExplainError> {
        let store = self.planned_on()?;
        let request = PlanRequest::new(sql, store.system()).ok_or(ExplainError::NotPlannable)?;
        let plan = Shielded(store.planner()).plan(&request).await?;
        let normal = normalise(sql, store.system());
        Ok(Explained { fingerprint: normal.fingerprint, text: normal.text, plan })
    }

    fn planned_on(&self) -> Result<&Store, ExplainError> {
        self.0.store.as_ref().ok_or(ExplainError::Foreign)
    }
}
