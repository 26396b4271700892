//! Movements on SQLite: there is no data-modifying `WITH`, but inside `BEGIN IMMEDIATE` nobody else
//! writes, so an update and an insert do, in one hop to the library's thread.

use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::lease::Mode;
use super::member::batch;
use super::{Conn, columns};
use crate::fault::Worked;
use crate::kept::Keep;
use crate::rows::{AccountRow, Moved, Movement, NewEntryRow, TransferMovement};
use crate::schema::{levels, point_accounts, point_entries};
use crate::types::DbTime;

/// Two statements need a transaction around them.
pub(super) const MOVEMENT: Mode = Mode::Transaction;

/// What the profiler calls a movement: its first write. What else belongs to it, the entry above
/// all, is done in the same hop and counted with it.
const MOVED: &str = "UPDATE point_accounts SET balance = balance + ?, next_seq = next_seq + 1 \
                     WHERE user_id = ? AND NOT is_closed AND balance - held >= ?";

/// The same of accounts that were computed before.
const STORED: &str = "UPDATE point_accounts SET balance = ?, next_seq = ? WHERE user_id = ?";

/// Applies a movement. `None` when the account is absent, closed or short of points, or the
/// once-only key was used: nothing was written then.
pub(super) async fn apply_movement(conn: &mut Conn, movement: &Movement) -> Worked<Option<Moved>> {
    let movement = movement.clone();
    let work = move |inner: &mut SqliteConnection| move_one(inner, &movement);
    Ok(conn.run(MOVED, |inner| inner.spawn_blocking(work)).await?)
}

/// Moves points between two accounts. `None` when one is absent or closed, the sender is short of
/// points, or the once-only key was used: nothing was written then. The sender's half comes first.
pub(super) async fn apply_transfer(
    conn: &mut Conn,
    transfer: &TransferMovement,
) -> Worked<Option<(Moved, Moved)>> {
    let transfer = transfer.clone();
    let work = move |inner: &mut SqliteConnection| move_two(inner, &transfer);
    Ok(conn.run_batch(MOVED, 2, |inner| inner.spawn_blocking(work)).await?)
}

fn move_one(conn: &mut SqliteConnection, m: &Movement) -> QueryResult<Option<Moved>> {
    use point_accounts::dsl as a;
    if key_is_used(conn, m.idem_key.as_deref())? {
        return Ok(None);
    }
    let (earned, spent) = (m.earned(), m.spent());
    // Split so that no product overflows.
    let gain = || {
        let boost = || a::xp_boost_bp.cast::<BigInt>();
        boost() * (earned / 10_000) + boost() * (earned % 10_000) / 10_000
    };
    let account = a::point_accounts
        .find(m.user)
        .filter(a::is_closed.eq(false))
        .filter((a::balance - a::held).ge(-(m.amount + m.unheld)));
    let moved: Option<(i64, i64, i64, i64)> = diesel::update(account)
        .set((
            a::balance.eq(a::balance + m.amount),
            a::held.eq(a::held - m.unheld),
            a::lifetime_earned.eq(a::lifetime_earned + earned),
            a::lifetime_spent.eq(a::lifetime_spent + spent),
            a::xp.eq(a::xp + gain()),
            a::next_seq.eq(a::next_seq + 1),
            a::version.eq(a::version + 1),
            a::updated_at.eq(m.now),
        ))
        .returning((a::balance, a::next_seq, a::xp, gain()))
        .kept()
        .get_result(conn)
        .optional()?;
    let Some((balance_after, next_seq, xp, gained)) = moved else {
        return Ok(None);
    };
    let passed = if gained > 0 { raise_level(conn, m.user, xp - gained, xp)? } else { Vec::new() };
    let mut moved = Moved { entry: 0, seq: next_seq - 1, balance_after, levels: passed };
    moved.entry = insert_entry(conn, &NewEntryRow::of(m, &moved))?;
    Ok(Some(moved))
}

/// Stores the level of `xp` if it is higher, and gives the levels that begin in `(before, xp]`.
fn raise_level(
    conn: &mut SqliteConnection,
    user: i64,
    before: i64,
    xp: i64,
) -> QueryResult<Vec<i64>> {
    use point_accounts::dsl as a;
    let passed: Vec<i64> = levels::table
        .filter(levels::min_xp.gt(before).and(levels::min_xp.le(xp)))
        .order(levels::level)
        .select(levels::level)
        .load(conn)?;
    if let Some(&reached) = passed.last() {
        diesel::update(a::point_accounts.find(user).filter(a::level.lt(reached)))
            .set(a::level.eq(reached))
            .execute(conn)?;
    }
    Ok(passed)
}

