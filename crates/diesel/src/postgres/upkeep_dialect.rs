//! Statistics on PostgreSQL. The twin of this file is `sqlite/upkeep_dialect.rs`.

use std::time::Duration;

use diesel::QueryableByName;
use diesel::result::Error as DieselError;
use diesel::sql_types::{BigInt, Double, Nullable, Text};
use diesel_async::SimpleAsyncConnection;
use guildhall_insight::Fingerprint;
use guildhall_insight::profile::server::{Absent, Reading, ServerStatements};
use guildhall_insight::workload::Workload;
use guildhall_repository::StorageError;

use super::pool::PoolCore;
use super::{Conn, Inner, RESOURCE, classify, open};
use crate::fault::{Worked, settle};
use crate::options::{ServerState, Sessions};
use crate::run::RunQueryDsl as _;

pub(super) use guildhall_insight::profile::PostgresPlanner as OwnPlanner;

/// How long it may take.
const LIMIT: Duration = Duration::from_secs(600);

/// Analyses the tables of the schema; their number.
pub(super) async fn refresh(core: &PoolCore) -> Result<u64, StorageError> {
    let (conn, _session) = open(&core.target, &core.options).await?;
    let analysed = analyze_on(&mut conn.into_inner()).await;
    analysed.map_err(|fault| settle(fault, "refresh_statistics", RESOURCE, LIMIT, classify))
}

#[derive(QueryableByName)]
struct Table {
    #[diesel(sql_type = Text)]
    name: String,
}

async fn analyze_on(conn: &mut Inner) -> Worked<u64> {
    // ANALYZE, settings and the catalogue are beyond the query builder. Names come quoted.
    conn.batch_execute(&format!("SET statement_timeout = {}", LIMIT.as_millis())).await?;
    let tables: Vec<Table> = diesel::sql_query(
        "SELECT quote_ident(tablename) AS name FROM pg_tables WHERE schemaname = current_schema()",
    )
    .load(conn)
    .await?;
    if !tables.is_empty() {
        let names: Vec<&str> = tables.iter().map(|table| table.name.as_str()).collect();
        conn.batch_execute(&format!("ANALYZE {}", names.join(", "))).await?;
    }
    Ok(tables.len() as u64)
}

#[derive(QueryableByName)]
struct Told {
    #[diesel(sql_type = BigInt)]
    bytes: i64,
    #[diesel(sql_type = BigInt)]
    active: i64,
    #[diesel(sql_type = BigInt)]
    waiting: i64,
    #[diesel(sql_type = BigInt)]
    idle: i64,
    #[diesel(sql_type = BigInt)]
    idle_in_transaction: i64,
    #[diesel(sql_type = Nullable<Double>)]
    oldest_seconds: Option<f64>,
}

/// What the server tells of this database and its sessions, this one left out.
pub(super) async fn server_on(conn: &mut Conn) -> Worked<ServerState> {
    // The statistics views are no tables of ours.
    let told: Told = diesel::sql_query(
        "SELECT pg_database_size(current_database()) AS bytes,
             count(*) FILTER (WHERE state = 'active') AS active,
             count(*) FILTER (WHERE state = 'active' AND wait_event_type = 'Lock') AS waiting,
             count(*) FILTER (WHERE state = 'idle') AS idle,
             count(*) FILTER (WHERE state LIKE 'idle in transaction%') AS idle_in_transaction,
             extract(epoch FROM clock_timestamp() - min(xact_start))::float8 AS oldest_seconds
         FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )
    .get_result(conn)
    .await?;
    let count = |number: i64| u64::try_from(number).unwrap_or(0);
    let age = |seconds: f64| Duration::try_from_secs_f64(seconds.max(0.0)).ok();
    let sessions = Sessions {
        active: count(told.active),
        waiting: count(told.waiting),
        idle: count(told.idle),
        idle_in_transaction: count(told.idle_in_transaction),
        oldest_transaction: told.oldest_seconds.and_then(age),
    };
    Ok(ServerState { bytes: count(told.bytes), sessions: Some(sessions) })
}

pub(super) async fn read_statements(
    core: &PoolCore,
    counted: &mut ServerStatements,
) -> Result<Reading, StorageError> {
    let (conn, _session) = open(&core.target, &core.options).await?;
    let reading = counted.read(&mut conn.into_inner()).await;
    reading.map_err(|error| failed(core, "server_statements", error))
}

pub(super) async fn workload_of(core: &PoolCore) -> Result<Result<Workload, Absent>, StorageError> {
    let (conn, _session) = open(&core.target, &core.options).await?;
    let counted = ServerStatements::workload(&mut conn.into_inner()).await;
    counted.map_err(|error| failed(core, "server_workload", error))
}

/// Statements of the application's own.
pub(super) async fn run_own(core: &PoolCore, sql: String) -> Result<(), StorageError> {
    let (conn, _session) = open(&core.target, &core.options).await?;
    let ran = conn.into_inner().batch_execute(&sql).await;
    ran.map_err(|error| failed(core, "run_sql", error))
}

pub(super) async fn find_statement(
    core: &PoolCore,
    fingerprint: Fingerprint,
) -> Result<Option<String>, StorageError> {
    let (conn, _session) = open(&core.target, &core.options).await?;
    let found = ServerStatements::find(&mut conn.into_inner(), fingerprint).await;
    found.map_err(|error| failed(core, "server_statement", error))
}

fn failed(core: &PoolCore, operation: &'static str, error: DieselError) -> StorageError {
    settle(error.into(), operation, RESOURCE, core.options.statement_timeout, classify)
}
