//! PostgreSQL: its connection, its dialect, and its own compilation of `both/`.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use diesel::QueryResult;
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use diesel_async::async_connection_wrapper::AsyncConnectionWrapper;
use diesel_async::{AsyncPgConnection, SimpleAsyncConnection};
use diesel_migrations::{EmbeddedMigrations, embed_migrations};
use guildhall_domain::{Random, Rule};
use guildhall_insight::{Profiled, System};
use guildhall_repository::StorageError;
use secrecy::{ExposeSecret, SecretString};
use tokio_postgres::config::SslMode;
use tokio_postgres::error::SqlState;
use tokio_postgres::{CancelToken, NoTls};

use crate::columns::Columns;
use crate::fault::{Class, Worked};
use crate::options::StoreOptions;

pub(crate) const SYSTEM: &str = "postgresql";
const RESOURCE: &str = "PostgreSQL";
const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/postgres");

const INSIGHT: System = System::Postgres;

type Inner = AsyncPgConnection;
pub(crate) type Conn = Profiled<Inner>;
type Backend = diesel::pg::Pg;

#[path = "both/achievement.rs"]
mod achievement;
#[path = "both/achievement_batch.rs"]
mod achievement_batch;
#[path = "both/achievement_report.rs"]
mod achievement_report;
#[path = "both/activity.rs"]
mod activity;
mod append;
#[path = "both/badge.rs"]
mod badge;
#[path = "both/badge_award.rs"]
mod badge_award;
#[path = "both/badge_batch.rs"]
mod badge_batch;
#[path = "both/badge_report.rs"]
mod badge_report;
#[path = "both/bulk.rs"]
mod bulk;
mod catalogue;
#[path = "both/earned.rs"]
mod earned;
#[path = "both/earning.rs"]
mod earning;
#[path = "both/hint.rs"]
mod hint;
#[path = "both/hold.rs"]
mod hold;
#[path = "both/import.rs"]
mod import;
#[path = "both/import_plan.rs"]
mod import_plan;
#[path = "both/import_undo.rs"]
mod import_undo;
#[path = "both/import_write.rs"]
mod import_write;
#[path = "both/interest.rs"]
mod interest;
#[path = "both/invalidation.rs"]
mod invalidation;
#[path = "both/language.rs"]
mod language;
#[path = "both/lease.rs"]
mod lease;
#[path = "both/ledger.rs"]
mod ledger;
#[path = "both/ledger_audit.rs"]
mod ledger_audit;
#[path = "both/level.rs"]
mod level;
#[path = "both/lore.rs"]
mod lore;
#[path = "both/lore_batch.rs"]
mod lore_batch;
#[path = "both/lore_found.rs"]
mod lore_found;
mod many;
mod member;
#[path = "both/metric.rs"]
mod metric;
#[path = "both/migrate.rs"]
mod migrate;
#[path = "both/mission.rs"]
mod mission;
#[path = "both/mission_advance.rs"]
mod mission_advance;
#[path = "both/mission_batch.rs"]
mod mission_batch;
mod mission_dialect;
#[path = "both/mission_list.rs"]
mod mission_list;
#[path = "both/mission_open.rs"]
mod mission_open;
#[path = "both/mission_progress.rs"]
mod mission_progress;
#[path = "both/mission_report.rs"]
mod mission_report;
#[path = "both/mission_reset.rs"]
mod mission_reset;
#[path = "both/mission_write.rs"]
mod mission_write;
mod movement;
#[path = "both/narrative.rs"]
mod narrative;
#[path = "both/narrative_batch.rs"]
mod narrative_batch;
#[path = "both/narrative_children.rs"]
mod narrative_children;
#[path = "both/narrative_write.rs"]
mod narrative_write;
mod noted;
#[path = "both/once.rs"]
mod once;
#[path = "both/outbox.rs"]
mod outbox;
#[path = "both/point.rs"]
mod point;
#[path = "both/pool.rs"]
mod pool;
#[path = "both/preferences.rs"]
mod preferences;
#[path = "both/profile.rs"]
mod profile;
#[path = "both/purge.rs"]
mod purge;
#[path = "both/ranking.rs"]
mod ranking;
#[path = "both/report.rs"]
mod report;
#[path = "both/reward.rs"]
mod reward;
#[path = "both/standing.rs"]
mod standing;
#[path = "both/storage.rs"]
mod storage;
#[path = "both/store.rs"]
mod store;
#[path = "both/story.rs"]
mod story;
#[path = "both/story_read.rs"]
mod story_read;
mod together;
#[path = "both/transfer.rs"]
mod transfer;
#[path = "both/upkeep.rs"]
mod upkeep;
mod upkeep_dialect;
#[path = "both/user.rs"]
mod user;
#[path = "both/user_achievement.rs"]
mod user_achievement;
#[path = "both/user_batch.rs"]
mod user_batch;
#[path = "both/user_list.rs"]
mod user_list;
#[path = "both/user_lookup.rs"]
mod user_lookup;
#[path = "both/user_register.rs"]
mod user_register;
#[path = "both/user_write.rs"]
mod user_write;
#[path = "both/vip.rs"]
mod vip;

