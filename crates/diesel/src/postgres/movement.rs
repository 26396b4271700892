//! Movements on PostgreSQL: one statement each, so one round trip and the shortest possible lock.
//!
//! The query builder has no data-modifying `WITH`, hence these fragments: fixed text, binds only,
//! prepared once a connection because their type is their identity.

use std::collections::HashMap;

use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Integer, Nullable, Text};
use diesel::{OptionalExtension, QueryResult};
use diesel_async::RunQueryDsl;

use super::lease::Mode;
use super::{Conn, columns};
use crate::fault::Worked;
use crate::rows::{AccountRow, Moved, Movement, NewEntryRow, TransferMovement};
use crate::schema::point_accounts;
use crate::types::{DbTime, UtcTime};

/// One statement needs no transaction around it.
pub(super) const MOVEMENT: Mode = Mode::Guarded;

/// Applies a movement. `None` when the account is absent, closed or short of points, or the
/// once-only key was used: nothing was written then.
pub(super) async fn apply_movement(conn: &mut Conn, movement: &Movement) -> Worked<Option<Moved>> {
    let moved = match (movement.gives_xp(), movement.idem_key.is_some()) {
        (false, false) => MoveSql::<NO_XP, false>::run(conn, movement).await?,
        (false, true) => MoveSql::<NO_XP, true>::run(conn, movement).await?,
        (true, true) => MoveSql::<XP, true>::run(conn, movement).await?,
        // Most awards pass no level, and a statement that need not say which is shorter. It finds
        // no account where a level is passed, or where the other finds none either.
        (true, false) => match MoveSql::<XP_WITHIN_LEVEL, false>::run(conn, movement).await? {
            None => MoveSql::<XP, false>::run(conn, movement).await?,
            moved => moved,
        },
    };
    Ok(moved)
}

/// What a movement does to the experience: nothing.
const NO_XP: u8 = 0;
/// It rises, and no level begins on the way.
const XP_WITHIN_LEVEL: u8 = 1;
/// It rises, and the level with it.
const XP: u8 = 2;

/// The statement of a movement. One without a once-only key does not look for earlier uses.
struct MoveSql<const GAIN: u8, const KEYED: bool> {
    movement: Movement,
    earned: i64,
    spent: i64,
}

impl<const GAIN: u8, const KEYED: bool> QueryId for MoveSql<GAIN, KEYED> {
    type QueryId = Self;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<const GAIN: u8, const KEYED: bool> Query for MoveSql<GAIN, KEYED> {
    type SqlType = (BigInt, BigInt, BigInt, Array<BigInt>);
}

impl<const GAIN: u8, const KEYED: bool> MoveSql<GAIN, KEYED> {
    async fn run(conn: &mut Conn, movement: &Movement) -> QueryResult<Option<Moved>> {
        let (earned, spent) = (movement.earned(), movement.spent());
        let sql = Self { movement: movement.clone(), earned, spent };
        let row: Option<(i64, i64, i64, Vec<i64>)> = sql.get_result(conn).await.optional()?;
        Ok(row.map(|(entry, seq, balance_after, levels)| Moved {
            entry,
            seq,
            balance_after,
            levels,
        }))
    }

    /// Experience gained: the award at the account's boost. Split so that no product overflows.
    fn gain<'b>(&'b self, out: &mut AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("(");
        out.push_bind_param::<BigInt, _>(&self.earned)?;
        out.push_sql(" / 10000 * a.xp_boost_bp + ");
        out.push_bind_param::<BigInt, _>(&self.earned)?;
        out.push_sql(" % 10000 * a.xp_boost_bp / 10000)");
        Ok(())
    }

