//! Holds: points kept back, and given back or taken exactly once.

use std::collections::BTreeMap;

use crate::run::RunQueryDsl;
use diesel::prelude::*;
use guildhall_domain::{
    EntryKind, HoldId, HoldRequest, HoldStatus, Outcome, PointEntry, PointHold, Timestamp, UserId,
};
use guildhall_repository::StorageError;

use super::point::{movement_on, open_account_on};
use super::{Conn, columns, lock_accounts};
use crate::fault::Worked;
use crate::kept::Keep;
use crate::rows::{AccountRow, HoldRow, Movement};
use crate::schema::{point_accounts, point_holds};
use crate::types::DbTime;

pub(super) async fn hold_on(
    conn: &mut Conn,
    request: &HoldRequest,
    now: Timestamp,
) -> Worked<PointHold> {
    use point_accounts::dsl as a;
    let (user, amount) = (request.user.0, request.amount.minor());
    let account = a::point_accounts
        .find(user)
        .filter(a::is_closed.eq(false))
        .filter((a::balance - a::held).ge(amount));
    let held = diesel::update(account)
        .set((
            a::held.eq(a::held + amount),
            a::version.eq(a::version + 1),
            a::updated_at.eq(DbTime(now)),
        ))
        .kept()
        .execute(conn)
        .await?;
    if held == 0 {
        let account = open_account_on(conn, user).await?;
        let account = account.ok_or_else(|| StorageError::not_found("user", user))?;
        let available = account.into_account()?.available();
        let required = request.amount.points();
        return Err(StorageError::InsufficientBalance { available, required }.into());
    }
    let inserted = diesel::insert_into(point_holds::table)
        .values((
            point_holds::user_id.eq(user),
            point_holds::amount.eq(amount),
            point_holds::reason.eq(request.reason.as_str()),
            point_holds::reference.eq(request.reference.as_str()),
            point_holds::status.eq(HoldStatus::Active.as_str()),
            point_holds::expires_at.eq(request.expires_at.map(DbTime)),
            point_holds::created_at.eq(DbTime(now)),
        ))
        .on_conflict_do_nothing()
        .returning(HoldRow::as_returning())
        .get_result(conn)
        .await
        .optional()?;
    let row = inserted.ok_or_else(|| {
        StorageError::already_exists("hold", format!("{}/{}", request.reason, request.reference))
    })?;
    Ok(row.into_hold()?)
}

pub(super) async fn capture_on(
    conn: &mut Conn,
    id: HoldId,
    now: Timestamp,
) -> Worked<Outcome<PointEntry>> {
    let hold = settle_on(conn, id, HoldStatus::Captured, "capture it", now).await?;
    let movement = Movement {
        user: hold.user_id,
        amount: -hold.amount,
        unheld: hold.amount,
        kind: EntryKind::HoldCapture,
        kind_text: EntryKind::HoldCapture.as_str(),
        source: hold.reason,
        source_ref: Some(hold.reference),
        description: None,
        base_amount: None,
        multiplier_bp: None,
        counterpart: None,
        idem_key: Some(format!("hold:{id}")),
        note: None,
        now: DbTime(now),
    };
    movement_on(conn, &movement).await
}

pub(super) async fn release_on(conn: &mut Conn, id: HoldId, now: Timestamp) -> Worked<PointHold> {
    let hold = settle_on(conn, id, HoldStatus::Released, "release it", now).await?;
    give_back_on(conn, hold.user_id, hold.amount, now).await?;
    Ok(hold.into_hold()?)
}

