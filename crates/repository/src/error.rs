//! What can go wrong: one type, a stable kind, and what the caller needs to act.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use guildhall_domain::{Points, Rule, Timestamp, Violation};

/// Any error of another library, shared so that [`StorageError`] can be cloned.
pub type BoxError = Arc<dyn Error + Send + Sync>;

/// Why a storage did not do what it was asked. Messages hold no SQL, no parameters and nothing
/// personal beyond the key that the caller gave.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StorageError {
    /// A write or a computed read needs a row that is absent.
    #[error("{entity} {key} does not exist")]
    NotFound {
        /// What was looked for.
        entity: &'static str,
        /// Its key.
        key: String,
    },
    /// Something unique is taken.
    #[error("{entity} {key} exists already; nothing was written")]
    AlreadyExists {
        /// What is unique.
        entity: &'static str,
        /// The taken key.
        key: String,
    },
    /// The stored version has moved, or a once-only key was used for another request.
    #[error("{entity} {key} conflicts: expected {expected}, found {actual}")]
    Conflict {
        /// What was to be changed.
        entity: &'static str,
        /// Its key.
        key: String,
        /// The version or request expected.
        expected: String,
        /// The version or request found.
        actual: String,
    },
    /// Fewer points are available than needed; nothing was written.
    #[error("insufficient balance: {available} available, {required} required")]
    InsufficientBalance {
        /// Balance less holds.
        available: Points,
        /// What was asked for.
        required: Points,
    },
    /// The thing is not in a state that allows this.
    #[error("{entity} {key} is {state}: cannot {attempted}")]
    InvalidState {
        /// What was to be changed.
        entity: &'static str,
        /// Its key.
        key: String,
        /// The state it is in.
        state: String,
        /// What was attempted.
        attempted: &'static str,
    },
    /// Bad input.
    #[error("invalid input: {0}")]
    Validation(#[from] Violation),
    /// A quota, rate, cooldown or once-a-day limit is used up.
    #[error("limit reached: {used} of {limit} used")]
    LimitExceeded {
        /// How many are allowed.
        limit: u64,
        /// How many were used.
        used: u64,
        /// When it may be tried again.
        retry_at: Option<Timestamp>,
    },
    /// A role or condition is not met.
    #[error("access denied: {requirement}")]
    AccessDenied {
        /// The unmet requirement.
        requirement: String,
    },
    /// Past its end.
    #[error("{entity} {key} expired at {at}")]
    Expired {
        /// What expired.
        entity: &'static str,
        /// Its key.
        key: String,
        /// When.
        at: Timestamp,
    },
    /// Stored or transported data cannot be encoded or decoded.
    #[error("cannot encode or decode {what}")]
    Serialization {
        /// What it was.
        what: &'static str,
        /// Why.
        #[source]
        source: Option<BoxError>,
    },
    /// Stored data breaks an invariant.
    #[error("stored {entity} {key} breaks an invariant: {detail}")]
    Integrity {
        /// What is broken.
        entity: &'static str,
        /// Its key.
        key: String,
        /// How.
        detail: String,
    },
    /// Other writers won every attempt. Nothing was written.
    #[error("other writers won every attempt; nothing was written and it may be tried again")]
    Contention,
    /// A server, file or pool cannot be used now.
    #[error("{resource} is unavailable")]
    Unavailable {
        /// Which.
        resource: &'static str,
        /// Why.
        #[source]
        source: Option<BoxError>,
    },
    /// A wait was too long. A write may or may not have happened: repeat it with its once-only key.
    #[error("{resource} did not answer within {after:?}")]
    Timeout {
        /// What was waited for.
        resource: &'static str,
        /// How long.
        after: Duration,
    },
    /// This storage or build cannot do it.
    #[error("{feature} is not supported here")]
    NotSupported {
        /// What is missing.
        feature: &'static str,
    },
    /// A bug, or an answer from the database that nobody expected.
    #[error("internal error in {operation}")]
    Internal {
        /// Where.
        operation: &'static str,
        /// Why.
        #[source]
        source: Option<BoxError>,
    },
}

/// The kind of a [`StorageError`], with a stable code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is the variant of `StorageError` of the same name")]
pub enum ErrorKind {
    NotFound,
    AlreadyExists,
    Conflict,
    InsufficientBalance,
    InvalidState,
    Validation,
    LimitExceeded,
    AccessDenied,
    Expired,
    Serialization,
    Integrity,
    Contention,
    Unavailable,
    Timeout,
    NotSupported,
    Internal,
}

