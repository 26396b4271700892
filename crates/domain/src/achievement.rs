//! Achievements: what they are and what they ask for.

use std::fmt;
use std::str::FromStr;

use crate::amount::{BasisPoints, Points};
use crate::ledger::text_enum;
use crate::metric::{Metric, MetricSnapshot};
use crate::text::{Label, LegacyKey, RewardText, Slug, Summary, Url};
use crate::time::Timestamp;
use crate::user::Patch;
use crate::violation::{Rule, Violation};

text_enum! {
    /// How much an achievement or a badge is worth.
    Tier("tier") {
        /// Of no rank.
        None = "none",
        /// The lowest rank.
        Bronze = "bronze",
        /// Above bronze.
        Silver = "silver",
        /// Above silver.
        Gold = "gold",
        /// The highest rank.
        Platinum = "platinum",
    }
}

text_enum! {
    /// On which side of its threshold a criterion holds.
    Comparison("comparison") {
        /// The metric is the threshold or more.
        AtLeast = "gte",
        /// The metric is the threshold or less.
        AtMost = "lte",
    }
}

/// One condition on one metric.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Criterion {
    /// What is looked at.
    pub metric: Metric,
    /// On which side of the threshold.
    pub comparison: Comparison,
    /// In units of the metric: points and experience in minor units.
    pub threshold: i64,
}

impl Criterion {
    /// The metric is `threshold` or more.
    #[must_use]
    pub const fn at_least(metric: Metric, threshold: i64) -> Self {
        Self { metric, comparison: Comparison::AtLeast, threshold }
    }

    /// Whether it holds of these metrics; never of one that was not measured.
    #[must_use]
    pub fn holds(&self, metrics: &MetricSnapshot) -> bool {
        metrics.value(&self.metric).is_some_and(|value| match self.comparison {
            Comparison::AtLeast => value >= self.threshold,
            Comparison::AtMost => value <= self.threshold,
        })
    }

    /// How much of it is reached, at most 10 000, which is exactly when it holds. "At most" is
    /// reached or not.
    #[must_use]
    pub fn progress(&self, metrics: &MetricSnapshot) -> BasisPoints {
        if self.holds(metrics) {
            return BasisPoints::ONE;
        }
        let part = |value: i64| u64::try_from(value).unwrap_or(0); // Below zero nothing is reached.
        match (self.comparison, metrics.value(&self.metric)) {
            (Comparison::AtLeast, Some(value)) => {
                BasisPoints::share(part(value), part(self.threshold))
            }
            _ => BasisPoints::share(0, 1),
        }
    }
}

/// An achievement as it is defined: what [`Achievement`] has beyond its history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAchievement {
    /// The key that the application chose.
    pub id: Slug,
    /// What it is called.
    pub title: Label,
    /// What it honours.
    pub description: Option<Summary>,
    /// What lists group by: `global` unless said.
    pub category: Slug,
    /// Its rank.
    pub tier: Tier,
    /// Address of a picture.
    pub icon_url: Option<Url>,
    /// What is promised in words.
    pub reward_text: Option<RewardText>,
    /// Points that unlocking it pays, zero or more.
    pub reward_points: Points,
    /// Whether its text is kept from members who do not have it.
    pub hidden: bool,
    /// Its place within the category, ascending.
    pub sort_order: i32,
    /// Whether it can be unlocked.
    pub is_active: bool,
    /// All must hold; without any it is only given by hand.
    pub criteria: Vec<Criterion>,
    /// The key it had elsewhere.
    pub legacy_key: Option<LegacyKey>,
}

impl NewAchievement {
    /// An achievement of the category `global`, of no rank and without reward, given by hand.
    #[must_use]
    pub fn new(id: Slug, title: Label) -> Self {
        Self {
            id,
            title,
            description: None,
            category: Achievement::global_category(),
            tier: Tier::None,
            icon_url: None,
            reward_text: None,
            reward_points: Points::ZERO,
            hidden: false,
            sort_order: 0,
            is_active: true,
            criteria: Vec::new(),
            legacy_key: None,
        }
    }

    /// Refuses a reward below zero, more than [`Achievement::CRITERIA_MAX`] criteria, and two
    /// criteria of one metric on the same side.
    pub fn check(&self) -> Result<(), Violation> {
        checked(self.reward_points, &self.criteria)
    }
}

/// An achievement.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Achievement {
    /// The key that the application chose.
    pub id: Slug,
    /// What it is called.
    pub title: Label,
    /// What it honours.
    pub description: Option<Summary>,
    /// What lists group by.
    pub category: Slug,
    /// Its rank.
    pub tier: Tier,
    /// Address of a picture.
    pub icon_url: Option<Url>,
    /// What is promised in words.
    pub reward_text: Option<RewardText>,
    /// Points that unlocking it pays, zero or more.
    pub reward_points: Points,
    /// Whether its text is kept from members who do not have it.
    pub hidden: bool,
    /// Its place within the category, ascending.
    pub sort_order: i32,
    /// Whether it can be unlocked. Who has it keeps it.
    pub is_active: bool,
    /// All must hold; without any it is only given by hand.
    pub criteria: Vec<Criterion>,
    /// The key it had elsewhere.
    pub legacy_key: Option<LegacyKey>,
    /// When it was defined.
    pub created_at: Timestamp,
    /// Starts at 1, one more with each update.
    pub version: i64,
}

