//! The same movements by synchronous Diesel on one SQLite connection.

use std::future::{Future, ready};
use std::hint::black_box;

use diesel::prelude::*;

use crate::movement::{AMOUNT, Kind, Picks, SOURCE, now};
use crate::rounds::Worker;

use point_accounts::dsl as a;
use point_entries::dsl as e;

// Only what is needed, and times as the integers that they are here.
diesel::table! {
    point_accounts (user_id) {
        user_id -> BigInt,
        balance -> BigInt,
        held -> BigInt,
        lifetime_earned -> BigInt,
        lifetime_spent -> BigInt,
        xp -> BigInt,
        next_seq -> BigInt,
        is_closed -> Bool,
        updated_at -> BigInt,
        version -> BigInt,
    }
}

diesel::table! {
    point_entries (id) {
        id -> BigInt,
        user_id -> BigInt,
        seq -> BigInt,
        amount -> BigInt,
        balance_after -> BigInt,
        kind -> Text,
        source -> Text,
        counterpart_user_id -> Nullable<BigInt>,
        transfer_id -> Nullable<Text>,
        created_at -> BigInt,
    }
}

/// Moves points in `BEGIN IMMEDIATE` .. `COMMIT`, on the task's own thread.
pub(crate) struct Synchronous {
    pub(crate) conn: SqliteConnection,
    pub(crate) kind: Kind,
    pub(crate) picks: Picks,
}

impl Worker for Synchronous {
    fn call(&mut self) -> impl Future<Output = ()> + Send {
        let (one, other) = self.picks.pair();
        let (kind, time) = (self.kind, now().micros());
        let moved: QueryResult<i64> = self.conn.immediate_transaction(|conn| match kind {
            Kind::Award => award(conn, one, time),
            Kind::Deduct => {
                let (balance, seq) = shift(conn, one, -AMOUNT, time, AMOUNT)?;
                entry(conn, one, seq, -AMOUNT, balance, "deduct", SOURCE, None, time)
            }
            Kind::Transfer => {
                let id = format!("{:032x}", fastrand::u128(..));
                let (balance, seq) = shift(conn, one, -AMOUNT, time, 0)?;
                let to = Some((other, id.as_str()));
                entry(conn, one, seq, -AMOUNT, balance, "transfer_out", "transfer", to, time)?;
                let (balance, seq) = shift(conn, other, AMOUNT, time, 0)?;
                let from = Some((one, id.as_str()));
                entry(conn, other, seq, AMOUNT, balance, "transfer_in", "transfer", from, time)
            }
        });
        black_box(moved.unwrap());
        ready(())
    }
}

fn award(conn: &mut SqliteConnection, user: i64, time: i64) -> QueryResult<i64> {
    let (balance, seq): (i64, i64) = diesel::update(a::point_accounts.find(user))
        .filter(a::is_closed.eq(false))
        .set((
            a::balance.eq(a::balance + AMOUNT),
            a::lifetime_earned.eq(a::lifetime_earned + AMOUNT),
            a::xp.eq(a::xp + AMOUNT),
            a::next_seq.eq(a::next_seq + 1),
            a::version.eq(a::version + 1),
            a::updated_at.eq(time),
        ))
        .returning((a::balance, a::next_seq - 1))
        .get_result(conn)?;
    entry(conn, user, seq, AMOUNT, balance, "award", SOURCE, None, time)
}

fn shift(
    conn: &mut SqliteConnection,
    user: i64,
    amount: i64,
    time: i64,
    spent: i64,
) -> QueryResult<(i64, i64)> {
    diesel::update(a::point_accounts.find(user))
        .filter(a::is_closed.eq(false).and((a::balance - a::held).ge(-amount)))
        .set((
            a::balance.eq(a::balance + amount),
            a::lifetime_spent.eq(a::lifetime_spent + spent),
            a::next_seq.eq(a::next_seq + 1),
            a::version.eq(a::version + 1),
            a::updated_at.eq(time),
        ))
        .returning((a::balance, a::next_seq - 1))
        .get_result(conn)
}

#[expect(clippy::too_many_arguments, reason = "the columns of a row")]
fn entry(
    conn: &mut SqliteConnection,
    user: i64,
    seq: i64,
    amount: i64,
    balance_after: i64,
    kind: &str,
    source: &str,
    counterpart: Option<(i64, &str)>,
    time: i64,
) -> QueryResult<i64> {
    diesel::insert_into(e::point_entries)
        .values((
            e::user_id.eq(user),
            e::seq.eq(seq),
            e::amount.eq(amount),
            e::balance_after.eq(balance_after),
            e::kind.eq(kind),
            e::source.eq(source),
            e::counterpart_user_id.eq(counterpart.map(|(user, _)| user)),
            e::transfer_id.eq(counterpart.map(|(_, id)| id)),
            e::created_at.eq(time),
        ))
        .returning(e::id)
        .get_result(conn)
}
