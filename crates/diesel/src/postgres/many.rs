//! Many accounts and entries at once: columns travel as arrays, so that a statement of any number of
//! rows is prepared once.

use std::collections::HashMap;

use crate::run::RunQueryDsl;
use diesel::QueryResult;
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Integer, Nullable, Text};

use super::{Conn, columns};
use crate::rows::{AccountRow, NewEntryRow};
use crate::schema::point_accounts;
use crate::types::{DbTime, UtcTime};

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

pub(super) use array_statement;

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
