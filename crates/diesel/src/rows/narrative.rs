//! Rows of fragments and of what belongs to them.

use std::error::Error;

use diesel::prelude::*;
use guildhall_domain::{
    Amount, Choice, ChoiceId, Effect, Fragment, NewChoice, NewFragment, Requirement, Slug,
    Timestamp, Violation, fold,
};
use guildhall_repository::StorageError;

use super::{corrupt, optional};
use crate::schema::{fragment_choices, fragment_effects, fragments, requirements};
use crate::types::DbTime;

/// A row of `fragments` as it is read.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = fragments, treat_none_as_default_value = false)]
pub(crate) struct FragmentRow {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) content: String,
    pub(crate) kind: String,
    pub(crate) character: Option<String>,
    pub(crate) chapter_level: i64,
    pub(crate) auto_next_id: Option<String>,
    pub(crate) is_milestone: bool,
    pub(crate) is_start: bool,
    pub(crate) is_active: bool,
    pub(crate) legacy_key: Option<String>,
    pub(crate) created_at: DbTime,
    pub(crate) updated_at: DbTime,
    pub(crate) version: i64,
}

/// A row of `fragments` as it is written.
#[derive(Clone, Debug, Insertable)]
#[diesel(table_name = fragments, treat_none_as_default_value = false)]
pub(crate) struct NewFragmentRow {
    #[diesel(embed)]
    pub(crate) row: FragmentRow,
    pub(crate) search_key: String,
}

impl NewFragmentRow {
    /// The row of a fragment that is new, or one version past `stored`.
    pub(crate) fn of(new: &NewFragment, stored: Option<&Fragment>, now: Timestamp) -> Self {
        let row = FragmentRow {
            id: new.id.to_string(),
            title: new.title.to_string(),
            content: new.content.to_string(),
            kind: new.kind.as_str().to_owned(),
            character: new.character.clone().map(String::from),
            chapter_level: i64::from(new.chapter_level),
            auto_next_id: new.auto_next.clone().map(String::from),
            is_milestone: new.is_milestone,
            is_start: new.is_start,
            is_active: new.is_active,
            legacy_key: new.legacy_key.clone().map(String::from),
            created_at: DbTime(stored.map_or(now, |stored| stored.created_at)),
            updated_at: DbTime(now),
            version: stored.map_or(1, |stored| stored.version + 1),
        };
        Self { row, search_key: fold(&format!("{}\n{}", new.title, new.content)) }
    }
}

impl FragmentRow {
    /// The fragment of a row and of the rows that belong to it, each in the order of its `idx`.
    pub(crate) fn into_fragment(
        self,
        requirements: Vec<RequirementRow>,
        effects: Vec<EffectRow>,
        choices: Vec<(ChoiceRow, Vec<RequirementRow>)>,
    ) -> Result<Fragment, StorageError> {
        let key = self.id.clone();
        let restored = || -> Result<Fragment, Box<dyn Error>> {
            Ok(Fragment {
                id: self.id.try_into()?,
                title: self.title.try_into()?,
                content: self.content.try_into()?,
                kind: self.kind.parse()?,
                character: optional(self.character)?,
                chapter_level: u32::try_from(self.chapter_level)?,
                auto_next: optional(self.auto_next_id)?,
                is_milestone: self.is_milestone,
                is_start: self.is_start,
                is_active: self.is_active,
                requirements: restored_requirements(requirements)?,
                effects: effects
                    .into_iter()
                    .map(EffectRow::into_effect)
                    .collect::<Result<_, _>>()?,
                choices: choices
                    .into_iter()
                    .map(|(row, requirements)| row.into_choice(requirements))
                    .collect::<Result<_, _>>()?,
                legacy_key: optional(self.legacy_key)?,
                created_at: self.created_at.0,
                updated_at: self.updated_at.0,
                version: self.version,
            })
        };
        restored().map_err(corrupt("fragment", key))
    }
}

/// A row of `fragment_choices`.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = fragment_choices)]
pub(crate) struct ChoiceRow {
    pub(crate) id: i64,
    pub(crate) fragment_id: String,
    pub(crate) idx: i64,
    pub(crate) text: String,
    pub(crate) destination_id: String,
    pub(crate) cost_points: i64,
    pub(crate) reward_points: i64,
    pub(crate) karma_delta: i64,
    pub(crate) is_active: bool,
}

