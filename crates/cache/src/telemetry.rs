//! What a program's own telemetry sees: spans always, metrics with the feature of that name. Names
//! and units follow OpenTelemetry, which has no convention for caches; the guide lists them.
//! Neither says keys: they may be somebody's data. A hit in memory makes neither; it is counted
//! anyway, and told with the rest when asked.

use tracing::Span;
use tracing::field::Empty;

use crate::load::How;

/// Around a read that is no hit in memory.
pub(crate) fn read_span(namespace: &'static str) -> Span {
    tracing::debug_span!("cache.get_or_load", cache.namespace = namespace, cache.outcome = Empty)
}

/// Around a loader.
pub(crate) fn load_span(namespace: &'static str) -> Span {
    tracing::debug_span!("cache.load", cache.namespace = namespace)
}

/// Around telling the shared level of a write.
pub(crate) fn write_span(namespace: &'static str, tags: usize) -> Span {
    tracing::debug_span!(
        "cache.invalidate",
        cache.namespace = namespace,
        cache.level = "shared",
        cache.tags = tags
    )
}

/// Completes the span of a read.
pub(crate) fn answered(how: How) {
    let outcome = match how {
        How::Loaded => "miss",
        How::Stored => "hit",
        How::Aged => "stale",
    };
    Span::current().record("cache.outcome", outcome);
}

#[cfg(not(feature = "metrics"))]
mod off {
    pub(crate) fn load_took(_namespace: &'static str, _ns: u64, _is_ok: bool) {}
    pub(crate) fn call_took(_ns: u64, _is_ok: bool) {}
}
#[cfg(not(feature = "metrics"))]
pub(crate) use off::{call_took, load_took};

#[cfg(feature = "metrics")]
pub(crate) use on::{Published, call_took, load_took};

#[cfg(feature = "metrics")]
pub use on::describe_metrics;

#[cfg(feature = "metrics")]
mod on {
    use std::collections::BTreeMap;
    use std::sync::{Mutex, PoisonError};

    use metrics::{Unit, counter, gauge, histogram};

    use crate::cache::Cache;
    use crate::stats::NamespaceStats;

    const REQUESTS: &str = "guildhall.cache.requests";
    const STALE: &str = "guildhall.cache.stale_hits";
    const LOADS: &str = "guildhall.cache.loads";
    const UNSTORED: &str = "guildhall.cache.unstored_loads";
    const EVICTIONS: &str = "guildhall.cache.evictions";
    const INVALIDATIONS: &str = "guildhall.cache.invalidations";
    const ERRORS: &str = "guildhall.cache.errors";
    const LOAD_DURATION: &str = "guildhall.cache.load.duration";
    const CALL_DURATION: &str = "guildhall.cache.shared.operation.duration";
    const ENTRIES: &str = "guildhall.cache.entry.count";
    const BYTES: &str = "guildhall.cache.entry.size";
    const QUARANTINED: &str = "guildhall.cache.quarantined_tag.count";
    const BREAKER: &str = "guildhall.cache.breaker.open";

    /// What was told of each namespace so far, and of the gauges.
    #[derive(Debug, Default)]
    pub(crate) struct Published(Mutex<Told>);

    #[derive(Debug, Default)]
    struct Told {
        namespaces: BTreeMap<&'static str, NamespaceStats>,
        quarantined: u64,
        refusing: bool,
    }

    /// Tells the recorder the unit and the meaning of every metric. Once, after it was installed.
    pub fn describe_metrics() {
        use metrics::{describe_counter, describe_gauge, describe_histogram};
        describe_counter!(REQUESTS, Unit::Count, "Reads that were answered, by outcome.");
        describe_counter!(STALE, Unit::Count, "Hits that gave an aged value.");
        describe_counter!(LOADS, Unit::Count, "Loaders run to their end, by outcome.");
        describe_counter!(UNSTORED, Unit::Count, "Values not stored for their tags, by reason.");
        describe_counter!(EVICTIONS, Unit::Count, "Entries dropped for want of room.");
        describe_counter!(INVALIDATIONS, Unit::Count, "Tags invalidated.");
        describe_counter!(ERRORS, Unit::Count, "Failed calls, and entries that are unreadable.");
        describe_histogram!(LOAD_DURATION, Unit::Seconds, "Duration of a loader.");
        describe_histogram!(CALL_DURATION, Unit::Seconds, "Duration of a call to the level.");
        describe_gauge!(ENTRIES, Unit::Count, "Entries in this process.");
        describe_gauge!(BYTES, Unit::Bytes, "Their estimated size.");
        describe_gauge!(QUARANTINED, Unit::Count, "Tags whose reads go to the loader.");
        describe_gauge!(BREAKER, Unit::Count, "Caches whose level refuses calls.");
    }

