//! Reading a [`Catalog`] from a live database.
//!
//! It only reads, in queries of bounded size. What a role may not see is missing from the
//! catalogue and said in [`Snapshot::notes`].

#[cfg(feature = "postgres")]
pub mod postgres;
#[cfg(feature = "sqlite")]
pub mod sqlite;

use thiserror::Error;

use crate::catalog::Catalog;

/// A catalogue, and what about its reading the report must say.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    /// What was read.
    pub catalog: Catalog,
    /// What could not be read, or was left out, and why: one sentence each.
    pub notes: Vec<String>,
}

/// How much is read.
#[derive(Clone, Debug, PartialEq)]
pub struct SnapshotOptions {
    /// Schemas to read; empty for all but the database's own. SQLite has none.
    pub schemas: Vec<String>,
    /// Tables at most, the largest first.
    pub tables_max: u32,
    /// SQLite: rows looked at for each table, spread over it.
    pub sample_rows_max: u32,
}

impl Default for SnapshotOptions {
    fn default() -> Self {
        Self { schemas: Vec::new(), tables_max: 2_000, sample_rows_max: 5_000 }
    }
}

/// A database that could not be read.
#[derive(Debug, Error)]
pub enum SnapshotError {
    /// A query of the reader failed.
    #[error("the catalogue could not be read: {what} failed")]
    Query {
        /// What was being read.
        what: &'static str,
        /// Why it failed.
        source: diesel::result::Error,
    },
}

/// Whether a table belongs to a migration tool or to this crate, by its name.
fn is_internal(name: &str) -> bool {
    const TOOLS: [&str; 10] = [
        "__diesel_schema_migrations",
        "_sqlx_migrations",
        "_prisma_migrations",
        "alembic_version",
        "ar_internal_metadata",
        "django_migrations",
        "flyway_schema_history",
        "refinery_schema_history",
        "schema_migrations",
        "seaql_migrations",
    ];
    TOOLS.contains(&name) || name.starts_with("guildhall_insight_")
}

/// How many different values a table has, as `pg_stats` gives it, from a sample of `sampled` rows of
/// `total`: `seen` are not null, `different` differ, `once` occur but once. Haas and Stokes' estimator,
/// which PostgreSQL uses too: `n d / (n - f1 + f1 n / N)`.
pub(crate) fn estimate_distinct(
    seen: f64,
    different: f64,
    once: f64,
    sampled: f64,
    total: f64,
) -> f64 {
    if seen < 1.0 {
        return 0.0;
    }
    if once >= seen {
        return -(seen / sampled);
    }
    if once == 0.0 {
        return different;
    }
    let all = total * seen / sampled;
    let estimate =
        (seen * different / (seen - once + once * seen / all)).clamp(different, all.max(different));
    // Such a share grows with the table.
    if estimate > 0.1 * total { -(estimate / total) } else { estimate }
}
