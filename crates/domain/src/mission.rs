//! Missions: what members are asked to do, how often, and what they get for it.

use std::fmt;
use std::str::FromStr;

use crate::ledger::text_enum;
use crate::time::Day;
use crate::violation::{Rule, Violation};

text_enum! {
    /// How often a mission can be completed.
    MissionCadence("cadence") {
        /// Once for ever.
        OneTime = "one_time",
        /// Once a community day.
        Daily = "daily",
        /// Once an ISO week of the community's calendar.
        Weekly = "weekly",
        /// Again and again, after a cooldown.
        Repeatable = "repeatable",
    }
}

/// The stretch of time in which a mission can be completed once. A new day or week has no row
/// until somebody acts in it, so that nothing is ever reset and history is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "String", into = "String"))]
pub enum MissionPeriod {
    /// All time: `once`.
    Once,
    /// A community day: `2025-08-24`.
    Day(Day),
    /// An ISO 8601 week of the community's calendar: `2025-W34`.
    Week {
        /// The year that the week belongs to.
        year: i16,
        /// 1 to 53.
        week: u8,
    },
    /// The n-th time, from 1: `n1`.
    Time(u32),
}

impl MissionPeriod {
    /// The period of a cadence on a community day; `completed` is how many times a repeatable
    /// mission was completed before.
    #[must_use]
    pub fn current(cadence: MissionCadence, today: Day, completed: u32) -> Self {
        match cadence {
            MissionCadence::OneTime => Self::Once,
            MissionCadence::Daily => Self::Day(today),
            MissionCadence::Weekly => {
                let (year, week) = today.iso_week();
                Self::Week { year, week }
            }
            MissionCadence::Repeatable => Self::Time(completed.saturating_add(1)),
        }
    }
}

impl fmt::Display for MissionPeriod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Once => f.write_str("once"),
            Self::Day(day) => day.fmt(f),
            Self::Week { year, week } => write!(f, "{year:04}-W{week:02}"),
            Self::Time(n) => write!(f, "n{n}"),
        }
    }
}

impl FromStr for MissionPeriod {
    type Err = Violation;
    fn from_str(raw: &str) -> Result<Self, Violation> {
        const EXPECTED: Rule = Rule::Malformed {
            expected: "once, a day, an ISO week such as 2025-W34, or n1, n2 ...",
        };
        let refused = || Violation::new("period", EXPECTED);
        if raw == "once" {
            return Ok(Self::Once);
        }
        let parsed = if let Some(n) = raw.strip_prefix('n') {
            n.parse().ok().filter(|n| *n > 0).map(Self::Time)
        } else if let Some((year, week)) = raw.split_once("-W") {
            let week = week.parse().ok().filter(|week| (1..=53).contains(week));
            year.parse().ok().zip(week).map(|(year, week)| Self::Week { year, week })
        } else {
            raw.parse().ok().map(Self::Day)
        };
        // Only the one text that is stored: `n01` would be another key for the same period.
        parsed.filter(|period| period.to_string() == raw).ok_or_else(refused)
    }
}

impl TryFrom<String> for MissionPeriod {
    type Error = Violation;
    fn try_from(raw: String) -> Result<Self, Violation> {
        raw.parse()
    }
}

impl From<MissionPeriod> for String {
    fn from(period: MissionPeriod) -> String {
        period.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        text.parse().unwrap()
    }

    #[test]
    fn a_period_is_named_after_its_cadence() {
        let named = |cadence, on: &str, completed| {
            MissionPeriod::current(cadence, day(on), completed).to_string()
        };
        assert_eq!(named(MissionCadence::OneTime, "2025-08-24", 3), "once");
        assert_eq!(named(MissionCadence::Daily, "2025-08-24", 0), "2025-08-24");
        assert_eq!(named(MissionCadence::Weekly, "2025-08-24", 0), "2025-W34");
        assert_eq!(named(MissionCadence::Weekly, "2024-12-30", 0), "2025-W01");
        assert_eq!(named(MissionCadence::Weekly, "2027-01-03", 0), "2026-W53");
        assert_eq!(named(MissionCadence::Repeatable, "2025-08-24", 2), "n3");
    }

    #[test]
    fn only_the_stored_text_is_read() {
        for text in ["once", "2025-08-24", "2025-W34", "0999-W02", "n1", "n4294967295"] {
            assert_eq!(text.parse::<MissionPeriod>().unwrap().to_string(), text);
        }
        for text in ["", "Once", "n0", "n01", "n-1", "2025-W54", "2025-W4", "2025-8-4", "n1 "] {
            assert!(text.parse::<MissionPeriod>().is_err(), "{text}");
        }
    }
}
