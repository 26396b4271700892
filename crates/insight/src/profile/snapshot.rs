//! What was seen, at one moment: plain values, without any bind or literal.

use std::sync::atomic::Ordering::Relaxed;

use super::Profiler;
use super::core::Core;
use super::entry::Entry;
use super::finding::{Finding, Kept, Key};
use super::histogram::Histogram;
use super::operation::OperationEntry;
use super::report::{
    Latency, OperationReport, OwnReport, Snapshot, StatementReport, StatementSample,
};
use crate::fingerprint::Fingerprint;
use crate::validate::{Latencies, LatenciesByStatement};

impl Latency {
    fn of(histogram: &Histogram) -> Option<Self> {
        let [p50_ns, p90_ns, p95_ns, p99_ns] = histogram.percentiles([0.5, 0.9, 0.95, 0.99])?;
        let (min_ns, max_ns) = (histogram.shortest()?, histogram.longest());
        Some(Self { p50_ns, p90_ns, p95_ns, p99_ns, min_ns, max_ns })
    }
}

impl Profiler {
    /// What was seen so far; `None` from a profiler that is off.
    pub fn snapshot(&self) -> Option<Snapshot> {
        let core = self.core()?;
        let mut statements: Vec<StatementReport> =
            core.registry.entries().map(|entry| statement(core, entry)).collect();
        statements.retain(|report| report.calls > 0 || report.never_polled > 0);
        statements.sort_by_key(|report| std::cmp::Reverse(report.total_ns));
        let mut operations: Vec<OperationReport> =
            core.operations.entries().map(operation).collect();
        operations.retain(|report| report.runs > 0);
        operations.sort_by_key(|report| std::cmp::Reverse(report.total_ns));
        let kept = core.findings.all();
        let mut findings: Vec<Finding> =
            kept.iter().filter_map(|(key, kept)| finding(core, key, kept)).collect();
        findings.sort_by_key(|found| (std::cmp::Reverse(found.wasted_ns_sum), found.fingerprint));
        Some(Snapshot {
            at_unix_ms: core.unix_ms(),
            operations,
            statements,
            slow: core.slow.calls(),
            findings,
            own: own(core),
        })
    }

    /// Latencies of every statement, by its fingerprint: what a change is measured by. See
    /// [`Baseline`](crate::validate::Baseline).
    pub fn latencies(&self) -> LatenciesByStatement {
        let Some(core) = self.core() else { return LatenciesByStatement::new() };
        let entries = core.registry.entries().skip(1);
        entries
            .map(|entry| {
                let buckets = entry.total.counts().map(|(ns, calls)| (ns as f64 / 1e6, calls));
                (entry.normal.fingerprint.0, Latencies { buckets: buckets.collect() })
            })
            .collect()
    }

    /// How long the calls of a statement took so far, to be compared with how long they take later;
    /// nothing of a statement that was not seen.
    pub fn latencies_of(&self, fingerprint: Fingerprint) -> Latencies {
        let entries = self.core().into_iter().flat_map(|core| core.registry.entries());
        let entry = entries.into_iter().find(|entry| entry.normal.fingerprint == fingerprint);
        let counts = entry.into_iter().flat_map(|entry| entry.total.counts());
        Latencies { buckets: counts.map(|(ns, calls)| (ns as f64 / 1e6, calls)).collect() }
    }

    /// The statements with what is sampled of them. Empty from a profiler that is off.
    pub fn samples(&self) -> Vec<StatementSample> {
        let Some(core) = self.core() else { return Vec::new() };
        let all = core.registry.entries().skip(1).map(|entry| StatementSample {
            fingerprint: entry.normal.fingerprint,
            system: entry.system,
            sent: entry.samples.text(),
            calls: entry.calls(),
            total_ns: entry.total_ns.load(Relaxed),
            rows: entry.rows.load(Relaxed),
            windows: entry.samples.windows(),
            binds: entry.samples.vectors(),
            skew: entry.samples.skew(),
            operations: entry.labels().map(|label| core.operations.name(label)).collect(),
        });
        all.collect()
    }
}

