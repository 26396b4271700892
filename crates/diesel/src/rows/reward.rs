//! Rows of the log of rewards.

use std::error::Error;

use diesel::prelude::*;
use guildhall_domain::{GrantedReward, Reward, UserId};
use guildhall_repository::StorageError;

use super::corrupt;
use crate::schema::reward_log;
use crate::types::DbTime;

/// A row of `reward_log`.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = reward_log)]
pub(crate) struct RewardRow {
    pub(crate) id: i64,
    pub(crate) user_id: i64,
    pub(crate) kind: String,
    pub(crate) reward_key: Option<String>,
    pub(crate) amount: Option<i64>,
    pub(crate) source: String,
    pub(crate) once_key: String,
    pub(crate) granted_at: DbTime,
}

impl RewardRow {
    /// The reward of a row.
    pub(crate) fn into_reward(self) -> Result<GrantedReward, StorageError> {
        let key = self.id;
        let restored = || -> Result<GrantedReward, Box<dyn Error>> {
            Ok(GrantedReward {
                user: UserId(self.user_id),
                reward: Reward::from_parts(&self.kind, self.reward_key.as_deref(), self.amount)?,
                source: self.source.try_into()?,
                once_key: self.once_key.try_into()?,
                granted_at: self.granted_at.0,
            })
        };
        restored().map_err(corrupt("reward", key))
    }
}

/// A reward to be appended.
#[derive(Clone, Debug, Insertable)]
#[diesel(table_name = reward_log, treat_none_as_default_value = false)]
pub(crate) struct NewRewardRow {
    pub(crate) user_id: i64,
    pub(crate) kind: &'static str,
    pub(crate) reward_key: Option<String>,
    pub(crate) amount: Option<i64>,
    pub(crate) source: String,
    pub(crate) once_key: String,
    pub(crate) granted_at: DbTime,
}

impl NewRewardRow {
    /// The row of a reward.
    pub(crate) fn of(given: &GrantedReward) -> Self {
        Self {
            user_id: given.user.0,
            kind: given.reward.kind(),
            reward_key: given.reward.key(),
            amount: given.reward.minor(),
            source: given.source.to_string(),
            once_key: given.once_key.to_string(),
            granted_at: DbTime(given.granted_at),
        }
    }
}