impl Achievement {
    /// The most criteria.
    pub const CRITERIA_MAX: usize = 20;

    /// The category of whatever names none: `global`.
    #[must_use]
    pub fn global_category() -> Slug {
        Slug::from_legacy("global")
    }

    /// What a definition becomes at `now`.
    #[must_use]
    pub fn defined(new: NewAchievement, now: Timestamp) -> Self {
        Self {
            id: new.id,
            title: new.title,
            description: new.description,
            category: new.category,
            tier: new.tier,
            icon_url: new.icon_url,
            reward_text: new.reward_text,
            reward_points: new.reward_points,
            hidden: new.hidden,
            sort_order: new.sort_order,
            is_active: new.is_active,
            criteria: new.criteria,
            legacy_key: new.legacy_key,
            created_at: now,
            version: 1,
        }
    }

    /// This achievement redefined, one version on; or `None` when nothing would change. Whether it
    /// is active, and the key it had elsewhere, stay as they are.
    #[must_use]
    pub fn redefined(&self, new: &NewAchievement) -> Option<Self> {
        let redefined = Self {
            is_active: self.is_active,
            legacy_key: self.legacy_key.clone(),
            version: self.version,
            ..Self::defined(new.clone(), self.created_at)
        };
        (redefined != *self).then(|| Self { version: self.version + 1, ..redefined })
    }

    /// Whether these metrics earn it: there are criteria, and all hold.
    #[must_use]
    pub fn qualifies(&self, metrics: &MetricSnapshot) -> bool {
        !self.criteria.is_empty() && self.criteria.iter().all(|one| one.holds(metrics))
    }

    /// How much of it is reached: the mean of its criteria, truncated. 10 000 exactly when the
    /// metrics earn it; 0 without criteria.
    #[must_use]
    pub fn progress(&self, metrics: &MetricSnapshot) -> BasisPoints {
        let reached = self.criteria.iter().map(|one| one.progress(metrics).get().unsigned_abs());
        let reached: u64 = reached.map(u64::from).sum();
        BasisPoints::share(reached, self.criteria.len() as u64 * 10_000)
    }
}

/// Changes of an achievement. The default changes nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AchievementPatch {
    /// What it is called.
    pub title: Option<Label>,
    /// What it honours.
    pub description: Patch<Summary>,
    /// What lists group by.
    pub category: Option<Slug>,
    /// Its rank.
    pub tier: Option<Tier>,
    /// Address of a picture.
    pub icon_url: Patch<Url>,
    /// What is promised in words.
    pub reward_text: Patch<RewardText>,
    /// Points that unlocking it pays from now on; what was paid stays.
    pub reward_points: Option<Points>,
    /// Whether its text is kept from members who do not have it.
    pub hidden: Option<bool>,
    /// Its place within the category.
    pub sort_order: Option<i32>,
    /// Whether it can be unlocked.
    pub is_active: Option<bool>,
    /// All criteria anew. Who has it keeps it.
    pub criteria: Option<Vec<Criterion>>,
}

impl AchievementPatch {
    /// Whether it changes nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The achievement after this change, one version on. Refuses what
    /// [`NewAchievement::check`] refuses.
    pub fn applied_to(self, mut achievement: Achievement) -> Result<Achievement, Violation> {
        achievement.title = self.title.unwrap_or(achievement.title);
        self.description.apply(&mut achievement.description);
        achievement.category = self.category.unwrap_or(achievement.category);
        achievement.tier = self.tier.unwrap_or(achievement.tier);
        self.icon_url.apply(&mut achievement.icon_url);
        self.reward_text.apply(&mut achievement.reward_text);
        achievement.reward_points = self.reward_points.unwrap_or(achievement.reward_points);
        achievement.hidden = self.hidden.unwrap_or(achievement.hidden);
        achievement.sort_order = self.sort_order.unwrap_or(achievement.sort_order);
        achievement.is_active = self.is_active.unwrap_or(achievement.is_active);
        achievement.criteria = self.criteria.unwrap_or(achievement.criteria);
        achievement.version += 1;
        checked(achievement.reward_points, &achievement.criteria)?;
        Ok(achievement)
    }
}

