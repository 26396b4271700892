//! What a profiler saw, as a workload.

use super::{Statement, Workload};
use crate::fingerprint::{Slot, System, normalise};
use crate::profile::{Profiler, StatementSample};

impl Workload {
    /// What a profiler saw of one database, in a span of so many seconds. Nothing from a profiler
    /// that is off.
    ///
    /// It holds the texts as they were sent and the binds that were kept: treat it as the data.
    /// Statements whose text was too long to be kept are left out.
    #[must_use]
    pub fn of_profiler(profiler: &Profiler, system: System, window_seconds: Option<u64>) -> Self {
        let seen = profiler.samples();
        let of_system = seen.iter().filter(|sample| sample.system == system && sample.calls > 0);
        Self {
            statements: of_system.filter_map(statement).collect(),
            window_seconds,
            ..Self::default()
        }
    }
}

fn statement(sample: &StatementSample) -> Option<Statement> {
    let sql = sample.sent.as_ref()?.expose();
    let samples = sample.binds.iter().filter_map(|vector| {
        vector.expose().iter().map(|shown| value(shown)).collect::<Option<Vec<_>>>()
    });
    Some(Statement {
        sql: sql.to_owned(),
        fingerprint: Some(sample.fingerprint.0),
        operations: sample.operations.iter().map(|label| (*label).to_owned()).collect(),
        calls: sample.calls,
        total_ms: Some(sample.total_ns as f64 / 1e6),
        rows: Some(sample.rows),
        samples: samples.collect(),
        constants: limit_of(sample, sql).into_iter().collect(),
    })
}

/// The bound `LIMIT`, if it was always the same: what a sort costs depends on it.
fn limit_of(sample: &StatementSample, sql: &str) -> Option<(usize, String)> {
    let Slot::Bind(place) = normalise(sql, sample.system).limit? else { return None };
    let mut limits = sample.windows.iter().map(|window| window.limit);
    let first = limits.next()??;
    limits.all(|limit| limit == Some(first)).then(|| (usize::from(place), first.to_string()))
}

/// A bind as the database would print it, from what Diesel shows: numbers, switches, texts and
/// nothing. `None` for what has another form here than there, such as a time.
fn value(shown: &str) -> Option<Option<String>> {
    if shown == "None" {
        return Some(None);
    }
    let inner = shown.strip_prefix("Some(").and_then(|rest| rest.strip_suffix(')'));
    let plain = inner.unwrap_or(shown);
    if plain.starts_with('"') {
        return serde_json::from_str(plain).ok().map(Some);
    }
    let is_plain =
        plain.parse::<f64>().is_ok_and(f64::is_finite) || matches!(plain, "true" | "false");
    is_plain.then(|| Some(plain.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binds_are_put_as_a_database_prints_them_or_left_out() {
        let known = |shown: &str| value(shown).flatten();
        assert_eq!(known("42").as_deref(), Some("42"));
        assert_eq!(known("Some(-1.5)").as_deref(), Some("-1.5"));
        assert_eq!(known("true").as_deref(), Some("true"));
        assert_eq!(known(r#""it's \"so\"""#).as_deref(), Some(r#"it's "so""#));
        assert_eq!(value("None"), Some(None));
        for other in ["DbTime(7)", "[1, 2]", "NaN", "inf", "Some(", "\"open"] {
            assert_eq!(value(other), None, "{other}");
        }
    }

    #[test]
    fn a_profiler_that_is_off_saw_nothing() {
        let workload = Workload::of_profiler(&Profiler::off(), System::Sqlite, Some(60));
        assert!(workload.statements.is_empty() && workload.patterns.is_empty());
    }
}
