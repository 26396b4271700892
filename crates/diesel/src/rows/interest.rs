//! Rows of interests and their categories.

use std::error::Error;

use diesel::prelude::*;
use guildhall_domain::{
    InterestCategory, InterestCategoryId, InterestLevel, InterestTopic, UserId, UserInterest,
};
use guildhall_repository::StorageError;

use super::{corrupt, optional};
use crate::schema::{interest_categories, user_interests};
use crate::types::DbTime;

/// A row of `interest_categories`.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = interest_categories)]
pub(crate) struct CategoryRow {
    pub(crate) id: i64,
    #[diesel(embed)]
    pub(crate) topic: TopicRow,
    pub(crate) version: i64,
}

/// The columns of a category that an editor decides.
#[derive(Clone, Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = interest_categories)]
#[diesel(treat_none_as_null = true, treat_none_as_default_value = false)]
pub(crate) struct TopicRow {
    pub(crate) name: String,
    pub(crate) name_key: String,
    pub(crate) description: Option<String>,
    pub(crate) icon_url: Option<String>,
    pub(crate) color: Option<String>,
    pub(crate) is_active: bool,
}

impl TopicRow {
    /// The columns of a topic.
    pub(crate) fn of(topic: &InterestTopic) -> Self {
        Self {
            name: topic.name.to_string(),
            name_key: topic.name.folded(),
            description: topic.description.as_ref().map(ToString::to_string),
            icon_url: topic.icon_url.as_ref().map(ToString::to_string),
            color: topic.color.as_ref().map(ToString::to_string),
            is_active: topic.is_active,
        }
    }

    fn restored(self) -> Result<InterestTopic, Box<dyn Error>> {
        Ok(InterestTopic {
            name: self.name.try_into()?,
            description: optional(self.description)?,
            icon_url: optional(self.icon_url)?,
            color: optional(self.color)?,
            is_active: self.is_active,
        })
    }
}

impl CategoryRow {
    /// The category of a row.
    pub(crate) fn into_category(self) -> Result<InterestCategory, StorageError> {
        let (id, version) = (InterestCategoryId(self.id), self.version);
        let topic = self.topic.restored().map_err(corrupt("interest category", id))?;
        Ok(InterestCategory { id, topic, version })
    }
}

/// A row of `user_interests`.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = user_interests)]
pub(crate) struct InterestRow {
    pub(crate) user_id: i64,
    pub(crate) category_id: i64,
    pub(crate) level: i32,
    pub(crate) selected_at: DbTime,
}

impl InterestRow {
    /// The interest of a row and that of its category.
    pub(crate) fn into_interest(self, category: CategoryRow) -> Result<UserInterest, StorageError> {
        let key = format!("{} of user {}", self.category_id, self.user_id);
        let level = || -> Result<InterestLevel, Box<dyn Error>> {
            Ok(InterestLevel::new(u8::try_from(self.level)?)?)
        };
        Ok(UserInterest {
            user: UserId(self.user_id),
            category: category.into_category()?,
            level: level().map_err(corrupt("interest", key))?,
            selected_at: self.selected_at.0,
        })
    }
}
