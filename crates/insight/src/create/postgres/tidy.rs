//! Invalid indexes: ours are removed, others' are reported.

use diesel_async::{AsyncPgConnection, SimpleAsyncConnection};

use super::{CreateError, CreateOptions, CreateReport, build};
use crate::catalog::{Catalog, TableName, quote_identifier, quote_literal};
use crate::create::is_ours;

/// Looks at every invalid index of the database. Nobody else builds ours meanwhile: we hold the lock.
pub(super) async fn tidy(
    conn: &mut AsyncPgConnection,
    catalog: &Catalog,
    options: &CreateOptions,
    report: &mut CreateReport,
) -> Result<(), CreateError> {
    for table in &catalog.tables {
        for index in table.indexes.iter().filter(|index| !index.valid) {
            // A partitioned parent's is invalid until every partition has its own, and cannot be
            // dropped concurrently: a repeated run completes it.
            let is_parent = table.kind == crate::catalog::TableKind::Partitioned;
            let is_let_be = !is_ours(&index.name)
                || options.dry_run
                || is_being_built(conn, &table.name, &index.name).await?;
            if is_let_be {
                report.invalid.push(index.name.clone());
            } else if !is_parent {
                match drop_invalid(conn, &table.name, &index.name, options).await? {
                    None => report.removed.push(index.name.clone()),
                    Some(left) => report.invalid.push(left),
                }
            }
        }
    }
    Ok(())
}

/// Removes the index if it is ours and invalid. `Some`: it is still there.
pub(super) async fn drop_invalid(
    conn: &mut AsyncPgConnection,
    table: &TableName,
    name: &str,
    options: &CreateOptions,
) -> Result<Option<String>, CreateError> {
    if !is_ours(name) || !is_there_and_invalid(conn, table, name).await? {
        return Ok(None);
    }
    let schema = table.schema.as_deref().map(|schema| format!("{}.", quote_identifier(schema)));
    let full = format!("{}{}", schema.unwrap_or_default(), quote_identifier(name));
    let sql = format!("DROP INDEX CONCURRENTLY IF EXISTS {full}");
    for _ in 0..options.attempts_max.clamp(1, 10) {
        build::set_limits(conn, options.wait_timeout, options).await?;
        if conn.batch_execute(&sql).await.is_ok() {
            return Ok(None);
        }
    }
    Ok(Some(name.to_owned()))
}

/// A script of ours runs somewhere else, without our lock.
async fn is_being_built(
    conn: &mut AsyncPgConnection,
    table: &TableName,
    name: &str,
) -> Result<bool, CreateError> {
    let sql = format!(
        "SELECT EXISTS (SELECT FROM pg_stat_progress_create_index p \
         JOIN pg_class c ON c.oid = p.index_relid \
         WHERE c.relname = {} AND p.relid = {}::regclass) AS value",
        quote_literal(name),
        quote_literal(&table.quoted()),
    );
    super::flag(conn, "whether the index is being built", &sql).await
}

async fn is_there_and_invalid(
    conn: &mut AsyncPgConnection,
    table: &TableName,
    name: &str,
) -> Result<bool, CreateError> {
    let sql = format!(
        "SELECT NOT x.indisvalid AS value FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid \
         WHERE c.relname = {} AND x.indrelid = {}::regclass",
        quote_literal(name),
        quote_literal(&table.quoted()),
    );
    super::flag(conn, "whether the index is invalid", &sql).await
}