fn move_two(
    conn: &mut SqliteConnection,
    t: &TransferMovement,
) -> QueryResult<Option<(Moved, Moved)>> {
    if key_is_used(conn, t.idem_key.as_deref())? {
        return Ok(None);
    }
    let Some((sent_after, sent_seq)) = shift(conn, t.from, -t.amount, t.now)? else {
        return Ok(None);
    };
    let Some((received_after, received_seq)) = shift(conn, t.to, t.amount, t.now)? else {
        return Ok(None); // The refusal that follows rolls the sender's half back.
    };
    let row = |user, counterpart, seq, amount, balance_after, kind, idem_key| NewEntryRow {
        user_id: user,
        seq,
        amount,
        balance_after,
        kind,
        source: "transfer".to_owned(),
        source_ref: None,
        description: t.description.clone(),
        base_amount: None,
        multiplier_bp: None,
        counterpart_user_id: Some(counterpart),
        transfer_id: Some(t.transfer_id.clone()),
        idem_key,
        created_at: t.now,
    };
    let key = t.idem_key.clone();
    let sent = row(t.from, t.to, sent_seq, -t.amount, sent_after, "transfer_out", key);
    let received = row(t.to, t.from, received_seq, t.amount, received_after, "transfer_in", None);
    let moved = |entry, row: &NewEntryRow| Moved {
        entry,
        seq: row.seq,
        balance_after: row.balance_after,
        levels: Vec::new(),
    };
    let sent = moved(insert_entry(conn, &sent)?, &sent);
    let received = moved(insert_entry(conn, &received)?, &received);
    Ok(Some((sent, received)))
}

/// Changes a balance; the balance and number of the entry to be written, `None` when refused.
fn shift(
    conn: &mut SqliteConnection,
    user: i64,
    amount: i64,
    now: DbTime,
) -> QueryResult<Option<(i64, i64)>> {
    use point_accounts::dsl as a;
    let account = a::point_accounts
        .find(user)
        .filter(a::is_closed.eq(false))
        .filter((a::balance - a::held).ge(-amount));
    diesel::update(account)
        .set((
            a::balance.eq(a::balance + amount),
            a::next_seq.eq(a::next_seq + 1),
            a::version.eq(a::version + 1),
            a::updated_at.eq(now),
        ))
        .returning((a::balance, a::next_seq - 1))
        .kept()
        .get_result(conn)
        .optional()
}

fn insert_entry(conn: &mut SqliteConnection, row: &NewEntryRow) -> QueryResult<i64> {
    diesel::insert_into(point_entries::table)
        .values(row)
        .returning(point_entries::id)
        .get_result(conn)
}

fn key_is_used(conn: &mut SqliteConnection, key: Option<&str>) -> QueryResult<bool> {
    let Some(key) = key else { return Ok(false) };
    let used = point_entries::table.filter(point_entries::idem_key.eq(key));
    diesel::select(diesel::dsl::exists(used)).get_result(conn)
}

/// The accounts of these members, to be changed by this transaction alone: nobody else writes.
/// Ascending by member; absent ones are left out.
pub(super) async fn lock_accounts(conn: &mut Conn, users: &[i64]) -> QueryResult<Vec<AccountRow>> {
    let rows = point_accounts::table
        .filter(point_accounts::user_id.eq_any(users.to_vec()))
        .order(point_accounts::user_id)
        .select(columns::<AccountRow>());
    crate::run::RunQueryDsl::load(rows, conn).await
}

/// Writes entries that were computed under their accounts' locks; their ids, in order.
pub(super) async fn insert_entries(
    conn: &mut Conn,
    rows: Vec<NewEntryRow>,
) -> QueryResult<Vec<i64>> {
    let insert = diesel::insert_into(point_entries::table);
    batch!(conn, get_results, rows, insert.values(rows).returning(point_entries::id))
}

/// Stores what was computed of locked accounts.
pub(super) async fn store_accounts(conn: &mut Conn, rows: Vec<AccountRow>) -> QueryResult<()> {
    use point_accounts::dsl as a;
    let accounts = rows.len();
    let work = move |inner: &mut SqliteConnection| {
        for row in &rows {
            let _stored: i64 = diesel::update(a::point_accounts.find(row.user_id))
                .set((
                    a::balance.eq(row.balance),
                    a::lifetime_earned.eq(row.lifetime_earned),
                    a::lifetime_spent.eq(row.lifetime_spent),
                    a::xp.eq(row.xp),
                    a::level.eq(row.level),
                    a::next_seq.eq(row.next_seq),
                    a::version.eq(row.version),
                    a::updated_at.eq(row.updated_at),
                ))
                .returning(a::user_id)
                .kept()
                .get_result(inner)?;
        }
        Ok(())
    };
    conn.run_batch(STORED, accounts, |inner| inner.spawn_blocking(work)).await
}
