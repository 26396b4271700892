//! The languages a member speaks.

use std::fmt;
use std::str::FromStr;

use crate::ledger::text_enum;
use crate::text::LanguageTag;
use crate::time::Timestamp;
use crate::user::UserId;
use crate::violation::{Rule, Violation};

text_enum! {
    /// How well a member speaks a language.
    Proficiency("proficiency") {
        /// A little.
        Basic = "basic",
        /// Well enough.
        Intermediate = "intermediate",
        /// Like a native.
        Fluent = "fluent",
    }
}

/// A language a member speaks. Of those who speak any, exactly one is the primary one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct UserLanguage {
    /// Whose.
    pub user: UserId,
    /// Which.
    pub language: LanguageTag,
    /// Whether the member is addressed in it.
    pub is_primary: bool,
    /// How well the member speaks it, if known.
    pub proficiency: Option<Proficiency>,
    /// When it was added.
    pub created_at: Timestamp,
}

impl UserLanguage {
    /// The most languages of one member.
    pub const PER_USER_MAX: usize = 50;
}
