//! What missions need that SQLite says in its own words. Its twin is
//! `postgres/mission_dialect.rs`.

use crate::run::RunQueryDsl;
use diesel::prelude::*;

use super::Conn;
use crate::rows::MissionRow;
use crate::schema::missions;

/// Nothing to lock: a statement that writes keeps other writers away by itself.
macro_rules! locking {
    ($query:expr) => {
        $query
    };
}
pub(super) use locking;

/// Whether a completed period lies a mission's cooldown or more before the instant that follows.
pub(super) const COOLED_DOWN: &str =
    "user_missions.completed_at + missions.cooldown_s * 1000000 <= ";

/// Nothing to do: the transaction keeps other writers away already.
pub(super) async fn lock_missions(_conn: &mut Conn) -> QueryResult<()> {
    Ok(())
}

/// The mission. The transaction keeps other writers away already.
pub(super) async fn lock_mission(conn: &mut Conn, id: &str) -> QueryResult<Option<MissionRow>> {
    let row = missions::table.find(id).select(MissionRow::as_select());
    RunQueryDsl::first(row, conn).await.optional()
}
