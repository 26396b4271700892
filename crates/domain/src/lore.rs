//! Lore: pieces of background, also called clues, that members find.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use crate::id::row_ids;
use crate::json::Json;
use crate::ledger::text_enum;
use crate::requirement::Requirement;
use crate::text::{Content, LegacyKey, Slug, Source, Summary, Title};
use crate::time::Timestamp;
use crate::user::UserId;
use crate::violation::{Rule, Violation};

row_ids! {
    /// Identifies a piece of lore. The store assigns it, ascending; applications know its code.
    LoreId;
}

text_enum! {
    /// What a piece of lore is made of.
    LoreContentType("content_type") {
        /// The text itself.
        Text = "text",
        /// The address of a picture.
        Image = "image",
        /// The address of a film.
        Video = "video",
        /// The address of a sound.
        Audio = "audio",
        /// The address of a document.
        Document = "document",
    }
}

/// A piece of lore as an author writes it: to be created, or to take the place of what is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewLorePiece {
    /// Its key for ever; unique.
    pub code: Slug,
    /// What it is called.
    pub title: Title,
    /// A few words about it.
    pub description: Option<Summary>,
    /// What it is made of.
    pub content_type: LoreContentType,
    /// The text, or the address of what it is.
    pub content: Content,
    /// What it is listed under.
    pub category: Option<Slug>,
    /// Whether it belongs to the main story.
    pub is_main_story: bool,
    /// Inactive pieces cannot be found any more; who has one keeps it.
    pub is_active: bool,
    /// What a member must have or be to be given it, in the order shown.
    pub requirements: Vec<Requirement>,
    /// The key it had in another system.
    pub legacy_key: Option<LegacyKey>,
}

impl NewLorePiece {
    /// Refuses a list of requirements that breaks [`Requirement::check`], and a piece that requires
    /// itself.
    pub fn check(&self) -> Result<(), Violation> {
        Requirement::check(&self.requirements)?;
        if self.requirements.contains(&Requirement::Lore(self.code.clone())) {
            return Err(Violation::new("requirements", Rule::SelfTarget));
        }
        Ok(())
    }
}

/// A piece of lore.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct LorePiece {
    /// The id.
    pub id: LoreId,
    /// Its key for ever; unique.
    pub code: Slug,
    /// What it is called.
    pub title: Title,
    /// A few words about it.
    pub description: Option<Summary>,
    /// What it is made of.
    pub content_type: LoreContentType,
    /// The text, or the address of what it is.
    pub content: Content,
    /// What it is listed under.
    pub category: Option<Slug>,
    /// Whether it belongs to the main story.
    pub is_main_story: bool,
    /// Inactive pieces cannot be found any more; who has one keeps it.
    pub is_active: bool,
    /// What a member must have or be to be given it, in the order shown.
    pub requirements: Vec<Requirement>,
    /// The key it had in another system.
    pub legacy_key: Option<LegacyKey>,
    /// When it was written.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// One more with each change.
    pub version: i64,
}

impl LorePiece {
    /// What an author would write to get this piece, for changing it.
    #[must_use]
    pub fn to_new(&self) -> NewLorePiece {
        NewLorePiece {
            code: self.code.clone(),
            title: self.title.clone(),
            description: self.description.clone(),
            content_type: self.content_type,
            content: self.content.clone(),
            category: self.category.clone(),
            is_main_story: self.is_main_story,
            is_active: self.is_active,
            requirements: self.requirements.clone(),
            legacy_key: self.legacy_key.clone(),
        }
    }
}

/// That a member found a piece of lore. It happens once.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct UserLore {
    /// The member.
    pub user: UserId,
    /// The piece.
    pub lore: LoreId,
    /// Its code.
    pub code: Slug,
    /// When it was found first.
    pub unlocked_at: Timestamp,
    /// Where it came from: `mission`, `fragment`, `hints`.
    pub source: Source,
    /// What the application wants to remember about it.
    pub context: Option<Json>,
}

/// A piece that a member found, with how.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct FoundLore {
    /// The piece as it is now.
    pub piece: LorePiece,
    /// When it was found first.
    pub unlocked_at: Timestamp,
    /// Where it came from.
    pub source: Source,
    /// What the application remembers about it.
    pub context: Option<Json>,
}

/// Pieces that together give another one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct HintCombination {
    /// Its key; unique.
    pub code: Slug,
    /// The pieces to be put together, exactly these. No two combinations have the same.
    pub required: BTreeSet<LoreId>,
    /// What they give.
    pub reward: LoreId,
    /// The key it had in another system.
    pub legacy_key: Option<LegacyKey>,
}

impl HintCombination {
    /// The fewest pieces of a combination.
    pub const PIECES_MIN: usize = 2;
    /// The most pieces of a combination.
    pub const PIECES_MAX: usize = 20;

    /// Refuses fewer than [`Self::PIECES_MIN`] or more than [`Self::PIECES_MAX`] pieces, and a
    /// reward that is one of them.
    pub fn check(&self) -> Result<(), Violation> {
        let (min, max) = (Self::PIECES_MIN, Self::PIECES_MAX);
        if !(min..=max).contains(&self.required.len()) {
            let rule = Rule::OutOfRange { min: min as i64, max: max as i64 };
            return Err(Violation::new("pieces", rule));
        }
        if self.required.contains(&self.reward) {
            return Err(Violation::new("reward", Rule::SelfTarget));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn combination(required: &[i64], reward: i64) -> HintCombination {
        HintCombination {
            code: Slug::parse("attic").unwrap(),
            required: required.iter().copied().map(LoreId).collect(),
            reward: LoreId(reward),
            legacy_key: None,
        }
    }

    #[test]
    fn a_combination_needs_several_pieces_and_another_reward() {
        assert!(combination(&[1, 2], 3).check().is_ok());
        let count = Rule::OutOfRange { min: 2, max: 20 };
        assert_eq!(combination(&[1, 1], 3).check().unwrap_err().rule, count);
        assert_eq!(combination(&[1, 2], 2).check().unwrap_err().rule, Rule::SelfTarget);
        let many: Vec<i64> = (1..=21).collect();
        assert_eq!(combination(&many, 99).check().unwrap_err().rule, count);
    }
}
