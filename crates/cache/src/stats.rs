//! Statistics: what a caller reads.

use std::collections::BTreeMap;

use serde::Serialize;

/// Everything counted since the start or the last [`reset_stats`](crate::Cache::reset_stats).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CacheStats {
    /// All namespaces together. Percentiles are the worst of any namespace.
    pub total: NamespaceStats,
    /// By namespace: of the key for reads, of the tag's family for invalidations.
    pub namespaces: BTreeMap<&'static str, NamespaceStats>,
    /// Tags that are in quarantine now: their reads go to the loader.
    pub quarantined_tags: u64,
    /// The bus between processes.
    pub bus: BusStats,
    /// Whether so many tags were in quarantine that every read goes to the loader now.
    pub quarantined_all: bool,
    /// Whether every read goes to the loader until what was in the outbox at the start is relayed.
    pub draining: bool,
    /// Rows of the outbox that the relay of this process took care of, for whichever writer.
    pub relayed_rows: u64,
    /// Rounds of the relay that failed: rows stay until one succeeds.
    pub relay_failures: u64,
}

/// What went over the bus by which processes tell each other of their writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct BusStats {
    /// Messages sent, heartbeats included.
    pub sent: u64,
    /// Messages of other processes that arrived, heartbeats included.
    pub received: u64,
    /// Times that messages were lost and everything in this process was dropped.
    pub gaps: u64,
    /// Times that a subscription began.
    pub subscriptions: u64,
}

/// The counters of one namespace. `hits + misses` is the number of reads that were answered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct NamespaceStats {
    /// Reads answered by a stored value, negative ones included.
    pub hits: u64,
    /// Reads answered otherwise, waiters of somebody else's load included.
    pub misses: u64,
    /// Hits that said "absent" or "empty".
    pub negative_hits: u64,
    /// Hits that gave an aged value.
    pub stale_served: u64,
    /// Loaders run to their end.
    pub loads: u64,
    /// Of these, the ones that failed.
    pub load_errors: u64,
    /// Loads that failed when nobody waited for them any more.
    pub background_failures: u64,
    /// Reads that waited for a load of another caller.
    pub coalesced_waits: u64,
    /// Values stored.
    pub sets: u64,
    /// Tags invalidated.
    pub invalidations: u64,
    /// Entries the in-process level dropped for want of room, or refused as too heavy.
    pub evictions: u64,
    /// Failed calls to the shared level, and stored bytes that could not be read.
    pub errors: u64,
    /// Hits that were compared with what the loader said.
    pub audits: u64,
    /// Of these, the ones that differed although nothing had been invalidated meanwhile.
    pub audit_stale: u64,
    /// Loaded values that were not stored, for their loader named a tag that nobody knew of
    /// before. The next load of the entry knows it.
    pub unsettled: u64,
    /// Loaded values that were not stored, for their loader named more than
    /// [`Loaded::TAGS_MAX`](crate::Loaded::TAGS_MAX) tags.
    pub overtagged: u64,
    /// Entries in the in-process level now.
    pub entries: u64,
    /// Their estimated size in bytes.
    pub bytes: u64,
    /// Duration of a hit in nanoseconds, from a sample of one in 64.
    pub hit_ns: Percentiles,
    /// Duration of a load in nanoseconds.
    pub load_ns: Percentiles,
}

/// Percentiles; zero when nothing was measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Percentiles {
    /// Half of them are at most this.
    pub p50: u64,
    /// 95 of 100 are at most this.
    pub p95: u64,
    /// 99 of 100 are at most this.
    pub p99: u64,
}

impl NamespaceStats {
    /// Reads that were answered.
    #[must_use]
    pub fn reads(&self) -> u64 {
        self.hits + self.misses
    }

    /// Hits per 10 000 reads; 0 before the first read.
    #[must_use]
    pub fn hit_rate_bp(&self) -> u64 {
        self.hits.saturating_mul(10_000).checked_div(self.reads()).unwrap_or(0)
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.hits += other.hits;
        self.misses += other.misses;
        self.negative_hits += other.negative_hits;
        self.loads += other.loads;
        self.load_errors += other.load_errors;
        self.coalesced_waits += other.coalesced_waits;
        self.sets += other.sets;
        self.invalidations += other.invalidations;
        self.evictions += other.evictions;
        self.errors += other.errors;
        self.stale_served += other.stale_served;
        self.background_failures += other.background_failures;
        self.audits += other.audits;
        self.audit_stale += other.audit_stale;
        self.unsettled += other.unsettled;
        self.overtagged += other.overtagged;
        self.entries += other.entries;
        self.bytes += other.bytes;
        self.hit_ns.worst(&other.hit_ns);
        self.load_ns.worst(&other.load_ns);
    }
}

impl Percentiles {
    fn worst(&mut self, other: &Self) {
        self.p50 = self.p50.max(other.p50);
        self.p95 = self.p95.max(other.p95);
        self.p99 = self.p99.max(other.p99);
    }
}
