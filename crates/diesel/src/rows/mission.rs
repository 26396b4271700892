//! Rows of missions and of what belongs to them.

use std::collections::HashMap;
use std::error::Error;

use diesel::prelude::*;
use guildhall_domain::{
    Mission, Objective, ObjectiveProgress, Reward, Slug, Timestamp, UserId, UserMission, fold,
};
use guildhall_repository::StorageError;

use super::{column, corrupt, count, optional};
use crate::schema::{mission_objectives, mission_rewards, missions, user_missions};
use crate::types::{DbJson, DbTime};

/// A row of `missions`.
#[derive(Clone, Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = missions, treat_none_as_null = true, treat_none_as_default_value = false)]
pub(crate) struct MissionRow {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) description: Option<String>,
    pub(crate) search_key: String,
    pub(crate) category: String,
    pub(crate) cadence: String,
    pub(crate) cooldown_s: i64,
    pub(crate) starts_at: Option<DbTime>,
    pub(crate) ends_at: Option<DbTime>,
    pub(crate) requires_action: bool,
    pub(crate) action_data: Option<DbJson>,
    pub(crate) sort_order: i64,
    pub(crate) is_active: bool,
    pub(crate) legacy_key: Option<String>,
    pub(crate) created_at: DbTime,
    pub(crate) updated_at: DbTime,
    pub(crate) version: i64,
}

impl MissionRow {
    /// The row of a mission.
    pub(crate) fn of(mission: &Mission) -> Self {
        let text = mission.description.as_ref().map_or("", |description| description.as_str());
        Self {
            id: mission.id.as_str().to_owned(),
            title: mission.title.as_str().to_owned(),
            description: mission.description.clone().map(String::from),
            // On lines of their own, so that no text is found that goes over the border.
            search_key: format!("{}\n{}", mission.title.folded(), fold(text)),
            category: mission.category.as_str().to_owned(),
            cadence: mission.cadence.as_str().to_owned(),
            cooldown_s: i64::from(mission.cooldown_s),
            starts_at: mission.starts_at.map(DbTime),
            ends_at: mission.ends_at.map(DbTime),
            requires_action: mission.requires_action,
            action_data: mission.action_data.clone().map(DbJson),
            sort_order: i64::from(mission.sort_order),
            is_active: mission.is_active,
            legacy_key: mission.legacy_key.clone().map(String::from),
            created_at: DbTime(mission.created_at),
            updated_at: DbTime(mission.updated_at),
            version: mission.version,
        }
    }

    /// The mission of a row and its parts.
    pub(crate) fn into_mission(self, parts: &MissionParts) -> Result<Mission, StorageError> {
        let key = self.id.clone();
        let restored = || -> Result<Mission, Box<dyn Error>> {
            Ok(Mission {
                objectives: parts.objectives_of(&self.id),
                rewards: parts.rewards_of(&self.id),
                id: self.id.try_into()?,
                title: self.title.try_into()?,
                description: optional(self.description)?,
                category: self.category.parse()?,
                cadence: self.cadence.parse()?,
                cooldown_s: u32::try_from(self.cooldown_s)?,
                starts_at: self.starts_at.map(|time| time.0),
                ends_at: self.ends_at.map(|time| time.0),
                requires_action: self.requires_action,
                action_data: self.action_data.map(|data| data.0),
                sort_order: i32::try_from(self.sort_order)?,
                is_active: self.is_active,
                legacy_key: optional(self.legacy_key)?,
                created_at: self.created_at.0,
                updated_at: self.updated_at.0,
                version: self.version,
            })
        };
        restored().map_err(corrupt("mission", key))
    }
}

/// A row of `mission_objectives`.
#[derive(Clone, Debug, Insertable)]
#[diesel(table_name = mission_objectives, treat_none_as_default_value = false)]
pub(crate) struct ObjectiveRow {
    mission_id: String,
    idx: i64,
    kind: &'static str,
    key: String,
    target: i64,
    mode: &'static str,
    description: Option<String>,
}

impl ObjectiveRow {
    /// The rows of a mission's objectives.
    pub(crate) fn all_of(mission: &Mission) -> Vec<Self> {
        let row = |(idx, objective): (i64, &Objective)| Self {
            mission_id: mission.id.as_str().to_owned(),
            idx,
            kind: objective.kind.as_str(),
            key: objective.key.as_str().to_owned(),
            target: column(objective.target),
            mode: objective.mode.as_str(),
            description: objective.description.clone().map(String::from),
        };
        (0..).zip(&mission.objectives).map(row).collect()
    }
}

/// A row of `mission_rewards`.
#[derive(Clone, Debug, Insertable)]
#[diesel(table_name = mission_rewards, treat_none_as_default_value = false)]
pub(crate) struct MissionRewardRow {
    mission_id: String,
    idx: i64,
    kind: &'static str,
    key: Option<String>,
    amount: Option<i64>,
}

impl MissionRewardRow {
    /// The rows of a mission's rewards.
    pub(crate) fn all_of(mission: &Mission) -> Vec<Self> {
        let row = |(idx, reward): (i64, &Reward)| Self {
            mission_id: mission.id.as_str().to_owned(),
            idx,
            kind: reward.kind(),
            key: reward.key(),
            amount: reward.minor(),
        };
        (0..).zip(&mission.rewards).map(row).collect()
    }
}

