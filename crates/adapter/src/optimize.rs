//! Housekeeping on request: measured facts, and what was done.

mod indexes;

use std::time::{Duration, Instant};

use guildhall_insight::Report;
use guildhall_insight::profile::{SlowCall, StatementReport};
use serde::Serialize;

pub(crate) use indexes::Built;
pub use indexes::{IndexOutcome, IndexResult, IndexVerdict, Verdict};

use crate::performance::{FOREIGN, OFF};
use crate::{Fact, Guildhall};

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OptimizeOptions {
    /// Whether the indexes that are recommended are built. Default no. On PostgreSQL they are built
    /// concurrently, one at a time, and only if the server has room for it; on SQLite writers wait.
    pub auto_create_indexes: bool,
    /// How often a statement has to have been called to be advised on. Default 100.
    pub min_frequency: u64,
    /// How many slow statements and slow calls are told of. Default 20.
    pub slow_max: usize,
    /// Whether the database looks at its tables again (`ANALYZE`). Default yes.
    pub refresh_statistics: bool,
}

impl Default for OptimizeOptions {
    fn default() -> Self {
        Self {
            auto_create_indexes: false,
            min_frequency: 100,
            slow_max: 20,
            refresh_statistics: true,
        }
    }
}

/// What was found and done. Nothing here is a promise: a figure was measured, or is the advisor's and
/// says so.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct OptimizeReport {
    /// Entries of the cache that had expired and were freed.
    pub expired_swept: Fact<u64>,
    /// The share of all reads that the cache answered, since the start.
    pub hit_rate: Fact<f64>,
    /// The same by namespace, of those that were read.
    pub hit_rates: Vec<(&'static str, f64)>,
    /// Statements with slow calls, the one with most of them first.
    pub slow_statements: Fact<Vec<StatementReport>>,
    /// The latest slow calls.
    pub slow_calls: Fact<Vec<SlowCall>>,
    /// Index advice.
    pub recommendations: Fact<Report>,
    /// What became of the indexes that were to be built now.
    pub indexes: Fact<Vec<IndexResult>>,
    /// What came of the indexes that earlier runs of this process built: calls before against calls
    /// after.
    pub verdicts: Vec<IndexVerdict>,
    /// Tables that the database looked at again, and how long that took.
    pub statistics: Fact<Refreshed>,
}

/// Statistics that were refreshed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Refreshed {
    /// How many tables.
    pub tables: u64,
    /// How long it took.
    pub took: Duration,
}

impl Guildhall {
    /// Frees what has expired in the cache, refreshes the database's statistics, and says what the
    /// profiler and the index advisor know; builds what they recommend only when asked to. A part
    /// that fails says why and stops no other.
    pub async fn optimize_system(&self, options: OptimizeOptions) -> OptimizeReport {
        let swept = self.cache().sweep();
        let stats = self.cache_stats();
        let hit_rates = stats.namespaces.iter().filter(|(_, counted)| counted.reads() > 0);
        let hit_rates = hit_rates
            .map(|(name, counted)| (*name, counted.hits as f64 / counted.reads() as f64))
            .collect();
        // Before anything is built, so that the windows of what is built now are whole.
        let verdicts = self.verdicts();
        // The advisor reads statistics: fresh ones first.
        let statistics = self.refreshed(options.refresh_statistics).await;
        let advised = self.recommendations(options.min_frequency).await;
        let indexes = match &advised {
            _ if !options.auto_create_indexes => {
                Fact::unknown("nobody asked for it (auto_create_indexes)")
            }
            Err(_) => Fact::unknown("there is no advice"),
            Ok(report) => match self.build_indexes(report).await {
                Ok(built) => Fact::known(built),
                Err(why) => Fact::unknown(why),
            },
        };
        let seen = self.profiler().snapshot();
        let (slow_statements, slow_calls) = match seen {
            None => (Fact::unknown(OFF), Fact::unknown(OFF)),
            Some(mut seen) => {
                seen.statements.retain(|statement| statement.slow > 0);
                seen.statements.sort_by_key(|statement| std::cmp::Reverse(statement.slow));
                seen.statements.truncate(options.slow_max);
                seen.slow.truncate(options.slow_max);
                (Fact::known(seen.statements), Fact::known(seen.slow))
            }
        };
        OptimizeReport {
            expired_swept: Fact::of(
                swept,
                "this process keeps no entries; a shared cache frees its own",
            ),
            hit_rate: self.hit_rate(&stats),
            hit_rates,
            slow_statements,
            slow_calls,
            recommendations: advised.map_or_else(|error| Fact::unknown(told(&error)), Fact::known),
            indexes,
            verdicts,
            statistics,
        }
    }

    async fn refreshed(&self, wanted: bool) -> Fact<Refreshed> {
        let Some(store) = &self.0.store else { return Fact::unknown(FOREIGN) };
        if !wanted {
            return Fact::unknown("nobody asked for it (refresh_statistics)");
        }
        let begun = Instant::now();
        match store.refresh_statistics().await {
            Ok(tables) => Fact::known(Refreshed { tables, took: begun.elapsed() }),
            Err(error) => Fact::unknown(told(&error)),
        }
    }
}

/// An error and its causes in one line.
fn told(error: &dyn std::error::Error) -> String {
    crate::health::chain(error)
}
