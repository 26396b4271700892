//! Effects that happen once, compiled once per backend.

use crate::run::RunQueryDsl;
use diesel::prelude::*;
use guildhall_domain::{IdemKey, Json, Timestamp};
use guildhall_repository::{Claim, OnceRepository, OnceRequest, StorageError};

use super::Conn;
use super::lease::{Lease, Mode};
use super::user::in_range;
use crate::fault::{Fault, Worked};
use crate::kept::Keep;
use crate::queries::queries;
use crate::rows::OnceRow;
use crate::schema::once_keys;
use crate::types::{DbJson, DbTime};

queries! {
    impl OnceRepository by once, |lease| {
        Statement claim(request: &OnceRequest, now: Timestamp) -> Claim => claim_on;
        Statement keep(key: &IdemKey, result: &Json) -> () => keep_on;
        Bare purge(before: Timestamp, limit: u32) -> u64 {
            in_range("limit", limit, 1000)?;
        } => purge_on;
    }
}

const ENTITY: &str = "once-only key";

/// The insertion waits for whoever inserts the same key at the same moment; what is read after it
/// was committed.
pub(super) async fn claim_on(
    conn: &mut Conn,
    request: &OnceRequest,
    now: Timestamp,
) -> Worked<Claim> {
    let row = OnceRow::claimed(request, now);
    let claimed = diesel::insert_into(once_keys::table)
        .values(&row)
        .on_conflict_do_nothing()
        .execute(conn)
        .await?;
    if claimed == 1 {
        return Ok(Claim::Mine);
    }
    let known: Option<OnceRow> = once_keys::table
        .find(&row.idem_key)
        .select(OnceRow::as_select())
        .first(conn)
        .await
        .optional()?;
    // Purged since the insertion met it: claim it anew.
    let known = known.ok_or(Fault::Raced)?;
    if !known.same_request(&row) {
        let (expected, actual) = ("the request it was first used for", "another request");
        return Err(StorageError::conflict(ENTITY, &row.idem_key, expected, actual).into());
    }
    match known.result {
        Some(result) => Ok(Claim::Done(result.0)),
        None => Err(state(&row.idem_key, "claimed, without a result so far", "be claimed")),
    }
}

pub(super) async fn keep_on(conn: &mut Conn, key: &IdemKey, result: &Json) -> Worked<()> {
    let open = once_keys::table.find(key.as_str()).filter(once_keys::result.is_null());
    let kept = diesel::update(open)
        .set(once_keys::result.eq(Some(DbJson(result.clone()))))
        .kept()
        .execute(conn)
        .await?;
    if kept == 1 {
        return Ok(());
    }
    let known = diesel::dsl::exists(once_keys::table.find(key.as_str()));
    if diesel::select(known).get_result(conn).await? {
        return Err(state(key.as_str(), "done, with a result", "be given another result"));
    }
    Err(StorageError::not_found(ENTITY, key).into())
}

fn state(key: &str, state: &str, attempted: &'static str) -> Fault {
    let (key, state) = (key.to_owned(), state.to_owned());
    StorageError::InvalidState { entity: ENTITY, key, state, attempted }.into()
}

pub(super) async fn purge_on(conn: &mut Conn, before: Timestamp, limit: u32) -> Worked<u64> {
    let doomed = once_keys::table
        .filter(once_keys::created_at.lt(DbTime(before)))
        .order((once_keys::created_at, once_keys::idem_key))
        .limit(i64::from(limit))
        .select(once_keys::idem_key);
    let doomed: Vec<String> = doomed.load(conn).await?;
    let doomed = once_keys::table.filter(once_keys::idem_key.eq_any(doomed));
    Ok(diesel::delete(doomed).execute(conn).await? as u64)
}
