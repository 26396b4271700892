//! Why no index is proposed: one reason each.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::candidate::Service;
use super::evidence::Plain;
use crate::catalog::{IndexShape, TableName};

/// The one reason.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Refusal {
    /// The catalogue has no such table.
    UnknownTable,
    /// Of the database itself.
    SystemTable,
    /// The advisor's own, or a tool's, such as one of migrations.
    OwnTable,
    /// Gone with the session.
    TemporaryTable,
    /// Elsewhere: no index can be made here.
    ForeignTable,
    /// There are no statistics: run `ANALYZE` first.
    NeverAnalysed,
    /// A scan of it costs nothing.
    SmallTable {
        /// Its rows.
        rows: f64,
        /// Its pages.
        pages: u64,
    },
    /// Too small a part of all time, and not slow.
    Negligible {
        /// Its share of all time: 0 to 1.
        share: f64,
    },
    /// Nothing narrows it: all rows are read.
    WholeTable,
    /// All rows are sorted: a sort is cheaper than to fetch each through an index.
    WholeSort,
    /// All rows of the tables joined are wanted: they are hashed, not looked up.
    WholeJoin,
    /// Too large a part of the table is wanted.
    Unselective {
        /// The share of the rows: 0 to 1.
        kept: f64,
        /// The greatest share that an index is proposed for.
        limit: f64,
    },
    /// The limit is reached after a few rows whatever the order.
    LimitStops {
        /// Rows read until then.
        rows: f64,
    },
    /// Conditions by which nothing can be looked up: inequality, negation, hidden columns.
    NotIndexable,
    /// An existing index serves it.
    Covered {
        /// Its name.
        index: String,
    },
    /// Every branch of the `OR` has its index.
    BranchesCovered,
    /// A unique index finds the one row.
    PointLookup {
        /// Its name; of a SQLite row id, the column.
        index: String,
    },
    /// An existing index leaves so few rows that another gains nothing.
    Bounded {
        /// Its name.
        index: String,
        /// Rows left.
        rows: f64,
    },
    /// One branch of an `OR` would still read the table.
    OrBranch {
        /// The branch, first at 0.
        branch: usize,
        /// Why it has no index.
        why: Box<Refusal>,
    },
    /// The extension is not installed.
    ExtensionMissing {
        /// Its name.
        name: String,
    },
    /// A pattern with fewer than three known characters in a row.
    PatternTooShort,
    /// A bound pattern of which no sample tells how it begins.
    PatternUnknown,
    /// SQLite has no index for a text within a text.
    NoTextIndex,
    /// A partial index would help, but the value is bound: the plan cannot prove that it applies.
    BoundPredicate {
        /// The column compared.
        column: String,
    },
    /// SQLite sorts nulls in one place only.
    NullsOrder,
    /// A covering index would have to fetch most rows all the same: too few pages are all visible.
    NotVacuumed {
        /// The share of pages that are.
        all_visible: f64,
    },
    /// A longer candidate serves the same.
    Absorbed {
        /// What it is.
        by: Box<IndexShape>,
    },
    /// The table is written far more often than the index would be read.
    WriteHeavy {
        /// Rows written, and index entries with them, in the span of the workload.
        writes: f64,
        /// Calls served in the same span.
        reads: f64,
        /// Updates that today touch no index at all and then would; with the share they are of
        /// all updates. `None` if the key is never set.
        hot_lost: Option<f64>,
    },
    /// No delete or renumbering of the parent was seen.
    ParentNeverLeaves,
    /// A declared pattern names a column that the table does not have.
    UnknownColumn {
        /// Its name.
        column: String,
    },
}

impl fmt::Display for Refusal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = |share: &f64| Plain(share * 100.0);
        match self {
            Self::UnknownTable => write!(out, "the catalogue has no such table"),
            Self::SystemTable => write!(out, "it is a table of the database itself"),
            Self::OwnTable => write!(out, "it is a table of a tool"),
            Self::TemporaryTable => write!(out, "it is a temporary table"),
            Self::ForeignTable => write!(out, "it is a foreign table"),
            Self::NeverAnalysed => write!(out, "it was never analysed: run ANALYZE first"),
            Self::SmallTable { rows, pages } => {
                write!(out, "the table is small: {} rows on {pages} pages", Plain(*rows))
            }
            Self::Negligible { share } => {
                write!(out, "it takes {} % of all time and is not slow", percent(share))
            }
            Self::WholeTable => write!(out, "nothing narrows it: every row is read"),
            Self::WholeSort => write!(out, "every row is sorted and returned"),
            Self::WholeJoin => write!(out, "every row is joined: nothing narrows either side"),
            Self::Unselective { kept, limit } => write!(
                out,
                "the condition keeps {} % of the rows; above {} % a scan is cheaper",
                percent(kept),
                percent(limit)
            ),
            Self::LimitStops { rows } => {
                write!(out, "the limit stops the scan after about {} rows", Plain(*rows))
            }
            Self::NotIndexable => write!(out, "no condition can be looked up"),
            Self::Covered { index } => write!(out, "{index} serves it"),
            Self::BranchesCovered => write!(out, "every branch of the OR has its index"),
            Self::PointLookup { index } => write!(out, "{index} finds the one row"),
            Self::Bounded { index, rows } => {
                write!(out, "{index} leaves about {} rows already", Plain(*rows))
            }
            Self::OrBranch { branch, why } => {
                write!(
                    out,
                    "branch {} of the OR has no index, and then none helps: {why}",
                    branch + 1
                )
            }
            Self::ExtensionMissing { name } => write!(out, "the extension {name} is not installed"),
            Self::PatternTooShort => {
                write!(out, "the pattern has fewer than three known characters in a row")
            }
            Self::PatternUnknown => write!(out, "how the bound pattern begins is not known"),
            Self::NoTextIndex => write!(out, "no index finds a text within a text"),
            Self::BoundPredicate { column } => write!(
                out,
                "{column} is compared with a bound value: no plan can prove that a partial index applies"
            ),
            Self::NullsOrder => write!(out, "SQLite keeps nulls first in ascending order only"),
            Self::NotVacuumed { all_visible } => write!(
                out,
                "only {} % of the pages are visible to all: vacuum before covering",
                percent(all_visible)
            ),
            Self::Absorbed { by } => write!(out, "{by} serves the same"),
            Self::WriteHeavy { writes, reads, hot_lost } => {
                write!(out, "{} writes for {} reads through it", Plain(*writes), Plain(*reads))?;
                match hot_lost {
                    Some(lost) => write!(
                        out,
                        "; the key is updated, which would end the {} updates that now touch no \
                         index (HOT) and write an entry and its log for each",
                        Plain(*lost)
                    ),
                    None => Ok(()),
                }
            }
            Self::ParentNeverLeaves => write!(out, "no parent row was seen to be deleted"),
            Self::UnknownColumn { column } => write!(out, "the table has no column {column}"),
        }
    }
}

/// Something that was not proposed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rejected {
    /// The table.
    pub table: TableName,
    /// The index it was about, if it had come to one.
    pub shape: Option<IndexShape>,
    /// The access it was about; `None`: a foreign key, or a table as such.
    pub access: Option<Service>,
    /// Why not.
    pub why: Refusal,
}