    /// What becomes of the account.
    fn changes<'b>(&'b self, out: &mut AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let m = &self.movement;
        out.push_sql("UPDATE point_accounts AS a SET balance = a.balance + ");
        out.push_bind_param::<BigInt, _>(&m.amount)?;
        if GAIN == NO_XP {
            out.push_sql(", held = a.held - ");
            out.push_bind_param::<BigInt, _>(&m.unheld)?;
            out.push_sql(", lifetime_spent = a.lifetime_spent + ");
            out.push_bind_param::<BigInt, _>(&self.spent)?;
        } else {
            out.push_sql(", lifetime_earned = a.lifetime_earned + ");
            out.push_bind_param::<BigInt, _>(&self.earned)?;
            out.push_sql(", xp = a.xp + ");
            self.gain(out)?;
        }
        if GAIN == XP {
            out.push_sql(
                ", level = GREATEST(a.level, (SELECT l.level FROM levels AS l \
                 WHERE l.min_xp <= a.xp + ",
            );
            self.gain(out)?;
            out.push_sql(" ORDER BY l.min_xp DESC LIMIT 1))");
        }
        out.push_sql(", next_seq = a.next_seq + 1, version = a.version + 1, updated_at = ");
        out.push_bind_param::<UtcTime, _>(&m.now)
    }

    /// Which account, and on what conditions.
    fn conditions<'b>(&'b self, out: &mut AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let m = &self.movement;
        out.push_sql(" WHERE a.user_id = ");
        out.push_bind_param::<BigInt, _>(&m.user)?;
        out.push_sql(" AND NOT a.is_closed");
        if GAIN == NO_XP {
            out.push_sql(" AND a.balance - a.held + ");
            out.push_bind_param::<BigInt, _>(&m.amount)?;
            out.push_sql(" + ");
            out.push_bind_param::<BigInt, _>(&m.unheld)?;
            out.push_sql(" >= 0");
        }
        if GAIN == XP_WITHIN_LEVEL {
            out.push_sql(
                " AND NOT EXISTS (SELECT 1 FROM levels AS l WHERE l.min_xp > a.xp \
                 AND l.min_xp <= a.xp + ",
            );
            self.gain(out)?;
            out.push_sql(")");
        }
        if KEYED {
            out.push_sql(" AND NOT EXISTS (SELECT 1 FROM point_entries AS e WHERE e.idem_key = ");
            out.push_bind_param::<Nullable<Text>, _>(&m.idem_key)?;
            out.push_sql(")");
        }
        Ok(())
    }

    /// The entry that it leaves.
    fn entry<'b>(&'b self, out: &mut AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let m = &self.movement;
        out.push_sql(
            "INSERT INTO point_entries (user_id, seq, amount, balance_after, kind, \
             source, source_ref, description, base_amount, multiplier_bp, counterpart_user_id, \
             idem_key, created_at) SELECT moved.user_id, moved.seq, ",
        );
        out.push_bind_param::<BigInt, _>(&m.amount)?;
        out.push_sql(", moved.balance, ");
        out.push_bind_param::<Text, _>(&m.kind_text)?;
        out.push_sql(", ");
        out.push_bind_param::<Text, _>(&m.source)?;
        out.push_sql(", ");
        out.push_bind_param::<Nullable<Text>, _>(&m.source_ref)?;
        out.push_sql(", ");
        out.push_bind_param::<Nullable<Text>, _>(&m.description)?;
        out.push_sql(", ");
        out.push_bind_param::<Nullable<BigInt>, _>(&m.base_amount)?;
        out.push_sql(", ");
        out.push_bind_param::<Nullable<Integer>, _>(&m.multiplier_bp)?;
        out.push_sql(", ");
        out.push_bind_param::<Nullable<BigInt>, _>(&m.counterpart)?;
        out.push_sql(", ");
        out.push_bind_param::<Nullable<Text>, _>(&m.idem_key)?;
        out.push_sql(", ");
        out.push_bind_param::<UtcTime, _>(&m.now)?;
        out.push_sql(" FROM moved RETURNING ");
        Ok(())
    }
}

impl<const GAIN: u8, const KEYED: bool> QueryFragment<Pg> for MoveSql<GAIN, KEYED> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("WITH moved AS (");
        self.changes(&mut out)?;
        self.conditions(&mut out)?;
        out.push_sql(" RETURNING a.user_id, a.next_seq - 1 AS seq, a.balance");
        if GAIN == XP {
            out.push_sql(", a.xp, ");
            self.gain(&mut out)?;
            out.push_sql(" AS gain), entry AS (");
            self.entry(&mut out)?;
            out.push_sql(
                "id) SELECT entry.id, moved.seq, moved.balance, ARRAY(SELECT l.level \
                 FROM levels AS l WHERE l.min_xp > moved.xp - moved.gain \
                 AND l.min_xp <= moved.xp ORDER BY l.level) FROM moved, entry",
            );
        } else {
            out.push_sql(") ");
            self.entry(&mut out)?;
            out.push_sql("id, seq, balance_after, '{}'::bigint[]");
        }
        Ok(())
    }
}

