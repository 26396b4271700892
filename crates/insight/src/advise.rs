//! From a catalogue and a workload to indexes that might help, and to a reason for every one that
//! would not.
//!
//! Nothing here asks a database. What a candidate costs and saves is for others to find out; they are
//! handed [`Candidate`]s, and answer with [`Figure`]s that say where they come from.
//!
//! ```
//! use guildhall_insight::advise::{Limits, advise};
//! use guildhall_insight::catalog::{Catalog, Column, ColumnStats, Table, TableName};
//! use guildhall_insight::workload::Workload;
//!
//! let reader = Column::new("reader", "bigint").with_stats(ColumnStats::distinct(5_000.0));
//! let sent = Column::new("sent", "timestamptz").with_stats(ColumnStats::distinct(-1.0));
//! let letters = Table::new(TableName::bare("letters"), 1e6, 20_000, vec![reader, sent]);
//! let catalog = Catalog { tables: vec![letters], ..Catalog::default() };
//!
//! let workload =
//!     Workload::of(["select * from letters where reader = $1 order by sent desc limit 20"]);
//! let advice = advise(&catalog, &workload, &Limits::default());
//! let columns = advice.candidates[0].shape.leading_columns();
//! assert_eq!(columns, ["reader", "sent"]);
//! ```

pub(crate) mod asked;
mod candidate;
mod canon;
mod caveat;
mod collect;
mod ddl;
mod evidence;
mod hygiene;
mod limits;
mod parse;
mod recommendation;
mod refusal;
mod rewrite;
mod rules;
pub(crate) mod select;
pub(crate) mod shape;
mod tree;

#[cfg(test)]
mod tests;

pub use candidate::{Candidate, Need, OrSet, Rule, Service};
pub use caveat::Caveat;
pub use ddl::{DdlOptions, DdlRefused, create_index, drop_index, index_name};
pub use evidence::{Figure, Rung, Unit};
pub use hygiene::{Finding, Problem, Verdict, examine};
pub use limits::Limits;
pub use parse::ParseSummary;
pub use recommendation::{Helped, Recommendation, RecommendationId};
pub use refusal::{Refusal, Rejected};
pub use rewrite::Rewrite;
pub(crate) use rules::writes::columns_of;
pub use select::recommend_by_rule;

use serde::{Deserialize, Serialize};

use crate::catalog::{Catalog, TableName};
use crate::workload::Workload;

/// A statement that is better written otherwise.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Advised {
    /// Its place in the workload.
    pub statement: usize,
    /// The table it is about.
    pub table: TableName,
    /// What to write.
    pub rewrite: Rewrite,
}

/// All that the rules have to say.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Advice {
    /// Indexes that might help.
    pub candidates: Vec<Candidate>,
    /// Which of them need each other.
    pub sets: Vec<OrSet>,
    /// What was not proposed, each with its one reason.
    pub rejected: Vec<Rejected>,
    /// What to write otherwise.
    pub rewrites: Vec<Advised>,
    /// What is wrong with the indexes that are there.
    pub findings: Vec<Finding>,
    /// How much of the workload was understood.
    pub parsed: ParseSummary,
    /// What to know before believing any of it; a report opens with these.
    pub caveats: Vec<Caveat>,
}

/// Reads the workload against the catalogue.
#[must_use]
pub fn advise(catalog: &Catalog, workload: &Workload, limits: &Limits) -> Advice {
    collect::collect(catalog, workload, limits)
}
