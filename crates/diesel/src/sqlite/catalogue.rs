//! Locks on what members read in common and on their own ways through it: the transaction keeps
//! other writers away already. `postgres/catalogue.rs` is its twin.

use crate::run::RunQueryDsl;
use diesel::prelude::*;

use super::Conn;
use crate::rows::{FragmentRow, StateRow};
use crate::schema::{fragments, user_narrative};

/// These fragments.
pub(super) async fn lock_fragments(conn: &mut Conn, ids: &[&str]) -> QueryResult<Vec<FragmentRow>> {
    fragments::table
        .filter(fragments::id.eq_any(ids))
        .order(fragments::id)
        .select(FragmentRow::as_select())
        .load(conn)
        .await
}

/// A member's state.
pub(super) async fn lock_state(conn: &mut Conn, user: i64) -> QueryResult<Option<StateRow>> {
    let row = user_narrative::table.find(user);
    row.select(StateRow::as_select()).first(conn).await.optional()
}
