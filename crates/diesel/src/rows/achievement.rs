//! Rows of achievements, their criteria, and who has them.

use std::error::Error;

use diesel::prelude::*;
use guildhall_domain::{Achievement, Criterion, Points, Slug, Unlock, UserAchievement, UserId};
use guildhall_repository::StorageError;

use super::{corrupt, optional};
use crate::schema::{achievement_criteria, achievements, user_achievements};
use crate::types::{DbJson, DbTime};

/// A row of `achievements`.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = achievements, treat_none_as_null = true, treat_none_as_default_value = false)]
pub(crate) struct AchievementRow {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) description: Option<String>,
    pub(crate) category: String,
    pub(crate) tier: String,
    pub(crate) icon_url: Option<String>,
    pub(crate) reward_text: Option<String>,
    pub(crate) reward_points: i64,
    pub(crate) hidden: bool,
    pub(crate) sort_order: i32,
    pub(crate) is_active: bool,
    pub(crate) legacy_key: Option<String>,
    pub(crate) created_at: DbTime,
    pub(crate) version: i64,
}

impl AchievementRow {
    /// The row of an achievement, without its criteria.
    pub(crate) fn of(achievement: &Achievement) -> Self {
        Self {
            id: achievement.id.as_str().to_owned(),
            title: achievement.title.as_str().to_owned(),
            description: achievement.description.clone().map(String::from),
            category: achievement.category.as_str().to_owned(),
            tier: achievement.tier.as_str().to_owned(),
            icon_url: achievement.icon_url.clone().map(String::from),
            reward_text: achievement.reward_text.clone().map(String::from),
            reward_points: achievement.reward_points.minor(),
            hidden: achievement.hidden,
            sort_order: achievement.sort_order,
            is_active: achievement.is_active,
            legacy_key: achievement.legacy_key.clone().map(String::from),
            created_at: DbTime(achievement.created_at),
            version: achievement.version,
        }
    }

    /// The achievement of a row and its criteria, which come in order.
    pub(crate) fn into_achievement(
        self,
        criteria: Vec<CriterionRow>,
    ) -> Result<Achievement, StorageError> {
        let key = self.id.clone();
        let restored = || -> Result<Achievement, Box<dyn Error>> {
            Ok(Achievement {
                id: self.id.try_into()?,
                title: self.title.try_into()?,
                description: optional(self.description)?,
                category: self.category.try_into()?,
                tier: self.tier.parse()?,
                icon_url: optional(self.icon_url)?,
                reward_text: optional(self.reward_text)?,
                reward_points: Points::from_minor(self.reward_points)?,
                hidden: self.hidden,
                sort_order: self.sort_order,
                is_active: self.is_active,
                criteria: criteria
                    .into_iter()
                    .map(CriterionRow::into_criterion)
                    .collect::<Result<_, _>>()?,
                legacy_key: optional(self.legacy_key)?,
                created_at: self.created_at.0,
                version: self.version,
            })
        };
        restored().map_err(corrupt("achievement", key))
    }
}

/// A row of `achievement_criteria`.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = achievement_criteria)]
pub(crate) struct CriterionRow {
    pub(crate) achievement_id: String,
    pub(crate) idx: i32,
    pub(crate) metric: String,
    pub(crate) comparison: String,
    pub(crate) threshold: i64,
}

impl CriterionRow {
    /// The rows of an achievement's criteria.
    pub(crate) fn all(id: &Slug, criteria: &[Criterion]) -> Vec<Self> {
        let row = |(idx, criterion): (i32, &Criterion)| Self {
            achievement_id: id.as_str().to_owned(),
            idx,
            metric: criterion.metric.as_str().to_owned(),
            comparison: criterion.comparison.as_str().to_owned(),
            threshold: criterion.threshold,
        };
        (0..).zip(criteria).map(row).collect()
    }

    fn into_criterion(self) -> Result<Criterion, Box<dyn Error>> {
        Ok(Criterion {
            metric: self.metric.try_into()?,
            comparison: self.comparison.parse()?,
            threshold: self.threshold,
        })
    }
}

/// A row of `user_achievements`.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = user_achievements, treat_none_as_default_value = false)]
pub(crate) struct UserAchievementRow {
    pub(crate) user_id: i64,
    pub(crate) achievement_id: String,
    pub(crate) unlocked_at: DbTime,
    pub(crate) source: String,
    pub(crate) points_awarded: i64,
    pub(crate) context: Option<DbJson>,
}

impl UserAchievementRow {
    /// The row of an unlock at `now`.
    pub(crate) fn of(unlock: &Unlock, now: DbTime) -> Self {
        Self {
            user_id: unlock.user.0,
            achievement_id: unlock.achievement.as_str().to_owned(),
            unlocked_at: now,
            source: unlock.source.as_str().to_owned(),
            points_awarded: unlock.points.minor(),
            context: unlock.context.clone().map(DbJson),
        }
    }

    /// What the member has.
    pub(crate) fn into_held(self) -> Result<UserAchievement, StorageError> {
        let key = format!("{} of user {}", self.achievement_id, self.user_id);
        let restored = || -> Result<UserAchievement, Box<dyn Error>> {
            Ok(UserAchievement {
                user: UserId(self.user_id),
                achievement: self.achievement_id.try_into()?,
                unlocked_at: self.unlocked_at.0,
                source: self.source.try_into()?,
                points_awarded: Points::from_minor(self.points_awarded)?,
                context: self.context.map(|context| context.0),
            })
        };
        restored().map_err(corrupt("achievement", key))
    }
}
