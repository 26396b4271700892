//! What members are interested in.

use crate::id::row_ids;
use crate::text::{Color, Label, Summary, Url};
use crate::time::Timestamp;
use crate::user::UserId;
use crate::violation::{Rule, Violation};

row_ids! {
    /// Identifies an [`InterestCategory`]. The store assigns it, ascending.
    InterestCategoryId;
}

/// What a category of interests says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct InterestTopic {
    /// What it is called; unique without regard to case.
    pub name: Label,
    /// What belongs to it.
    pub description: Option<Summary>,
    /// A picture of it.
    pub icon_url: Option<Url>,
    /// Its colour.
    pub color: Option<Color>,
    /// Whether members can choose it.
    pub is_active: bool,
}

impl InterestTopic {
    /// A topic that members can choose.
    #[must_use]
    pub const fn new(name: Label) -> Self {
        Self { name, description: None, icon_url: None, color: None, is_active: true }
    }
}

/// A category of interests.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct InterestCategory {
    /// The id.
    pub id: InterestCategoryId,
    /// What it says of itself.
    pub topic: InterestTopic,
    /// Starts at 1, one more with each change.
    pub version: i64,
}

/// How much a member is interested: 1 to 5.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "u8", into = "u8"))]
pub struct InterestLevel(u8);

impl InterestLevel {
    /// 1 to 5.
    pub const fn new(level: u8) -> Result<Self, Violation> {
        if level >= 1 && level <= 5 {
            Ok(Self(level))
        } else {
            Err(Violation::new("level", Rule::OutOfRange { min: 1, max: 5 }))
        }
    }

    /// As a number.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl Default for InterestLevel {
    /// 3, the middle.
    fn default() -> Self {
        Self(3)
    }
}

impl TryFrom<u8> for InterestLevel {
    type Error = Violation;
    fn try_from(level: u8) -> Result<Self, Violation> {
        Self::new(level)
    }
}

impl From<InterestLevel> for u8 {
    fn from(level: InterestLevel) -> u8 {
        level.0
    }
}

/// What a member is interested in.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct UserInterest {
    /// Who.
    pub user: UserId,
    /// In what; it may have become inactive since it was chosen.
    pub category: InterestCategory,
    /// How much.
    pub level: InterestLevel,
    /// Since when.
    pub selected_at: Timestamp,
}

impl UserInterest {
    /// The most interests of one member.
    pub const PER_USER_MAX: usize = 100;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interest_has_five_degrees() {
        assert!(InterestLevel::new(0).is_err() && InterestLevel::new(6).is_err());
        assert_eq!(InterestLevel::default(), InterestLevel::new(3).unwrap());
        assert!(Color::parse("#A0b1c2").is_ok());
        for refused in ["", "#fff", "red", "#a0b1cg", "#a0b1c22"] {
            assert!(Color::parse(refused).is_err(), "{refused}");
        }
    }
}
