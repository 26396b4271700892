//! What was measured while the application ran.

use guildhall_cache::CacheStats;
use guildhall_insight::Profiler;
use guildhall_insight::profile::Snapshot;
use serde::Serialize;

use crate::{CacheKind, Fact, Guildhall, PoolUse};

/// Why nothing is known of statements.
pub(crate) const OFF: &str = "the profiler is off (profiler.enabled)";
/// Why nothing is known of a pool, a catalogue or statistics.
pub(crate) const FOREIGN: &str = "the storage is one of the caller's own";

/// What was measured since the start. No bind value and no literal is in it.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct PerformanceReport {
    /// Operations and statements, the costliest first, slow calls, findings.
    pub profile: Fact<Snapshot>,
    /// What the cache counted.
    pub cache: CacheStats,
    /// The share of all reads that the cache answered.
    pub hit_rate: Fact<f64>,
    /// The pool of connections, now.
    pub pool: Fact<PoolUse>,
}

impl Guildhall {
    /// Who records what the storage does: on unless `profiler.enabled` says otherwise. What an
    /// application does for one command belongs into `profiler().operation("command", ..)`: its
    /// statements are then counted and looked at together.
    #[must_use]
    pub fn profiler(&self) -> &Profiler {
        &self.0.profiler
    }

    /// What was measured since the start, with at most `limit` operations, statements, slow calls
    /// and findings.
    #[must_use]
    pub fn performance_report(&self, limit: usize) -> PerformanceReport {
        let mut seen = self.0.profiler.snapshot();
        if let Some(seen) = &mut seen {
            seen.operations.truncate(limit);
            seen.statements.truncate(limit);
            seen.slow.truncate(limit);
            seen.findings.truncate(limit);
        }
        let cache = self.cache_stats();
        PerformanceReport {
            profile: Fact::of(seen, OFF),
            hit_rate: self.hit_rate(&cache),
            cache,
            pool: Fact::of(self.0.store.as_ref().map(crate::store::Store::pool), FOREIGN),
        }
    }

    pub(crate) fn hit_rate(&self, stats: &CacheStats) -> Fact<f64> {
        if self.0.config.settings().cache_kind() == CacheKind::Disabled && stats.total.reads() == 0
        {
            return Fact::unknown("nothing is cached (cache.backend)");
        }
        match stats.total.reads() {
            0 => Fact::unknown("nothing was read yet"),
            reads => Fact::known(stats.total.hits as f64 / reads as f64),
        }
    }
}
