//! Statistics on SQLite. The twin of this file is `postgres/upkeep_dialect.rs`.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use guildhall_insight::Fingerprint;
use guildhall_insight::profile::server::{Absent, Reading, ServerStatements};
use guildhall_insight::workload::Workload;
use guildhall_repository::StorageError;

use super::pool::PoolCore;
use super::{Conn, RESOURCE, classify, open, shield, sqlite_master};
use crate::fault::Worked;
use crate::options::ServerState;

pub(super) use guildhall_insight::profile::SqlitePlanner as OwnPlanner;

/// What no reading of counters can change.
const UNCOUNTED: &str = "counters of statements: SQLite keeps none";

/// The size of the file. SQLite knows of no sessions.
pub(super) async fn server_on(conn: &mut Conn) -> Worked<ServerState> {
    let size = "page_count * page_size FROM pragma_page_count, pragma_page_size";
    let size = diesel::select(diesel::dsl::sql::<BigInt>(size));
    let bytes: i64 = crate::run::RunQueryDsl::get_result(size, conn).await?;
    Ok(ServerState { bytes: u64::try_from(bytes).unwrap_or(0), sessions: None })
}

/// Analyses all tables, each index by a sample of its rows; their number.
pub(super) async fn refresh(core: &PoolCore) -> Result<u64, StorageError> {
    let turn = core.turn(true).await?;
    let (conn, _session) = open(&core.target, &core.options).await?;
    let mut conn = conn.into_inner();
    let work = async move {
        let analysed = conn.spawn_blocking(|inner| {
            // ANALYZE and PRAGMA are beyond the query builder.
            inner.batch_execute("PRAGMA analysis_limit = 1000; ANALYZE;")?;
            let own = sqlite_master::name.not_like("sqlite\\_%").escape('\\');
            let tables = sqlite_master::table.filter(sqlite_master::kind.eq("table")).filter(own);
            tables.count().get_result::<i64>(inner)
        });
        let analysed = analysed.await;
        drop(turn);
        Ok(u64::try_from(analysed?).unwrap_or(0))
    };
    let limit = core.options.statement_timeout;
    shield(work).await.map_err(|fault| {
        crate::fault::settle(fault, "refresh_statistics", RESOURCE, limit, classify)
    })
}

/// Statements of the application's own, in their turn.
pub(super) async fn run_own(core: &PoolCore, sql: String) -> Result<(), StorageError> {
    let turn = core.turn(true).await?;
    let (conn, _session) = open(&core.target, &core.options).await?;
    let mut conn = conn.into_inner();
    let work = async move {
        let ran = conn.spawn_blocking(move |inner| inner.batch_execute(&sql)).await;
        drop(turn);
        Ok(ran?)
    };
    let limit = core.options.statement_timeout;
    shield(work)
        .await
        .map_err(|fault| crate::fault::settle(fault, "run_sql", RESOURCE, limit, classify))
}

pub(super) async fn read_statements(
    _core: &PoolCore,
    _counted: &mut ServerStatements,
) -> Result<Reading, StorageError> {
    Err(StorageError::NotSupported { feature: UNCOUNTED })
}

pub(super) async fn workload_of(
    _core: &PoolCore,
) -> Result<Result<Workload, Absent>, StorageError> {
    Err(StorageError::NotSupported { feature: UNCOUNTED })
}

pub(super) async fn find_statement(
    _core: &PoolCore,
    _fingerprint: Fingerprint,
) -> Result<Option<String>, StorageError> {
    Ok(None)
}
