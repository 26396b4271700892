//! The story: fragments, and the choices between them.

use std::collections::HashSet;
use std::fmt;
use std::str::FromStr;

use crate::amount::Amount;
use crate::effect::{Effect, EffectTrigger};
use crate::id::row_ids;
use crate::ledger::text_enum;
use crate::requirement::Requirement;
use crate::text::{CharacterName, ChoiceText, Content, LegacyKey, Slug, Title};
use crate::time::Timestamp;
use crate::violation::{Rule, Violation};

row_ids! {
    /// Identifies a choice at the end of a fragment. The store assigns it, ascending; it survives
    /// changes of the fragment, so that earlier decisions stay readable.
    ChoiceId;
    /// Identifies a decision of a member. The store assigns it, ascending.
    DecisionId;
}

text_enum! {
    /// What a fragment asks of its reader.
    FragmentKind("kind") {
        /// To read on.
        Story = "story",
        /// To choose: only these have more than one active choice.
        Decision = "decision",
        /// To take note.
        Info = "info",
    }
}

/// A choice as an author writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewChoice {
    /// Which stored choice of the fragment this is. Without, it is the one with the same text and
    /// destination, or a new one.
    pub id: Option<ChoiceId>,
    /// What it says.
    pub text: ChoiceText,
    /// The fragment it leads to.
    pub destination: Slug,
    /// What is spent on it; `None` when it is free.
    pub cost: Option<Amount>,
    /// What it pays, once a member.
    pub reward: Option<Amount>,
    /// What it adds to or takes from the member's karma.
    pub karma_delta: i32,
    /// Inactive choices are not offered.
    pub is_active: bool,
    /// What a member must have or be to take it, in the order shown.
    pub requirements: Vec<Requirement>,
}

impl NewChoice {
    /// The most choices of one fragment.
    pub const COUNT_MAX: usize = 20;
    /// The greatest change of karma by one choice, up or down.
    pub const KARMA_MAX: i32 = 1_000_000;

    /// A free choice without reward, karma or requirements.
    #[must_use]
    pub const fn new(text: ChoiceText, destination: Slug) -> Self {
        Self {
            id: None,
            text,
            destination,
            cost: None,
            reward: None,
            karma_delta: 0,
            is_active: true,
            requirements: Vec::new(),
        }
    }

    fn check(&self) -> Result<(), Violation> {
        let max = Self::KARMA_MAX;
        if !(-max..=max).contains(&self.karma_delta) {
            let rule = Rule::OutOfRange { min: i64::from(-max), max: i64::from(max) };
            return Err(Violation::new("karma_delta", rule));
        }
        Requirement::check(&self.requirements)
    }
}

/// A way on from a fragment that a member may choose.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Choice {
    /// The id.
    pub id: ChoiceId,
    /// Its place among the choices of the fragment, from 0.
    pub idx: u32,
    /// What it says.
    pub text: ChoiceText,
    /// The fragment it leads to.
    pub destination: Slug,
    /// What is spent on it; `None` when it is free.
    pub cost: Option<Amount>,
    /// What it pays, once a member.
    pub reward: Option<Amount>,
    /// What it adds to or takes from the member's karma.
    pub karma_delta: i32,
    /// Inactive choices are not offered. A choice that was removed although somebody had taken it
    /// stays as an inactive one, at the end.
    pub is_active: bool,
    /// What a member must have or be to take it, in the order shown.
    pub requirements: Vec<Requirement>,
}

impl Choice {
    /// What an author would write to get this choice.
    #[must_use]
    pub fn to_new(&self) -> NewChoice {
        NewChoice {
            id: Some(self.id),
            text: self.text.clone(),
            destination: self.destination.clone(),
            cost: self.cost,
            reward: self.reward,
            karma_delta: self.karma_delta,
            is_active: self.is_active,
            requirements: self.requirements.clone(),
        }
    }
}

