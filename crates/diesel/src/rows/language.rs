//! Rows of members' languages.

use std::error::Error;

use diesel::prelude::*;
use guildhall_domain::{UserId, UserLanguage};
use guildhall_repository::StorageError;

use super::corrupt;
use crate::schema::user_languages;
use crate::types::DbTime;

/// A row of `user_languages`.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = user_languages, treat_none_as_default_value = false)]
pub(crate) struct LanguageRow {
    pub(crate) user_id: i64,
    pub(crate) language: String,
    pub(crate) is_primary: bool,
    pub(crate) proficiency: Option<String>,
    pub(crate) created_at: DbTime,
}

impl LanguageRow {
    /// The row of a language.
    pub(crate) fn of(language: &UserLanguage) -> Self {
        Self {
            user_id: language.user.0,
            language: language.language.to_string(),
            is_primary: language.is_primary,
            proficiency: language.proficiency.map(|known| known.as_str().to_owned()),
            created_at: DbTime(language.created_at),
        }
    }

    /// The language of a row.
    pub(crate) fn into_language(self) -> Result<UserLanguage, StorageError> {
        let key = format!("{} of user {}", self.language, self.user_id);
        let restored = || -> Result<UserLanguage, Box<dyn Error>> {
            Ok(UserLanguage {
                user: UserId(self.user_id),
                language: self.language.try_into()?,
                is_primary: self.is_primary,
                proficiency: self.proficiency.map(|known| known.parse()).transpose()?,
                created_at: self.created_at.0,
            })
        };
        restored().map_err(corrupt("language", key))
    }
}
