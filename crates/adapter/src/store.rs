//! The databases: the only place that names their implementations.

use std::sync::Arc;
use std::time::{Duration, Instant};

use guildhall_diesel::{
    PostgresStorage, ServerState, SqliteDurability, SqliteStorage, StoreOptions,
};
use guildhall_domain::Random;
use guildhall_insight::profile::Planner;
use guildhall_insight::profile::server::{Absent, Reading, ServerStatements};
use guildhall_insight::workload::Workload;
use guildhall_insight::{Fingerprint, Profiler, System};
use guildhall_repository::{ErrorKind, RetryPolicy, Storage, StorageError};

use crate::{ConnectError, Database, PoolUse, Settings};

/// The longest wait between attempts to connect at start.
const WAIT_MAX: Duration = Duration::from_secs(1);

/// An open database.
#[derive(Clone)]
pub(crate) enum Store {
    Sqlite(Arc<SqliteStorage>),
    Postgres(Arc<PostgresStorage>),
}

impl Store {
    /// Opens the database of the settings. A server that is not up yet is tried again, with
    /// doubling, jittered waits, for as long as a call would wait for a connection.
    pub(crate) async fn open(
        settings: &Settings,
        random: &Arc<dyn Random>,
        profiler: &Profiler,
    ) -> Result<Self, ConnectError> {
        let options = options(settings, profiler);
        let began = Instant::now();
        let (mut attempt, mut wait) = (1_u32, Duration::from_millis(100));
        loop {
            let error = match Self::open_once(&settings.database, options.clone(), random).await {
                Ok(store) => return Ok(store),
                Err(error) => error,
            };
            let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
            let pause = Duration::from_millis(random.between(wait_ms / 2, wait_ms));
            let server = matches!(settings.database, Database::Postgres(_));
            let passing = matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::Timeout);
            if !server || !passing || began.elapsed() + pause > settings.acquire_timeout {
                let database = settings.database.describe();
                let tried_for = (server && passing).then(|| began.elapsed());
                return Err(ConnectError::Database { database, tried_for, source: error.into() });
            }
            if attempt == 1 {
                tracing::warn!(%error, "the database is not available yet; trying again");
            } else {
                tracing::debug!(%error, attempt, ?pause, "the database is not available yet");
            }
            attempt += 1;
            tokio::time::sleep(pause).await;
            wait = WAIT_MAX.min(wait * 2);
        }
    }

    async fn open_once(
        database: &Database,
        options: StoreOptions,
        random: &Arc<dyn Random>,
    ) -> Result<Self, StorageError> {
        let random = Arc::clone(random);
        Ok(match database {
            Database::Sqlite(path) => {
                Self::Sqlite(Arc::new(SqliteStorage::connect(path, options, random).await?))
            }
            Database::Postgres(url) => {
                Self::Postgres(Arc::new(PostgresStorage::connect(url, options, random).await?))
            }
        })
    }

    pub(crate) fn storage(&self) -> Arc<dyn Storage> {
        match self {
            Self::Sqlite(storage) => Arc::clone(storage) as Arc<dyn Storage>,
            Self::Postgres(storage) => Arc::clone(storage) as Arc<dyn Storage>,
        }
    }

    pub(crate) async fn migrate(&self) -> Result<Vec<String>, StorageError> {
        match self {
            Self::Sqlite(storage) => storage.migrate().await,
            Self::Postgres(storage) => storage.migrate().await,
        }
    }

    pub(crate) fn system(&self) -> System {
        match self {
            Self::Sqlite(storage) => storage.system(),
            Self::Postgres(storage) => storage.system(),
        }
    }

    pub(crate) fn planner(&self) -> Arc<dyn Planner> {
        match self {
            Self::Sqlite(storage) => storage.planner(),
            Self::Postgres(storage) => storage.planner(),
        }
    }

    /// What the database tells of itself.
    pub(crate) async fn server(&self) -> Result<ServerState, StorageError> {
        match self {
            Self::Sqlite(storage) => storage.server().await,
            Self::Postgres(storage) => storage.server().await,
        }
    }

    pub(crate) async fn server_statements(
        &self,
        counted: &mut ServerStatements,
    ) -> Result<Reading, StorageError> {
        match self {
            Self::Sqlite(storage) => storage.server_statements(counted).await,
            Self::Postgres(storage) => storage.server_statements(counted).await,
        }
    }

    pub(crate) async fn server_workload(&self) -> Result<Result<Workload, Absent>, StorageError> {
        match self {
            Self::Sqlite(storage) => storage.server_workload().await,
            Self::Postgres(storage) => storage.server_workload().await,
        }
    }

    pub(crate) async fn run_sql(&self, sql: &str) -> Result<(), StorageError> {
        match self {
            Self::Sqlite(storage) => storage.run_sql(sql).await,
            Self::Postgres(storage) => storage.run_sql(sql).await,
        }
    }

    pub(crate) async fn server_statement(
        &self,
        fingerprint: Fingerprint,
    ) -> Result<Option<String>, StorageError> {
        match self {
            Self::Sqlite(storage) => storage.server_statement(fingerprint).await,
            Self::Postgres(storage) => storage.server_statement(fingerprint).await,
        }
    }

    /// How the pool is used now.
    pub(crate) fn pool(&self) -> PoolUse {
        let state = match self {
            Self::Sqlite(storage) => storage.pool(),
            Self::Postgres(storage) => storage.pool(),
        };
        let in_use = state.open.saturating_sub(state.idle);
        PoolUse { in_use, open: state.open, max: state.max }
    }

    /// Has the database look at its tables again: how many those are.
    pub(crate) async fn refresh_statistics(&self) -> Result<u64, StorageError> {
        match self {
            Self::Sqlite(storage) => storage.refresh_statistics().await,
            Self::Postgres(storage) => storage.refresh_statistics().await,
        }
    }

    /// Every migration of this version, and whether the database has it.
    pub(crate) async fn migrations(&self) -> Result<Vec<(String, bool)>, StorageError> {
        let status = match self {
            Self::Sqlite(storage) => storage.migration_status().await,
            Self::Postgres(storage) => storage.migration_status().await,
        };
        Ok(status?.into_iter().map(|migration| (migration.name, migration.applied)).collect())
    }
}

fn options(settings: &Settings, profiler: &Profiler) -> StoreOptions {
    let durability = if settings.sqlite_full_durability {
        SqliteDurability::Full
    } else {
        SqliteDurability::Process
    };
    StoreOptions {
        pool_max: settings.pool_max,
        acquire_timeout: settings.acquire_timeout,
        statement_timeout: settings.statement_timeout,
        retry: RetryPolicy { attempts: settings.retry_attempts, ..RetryPolicy::default() },
        sqlite_durability: durability,
        profiler: profiler.clone(),
    }
}