/// An objective, a reward, or how far a member is with an objective: all parts of many missions
/// come by one statement, and these are its columns.
#[derive(Queryable)]
pub(crate) struct PartRow {
    mission_id: String,
    idx: i64,
    /// Of an objective and a reward the kind, of progress the period.
    kind: String,
    key: Option<String>,
    /// The target, the amount or the value.
    number: Option<i64>,
    /// Objectives alone have one.
    mode: Option<String>,
    description: Option<String>,
    /// Progress alone has one.
    updated_at: Option<DbTime>,
}

/// The parts of missions.
#[derive(Default)]
pub(crate) struct MissionParts {
    objectives: HashMap<String, Vec<(i64, Objective)>>,
    rewards: HashMap<String, Vec<(i64, Reward)>>,
    /// By mission and period.
    values: HashMap<(String, String), Vec<Counted>>,
}

/// What was counted for an objective.
struct Counted {
    idx: i64,
    value: i64,
    at: Timestamp,
}

impl MissionParts {
    /// Sorts parts by what they belong to.
    pub(crate) fn of(rows: Vec<PartRow>) -> Result<Self, StorageError> {
        let mut parts = Self::default();
        for row in rows {
            let key = format!("{} part {}", row.mission_id, row.idx);
            parts.add(row).map_err(corrupt("mission", key))?;
        }
        parts.objectives.values_mut().for_each(|all| all.sort_unstable_by_key(|(idx, _)| *idx));
        parts.rewards.values_mut().for_each(|all| all.sort_unstable_by_key(|(idx, _)| *idx));
        Ok(parts)
    }

    fn add(&mut self, row: PartRow) -> Result<(), Box<dyn Error>> {
        let PartRow { mission_id, idx, kind, key, number, mode, description, updated_at } = row;
        if let Some(DbTime(at)) = updated_at {
            let value = number.unwrap_or(0);
            self.values.entry((mission_id, kind)).or_default().push(Counted { idx, value, at });
        } else if let Some(mode) = mode {
            let objective = Objective {
                kind: kind.parse()?,
                key: key.unwrap_or_default().try_into()?,
                target: count(number.unwrap_or(0)),
                mode: mode.parse()?,
                description: optional(description)?,
            };
            self.objectives.entry(mission_id).or_default().push((idx, objective));
        } else {
            let reward = Reward::from_parts(&kind, key.as_deref(), number)?;
            self.rewards.entry(mission_id).or_default().push((idx, reward));
        }
        Ok(())
    }

    fn objectives_of(&self, mission: &str) -> Vec<Objective> {
        let all = self.objectives.get(mission).into_iter().flatten();
        all.map(|(_, objective)| objective.clone()).collect()
    }

    fn rewards_of(&self, mission: &str) -> Vec<Reward> {
        let all = self.rewards.get(mission).into_iter().flatten();
        all.map(|(_, reward)| reward.clone()).collect()
    }

    /// How far each objective of a mission is in a period.
    fn progress_of(&self, mission: &str, period: &str) -> Vec<ObjectiveProgress> {
        let values = self.values.get(&(mission.to_owned(), period.to_owned()));
        let counted = |idx: i64| values?.iter().find(|counted| counted.idx == idx);
        let progress = |(idx, objective): &(i64, Objective)| ObjectiveProgress {
            idx: u16::try_from(*idx).unwrap_or(u16::MAX), // At most 20.
            value: counted(*idx).map_or(0, |counted| count(counted.value)),
            target: objective.target,
            updated_at: counted(*idx).map(|counted| counted.at),
        };
        self.objectives.get(mission).into_iter().flatten().map(progress).collect()
    }
}

/// A row of `user_missions`.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = user_missions, treat_none_as_default_value = false)]
pub(crate) struct UserMissionRow {
    pub(crate) user_id: i64,
    pub(crate) mission_id: String,
    pub(crate) period: String,
    pub(crate) nth: Option<i64>,
    pub(crate) status: String,
    pub(crate) started_at: DbTime,
    pub(crate) completed_at: Option<DbTime>,
    pub(crate) rewarded_entry_id: Option<i64>,
    pub(crate) paid_elsewhere: bool,
    pub(crate) version: i64,
}

impl UserMissionRow {
    /// The mission in a member's hands, with how far its objectives are.
    pub(crate) fn into_user_mission(
        self,
        parts: &MissionParts,
    ) -> Result<UserMission, StorageError> {
        let objectives = parts.progress_of(&self.mission_id, &self.period);
        let key = format!("{} of user {} in {}", self.mission_id, self.user_id, self.period);
        let restored = || -> Result<UserMission, Box<dyn Error>> {
            Ok(UserMission {
                user: UserId(self.user_id),
                mission: Slug::try_from(self.mission_id)?,
                period: self.period.parse()?,
                status: self.status.parse()?,
                started_at: self.started_at.0,
                completed_at: self.completed_at.map(|time| time.0),
                rewarded_entry: self.rewarded_entry_id.map(guildhall_domain::EntryId),
                paid_elsewhere: self.paid_elsewhere,
                objectives,
                version: self.version,
            })
        };
        restored().map_err(corrupt("mission of a member", key))
    }
}
