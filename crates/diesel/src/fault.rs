//! What can go wrong inside a call, before it is settled into a `StorageError`.

use std::sync::Arc;
use std::time::Duration;

use diesel::result::{DatabaseErrorKind, Error as DieselError};
use guildhall_domain::{Rule, Violation};
use guildhall_repository::StorageError;

/// The outcome of a piece of work on a connection.
pub(crate) type Worked<T> = Result<T, Fault>;

/// Why a piece of work on a connection ended early.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The database said so.
    Database(DieselError),
    /// The work itself refused.
    Refused(StorageError),
    /// Somebody used the same once-only key at the same moment: look again.
    Raced,
}

impl From<DieselError> for Fault {
    fn from(error: DieselError) -> Self {
        Self::Database(error)
    }
}

impl From<StorageError> for Fault {
    fn from(error: StorageError) -> Self {
        Self::Refused(error)
    }
}

impl From<Violation> for Fault {
    fn from(violation: Violation) -> Self {
        Self::Refused(violation.into())
    }
}

/// What a database error means to a caller. Each backend tells from its own words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// Other writers won: the whole may be tried again.
    Contention,
    /// The statement took too long.
    Timeout,
    /// A number left its range.
    Overflow,
    /// The server, file or disk cannot be used.
    Unavailable,
    /// The file is not a database, or is damaged.
    Corrupt,
    /// Anything else.
    Unexpected,
}

/// Settles a fault into what the caller is told.
pub(crate) fn settle(
    fault: Fault,
    operation: &'static str,
    resource: &'static str,
    limit: Duration,
    classify: fn(&DieselError) -> Class,
) -> StorageError {
    let error = match fault {
        Fault::Refused(error) => return error,
        Fault::Raced => return StorageError::Contention,
        Fault::Database(error) => error,
    };
    // Of a note that is part of another statement: by itself it is told before anything breaks.
    if broken_uniqueness(&error).is_some_and(|name| name.contains("cache_invalidations")) {
        return StorageError::already_exists("invalidation note", operation);
    }
    match classify(&error) {
        Class::Contention => StorageError::Contention,
        Class::Timeout => StorageError::Timeout { resource, after: limit },
        Class::Overflow => StorageError::invalid("amount", Rule::Overflow),
        Class::Unavailable => StorageError::Unavailable { resource, source: Some(Arc::new(error)) },
        Class::Corrupt => StorageError::integrity(resource, operation, error),
        Class::Unexpected => StorageError::Internal { operation, source: Some(Arc::new(error)) },
    }
}

/// Whether the error is a broken uniqueness, and if so the message that names the constraint.
pub(crate) fn broken_uniqueness(error: &DieselError) -> Option<&str> {
    match error {
        DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, info) => {
            Some(info.constraint_name().unwrap_or_else(|| info.message()))
        }
        _ => None,
    }
}

/// Whether the error is a reference to a row that is not there, or from one that still is.
pub(crate) fn broken_reference(error: &DieselError) -> bool {
    matches!(error, DieselError::DatabaseError(DatabaseErrorKind::ForeignKeyViolation, _))
}
