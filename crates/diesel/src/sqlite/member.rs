//! What members need that SQLite says in its own words. `postgres/member.rs` is its twin.

use diesel::dsl::case_when;
use diesel::prelude::*;
use diesel::query_builder::{QueryBuilder, QueryFragment};
use diesel::sql_types::BigInt;
use diesel::sqlite::{Sqlite, SqliteQueryBuilder};

use super::activity::Signs;
use super::{Conn, columns};
use crate::rows::UserRow;
use crate::schema::{user_activity_days, user_stats, users};

/// Inserts the rows one by one, without leaving the thread of the connection: `batch!(conn, execute,
/// rows, insert_into(table).values(rows))`. In the statement, their name stands for one of them.
/// SQLite has no `DEFAULT` in `VALUES`, for which diesel-async does without several rows.
macro_rules! batch {
    ($conn:expr, execute, $rows:ident, $statement:expr) => {
        if let Some(first) = $rows.iter().next() {
            let sql = {
                let $rows = first;
                crate::sqlite::member::text_for($conn, &$statement)
            };
            let count = $rows.len();
            let work = move |inner: &mut diesel::SqliteConnection| {
                let mut written = 0;
                for $rows in &$rows {
                    written += diesel::RunQueryDsl::execute($statement, inner)?;
                }
                Ok(written)
            };
            $conn.run_batch(&sql, count, |inner| inner.spawn_blocking(work)).await
        } else {
            Ok(0)
        }
    };
    ($conn:expr, get_results, $rows:ident, $statement:expr) => {
        if let Some(first) = $rows.iter().next() {
            let sql = {
                let $rows = first;
                crate::sqlite::member::text_for($conn, &$statement)
            };
            let count = $rows.len();
            let work = move |inner: &mut diesel::SqliteConnection| {
                let mut written = Vec::with_capacity($rows.len());
                for $rows in &$rows {
                    written.append(&mut diesel::RunQueryDsl::get_results($statement, inner)?);
                }
                Ok(written)
            };
            $conn.run_batch(&sql, count, |inner| inner.spawn_blocking(work)).await
        } else {
            Ok(Vec::new())
        }
    };
}
pub(super) use batch;

/// The text of a statement for the profiler, if there is one that records.
pub(super) fn text_for(conn: &Conn, statement: &dyn QueryFragment<Sqlite>) -> String {
    let mut text = SqliteQueryBuilder::new();
    if conn.profiler().is_on() && statement.to_sql(&mut text, &Sqlite).is_ok() {
        return text.finish();
    }
    String::new()
}

/// Orders text by its bytes.
pub(super) const BY_BYTES: &str = " COLLATE BINARY";

/// Draws ids for new members, ascending. Nobody else writes before this transaction ends.
pub(super) async fn allocate_user_ids(conn: &mut Conn, count: usize) -> QueryResult<Vec<i64>> {
    // The table of the sequences is SQLite's own and not in the schema. It has no row yet before
    // the first member.
    let last = "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'users'";
    let last: i64 =
        crate::run::RunQueryDsl::get_result(diesel::dsl::sql::<BigInt>(last), conn).await?;
    Ok((last.saturating_add(1)..).take(count).collect())
}

/// The member. The transaction keeps other writers away already.
pub(super) async fn lock_user(conn: &mut Conn, id: i64) -> QueryResult<Option<UserRow>> {
    let row = users::table.find(id).select(columns::<UserRow>());
    crate::run::RunQueryDsl::first(row, conn).await.optional()
}

/// Those of these members who are not deleted, ascending.
pub(super) async fn lock_users(conn: &mut Conn, ids: &[i64]) -> QueryResult<Vec<i64>> {
    let present = users::table
        .filter(users::id.eq_any(ids.to_vec()))
        .filter(users::deleted_at.is_null())
        .order_by(users::id)
        .select(users::id);
    crate::run::RunQueryDsl::load(present, conn).await
}

/// Nothing to do: the transaction keeps other writers away already.
pub(super) async fn lock_levels(_conn: &mut Conn) -> QueryResult<()> {
    Ok(())
}

/// What the profiler calls a sign of life: its first write. The days are counted with it.
const SIGNED: &str = "UPDATE users SET total_requests = total_requests + ?, last_active_at = ? \
                      WHERE id = ? AND deleted_at IS NULL";

/// Adds signs of life, one a member, ascending. Gives the number of members that exist.
pub(super) async fn record_signs(conn: &mut Conn, signs: Vec<Signs>) -> QueryResult<usize> {
    // Statements of one row cost no round trip here.
    let members = signs.len();
    let work = move |inner: &mut SqliteConnection| {
        let mut touched = 0;
        for sign in &signs {
            touched += record_sign(inner, sign)?;
        }
        Ok(touched)
    };
    conn.run_batch(SIGNED, members, |inner| inner.spawn_blocking(work)).await
}

fn record_sign(conn: &mut SqliteConnection, sign: &Signs) -> QueryResult<usize> {
    let present = users::table.find(sign.user).filter(users::deleted_at.is_null());
    let later =
        case_when(users::last_active_at.gt(sign.last), users::last_active_at).otherwise(sign.last);
    let touched = diesel::update(present)
        .set((
            users::total_requests.eq(users::total_requests + sign.requests),
            users::last_active_at.eq(later),
        ))
        .execute(conn)?;
    if touched == 0 {
        return Ok(0);
    }
    let mut fresh = 0_i64;
    for &(day, actions) in &sign.days {
        let (owner, kept) = (user_activity_days::user_id, user_activity_days::actions);
        let new = (owner.eq(sign.user), user_activity_days::day.eq(day), kept.eq(actions));
        let inserted = diesel::insert_into(user_activity_days::table)
            .values(new)
            .on_conflict_do_nothing()
            .execute(conn)?;
        if inserted == 1 {
            fresh += 1;
        } else {
            diesel::update(user_activity_days::table.find((sign.user, day)))
                .set(kept.eq(kept + actions))
                .execute(conn)?;
        }
    }
    if fresh > 0 {
        diesel::update(user_stats::table.find(sign.user))
            .set(user_stats::days_active.eq(user_stats::days_active + fresh))
            .execute(conn)?;
    }
    Ok(touched)
}