pub use storage::DieselStorage as PostgresStorage;

use many::{insert_entries, lock_accounts, store_accounts};
use movement::{MOVEMENT, apply_movement, apply_transfer};
use noted::{WEAVES, begin_noted};

/// The columns of a row, to be selected.
const fn columns<R>() -> Columns<R, Backend> {
    Columns::new()
}

/// Which server and database, with the password.
type Target = Arc<tokio_postgres::Config>;

impl PostgresStorage {
    /// Connects to `postgres://user:password@host:port/database?options`. Call
    /// [`migrate`](Self::migrate) before the first use.
    ///
    /// `Validation` for a URL that cannot be read, `NotSupported` for `sslmode=require`,
    /// `AccessDenied` when the server refuses the user or password, `NotFound` when it has no such
    /// database, `Unavailable` when it cannot be reached.
    pub async fn connect(
        url: &SecretString,
        options: StoreOptions,
        random: Arc<dyn Random>,
    ) -> Result<Self, StorageError> {
        let target = Arc::new(target(url, &options)?);
        Ok(Self::over(pool::PoolCore::connect(target, options, random).await?))
    }
}

fn target(
    url: &SecretString,
    options: &StoreOptions,
) -> Result<tokio_postgres::Config, StorageError> {
    let expected = "a URL such as postgres://user:password@host:5432/database";
    // The parser's own error may quote the URL, and with it the password.
    let mut config: tokio_postgres::Config = url
        .expose_secret()
        .parse()
        .map_err(|_| StorageError::invalid("database.url", Rule::Malformed { expected }))?;
    if config.get_ssl_mode() == SslMode::Require {
        return Err(StorageError::NotSupported {
            feature: "TLS to PostgreSQL (sslmode=require); terminate it in front, or use a socket",
        });
    }
    let given = config.get_options().unwrap_or_default();
    let limit_ms = options.statement_timeout.as_millis();
    let with_limit = format!("{given} -c statement_timeout={limit_ms}");
    config.options(with_limit.trim());
    if config.get_application_name().is_none() {
        config.application_name("guildhall");
    }
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(options.acquire_timeout);
    }
    config.tcp_user_timeout(options.statement_timeout + Duration::from_secs(5));
    Ok(config)
}

/// What a server says of a user or password that it does not know.
const REFUSED: [SqlState; 2] =
    [SqlState::INVALID_PASSWORD, SqlState::INVALID_AUTHORIZATION_SPECIFICATION];

/// How to tell the server that nobody waits any more.
struct Session(CancelToken);

impl Session {
    /// Asks the server to stop. The connection itself is closed by its owner.
    fn abandon(&self) {
        let token = self.0.clone();
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                if let Err(error) = token.cancel_query(NoTls).await {
                    tracing::debug!(%error, "an abandoned statement could not be cancelled");
                }
            });
        }
    }
}

async fn open(target: &Target, options: &StoreOptions) -> Result<(Conn, Session), StorageError> {
    let unavailable = |source: Arc<dyn std::error::Error + Send + Sync>| {
        StorageError::Unavailable { resource: RESOURCE, source: Some(source) }
    };
    let (client, connection) = target.connect(NoTls).await.map_err(|error| match error.code() {
        // Waiting does not help, and what the server says names the user, never the password.
        Some(code) if REFUSED.contains(code) => StorageError::AccessDenied {
            requirement: "a user and a password that PostgreSQL accepts".to_owned(),
        },
        Some(&SqlState::INVALID_CATALOG_NAME) => {
            StorageError::not_found("database", target.get_dbname().unwrap_or_default())
        }
        _ => unavailable(Arc::new(error)),
    })?;
    let session = Session(client.cancel_token());
    let mut conn = AsyncPgConnection::try_from_client_and_connection(client, connection)
        .await
        .map_err(|error| unavailable(Arc::new(error)))?;
    // Deadlocks and time-outs are told by their messages, which Diesel does not translate back to
    // codes. Only a superuser may choose the language; for others it is the server's.
    if let Err(error) = conn.batch_execute("SET lc_messages TO 'C'").await {
        tracing::debug!(%error, "messages stay in the server's language");
    }
    Ok((Profiled::new(conn, options.profiler.clone()), session))
}

