//! Achievements and badges.

use guildhall_adapter::domain::{
    Achievement, Badge, Criterion, CriterionProgress, DomainEvent, HeldAchievement, HeldBadge,
    Outcome, PendingAchievement, UserAchievement, UserBadge, VipTerm,
};
use guildhall_adapter::service::Done;
use serde::Serialize;

use super::{Effects, text};

/// `achievement list`.
#[derive(Serialize)]
pub(crate) struct Achievements {
    pub(crate) items: Vec<AchievementItem>,
    pub(crate) next_cursor: Option<String>,
}

#[derive(Serialize)]
pub(crate) struct AchievementItem {
    id: String,
    title: String,
    description: Option<String>,
    category: String,
    tier: &'static str,
    reward_points: String,
    hidden: bool,
    is_active: bool,
    criteria: Vec<Asked>,
}

#[derive(Serialize)]
struct Asked {
    metric: String,
    comparison: &'static str,
    threshold: i64,
}

impl From<&Criterion> for Asked {
    fn from(criterion: &Criterion) -> Self {
        Self {
            metric: criterion.metric.to_string(),
            comparison: criterion.comparison.as_str(),
            threshold: criterion.threshold,
        }
    }
}

impl From<&Achievement> for AchievementItem {
    fn from(achievement: &Achievement) -> Self {
        Self {
            id: achievement.id.to_string(),
            title: achievement.title.to_string(),
            description: text(achievement.description.as_ref()),
            category: achievement.category.to_string(),
            tier: achievement.tier.as_str(),
            reward_points: achievement.reward_points.to_string(),
            hidden: achievement.hidden,
            is_active: achievement.is_active,
            criteria: achievement.criteria.iter().map(Asked::from).collect(),
        }
    }
}

/// `achievement list --user`.
#[derive(Serialize)]
pub(crate) struct MemberHonours {
    pub(crate) held: Vec<Unlocked>,
    pub(crate) pending: Vec<Pending>,
    pub(crate) badges: Vec<Worn>,
}

/// An achievement that a member has.
#[derive(Serialize)]
pub(crate) struct Unlocked {
    achievement: String,
    unlocked_at: String,
    source: String,
    points_awarded: String,
}

impl From<&UserAchievement> for Unlocked {
    fn from(unlocked: &UserAchievement) -> Self {
        Self {
            achievement: unlocked.achievement.to_string(),
            unlocked_at: unlocked.unlocked_at.to_string(),
            source: unlocked.source.to_string(),
            points_awarded: unlocked.points_awarded.to_string(),
        }
    }
}

impl From<&HeldAchievement> for Unlocked {
    fn from(held: &HeldAchievement) -> Self {
        (&held.unlocked).into()
    }
}

/// An achievement that a member does not have. `title` is `null` where it is hidden.
#[derive(Serialize)]
pub(crate) struct Pending {
    achievement: String,
    title: Option<String>,
    tier: &'static str,
    progress_bp: i32,
    criteria: Vec<Reached>,
}

#[derive(Serialize)]
struct Reached {
    #[serde(flatten)]
    asked: Asked,
    value: Option<i64>,
    progress_bp: i32,
}

impl From<&PendingAchievement> for Pending {
    fn from(pending: &PendingAchievement) -> Self {
        let reached = |it: &CriterionProgress| Reached {
            asked: (&it.criterion).into(),
            value: it.value,
            progress_bp: it.progress.get(),
        };
        Self {
            achievement: pending.id.to_string(),
            title: pending.text.as_ref().map(|text| text.title.to_string()),
            tier: pending.tier.as_str(),
            progress_bp: pending.progress.get(),
            criteria: pending.criteria.iter().map(reached).collect(),
        }
    }
}

/// A badge that a member has.
#[derive(Serialize)]
pub(crate) struct Worn {
    badge: i64,
    name: String,
    awarded_at: String,
}

