//! A database in memory with the schema of the real one, no rows, and statistics as if it had them.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;

use super::CostError;
use crate::advise::{Advice, Candidate, DdlOptions, create_index};
use crate::catalog::{Catalog, Index, Table, quote_identifier, quote_literal};
use crate::cost::VariantKind;

pub(super) struct Scratch {
    conn: SqliteConnection,
}

#[derive(QueryableByName)]
struct SqlRow {
    #[diesel(sql_type = Text)]
    sql: String,
}

#[derive(QueryableByName)]
struct PlanRow {
    #[diesel(sql_type = Text)]
    detail: String,
}

fn failed(what: &'static str) -> impl Fn(diesel::result::Error) -> CostError {
    move |source| CostError::Database { what, source }
}

impl Scratch {
    pub(super) fn of(real: &mut SqliteConnection, catalog: &Catalog) -> Result<Self, CostError> {
        let sql = "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' \
                   AND type IN ('table', 'index', 'view') \
                   ORDER BY CASE type WHEN 'table' THEN 0 WHEN 'view' THEN 1 ELSE 2 END, rowid";
        let definitions: Vec<SqlRow> =
            diesel::sql_query(sql).load(real).map_err(failed("the schema"))?;
        let mut conn = SqliteConnection::establish(":memory:")?;
        for row in definitions {
            // A virtual table whose module is missing here, or a function: other statements do not
            // need it.
            if let Err(error) = conn.batch_execute(&row.sql) {
                tracing::debug!(%error, "left out of the scratch schema");
            }
        }
        // Makes the statistics' table.
        conn.batch_execute("ANALYZE; DELETE FROM sqlite_stat1").map_err(failed("ANALYZE"))?;
        for table in &catalog.tables {
            for index in &table.indexes {
                write_stat(&mut conn, table, index)?;
            }
            if table.indexes.is_empty() {
                let rows = table.rows.unwrap_or(0.0).max(1.0);
                insert_stat(&mut conn, &table.name.name, None, &format!("{rows:.0}"))?;
            }
        }
        Ok(Self { conn })
    }

    /// Whether the planner takes every index of a set for one of the texts at least.
    pub(super) fn would_use(
        &mut self,
        catalog: &Catalog,
        advice: &Advice,
        set: &[usize],
        texts: &[(VariantKind, String)],
    ) -> Result<bool, CostError> {
        let mut names = Vec::new();
        for &place in set {
            let candidate = &advice.candidates[place];
            let name = format!("guildhall_insight_{place}");
            let made = create_index(catalog, &candidate.shape, &name, DdlOptions::default());
            let Ok(sql) = made else { return self.drop_all(&names).map(|()| false) };
            names.push(name.clone());
            if self.conn.batch_execute(&sql).is_err() {
                return self.drop_all(&names).map(|()| false);
            }
            if let Some(table) = catalog.table(&candidate.shape.table) {
                let stat = stat_of(table, candidate);
                insert_stat(&mut self.conn, &table.name.name, Some(&name), &stat)?;
            }
        }
        // Reads what was written.
        self.conn.batch_execute("ANALYZE sqlite_schema").map_err(failed("ANALYZE"))?;
        let mut is_used = false;
        for (_, text) in texts {
            let explain = format!("EXPLAIN QUERY PLAN {text}");
            let Ok(plan) = diesel::sql_query(explain).load::<PlanRow>(&mut self.conn) else {
                continue;
            };
            let details: Vec<String> = plan.into_iter().map(|row| row.detail).collect();
            is_used |= names.iter().all(|name| {
                let word = format!("{name} ");
                details.iter().any(|detail| format!("{detail} ").contains(&word))
            });
        }
        self.drop_all(&names)?;
        Ok(is_used)
    }

    fn drop_all(&mut self, names: &[String]) -> Result<(), CostError> {
        for name in names {
            let sql = format!(
                "DROP INDEX IF EXISTS {}; DELETE FROM sqlite_stat1 WHERE idx = {}",
                quote_identifier(name),
                quote_literal(name)
            );
            self.conn.batch_execute(&sql).map_err(failed("DROP INDEX"))?;
        }
        Ok(())
    }
}

fn insert_stat(
    conn: &mut SqliteConnection,
    table: &str,
    index: Option<&str>,
    stat: &str,
) -> Result<(), CostError> {
    let index = index.map_or("NULL".to_owned(), quote_literal);
    let sql = format!(
        "INSERT INTO sqlite_stat1 VALUES ({}, {index}, {})",
        quote_literal(table),
        quote_literal(stat)
    );
    conn.batch_execute(&sql).map_err(failed("sqlite_stat1"))
}

fn write_stat(conn: &mut SqliteConnection, table: &Table, index: &Index) -> Result<(), CostError> {
    let rows = table.rows.unwrap_or(0.0).max(1.0);
    let mut stat = per_key(table, rows, rows, index.shape.keys.iter().map(|key| key.column_name()));
    if index.unique {
        // The last number of a unique index is 1, whatever the columns' spread.
        if let Some(place) = stat.rfind(' ') {
            stat.replace_range(place.., " 1");
        }
    }
    insert_stat(conn, &table.name.name, Some(&index.name), &stat)
}

fn stat_of(table: &Table, candidate: &Candidate) -> String {
    let rows = table.rows.unwrap_or(0.0).max(1.0);
    let entries = candidate.entries.unwrap_or(rows).max(1.0);
    let names = candidate.shape.keys.iter().map(|key| key.column_name());
    per_key(table, rows, entries, names)
}

/// `rows`, then how many of them one value of the first key has, of the first two, and so on.
fn per_key<'a>(
    table: &Table,
    rows: f64,
    entries: f64,
    names: impl Iterator<Item = Option<&'a str>>,
) -> String {
    let mut stat = format!("{entries:.0}");
    let mut different = 1.0_f64;
    for name in names {
        let column = name.and_then(|name| table.column(name));
        let own = column.and_then(|column| column.stats.as_ref()?.distinct_of(rows));
        // Of an expression nothing is known; mostly it tells rows apart as its column does.
        different = (different * own.unwrap_or(rows)).min(entries);
        stat.push_str(&format!(" {:.0}", (entries / different).ceil().max(1.0)));
    }
    stat
}
