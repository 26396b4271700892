//! The leanest statements that are still correct: account and ledger entry in one, prepared.

use std::hint::black_box;
use std::time::SystemTime;

use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Statement};

use crate::movement::{AMOUNT, Kind, Picks, SOURCE};
use crate::rounds::Worker;

const AWARD: &str = "\
    WITH moved AS (UPDATE point_accounts SET balance = balance + $2, \
    lifetime_earned = lifetime_earned + $2, xp = xp + $2 * xp_boost_bp / 10000, \
    next_seq = next_seq + 1, version = version + 1, updated_at = $3 \
    WHERE user_id = $1 AND NOT is_closed RETURNING user_id, next_seq - 1 AS seq, balance) \
    INSERT INTO point_entries (user_id, seq, amount, balance_after, kind, source, created_at) \
    SELECT user_id, seq, $2, balance, 'award', $4, $3 FROM moved RETURNING id, seq, balance_after";

const DEDUCT: &str = "\
    WITH moved AS (UPDATE point_accounts SET balance = balance - $2, \
    lifetime_spent = lifetime_spent + $2, \
    next_seq = next_seq + 1, version = version + 1, updated_at = $3 \
    WHERE user_id = $1 AND NOT is_closed AND balance - held >= $2 \
    RETURNING user_id, next_seq - 1 AS seq, balance) \
    INSERT INTO point_entries (user_id, seq, amount, balance_after, kind, source, created_at) \
    SELECT user_id, seq, -$2, balance, 'deduct', $4, $3 FROM moved RETURNING id, seq, balance_after";

/// The lock comes first, in ascending order: two opposite transfers would otherwise deadlock. It
/// decides and moves in one snapshot, so that it may judge a row by what it was before the lock:
/// good enough to be measured against where everybody has plenty, not to be used.
const TRANSFER: &str = "\
    WITH locked AS MATERIALIZED (SELECT user_id, balance - held AS free FROM point_accounts \
    WHERE user_id IN ($1, $5) AND NOT is_closed ORDER BY user_id FOR UPDATE), \
    moved AS (UPDATE point_accounts AS a SET \
    balance = a.balance + CASE WHEN a.user_id = $1 THEN -$2 ELSE $2 END, \
    next_seq = a.next_seq + 1, version = a.version + 1, updated_at = $3 \
    WHERE a.user_id IN ($1, $5) \
    AND (SELECT count(*) FROM locked WHERE user_id = $5 OR free >= $2) = 2 \
    RETURNING a.user_id, a.next_seq - 1 AS seq, a.balance, a.user_id = $1 AS sends) \
    INSERT INTO point_entries (user_id, seq, amount, balance_after, kind, source, \
    counterpart_user_id, transfer_id, created_at) \
    SELECT user_id, seq, CASE WHEN sends THEN -$2 ELSE $2 END, balance, \
    CASE WHEN sends THEN 'transfer_out' ELSE 'transfer_in' END, $4, \
    CASE WHEN sends THEN $5 ELSE $1 END, $6, $3 FROM moved \
    RETURNING id, user_id, seq, balance_after";

/// What the storage calls, without the storage.
const TRANSFER_BY_FUNCTION: &str = "\
    SELECT entry_id, moved_user, entry_seq, new_balance \
    FROM transfer_points($1, $5, $2, NULL, $6, NULL, $3) WHERE $4 = 'transfer'";

/// Moves points by one statement on a connection of its own.
pub(crate) struct ByStatement {
    client: Client,
    statement: Statement,
    kind: Kind,
    picks: Picks,
}

impl ByStatement {
    pub(crate) async fn new(client: Client, kind: Kind, picks: Picks) -> Self {
        let sql = match kind {
            Kind::Award => AWARD,
            Kind::Deduct => DEDUCT,
            Kind::Transfer => TRANSFER,
        };
        Self::prepared(client, sql, kind, picks).await
    }

    /// Transfers by the function of the migrations.
    pub(crate) async fn function(client: Client, picks: Picks) -> Self {
        Self::prepared(client, TRANSFER_BY_FUNCTION, Kind::Transfer, picks).await
    }

    async fn prepared(client: Client, sql: &str, kind: Kind, picks: Picks) -> Self {
        let types = [Type::INT8, Type::INT8, Type::TIMESTAMPTZ, Type::TEXT, Type::INT8, Type::TEXT];
        let used = if kind == Kind::Transfer { 6 } else { 4 };
        let statement = client.prepare_typed(sql, &types[..used]).await.unwrap();
        Self { client, statement, kind, picks }
    }
}

impl Worker for ByStatement {
    async fn call(&mut self) {
        let (one, other) = self.picks.pair();
        let now = SystemTime::now();
        if self.kind == Kind::Transfer {
            let id = format!("{:032x}", fastrand::u128(..));
            let arguments: [&(dyn ToSql + Sync); 6] =
                [&one, &AMOUNT, &now, &"transfer", &other, &id];
            let rows = self.client.query(&self.statement, &arguments).await.unwrap();
            let entry = |at: usize| -> (i64, i64, i64, i64) {
                let row = &rows[at];
                (row.get(0), row.get(1), row.get(2), row.get(3))
            };
            assert_eq!(rows.len(), 2);
            black_box((entry(0), entry(1)));
        } else {
            let arguments: [&(dyn ToSql + Sync); 4] = [&one, &AMOUNT, &now, &SOURCE];
            let row = self.client.query_one(&self.statement, &arguments).await.unwrap();
            black_box((row.get::<_, i64>(0), row.get::<_, i64>(1), row.get::<_, i64>(2)));
        }
    }
}
