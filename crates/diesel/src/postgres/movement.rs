//! Movements on PostgreSQL: one statement each, so one round trip and the shortest possible lock.
//!
//! The query builder has no data-modifying `WITH`, hence these fragments: fixed text, binds only,
//! prepared once a connection because their type is their identity.

use std::sync::Arc;

use crate::run::RunQueryDsl;
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Integer, Nullable, Text};
use diesel::{OptionalExtension, QueryResult};
use guildhall_repository::InvalidationNote;

use super::Conn;
use super::lease::Mode;
use super::noted::push_note;
use crate::fault::Worked;
use crate::rows::{Moved, Movement, TransferMovement};
use crate::types::UtcTime;

/// One statement needs no transaction around it.
pub(super) const MOVEMENT: Mode = Mode::Guarded;

/// Applies a movement. `None` when the account is absent, closed or short of points, or the
/// once-only key was used: nothing was written then.
pub(super) async fn apply_movement(conn: &mut Conn, movement: &Movement) -> Worked<Option<Moved>> {
    let moved = match movement.note.as_deref().map(NoteSql::of) {
        None => movement_with(conn, movement, NoNote).await?,
        Some(note) => movement_with(conn, movement, note).await?,
    };
    Ok(moved)
}

async fn movement_with<N>(conn: &mut Conn, m: &Movement, note: N) -> QueryResult<Option<Moved>>
where
    N: QueryFragment<Pg> + Clone + Send + 'static,
{
    match (m.gives_xp(), m.idem_key.is_some()) {
        (false, false) => MoveSql::<NO_XP, false, N>::run(conn, m, note).await,
        (false, true) => MoveSql::<NO_XP, true, N>::run(conn, m, note).await,
        (true, true) => MoveSql::<XP, true, N>::run(conn, m, note).await,
        // Most awards pass no level, and a statement that need not say which is shorter. It finds
        // no account where a level is passed, or where the other finds none either.
        (true, false) => {
            match MoveSql::<XP_WITHIN_LEVEL, false, N>::run(conn, m, note.clone()).await? {
                None => MoveSql::<XP, false, N>::run(conn, m, note).await,
                moved => Ok(moved),
            }
        }
    }
}

/// The part of a movement that stores what it makes wrong in caches, in the same statement and so
/// in the same transaction, and only if something moved.
#[derive(Clone)]
struct NoteSql {
    id: i64,
    targets: Arc<str>,
}

impl NoteSql {
    fn of(note: &InvalidationNote) -> Self {
        Self { id: note.id, targets: Arc::clone(&note.targets) }
    }
}

impl QueryId for NoteSql {
    type QueryId = Self;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl QueryFragment<Pg> for NoteSql {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        push_note(&mut out, &self.id, &self.targets, "moved")
    }
}

/// A movement that nobody's cache needs to know of, or whose caller stores the note.
#[derive(Clone, Copy)]
struct NoNote;

impl QueryId for NoNote {
    type QueryId = Self;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl QueryFragment<Pg> for NoNote {
    fn walk_ast<'b>(&'b self, _out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        Ok(())
    }
}

/// What a movement does to the experience: nothing.
const NO_XP: u8 = 0;
/// It rises, and no level begins on the way.
const XP_WITHIN_LEVEL: u8 = 1;
/// It rises, and the level with it.
const XP: u8 = 2;

/// The statement of a movement. One without a once-only key does not look for earlier uses.
struct MoveSql<const GAIN: u8, const KEYED: bool, N> {
    movement: Movement,
    earned: i64,
    spent: i64,
    note: N,
}

impl<const GAIN: u8, const KEYED: bool, N: 'static> QueryId for MoveSql<GAIN, KEYED, N> {
    type QueryId = Self;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<const GAIN: u8, const KEYED: bool, N> Query for MoveSql<GAIN, KEYED, N> {
    type SqlType = (BigInt, BigInt, BigInt, Array<BigInt>);
}

impl<const GAIN: u8, const KEYED: bool, N> MoveSql<GAIN, KEYED, N>
where
    N: QueryFragment<Pg> + Send + 'static,
{
    async fn run(conn: &mut Conn, movement: &Movement, note: N) -> QueryResult<Option<Moved>> {
        let (earned, spent) = (movement.earned(), movement.spent());
        let sql = Self { movement: movement.clone(), earned, spent, note };
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
                 WHERE l.min_xp > a.xp AND l.min_xp <= a.xp + ",
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

impl<const GAIN: u8, const KEYED: bool, N> QueryFragment<Pg> for MoveSql<GAIN, KEYED, N>
where
    N: QueryFragment<Pg> + Send + 'static,
{
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
            out.push_sql("id)");
            self.note.walk_ast(out.reborrow())?;
            out.push_sql(
                " SELECT entry.id, moved.seq, moved.balance, ARRAY(SELECT l.level \
                 FROM levels AS l WHERE l.min_xp > moved.xp - moved.gain \
                 AND l.min_xp <= moved.xp ORDER BY l.level) FROM moved, entry",
            );
        } else {
            out.push_sql(")");
            self.note.walk_ast(out.reborrow())?;
            out.push_sql(" ");
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
    let (t, note) = (transfer.clone(), transfer.note.as_deref().map(NoteSql::of));
    let rows: Vec<(i64, i64, i64, i64)> = match note {
        None => TransferSql(t, NoNote).load(conn).await?,
        Some(note) => TransferSql(t, note).load(conn).await?,
    };
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
struct TransferSql<N>(TransferMovement, N);

impl<N: 'static> QueryId for TransferSql<N> {
    type QueryId = Self;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<N> Query for TransferSql<N> {
    type SqlType = (BigInt, BigInt, BigInt, BigInt);
}

impl<N: QueryFragment<Pg>> QueryFragment<Pg> for TransferSql<N> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let t = &self.0;
        out.push_sql(
            "WITH moved AS MATERIALIZED (SELECT moved_user, entry_id, entry_seq, new_balance \
             FROM transfer_points(",
        );
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
        out.push_sql("))");
        self.1.walk_ast(out.reborrow())?;
        out.push_sql(" SELECT moved_user, entry_id, entry_seq, new_balance FROM moved");
        Ok(())
    }
}
