//! Metrics: the numbers of a member that rules of achievements and badges look at.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use crate::amount::{POINT_SCALE, Points, Xp};
use crate::text::Slug;
use crate::time::Timestamp;
use crate::user::{UserId, Vip};
use crate::violation::{Rule, Violation};

/// The name of a number that rules look at: one of [`Metric::BUILT_IN`], `categories_perfect:<n>`
/// with n from 1 to 100, or any counter of the member.
///
/// | Metric | What it is |
/// |---|---|
/// | `points`, `points_earned`, `xp` | balance, points ever earned, experience, in minor units |
/// | `level` | the level reached |
/// | `messages`, `checkin_streak` | messages sent; days checked in without a gap |
/// | `missions` | missions completed, once for each period |
/// | `vip` | 1 while the member is a VIP, else 0 |
/// | `account_age_days` | whole days since registration |
/// | `categories_perfect:<n>` | counters `perfect_tests:<category>` that are at least n |
/// | anything else | the counter of this name, such as `reactions`, `invites`, `redemption` |
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "String", into = "String"))]
pub struct Metric(Slug);

const CATEGORIES: &str = "categories_perfect";
const PERFECT_IN: &str = "perfect_tests:";

impl Metric {
    /// The metrics that are not counters. A counter of the same name is never looked at.
    pub const BUILT_IN: [&'static str; 9] = [
        "points",
        "points_earned",
        "xp",
        "level",
        "messages",
        "checkin_streak",
        "missions",
        "vip",
        "account_age_days",
    ];

    /// The greatest n of `categories_perfect:<n>`.
    pub const CATEGORIES_MAX: u32 = 100;

    /// Checks `raw`, which follows the rules of a [`Slug`].
    pub fn parse(raw: &str) -> Result<Self, Violation> {
        let slug = Slug::parse(raw).map_err(|error| Violation::new("metric", error.rule))?;
        if let Some(rest) = slug.as_str().strip_prefix(CATEGORIES) {
            let n = rest.strip_prefix(':').and_then(|n| n.parse::<u32>().ok());
            let valid = n.is_some_and(|n| {
                // Only the one text that is stored: `01` would be another name for the same.
                (1..=Self::CATEGORIES_MAX).contains(&n) && rest[1..] == n.to_string()
            });
            if !valid {
                let expected = "categories_perfect:n with n from 1 to 100";
                return Err(Violation::new("metric", Rule::Malformed { expected }));
            }
        }
        Ok(Self(slug))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// How many units of the metric people call one: 100 for points and experience, which are
    /// counted in minor units, else 1.
    #[must_use]
    pub fn scale(&self) -> i64 {
        match self.as_str() {
            "points" | "points_earned" | "xp" => POINT_SCALE,
            _ => 1,
        }
    }

    /// The metric and threshold of a condition of the systems that communities come from, such as
    /// `testCount` or `minScore`. `None` for a condition that has no counterpart here.
    #[must_use]
    pub fn from_legacy(condition: &str, value: i64) -> Option<(Self, i64)> {
        let (name, factor) = match condition {
            "messages" => ("messages", 1),
            "checkins" | "login_streak" => ("checkin_streak", 1),
            "invites" => ("invites", 1),
            "missions" => ("missions", 1),
            "vip" => ("vip", 1),
            "level" => ("level", 1),
            "points" => ("points", POINT_SCALE),
            // "Earn so many coins": spending them does not undo it.
            "coins" => ("points_earned", POINT_SCALE),
            "testCount" => ("tests_completed", 1),
            "minScore" => ("highest_score_bp", 100), // Percent to basis points.
            "perfectTests" => ("perfect_tests", 1),
            "totalQuestions" => ("questions_answered", 1),
            "allTestsCompleted" => ("all_tests", 1),
            "perfectTestsInCategory" => {
                let metric = Self::parse(&format!("{CATEGORIES}:{value}")).ok()?;
                return Some((metric, 1));
            }
            _ => return None,
        };
        Some((Self::parse(name).ok()?, value.checked_mul(factor)?))
    }

    fn is_built_in(name: &str) -> bool {
        Self::BUILT_IN.contains(&name) || name.starts_with(CATEGORIES)
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Metric {
    type Err = Violation;
    fn from_str(raw: &str) -> Result<Self, Violation> {
        Self::parse(raw)
    }
}

impl TryFrom<String> for Metric {
    type Error = Violation;
    fn try_from(raw: String) -> Result<Self, Violation> {
        Self::parse(&raw)
    }
}

impl From<Metric> for String {
    fn from(metric: Metric) -> String {
        metric.0.into_string()
    }
}

/// What the store knows of a member beyond counters: the source of the built-in metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemberFigures {
    /// The balance.
    pub points: Points,
    /// Points ever earned.
    pub points_earned: Points,
    /// Experience.
    pub xp: Xp,
    /// The level reached.
    pub level: u32,
    /// Messages sent.
    pub messages: u64,
    /// Days checked in without a gap.
    pub checkin_streak: u32,
    /// Missions completed, once for each period.
    pub missions: u64,
    /// VIP standing.
    pub vip: Vip,
    /// Registration.
    pub registered_at: Timestamp,
}

/// A member's metrics at one instant. A counter that was never bumped is absent: nothing holds of
/// what was never measured, not even "at most".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetricSnapshot {
    user: UserId,
    values: BTreeMap<Metric, i64>,
}

impl MetricSnapshot {
    /// Of `user` at `now`, from the figures and all counters.
    #[must_use]
    pub fn new(
        user: UserId,
        figures: &MemberFigures,
        counters: impl IntoIterator<Item = (Slug, i64)>,
        now: Timestamp,
    ) -> Self {
        let mut values = BTreeMap::new();
        let mut perfect = Vec::new();
        for (counter, value) in counters {
            if counter.as_str().starts_with(PERFECT_IN) {
                perfect.push(value);
            }
            if !Metric::is_built_in(counter.as_str()) {
                values.insert(Metric(counter), value);
            }
        }
        let number = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        let days = now.since(figures.registered_at).as_secs() / 86_400;
        let built_in = [
            figures.points.minor(),
            figures.points_earned.minor(),
            figures.xp.minor(),
            i64::from(figures.level),
            number(figures.messages),
            i64::from(figures.checkin_streak),
            number(figures.missions),
            i64::from(figures.vip.is_active(now)),
            number(days),
        ];
        for (name, value) in Metric::BUILT_IN.into_iter().zip(built_in) {
            values.extend(Metric::parse(name).map(|metric| (metric, value)));
        }
        for n in 1..=Metric::CATEGORIES_MAX {
            let categories = perfect.iter().filter(|value| **value >= i64::from(n)).count();
            if categories == 0 {
                break;
            }
            let metric = Metric::parse(&format!("{CATEGORIES}:{n}"));
            values.extend(metric.map(|metric| (metric, number(categories as u64))));
        }
        Self { user, values }
    }

