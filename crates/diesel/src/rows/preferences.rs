//! Rows of preferences.

use std::collections::BTreeMap;
use std::error::Error;

use diesel::prelude::*;
use guildhall_domain::{Json, Preferences, UserId};
use guildhall_repository::StorageError;

use super::corrupt;
use crate::schema::user_preferences;
use crate::types::{DbJson, DbTime};

/// A row of `user_preferences`.
#[derive(Clone, Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = user_preferences)]
pub(crate) struct PreferencesRow {
    pub(crate) user_id: i64,
    pub(crate) reading_level: String,
    pub(crate) theme: String,
    pub(crate) notify_email: bool,
    pub(crate) notify_sms: bool,
    pub(crate) offline_limit_mb: i64,
    pub(crate) auto_download: bool,
    pub(crate) extra: DbJson,
    pub(crate) updated_at: DbTime,
    pub(crate) version: i64,
}

impl PreferencesRow {
    /// The row of what a member said; `None` for the defaults, which have none. Refuses entries
    /// that are too large together.
    pub(crate) fn of(preferences: &Preferences) -> Result<Option<Self>, StorageError> {
        let Some(updated_at) = preferences.updated_at else {
            return Ok(None);
        };
        let entries = preferences.extra.iter();
        let extra = entries.map(|(name, value)| (name.to_string(), value.as_str().into()));
        Ok(Some(Self {
            user_id: preferences.user.0,
            reading_level: preferences.reading_level.as_str().to_owned(),
            theme: preferences.theme.as_str().to_owned(),
            notify_email: preferences.notify_email,
            notify_sms: preferences.notify_sms,
            offline_limit_mb: i64::from(preferences.offline_limit_mb),
            auto_download: preferences.auto_download,
            extra: DbJson(Json::new(serde_json::Value::Object(extra.collect()))?),
            updated_at: DbTime(updated_at),
            version: preferences.version,
        }))
    }

    /// The preferences of a row.
    pub(crate) fn into_preferences(self) -> Result<Preferences, StorageError> {
        let key = self.user_id;
        let restored = || -> Result<Preferences, Box<dyn Error>> {
            let entries = self.extra.0.value().as_object().ok_or("entries that are no object")?;
            let mut extra = BTreeMap::new();
            for (name, value) in entries {
                let value = value.as_str().ok_or("an entry that is no text")?;
                extra.insert(name.parse()?, value.parse()?);
            }
            Ok(Preferences {
                user: UserId(self.user_id),
                reading_level: self.reading_level.parse()?,
                theme: self.theme.parse()?,
                notify_email: self.notify_email,
                notify_sms: self.notify_sms,
                offline_limit_mb: u32::try_from(self.offline_limit_mb)?,
                auto_download: self.auto_download,
                extra,
                updated_at: Some(self.updated_at.0),
                version: self.version,
            })
        };
        restored().map_err(corrupt("preferences", key))
    }
}
