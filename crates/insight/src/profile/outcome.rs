//! How calls end.

use diesel::result::{DatabaseErrorKind, Error};
use serde::Serialize;

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// To its end.
    Ok,
    /// The reader went before the last row, as Diesel's `first` does.
    StoppedEarly,
    /// The caller went before the response came.
    Cancelled,
    /// With an error.
    Failed(ErrorClass),
}

/// Of which sort an error is. Its message is not kept: it may quote values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorClass {
    /// A unique constraint was broken.
    UniqueViolation,
    /// A foreign key was broken.
    ForeignKeyViolation,
    /// A value that must be was not.
    NotNullViolation,
    /// A check constraint was broken.
    CheckViolation,
    /// Another writer won: the whole transaction may be tried again.
    Serialization,
    /// Two transactions waited for each other.
    Deadlock,
    /// The database is locked by another writer (SQLite).
    Busy,
    /// The transaction may not write.
    ReadOnly,
    /// The server gave up on the statement: its time was over, or someone cancelled it.
    ServerTimeout,
    /// The connection is gone.
    Closed,
    /// A value could not be sent.
    Serialize,
    /// A value could not be read.
    Deserialize,
    /// Anything else, such as a mistake in the statement.
    Other,
}

impl ErrorClass {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::UniqueViolation,
        Self::ForeignKeyViolation,
        Self::NotNullViolation,
        Self::CheckViolation,
        Self::Serialization,
        Self::Deadlock,
        Self::Busy,
        Self::ReadOnly,
        Self::ServerTimeout,
        Self::Closed,
        Self::Serialize,
        Self::Deserialize,
        Self::Other,
    ];

    /// Its name, fit for the label of a metric.
    pub const fn name(self) -> &'static str {
        match self {
            Self::UniqueViolation => "unique_violation",
            Self::ForeignKeyViolation => "foreign_key_violation",
            Self::NotNullViolation => "not_null_violation",
            Self::CheckViolation => "check_violation",
            Self::Serialization => "serialization",
            Self::Deadlock => "deadlock",
            Self::Busy => "busy",
            Self::ReadOnly => "read_only",
            Self::ServerTimeout => "server_timeout",
            Self::Closed => "closed",
            Self::Serialize => "serialize",
            Self::Deserialize => "deserialize",
            Self::Other => "other",
        }
    }

    /// Whether the same may succeed when it is tried again.
    pub const fn is_contention(self) -> bool {
        matches!(self, Self::Serialization | Self::Deadlock | Self::Busy)
    }

    /// Diesel keeps the message of an error but not its code, beyond the kinds it knows. Servers
    /// that speak another language are therefore told apart less well.
    pub fn of(error: &Error) -> Self {
        let (kind, info) = match error {
            Error::DatabaseError(kind, info) => (kind, info),
            Error::SerializationError(_) => return Self::Serialize,
            Error::DeserializationError(_) => return Self::Deserialize,
            _ => return Self::Other,
        };
        let says = |part: &str| info.message().contains(part);
        match kind {
            DatabaseErrorKind::UniqueViolation => Self::UniqueViolation,
            DatabaseErrorKind::ForeignKeyViolation => Self::ForeignKeyViolation,
            DatabaseErrorKind::NotNullViolation => Self::NotNullViolation,
            DatabaseErrorKind::CheckViolation => Self::CheckViolation,
            DatabaseErrorKind::SerializationFailure => Self::Serialization,
            DatabaseErrorKind::ReadOnlyTransaction => Self::ReadOnly,
            DatabaseErrorKind::UnableToSendCommand | DatabaseErrorKind::ClosedConnection => {
                Self::Closed
            }
            _ if says("deadlock detected") => Self::Deadlock,
            _ if says("database is locked") || says("database table is locked") => Self::Busy,
            _ if says("readonly database") => Self::ReadOnly,
            _ if says("canceling statement due to") || says("interrupted") => Self::ServerTimeout,
            _ if says("terminating connection") || says("connection closed") => Self::Closed,
            _ => Self::Other,
        }
    }
}