impl From<&HeldBadge> for Worn {
    fn from(held: &HeldBadge) -> Self {
        Self {
            badge: held.badge.id.0,
            name: held.badge.name.to_string(),
            awarded_at: held.held.awarded_at.to_string(),
        }
    }
}

/// `achievement unlock`.
#[derive(Serialize)]
pub(crate) struct Achieved {
    replayed: bool,
    unlocked: Unlocked,
    effects: Effects,
}

impl From<&Outcome<Done<UserAchievement>>> for Achieved {
    fn from(outcome: &Outcome<Done<UserAchievement>>) -> Self {
        Self {
            replayed: outcome.replayed,
            unlocked: (&outcome.value.value).into(),
            effects: Effects::new(&outcome.value.effects, &outcome.events),
        }
    }
}

/// `achievement evaluate`.
#[derive(Serialize)]
pub(crate) struct Evaluated {
    replayed: bool,
    effects: Effects,
}

impl From<&Outcome<Done<()>>> for Evaluated {
    fn from(outcome: &Outcome<Done<()>>) -> Self {
        let effects = Effects::new(&outcome.value.effects, &outcome.events);
        Self { replayed: outcome.replayed, effects }
    }
}

/// `badge list`.
#[derive(Serialize)]
pub(crate) struct Badges {
    pub(crate) items: Vec<BadgeItem>,
    pub(crate) next_cursor: Option<String>,
}

/// `vip_days` is `null` for a badge that makes nobody a VIP, and for one that does for ever.
#[derive(Serialize)]
pub(crate) struct BadgeItem {
    id: i64,
    name: String,
    description: Option<String>,
    tier: &'static str,
    metric: Option<String>,
    threshold: Option<i64>,
    grants_vip: bool,
    vip_days: Option<u32>,
    revocable: bool,
    is_active: bool,
}

impl From<&Badge> for BadgeItem {
    fn from(badge: &Badge) -> Self {
        let vip_days = match badge.vip {
            Some(VipTerm::Days(days)) => Some(days),
            Some(VipTerm::Lifetime) | None => None,
        };
        Self {
            id: badge.id.0,
            name: badge.name.to_string(),
            description: text(badge.description.as_ref()),
            tier: badge.tier.as_str(),
            metric: badge.rule.as_ref().map(|rule| rule.metric.to_string()),
            threshold: badge.rule.as_ref().map(|rule| rule.threshold),
            grants_vip: badge.vip.is_some(),
            vip_days,
            revocable: badge.revocable,
            is_active: badge.is_active,
        }
    }
}

/// `badge award`.
#[derive(Serialize)]
pub(crate) struct Awarded {
    replayed: bool,
    badge: i64,
    user_id: i64,
    awarded_at: String,
    awarded_by: Option<i64>,
    source: String,
    effects: Effects,
}

impl From<&Outcome<Done<UserBadge>>> for Awarded {
    fn from(outcome: &Outcome<Done<UserBadge>>) -> Self {
        let held = &outcome.value.value;
        Self {
            replayed: outcome.replayed,
            badge: held.badge.0,
            user_id: held.user.0,
            awarded_at: held.awarded_at.to_string(),
            awarded_by: held.awarded_by.map(|user| user.0),
            source: held.source.to_string(),
            effects: Effects::new(&outcome.value.effects, &outcome.events),
        }
    }
}

/// `badge revoke`. `revoked` is false when the member did not have it.
#[derive(Serialize)]
pub(crate) struct Revoked {
    revoked: bool,
    badge: i64,
    user_id: i64,
    vip_revoked: bool,
}

impl Revoked {
    pub(crate) fn new((user_id, badge): (i64, i64), outcome: &Outcome<Done<bool>>) -> Self {
        let lost = |event: &DomainEvent| matches!(event, DomainEvent::VipRevoked { .. });
        let vip_revoked = outcome.events.iter().any(lost);
        Self { revoked: outcome.value.value, badge, user_id, vip_revoked }
    }
}
