//! Numbers that say where they come from.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How a number was come by, from the firmest to the weakest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Rung {
    /// Measured on the live system.
    MeasuredLive,
    /// Measured on a sample or a copy of the data.
    MeasuredOnSample,
    /// The planner's estimate, with the index as a hypothesis.
    PlannerEstimate,
    /// Our formula over the database's statistics.
    StatisticsEstimate,
    /// A rule; there is no number behind it.
    Rule,
}

impl fmt::Display for Rung {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::MeasuredLive => "measured",
            Self::MeasuredOnSample => "measured on a sample",
            Self::PlannerEstimate => "planner's estimate",
            Self::StatisticsEstimate => "estimate from statistics",
            Self::Rule => "by rule",
        })
    }
}

/// What a number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Unit {
    /// Milliseconds. Never made from planner costs.
    Milliseconds,
    /// The planner's own unit.
    PlannerCost,
    /// Bytes.
    Bytes,
    /// Rows.
    Rows,
    /// Pages of the table or the index.
    Pages,
    /// A share: 0 to 1.
    Share,
    /// Index entries written per day.
    EntriesPerDay,
    /// Milliseconds per day.
    MillisecondsPerDay,
}

impl Unit {
    fn as_str(self) -> &'static str {
        match self {
            Self::Milliseconds => "ms",
            Self::PlannerCost => "planner cost",
            Self::Bytes => "bytes",
            Self::Rows => "rows",
            Self::Pages => "pages",
            Self::Share => "of the rows",
            Self::EntriesPerDay => "index entries a day",
            Self::MillisecondsPerDay => "ms a day",
        }
    }
}

/// A number with its unit and its evidence; a range where one value would say too much.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// The least it may be.
    pub low: f64,
    /// The most it may be.
    pub high: f64,
    /// What it counts.
    pub unit: Unit,
    /// Where it comes from.
    pub rung: Rung,
    /// Whether the truth may be anything down to nothing.
    pub at_most: bool,
}

impl Figure {
    /// One value.
    #[must_use]
    pub fn exact(value: f64, unit: Unit, rung: Rung) -> Self {
        Self { low: value, high: value, unit, rung, at_most: false }
    }

    /// A range; the bounds may come in either order.
    #[must_use]
    pub fn between(one: f64, other: f64, unit: Unit, rung: Rung) -> Self {
        Self { low: one.min(other), high: one.max(other), unit, rung, at_most: false }
    }

    /// The same, as a bound from above.
    #[must_use]
    pub fn at_most(mut self) -> Self {
        self.at_most = true;
        self
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.at_most {
            out.write_str("at most ")?;
        }
        if (self.high - self.low).abs() < f64::EPSILON * self.high.abs().max(1.0) {
            write!(out, "{}", Plain(self.high))?;
        } else {
            write!(out, "{} to {}", Plain(self.low), Plain(self.high))?;
        }
        write!(out, " {} ({})", self.unit.as_str(), self.rung)
    }
}

/// A number with as many digits as it deserves: three that count, no more.
pub(crate) struct Plain(pub(crate) f64);

impl fmt::Display for Plain {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.abs() {
            size if size >= 100.0 || size == 0.0 => write!(out, "{:.0}", self.0),
            size if size >= 10.0 => write!(out, "{:.1}", self.0),
            size if size >= 1.0 => write!(out, "{:.2}", self.0),
            _ => write!(out, "{:.3}", self.0),
        }
    }
}
