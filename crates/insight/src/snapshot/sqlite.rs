//! Reading SQLite's schema, its `sqlite_stat1` and a sample of every table.
//!
//! SQLite keeps next to no statistics, so those of the columns come from rows spread evenly over
//! each table, looked up by row id: the cost does not grow with the table.

mod index;
mod sample;
mod schema;
mod text;

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};
use diesel::sqlite::Sqlite;
use diesel_async::sync_connection_wrapper::SyncConnectionWrapper;

use super::{Snapshot, SnapshotError, SnapshotOptions};
use crate::catalog::{Catalog, Server, Table, View};
use crate::fingerprint::System;

/// Reads the catalogue of the main database of `conn`.
///
/// The reading goes on to its end on its own thread when the future is dropped.
pub async fn snapshot(
    conn: &mut SyncConnectionWrapper<SqliteConnection>,
    options: &SnapshotOptions,
) -> Result<Snapshot, SnapshotError> {
    let options = options.clone();
    let read = conn.spawn_blocking(move |inner| Ok(snapshot_of(inner, &options))).await;
    read.map_err(|source| SnapshotError::Query { what: "the thread of the reader", source })?
}

/// The same on a plain connection, blocking.
pub fn snapshot_of(
    conn: &mut SqliteConnection,
    options: &SnapshotOptions,
) -> Result<Snapshot, SnapshotError> {
    let mut notes = Vec::new();
    let (mut tables, views) = schema::read(conn, options, &mut notes)?;
    let counts = read_stat1(conn)?;
    let sizes = schema::read_sizes(conn)?;
    for table in &mut tables {
        let count = counts.get(&table.name.name).copied();
        sample::fill(conn, table, count, options.sample_rows_max)?;
        schema::fill_sizes(table, &sizes);
    }
    let unanalysed = tables.iter().filter(|table| !counts.contains_key(&table.name.name)).count();
    if unanalysed > 0 && !tables.is_empty() {
        notes.push(format!(
            "{unanalysed} of {} tables have no statistics in SQLite: its planner guesses until ANALYZE has run.",
            tables.len()
        ));
    }
    let catalog = Catalog { server: read_server(conn)?, tables, views, ..Catalog::default() };
    Ok(Snapshot { catalog, notes })
}

fn rows<R: QueryableByName<Sqlite> + 'static>(
    conn: &mut SqliteConnection,
    what: &'static str,
    sql: &str,
) -> Result<Vec<R>, SnapshotError> {
    diesel::sql_query(sql).load(conn).map_err(|source| SnapshotError::Query { what, source })
}

#[derive(QueryableByName)]
struct TextRow {
    #[diesel(sql_type = Text)]
    value: String,
}

#[derive(QueryableByName)]
struct CountRow {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// Version and options that change answers: the library of a distribution is built otherwise than
/// the one that comes with the crate.
fn read_server(conn: &mut SqliteConnection) -> Result<Server, SnapshotError> {
    let version: Vec<TextRow> = rows(conn, "the version", "SELECT sqlite_version() AS value")?;
    let version = version.into_iter().next().map(|row| row.value).unwrap_or_default();
    let stat4: Vec<CountRow> =
        rows(conn, "the options", "SELECT sqlite_compileoption_used('ENABLE_STAT4') AS count")?;
    let stat4 = if stat4.iter().any(|row| row.count == 1) { "with" } else { "without" };
    let mut parts = version.split('.').map(|part| part.parse().unwrap_or(0));
    Ok(Server {
        system: System::Sqlite,
        major: parts.next().unwrap_or(0),
        minor: parts.next().unwrap_or(0),
        description: format!("SQLite {version} {stat4} STAT4"),
        ..Server::default()
    })
}

#[derive(QueryableByName)]
struct StatRow {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Nullable<Text>)]
    stat: Option<String>,
}

/// Rows by table, as `ANALYZE` last counted them.
fn read_stat1(conn: &mut SqliteConnection) -> Result<BTreeMap<String, f64>, SnapshotError> {
    let sql = "SELECT count(*) AS count FROM sqlite_schema WHERE name = 'sqlite_stat1'";
    let there: Vec<CountRow> = rows(conn, "sqlite_stat1", sql)?;
    let mut counts = BTreeMap::new();
    if there.iter().all(|row| row.count == 0) {
        return Ok(counts);
    }
    // The row of a partial index counts only its own rows.
    let sql = "SELECT s.tbl AS name, s.stat FROM sqlite_stat1 s";
    for row in rows::<StatRow>(conn, "sqlite_stat1", sql)? {
        let first = row.stat.as_deref().and_then(|stat| stat.split(' ').next()?.parse().ok());
        if let Some(count) = first {
            let held = counts.entry(row.name).or_insert(count);
            *held = f64::max(*held, count);
        }
    }
    Ok(counts)
}

/// Tables and views of the main database.
type Found = (Vec<Table>, Vec<View>);
