//! Which tables and statements are worth a thought.

use crate::advise::limits::Limits;
use crate::advise::refusal::Refusal;
use crate::catalog::{Table, TableKind, TableName};
use crate::workload::{Statement, Workload};

/// Tables by which tools remember which migrations have run.
const TOOLS: [&str; 11] = [
    "__diesel_schema_migrations",
    "_sqlx_migrations",
    "schema_migrations",
    "ar_internal_metadata",
    "flyway_schema_history",
    "alembic_version",
    "seaql_migrations",
    "refinery_schema_history",
    "django_migrations",
    "knex_migrations",
    "databasechangelog",
];

/// Why a table gets no index whatever it is asked; `None`: it may.
pub(crate) fn table(table: &Table, limits: &Limits) -> Option<Refusal> {
    match &table.kind {
        TableKind::System => return Some(Refusal::SystemTable),
        TableKind::Temporary => return Some(Refusal::TemporaryTable),
        TableKind::Foreign => return Some(Refusal::ForeignTable),
        TableKind::Ordinary
        | TableKind::Partitioned
        | TableKind::PartitionOf(_)
        | TableKind::MaterialisedView
        | TableKind::WithoutRowid => {}
    }
    if let Some(refusal) = name(&table.name, limits) {
        return Some(refusal);
    }
    if table.internal {
        return Some(Refusal::OwnTable);
    }
    let Some(rows) = table.rows.filter(|rows| *rows >= 0.0) else {
        return Some(Refusal::NeverAnalysed);
    };
    let small = rows < limits.rows_small || table.pages < limits.pages_small;
    small.then_some(Refusal::SmallTable { rows, pages: table.pages })
}

/// The same by the name alone, for tables that the catalogue leaves out.
pub(crate) fn name(name: &TableName, limits: &Limits) -> Option<Refusal> {
    let schema = name.schema.as_deref().unwrap_or_default();
    let bare = name.name.as_str();
    if matches!(schema, "pg_catalog" | "information_schema" | "pg_toast")
        || bare.starts_with("pg_")
        || bare.starts_with("sqlite_")
    {
        return Some(Refusal::SystemTable);
    }
    let own = !limits.own_prefix.is_empty() && bare.starts_with(&limits.own_prefix);
    (own || TOOLS.contains(&bare)).then_some(Refusal::OwnTable)
}

/// Why a statement is passed over.
pub(crate) fn statement(
    statement: &Statement,
    workload: &Workload,
    limits: &Limits,
) -> Option<Refusal> {
    let all = workload.total_ms();
    let (Some(own), Some(mean)) = (statement.total_ms, statement.mean_ms()) else { return None };
    if all <= 0.0 || mean >= limits.slow_ms {
        return None;
    }
    let share = own / all;
    (share < limits.time_share_min).then_some(Refusal::Negligible { share })
}
