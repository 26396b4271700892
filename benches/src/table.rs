//! The rows, as Markdown and as JSON.

use std::fmt::Write as _;

use crate::rounds::{Series, median, quartile};

/// How a figure is read.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Unit {
    /// Nanoseconds: less is better.
    Latency,
    /// A second: more is better.
    Rate,
    /// Percent: more is better.
    Share,
    /// Less is better.
    Bytes,
    /// Less is better.
    Count,
}

/// A figure of every round, of which the median counts.
struct Figure {
    rounds: Vec<f64>,
    unit: Unit,
}

/// What is promised of a row.
#[derive(Clone, Copy)]
enum Goal {
    RatioAtMost(f64),
    RatioAtLeast(f64),
    /// So many times shorter than the baseline.
    TimesFaster(f64),
    /// In the unit of the row.
    AtMost(f64),
    /// In the unit of the row.
    AtLeast(f64),
    /// No further below the baseline, in percentage points.
    PointsBelow(f64),
}

/// A row of the table.
pub(crate) struct Row {
    name: &'static str,
    what: String,
    measured: Figure,
    p99_ns: Option<f64>,
    baseline: Option<(String, Figure)>,
    goal: Option<Goal>,
}

impl Row {
    /// Tells how long an operation takes.
    pub(crate) fn latency(name: &'static str, what: impl Into<String>, series: &Series) -> Self {
        let figure = Figure { rounds: series.medians_ns(), unit: Unit::Latency };
        Self::new(name, what, figure, Some(series.p99_ns()))
    }

    /// Tells how many operations a second there are.
    pub(crate) fn rate(name: &'static str, what: impl Into<String>, series: &Series) -> Self {
        let figure = Figure { rounds: series.rates(), unit: Unit::Rate };
        Self::new(name, what, figure, Some(series.p99_ns()))
    }

    /// Tells what was measured once.
    pub(crate) fn once(
        name: &'static str,
        what: impl Into<String>,
        value: f64,
        unit: Unit,
    ) -> Self {
        Self::new(name, what, Figure { rounds: vec![value], unit }, None)
    }

    fn new(
        name: &'static str,
        what: impl Into<String>,
        measured: Figure,
        p99_ns: Option<f64>,
    ) -> Self {
        Self { name, what: what.into(), measured, p99_ns, baseline: None, goal: None }
    }

    /// Beside this series.
    pub(crate) fn against(mut self, baseline: impl Into<String>, series: &Series) -> Self {
        let unit = self.measured.unit;
        let rounds = match unit {
            Unit::Rate => series.rates(),
            _ => series.medians_ns(),
        };
        self.baseline = Some((baseline.into(), Figure { rounds, unit }));
        self
    }

    /// Beside what was measured once, in the same unit.
    pub(crate) fn against_once(mut self, baseline: impl Into<String>, value: f64) -> Self {
        self.baseline =
            Some((baseline.into(), Figure { rounds: vec![value], unit: self.measured.unit }));
        self
    }

    /// At most so many times the baseline.
    pub(crate) fn at_most(mut self, ratio: f64) -> Self {
        self.goal = Some(Goal::RatioAtMost(ratio));
        self
    }

    /// At least so many times the baseline.
    pub(crate) fn at_least(mut self, ratio: f64) -> Self {
        self.goal = Some(Goal::RatioAtLeast(ratio));
        self
    }

    /// The baseline takes at least so many times as long.
    pub(crate) fn times_faster(mut self, times: f64) -> Self {
        self.goal = Some(Goal::TimesFaster(times));
        self
    }

    /// At most so much, in the unit of the row.
    pub(crate) fn figure_at_most(mut self, limit: f64) -> Self {
        self.goal = Some(Goal::AtMost(limit));
        self
    }

    /// At least so much, in the unit of the row.
    pub(crate) fn figure_at_least(mut self, limit: f64) -> Self {
        self.goal = Some(Goal::AtLeast(limit));
        self
    }

    /// At most so many percentage points below the baseline.
    pub(crate) fn points_below(mut self, points: f64) -> Self {
        self.goal = Some(Goal::PointsBelow(points));
        self
    }

    /// Measured / baseline: of each round, and the median of these. A burst of noise that outlasts
    /// a round hits both sides of it, and so leaves the ratio alone.
    fn ratio(&self) -> Option<(f64, Vec<f64>)> {
        let (_, baseline) = self.baseline.as_ref()?;
        let rounds = self.measured.rounds.iter().zip(&baseline.rounds).map(|(a, b)| a / b);
        let rounds: Vec<f64> = rounds.collect();
        Some((median(&rounds), rounds))
    }

