//! Rows of members' ways through the story.

use std::error::Error;

use diesel::prelude::*;
use guildhall_domain::{
    ChoiceId, Decision, DecisionId, JourneyStep, Slug, StoryState, Timestamp, UserFragment, UserId,
};
use guildhall_repository::StorageError;

use super::{corrupt, count, optional};
use crate::schema::{fragments, user_decisions, user_fragments, user_narrative};
use crate::types::DbTime;

/// A row of `user_narrative`.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = user_narrative, treat_none_as_default_value = false)]
pub(crate) struct StateRow {
    pub(crate) user_id: i64,
    pub(crate) current_fragment_id: Option<String>,
    pub(crate) karma: i64,
    pub(crate) started_at: DbTime,
    pub(crate) last_activity_at: DbTime,
    pub(crate) version: i64,
}

impl StateRow {
    /// The row of a member who begins at `now`.
    pub(crate) fn begun(user: UserId, fragment: Option<&Slug>, now: Timestamp) -> Self {
        Self {
            user_id: user.0,
            current_fragment_id: fragment.map(ToString::to_string),
            karma: 0,
            started_at: DbTime(now),
            last_activity_at: DbTime(now),
            version: 1,
        }
    }

    /// The state of a row.
    pub(crate) fn into_state(self) -> Result<StoryState, StorageError> {
        let user = self.user_id;
        let restored = || -> Result<StoryState, Box<dyn Error>> {
            Ok(StoryState {
                user: UserId(user),
                current_fragment: optional(self.current_fragment_id)?,
                karma: self.karma,
                started_at: self.started_at.0,
                last_activity_at: self.last_activity_at.0,
                version: self.version,
            })
        };
        restored().map_err(corrupt("story of user", user))
    }
}

/// A row of `user_fragments`.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = user_fragments, treat_none_as_default_value = false)]
pub(crate) struct UserFragmentRow {
    pub(crate) user_id: i64,
    pub(crate) fragment_id: String,
    pub(crate) first_visited_at: DbTime,
    pub(crate) last_visited_at: DbTime,
    pub(crate) visits: i64,
    pub(crate) completed_at: Option<DbTime>,
}

impl UserFragmentRow {
    /// The row of a first visit at `now`.
    pub(crate) fn first(user: UserId, fragment: &Slug, completed: bool, now: Timestamp) -> Self {
        Self {
            user_id: user.0,
            fragment_id: fragment.to_string(),
            first_visited_at: DbTime(now),
            last_visited_at: DbTime(now),
            visits: 1,
            completed_at: completed.then_some(DbTime(now)),
        }
    }

    /// What a row says.
    pub(crate) fn into_visited(self) -> Result<UserFragment, StorageError> {
        let key = format!("{} of user {}", self.fragment_id, self.user_id);
        let restored = || -> Result<UserFragment, Box<dyn Error>> {
            Ok(UserFragment {
                user: UserId(self.user_id),
                fragment: self.fragment_id.try_into()?,
                first_visited_at: self.first_visited_at.0,
                last_visited_at: self.last_visited_at.0,
                visits: count(self.visits),
                completed_at: self.completed_at.map(|time| time.0),
            })
        };
        restored().map_err(corrupt("visited fragment", key))
    }
}

/// A row of `user_fragments` with what its fragment is called.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = user_fragments)]
pub(crate) struct JourneyRow {
    pub(crate) fragment_id: String,
    #[diesel(select_expression = fragments::title)]
    pub(crate) title: String,
    #[diesel(select_expression = fragments::kind)]
    pub(crate) kind: String,
    pub(crate) first_visited_at: DbTime,
    pub(crate) visits: i64,
    pub(crate) completed_at: Option<DbTime>,
}

impl JourneyRow {
    /// The step of a row.
    pub(crate) fn into_step(self) -> Result<JourneyStep, StorageError> {
        let key = self.fragment_id.clone();
        let restored = || -> Result<JourneyStep, Box<dyn Error>> {
            Ok(JourneyStep {
                fragment: self.fragment_id.try_into()?,
                title: self.title.try_into()?,
                kind: self.kind.parse()?,
                first_visited_at: self.first_visited_at.0,
                visits: count(self.visits),
                completed_at: self.completed_at.map(|time| time.0),
            })
        };
        restored().map_err(corrupt("fragment", key))
    }
}

/// A row of `user_decisions`.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = user_decisions)]
pub(crate) struct DecisionRow {
    pub(crate) id: i64,
    pub(crate) user_id: i64,
    pub(crate) fragment_id: String,
    pub(crate) choice_id: i64,
    pub(crate) made_at: DbTime,
}

impl DecisionRow {
    /// The decision of a row.
    pub(crate) fn into_decision(self) -> Result<Decision, StorageError> {
        let fragment = Slug::try_from(self.fragment_id);
        Ok(Decision {
            id: DecisionId(self.id),
            user: UserId(self.user_id),
            fragment: fragment.map_err(|error| corrupt("decision", self.id)(error.into()))?,
            choice: ChoiceId(self.choice_id),
            made_at: self.made_at.0,
        })
    }
}
