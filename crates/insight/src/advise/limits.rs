//! Where the rules draw their lines.

use serde::{Deserialize, Serialize};

use crate::fingerprint::System;

/// Where the rules draw their lines. The defaults are those of the page on the advisor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    /// A table of fewer rows gets no index proposed.
    pub rows_small: f64,
    /// A table of fewer pages gets none either.
    pub pages_small: u64,
    /// A statement below this share of all time, if it is not slow, is passed over.
    pub time_share_min: f64,
    /// A statement whose mean call takes as long is never passed over, in milliseconds.
    pub slow_ms: f64,
    /// The most key columns.
    pub width_max: usize,
    /// As few rows per key need no further key column.
    pub rows_enough: f64,
    /// The least share of what is left that a further key column must remove.
    pub removes_min: f64,
    /// The greatest share of the table that a partial index may hold.
    pub partial_share_max: f64,
    /// An equality makes a partial index if its value is as many times rarer than an even share.
    pub exceptional: f64,
    /// Covering is tried if one call fetches more pages of the table.
    pub heap_pages_min: f64,
    /// ... and as large a share of the pages is visible to all.
    pub all_visible_min: f64,
    /// The greatest share of the rows that a covering index is proposed for.
    pub covering_share_max: f64,
    /// The widest column that a covering index carries, in bytes.
    pub covering_width_max: f64,
    /// How far a column must follow the order on disk for a block-range index.
    pub block_correlation_min: f64,
    /// ... in a table of as many rows.
    pub block_rows_min: f64,
    /// PostgreSQL: a condition that keeps a greater share is better served by a scan.
    pub kept_max_postgres: f64,
    /// SQLite: the same. It trusts an index more than it should.
    pub kept_max_sqlite: f64,
    /// If an existing index brings a call to as few rows, nothing more is proposed for it.
    pub bounded_rows: f64,
    /// If a limit stops a scan of the table after as many rows, it needs no index.
    pub limit_rows: f64,
    /// A table written so many times as often as it is read through the candidate gets none.
    pub writes_per_read_max: f64,
    /// The least age of counters from which an index is called unused, in seconds.
    pub unused_seconds_min: u64,
    /// Tables whose name begins so are the advisor's own.
    pub own_prefix: String,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            rows_small: 500.0,
            pages_small: 16,
            time_share_min: 0.005,
            slow_ms: 1_000.0,
            width_max: 4,
            rows_enough: 10.0,
            removes_min: 0.7,
            partial_share_max: 0.1,
            exceptional: 5.0,
            heap_pages_min: 100.0,
            all_visible_min: 0.8,
            covering_share_max: 0.5,
            covering_width_max: 64.0,
            block_correlation_min: 0.95,
            block_rows_min: 100_000.0,
            kept_max_postgres: 0.2,
            kept_max_sqlite: 0.15,
            bounded_rows: 200.0,
            limit_rows: 1_000.0,
            writes_per_read_max: 100.0,
            unused_seconds_min: 30 * 24 * 3600,
            own_prefix: "guildhall_insight_".to_owned(),
        }
    }
}

impl Limits {
    pub(crate) fn kept_max(&self, system: System) -> f64 {
        match system {
            System::Postgres => self.kept_max_postgres,
            System::Sqlite => self.kept_max_sqlite,
        }
    }
}