    fn met(&self) -> Option<bool> {
        let (goal, measured) = (self.goal?, median(&self.measured.rounds));
        let ratio = self.ratio().map(|(whole, _)| whole);
        match goal {
            Goal::RatioAtMost(limit) => ratio.map(|ratio| ratio <= limit),
            Goal::RatioAtLeast(limit) => ratio.map(|ratio| ratio >= limit),
            Goal::TimesFaster(times) => ratio.map(|ratio| 1.0 / ratio >= times),
            Goal::AtMost(limit) => Some(measured <= limit),
            Goal::AtLeast(limit) => Some(measured >= limit),
            Goal::PointsBelow(points) => self.points_above().map(|above| above >= -points),
        }
    }

    /// How far the measured share is above the baseline's.
    fn points_above(&self) -> Option<f64> {
        let (_, baseline) = self.baseline.as_ref()?;
        Some(median(&self.measured.rounds) - median(&baseline.rounds))
    }

    fn shown_ratio(&self) -> Option<String> {
        if self.measured.unit == Unit::Share {
            return self.points_above().map(|above| format!("{above:+.2} points"));
        }
        let (whole, rounds) = self.ratio()?;
        let invert = matches!(self.goal, Some(Goal::TimesFaster(_)))
            || (self.goal.is_none() && self.measured.unit == Unit::Latency && whole < 0.1);
        let turned = |ratio: f64| if invert { 1.0 / ratio } else { ratio };
        let (low, high) = (turned(quartile(&rounds, 1)), turned(quartile(&rounds, 3)));
        let (low, high) = (low.min(high), low.max(high));
        let digits = if turned(whole) < 10.0 { 2 } else { 0 };
        let faster = if invert { " faster" } else { "" };
        let whole = turned(whole);
        let spread = match rounds.len() {
            1 => String::new(),
            _ => format!(" ({low:.digits$}-{high:.digits$})"),
        };
        Some(format!("{whole:.digits$}x{faster}{spread}"))
    }

    fn shown_goal(&self) -> Option<String> {
        Some(match self.goal? {
            Goal::RatioAtMost(limit) => format!("<= {limit}x"),
            Goal::RatioAtLeast(limit) => format!(">= {limit}x"),
            Goal::TimesFaster(times) => format!(">= {times}x faster"),
            Goal::AtMost(limit) => format!("<= {}", shown(limit, self.measured.unit)),
            Goal::AtLeast(limit) => format!(">= {}", shown(limit, self.measured.unit)),
            Goal::PointsBelow(points) => format!(">= -{points} points"),
        })
    }
}

fn shown(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Rate if value < 100.0 => format!("{value:.1}/s"),
        Unit::Rate => format!("{}/s", grouped(value)),
        Unit::Latency if value < 1_000.0 => format!("{value:.0} ns"),
        Unit::Latency if value < 1_000_000.0 => format!("{:.1} µs", value / 1_000.0),
        Unit::Latency => format!("{:.2} ms", value / 1_000_000.0),
        Unit::Share => format!("{value:.2} %"),
        Unit::Bytes => format!("{value:.0} B"),
        Unit::Count => format!("{value}"),
    }
}

/// `12345.6` as `12 346`.
fn grouped(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// The table, ready for `docs/benchmarks.md`.
pub(crate) fn markdown(rows: &[Row]) -> String {
    let mut text = String::from(
        "| row | what | baseline | measured | baseline figure | ratio | goal | met? |\n\
         |---|---|---|---:|---:|---:|---:|---|\n",
    );
    for row in rows {
        let measured = shown(median(&row.measured.rounds), row.measured.unit);
        let (baseline, figure) = match &row.baseline {
            Some((what, figure)) => (what.as_str(), shown(median(&figure.rounds), figure.unit)),
            None => ("", String::new()),
        };
        let met = match row.met() {
            Some(true) => "yes",
            Some(false) => "**no**",
            None => "report",
        };
        writeln!(
            text,
            "| {} | {} | {baseline} | {measured} | {figure} | {} | {} | {met} |",
            row.name,
            row.what,
            row.shown_ratio().unwrap_or_default(),
            row.shown_goal().unwrap_or_default(),
        )
        .unwrap();
    }
    text
}

/// The same with the figure of every round.
pub(crate) fn json(rows: &[Row]) -> serde_json::Value {
    let one = |row: &Row| {
        let unit = match row.measured.unit {
            Unit::Latency => "ns",
            Unit::Rate => "1/s",
            Unit::Share => "%",
            Unit::Bytes => "B",
            Unit::Count => "1",
        };
        serde_json::json!({
            "row": row.name,
            "what": row.what,
            "unit": unit,
            "measured": median(&row.measured.rounds),
            "measured_rounds": row.measured.rounds,
            "measured_p99_ns_a_call": row.p99_ns,
            "baseline": row.baseline.as_ref().map(|(what, _)| what),
            "baseline_figure": row.baseline.as_ref().map(|(_, figure)| median(&figure.rounds)),
            "baseline_rounds": row.baseline.as_ref().map(|(_, figure)| &figure.rounds),
            "ratio": row.ratio().map(|(whole, _)| whole),
            "goal": row.shown_goal(),
            "met": row.met(),
        })
    };
    rows.iter().map(one).collect()
}
