//! What a run found, as one table, and the shortest excerpt of every kind of violation.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::check::{Bounds, Excerpt, Findings, Kind, Staleness};
use crate::clock::nanos;
use crate::delay::Delay;
use crate::fault::Fault;
use crate::history::{History, Outcome};
use crate::wire::Counts;
use crate::worker::ABSENT;

/// A run that is over.
pub(crate) struct Report<'r> {
    pub(crate) seed: u64,
    pub(crate) took: Duration,
    pub(crate) history: &'r History,
    pub(crate) findings: &'r Findings,
    pub(crate) injected: &'r BTreeMap<Fault, u32>,
    pub(crate) counts: Counts,
    pub(crate) failed: u64,
    pub(crate) failure: Option<&'r str>,
    pub(crate) delay: Delay,
    pub(crate) delay_max: Option<Duration>,
    pub(crate) bounds: Bounds,
}

impl Report<'_> {
    /// Whether every promise was kept.
    pub(crate) fn is_clean(&self) -> bool {
        self.findings.violations.is_empty() && self.failed == 0 && !self.is_too_slow()
    }

    fn is_too_slow(&self) -> bool {
        self.delay_max.is_some_and(|max| self.delay.max_ns > nanos(max))
    }

    fn rows(&self) -> Vec<(String, String)> {
        let Self { history, findings, counts, .. } = self;
        let ended = |wanted: fn(&Outcome) -> bool| {
            history.writes.iter().filter(|write| wanted(&write.outcome)).count()
        };
        let acknowledged = ended(|outcome| matches!(outcome, Outcome::Acknowledged(_)));
        let refused = ended(|outcome| *outcome == Outcome::Refused);
        let unknown = ended(|outcome| *outcome == Outcome::Unknown);
        let hits = 100.0 * counts.cache_hits as f64 / (counts.cache_reads.max(1)) as f64;
        let mut rows = vec![
            row("states read", history.reads.len()),
            row("reads dropped midway", counts.cut_reads),
            row("cache reads", format!("{}, {hits:.1} % hits", counts.cache_reads)),
            row("database loads", counts.cache_loads),
            row("cache errors", counts.cache_errors),
            row("writes acknowledged", acknowledged),
            row("writes refused or rolled back", refused),
            row("writes with unknown outcome", format!("{unknown}, {} dropped", counts.cut_writes)),
        ];
        for (fault, count) in self.injected {
            rows.push(row(&format!("fault: {}", fault.text()), count));
        }
        rows.push(row("calls that failed", self.failed));
        for (kind, name) in [(Kind::OwnWrite, "P1 violations"), (Kind::Stale, "P3 violations")] {
            rows.push(row(name, self.count(kind)));
        }
        let others = [
            (Kind::NeverCommitted, "reads of what was never committed"),
            (Kind::TooEarly, "reads from before the write"),
            (Kind::Forgotten, "unknown writes forgotten"),
            (Kind::Lost, "acknowledged writes lost"),
            (Kind::Undead, "refused writes present"),
        ];
        rows.extend(others.map(|(kind, name)| row(name, self.count(kind))));
        let Bounds { reachable, unreachable, unknown, .. } = self.bounds;
        rows.push(row("staleness, reachable", aged(findings.reachable, Some(reachable))));
        rows.push(row("staleness, unreachable", aged(findings.unreachable, None)));
        let after_return = aged(findings.after_return, Some(unreachable));
        rows.push(row("of it, from the return of Redis", after_return));
        rows.push(row("staleness, unknown writes", aged(findings.unknown, unknown)));
        let Delay { pairs, p99_ns, max_ns } = self.delay;
        let (p99, max) = (millis(p99_ns), millis(max_ns));
        let limit = self.delay_max.map(|max| format!("; bound {} ms", max.as_millis()));
        let limit = limit.unwrap_or_default();
        rows.push(row(
            "delay while the breaker is open",
            format!("max {max} ms, p99 {p99} ms of {pairs}{limit}"),
        ));
        rows
    }

    fn count(&self, kind: Kind) -> u64 {
        self.findings.violations.get(&kind).map_or(0, |found| found.count)
    }
}

