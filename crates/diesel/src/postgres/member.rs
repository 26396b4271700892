//! What members need that PostgreSQL says in its own words. `sqlite/member.rs` is its twin.

use crate::run::RunQueryDsl;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt};

use super::activity::Signs;
use super::{Conn, columns};
use crate::rows::UserRow;
use crate::schema::users;
use crate::types::{CalendarDay, UtcTime};

/// Inserts the rows by one statement, in which their name stands for all of them: `batch!(conn,
/// execute, rows, insert_into(table).values(rows))`.
macro_rules! batch {
    ($conn:expr, $run:ident, $rows:ident, $statement:expr) => {{
        let $rows = &$rows;
        crate::run::RunQueryDsl::$run($statement, $conn).await
    }};
}
pub(super) use batch;

/// Orders text by its bytes, whatever language the database was made for.
pub(super) const BY_BYTES: &str = " COLLATE \"C\"";

/// Draws ids for new members, ascending. Those of a registration that fails stay unused.
pub(super) async fn allocate_user_ids(conn: &mut Conn, count: usize) -> QueryResult<Vec<i64>> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    // The query builder has no set-returning functions.
    let drawn = "SELECT nextval(pg_get_serial_sequence('users', 'id')) FROM generate_series(1, ";
    let drawn = diesel::dsl::sql::<BigInt>(drawn).bind::<BigInt, _>(count).sql(")");
    let mut ids: Vec<i64> = drawn.load(conn).await?;
    ids.sort_unstable();
    Ok(ids)
}

/// The member, whom nobody else changes from here to the end of the transaction.
pub(super) async fn lock_user(conn: &mut Conn, id: i64) -> QueryResult<Option<UserRow>> {
    // The id never changes, so that rows which refer to the member need not wait.
    let row = users::table.find(id).select(columns::<UserRow>()).for_no_key_update();
    row.first(conn).await.optional()
}

/// Those of these members who are not deleted, ascending, whom nobody else changes from here to the
/// end of the transaction.
pub(super) async fn lock_users(conn: &mut Conn, ids: &[i64]) -> QueryResult<Vec<i64>> {
    users::table
        .filter(users::id.eq_any(ids))
        .filter(users::deleted_at.is_null())
        .order_by(users::id)
        .select(users::id)
        .for_no_key_update()
        .load(conn)
        .await
}

/// Keeps other writers of levels away until the end of the transaction; readers pass.
pub(super) async fn lock_levels(conn: &mut Conn) -> QueryResult<()> {
    // LOCK is beyond the query builder.
    diesel::sql_query("LOCK TABLE levels IN SHARE ROW EXCLUSIVE MODE").execute(conn).await?;
    Ok(())
}

/// Adds signs of life, one a member, ascending. Gives the number of members that exist.
///
/// A statement for all members instead of one for each needs `unnest`, beyond the query builder.
pub(super) async fn record_signs(conn: &mut Conn, mut signs: Vec<Signs>) -> QueryResult<usize> {
    let ids: Vec<i64> = signs.iter().map(|sign| sign.user).collect();
    let present = lock_users(conn, &ids).await?;
    signs.retain(|sign| present.binary_search(&sign.user).is_ok());
    let (mut owners, mut days, mut actions) = (Vec::new(), Vec::new(), Vec::new());
    for sign in &signs {
        for &(day, count) in &sign.days {
            owners.push(sign.user);
            days.push(day);
            actions.push(count);
        }
    }
    diesel::sql_query(
        "WITH fresh AS (
             INSERT INTO user_activity_days (user_id, day, actions)
             SELECT given.user_id, given.day, 0
             FROM unnest($1::bigint[], $2::date[]) AS given (user_id, day)
             ON CONFLICT (user_id, day) DO NOTHING RETURNING user_id
         ), counted AS (SELECT user_id, count(*) AS days FROM fresh GROUP BY user_id)
         UPDATE user_stats SET days_active = days_active + counted.days
         FROM counted WHERE user_stats.user_id = counted.user_id",
    )
    .bind::<Array<BigInt>, _>(&owners)
    .bind::<Array<CalendarDay>, _>(&days)
    .execute(conn)
    .await?;
    diesel::sql_query(
        "UPDATE user_activity_days AS kept SET actions = kept.actions + given.actions
         FROM unnest($1::bigint[], $2::date[], $3::bigint[]) AS given (user_id, day, actions)
         WHERE kept.user_id = given.user_id AND kept.day = given.day",
    )
    .bind::<Array<BigInt>, _>(&owners)
    .bind::<Array<CalendarDay>, _>(&days)
    .bind::<Array<BigInt>, _>(&actions)
    .execute(conn)
    .await?;
    let requests: Vec<i64> = signs.iter().map(|sign| sign.requests).collect();
    let last: Vec<_> = signs.iter().map(|sign| sign.last).collect();
    diesel::sql_query(
        "UPDATE users SET total_requests = total_requests + given.requests,
             last_active_at = greatest(last_active_at, given.last)
         FROM unnest($1::bigint[], $2::bigint[], $3::timestamptz[])
             AS given (user_id, requests, last)
         WHERE users.id = given.user_id",
    )
    .bind::<Array<BigInt>, _>(&present)
    .bind::<Array<BigInt>, _>(&requests)
    .bind::<Array<UtcTime>, _>(&last)
    .execute(conn)
    .await
}
