//! What logs and queues need that PostgreSQL says in its own words. `sqlite/append.rs` is its twin.

use crate::run::RunQueryDsl;
use diesel::QueryResult;
use diesel::dsl::{exists, not};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Nullable, Text};

use super::Conn;
use super::lease::Mode;
use super::many::array_statement;
use crate::rows::NewOutboxRow;
use crate::schema::outbox;
use crate::types::{DbJson, DbTime, JsonText, UtcTime};

/// What appending rows needs around it: they go in by one statement.
pub(super) const APPEND: Mode = Mode::Statement;

array_statement!(
    EventsSql -> () {
        kind: &'static str => Text,
        user_id: i64 => BigInt,
        payload: DbJson => JsonText,
        correlation_id: Option<String> => Nullable<Text>,
        created_at: DbTime => UtcTime,
        attempts: i64 => BigInt,
    },
    "INSERT INTO outbox (kind, user_id, payload, correlation_id, created_at, attempts) \
     SELECT * FROM unnest(",
    ")"
);

/// Appends events in their order.
pub(super) async fn append_events(conn: &mut Conn, rows: Vec<NewOutboxRow>) -> QueryResult<()> {
    let sql = EventsSql {
        kind: rows.iter().map(|row| row.kind).collect(),
        user_id: rows.iter().map(|row| row.user_id).collect(),
        payload: rows.iter().map(|row| row.payload.clone()).collect(),
        correlation_id: rows.iter().map(|row| row.correlation_id.clone()).collect(),
        created_at: rows.iter().map(|row| row.created_at).collect(),
        attempts: rows.iter().map(|row| row.attempts).collect(),
    };
    sql.execute(conn).await.map(drop)
}

/// Members whose earliest unpublished event is free at `now`, by the age of that event, at most
/// `limit`. The events are locked to the end of the transaction, and with them the members: who
/// claims at the same moment passes them over, and sees the lease when the lock is gone.
pub(super) async fn lock_heads(conn: &mut Conn, now: DbTime, limit: i64) -> QueryResult<Vec<i64>> {
    let earlier = diesel::alias!(outbox as earlier);
    let held_back = earlier
        .filter(earlier.field(outbox::user_id).eq(outbox::user_id))
        .filter(earlier.field(outbox::published_at).is_null())
        .filter(earlier.field(outbox::id).lt(outbox::id));
    outbox::table
        .filter(outbox::published_at.is_null())
        .filter(outbox::leased_until.is_null().or(outbox::leased_until.le(now)))
        .filter(not(exists(held_back)))
        .order(outbox::id)
        .limit(limit)
        .select(outbox::user_id)
        .for_update()
        .skip_locked()
        .load(conn)
        .await
}
