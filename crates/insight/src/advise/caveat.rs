//! What weakens all advice of a run.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::evidence::Plain;
use super::parse::ParseSummary;
use crate::catalog::{Catalog, TableName};
use crate::workload::Workload;

/// The greatest share not understood of which nothing is said.
const NOT_UNDERSTOOD_MAX: f64 = 0.05;
/// Counters younger than a week say little.
const COUNTERS_SECONDS_MIN: u64 = 7 * 24 * 3600;
/// Fewer calls are an anecdote.
const CALLS_MIN: u64 = 50;

/// What weakens all advice of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Caveat {
    /// Statements that the parser did not understand.
    NotUnderstood {
        /// Their share of the statements: 0 to 1.
        share: f64,
    },
    /// Tables without statistics.
    NeverAnalysed {
        /// Their names.
        tables: Vec<TableName>,
    },
    /// The counters began lately.
    YoungCounters {
        /// How long ago.
        seconds: u64,
    },
    /// Few calls were seen.
    FewCalls {
        /// How many.
        calls: u64,
    },
}

impl fmt::Display for Caveat {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotUnderstood { share } => {
                write!(out, "{} % of the statements were not understood", Plain(share * 100.0))
            }
            Self::NeverAnalysed { tables } => {
                let names: Vec<String> = tables.iter().map(ToString::to_string).collect();
                write!(
                    out,
                    "never analysed, so that nothing is known of them: {}",
                    names.join(", ")
                )
            }
            Self::YoungCounters { seconds } => {
                write!(out, "the counters began {} hours ago", seconds / 3600)
            }
            Self::FewCalls { calls } => write!(out, "only {calls} calls were seen"),
        }
    }
}

/// The caveats of a run.
pub(super) fn caveats(
    catalog: &Catalog,
    workload: &Workload,
    parsed: &ParseSummary,
    never_analysed: Vec<TableName>,
) -> Vec<Caveat> {
    let share = parsed.share_not_understood();
    let statements = workload.statements.iter().map(|statement| statement.calls);
    let patterns = workload.patterns.iter().map(|pattern| pattern.calls);
    let calls = statements.chain(patterns).fold(0, u64::saturating_add);
    let young = catalog.counters_age_seconds.filter(|age| *age < COUNTERS_SECONDS_MIN);
    let mut found = Vec::new();
    if share > NOT_UNDERSTOOD_MAX {
        found.push(Caveat::NotUnderstood { share });
    }
    if !never_analysed.is_empty() {
        found.push(Caveat::NeverAnalysed { tables: never_analysed });
    }
    found.extend(young.map(|seconds| Caveat::YoungCounters { seconds }));
    if calls < CALLS_MIN {
        found.push(Caveat::FewCalls { calls });
    }
    found
}
