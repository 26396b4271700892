//! Rows of accessibility settings.

use std::error::Error;

use diesel::prelude::*;
use guildhall_domain::{Accessibility, UserId};
use guildhall_repository::StorageError;

use super::{corrupt, optional};
use crate::schema::user_accessibility;
use crate::types::DbTime;

/// A row of `user_accessibility`.
#[derive(Clone, Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = user_accessibility)]
#[diesel(treat_none_as_null = true, treat_none_as_default_value = false)]
pub(crate) struct AccessibilityRow {
    pub(crate) user_id: i64,
    pub(crate) font_size: i32,
    pub(crate) font_family: Option<String>,
    pub(crate) line_height: i32,
    pub(crate) high_contrast: bool,
    pub(crate) large_text: bool,
    pub(crate) screen_reader: bool,
    pub(crate) text_to_speech: bool,
    pub(crate) reduce_motion: bool,
    pub(crate) keyboard_navigation: bool,
    pub(crate) color_blind_mode: String,
    pub(crate) updated_at: DbTime,
    pub(crate) version: i64,
}

impl AccessibilityRow {
    /// The row of what a member said; `None` for the defaults, which have none.
    pub(crate) fn of(settings: &Accessibility) -> Option<Self> {
        Some(Self {
            user_id: settings.user.0,
            font_size: i32::from(settings.font_size),
            font_family: settings.font_family.as_ref().map(ToString::to_string),
            line_height: i32::from(settings.line_height),
            high_contrast: settings.high_contrast,
            large_text: settings.large_text,
            screen_reader: settings.screen_reader,
            text_to_speech: settings.text_to_speech,
            reduce_motion: settings.reduce_motion,
            keyboard_navigation: settings.keyboard_navigation,
            color_blind_mode: settings.color_blind_mode.as_str().to_owned(),
            updated_at: DbTime(settings.updated_at?),
            version: settings.version,
        })
    }

    /// The settings of a row.
    pub(crate) fn into_accessibility(self) -> Result<Accessibility, StorageError> {
        let key = self.user_id;
        let restored = || -> Result<Accessibility, Box<dyn Error>> {
            Ok(Accessibility {
                user: UserId(self.user_id),
                font_size: u16::try_from(self.font_size)?,
                font_family: optional(self.font_family)?,
                line_height: u16::try_from(self.line_height)?,
                high_contrast: self.high_contrast,
                large_text: self.large_text,
                screen_reader: self.screen_reader,
                text_to_speech: self.text_to_speech,
                reduce_motion: self.reduce_motion,
                keyboard_navigation: self.keyboard_navigation,
                color_blind_mode: self.color_blind_mode.parse()?,
                updated_at: Some(self.updated_at.0),
                version: self.version,
            })
        };
        restored().map_err(corrupt("accessibility settings", key))
    }
}