fn statement(core: &Core, entry: &Entry) -> StatementReport {
    let first_responses = entry.first_responses.load(Relaxed);
    let first_response_ns = entry.first_response_ns.load(Relaxed);
    StatementReport {
        fingerprint: entry.normal.fingerprint,
        text: entry.normal.text.clone(),
        summary: entry.normal.summary.clone(),
        kind: entry.normal.kind,
        system: entry.system,
        calls: entry.calls(),
        total_ns: entry.total_ns.load(Relaxed),
        latency: Latency::of(&entry.total),
        first_response_mean_ns: first_response_ns.checked_div(first_responses),
        rows: entry.rows.load(Relaxed),
        rows_max: entry.rows_max.load(Relaxed),
        pool_wait_ns: entry.pool_wait_ns.load(Relaxed),
        batch_rows: entry.batch_rows.load(Relaxed),
        batch_max: entry.batch_max.load(Relaxed),
        stopped_early: entry.stopped_early.load(Relaxed),
        cancelled: entry.cancelled.load(Relaxed),
        never_polled: entry.never_polled.load(Relaxed),
        retried: entry.retried.load(Relaxed),
        in_transaction: entry.in_transaction.load(Relaxed),
        slow: entry.slow.load(Relaxed),
        failed: entry.failed().map(|(class, count)| (class.name(), count)).collect(),
        operations: entry.labels().map(|label| core.operations.name(label)).collect(),
        windows: entry.samples.windows(),
        skew: entry.samples.skew(),
    }
}

fn operation(entry: &OperationEntry) -> OperationReport {
    OperationReport {
        label: entry.label,
        runs: entry.runs.load(Relaxed),
        dropped: entry.dropped.load(Relaxed),
        total_ns: entry.elapsed_ns.load(Relaxed),
        latency: Latency::of(&entry.elapsed),
        statements: entry.statements.load(Relaxed),
        statements_max: entry.statements_max.load(Relaxed),
        rows: entry.rows.load(Relaxed),
        database_ns: entry.database_ns.load(Relaxed),
        pool_wait_ns: entry.pool_wait_ns.load(Relaxed),
        failed: entry.failed.load(Relaxed),
        cancelled: entry.cancelled.load(Relaxed),
        retries: entry.retries.load(Relaxed),
        findings: entry.findings.load(Relaxed),
        unwatched: entry.unwatched.load(Relaxed),
    }
}

fn finding(core: &Core, key: &Key, kept: &Kept) -> Option<Finding> {
    let normal = &core.registry.entry(key.index)?.normal;
    let evidence = &kept.evidence;
    let parent = evidence.parent.and_then(|(index, _)| core.registry.entry(index));
    Some(Finding {
        kind: key.kind,
        operation: key.operation,
        operation_id: kept.operation_id,
        fingerprint: normal.fingerprint,
        text: normal.text.clone(),
        parent: parent.map(|parent| parent.normal.fingerprint),
        parent_text: parent.map(|parent| parent.normal.text.clone()),
        occurrences: kept.occurrences,
        calls: evidence.calls,
        rows: evidence.rows,
        rows_max: evidence.rows_max,
        compared: evidence.compared,
        distinct: evidence.distinct,
        overlapped: evidence.overlapped,
        total_ns: evidence.total_ns,
        wasted_ns: evidence.total_ns - evidence.longest_ns,
        wasted_ns_sum: kept.wasted_ns_sum,
        advice: key.kind.advice(),
    })
}

fn own(core: &Core) -> OwnReport {
    let (statements, statements_max) = core.registry.used();
    let (operations, operations_max) = core.operations.used();
    OwnReport {
        overhead_median_ns: core.own.median_ns(),
        overhead_samples: core.own.samples(),
        statements,
        statements_max,
        operations,
        operations_max,
        texts: core.registry.texts(),
        texts_read: core.registry.normalised.load(Relaxed),
        not_understood: core.registry.not_understood.load(Relaxed),
        slow: core.slow.noted.load(Relaxed),
        findings_lost: core.findings.overflowed(),
    }
}