/// Moves points between two accounts, by the function `transfer_points` of the migrations: a single
/// statement that locks, decides and moves works on what it saw before it held the locks. `None`
/// when one is absent or closed, the sender is short of points, or the once-only key was used:
/// nothing was written then. The sender's half comes first.
pub(super) async fn apply_transfer(
    conn: &mut Conn,
    transfer: &TransferMovement,
) -> Worked<Option<(Moved, Moved)>> {
    let rows: Vec<(i64, i64, i64, i64)> = TransferSql(transfer.clone()).load(conn).await?;
    let half = |user: i64| {
        rows.iter().find(|row| row.0 == user).map(|&(_, entry, seq, balance_after)| Moved {
            entry,
            seq,
            balance_after,
            levels: Vec::new(),
        })
    };
    Ok(half(transfer.from).zip(half(transfer.to)))
}

/// The statement of a transfer.
struct TransferSql(TransferMovement);

impl QueryId for TransferSql {
    type QueryId = Self;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl Query for TransferSql {
    type SqlType = (BigInt, BigInt, BigInt, BigInt);
}

impl QueryFragment<Pg> for TransferSql {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let t = &self.0;
        out.push_sql("SELECT moved_user, entry_id, entry_seq, new_balance FROM transfer_points(");
        out.push_bind_param::<BigInt, _>(&t.from)?;
        out.push_sql(", ");
        out.push_bind_param::<BigInt, _>(&t.to)?;
        out.push_sql(", ");
        out.push_bind_param::<BigInt, _>(&t.amount)?;
        out.push_sql(", ");
        out.push_bind_param::<Nullable<Text>, _>(&t.description)?;
        out.push_sql(", ");
        out.push_bind_param::<Text, _>(&t.transfer_id)?;
        out.push_sql(", ");
        out.push_bind_param::<Nullable<Text>, _>(&t.idem_key)?;
        out.push_sql(", ");
        out.push_bind_param::<UtcTime, _>(&t.now)?;
        out.push_sql(")");
        Ok(())
    }
}

/// The accounts of these members, locked in ascending order until the transaction ends; absent
/// ones are left out.
pub(super) async fn lock_accounts(conn: &mut Conn, users: &[i64]) -> QueryResult<Vec<AccountRow>> {
    use diesel::{ExpressionMethods, QueryDsl};
    point_accounts::table
        .filter(point_accounts::user_id.eq_any(users))
        .order(point_accounts::user_id)
        .for_no_key_update()
        .select(columns::<AccountRow>())
        .load(conn)
        .await
}

/// A fragment that is prepared once: its columns travel as arrays, however many rows there are.
macro_rules! array_statement {
    ($name:ident -> $sql_type:ty { $($field:ident: $item:ty => $item_sql:ty,)+ }, $before:literal, $after:literal) => {
        struct $name {
            $($field: Vec<$item>,)+
        }

        impl QueryId for $name {
            type QueryId = Self;
            const HAS_STATIC_QUERY_ID: bool = true;
        }

        impl Query for $name {
            type SqlType = $sql_type;
        }

        impl QueryFragment<Pg> for $name {
            fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
                out.push_sql($before);
                let mut first = true;
                $(
                    if !std::mem::take(&mut first) {
                        out.push_sql(", ");
                    }
                    out.push_bind_param::<Array<$item_sql>, Vec<$item>>(&self.$field)?;
                )+
                out.push_sql($after);
                Ok(())
            }
        }
    };
}

array_statement!(
    EntriesSql -> (BigInt, BigInt, BigInt) {
        user_id: i64 => BigInt,
        seq: i64 => BigInt,
        amount: i64 => BigInt,
        balance_after: i64 => BigInt,
        kind: &'static str => Text,
        source: String => Text,
        source_ref: Option<String> => Nullable<Text>,
        description: Option<String> => Nullable<Text>,
        base_amount: Option<i64> => Nullable<BigInt>,
        multiplier_bp: Option<i32> => Nullable<Integer>,
        counterpart_user_id: Option<i64> => Nullable<BigInt>,
        transfer_id: Option<String> => Nullable<Text>,
        idem_key: Option<String> => Nullable<Text>,
        created_at: DbTime => UtcTime,
    },
    "INSERT INTO point_entries (user_id, seq, amount, balance_after, kind, source, source_ref, \
     description, base_amount, multiplier_bp, counterpart_user_id, transfer_id, idem_key, \
     created_at) SELECT * FROM unnest(",
    ") RETURNING user_id, seq, id"
);

