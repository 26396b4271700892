//! Building indexes on a live PostgreSQL without stopping its writers.
//!
//! One statement a message, outside any transaction, under time limits, one build at a time in the
//! whole database. Whatever kills a run, the next one finds what it left half-built and removes it.

mod build;
mod guard;
mod partition;
mod tidy;

use std::sync::Arc;
use std::time::Duration;

use diesel::QueryableByName;
use diesel::pg::Pg;
use diesel::result::Error as DieselError;
use diesel::sql_types::Bool;
use diesel_async::TransactionManager;
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use thiserror::Error;

pub use guard::Guard;

use super::render::analysed;
use crate::advise::DdlRefused;
use crate::catalog::{Catalog, IndexShape, Table, TableKind};
use crate::fingerprint::System;
use crate::snapshot::postgres::snapshot;
use crate::snapshot::{SnapshotError, SnapshotOptions};

/// What the advisory lock is taken on. Such locks are each database's own.
const LOCK: i64 = 0x6769_785f_6275_696c;

/// How to build.
#[derive(Clone)]
pub struct CreateOptions {
    /// How long a statement waits for a lock, at most, before writers that queue behind it are let
    /// through.
    pub lock_timeout: Duration,
    /// The same for what builds or drops concurrently: nobody who reads or writes queues behind it,
    /// and it waits for every transaction that is open.
    pub wait_timeout: Duration,
    /// How long one build may take.
    pub statement_timeout: Duration,
    /// Tries of one build, 1 to 10, when a lock could not be had.
    pub attempts_max: u32,
    /// Wait before the second try; it doubles with each.
    pub backoff: Duration,
    /// When not to begin.
    pub guard: Guard,
    /// Only check and say what would be done.
    pub dry_run: bool,
    /// Told of every step before it is taken; `false` ends the run there, without clearing up, as a
    /// killed process would.
    pub watch: Option<Watch>,
}

/// See [`CreateOptions::watch`].
pub type Watch = Arc<dyn Fn(Step) -> bool + Send + Sync>;

impl Default for CreateOptions {
    fn default() -> Self {
        Self {
            lock_timeout: Duration::from_secs(2),
            // As old as the guard lets a transaction be.
            wait_timeout: Duration::from_secs(600),
            statement_timeout: Duration::from_secs(3_600),
            attempts_max: 3,
            backoff: Duration::from_secs(5),
            guard: Guard::default(),
            dry_run: false,
            watch: None,
        }
    }
}

/// The steps of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Step {
    /// The advisory lock.
    Lock,
    /// Reading the catalogue again.
    Read,
    /// Removing what an earlier run left.
    Tidy,
    /// Time limits, before a build.
    Limits,
    /// The build itself.
    Build,
    /// Looking whether the index is there and valid.
    Verify,
    /// A partitioned parent's own, empty index.
    Parent,
    /// Tying a partition's index to the parent's.
    Attach,
    /// Statistics of new expressions.
    Analyse,
    /// Giving the lock back.
    Unlock,
}

/// What became of one index.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// Built and valid.
    Created,
    /// One of the same shape was there and valid.
    AlreadyThere(String),
    /// A dry run: it would be built by these statements.
    WouldRun(Vec<String>),
    /// Not begun: it names what the catalogue does not know.
    Refused(DdlRefused),
    /// Not begun: the table is not for indexes of ours.
    NotIndexable,
    /// The server was too busy to begin; nothing was tried.
    Postponed(String),
    /// Tried and failed; nothing of it is left unless `left` says so.
    Failed {
        /// The last error.
        error: String,
        /// Tries made.
        attempts: u32,
        /// An invalid index that could not be removed. The next run tries again.
        left: Option<String>,
    },
}

/// One index of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Created {
    /// Its name.
    pub name: String,
    /// What it is.
    pub shape: IndexShape,
    /// What became of it.
    pub outcome: Outcome,
}

/// What a run did.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CreateReport {
    /// One for each index asked for, in that order.
    pub indexes: Vec<Created>,
    /// Half-built indexes of an earlier run that were removed.
    pub removed: Vec<String>,
    /// Invalid indexes that are not ours, or that could not be removed: for a person to see.
    pub invalid: Vec<String>,
}

/// A run that could not be made, or not to its end.
#[derive(Debug, Error)]
pub enum CreateError {
    /// The connection is in a transaction: nothing can be built concurrently there.
    #[error("indexes are built concurrently, which needs a connection outside a transaction")]
    InTransaction,
    /// Another session builds in this database. It may be a killed client's, still at work.
    #[error("another session is building indexes in this database")]
    Busy,
    /// [`CreateOptions::watch`] ended it.
    #[error("the run was ended before {0:?}")]
    Ended(Step),
    /// The catalogue could not be read again.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// The connection is gone, or refused what must work.
    #[error("the server refused {what}")]
    Database {
        /// What was asked of it.
        what: &'static str,
        /// Why.
        source: DieselError,
    },
}

