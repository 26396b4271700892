//! The whole way: read the catalogue, let the rules propose, price, choose, report.

mod choice;
mod compile;

use std::collections::BTreeSet;

use thiserror::Error;

use crate::advise::{DdlRefused, Limits, RecommendationId, advise};
use crate::cost::Pricing;
use crate::report::Report;
use crate::snapshot::{Snapshot, SnapshotError, SnapshotOptions};
use crate::validate::{Baseline, LatenciesByStatement};
use crate::workload::Workload;

/// What the advice must keep to.
#[derive(Clone, Debug, PartialEq)]
pub struct AdvisorOptions {
    /// Where the rules draw their lines.
    pub limits: Limits,
    /// How much of the catalogue is read.
    pub snapshot: SnapshotOptions,
    /// Bytes for all indexes together; `None`: by [`bytes_share`](Self::bytes_share).
    pub bytes_max: Option<u64>,
    /// The same as a share of the tables' bytes. Default 0.2.
    pub bytes_share: f64,
    /// Indexes on a table, those that are there included, primary key not.
    pub per_table_max: usize,
    /// An index that saves less than this share of all time is left out.
    pub gain_share_min: f64,
    /// An index whose upkeep takes more than this share of what it saves is left out.
    pub upkeep_share_max: f64,
    /// Never to be proposed again: a person said so.
    pub refused: BTreeSet<RecommendationId>,
    /// What was kept of recommendations that were followed.
    pub baselines: Vec<Baseline>,
    /// What the profiler counted up to now, by fingerprint: what became of them.
    pub latencies: LatenciesByStatement,
    /// How PostgreSQL is asked.
    #[cfg(feature = "postgres")]
    pub postgres: crate::cost::postgres::CostOptions,
    /// How SQLite is asked.
    #[cfg(feature = "sqlite")]
    pub sqlite: crate::cost::sqlite::CostOptions,
}

impl Default for AdvisorOptions {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            snapshot: SnapshotOptions::default(),
            bytes_max: None,
            bytes_share: 0.2,
            per_table_max: 8,
            gain_share_min: 0.001,
            upkeep_share_max: 0.5,
            refused: BTreeSet::new(),
            baselines: Vec::new(),
            latencies: LatenciesByStatement::new(),
            #[cfg(feature = "postgres")]
            postgres: crate::cost::postgres::CostOptions::default(),
            #[cfg(feature = "sqlite")]
            sqlite: crate::cost::sqlite::CostOptions::default(),
        }
    }
}

/// A run that came to no report.
#[derive(Debug, Error)]
pub enum AdvisorError {
    /// The catalogue could not be read.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// PostgreSQL's planner could not be asked.
    #[cfg(feature = "postgres")]
    #[error(transparent)]
    Postgres(#[from] crate::cost::postgres::CostError),
    /// SQLite could not be asked.
    #[cfg(feature = "sqlite")]
    #[error(transparent)]
    Sqlite(#[from] crate::cost::sqlite::CostError),
    /// The problem made of the figures made no sense.
    #[error(transparent)]
    Choice(#[from] crate::select::ProblemError),
    /// A statement for an index could not be spelled.
    #[error(transparent)]
    Ddl(#[from] DdlRefused),
}

/// Gives index advice.
#[derive(Clone, Debug, Default)]
pub struct Advisor {
    options: AdvisorOptions,
}

impl Advisor {
    /// An advisor that keeps to these options.
    #[must_use]
    pub fn new(options: AdvisorOptions) -> Self {
        Self { options }
    }

    /// What it keeps to.
    #[must_use]
    pub fn options(&self) -> &AdvisorOptions {
        &self.options
    }

    /// Advice for a PostgreSQL database. Give it a connection of its own: hypothetical indexes and
    /// settings are the session's. Nothing is written.
    #[cfg(feature = "postgres")]
    pub async fn postgres(
        &self,
        conn: &mut diesel_async::AsyncPgConnection,
        workload: &Workload,
    ) -> Result<Report, AdvisorError> {
        let snapshot = crate::snapshot::postgres::snapshot(conn, &self.options.snapshot).await?;
        let advice = advise(&snapshot.catalog, workload, &self.options.limits);
        let options = &self.options.postgres;
        let pricing =
            crate::cost::postgres::price(conn, &snapshot.catalog, workload, &advice, options)
                .await?;
        compile::report(&self.options, &snapshot, workload, advice, &pricing)
    }

    /// Advice for an SQLite database. It is read, and copied if it is small enough, never written.
    #[cfg(feature = "sqlite")]
    pub async fn sqlite(
        &self,
        conn: &mut diesel_async::sync_connection_wrapper::SyncConnectionWrapper<
            diesel::SqliteConnection,
        >,
        workload: &Workload,
    ) -> Result<Report, AdvisorError> {
        let snapshot = crate::snapshot::sqlite::snapshot(conn, &self.options.snapshot).await?;
        let advice = advise(&snapshot.catalog, workload, &self.options.limits);
        let options = &self.options.sqlite;
        let pricing =
            crate::cost::sqlite::price(conn, &snapshot.catalog, workload, &advice, options).await?;
        compile::report(&self.options, &snapshot, workload, advice, &pricing)
    }

    /// Advice from a catalogue alone, with estimates from statistics where it has any.
    pub fn offline(
        &self,
        snapshot: &Snapshot,
        workload: &Workload,
    ) -> Result<Report, AdvisorError> {
        let advice = advise(&snapshot.catalog, workload, &self.options.limits);
        let pricing = Pricing::from_statistics(&snapshot.catalog, workload, &advice);
        compile::report(&self.options, snapshot, workload, advice, &pricing)
    }
}