/// A savepoint and its release are two round trips.
const SAVEPOINTS_COST: bool = true;

/// Sees what committed before each statement, whatever the server's default is.
const BEGIN_WRITE: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";

async fn begin_write(conn: &mut Conn) -> QueryResult<()> {
    conn.begin_with(BEGIN_WRITE).await
}

/// Everything read from here to the end agrees.
async fn begin_snapshot(conn: &mut Conn) -> QueryResult<()> {
    conn.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await
}

/// Writers wait for rows, not for each other: as many as there are connections.
const WRITERS_MAX: usize = tokio::sync::Semaphore::MAX_PERMITS;

/// Nothing to shield: a dropped call leaves its slot busy, and the pool closes the connection.
async fn shield<T: Send + 'static>(
    work: impl Future<Output = Worked<T>> + Send + 'static,
) -> Worked<T> {
    work.await
}

async fn server_version(conn: &mut Conn) -> QueryResult<String> {
    use crate::run::RunQueryDsl as _;
    let version = "current_setting('server_version')";
    diesel::select(diesel::dsl::sql::<diesel::sql_types::Text>(version)).get_result(conn).await
}

/// Diesel keeps the message of an error but not its SQLSTATE, beyond the kinds it knows.
fn classify(error: &DieselError) -> Class {
    let DieselError::DatabaseError(kind, info) = error else {
        return Class::Unexpected;
    };
    let message = info.message();
    let says = |part: &str| message.contains(part);
    match kind {
        DatabaseErrorKind::SerializationFailure => Class::Contention,
        DatabaseErrorKind::CheckViolation => Class::Overflow,
        DatabaseErrorKind::ReadOnlyTransaction
        | DatabaseErrorKind::UnableToSendCommand
        | DatabaseErrorKind::ClosedConnection => Class::Unavailable,
        _ if says("deadlock detected") => Class::Contention,
        _ if says("canceling statement due to") => Class::Timeout,
        _ if says("out of range") => Class::Overflow,
        _ if says("terminating connection")
            || says("shutting down")
            || says("starting up")
            || says("No space left")
            || says("could not extend file")
            || says("too many clients")
            || says("in recovery mode") =>
        {
            Class::Unavailable
        }
        _ => Class::Unexpected,
    }
}

/// Applies what is missing, all in one transaction, on a connection of its own. The lock is the
/// table itself as well as an advisory one: some poolers and engines only pretend to have those.
async fn run_migrations(core: &pool::PoolCore) -> Result<migrate::Applied, StorageError> {
    let (conn, _session) = open(&core.target, &core.options).await?;
    let applied = tokio::task::spawn_blocking(move || {
        use diesel::Connection as _;
        let mut conn = AsyncConnectionWrapper::<AsyncPgConnection>::from(conn.into_inner());
        conn.transaction(|conn| {
            diesel::connection::SimpleConnection::batch_execute(
                conn,
                "SET LOCAL statement_timeout = 0;
                 SELECT pg_advisory_xact_lock(4852016309772341);
                 CREATE TABLE IF NOT EXISTS __diesel_schema_migrations (
                     version VARCHAR(50) PRIMARY KEY NOT NULL,
                     run_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
                 );
                 LOCK TABLE __diesel_schema_migrations IN EXCLUSIVE MODE;",
            )?;
            migrate::apply_pending(conn)
        })
    });
    applied.await.map_err(|error| StorageError::Internal {
        operation: "migrate",
        source: Some(Arc::new(error)),
    })
}

async fn has_table(conn: &mut Conn, name: &'static str) -> QueryResult<bool> {
    use crate::run::RunQueryDsl as _;
    use diesel::sql_types::{Bool, Text};
    // to_regclass follows the search path, which no table of the catalog does by itself.
    let found = diesel::dsl::sql::<Bool>("to_regclass(").bind::<Text, _>(name).sql(") IS NOT NULL");
    diesel::select(found).get_result(conn).await
}

/// How long ago a note was inserted, in microseconds.
const NOTE_AGE: &str = "(EXTRACT(EPOCH FROM clock_timestamp() - noted_at) * 1000000)::bigint";

/// The half day in UTC that an entry was written in, counted from 1970.
const ENTRY_HALF_DAY: &str = "FLOOR(EXTRACT(EPOCH FROM created_at) / 43200)";

/// The values of a JSON object as a table `measured` of metrics and values.
const MEASURED: (&str, &str) = (
    "(SELECT key AS metric, value::bigint AS value FROM jsonb_each_text(",
    "::jsonb)) AS measured",
);

/// The month of an unlock in UTC, as text.
const UNLOCK_MONTH: &str = "to_char(unlocked_at AT TIME ZONE 'UTC', 'YYYY-MM')";
