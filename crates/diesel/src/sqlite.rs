//! SQLite: its connection, its dialect, and its own compilation of `both/`.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use diesel::connection::SimpleConnection;
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use diesel::{Connection, QueryResult, SqliteConnection};
use diesel_async::sync_connection_wrapper::SyncConnectionWrapper;
use diesel_migrations::{EmbeddedMigrations, embed_migrations};
use guildhall_domain::Random;
use guildhall_insight::{Profiled, System, carried};
use guildhall_repository::{BoxError, StorageError};

use crate::columns::Columns;
use crate::fault::{Class, Worked};
use crate::options::{SqliteDurability, StoreOptions};

pub(crate) const SYSTEM: &str = "sqlite";
const RESOURCE: &str = "the SQLite file";
const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/sqlite");

const INSIGHT: System = System::Sqlite;

type Inner = SyncConnectionWrapper<SqliteConnection>;
pub(crate) type Conn = Profiled<Inner>;
type Backend = diesel::sqlite::Sqlite;

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

pub use storage::DieselStorage as SqliteStorage;

use movement::{
    MOVEMENT, apply_movement, apply_transfer, insert_entries, lock_accounts, store_accounts,
};
use noted::{WEAVES, begin_noted};

/// The columns of a row, to be selected.
const fn columns<R>() -> Columns<R, Backend> {
    Columns::new()
}

/// Which file.
type Target = PathBuf;

impl SqliteStorage {
    /// Opens the file, which is created if its folder exists. Call
    /// [`migrate`](Self::migrate) before the first use.
    ///
    /// `Unavailable` for a file that cannot be opened or written, `Integrity` for one that is not
    /// a database.
    pub async fn connect(
        path: &Path,
        options: StoreOptions,
        random: Arc<dyn Random>,
    ) -> Result<Self, StorageError> {
        Ok(Self::over(pool::PoolCore::connect(path.to_owned(), options, random).await?))
    }
}

/// Nothing to tell the library when a call is abandoned: the call runs on by itself.
struct Session;

impl Session {
    fn abandon(&self) {}
}

async fn open(path: &Target, options: &StoreOptions) -> Result<(Conn, Session), StorageError> {
    let (path, given) = (path.clone(), options.clone());
    let opened = tokio::task::spawn_blocking(move || open_blocking(&path, &given)).await;
    let opened = opened
        .map_err(|error| StorageError::Internal {
            operation: "open",
            source: Some(Arc::new(error)),
        })?
        .map_err(|error| match error {
            diesel::ConnectionError::CouldntSetupConfiguration(error) => crate::fault::settle(
                error.into(),
                "open",
                RESOURCE,
                options.statement_timeout,
                classify,
            ),
            error => {
                StorageError::Unavailable { resource: RESOURCE, source: Some(Arc::new(error)) }
            }
        })?;
    let conn = Profiled::new(SyncConnectionWrapper::new(opened), options.profiler.clone());
    Ok((conn, Session))
}

fn open_blocking(
    path: &Path,
    options: &StoreOptions,
) -> Result<SqliteConnection, diesel::ConnectionError> {
    let text = path.to_str().ok_or_else(|| {
        diesel::ConnectionError::InvalidConnectionUrl("the path is not valid Unicode".to_owned())
    })?;
    // A leading `./` keeps a name such as `file:x` from being read as a URI.
    let text = if path.is_absolute() { text.to_owned() } else { format!("./{text}") };
    let mut conn = SqliteConnection::establish(&text)?;
    configure(&mut conn, options).map_err(diesel::ConnectionError::CouldntSetupConfiguration)?;
    Ok(conn)
}

#[derive(diesel::QueryableByName)]
struct JournalMode {
    #[diesel(sql_type = diesel::sql_types::Text)]
    journal_mode: String,
}

fn configure(conn: &mut SqliteConnection, options: &StoreOptions) -> QueryResult<()> {
    use diesel::RunQueryDsl as _;
    // Other programs on the same file; those of this one queue. Shorter than a call may take, so
    // that a long wait ends as contention and not as a call of unknown outcome.
    let wait_ms = options.statement_timeout.as_millis() * 4 / 5;
    conn.batch_execute(&format!("PRAGMA busy_timeout = {wait_ms}; PRAGMA foreign_keys = ON;"))?;
    // PRAGMA is beyond the query builder.
    let mode: JournalMode = diesel::sql_query("PRAGMA journal_mode = WAL").get_result(conn)?;
    if !mode.journal_mode.eq_ignore_ascii_case("wal") {
        let message =
            format!("write-ahead logging was refused (journal mode {})", mode.journal_mode);
        let kind = DatabaseErrorKind::UnableToSendCommand;
        return Err(DieselError::DatabaseError(kind, Box::new(message)));
    }
    let level = match options.sqlite_durability {
        SqliteDurability::Full => "FULL",
        SqliteDurability::Process => "NORMAL",
    };
    conn.batch_execute(&format!("PRAGMA synchronous = {level};"))
}

