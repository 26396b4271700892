//! The profiler's metrics, for a recorder of the `metrics` facade. It must be installed before the
//! first call: a statement keeps the meters that it was given then.

use metrics::{Counter, Histogram, Label, counter, gauge, histogram};

use super::Profiler;
use super::entry::Ended;
use super::finding::FindingKind;
use super::metric_names::{
    CALL_DURATION, CANCELLED, FINDINGS, FINGERPRINTS, FIRST_RESPONSE, OPERATION_DURATION,
    OPERATION_LABEL, OPERATION_QUERIES, OPERATION_ROWS, OVERHEAD, RETRIES, RETURNED_ROWS,
};
use super::outcome::Outcome;
use crate::fingerprint::{Normal, System};

/// The meters of one statement.
pub(crate) struct Meters {
    duration: Histogram,
    rows: Histogram,
    first_response: Histogram,
    cancelled: Counter,
}

impl Meters {
    pub(crate) fn of(normal: &Normal, system: System) -> Self {
        let few = || {
            vec![
                Label::new("db_system_name", system.name()),
                Label::new("db_query_summary", normal.summary.clone()),
            ]
        };
        Self {
            duration: histogram!(CALL_DURATION.prometheus, all(normal, system, "")),
            rows: histogram!(RETURNED_ROWS.prometheus, few()),
            first_response: histogram!(FIRST_RESPONSE.prometheus, few()),
            cancelled: counter!(CANCELLED.prometheus, few()),
        }
    }

    pub(crate) fn record(&self, normal: &Normal, system: System, call: &Ended) {
        let seconds = seconds(call.total_ns());
        match call.outcome {
            Outcome::Failed(class) => {
                let labels = all(normal, system, class.name());
                histogram!(CALL_DURATION.prometheus, labels).record(seconds);
            }
            Outcome::Cancelled => {
                self.cancelled.increment(1);
                self.duration.record(seconds);
            }
            Outcome::Ok | Outcome::StoppedEarly => {
                self.duration.record(seconds);
                self.rows.record(call.rows as f64);
            }
        }
        if let Some(first) = call.first_response_ns {
            self.first_response.record(self::seconds(first.saturating_sub(call.begun_ns)));
        }
    }
}

fn all(normal: &Normal, system: System, error: &'static str) -> Vec<Label> {
    let (operation, table) = normal.summary.split_once(' ').unwrap_or((&normal.summary, ""));
    vec![
        Label::new("db_system_name", system.name()),
        Label::new("db_operation_name", operation.to_owned()),
        Label::new("db_collection_name", table.to_owned()),
        Label::new("db_query_summary", normal.summary.clone()),
        Label::new("error_type", error),
    ]
}

fn seconds(ns: u64) -> f64 {
    ns as f64 / 1e9
}

pub(crate) fn operation(
    label: &'static str,
    elapsed_ns: u64,
    queries: u64,
    rows: u64,
    retries: u64,
) {
    histogram!(OPERATION_DURATION.prometheus, OPERATION_LABEL => label).record(seconds(elapsed_ns));
    histogram!(OPERATION_QUERIES.prometheus, OPERATION_LABEL => label).record(queries as f64);
    histogram!(OPERATION_ROWS.prometheus, OPERATION_LABEL => label).record(rows as f64);
    if retries > 0 {
        counter!(RETRIES.prometheus, OPERATION_LABEL => label).increment(retries);
    }
}

pub(crate) fn finding(label: &'static str, kind: FindingKind) {
    counter!(FINDINGS.prometheus, OPERATION_LABEL => label, "kind" => kind.name()).increment(1);
}

impl Profiler {
    /// Sets the gauges of the profiler itself. Meant to be called before metrics are read.
    pub fn emit_own(&self) {
        let Some(core) = self.core() else { return };
        if let Some(median_ns) = core.own.median_ns() {
            gauge!(OVERHEAD.prometheus).set(seconds(median_ns));
        }
        gauge!(FINGERPRINTS.prometheus).set(core.registry.used().0 as f64);
    }
}
