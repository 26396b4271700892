//! Writes of one statement that store their note in the same statement, where the database can.
//!
//! A transaction around a statement and its note costs PostgreSQL three round trips more. There the
//! statement becomes a part of a `WITH`, and the note another one that is stored if the first has
//! changed a row. SQLite has no such `WITH` and no round trips: there the transaction stays, and the
//! statement is as it was.

use std::sync::Arc;

use diesel::QuerySource;
use diesel::connection::Connection;
use diesel::query_builder::{DeleteStatement, Query, QueryId, UpdateStatement};
use guildhall_repository::InvalidationNote;

/// The note that a statement has to store by itself; `None` when there is none, or when the
/// transaction around the statement stores it.
pub(crate) type Woven = Option<Arc<InvalidationNote>>;

/// A statement with its note. `ROWS` when it returns rows of its own.
#[derive(Clone, Debug)]
pub(crate) struct Noted<S, const ROWS: bool> {
    pub(crate) statement: S,
    pub(crate) note: Woven,
}

/// Adds notes to statements. The outcome is kept prepared by its text, as [`Keep::kept`] keeps it.
///
/// [`Keep::kept`]: crate::kept::Keep::kept
pub(crate) trait Note: Sized {
    /// The same statement with a note, to be executed: it tells how many rows it changed.
    fn noted(self, note: &Woven) -> Noted<Self, false> {
        Noted { statement: self, note: note.clone() }
    }

    /// The same for a statement with `returning`: it gives the rows.
    fn noted_rows(self, note: &Woven) -> Noted<Self, true> {
        Noted { statement: self, note: note.clone() }
    }
}

impl<T: QuerySource, U, V, R> Note for UpdateStatement<T, U, V, R> {}
impl<T: QuerySource, U, R> Note for DeleteStatement<T, U, R> {}

/// None of its own: the text tells statements apart.
impl<S, const ROWS: bool> QueryId for Noted<S, ROWS> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<S: Query> Query for Noted<S, true> {
    type SqlType = S::SqlType;
}

impl<S, const ROWS: bool, C: Connection> diesel::RunQueryDsl<C> for Noted<S, ROWS> {}