/// Builds the indexes one after the other.
///
/// `conn` should be a connection of its own: it is held for as long as the builds take, and its time
/// limits are set and reset. An index that fails does not stop the others.
pub async fn create(
    conn: &mut AsyncPgConnection,
    shapes: &[IndexShape],
    options: &CreateOptions,
) -> Result<CreateReport, CreateError> {
    let in_transaction =
        <AsyncPgConnection as AsyncConnection>::TransactionManager::transaction_manager_status_mut(
            conn,
        )
        .transaction_depth()
        .map_err(|source| CreateError::Database { what: "its transaction's state", source })?;
    if in_transaction.is_some() {
        return Err(CreateError::InTransaction);
    }
    step(options, Step::Lock)?;
    if !flag(conn, "the advisory lock", &format!("SELECT pg_try_advisory_lock({LOCK}) AS value"))
        .await?
    {
        return Err(CreateError::Busy);
    }
    let outcome = create_locked(conn, shapes, options).await;
    if matches!(outcome, Err(CreateError::Ended(_))) {
        return outcome; // As if killed: the lock goes with the connection.
    }
    step(options, Step::Unlock)?;
    let unlocked = unlock(conn).await;
    let report = outcome?;
    unlocked?;
    Ok(report)
}

async fn create_locked(
    conn: &mut AsyncPgConnection,
    shapes: &[IndexShape],
    options: &CreateOptions,
) -> Result<CreateReport, CreateError> {
    step(options, Step::Read)?;
    let catalog = snapshot(conn, &SnapshotOptions::default()).await?.catalog;
    let mut report = CreateReport::default();
    step(options, Step::Tidy)?;
    if !options.dry_run {
        build::set_limits(conn, options.lock_timeout, options).await?;
    }
    tidy::tidy(conn, &catalog, options, &mut report).await?;
    let mut built = Vec::new();
    for shape in shapes {
        let name = super::name_of(shape);
        let outcome = match refusal(&catalog, shape) {
            Err(outcome) => outcome,
            Ok(table) => {
                // The full name: the search path of this connection may be another's.
                let shape = IndexShape { table: table.name.clone(), ..shape.clone() };
                let same = table.indexes.iter().find(|index| {
                    index.valid && index.understood && (index.shape == shape || index.name == name)
                });
                match (same, &table.kind) {
                    (Some(index), _) => Outcome::AlreadyThere(index.name.clone()),
                    (None, TableKind::Partitioned) => {
                        partition::build(conn, &catalog, &shape, &name, options).await?
                    }
                    (None, _) => build::build(conn, &catalog, &shape, &name, options).await?,
                }
            }
        };
        if outcome == Outcome::Created {
            built.push(shape.clone());
        }
        report.indexes.push(Created { name, shape: shape.clone(), outcome });
    }
    for table in analysed(System::Postgres, &built) {
        step(options, Step::Analyse)?;
        run(conn, "ANALYZE", &format!("ANALYZE {}", table.quoted())).await?;
    }
    Ok(report)
}

/// The table to build on, or why nothing is built.
fn refusal<'a>(catalog: &'a Catalog, shape: &IndexShape) -> Result<&'a Table, Outcome> {
    let unknown = || Outcome::Refused(DdlRefused::NoSuchTable { table: shape.table.to_string() });
    let table = catalog.table(&shape.table).ok_or_else(unknown)?;
    let is_elsewhere = matches!(table.kind, TableKind::System | TableKind::Foreign);
    if is_elsewhere || table.internal {
        return Err(Outcome::NotIndexable);
    }
    Ok(table)
}

fn step(options: &CreateOptions, step: Step) -> Result<(), CreateError> {
    match &options.watch {
        Some(watch) if !watch(step) => Err(CreateError::Ended(step)),
        _ => Ok(()),
    }
}

async fn unlock(conn: &mut AsyncPgConnection) -> Result<(), CreateError> {
    run(conn, "RESET", "RESET lock_timeout").await?;
    run(conn, "RESET", "RESET statement_timeout").await?;
    flag(conn, "the unlocking", &format!("SELECT pg_advisory_unlock({LOCK}) AS value")).await?;
    Ok(())
}

/// One statement, one message.
async fn run(
    conn: &mut AsyncPgConnection,
    what: &'static str,
    sql: &str,
) -> Result<(), CreateError> {
    conn.batch_execute(sql).await.map_err(|source| CreateError::Database { what, source })
}

#[derive(QueryableByName)]
struct FlagRow {
    #[diesel(sql_type = Bool)]
    value: bool,
}

async fn flag(
    conn: &mut AsyncPgConnection,
    what: &'static str,
    sql: &str,
) -> Result<bool, CreateError> {
    let found: Vec<FlagRow> = load(conn, what, sql).await?;
    Ok(found.into_iter().any(|row| row.value))
}

async fn load<R: QueryableByName<Pg> + Send + 'static>(
    conn: &mut AsyncPgConnection,
    what: &'static str,
    sql: &str,
) -> Result<Vec<R>, CreateError> {
    diesel::sql_query(sql).load(conn).await.map_err(|source| CreateError::Database { what, source })
}