impl ErrorKind {
    /// The stable machine-readable code: `insufficient_balance`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::AlreadyExists => "already_exists",
            Self::Conflict => "conflict",
            Self::InsufficientBalance => "insufficient_balance",
            Self::InvalidState => "invalid_state",
            Self::Validation => "validation",
            Self::LimitExceeded => "limit_exceeded",
            Self::AccessDenied => "access_denied",
            Self::Expired => "expired",
            Self::Serialization => "serialization",
            Self::Integrity => "integrity",
            Self::Contention => "contention",
            Self::Unavailable => "unavailable",
            Self::Timeout => "timeout",
            Self::NotSupported => "not_supported",
            Self::Internal => "internal",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

impl StorageError {
    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::NotFound { .. } => ErrorKind::NotFound,
            Self::AlreadyExists { .. } => ErrorKind::AlreadyExists,
            Self::Conflict { .. } => ErrorKind::Conflict,
            Self::InsufficientBalance { .. } => ErrorKind::InsufficientBalance,
            Self::InvalidState { .. } => ErrorKind::InvalidState,
            Self::Validation(_) => ErrorKind::Validation,
            Self::LimitExceeded { .. } => ErrorKind::LimitExceeded,
            Self::AccessDenied { .. } => ErrorKind::AccessDenied,
            Self::Expired { .. } => ErrorKind::Expired,
            Self::Serialization { .. } => ErrorKind::Serialization,
            Self::Integrity { .. } => ErrorKind::Integrity,
            Self::Contention => ErrorKind::Contention,
            Self::Unavailable { .. } => ErrorKind::Unavailable,
            Self::Timeout { .. } => ErrorKind::Timeout,
            Self::NotSupported { .. } => ErrorKind::NotSupported,
            Self::Internal { .. } => ErrorKind::Internal,
        }
    }

    /// Whether a write that failed so certainly left nothing behind. Of a lost connection, a
    /// timeout or an unexpected error nobody knows.
    #[must_use]
    pub const fn nothing_was_written(&self) -> bool {
        !matches!(self, Self::Unavailable { .. } | Self::Timeout { .. } | Self::Internal { .. })
    }

    /// `entity` with this key is absent.
    pub fn not_found(entity: &'static str, key: impl fmt::Display) -> Self {
        Self::NotFound { entity, key: key.to_string() }
    }

    /// `entity` with this key is taken.
    pub fn already_exists(entity: &'static str, key: impl fmt::Display) -> Self {
        Self::AlreadyExists { entity, key: key.to_string() }
    }

    /// `entity` has another version, or its once-only key served another request.
    pub fn conflict(
        entity: &'static str,
        key: impl fmt::Display,
        expected: impl fmt::Display,
        actual: impl fmt::Display,
    ) -> Self {
        Self::Conflict {
            entity,
            key: key.to_string(),
            expected: expected.to_string(),
            actual: actual.to_string(),
        }
    }

    /// A stored row that no valid value can be made of.
    pub fn integrity(
        entity: &'static str,
        key: impl fmt::Display,
        detail: impl fmt::Display,
    ) -> Self {
        Self::Integrity { entity, key: key.to_string(), detail: detail.to_string() }
    }

    /// Bad input.
    #[must_use]
    pub const fn invalid(field: &'static str, rule: Rule) -> Self {
        Self::Validation(Violation::new(field, rule))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chain_says_each_thing_once() {
        let source: BoxError = Arc::new(std::io::Error::other("connection refused"));
        let error = StorageError::Unavailable { resource: "PostgreSQL", source: Some(source) };
        assert_eq!(error.to_string(), "PostgreSQL is unavailable");
        assert_eq!(error.source().unwrap().to_string(), "connection refused");
        assert!(!error.nothing_was_written());
        assert!(StorageError::Contention.nothing_was_written());
    }

    #[test]
    fn bad_input_names_field_and_rule() {
        let error = StorageError::invalid("limit", Rule::OutOfRange { min: 1, max: 200 });
        assert_eq!(error.to_string(), "invalid input: limit must be between 1 and 200");
        assert_eq!(error.kind().code(), "validation");
    }
}
