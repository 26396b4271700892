//! Rows of first steps.

use diesel::prelude::*;
use guildhall_domain::{Onboarding, UserId};

use crate::schema::onboarding;
use crate::types::DbTime;

/// A row of `onboarding`.
#[derive(Clone, Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = onboarding)]
#[diesel(treat_none_as_null = true, treat_none_as_default_value = false)]
pub(crate) struct OnboardingRow {
    pub(crate) user_id: i64,
    pub(crate) language: bool,
    pub(crate) interests: bool,
    pub(crate) reading_level: bool,
    pub(crate) accessibility: bool,
    pub(crate) feature_tour: bool,
    pub(crate) celebration: bool,
    pub(crate) completed_at: Option<DbTime>,
    pub(crate) updated_at: DbTime,
}

impl OnboardingRow {
    /// The row of a member who took a step; `None` before the first.
    pub(crate) fn of(state: &Onboarding) -> Option<Self> {
        let [language, interests, reading_level, accessibility, feature_tour, celebration] =
            state.steps;
        Some(Self {
            user_id: state.user.0,
            language,
            interests,
            reading_level,
            accessibility,
            feature_tour,
            celebration,
            completed_at: state.completed_at.map(DbTime),
            updated_at: DbTime(state.updated_at?),
        })
    }

    /// The steps of a row.
    pub(crate) fn into_onboarding(self) -> Onboarding {
        Onboarding {
            user: UserId(self.user_id),
            steps: [
                self.language,
                self.interests,
                self.reading_level,
                self.accessibility,
                self.feature_tour,
                self.celebration,
            ],
            completed_at: self.completed_at.map(|time| time.0),
            updated_at: Some(self.updated_at.0),
        }
    }
}
