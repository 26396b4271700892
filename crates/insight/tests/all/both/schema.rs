//! Users, and a connection to them.

use diesel::prelude::*;
use diesel_async::{RunQueryDsl, SimpleAsyncConnection};
use guildhall_insight::profile::{Profiled, Profiler, Snapshot, StatementReport};

use super::{Conn, Place, USERS, inner, place, settle};

diesel::table! {
    users (id) {
        id -> BigInt,
        name -> Text,
        team -> BigInt,
    }
}

/// Of those in the table: ids from 1, ten to a team.
pub(super) const USERS_TOTAL: i64 = 1_000;

/// A database with users in it, and a connection that is recorded from here on.
pub(super) async fn open(profiler: &Profiler) -> (Place, Conn) {
    let place = place().await;
    let mut conn = inner(&place).await;
    settle(&mut conn).await;
    conn.batch_execute(USERS).await.unwrap();
    let rows: Vec<String> =
        (1..=USERS_TOTAL).map(|id| format!("({id}, 'user{id}', {})", (id - 1) / 10)).collect();
    let insert = format!("INSERT INTO users (id, name, team) VALUES {}", rows.join(", "));
    conn.batch_execute(&insert).await.unwrap();
    (place, Profiled::new(conn, profiler.clone()))
}

/// The name of one user, by a statement whose text is known while compiling.
pub(super) async fn name(conn: &mut Conn, id: i64) -> String {
    let one = users::table.find(id).select(users::name);
    let names: Vec<String> = one.load(conn).await.unwrap();
    names.into_iter().next().unwrap()
}

/// The ids of so many users.
pub(super) async fn ids(conn: &mut Conn, from: i64, to: i64) -> Vec<i64> {
    let some = users::table.filter(users::id.between(from, to)).select(users::id);
    some.order(users::id).load(conn).await.unwrap()
}

/// The only statement whose text begins so.
pub(super) fn statement<'s>(snapshot: &'s Snapshot, begin: &str) -> &'s StatementReport {
    let mut found = snapshot.statements.iter().filter(|report| report.text.starts_with(begin));
    let first = found.next().unwrap_or_else(|| panic!("no {begin} in {:#?}", snapshot.statements));
    assert!(found.next().is_none(), "several {begin}");
    first
}
