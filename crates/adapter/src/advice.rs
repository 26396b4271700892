//! Which indexes are missing, by what the profiler saw.

use guildhall_insight::catalog::Catalog;
use guildhall_insight::profile::server::Absent;
use guildhall_insight::snapshot::{self, SnapshotError, SnapshotOptions};
use guildhall_insight::workload::Workload;
use guildhall_insight::{Advisor, AdvisorError, AdvisorOptions, Report, System};
use guildhall_repository::StorageError;
use thiserror::Error;

use crate::Guildhall;
use crate::performance::{FOREIGN, OFF};
use crate::store::Store;

/// Why there is no advice.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AdviceError {
    /// Nothing was recorded that advice could stand on.
    #[error("{}", OFF)]
    NotRecorded,
    /// There is no catalogue to look into.
    #[error("{}", FOREIGN)]
    Foreign,
    /// The server counts no statements, and what it lacks.
    #[error("{0}")]
    Uncounted(Absent),
    /// No connection was to be had.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The advisor came to no report.
    #[error("the index advisor came to no report")]
    Advisor(#[source] Box<AdvisorError>),
    /// The catalogue could not be read.
    #[error("tables and indexes could not be read")]
    Catalog(#[from] Box<SnapshotError>),
    /// The task that did it was ended by the runtime.
    #[error("the runtime ended the work")]
    Ended,
}

impl Guildhall {
    /// Index advice for statements that were called at least `min_frequency` times since the start:
    /// what to build, why nothing else, and what to doubt. Every figure says where it comes from.
    /// Changes nothing. Give it some hours of real traffic first; it may take seconds, on a
    /// connection of its own, and runs to its end when the caller goes away.
    pub async fn recommendations(&self, min_frequency: u64) -> Result<Report, AdviceError> {
        let workload = self.workload(min_frequency)?;
        self.advise(workload, AdvisorOptions::default()).await
    }

    /// Index advice for a workload that comes from elsewhere: a file, or the server's own counters.
    /// The database need not hold any table of Guildhall. Changes nothing, and runs to its end when
    /// the caller goes away.
    pub async fn advise(
        &self,
        workload: Workload,
        options: AdvisorOptions,
    ) -> Result<Report, AdviceError> {
        let store = self.0.store.clone().ok_or(AdviceError::Foreign)?;
        // On a task of its own: a future of SQLite must not be dropped midway.
        let advised = tokio::spawn(async move { advise(&store, &workload, options).await });
        advised.await.map_err(|_| AdviceError::Ended)?
    }

    /// All that the server counted in this database since its counters began, whoever asked.
    /// [`Uncounted`](AdviceError::Uncounted) on PostgreSQL without `pg_stat_statements`;
    /// `NotSupported` on SQLite.
    pub async fn server_workload(&self) -> Result<Workload, AdviceError> {
        let store = self.0.store.as_ref().ok_or(AdviceError::Foreign)?;
        store.server_workload().await?.map_err(AdviceError::Uncounted)
    }

    /// Tables, columns and indexes as the advisor reads them: what a script or a migration is
    /// spelled from, see [`create`](guildhall_insight::create).
    pub async fn catalog(&self, options: SnapshotOptions) -> Result<Catalog, AdviceError> {
        let store = self.0.store.clone().ok_or(AdviceError::Foreign)?;
        let read = tokio::spawn(async move { catalog_of(&store, &options).await });
        read.await.map_err(|_| AdviceError::Ended)?
    }

    /// Which database this is, to the profiler and the advisor.
    pub fn system(&self) -> Result<System, AdviceError> {
        self.0.store.as_ref().map(Store::system).ok_or(AdviceError::Foreign)
    }

    /// Runs statements of your own, without values, on a connection of its own: for tables and
    /// indexes that you keep beside Guildhall's. Several are divided by `;`: PostgreSQL runs all of
    /// them or none, SQLite each by itself up to the first that fails.
    pub async fn run_sql(&self, sql: &str) -> Result<(), AdviceError> {
        let store = self.0.store.as_ref().ok_or(AdviceError::Foreign)?;
        Ok(store.run_sql(sql).await?)
    }

    /// What this process asked of the database at least so often, as the profiler saw it.
    pub fn workload(&self, min_frequency: u64) -> Result<Workload, AdviceError> {
        if !self.0.profiler.is_on() {
            return Err(AdviceError::NotRecorded);
        }
        let system = self.system()?;
        let seconds = self.0.begun.elapsed().as_secs();
        let window = (seconds > 0).then_some(seconds);
        let mut workload = Workload::of_profiler(&self.0.profiler, system, window);
        workload.statements.retain(|statement| statement.calls >= min_frequency);
        Ok(workload)
    }
}

async fn advise(
    store: &Store,
    workload: &Workload,
    options: AdvisorOptions,
) -> Result<Report, AdviceError> {
    let advisor = Advisor::new(options);
    let report = match store {
        Store::Sqlite(storage) => advisor.sqlite(&mut storage.connection().await?, workload).await,
        Store::Postgres(storage) => {
            advisor.postgres(&mut storage.connection().await?, workload).await
        }
    };
    report.map_err(|error| AdviceError::Advisor(Box::new(error)))
}

async fn catalog_of(store: &Store, options: &SnapshotOptions) -> Result<Catalog, AdviceError> {
    let read = match store {
        Store::Sqlite(storage) => {
            snapshot::sqlite::snapshot(&mut storage.connection().await?, options).await
        }
        Store::Postgres(storage) => {
            snapshot::postgres::snapshot(&mut storage.connection().await?, options).await
        }
    };
    Ok(read.map_err(Box::new)?.catalog)
}