fn checked(reward: Points, criteria: &[Criterion]) -> Result<(), Violation> {
    if reward < Points::ZERO {
        let rule = Rule::OutOfRange { min: 0, max: Points::MAX.minor() };
        return Err(Violation::new("reward_points", rule));
    }
    if criteria.len() > Achievement::CRITERIA_MAX {
        return Err(Violation::new("criteria", Rule::TooLong { max: Achievement::CRITERIA_MAX }));
    }
    let sides = |one: &Criterion| (one.metric.clone(), one.comparison);
    let twice = |(at, one)| criteria[..at].iter().any(|other| sides(other) == sides(one));
    if criteria.iter().enumerate().any(twice) {
        return Err(Violation::new("criteria", Rule::Duplicate));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::amount::Xp;
    use crate::metric::MemberFigures;
    use crate::user::{UserId, Vip};

    fn metrics(counters: &[(&str, i64)]) -> MetricSnapshot {
        let figures = MemberFigures {
            points: Points::ZERO,
            points_earned: Points::ZERO,
            xp: Xp::ZERO,
            level: 1,
            messages: 0,
            checkin_streak: 0,
            missions: 0,
            vip: Vip::None,
            registered_at: Timestamp::EPOCH,
        };
        let counters = counters.iter().map(|(name, value)| (Slug::parse(name).unwrap(), *value));
        MetricSnapshot::new(UserId(1), &figures, counters, Timestamp::EPOCH)
    }

    fn criterion(metric: &str, comparison: Comparison, threshold: i64) -> Criterion {
        Criterion { metric: Metric::parse(metric).unwrap(), comparison, threshold }
    }

    fn achievement(criteria: Vec<Criterion>) -> NewAchievement {
        let (id, title) = (Slug::parse("a").unwrap(), Label::parse("🏆 A").unwrap());
        NewAchievement { criteria, ..NewAchievement::new(id, title) }
    }

    #[test]
    fn progress_is_complete_exactly_when_it_holds() {
        let at_least = |threshold| criterion("reactions", Comparison::AtLeast, threshold);
        let at_most = |threshold| criterion("reactions", Comparison::AtMost, threshold);
        for (one, value, expected) in [
            (at_least(3), Some(1), 3_333),
            (at_least(3), Some(3), 10_000),
            (at_least(3), Some(i64::MAX), 10_000),
            (at_least(i64::MAX), Some(i64::MAX - 1), 9_999),
            (at_least(3), Some(-5), 0),
            (at_least(-3), Some(-5), 0),
            (at_least(-3), Some(-3), 10_000),
            (at_least(0), None, 0),
            (at_most(3), Some(4), 0),
            (at_most(3), Some(3), 10_000),
            (at_most(3), None, 0),
        ] {
            let metrics = match value {
                Some(value) => metrics(&[("reactions", value)]),
                None => metrics(&[]),
            };
            assert_eq!(one.progress(&metrics).get(), expected, "{one:?} {value:?}");
            assert_eq!(one.holds(&metrics), expected == 10_000, "{one:?} {value:?}");
        }
    }

    #[test]
    fn all_criteria_must_hold_and_none_is_by_hand() {
        let both = vec![
            criterion("reactions", Comparison::AtLeast, 4),
            criterion("lowest_score_bp", Comparison::AtMost, 4_000),
        ];
        let both = Achievement::defined(achievement(both), Timestamp::EPOCH);
        let half = metrics(&[("reactions", 9)]);
        assert!(!both.qualifies(&half));
        assert_eq!(both.progress(&half).get(), 5_000);
        let whole = half.with(Metric::parse("lowest_score_bp").unwrap(), 0);
        assert!(both.qualifies(&whole));
        assert_eq!(both.progress(&whole).get(), 10_000);
        let by_hand = Achievement::defined(achievement(Vec::new()), Timestamp::EPOCH);
        assert!(!by_hand.qualifies(&whole));
        assert_eq!(by_hand.progress(&whole).get(), 0);
    }

    #[test]
    fn definitions_are_checked() {
        let one = criterion("reactions", Comparison::AtLeast, 1);
        let other = criterion("reactions", Comparison::AtLeast, 2);
        let range = criterion("reactions", Comparison::AtMost, 2);
        assert!(achievement(vec![one.clone(), range]).check().is_ok());
        assert_eq!(achievement(vec![one, other]).check().unwrap_err().rule, Rule::Duplicate);
        let many = (0..21).map(|n| criterion(&format!("c{n}"), Comparison::AtLeast, 1)).collect();
        assert_eq!(achievement(many).check().unwrap_err().rule, Rule::TooLong { max: 20 });
        let costly = NewAchievement {
            reward_points: Points::from_minor(-1).unwrap(),
            ..achievement(Vec::new())
        };
        assert_eq!(costly.check().unwrap_err().field, "reward_points");
    }

    #[test]
    fn the_same_definition_again_changes_nothing() {
        let new = achievement(Vec::new());
        let mut stored = Achievement::defined(new.clone(), Timestamp::EPOCH);
        stored.is_active = false;
        assert_eq!(stored.redefined(&new), None);
        let other = NewAchievement { tier: Tier::Gold, ..new };
        let redefined = stored.redefined(&other).unwrap();
        assert_eq!(
            (redefined.tier, redefined.version, redefined.is_active),
            (Tier::Gold, 2, false)
        );
    }
}
