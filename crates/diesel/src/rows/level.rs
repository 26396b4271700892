//! Rows of levels.

use std::error::Error;

use diesel::prelude::*;
use guildhall_domain::{Level, Xp};
use guildhall_repository::StorageError;

use super::{corrupt, optional};
use crate::schema::levels;

/// A row of `levels`.
#[derive(Clone, Debug, PartialEq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = levels, treat_none_as_null = true, treat_none_as_default_value = false)]
pub(crate) struct LevelRow {
    pub(crate) level: i64,
    pub(crate) name: String,
    pub(crate) min_xp: i64,
    pub(crate) reward_text: Option<String>,
    pub(crate) unlocks_lore_code: Option<String>,
}

impl LevelRow {
    /// The row of a level.
    pub(crate) fn of(level: &Level) -> Self {
        Self {
            level: i64::from(level.level),
            name: level.name.as_str().to_owned(),
            min_xp: level.min_xp.minor(),
            reward_text: level.reward_text.clone().map(String::from),
            unlocks_lore_code: level.unlocks_lore_code.clone().map(String::from),
        }
    }

    /// The level of a row.
    pub(crate) fn into_level(self) -> Result<Level, StorageError> {
        let key = self.level;
        let restored = || -> Result<Level, Box<dyn Error>> {
            Ok(Level {
                level: u32::try_from(self.level)?,
                name: self.name.try_into()?,
                min_xp: Xp::from_minor(self.min_xp)?,
                reward_text: optional(self.reward_text)?,
                unlocks_lore_code: optional(self.unlocks_lore_code)?,
            })
        };
        restored().map_err(corrupt("level", key))
    }
}
