//! The databases: the only place that names their implementations.

use std::sync::Arc;
use std::time::{Duration, Instant};

use guildhall_diesel::{PostgresStorage, SqliteDurability, SqliteStorage, StoreOptions};
use guildhall_domain::Random;
use guildhall_repository::{ErrorKind, RetryPolicy, Storage, StorageError};

use crate::{ConnectError, Database, Settings};

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
    ) -> Result<Self, ConnectError> {
        let options = options(settings);
        let began = Instant::now();
        let (mut attempt, mut wait) = (1_u32, Duration::from_millis(100));
        loop {
            let error = match Self::open_once(&settings.database, options, random).await {
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

    /// Every migration of this version, and whether the database has it.
    pub(crate) async fn migrations(&self) -> Result<Vec<(String, bool)>, StorageError> {
        let status = match self {
            Self::Sqlite(storage) => storage.migration_status().await,
            Self::Postgres(storage) => storage.migration_status().await,
        };
        Ok(status?.into_iter().map(|migration| (migration.name, migration.applied)).collect())
    }
}

fn options(settings: &Settings) -> StoreOptions {
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
    }
}
