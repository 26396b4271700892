//! A measured fact, or why there is none.

use std::borrow::Cow;

use serde::Serialize;

/// Something measured. What could not be is `Unknown` with a reason in words, never a guess.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Fact<T> {
    /// It was measured.
    Known {
        /// What came of it.
        value: T,
    },
    /// It was not.
    Unknown {
        /// Why not.
        reason: Cow<'static, str>,
    },
}

impl<T> Fact<T> {
    pub(crate) const fn known(value: T) -> Self {
        Self::Known { value }
    }

    pub(crate) fn unknown(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::Unknown { reason: reason.into() }
    }

    pub(crate) fn of(value: Option<T>, reason: &'static str) -> Self {
        value.map_or_else(|| Self::unknown(reason), Self::known)
    }

    /// What was measured.
    #[must_use]
    pub const fn value(&self) -> Option<&T> {
        match self {
            Self::Known { value } => Some(value),
            Self::Unknown { .. } => None,
        }
    }

    /// Why nothing was.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Known { .. } => None,
            Self::Unknown { reason } => Some(reason),
        }
    }
}