    fn seconds(ns: u64) -> f64 {
        ns as f64 / 1e9
    }

    fn outcome(is_ok: bool) -> &'static str {
        if is_ok { "ok" } else { "error" }
    }

    pub(crate) fn load_took(namespace: &'static str, ns: u64, is_ok: bool) {
        let labels = [("cache.namespace", namespace), ("cache.outcome", outcome(is_ok))];
        histogram!(LOAD_DURATION, &labels).record(seconds(ns));
    }

    pub(crate) fn call_took(ns: u64, is_ok: bool) {
        let labels = [("cache.level", "shared"), ("cache.outcome", outcome(is_ok))];
        histogram!(CALL_DURATION, &labels).record(seconds(ns));
    }

    impl Cache {
        /// Tells the recorder of the `metrics` facade what was counted since the last call, and
        /// how things are now: to be called at every export, every 10 s or so. Durations are told
        /// when they were measured. Several caches of a process add up.
        ///
        /// Walks the in-process level to size it. Without a recorder it does nothing else.
        pub fn publish_metrics(&self) {
            let now = self.stats();
            let mut told = self.inner.published.0.lock().unwrap_or_else(PoisonError::into_inner);
            for (namespace, now) in &now.namespaces {
                tell(namespace, told.namespaces.entry(namespace).or_default(), now);
            }
            for (namespace, before) in &mut told.namespaces {
                if !now.namespaces.contains_key(namespace) {
                    tell(namespace, before, &NamespaceStats::default());
                }
            }
            gauge!(QUARANTINED).increment(change(told.quarantined, now.quarantined_tags));
            told.quarantined = now.quarantined_tags;
            if let Some(refuses) = self.inner.shared.as_ref().and_then(|level| level.is_refusing())
            {
                let change = change(told.refusing.into(), refuses.into());
                gauge!(BREAKER, "cache.level" => "shared").increment(change);
                told.refusing = refuses;
            }
        }
    }

    fn change(before: u64, now: u64) -> f64 {
        now as f64 - before as f64
    }

    /// What came in since; after a reset everything did.
    fn since(before: u64, now: u64) -> u64 {
        now.checked_sub(before).unwrap_or(now)
    }

    fn tell(namespace: &'static str, before: &mut NamespaceStats, now: &NamespaceStats) {
        let added = |of: fn(&NamespaceStats) -> u64| since(of(before), of(now));
        let count = |name: &'static str, label: Option<(&'static str, &'static str)>, by: u64| {
            let labels = [Some(("cache.namespace", namespace)), label];
            let labels: Vec<_> = labels.into_iter().flatten().collect();
            counter!(name, &labels).increment(by);
        };
        count(REQUESTS, Some(("cache.outcome", "hit")), added(|stats| stats.hits));
        count(REQUESTS, Some(("cache.outcome", "miss")), added(|stats| stats.misses));
        count(STALE, None, added(|stats| stats.stale_served));
        let failed = added(|stats| stats.load_errors);
        count(LOADS, Some(("cache.outcome", "error")), failed);
        let loaded = added(|stats| stats.loads).saturating_sub(failed);
        count(LOADS, Some(("cache.outcome", "ok")), loaded);
        count(UNSTORED, Some(("cache.reason", "unsettled")), added(|stats| stats.unsettled));
        count(UNSTORED, Some(("cache.reason", "overtagged")), added(|stats| stats.overtagged));
        count(EVICTIONS, Some(("cache.level", "memory")), added(|stats| stats.evictions));
        count(INVALIDATIONS, None, added(|stats| stats.invalidations));
        count(ERRORS, Some(("cache.level", "shared")), added(|stats| stats.errors));
        let labels = [("cache.namespace", namespace), ("cache.level", "memory")];
        gauge!(ENTRIES, &labels).increment(change(before.entries, now.entries));
        gauge!(BYTES, &labels).increment(change(before.bytes, now.bytes));
        *before = now.clone();
    }
}
