//! What missions need that PostgreSQL says in its own words. Its twin is
//! `sqlite/mission_dialect.rs`.

use crate::run::RunQueryDsl;
use diesel::prelude::*;

use super::Conn;
use crate::rows::MissionRow;
use crate::schema::missions;

/// Locks the rows that a query finds, up to the end of the transaction.
macro_rules! locking {
    ($query:expr) => {
        $query.for_no_key_update()
    };
}
pub(super) use locking;

/// Whether a completed period lies a mission's cooldown or more before the instant that follows.
pub(super) const COOLED_DOWN: &str =
    "user_missions.completed_at + missions.cooldown_s * INTERVAL '1 second' <= ";

/// Keeps other writers of the catalogue away until the end of the transaction; readers, and members
/// who begin missions, pass.
pub(super) async fn lock_missions(conn: &mut Conn) -> QueryResult<()> {
    // LOCK is beyond the query builder.
    diesel::sql_query("LOCK TABLE missions IN SHARE ROW EXCLUSIVE MODE").execute(conn).await?;
    Ok(())
}

/// The mission, which nobody else changes from here to the end of the transaction.
pub(super) async fn lock_mission(conn: &mut Conn, id: &str) -> QueryResult<Option<MissionRow>> {
    let row = missions::table.find(id).select(MissionRow::as_select()).for_no_key_update();
    row.first(conn).await.optional()
}