fn row(name: &str, value: impl fmt::Display) -> (String, String) {
    (name.to_owned(), value.to_string())
}

fn aged(staleness: Staleness, bound: Option<Duration>) -> String {
    let Staleness { reads, max_ns } = staleness;
    let bound = bound.map(|bound| format!("; bound {} ms", bound.as_millis())).unwrap_or_default();
    format!("max {} ms, {reads} reads{bound}", millis(max_ns))
}

fn millis(ns: u64) -> String {
    format!("{:.1}", ns as f64 / 1e6)
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = self.rows();
        let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        let took = self.took.as_secs();
        writeln!(f, "| {:width$} | seed {}, {took} s |", "cache-soak", self.seed)?;
        writeln!(f, "|{:-<1$}|---|", "", width + 2)?;
        for (name, value) in rows {
            writeln!(f, "| {name:width$} | {value} |")?;
        }
        if let Some(failure) = self.failure {
            writeln!(f, "\nA call failed although the database was well:\n  {failure}")?;
        }
        if self.is_too_slow() {
            writeln!(f, "\nA read was delayed beyond the bound while the breaker was open.")?;
        }
        for (kind, found) in &self.findings.violations {
            writeln!(f, "\n{} ({} times). The shortest excerpt:", kind.text(), found.count)?;
            self.excerpt(f, &found.excerpt)?;
        }
        Ok(())
    }
}

impl Report<'_> {
    /// In order of time, in milliseconds since its first line.
    fn excerpt(&self, f: &mut fmt::Formatter<'_>, excerpt: &Excerpt) -> fmt::Result {
        let mut lines: Vec<(u64, String)> = Vec::new();
        if let Some(write) = &excerpt.write {
            let (process, op) = (write.process, write.op);
            lines.push((write.start_ns, format!("process {process} begins write {op}")));
            let version = excerpt.version.map(|version| format!(", version {version}"));
            let ended = match write.outcome {
                Outcome::Acknowledged(_) => "returns acknowledged",
                Outcome::Refused => "returns refused",
                Outcome::Unknown => "is given up, its outcome unknown",
            };
            let version = version.unwrap_or_default();
            lines.push((write.end_ns, format!("process {process}: write {op} {ended}{version}")));
        }
        if let Some(read) = &excerpt.read {
            let (process, state) = (read.process, read.state);
            let subject = state.subject;
            lines.push((read.start_ns, format!("process {process} reads the {subject}")));
            let answer = match (state.version, state.value) {
                (ABSENT, _) => "that there is none".to_owned(),
                (version, value) => format!("version {version}, value {value}"),
            };
            lines.push((read.end_ns, format!("process {process} gets {answer}")));
            let made = self.history.committed.iter().find(|known| known.state == state);
            let made = made.and_then(|known| known.op);
            if let Some(made) = self.history.writes.iter().find(|write| Some(write.op) == made) {
                let (version, op, process) = (state.version, made.op, made.process);
                let by = format!("(version {version} was write {op} of process {process})");
                lines.push((read.end_ns, by));
            }
        }
        // The last ones: most excerpts are short, and one that is not would name them all.
        for outage in excerpt.outages.iter().rev().take(3) {
            lines.push((outage.start_ns, format!("outage begins: {}", outage.fault)));
            lines.push((outage.end_ns, format!("outage ends: {}", outage.fault)));
        }
        lines.sort_by_key(|(at_ns, _)| *at_ns);
        let first_ns = lines.first().map_or(0, |(at_ns, _)| *at_ns);
        for (at_ns, line) in lines {
            writeln!(f, "  {:>12} ms  {line}", millis(at_ns - first_ns))?;
        }
        Ok(())
    }
}
