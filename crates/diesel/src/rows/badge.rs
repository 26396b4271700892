//! Rows of badges, who has them, and what happened to them.

use std::error::Error;

use diesel::prelude::*;
use guildhall_domain::{
    Badge, BadgeEvent, BadgeEventId, BadgeId, BadgeRule, NewBadge, Timestamp, UserBadge,
    UserBadgeId, UserId, VipGrantId, VipTerm,
};
use guildhall_repository::StorageError;

use super::{corrupt, optional};
use crate::schema::{badge_events, badges, user_badges};
use crate::types::DbTime;

/// The columns of `badges` that are not assigned by the store.
#[derive(Clone, Debug, PartialEq, Eq, Insertable, AsChangeset)]
#[diesel(table_name = badges, treat_none_as_null = true, treat_none_as_default_value = false)]
pub(crate) struct BadgeColumns {
    name: String,
    name_key: String,
    description: Option<String>,
    icon: Option<String>,
    emoji: Option<String>,
    tier: String,
    metric: Option<String>,
    threshold: Option<i64>,
    grants_vip: bool,
    vip_duration_days: Option<i32>,
    auto_permissions: bool,
    revocable: bool,
    is_active: bool,
    created_at: DbTime,
    version: i64,
}

impl BadgeColumns {
    /// Of a badge that is defined at `now`.
    pub(crate) fn defined(new: NewBadge, now: Timestamp) -> Self {
        Self::of(&Badge {
            id: BadgeId(0), // Not among the columns.
            name: new.name,
            description: new.description,
            icon: new.icon,
            emoji: new.emoji,
            tier: new.tier,
            rule: new.rule,
            vip: new.vip,
            auto_permissions: new.auto_permissions,
            revocable: new.revocable,
            is_active: new.is_active,
            created_at: now,
            version: 1,
        })
    }

    /// Of a badge.
    pub(crate) fn of(badge: &Badge) -> Self {
        // A hundred years at most.
        let days = badge.vip.and_then(VipTerm::days).and_then(|days| i32::try_from(days).ok());
        Self {
            name: badge.name.as_str().to_owned(),
            name_key: badge.name.folded(),
            description: badge.description.clone().map(String::from),
            icon: badge.icon.clone().map(String::from),
            emoji: badge.emoji.clone().map(String::from),
            tier: badge.tier.as_str().to_owned(),
            metric: badge.rule.as_ref().map(|rule| rule.metric.as_str().to_owned()),
            threshold: badge.rule.as_ref().map(|rule| rule.threshold),
            grants_vip: badge.vip.is_some(),
            vip_duration_days: days,
            auto_permissions: badge.auto_permissions,
            revocable: badge.revocable,
            is_active: badge.is_active,
            created_at: DbTime(badge.created_at),
            version: badge.version,
        }
    }
}

/// A row of `badges`.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = badges)]
pub(crate) struct BadgeRow {
    pub(crate) id: i64,
    name: String,
    description: Option<String>,
    icon: Option<String>,
    emoji: Option<String>,
    tier: String,
    metric: Option<String>,
    threshold: Option<i64>,
    grants_vip: bool,
    vip_duration_days: Option<i32>,
    auto_permissions: bool,
    revocable: bool,
    is_active: bool,
    created_at: DbTime,
    version: i64,
}

impl BadgeRow {
    /// The badge of a row.
    pub(crate) fn into_badge(self) -> Result<Badge, StorageError> {
        let key = self.id;
        let restored = || -> Result<Badge, Box<dyn Error>> {
            let rule = match (self.metric, self.threshold) {
                (Some(metric), Some(threshold)) => {
                    Some(BadgeRule { metric: metric.try_into()?, threshold })
                }
                _ => None,
            };
            let vip = match (self.grants_vip, self.vip_duration_days) {
                (false, _) => None,
                (true, days) => Some(VipTerm::of_days(days.map(u32::try_from).transpose()?)?),
            };
            Ok(Badge {
                id: BadgeId(self.id),
                name: self.name.try_into()?,
                description: optional(self.description)?,
                icon: optional(self.icon)?,
                emoji: optional(self.emoji)?,
                tier: self.tier.parse()?,
                rule,
                vip,
                auto_permissions: self.auto_permissions,
                revocable: self.revocable,
                is_active: self.is_active,
                created_at: self.created_at.0,
                version: self.version,
            })
        };
        restored().map_err(corrupt("badge", key))
    }
}

/// A row of `user_badges`.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = user_badges)]
pub(crate) struct UserBadgeRow {
    pub(crate) id: i64,
    pub(crate) user_id: i64,
    pub(crate) badge_id: i64,
    pub(crate) awarded_at: DbTime,
    pub(crate) awarded_by: Option<i64>,
    pub(crate) source: String,
    pub(crate) vip_grant_id: Option<i64>,
}

impl UserBadgeRow {
    /// What the member has.
    pub(crate) fn into_held(self) -> Result<UserBadge, StorageError> {
        let source = self.source.try_into();
        Ok(UserBadge {
            id: UserBadgeId(self.id),
            user: UserId(self.user_id),
            badge: BadgeId(self.badge_id),
            awarded_at: self.awarded_at.0,
            awarded_by: self.awarded_by.map(UserId),
            source: source.map_err(|error| StorageError::integrity("badge", self.id, error))?,
            vip_grant: self.vip_grant_id.map(VipGrantId),
        })
    }
}

/// A row of `badge_events`.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = badge_events)]
pub(crate) struct BadgeEventRow {
    pub(crate) id: i64,
    user_id: i64,
    badge_id: i64,
    kind: String,
    actor: Option<i64>,
    reason: Option<String>,
    at: DbTime,
}

impl BadgeEventRow {
    /// The event of a row.
    pub(crate) fn into_event(self) -> Result<BadgeEvent, StorageError> {
        let key = self.id;
        let restored = || -> Result<BadgeEvent, Box<dyn Error>> {
            Ok(BadgeEvent {
                id: BadgeEventId(self.id),
                user: UserId(self.user_id),
                badge: BadgeId(self.badge_id),
                kind: self.kind.parse()?,
                actor: self.actor.map(UserId),
                reason: optional(self.reason)?,
                at: self.at.0,
            })
        };
        restored().map_err(corrupt("badge event", key))
    }
}