/// A row of `fragment_choices` whose id the database assigns.
#[derive(Clone, Debug, Insertable)]
#[diesel(table_name = fragment_choices)]
pub(crate) struct NewChoiceRow {
    pub(crate) fragment_id: String,
    pub(crate) idx: i64,
    pub(crate) text: String,
    pub(crate) destination_id: String,
    pub(crate) cost_points: i64,
    pub(crate) reward_points: i64,
    pub(crate) karma_delta: i64,
    pub(crate) is_active: bool,
}

impl NewChoiceRow {
    /// The row of a choice at the place `idx` of a fragment.
    pub(crate) fn of(fragment: &Slug, idx: i64, choice: &NewChoice) -> Self {
        let minor = |amount: Option<Amount>| amount.map_or(0, Amount::minor);
        Self {
            fragment_id: fragment.to_string(),
            idx,
            text: choice.text.to_string(),
            destination_id: choice.destination.to_string(),
            cost_points: minor(choice.cost),
            reward_points: minor(choice.reward),
            karma_delta: i64::from(choice.karma_delta),
            is_active: choice.is_active,
        }
    }

    /// The same row under the id it has already.
    pub(crate) fn under(self, id: ChoiceId) -> ChoiceRow {
        ChoiceRow {
            id: id.0,
            fragment_id: self.fragment_id,
            idx: self.idx,
            text: self.text,
            destination_id: self.destination_id,
            cost_points: self.cost_points,
            reward_points: self.reward_points,
            karma_delta: self.karma_delta,
            is_active: self.is_active,
        }
    }
}

impl ChoiceRow {
    fn into_choice(self, requirements: Vec<RequirementRow>) -> Result<Choice, Box<dyn Error>> {
        let amount = |minor: i64| (minor != 0).then(|| Amount::from_minor(minor)).transpose();
        Ok(Choice {
            id: ChoiceId(self.id),
            idx: u32::try_from(self.idx)?,
            text: self.text.try_into()?,
            destination: self.destination_id.try_into()?,
            cost: amount(self.cost_points)?,
            reward: amount(self.reward_points)?,
            karma_delta: i32::try_from(self.karma_delta)?,
            is_active: self.is_active,
            requirements: restored_requirements(requirements)?,
        })
    }
}

/// A row of `requirements`.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = requirements, treat_none_as_default_value = false)]
pub(crate) struct RequirementRow {
    pub(crate) owner_kind: String,
    pub(crate) owner_id: String,
    pub(crate) idx: i64,
    pub(crate) kind: String,
    pub(crate) key: Option<String>,
    pub(crate) amount: Option<i64>,
}

impl RequirementRow {
    /// The rows of the requirements of one thing, in their order.
    pub(crate) fn of<'r>(
        owner_kind: &'static str,
        owner_id: &'r str,
        requirements: &'r [Requirement],
    ) -> impl Iterator<Item = Self> + 'r {
        (0..).zip(requirements).map(move |(idx, requirement)| Self {
            owner_kind: owner_kind.to_owned(),
            owner_id: owner_id.to_owned(),
            idx,
            kind: requirement.kind().to_owned(),
            key: requirement.key(),
            amount: requirement.amount(),
        })
    }

    /// The requirement of a row.
    pub(crate) fn into_requirement(self) -> Result<Requirement, Violation> {
        Requirement::from_parts(&self.kind, self.key.as_deref(), self.amount)
    }
}

/// The requirements of the rows of one thing.
pub(super) fn restored_requirements(
    rows: Vec<RequirementRow>,
) -> Result<Vec<Requirement>, Violation> {
    rows.into_iter().map(RequirementRow::into_requirement).collect()
}

/// A row of `fragment_effects`.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = fragment_effects, treat_none_as_default_value = false)]
pub(crate) struct EffectRow {
    pub(crate) fragment_id: String,
    pub(crate) idx: i64,
    pub(crate) trigger: String,
    pub(crate) kind: String,
    pub(crate) key: Option<String>,
    pub(crate) amount: Option<i64>,
}

impl EffectRow {
    /// The rows of a fragment's effects, in their order.
    pub(crate) fn of(fragment: &NewFragment) -> impl Iterator<Item = Self> + '_ {
        (0..).zip(&fragment.effects).map(|(idx, effect)| Self {
            fragment_id: fragment.id.to_string(),
            idx,
            trigger: effect.trigger.as_str().to_owned(),
            kind: effect.kind().to_owned(),
            key: effect.key(),
            amount: effect.amount(),
        })
    }

    fn into_effect(self) -> Result<Effect, Violation> {
        Effect::from_parts(&self.trigger, &self.kind, self.key.as_deref(), self.amount)
    }
}
