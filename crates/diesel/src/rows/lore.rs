//! Rows of lore.

use std::collections::BTreeSet;
use std::error::Error;

use diesel::prelude::*;
use guildhall_domain::{
    FoundLore, HintCombination, LoreId, LorePiece, NewLorePiece, Timestamp, UserId, UserLore,
};
use guildhall_repository::{NewUserLore, StorageError};

use super::narrative::{RequirementRow, restored_requirements};
use super::{corrupt, optional};
use crate::schema::{hint_combination_pieces, hint_combinations, lore_pieces, user_lore};
use crate::types::{DbJson, DbTime};

/// A row of `lore_pieces`.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = lore_pieces)]
pub(crate) struct LoreRow {
    pub(crate) id: i64,
    pub(crate) code: String,
    pub(crate) title: String,
    pub(crate) description: Option<String>,
    pub(crate) content_type: String,
    pub(crate) content: String,
    pub(crate) category: Option<String>,
    pub(crate) is_main_story: bool,
    pub(crate) is_active: bool,
    pub(crate) legacy_key: Option<String>,
    pub(crate) created_at: DbTime,
    pub(crate) updated_at: DbTime,
    pub(crate) version: i64,
}

/// A row of `lore_pieces` whose id the database assigns, or keeps.
#[derive(Clone, Debug, Insertable, AsChangeset)]
#[diesel(table_name = lore_pieces, treat_none_as_null = true, treat_none_as_default_value = false)]
pub(crate) struct NewLoreRow {
    pub(crate) code: String,
    pub(crate) title: String,
    pub(crate) description: Option<String>,
    pub(crate) content_type: String,
    pub(crate) content: String,
    pub(crate) category: Option<String>,
    pub(crate) is_main_story: bool,
    pub(crate) is_active: bool,
    pub(crate) legacy_key: Option<String>,
    pub(crate) created_at: DbTime,
    pub(crate) updated_at: DbTime,
    pub(crate) version: i64,
}

impl NewLoreRow {
    /// The row of a piece that is new, or one version past `stored`.
    pub(crate) fn of(new: &NewLorePiece, stored: Option<&LorePiece>, now: Timestamp) -> Self {
        Self {
            code: new.code.to_string(),
            title: new.title.to_string(),
            description: new.description.clone().map(String::from),
            content_type: new.content_type.as_str().to_owned(),
            content: new.content.to_string(),
            category: new.category.clone().map(String::from),
            is_main_story: new.is_main_story,
            is_active: new.is_active,
            legacy_key: new.legacy_key.clone().map(String::from),
            created_at: DbTime(stored.map_or(now, |stored| stored.created_at)),
            updated_at: DbTime(now),
            version: stored.map_or(1, |stored| stored.version + 1),
        }
    }
}

impl LoreRow {
    /// The piece of a row and of the requirements of it, in their order.
    pub(crate) fn into_piece(
        self,
        requirements: Vec<RequirementRow>,
    ) -> Result<LorePiece, StorageError> {
        let key = self.id;
        let restored = || -> Result<LorePiece, Box<dyn Error>> {
            Ok(LorePiece {
                id: LoreId(self.id),
                code: self.code.try_into()?,
                title: self.title.try_into()?,
                description: optional(self.description)?,
                content_type: self.content_type.parse()?,
                content: self.content.try_into()?,
                category: optional(self.category)?,
                is_main_story: self.is_main_story,
                is_active: self.is_active,
                requirements: restored_requirements(requirements)?,
                legacy_key: optional(self.legacy_key)?,
                created_at: self.created_at.0,
                updated_at: self.updated_at.0,
                version: self.version,
            })
        };
        restored().map_err(corrupt("lore", key))
    }
}

/// A row of `user_lore`.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = user_lore, treat_none_as_default_value = false)]
pub(crate) struct UserLoreRow {
    pub(crate) user_id: i64,
    pub(crate) lore_id: i64,
    pub(crate) unlocked_at: DbTime,
    pub(crate) source: String,
    pub(crate) context: Option<DbJson>,
}

impl UserLoreRow {
    /// The row of what a member is given.
    pub(crate) fn of(new: &NewUserLore, now: Timestamp) -> Self {
        Self {
            user_id: new.user.0,
            lore_id: new.lore.0,
            unlocked_at: DbTime(now),
            source: new.source.to_string(),
            context: new.context.clone().map(DbJson),
        }
    }

    /// What a row says, with the code of its piece.
    pub(crate) fn into_user_lore(self, code: String) -> Result<UserLore, StorageError> {
        let key = format!("{} of user {}", self.lore_id, self.user_id);
        let restored = || -> Result<UserLore, Box<dyn Error>> {
            Ok(UserLore {
                user: UserId(self.user_id),
                lore: LoreId(self.lore_id),
                code: code.try_into()?,
                unlocked_at: self.unlocked_at.0,
                source: self.source.try_into()?,
                context: self.context.map(|context| context.0),
            })
        };
        restored().map_err(corrupt("found lore", key))
    }

    /// What a row says, with its piece.
    pub(crate) fn into_found(self, piece: LorePiece) -> Result<FoundLore, StorageError> {
        let key = format!("{} of user {}", self.lore_id, self.user_id);
        let source = self.source.try_into();
        Ok(FoundLore {
            piece,
            unlocked_at: self.unlocked_at.0,
            source: source.map_err(|error: guildhall_domain::Violation| {
                corrupt("found lore", key)(error.into())
            })?,
            context: self.context.map(|context| context.0),
        })
    }
}

/// A row of `hint_combinations`.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = hint_combinations, treat_none_as_default_value = false)]
pub(crate) struct CombinationRow {
    pub(crate) code: String,
    pub(crate) pieces_key: String,
    pub(crate) reward_lore_id: i64,
    pub(crate) legacy_key: Option<String>,
}

/// A row of `hint_combination_pieces`.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = hint_combination_pieces)]
pub(crate) struct CombinationPieceRow {
    pub(crate) code: String,
    pub(crate) lore_id: i64,
}

impl CombinationRow {
    /// The row of a combination.
    pub(crate) fn of(combination: &HintCombination) -> Self {
        Self {
            code: combination.code.to_string(),
            pieces_key: Self::pieces_key(&combination.required),
            reward_lore_id: combination.reward.0,
            legacy_key: combination.legacy_key.clone().map(String::from),
        }
    }

    /// The ids of the pieces, ascending: what a combination is found by.
    pub(crate) fn pieces_key(pieces: &BTreeSet<LoreId>) -> String {
        let ids: Vec<String> = pieces.iter().map(ToString::to_string).collect();
        ids.join(",")
    }

    /// The combination of a row.
    pub(crate) fn into_combination(self) -> Result<HintCombination, StorageError> {
        let key = self.code.clone();
        let restored = || -> Result<HintCombination, Box<dyn Error>> {
            let ids = self.pieces_key.split(',').map(str::parse);
            Ok(HintCombination {
                code: self.code.try_into()?,
                required: ids.map(|id| id.map(LoreId)).collect::<Result<_, _>>()?,
                reward: LoreId(self.reward_lore_id),
                legacy_key: optional(self.legacy_key)?,
            })
        };
        restored().map_err(corrupt("hint combination", key))
    }
}
