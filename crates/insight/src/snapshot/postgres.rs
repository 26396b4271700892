//! Reading PostgreSQL's catalogue and statistics.

mod index;
mod server;
mod statistics;
mod table;

use diesel::QueryableByName;
use diesel::pg::Pg;
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::{Snapshot, SnapshotError, SnapshotOptions};
use crate::catalog::{Catalog, Table, TableKind, TableName};

/// Reads the catalogue of the database that `conn` is connected to.
///
/// It wants no privilege beyond those of the tables: of a table that the role may not read,
/// PostgreSQL hides the statistics, and a note says so.
pub async fn snapshot(
    conn: &mut AsyncPgConnection,
    options: &SnapshotOptions,
) -> Result<Snapshot, SnapshotError> {
    let mut notes = Vec::new();
    let mut tables = table::read(conn, options, &mut notes).await?;
    let oids: Vec<i64> = tables.iter().map(|(oid, _)| *oid).collect();
    let list = oid_list(&oids);
    if !oids.is_empty() {
        table::read_columns(conn, &list, &mut tables).await?;
        statistics::read(conn, &list, &mut tables).await?;
        statistics::read_extended(conn, &list, &mut tables).await?;
        index::read(conn, &list, &mut tables).await?;
        table::read_foreign_keys(conn, &list, &mut tables).await?;
    }
    let mut tables: Vec<Table> = tables.into_iter().map(|(_, table)| table).collect();
    add_up_partitions(&mut tables);
    let catalog = Catalog {
        server: server::read(conn).await?,
        tables,
        views: server::read_views(conn).await?,
        extensions: server::read_extensions(conn).await?,
        functions: server::read_functions(conn).await?,
        search_path: server::read_search_path(conn).await?,
        default_collation: server::read_collation(conn).await?,
        counters_age_seconds: server::read_counters_age(conn).await?,
    };
    Ok(Snapshot { catalog, notes })
}

/// The rows of a query of ours.
async fn rows<R>(
    conn: &mut AsyncPgConnection,
    what: &'static str,
    sql: &str,
) -> Result<Vec<R>, SnapshotError>
where
    R: QueryableByName<Pg> + Send + 'static,
{
    diesel::sql_query(sql)
        .load::<R>(conn)
        .await
        .map_err(|source| SnapshotError::Query { what, source })
}

/// Numbers need no quoting; -1 is no oid, so the list is never empty.
fn oid_list(oids: &[i64]) -> String {
    let mut list = String::from("-1");
    for oid in oids {
        list.push(',');
        list.push_str(&oid.to_string());
    }
    list
}

/// A parent has no pages of its own; its size is that of its partitions.
fn add_up_partitions(tables: &mut [Table]) {
    let sizes: Vec<(TableName, u64, u64, Option<f64>)> = tables
        .iter()
        .filter_map(|table| match &table.kind {
            TableKind::PartitionOf(parent) => {
                Some((parent.clone(), table.pages, table.bytes, table.rows))
            }
            _ => None,
        })
        .collect();
    for table in tables.iter_mut().filter(|table| table.kind == TableKind::Partitioned) {
        let own = sizes.iter().filter(|(parent, ..)| *parent == table.name);
        let mut rows = None;
        for (_, pages, bytes, part) in own {
            table.pages += pages;
            table.bytes += bytes;
            rows = match (rows, part) {
                (Some(sum), Some(part)) => Some(sum + part),
                (sum, part) => sum.or(*part),
            };
        }
        table.rows = table.rows.or(rows);
    }
}

/// A count that the server gives signed.
fn unsigned(count: i64) -> u64 {
    u64::try_from(count).unwrap_or(0)
}