/// Opens a unit as a writer: two units then queue, where a late lock upgrade would fail at once.
async fn begin_write(conn: &mut Conn) -> QueryResult<()> {
    conn.begin_with("BEGIN IMMEDIATE").await
}

/// Everything read from here to the end agrees.
async fn begin_snapshot(conn: &mut Conn) -> QueryResult<()> {
    conn.begin_with("BEGIN DEFERRED").await
}

/// A savepoint costs next to nothing.
const SAVEPOINTS_COST: bool = false;

/// SQLite has one writer at a time: they queue here, in order, instead of polling for the lock.
const WRITERS_MAX: usize = 1;

/// Runs work that must not be dropped midway on a task of its own: diesel-async would block the
/// thread, and panic on a current-thread runtime. A caller that goes away leaves it to its end.
async fn shield<T: Send + 'static>(
    work: impl Future<Output = Worked<T>> + Send + 'static,
) -> Worked<T> {
    match tokio::spawn(carried(work)).await {
        Ok(outcome) => outcome,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        // The runtime is shutting down.
        Err(error) => {
            let source: BoxError = Arc::new(error);
            Err(StorageError::Internal { operation: "shield", source: Some(source) }.into())
        }
    }
}

async fn server_version(conn: &mut Conn) -> QueryResult<String> {
    use crate::run::RunQueryDsl as _;
    diesel::select(diesel::dsl::sql::<diesel::sql_types::Text>("sqlite_version()"))
        .get_result(conn)
        .await
}

/// SQLite has messages, not codes, by the time Diesel hands its errors over.
fn classify(error: &DieselError) -> Class {
    let DieselError::DatabaseError(kind, info) = error else {
        return Class::Unexpected;
    };
    let message = info.message();
    let says = |part: &str| message.contains(part);
    match kind {
        DatabaseErrorKind::CheckViolation => Class::Overflow,
        _ if says("database is locked") || says("database table is locked") => Class::Contention,
        _ if says("cannot store REAL value in INTEGER") => Class::Overflow,
        _ if says("integer overflow") => Class::Overflow,
        _ if says("not a database") || says("malformed") => Class::Corrupt,
        DatabaseErrorKind::UnableToSendCommand => Class::Unavailable,
        _ if says("readonly database")
            || says("unable to open")
            || says("disk is full")
            || says("disk I/O error") =>
        {
            Class::Unavailable
        }
        _ => Class::Unexpected,
    }
}

/// Applies what is missing, all in one transaction that excludes every other writer.
async fn run_migrations(core: &pool::PoolCore) -> Result<migrate::Applied, StorageError> {
    let turn = core.turn(true).await?;
    let (conn, _session) = open(&core.target, &core.options).await?;
    let mut conn = conn.into_inner();
    // Not bounded: a large database may take its time.
    let work = async move {
        let applied = conn
            .spawn_blocking(|inner| Ok(inner.immediate_transaction(migrate::apply_pending)))
            .await;
        drop(turn);
        Ok(applied.unwrap_or_else(|error| Err(error.into())))
    };
    let limit = core.options.statement_timeout;
    shield(work)
        .await
        .map_err(|fault| crate::fault::settle(fault, "migrate", RESOURCE, limit, classify))
}

async fn has_table(conn: &mut Conn, name: &'static str) -> QueryResult<bool> {
    use crate::run::RunQueryDsl as _;
    use diesel::{ExpressionMethods as _, QueryDsl as _};
    let listed = sqlite_master::table.filter(sqlite_master::name.eq(name));
    diesel::select(diesel::dsl::exists(listed)).get_result(conn).await
}

diesel::table! {
    sqlite_master (name) {
        name -> Text,
        #[sql_name = "type"]
        kind -> Text,
    }
}

/// How long ago a note was inserted, in microseconds.
const NOTE_AGE: &str = "(CAST(unixepoch('subsec') * 1000000 AS INTEGER) - noted_at)";

/// The half day in UTC that an entry was written in, counted from 1970.
const ENTRY_HALF_DAY: &str = "created_at / 43200000000 - (created_at < 0)";

/// The values of a JSON object as a table `measured` of metrics and values.
const MEASURED: (&str, &str) =
    ("(SELECT key AS metric, value AS value FROM json_each(", ")) AS measured");

/// The month of an unlock in UTC, as text.
const UNLOCK_MONTH: &str = "strftime('%Y-%m', unlocked_at / 1000000, 'unixepoch')";
