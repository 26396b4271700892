//! Locks on what members read in common and on their own ways through it, as PostgreSQL has them.
//! `sqlite/catalogue.rs` is its twin.

use crate::run::RunQueryDsl;
use diesel::prelude::*;

use super::Conn;
use crate::rows::{FragmentRow, StateRow};
use crate::schema::{fragments, user_narrative};

/// These fragments, which nobody else changes from here to the end of the transaction.
pub(super) async fn lock_fragments(conn: &mut Conn, ids: &[&str]) -> QueryResult<Vec<FragmentRow>> {
    fragments::table
        .filter(fragments::id.eq_any(ids))
        .order(fragments::id)
        .for_no_key_update()
        .select(FragmentRow::as_select())
        .load(conn)
        .await
}

/// A member's state, which nobody else changes from here to the end of the transaction.
pub(super) async fn lock_state(conn: &mut Conn, user: i64) -> QueryResult<Option<StateRow>> {
    let row = user_narrative::table.find(user).for_no_key_update();
    row.select(StateRow::as_select()).first(conn).await.optional()
}
