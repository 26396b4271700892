//! What logs and queues need that SQLite says in its own words. `postgres/append.rs` is its twin.

use diesel::QueryResult;
use diesel::dsl::{exists, not};
use diesel::prelude::*;

use super::Conn;
use super::lease::Mode;
use super::member::batch;
use crate::rows::NewOutboxRow;
use crate::schema::outbox;
use crate::types::DbTime;

/// What appending rows needs around it: they go in one by one.
pub(super) const APPEND: Mode = Mode::Transaction;

/// Appends events in their order.
pub(super) async fn append_events(conn: &mut Conn, rows: Vec<NewOutboxRow>) -> QueryResult<()> {
    batch!(conn, execute, rows, diesel::insert_into(outbox::table).values(rows)).map(drop)
}

/// Members whose earliest unpublished event is free at `now`, by the age of that event, at most
/// `limit`. Nobody else claims before this transaction ends.
pub(super) async fn lock_heads(conn: &mut Conn, now: DbTime, limit: i64) -> QueryResult<Vec<i64>> {
    let earlier = diesel::alias!(outbox as earlier);
    let held_back = earlier
        .filter(earlier.field(outbox::user_id).eq(outbox::user_id))
        .filter(earlier.field(outbox::published_at).is_null())
        .filter(earlier.field(outbox::id).lt(outbox::id));
    let heads = outbox::table
        .filter(outbox::published_at.is_null())
        .filter(outbox::leased_until.is_null().or(outbox::leased_until.le(now)))
        .filter(not(exists(held_back)))
        .order(outbox::id)
        .limit(limit)
        .select(outbox::user_id);
    crate::run::RunQueryDsl::load(heads, conn).await
}
