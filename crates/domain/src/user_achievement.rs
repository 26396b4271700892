//! Achievements in members' hands, and on the way there.

use crate::achievement::{Achievement, Criterion, Tier};
use crate::amount::{BasisPoints, Points};
use crate::json::Json;
use crate::metric::MetricSnapshot;
use crate::text::{Label, RewardText, Slug, Source, Summary, Url};
use crate::time::Timestamp;
use crate::user::UserId;

/// That a member is given an achievement.
#[derive(Clone, Debug, PartialEq)]
pub struct Unlock {
    /// To whom.
    pub user: UserId,
    /// Which.
    pub achievement: Slug,
    /// What for: `rule`, `mission`, `fragment`, `admin`.
    pub source: Source,
    /// What it pays; paying it is for whoever unlocks.
    pub points: Points,
    /// What else is to be remembered.
    pub context: Option<Json>,
}

/// That a member has an achievement. Written once; it never changes.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct UserAchievement {
    /// Who has it.
    pub user: UserId,
    /// Which.
    pub achievement: Slug,
    /// Since when.
    pub unlocked_at: Timestamp,
    /// What for.
    pub source: Source,
    /// What it paid.
    pub points_awarded: Points,
    /// What else is remembered.
    pub context: Option<Json>,
}

/// An achievement that a member has.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct HeldAchievement {
    /// The achievement as it is defined now.
    pub achievement: Achievement,
    /// How the member came by it.
    pub unlocked: UserAchievement,
}

/// How much of a criterion a member has reached.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct CriterionProgress {
    /// The criterion.
    pub criterion: Criterion,
    /// The member's value; `None` when it was never measured.
    pub value: Option<i64>,
    /// How much is reached, at most 10 000.
    pub progress: BasisPoints,
}

/// What an achievement says.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct AchievementText {
    /// What it is called.
    pub title: Label,
    /// What it honours.
    pub description: Option<Summary>,
    /// Address of a picture.
    pub icon_url: Option<Url>,
    /// What is promised in words.
    pub reward_text: Option<RewardText>,
}

/// An active achievement that a member does not have yet.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct PendingAchievement {
    /// Its key.
    pub id: Slug,
    /// What lists group by.
    pub category: Slug,
    /// Its rank.
    pub tier: Tier,
    /// What it pays.
    pub reward_points: Points,
    /// What it says; `None` for a hidden one.
    pub text: Option<AchievementText>,
    /// How much of it is reached: the mean of its criteria.
    pub progress: BasisPoints,
    /// Its criteria, in the order of the definition.
    pub criteria: Vec<CriterionProgress>,
}

impl PendingAchievement {
    /// How far these metrics are from `achievement`.
    #[must_use]
    pub fn of(achievement: Achievement, metrics: &MetricSnapshot) -> Self {
        let progress = achievement.progress(metrics);
        let reached = |criterion: Criterion| CriterionProgress {
            value: metrics.value(&criterion.metric),
            progress: criterion.progress(metrics),
            criterion,
        };
        let text = AchievementText {
            title: achievement.title,
            description: achievement.description,
            icon_url: achievement.icon_url,
            reward_text: achievement.reward_text,
        };
        Self {
            id: achievement.id,
            category: achievement.category,
            tier: achievement.tier,
            reward_points: achievement.reward_points,
            text: (!achievement.hidden).then_some(text),
            progress,
            criteria: achievement.criteria.into_iter().map(reached).collect(),
        }
    }
}

/// An achievement that somebody unlocked lately.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct RecentUnlock {
    /// How the member came by it.
    pub unlocked: UserAchievement,
    /// The member's shown name.
    pub user_name: String,
    /// Address of the member's picture.
    pub avatar_url: Option<Url>,
    /// What the achievement is called.
    pub title: Label,
    /// Its rank.
    pub tier: Tier,
}
