//! All metrics of a data layer in one list: their names in OpenTelemetry and Prometheus, kinds,
//! labels and meanings. The profiler emits its own under the names here (feature `metrics`); who
//! owns the others takes the names from here too, and [`dashboard`](super::dashboard) draws all.

/// How a metric behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// A distribution.
    Histogram,
}

/// In what it is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Seconds.
    Seconds,
    /// Things.
    Count,
}

/// Who emits it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The profiler of this crate.
    Profiler,
    /// Whoever owns the connection pool.
    Pool,
    /// A cache.
    Cache,
    /// Bulk writes.
    Bulk,
    /// The index advisor.
    Advisor,
    /// Health checks.
    Health,
}

/// A metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metric {
    /// Its name in OpenTelemetry.
    pub otel: &'static str,
    /// Its name in Prometheus, unit and `_total` included; under this it is emitted.
    pub prometheus: &'static str,
    /// How it behaves.
    pub kind: Kind,
    /// In what it is counted.
    pub unit: Unit,
    /// Its labels as Prometheus writes them. All have few values.
    pub labels: &'static [&'static str],
    /// Who emits it.
    pub source: Source,
    /// What it is.
    pub help: &'static str,
}

/// The buckets that OpenTelemetry's conventions give for durations of database calls, in seconds.
pub const DURATION_BUCKETS: [f64; 9] = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0];

/// Labels of a statement.
pub(crate) const STATEMENT_LABELS: &[&str] = &[
    "db_system_name",
    "db_operation_name",
    "db_collection_name",
    "db_query_summary",
    "error_type",
];

/// The label of an operation.
pub(crate) const OPERATION_LABEL: &str = "operation";

const fn metric(
    names: (&'static str, &'static str),
    kind: Kind,
    unit: Unit,
    labels: &'static [&'static str],
    source: Source,
    help: &'static str,
) -> Metric {
    Metric { otel: names.0, prometheus: names.1, kind, unit, labels, source, help }
}

