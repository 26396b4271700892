//! Bad input: which field, and which rule it breaks.

use std::fmt;

/// Input that breaks a rule. It names the field and the rule and never repeats the value, which
/// may be personal or ten megabytes long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{field} {rule}")]
pub struct Violation {
    /// The offending field, as the caller knows it: `username`, `amount`, `limit`.
    pub field: &'static str,
    /// The broken rule.
    pub rule: Rule,
}

impl Violation {
    /// Says that `field` breaks `rule`.
    #[must_use]
    pub const fn new(field: &'static str, rule: Rule) -> Self {
        Self { field, rule }
    }
}

/// The rules that input can break. [`Rule::code`] is stable; the sentence may be reworded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Rule {
    /// Nothing is left after trimming.
    Empty,
    /// Fewer characters than `min`.
    TooShort {
        /// The least number of characters.
        min: usize,
    },
    /// More characters (bytes for JSON, items for lists) than `max`.
    TooLong {
        /// The greatest number of characters, bytes or items.
        max: usize,
    },
    /// A number outside `min..=max`.
    OutOfRange {
        /// The least value.
        min: i64,
        /// The greatest value.
        max: i64,
    },
    /// Not of the expected form, which is described here.
    Malformed {
        /// What would have been accepted.
        expected: &'static str,
    },
    /// Holds a NUL character, which databases refuse.
    ContainsNul,
    /// The result would leave the range of the type.
    Overflow,
    /// Source and target are the same.
    SelfTarget,
    /// Not greater than its predecessor, or not smaller than its successor.
    NotIncreasing,
    /// Names something that appears twice in one request.
    Duplicate,
}

impl Rule {
    /// A stable machine-readable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::TooShort { .. } => "too_short",
            Self::TooLong { .. } => "too_long",
            Self::OutOfRange { .. } => "out_of_range",
            Self::Malformed { .. } => "malformed",
            Self::ContainsNul => "contains_nul",
            Self::Overflow => "overflow",
            Self::SelfTarget => "self_target",
            Self::NotIncreasing => "not_increasing",
            Self::Duplicate => "duplicate",
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("must not be empty"),
            Self::TooShort { min } => write!(f, "must have at least {min} characters"),
            Self::TooLong { max } => write!(f, "must not be longer than {max}"),
            Self::OutOfRange { min, max } => write!(f, "must be between {min} and {max}"),
            Self::Malformed { expected } => write!(f, "must be {expected}"),
            Self::ContainsNul => f.write_str("must not contain a NUL character"),
            Self::Overflow => f.write_str("is too large"),
            Self::SelfTarget => f.write_str("must differ from its counterpart"),
            Self::NotIncreasing => f.write_str("must be strictly increasing"),
            Self::Duplicate => f.write_str("must not appear twice"),
        }
    }
}