/// Writes entries that were computed under their accounts' locks; their ids, in order.
pub(super) async fn insert_entries(
    conn: &mut Conn,
    rows: Vec<NewEntryRow>,
) -> QueryResult<Vec<i64>> {
    let keys: Vec<(i64, i64)> = rows.iter().map(|row| (row.user_id, row.seq)).collect();
    let mut sql = EntriesSql::with_capacity(rows.len());
    for row in rows {
        sql.push(row);
    }
    let written: Vec<(i64, i64, i64)> = sql.load(conn).await?;
    let ids: HashMap<(i64, i64), i64> =
        written.into_iter().map(|(user, seq, id)| ((user, seq), id)).collect();
    // Every row inserted is returned, or the statement failed.
    Ok(keys.iter().filter_map(|key| ids.get(key).copied()).collect())
}

impl EntriesSql {
    fn with_capacity(rows: usize) -> Self {
        Self {
            user_id: Vec::with_capacity(rows),
            seq: Vec::with_capacity(rows),
            amount: Vec::with_capacity(rows),
            balance_after: Vec::with_capacity(rows),
            kind: Vec::with_capacity(rows),
            source: Vec::with_capacity(rows),
            source_ref: Vec::with_capacity(rows),
            description: Vec::with_capacity(rows),
            base_amount: Vec::with_capacity(rows),
            multiplier_bp: Vec::with_capacity(rows),
            counterpart_user_id: Vec::with_capacity(rows),
            transfer_id: Vec::with_capacity(rows),
            idem_key: Vec::with_capacity(rows),
            created_at: Vec::with_capacity(rows),
        }
    }

    fn push(&mut self, row: NewEntryRow) {
        self.user_id.push(row.user_id);
        self.seq.push(row.seq);
        self.amount.push(row.amount);
        self.balance_after.push(row.balance_after);
        self.kind.push(row.kind);
        self.source.push(row.source);
        self.source_ref.push(row.source_ref);
        self.description.push(row.description);
        self.base_amount.push(row.base_amount);
        self.multiplier_bp.push(row.multiplier_bp);
        self.counterpart_user_id.push(row.counterpart_user_id);
        self.transfer_id.push(row.transfer_id);
        self.idem_key.push(row.idem_key);
        self.created_at.push(row.created_at);
    }
}

array_statement!(
    AccountsSql -> () {
        user_id: i64 => BigInt,
        balance: i64 => BigInt,
        lifetime_earned: i64 => BigInt,
        lifetime_spent: i64 => BigInt,
        xp: i64 => BigInt,
        level: i64 => BigInt,
        next_seq: i64 => BigInt,
        version: i64 => BigInt,
        updated_at: DbTime => UtcTime,
    },
    "UPDATE point_accounts AS a SET balance = n.balance, lifetime_earned = n.earned, \
     lifetime_spent = n.spent, xp = n.xp, level = n.level, next_seq = n.next_seq, \
     version = n.version, updated_at = n.updated_at FROM unnest(",
    ") AS n (user_id, balance, earned, spent, xp, level, next_seq, version, updated_at) \
     WHERE a.user_id = n.user_id"
);

/// Stores what was computed of locked accounts.
pub(super) async fn store_accounts(conn: &mut Conn, rows: Vec<AccountRow>) -> QueryResult<()> {
    let sql = AccountsSql {
        user_id: rows.iter().map(|row| row.user_id).collect(),
        balance: rows.iter().map(|row| row.balance).collect(),
        lifetime_earned: rows.iter().map(|row| row.lifetime_earned).collect(),
        lifetime_spent: rows.iter().map(|row| row.lifetime_spent).collect(),
        xp: rows.iter().map(|row| row.xp).collect(),
        level: rows.iter().map(|row| row.level).collect(),
        next_seq: rows.iter().map(|row| row.next_seq).collect(),
        version: rows.iter().map(|row| row.version).collect(),
        updated_at: rows.iter().map(|row| row.updated_at).collect(),
    };
    sql.execute(conn).await.map(drop)
}