/// A fragment as an author writes it: to be created, or to take the place of what is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewFragment {
    /// Its key for ever.
    pub id: Slug,
    /// What it is called.
    pub title: Title,
    /// What is read.
    pub content: Content,
    /// What it asks of its reader.
    pub kind: FragmentKind,
    /// Who speaks.
    pub character: Option<CharacterName>,
    /// The chapter or difficulty it belongs to, at least 1.
    pub chapter_level: u32,
    /// Where the story goes on by itself.
    pub auto_next: Option<Slug>,
    /// Whether it is one of the story's landmarks. A milestone that leads nowhere is an ending.
    pub is_milestone: bool,
    /// Whether the story begins here. At most one active fragment does.
    pub is_start: bool,
    /// Inactive fragments cannot be visited.
    pub is_active: bool,
    /// What a member must have or be to visit it, in the order shown.
    pub requirements: Vec<Requirement>,
    /// What it does to a member, in order.
    pub effects: Vec<Effect>,
    /// The ways on, in the order shown.
    pub choices: Vec<NewChoice>,
    /// The key it had in another system.
    pub legacy_key: Option<LegacyKey>,
}

impl NewFragment {
    /// An active fragment of chapter 1 that leads nowhere and does nothing yet.
    #[must_use]
    pub const fn new(id: Slug, title: Title, content: Content, kind: FragmentKind) -> Self {
        Self {
            id,
            title,
            content,
            kind,
            character: None,
            chapter_level: 1,
            auto_next: None,
            is_milestone: false,
            is_start: false,
            is_active: true,
            requirements: Vec::new(),
            effects: Vec::new(),
            choices: Vec::new(),
            legacy_key: None,
        }
    }

    /// Refuses chapter 0, lists longer than their limits, more than one active choice unless it is a
    /// decision, the same choice twice, and a fragment that requires itself.
    pub fn check(&self) -> Result<(), Violation> {
        if self.chapter_level == 0 {
            let rule = Rule::OutOfRange { min: 1, max: i64::from(u32::MAX) };
            return Err(Violation::new("chapter_level", rule));
        }
        if self.effects.len() > Effect::COUNT_MAX {
            return Err(Violation::new("effects", Rule::TooLong { max: Effect::COUNT_MAX }));
        }
        self.effects.iter().try_for_each(Effect::check)?;
        Requirement::check(&self.requirements)?;
        if self.requirements.contains(&Requirement::Fragment(self.id.clone())) {
            return Err(Violation::new("requirements", Rule::SelfTarget));
        }
        self.choices.iter().try_for_each(NewChoice::check)?;
        let active = self.choices.iter().filter(|choice| choice.is_active).count();
        let most = if self.kind == FragmentKind::Decision { NewChoice::COUNT_MAX } else { 1 };
        if active > most {
            return Err(Violation::new("choices", Rule::TooLong { max: most }));
        }
        // Removed choices that were taken stay in the list: without a limit it would grow for ever.
        if self.choices.len() > NewChoice::COUNT_MAX * 10 {
            let rule = Rule::TooLong { max: NewChoice::COUNT_MAX * 10 };
            return Err(Violation::new("choices", rule));
        }
        let mut ids = HashSet::new();
        if !self.choices.iter().filter_map(|choice| choice.id).all(|id| ids.insert(id)) {
            return Err(Violation::new("choices", Rule::Duplicate));
        }
        Ok(())
    }

    /// Every fragment it leads to: by itself first, then by its choices in their order.
    pub fn destinations(&self) -> impl Iterator<Item = &Slug> {
        self.auto_next.iter().chain(self.choices.iter().map(|choice| &choice.destination))
    }