macro_rules! metrics {
    ($($(#[$doc:meta])* $constant:ident = ($otel:literal, $prometheus:literal), $kind:ident, $unit:ident, $labels:expr, $source:ident, $help:literal;)*) => {
        $(
            #[doc = $help]
            pub const $constant: Metric = metric(
                ($otel, $prometheus), Kind::$kind, Unit::$unit, $labels, Source::$source, $help,
            );
        )*

        /// All of them.
        pub const METRICS: &[Metric] = &[$($constant),*];
    };
}

metrics! {
    CALL_DURATION = ("db.client.operation.duration", "db_client_operation_duration_seconds"),
        Histogram, Seconds, STATEMENT_LABELS, Profiler, "How long calls of the database took.";
    RETURNED_ROWS = ("db.client.response.returned_rows", "db_client_response_returned_rows"),
        Histogram, Count, &["db_system_name", "db_query_summary"], Profiler, "Rows that calls gave or changed.";
    CONNECTIONS = ("db.client.connection.count", "db_client_connection_count"),
        Gauge, Count, &["db_client_connection_pool_name", "db_client_connection_state"], Pool, "Connections, idle and used.";
    CONNECTIONS_MAX = ("db.client.connection.max", "db_client_connection_max"),
        Gauge, Count, &["db_client_connection_pool_name"], Pool, "How many connections a pool may open.";
    CONNECTIONS_PENDING = ("db.client.connection.pending_requests", "db_client_connection_pending_requests"),
        Gauge, Count, &["db_client_connection_pool_name"], Pool, "Who waits for a connection.";
    CONNECTION_WAIT = ("db.client.connection.wait_time", "db_client_connection_wait_time_seconds"),
        Histogram, Seconds, &["db_client_connection_pool_name"], Pool, "How long a connection was waited for.";
    CONNECTION_USE = ("db.client.connection.use_time", "db_client_connection_use_time_seconds"),
        Histogram, Seconds, &["db_client_connection_pool_name"], Pool, "How long a connection was held.";
    CONNECTION_CREATE = ("db.client.connection.create_time", "db_client_connection_create_time_seconds"),
        Histogram, Seconds, &["db_client_connection_pool_name"], Pool, "How long opening a connection took.";
    CONNECTION_TIMEOUTS = ("db.client.connection.timeouts", "db_client_connection_timeouts_total"),
        Counter, Count, &["db_client_connection_pool_name"], Pool, "Waits for a connection that were given up.";
    OPERATION_DURATION = ("datalayer.operation.duration", "datalayer_operation_duration_seconds"),
        Histogram, Seconds, &[OPERATION_LABEL], Profiler, "How long operations took.";
    OPERATION_QUERIES = ("datalayer.operation.queries", "datalayer_operation_queries"),
        Histogram, Count, &[OPERATION_LABEL], Profiler, "Statements of an operation.";
    OPERATION_ROWS = ("datalayer.operation.rows", "datalayer_operation_rows"),
        Histogram, Count, &[OPERATION_LABEL], Profiler, "Rows of an operation.";
    CANCELLED = ("datalayer.query.cancelled", "datalayer_query_cancelled_total"),
        Counter, Count, &["db_system_name", "db_query_summary"], Profiler, "Calls dropped before their response.";
    RETRIES = ("datalayer.query.retries", "datalayer_query_retries_total"),
        Counter, Count, &[OPERATION_LABEL], Profiler, "Attempts of operations beyond the first.";
    FINDINGS = ("datalayer.query.n_plus_one", "datalayer_query_n_plus_one_total"),
        Counter, Count, &[OPERATION_LABEL, "kind"], Profiler, "Operations with an N+1 or one of its relatives.";
    FIRST_RESPONSE = ("datalayer.query.first_response", "datalayer_query_first_response_seconds"),
        Histogram, Seconds, &["db_system_name", "db_query_summary"], Profiler, "How long calls waited for their first response.";
    CACHE_REQUESTS = ("datalayer.cache.requests", "datalayer_cache_requests_total"),
        Counter, Count, &["result"], Cache, "Reads of a cache: hit, miss, stale, coalesced.";
    CACHE_ENTRY_AGE = ("datalayer.cache.entry.age", "datalayer_cache_entry_age_seconds"),
        Histogram, Seconds, &[], Cache, "How old what a cache answered was.";
    BULK_ROWS = ("datalayer.bulk.rows", "datalayer_bulk_rows_total"),
        Counter, Count, &[OPERATION_LABEL], Bulk, "Rows written in bulk.";
    BULK_BATCH = ("datalayer.bulk.batch.size", "datalayer_bulk_batch_size"),
        Histogram, Count, &[OPERATION_LABEL], Bulk, "Rows of a bulk statement.";
    BULK_CONFLICTS = ("datalayer.bulk.conflicts", "datalayer_bulk_conflicts_total"),
        Counter, Count, &[OPERATION_LABEL], Bulk, "Rows that were there already.";
    RECOMMENDATIONS = ("datalayer.advisor.recommendations", "datalayer_advisor_recommendations"),
        Gauge, Count, &["evidence", "status"], Advisor, "Recommended indexes.";
    SAVED_ESTIMATE = ("datalayer.advisor.saved_seconds_estimate", "datalayer_advisor_saved_seconds_estimate"),
        Gauge, Seconds, &["evidence"], Advisor, "What recommended indexes would save at most, a day.";
    SAVED_MEASURED = ("datalayer.advisor.saved_seconds_measured", "datalayer_advisor_saved_seconds_measured"),
        Gauge, Seconds, &[], Advisor, "What adopted indexes were seen to save, a day.";
    UNPARSED = ("datalayer.advisor.unparsed", "datalayer_advisor_unparsed_total"),
        Counter, Count, &[], Advisor, "Statements that were not understood.";
    OVERHEAD = ("datalayer.profiler.overhead", "datalayer_profiler_overhead_seconds"),
        Gauge, Seconds, &[], Profiler, "What the profiler itself takes for a call.";
    FINGERPRINTS = ("datalayer.profiler.fingerprints", "datalayer_profiler_fingerprints"),
        Gauge, Count, &[], Profiler, "Statements told apart.";
    HEALTH_STATUS = ("health.check.status", "datalayer_health_status"),
        Gauge, Count, &["component"], Health, "1 for healthy, 0.5 for degraded, 0 for neither.";
    HEALTH_DURATION = ("health.check.duration", "datalayer_health_duration_seconds"),
        Histogram, Seconds, &["component"], Health, "How long a health check took.";
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_are_unique_and_follow_their_kind() {
        let mut seen = HashSet::new();
        for metric in METRICS {
            assert!(seen.insert(metric.otel) && seen.insert(metric.prometheus), "{metric:?}");
            assert!(metric.prometheus.chars().all(|c| c.is_ascii_lowercase() || c == '_'));
            assert_eq!(metric.prometheus.ends_with("_total"), metric.kind == Kind::Counter);
            if metric.kind == Kind::Histogram {
                let seconds = metric.unit == Unit::Seconds;
                assert_eq!(metric.prometheus.ends_with("_seconds"), seconds, "{metric:?}");
            }
        }
    }
}
