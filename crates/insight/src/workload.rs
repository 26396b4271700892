//! What an application asks its database: statements, how often, how long.

mod profiled;
mod reader;

pub use reader::{FILE_BYTES_MAX, STATEMENTS_MAX, WorkloadError, read_workload};

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::catalog::TableName;

/// One statement of the application.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Statement {
    /// Its text, with placeholders (`$1`, `?`) or with literals.
    pub sql: String,
    /// The profiler's fingerprint, if it comes from there.
    pub fingerprint: Option<u64>,
    /// Labels of the operations that ran it.
    pub operations: Vec<String>,
    /// How often it ran.
    pub calls: u64,
    /// Time of all calls together, as measured. `None`: not measured.
    pub total_ms: Option<f64>,
    /// Rows of all calls together, if counted.
    pub rows: Option<u64>,
    /// Bound values of some calls, by place of the placeholder, first at 0. A value is as the
    /// database would print it; `None` is null.
    pub samples: Vec<Vec<Option<String>>>,
    /// Placeholders, first at 0, of which the caller knows that the value never changes.
    pub constants: BTreeMap<usize, String>,
}

impl Statement {
    /// A statement that ran once.
    #[must_use]
    pub fn new(sql: impl Into<String>) -> Self {
        Self { sql: sql.into(), calls: 1, ..Self::default() }
    }

    /// The same, run so often.
    #[must_use]
    pub fn called(mut self, calls: u64) -> Self {
        self.calls = calls;
        self
    }

    /// The same, all calls together having taken so long.
    #[must_use]
    pub fn took_ms(mut self, total_ms: f64) -> Self {
        self.total_ms = Some(total_ms);
        self
    }

    /// The same with one call's bound values.
    #[must_use]
    pub fn sample<'a>(mut self, values: impl IntoIterator<Item = &'a str>) -> Self {
        self.samples.push(values.into_iter().map(|value| Some(value.to_owned())).collect());
        self
    }

    /// The same, with a placeholder (first: 0) declared to have always this value.
    #[must_use]
    pub fn constant(mut self, place: usize, value: impl Into<String>) -> Self {
        self.constants.insert(place, value.into());
        self
    }

    /// Mean time of a call, if measured.
    #[must_use]
    pub fn mean_ms(&self) -> Option<f64> {
        let calls = self.calls.max(1) as f64;
        self.total_ms.map(|total| total / calls)
    }

    /// The values seen at a placeholder, nulls left out: the declared one, else the samples'.
    #[must_use]
    pub fn values_at(&self, place: usize) -> Vec<&str> {
        if let Some(constant) = self.constants.get(&place) {
            return vec![constant];
        }
        self.samples.iter().filter_map(|sample| sample.get(place)?.as_deref()).collect()
    }
}

/// How the last column of a [`Pattern`] is used; those before it are compared for equality.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum PatternKind {
    /// Compared for equality, or joined by.
    Equality,
    /// Compared with bounds.
    Range,
    /// Sorted by, with a limit.
    Sort,
}

/// An access that an application declares itself, without SQL.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pattern {
    /// The table.
    pub table: TableName,
    /// The columns, in order.
    pub columns: Vec<String>,
    /// How the last of them is used.
    pub kind: PatternKind,
    /// How often.
    pub calls: u64,
}

/// All that an application asked in a span of time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Workload {
    /// The statements. Candidates name them by their place here.
    pub statements: Vec<Statement>,
    /// Declared accesses.
    pub patterns: Vec<Pattern>,
    /// The span, in seconds. `None`: unknown, and nothing is said per day.
    pub window_seconds: Option<u64>,
}

impl Workload {
    /// One of these statements, each run once.
    #[must_use]
    pub fn of<S: Into<String>>(statements: impl IntoIterator<Item = S>) -> Self {
        let statements = statements.into_iter().map(Statement::new).collect();
        Self { statements, ..Self::default() }
    }

    /// Declares that the application reaches a table by these columns, `calls` times. Repeated
    /// declarations add up.
    pub fn record_pattern<S: Into<String>>(
        &mut self,
        table: TableName,
        columns: impl IntoIterator<Item = S>,
        kind: PatternKind,
        calls: u64,
    ) {
        let columns: Vec<String> = columns.into_iter().map(Into::into).collect();
        let known = self.patterns.iter_mut().find(|pattern| {
            pattern.table == table && pattern.columns == columns && pattern.kind == kind
        });
        match known {
            Some(pattern) => pattern.calls = pattern.calls.saturating_add(calls),
            None => self.patterns.push(Pattern { table, columns, kind, calls }),
        }
    }

    /// Time of all statements together, as far as measured.
    #[must_use]
    pub fn total_ms(&self) -> f64 {
        self.statements.iter().filter_map(|statement| statement.total_ms).sum()
    }
}
