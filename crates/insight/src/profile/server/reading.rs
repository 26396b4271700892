//! The statements that read the counters.

use diesel::sql_types::{BigInt, Bool, Double, Text};
use diesel::{QueryResult, QueryableByName, sql_query};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::difference::{Baseline, Counted, Key};
use crate::fingerprint::{Fingerprint, System, normalise};
use crate::workload::{STATEMENTS_MAX, Statement, Workload};

#[derive(QueryableByName)]
struct Info {
    #[diesel(sql_type = BigInt)]
    dealloc: i64,
    #[diesel(sql_type = Text)]
    stats_reset: String,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = BigInt)]
    userid: i64,
    #[diesel(sql_type = BigInt)]
    queryid: i64,
    #[diesel(sql_type = Bool)]
    toplevel: bool,
    #[diesel(sql_type = Text)]
    query: String,
    #[diesel(sql_type = BigInt)]
    calls: i64,
    #[diesel(sql_type = Double)]
    total_exec_time: f64,
    #[diesel(sql_type = BigInt)]
    rows: i64,
    #[diesel(sql_type = BigInt)]
    shared_blks_hit: i64,
    #[diesel(sql_type = BigInt)]
    shared_blks_read: i64,
    #[diesel(sql_type = BigInt)]
    temp_blks_written: i64,
    #[diesel(sql_type = BigInt)]
    wal_bytes: i64,
}

/// All counters of this database. The schema is quoted.
pub(super) async fn read(conn: &mut AsyncPgConnection, schema: &str) -> QueryResult<Baseline> {
    let info: Info = sql_query(format!(
        "SELECT dealloc, stats_reset::text AS stats_reset FROM {schema}.pg_stat_statements_info"
    ))
    .get_result(conn)
    .await?;
    let rows: Vec<Row> = sql_query(format!(
        "SELECT userid::bigint, queryid, toplevel, query, calls, total_exec_time, rows, \
         shared_blks_hit, shared_blks_read, temp_blks_written, wal_bytes::bigint \
         FROM {schema}.pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid \
         WHERE d.datname = current_database() AND queryid IS NOT NULL AND query IS NOT NULL"
    ))
    .load(conn)
    .await?;
    let mut now = Baseline::new(info.stats_reset, whole(info.dealloc));
    for row in rows {
        let key = Key { user: row.userid, query: row.queryid, top_level: row.toplevel };
        // The server leaves the literals of commands such as ALTER ROLE as they are.
        let normal = normalise(&row.query, System::Postgres);
        let counted = Counted {
            calls: whole(row.calls),
            total_ms: row.total_exec_time,
            rows: whole(row.rows),
            blocks_hit: whole(row.shared_blks_hit),
            blocks_read: whole(row.shared_blks_read),
            temp_blocks_written: whole(row.temp_blks_written),
            wal_bytes: whole(row.wal_bytes),
        };
        now.add(key, normal.fingerprint, normal.text, counted);
    }
    Ok(now)
}

#[derive(QueryableByName)]
struct Kept {
    #[diesel(sql_type = Text)]
    query: String,
}

/// The statement with this fingerprint, in this database. The schema is quoted.
pub(super) async fn find(
    conn: &mut AsyncPgConnection,
    schema: &str,
    fingerprint: Fingerprint,
) -> QueryResult<Option<String>> {
    let rows: Vec<Kept> = sql_query(format!(
        "SELECT query FROM {schema}.pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid \
         WHERE d.datname = current_database() AND query IS NOT NULL"
    ))
    .load(conn)
    .await?;
    let is_it = |row: &Kept| normalise(&row.query, System::Postgres).fingerprint == fingerprint;
    Ok(rows.into_iter().find(is_it).map(|row| row.query))
}

#[derive(QueryableByName)]
struct Span {
    #[diesel(sql_type = Double)]
    seconds: f64,
}

/// The costliest statements of this database since the counters began. The schema is quoted.
pub(super) async fn workload(conn: &mut AsyncPgConnection, schema: &str) -> QueryResult<Workload> {
    let span: Span = sql_query(format!(
        "SELECT extract(epoch FROM clock_timestamp() - stats_reset)::float8 AS seconds \
         FROM {schema}.pg_stat_statements_info"
    ))
    .get_result(conn)
    .await?;
    let rows: Vec<Taken> = sql_query(format!(
        "SELECT query, sum(calls)::bigint AS calls, sum(total_exec_time) AS total_exec_time, \
         sum(rows)::bigint AS rows \
         FROM {schema}.pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid \
         WHERE d.datname = current_database() AND query IS NOT NULL AND calls > 0 \
         GROUP BY query ORDER BY 3 DESC LIMIT {STATEMENTS_MAX}"
    ))
    .load(conn)
    .await?;
    let statement = |row: Taken| Statement {
        fingerprint: Some(normalise(&row.query, System::Postgres).fingerprint.0),
        sql: row.query,
        calls: whole(row.calls),
        total_ms: Some(row.total_exec_time),
        rows: Some(whole(row.rows)),
        ..Statement::default()
    };
    Ok(Workload {
        statements: rows.into_iter().map(statement).collect(),
        window_seconds: Some(span.seconds.max(1.0) as u64),
        ..Workload::default()
    })
}

#[derive(QueryableByName)]
struct Taken {
    #[diesel(sql_type = Text)]
    query: String,
    #[diesel(sql_type = BigInt)]
    calls: i64,
    #[diesel(sql_type = Double)]
    total_exec_time: f64,
    #[diesel(sql_type = BigInt)]
    rows: i64,
}

/// Counters do not go below nothing.
fn whole(count: i64) -> u64 {
    u64::try_from(count).unwrap_or(0)
}
