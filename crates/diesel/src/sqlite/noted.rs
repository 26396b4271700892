//! Notes on SQLite: a statement of their own, in the transaction of the write.

use diesel::QueryResult;
use diesel::query_builder::{AstPass, QueryFragment};
use diesel::sqlite::Sqlite;
use guildhall_repository::InvalidationNote;

use super::invalidation::insert_note_on;
use super::lease::roll_back;
use super::{Conn, begin_write};
use crate::fault::Worked;
use crate::noted::Noted;

/// A statement needs a transaction around it and its note.
pub(super) const WEAVES: bool = false;

impl<S: QueryFragment<Sqlite>, const ROWS: bool> QueryFragment<Sqlite> for Noted<S, ROWS> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        self.statement.walk_ast(out)
    }

    fn is_safe_to_cache_prepared(&self, _backend: &Sqlite) -> QueryResult<bool> {
        Ok(true)
    }
}

/// Opens a transaction that stores its note at once.
pub(super) async fn begin_noted(conn: &mut Conn, note: &InvalidationNote) -> Worked<()> {
    begin_write(conn).await?;
    let stored = insert_note_on(conn, note).await;
    if stored.is_err() {
        roll_back(conn).await;
    }
    stored
}
