//! What a snapshot holds.

use std::collections::BTreeMap;

use serde::Serialize;

use super::finding::Finding;
use super::sample::{BindVector, SentText, Skew, Window};
use super::slow::SlowCall;
use crate::fingerprint::{Fingerprint, StatementKind, System};

/// All that a profiler saw since it was made. Counters only grow: two snapshots make a difference.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Snapshot {
    /// When, in milliseconds since 1970.
    pub at_unix_ms: u64,
    /// Operations, the one that took longest in all first.
    pub operations: Vec<OperationReport>,
    /// Statements, the one that took longest in all first. What did not fit is `(other)`.
    pub statements: Vec<StatementReport>,
    /// The latest slow calls, the latest first.
    pub slow: Vec<SlowCall>,
    /// Findings, the most wasteful first.
    pub findings: Vec<Finding>,
    /// The profiler itself.
    pub own: OwnReport,
}

/// Percentiles, within 2 %, of what took 1 µs to 100 s.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Latency {
    /// Half took no longer.
    pub p50_ns: u64,
    /// 90 % took no longer.
    pub p90_ns: u64,
    /// 95 % took no longer.
    pub p95_ns: u64,
    /// 99 % took no longer.
    pub p99_ns: u64,
    /// The shortest, exactly.
    pub min_ns: u64,
    /// The longest, exactly.
    pub max_ns: u64,
}

/// All calls of one statement.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct StatementReport {
    /// Which.
    pub fingerprint: Fingerprint,
    /// Its normal text.
    pub text: String,
    /// What and where, in short.
    pub summary: String,
    /// What it does.
    pub kind: StatementKind,
    /// The database of its first call.
    pub system: System,
    /// How often it was called.
    pub calls: u64,
    /// What its calls took together.
    pub total_ns: u64,
    /// How its calls are distributed; `None` before the first one ended.
    pub latency: Option<Latency>,
    /// The mean time to the first response, of calls that give rows.
    pub first_response_mean_ns: Option<u64>,
    /// Rows given or changed.
    pub rows: u64,
    /// The most rows of one call.
    pub rows_max: u64,
    /// How long connections were waited for before its calls.
    pub pool_wait_ns: u64,
    /// Rows of its `VALUES`, of all calls.
    pub batch_rows: u64,
    /// The most rows of one `VALUES`.
    pub batch_max: u64,
    /// Calls whose reader went before the last row.
    pub stopped_early: u64,
    /// Calls that were dropped before the response came.
    pub cancelled: u64,
    /// Calls that were built and never polled: not among `calls`.
    pub never_polled: u64,
    /// Calls of a second or later attempt.
    pub retried: u64,
    /// Calls inside a transaction.
    pub in_transaction: u64,
    /// Slow calls.
    pub slow: u64,
    /// Failed calls by class.
    pub failed: BTreeMap<&'static str, u64>,
    /// The first operations that called it.
    pub operations: Vec<&'static str>,
    /// Sampled limits.
    pub windows: Vec<Window>,
    /// How unevenly the values of its binds are distributed, when binds are kept.
    pub skew: Vec<Skew>,
}

/// All runs of one operation, with what the operations in it did.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct OperationReport {
    /// Its label.
    pub label: &'static str,
    /// How often it ran.
    pub runs: u64,
    /// How often it was dropped before its end.
    pub dropped: u64,
    /// What its runs took together.
    pub total_ns: u64,
    /// How its runs are distributed.
    pub latency: Option<Latency>,
    /// Statements of all runs.
    pub statements: u64,
    /// The most statements of one run.
    pub statements_max: u64,
    /// Rows of all runs.
    pub rows: u64,
    /// What its calls took together: more than its runs, where calls overlap.
    pub database_ns: u64,
    /// How long connections were waited for.
    pub pool_wait_ns: u64,
    /// Failed calls.
    pub failed: u64,
    /// Cancelled calls.
    pub cancelled: u64,
    /// Attempts beyond the first.
    pub retries: u64,
    /// How often something was found in a run.
    pub findings: u64,
    /// Calls that were counted but not compared, because a run had too many different statements.
    pub unwatched: u64,
}

/// What the profiler knows of itself.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct OwnReport {
    /// What it took for a call, in the median of the latest measured: `None` before the first.
    pub overhead_median_ns: Option<u64>,
    /// How many were measured.
    pub overhead_samples: u64,
    /// Statements told apart.
    pub statements: usize,
    /// How many can be.
    pub statements_max: usize,
    /// Operations told apart.
    pub operations: usize,
    /// How many can be.
    pub operations_max: usize,
    /// Texts whose statement is remembered: bounded, whatever is sent.
    pub texts: usize,
    /// Texts that were read as tokens.
    pub texts_read: u64,
    /// Texts that could not be.
    pub not_understood: u64,
    /// Slow calls, those no longer kept included.
    pub slow: u64,
    /// Findings that did not fit.
    pub findings_lost: u64,
}

/// A statement with what is sampled of it, for those who are to work with its values, such as an
/// index advisor. Never part of a snapshot.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StatementSample {
    /// Which.
    pub fingerprint: Fingerprint,
    /// Which database.
    pub system: System,
    /// As it was first sent; `None` when it was too long to be kept.
    pub sent: Option<SentText>,
    /// How often it was called.
    pub calls: u64,
    /// What its calls took together.
    pub total_ns: u64,
    /// Rows given or changed.
    pub rows: u64,
    /// Sampled limits.
    pub windows: Vec<Window>,
    /// Binds of some calls, when binds are kept.
    pub binds: Vec<BindVector>,
    /// How unevenly the values of its binds are distributed, when binds are kept.
    pub skew: Vec<Skew>,
    /// The first operations that called it.
    pub operations: Vec<&'static str>,
}
