//! Building an index on a temporary copy of a part of its table, and timing a statement both ways.
//!
//! The copy has the table's name and stands before it in the search path, so the statement is run
//! as it is. Nothing outside the session sees any of it, and all is rolled back.

use diesel::QueryableByName;
use diesel::result::Error as DieselError;
use diesel::sql_types::Text;
use diesel_async::{AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};

use super::CostError;
use super::planner::asking;
use crate::advise::{Candidate, DdlOptions, create_index};
use crate::catalog::{Catalog, Table, TableName, quote_identifier};
use crate::cost::plan::read_time;
use crate::cost::{Costs, VariantKind};
use crate::workload::Statement;

/// A copy is no larger than this.
const COPY_BYTES_MAX: f64 = 64.0 * 1024.0 * 1024.0;
/// Runs of which the shortest counts.
const RUNS: usize = 3;

#[derive(QueryableByName)]
struct PlanRow {
    #[diesel(sql_type = Text, column_name = "QUERY PLAN")]
    plan: String,
}

/// Times on the copy, in milliseconds. `None` where the statement cannot be run on one: it binds
/// values, writes, or names the table with its schema.
pub(super) async fn time_both(
    conn: &mut AsyncPgConnection,
    catalog: &Catalog,
    candidate: &Candidate,
    statement: &Statement,
) -> Result<Option<Costs>, CostError> {
    let Some(table) = catalog.table(&candidate.shape.table) else { return Ok(None) };
    if !is_runnable(&statement.sql, table) {
        return Ok(None);
    }
    begin(conn).await?;
    let measured = measure(conn, catalog, table, candidate, statement).await;
    let ended = conn.batch_execute("ROLLBACK").await;
    ended.map_err(|source| CostError { what: "ROLLBACK", source })?;
    // A statement refused within the transaction is no failure of ours.
    Ok(asking("a build on a sample", measured)?.unwrap_or(None))
}

async fn begin(conn: &mut AsyncPgConnection) -> Result<(), CostError> {
    conn.batch_execute("BEGIN").await.map_err(|source| CostError { what: "BEGIN", source })
}

/// Only a plain query is run, and only if the copy is what it reads.
fn is_runnable(sql: &str, table: &Table) -> bool {
    let lower = sql.trim_start().to_ascii_lowercase();
    let schema = table.name.schema.as_deref().unwrap_or("public");
    let qualified = format!("{schema}.");
    lower.starts_with("select")
        && !lower.contains('$')
        && !lower.contains(';')
        && !lower.contains(" for update")
        && !lower.replace('"', "").contains(&qualified)
}

async fn measure(
    conn: &mut AsyncPgConnection,
    catalog: &Catalog,
    table: &Table,
    candidate: &Candidate,
    statement: &Statement,
) -> Result<Option<Costs>, DieselError> {
    let percent = (COPY_BYTES_MAX / (table.bytes as f64).max(1.0) * 100.0).min(100.0);
    let copy = quote_identifier(&table.name.name);
    conn.batch_execute(&format!(
        "CREATE TEMP TABLE {copy} ON COMMIT DROP AS \
         SELECT * FROM {} TABLESAMPLE SYSTEM ({percent:.6}) REPEATABLE (42)",
        table.name.quoted()
    ))
    .await?;
    conn.batch_execute(&format!("ANALYZE {copy}")).await?;
    let Some(before) = best_time(conn, &statement.sql).await? else { return Ok(None) };

    // The same index, on the copy: the catalogue knows it under its own schema.
    let name = TableName::bare(table.name.name.clone());
    let bare = Table { name: name.clone(), ..table.clone() };
    let of_copy = Catalog { tables: vec![bare], ..catalog.clone() };
    let mut shape = candidate.shape.clone();
    shape.table = name;
    let Ok(sql) = create_index(&of_copy, &shape, "guildhall_insight_copy", DdlOptions::default())
    else {
        return Ok(None);
    };
    conn.batch_execute(&sql).await?;
    conn.batch_execute(&format!("ANALYZE {copy}")).await?;
    let Some(after) = best_time(conn, &statement.sql).await? else { return Ok(None) };
    Ok(Some(Costs {
        before: vec![(VariantKind::AsWritten, before)],
        after: vec![after],
        generic: None,
    }))
}

async fn best_time(conn: &mut AsyncPgConnection, sql: &str) -> Result<Option<f64>, DieselError> {
    let explain = format!("EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {sql}");
    let mut best: Option<f64> = None;
    for _ in 0..RUNS {
        let rows: Vec<PlanRow> = diesel::sql_query(&explain).load(conn).await?;
        let time = rows.as_slice().first().and_then(|row| read_time(&row.plan));
        best = match (best, time) {
            (Some(held), Some(time)) => Some(held.min(time)),
            (held, time) => held.or(time),
        };
    }
    Ok(best)
}