/// Takes the member's account, then settles the hold: the order that every workflow keeps.
async fn settle_on(
    conn: &mut Conn,
    id: HoldId,
    status: HoldStatus,
    attempted: &'static str,
    now: Timestamp,
) -> Worked<HoldRow> {
    let user = point_holds::table.find(id.0).select(point_holds::user_id);
    let user: Option<i64> = user.first(conn).await.optional()?;
    let user = user.ok_or_else(|| StorageError::not_found("hold", id))?;
    lock_accounts(conn, &[user]).await?;
    let settled = diesel::update(point_holds::table.find(id.0))
        .filter(point_holds::status.eq(HoldStatus::Active.as_str()))
        .set((
            point_holds::status.eq(status.as_str()),
            point_holds::settled_at.eq(Some(DbTime(now))),
        ))
        .returning(HoldRow::as_returning())
        .kept()
        .get_result(conn)
        .await
        .optional()?;
    if let Some(hold) = settled {
        return Ok(hold);
    }
    let state: String =
        point_holds::table.find(id.0).select(point_holds::status).first(conn).await?;
    Err(StorageError::InvalidState { entity: "hold", key: id.to_string(), state, attempted }.into())
}

async fn give_back_on(conn: &mut Conn, user: i64, amount: i64, now: Timestamp) -> Worked<()> {
    use point_accounts::dsl as a;
    diesel::update(a::point_accounts.find(user))
        .set((
            a::held.eq(a::held - amount),
            a::version.eq(a::version + 1),
            a::updated_at.eq(DbTime(now)),
        ))
        .kept()
        .execute(conn)
        .await?;
    Ok(())
}

pub(super) async fn expire_on(
    conn: &mut Conn,
    now: Timestamp,
    limit: u32,
) -> Worked<Vec<PointHold>> {
    let due: Vec<(i64, i64)> = point_holds::table
        .filter(point_holds::status.eq(HoldStatus::Active.as_str()))
        .filter(point_holds::expires_at.le(DbTime(now)))
        .order((point_holds::expires_at, point_holds::id))
        .limit(i64::from(limit))
        .select((point_holds::id, point_holds::user_id))
        .load(conn)
        .await?;
    let (ids, mut users): (Vec<i64>, Vec<i64>) = due.into_iter().unzip();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    users.sort_unstable();
    users.dedup();
    let _locked: Vec<AccountRow> = lock_accounts(conn, &users).await?;
    // Whoever was settled while the locks were awaited is active no more.
    let mut expired: Vec<HoldRow> = diesel::update(point_holds::table)
        .filter(point_holds::id.eq_any(ids))
        .filter(point_holds::status.eq(HoldStatus::Active.as_str()))
        .set((
            point_holds::status.eq(HoldStatus::Expired.as_str()),
            point_holds::settled_at.eq(Some(DbTime(now))),
        ))
        .returning(HoldRow::as_returning())
        .get_results(conn)
        .await?;
    expired.sort_unstable_by_key(|hold| hold.id);
    let mut sums: BTreeMap<i64, i64> = BTreeMap::new();
    for hold in &expired {
        *sums.entry(hold.user_id).or_default() += hold.amount; // At most what is held.
    }
    for (user, amount) in sums {
        give_back_on(conn, user, amount, now).await?;
    }
    Ok(expired.into_iter().map(HoldRow::into_hold).collect::<Result<_, _>>()?)
}

pub(super) async fn hold_by_id_on(conn: &mut Conn, id: HoldId) -> Worked<Option<PointHold>> {
    let row = point_holds::table.find(id.0).select(columns::<HoldRow>());
    let row = row.first(conn).await.optional()?;
    Ok(row.map(HoldRow::into_hold).transpose()?)
}

pub(super) async fn active_on(conn: &mut Conn, user: UserId) -> Worked<Vec<PointHold>> {
    let rows: Vec<HoldRow> = point_holds::table
        .filter(point_holds::user_id.eq(user.0))
        .filter(point_holds::status.eq(HoldStatus::Active.as_str()))
        .order(point_holds::id)
        .limit(200)
        .select(columns::<HoldRow>())
        .load(conn)
        .await?;
    Ok(rows.into_iter().map(HoldRow::into_hold).collect::<Result<_, _>>()?)
}