    /// This fragment as it is to be stored over `stored`: each choice with the id it keeps, and
    /// after them those of `stored` that are no longer among them but were taken by somebody
    /// (`taken`), inactive. What is stored already when nothing changes.
    ///
    /// Refuses the id of a choice that is not one of `stored`.
    pub fn over(&self, stored: &Fragment, taken: &HashSet<ChoiceId>) -> Result<Self, Violation> {
        let mut left: Vec<&Choice> = stored.choices.iter().collect();
        let mut merged = self.clone();
        for choice in &merged.choices {
            if let Some(id) = choice.id {
                let place = left.iter().position(|stored| stored.id == id);
                let expected = "choices of this fragment";
                let unknown = Violation::new("choices", Rule::Malformed { expected });
                left.remove(place.ok_or(unknown)?);
            }
        }
        for choice in merged.choices.iter_mut().filter(|choice| choice.id.is_none()) {
            let same = |stored: &&Choice| {
                stored.text == choice.text && stored.destination == choice.destination
            };
            if let Some(place) = left.iter().position(same) {
                choice.id = Some(left.remove(place).id);
            }
        }
        let retired = left.into_iter().filter(|choice| taken.contains(&choice.id));
        merged
            .choices
            .extend(retired.map(|choice| NewChoice { is_active: false, ..choice.to_new() }));
        merged.check().map(|()| merged)
    }
}

/// A piece of the story.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Fragment {
    /// Its key for ever.
    pub id: Slug,
    /// What it is called.
    pub title: Title,
    /// What is read.
    pub content: Content,
    /// What it asks of its reader.
    pub kind: FragmentKind,
    /// Who speaks.
    pub character: Option<CharacterName>,
    /// The chapter or difficulty it belongs to, at least 1.
    pub chapter_level: u32,
    /// Where the story goes on by itself.
    pub auto_next: Option<Slug>,
    /// Whether it is one of the story's landmarks. A milestone that leads nowhere is an ending.
    pub is_milestone: bool,
    /// Whether the story begins here. At most one active fragment does.
    pub is_start: bool,
    /// Inactive fragments cannot be visited.
    pub is_active: bool,
    /// What a member must have or be to visit it, in the order shown.
    pub requirements: Vec<Requirement>,
    /// What it does to a member, in order.
    pub effects: Vec<Effect>,
    /// The ways on, in the order shown, inactive ones included.
    pub choices: Vec<Choice>,
    /// The key it had in another system.
    pub legacy_key: Option<LegacyKey>,
    /// When it was written.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// One more with each change.
    pub version: i64,
}

impl Fragment {
    /// What an author would write to get this fragment, for changing it.
    #[must_use]
    pub fn to_new(&self) -> NewFragment {
        NewFragment {
            id: self.id.clone(),
            title: self.title.clone(),
            content: self.content.clone(),
            kind: self.kind,
            character: self.character.clone(),
            chapter_level: self.chapter_level,
            auto_next: self.auto_next.clone(),
            is_milestone: self.is_milestone,
            is_start: self.is_start,
            is_active: self.is_active,
            requirements: self.requirements.clone(),
            effects: self.effects.clone(),
            choices: self.choices.iter().map(Choice::to_new).collect(),
            legacy_key: self.legacy_key.clone(),
        }
    }

    /// The active choice at this place, from 0; removed and inactive ones cannot be taken.
    #[must_use]
    pub fn choice_at(&self, idx: u32) -> Option<&Choice> {
        self.choices.iter().find(|choice| choice.idx == idx && choice.is_active)
    }

    /// The active choice of this id.
    #[must_use]
    pub fn choice(&self, id: ChoiceId) -> Option<&Choice> {
        self.choices.iter().find(|choice| choice.id == id && choice.is_active)
    }

    /// What it does on `trigger`, in order, each with its place among all effects, from 0.
    pub fn effects_on(&self, trigger: EffectTrigger) -> impl Iterator<Item = (usize, &Effect)> {
        self.effects.iter().enumerate().filter(move |(_, effect)| effect.trigger == trigger)
    }
}

#[cfg(test)]
mod tests;