    /// Whose they are.
    #[must_use]
    pub const fn user(&self) -> UserId {
        self.user
    }

    /// The value; `None` when it was never measured.
    #[must_use]
    pub fn value(&self, metric: &Metric) -> Option<i64> {
        self.values.get(metric).copied()
    }

    /// Every metric that was measured, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&Metric, i64)> {
        self.values.iter().map(|(metric, value)| (metric, *value))
    }

    /// The same with another value of one metric: what would be if.
    #[must_use]
    pub fn with(mut self, metric: Metric, value: i64) -> Self {
        self.values.insert(metric, value);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures() -> MemberFigures {
        MemberFigures {
            points: Points::whole(12).unwrap(),
            points_earned: Points::whole(40).unwrap(),
            xp: Xp::whole(7).unwrap(),
            level: 3,
            messages: 5,
            checkin_streak: 2,
            missions: 1,
            vip: Vip::Lifetime,
            registered_at: Timestamp::EPOCH,
        }
    }

    fn snapshot(counters: &[(&str, i64)]) -> MetricSnapshot {
        let counters = counters.iter().map(|(name, value)| (Slug::parse(name).unwrap(), *value));
        let now = "1970-01-03T23:00:00Z".parse().unwrap();
        MetricSnapshot::new(UserId(1), &figures(), counters, now)
    }

    fn value(of: &MetricSnapshot, metric: &str) -> Option<i64> {
        of.value(&Metric::parse(metric).unwrap())
    }

    #[test]
    fn every_built_in_metric_is_there() {
        let all = snapshot(&[]);
        let values = Metric::BUILT_IN.map(|name| value(&all, name).unwrap());
        assert_eq!(values, [1200, 4000, 700, 3, 5, 2, 1, 1, 2]);
        assert_eq!(all.iter().count(), 9);
    }

    #[test]
    fn counters_are_metrics_but_do_not_hide_built_in_ones() {
        let all = snapshot(&[("reactions", 4), ("points", 1), ("categories_perfect:1", 9)]);
        assert_eq!(value(&all, "reactions"), Some(4));
        assert_eq!(value(&all, "points"), Some(1200));
        assert_eq!(value(&all, "categories_perfect:1"), None);
        assert_eq!(value(&all, "invites"), None);
    }

    #[test]
    fn perfect_categories_are_counted_by_how_often() {
        let all =
            snapshot(&[("perfect_tests:net", 3), ("perfect_tests:os", 1), ("perfect_tests", 4)]);
        let counted = [1, 2, 3, 4].map(|n| value(&all, &format!("categories_perfect:{n}")));
        assert_eq!(counted, [Some(2), Some(1), Some(1), None]);
        let many = snapshot(&[("perfect_tests:net", i64::MAX)]);
        assert_eq!(value(&many, "categories_perfect:100"), Some(1));
    }

    #[test]
    fn names_are_checked() {
        for name in ["points", "categories_perfect:7", "my.counter-1:x"] {
            assert_eq!(Metric::parse(name).unwrap().to_string(), name);
        }
        let malformed = ["categories_perfect", "categories_perfect:0", "categories_perfect:01"];
        for name in malformed.iter().chain(&["categories_perfect:101", "a b", "", "Messages"]) {
            assert_eq!(Metric::parse(name).unwrap_err().field, "metric", "{name}");
        }
    }

    #[test]
    fn legacy_conditions_have_counterparts() {
        let legacy = |name, value| {
            Metric::from_legacy(name, value).map(|(metric, value)| (metric.to_string(), value))
        };
        assert_eq!(legacy("minScore", 90), Some(("highest_score_bp".to_owned(), 9_000)));
        assert_eq!(legacy("coins", 5_000), Some(("points_earned".to_owned(), 500_000)));
        assert_eq!(legacy("login_streak", 7), Some(("checkin_streak".to_owned(), 7)));
        assert_eq!(
            legacy("perfectTestsInCategory", 2),
            Some(("categories_perfect:2".to_owned(), 1))
        );
        assert_eq!(legacy("coins", i64::MAX), None);
        assert_eq!(legacy("testsCompletedInCategory", 1), None);
    }
}
