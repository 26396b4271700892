//! Advice where no index helps, but another way to write the statement would.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What to write instead.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Rewrite {
    /// A function takes the calendar apart: compare the column with two bounds instead.
    HalfOpenRange {
        /// The column.
        column: String,
        /// The expression around it.
        wrapped: String,
    },
    /// The comparison casts the column to the value's type: cast the value instead.
    CastTheValue {
        /// The column.
        column: String,
        /// The column's own type.
        to: String,
    },
    /// Arithmetic on the column: do it on the value instead.
    MoveArithmetic {
        /// The column.
        column: String,
        /// The expression around it.
        wrapped: String,
    },
    /// `value = ANY (column)` cannot use an index; `column @> ARRAY[value]` can.
    ArrayContains {
        /// The array column.
        column: String,
    },
    /// A deep offset reads and throws away: page by the last key seen.
    KeysetPaging {
        /// Rows passed over.
        offset: u64,
    },
    /// A page condition spelled with `OR`: compare rows, `(a, b) < ($1, $2)`.
    RowComparison {
        /// The columns, in order.
        columns: Vec<String>,
    },
    /// A bound value that never changes: as a literal it lets a partial index be used.
    MakeLiteral {
        /// The column it is compared with.
        column: String,
    },
    /// A pattern without a beginning needs an extension.
    InstallExtension {
        /// Its name.
        name: String,
        /// The column searched.
        column: String,
    },
    /// Words within a text on SQLite: keep a full-text table.
    FullTextSearch {
        /// The column searched.
        column: String,
    },
    /// Columns that may depend on each other: let the database keep statistics on them together.
    CreateStatistics {
        /// The columns, ascending.
        columns: Vec<String>,
    },
    /// The expression depends on settings or worse, so that no index may hold it.
    NotImmutable {
        /// The expression.
        wrapped: String,
    },
    /// `NOT IN (SELECT ...)` cannot be turned into a join: `NOT EXISTS` can.
    NotExists,
}

impl fmt::Display for Rewrite {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HalfOpenRange { column, wrapped } => write!(
                out,
                "{wrapped} hides {column} from every index: write {column} >= start AND {column} < end"
            ),
            Self::CastTheValue { column, to } => write!(
                out,
                "the comparison casts {column}, so that its index cannot be used: cast the value to {to}"
            ),
            Self::MoveArithmetic { column, wrapped } => {
                write!(out, "{wrapped} hides {column} from its index: calculate on the other side")
            }
            Self::ArrayContains { column } => write!(
                out,
                "value = ANY ({column}) cannot use an index: write {column} @> ARRAY[value]"
            ),
            Self::KeysetPaging { offset } => write!(
                out,
                "OFFSET {offset} reads as many rows to throw them away: page by the last key seen"
            ),
            Self::RowComparison { columns } => write!(
                out,
                "write the page's condition as one comparison of rows: ({}) < (...)",
                columns.join(", ")
            ),
            Self::MakeLiteral { column } => write!(
                out,
                "if {column} is always compared with the same value, write it as a literal: a much \
                 smaller partial index can then be used"
            ),
            Self::InstallExtension { name, column } => {
                write!(out, "searching within {column} needs the extension {name}")
            }
            Self::FullTextSearch { column } => write!(
                out,
                "searching within {column} reads every row: a full-text table (FTS5) would not"
            ),
            Self::CreateStatistics { columns } => write!(
                out,
                "{} may depend on each other: CREATE STATISTICS (ndistinct, dependencies) on them, \
                 then ANALYZE",
                columns.join(" and ")
            ),
            Self::NotImmutable { wrapped } => write!(
                out,
                "{wrapped} depends on more than its arguments, so that no index may hold it: compare \
                 the bare column"
            ),
            Self::NotExists => write!(out, "write NOT EXISTS instead of NOT IN (SELECT ...)"),
        }
    }
}
