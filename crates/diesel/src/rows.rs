//! Rows as the tables hold them, and their passage to and from domain values.

mod activity;
mod ledger;
mod level;
mod point;
mod user;

pub(crate) use activity::{CounterRow, StatsRow, fold_name};
pub(crate) use ledger::{EntryRow, Moved, Movement, NewEntryRow, TransferMovement};
pub(crate) use level::LevelRow;
pub(crate) use point::{AccountRow, HoldRow};
pub(crate) use user::{ExternalRow, UserRow};

use guildhall_repository::StorageError;

/// Reads an optional text column as a domain text.
pub(crate) fn optional<T: TryFrom<String>>(column: Option<String>) -> Result<Option<T>, T::Error> {
    column.map(T::try_from).transpose()
}

/// A count that cannot be negative in a sound database.
pub(crate) fn count(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

/// A number that the domain keeps within the range of the column.
pub(crate) fn column(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// Says that a stored row makes no valid value.
pub(crate) fn corrupt(
    entity: &'static str,
    key: impl std::fmt::Display,
) -> impl FnOnce(Box<dyn std::error::Error>) -> StorageError {
    move |error| StorageError::integrity(entity, key, error)
}
