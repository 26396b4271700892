//! VIP grants and the standing that follows from them, under the member's lock. Compiled once per
//! backend.

use crate::run::RunQueryDsl;
use diesel::prelude::*;
use guildhall_domain::{
    Description, EntryReference, Timestamp, UserId, Vip, VipEventKind, VipGrant, VipGrantId,
    VipSource, VipTerm,
};
use guildhall_repository::StorageError;

use super::Conn;
use crate::fault::Worked;
use crate::kept::Keep;
use crate::rows::{VipGrantRow, corrupt, vip, vip_columns};
use crate::schema::{users, vip_events, vip_grants};
use crate::types::DbTime;

/// Grants of one member that are active together, at most.
const ACTIVE_MAX: i64 = 500;

/// A grant that is to be given.
pub(super) struct NewGrant {
    pub(super) user: UserId,
    pub(super) source: VipSource,
    pub(super) source_ref: EntryReference,
    pub(super) term: VipTerm,
    pub(super) actor: Option<UserId>,
}

/// Gives a grant, which begins where the member's standing ends, and writes the standing.
pub(super) async fn grant_on(
    conn: &mut Conn,
    new: &NewGrant,
    now: Timestamp,
) -> Worked<VipGrantId> {
    let before = standing_on(conn, new.user).await?;
    let granted = active_on(conn, new.user, now).await?;
    let row: VipGrantRow = diesel::insert_into(vip_grants::table)
        .values((
            vip_grants::user_id.eq(new.user.0),
            vip_grants::source.eq(new.source.as_str()),
            vip_grants::source_ref.eq(new.source_ref.as_str()),
            vip_grants::granted_at.eq(DbTime(now)),
            vip_grants::expires_at.eq(new.term.end(before, now).map(DbTime)),
        ))
        .returning(VipGrantRow::as_returning())
        .get_result(conn)
        .await?;
    let grant = row.into_grant()?;
    let kind = if before.is_active(now) { VipEventKind::Extend } else { VipEventKind::Grant };
    event_on(conn, &grant, kind, new.actor, now).await?;
    let explained = Vip::granted(&granted, now);
    let after = before.regranted(explained, explained.longest(grant.standing(now)));
    stand_on(conn, new.user, before, after, now).await?;
    Ok(grant.id)
}

/// Takes a grant back, and writes the standing that remains. Whether it was active until now.
pub(super) async fn revoke_on(
    conn: &mut Conn,
    id: VipGrantId,
    actor: Option<UserId>,
    reason: Option<&Description>,
    now: Timestamp,
) -> Worked<bool> {
    let row: Option<VipGrantRow> = vip_grants::table
        .find(id.0)
        .select(VipGrantRow::as_select())
        .first(conn)
        .await
        .optional()?;
    let grant = row.ok_or_else(|| StorageError::not_found("VIP grant", id))?.into_grant()?;
    if grant.revoked_at.is_some() {
        return Ok(false);
    }
    let before = standing_on(conn, grant.user).await?;
    let mut granted = active_on(conn, grant.user, now).await?;
    let explained = Vip::granted(&granted, now);
    diesel::update(vip_grants::table.find(id.0))
        .set((
            vip_grants::revoked_at.eq(Some(DbTime(now))),
            vip_grants::revoked_reason.eq(reason.map(|reason| reason.as_str().to_owned())),
        ))
        .kept()
        .execute(conn)
        .await?;
    event_on(conn, &grant, VipEventKind::Revoke, actor, now).await?;
    granted.retain(|other| other.id != id);
    let after = before.regranted(explained, Vip::granted(&granted, now));
    stand_on(conn, grant.user, before, after, now).await?;
    Ok(grant.standing(now) != Vip::None)
}

async fn standing_on(conn: &mut Conn, user: UserId) -> Worked<Vip> {
    let (kind, end): (String, Option<DbTime>) = users::table
        .find(user.0)
        .select((users::vip_kind, users::vip_expires_at))
        .first(conn)
        .await
        .optional()?
        .ok_or_else(|| StorageError::not_found("user", user))?;
    Ok(vip(&kind, end.map(|end| end.0)).map_err(corrupt("user", user))?)
}

/// The member's grants that are neither revoked nor over.
async fn active_on(conn: &mut Conn, user: UserId, now: Timestamp) -> Worked<Vec<VipGrant>> {
    let rows: Vec<VipGrantRow> = vip_grants::table
        .filter(vip_grants::user_id.eq(user.0))
        .filter(vip_grants::revoked_at.is_null())
        .filter(vip_grants::expires_at.is_null().or(vip_grants::expires_at.gt(DbTime(now))))
        .order(vip_grants::id)
        .limit(ACTIVE_MAX)
        .select(VipGrantRow::as_select())
        .load(conn)
        .await?;
    Ok(rows.into_iter().map(VipGrantRow::into_grant).collect::<Result<_, _>>()?)
}

async fn event_on(
    conn: &mut Conn,
    grant: &VipGrant,
    kind: VipEventKind,
    actor: Option<UserId>,
    now: Timestamp,
) -> QueryResult<()> {
    let event = (
        vip_events::user_id.eq(grant.user.0),
        vip_events::kind.eq(kind.as_str()),
        vip_events::grant_id.eq(grant.id.0),
        vip_events::at.eq(DbTime(now)),
        vip_events::actor.eq(actor.map(|actor| actor.0)),
    );
    diesel::insert_into(vip_events::table).values(event).execute(conn).await?;
    Ok(())
}

async fn stand_on(
    conn: &mut Conn,
    user: UserId,
    before: Vip,
    after: Vip,
    now: Timestamp,
) -> QueryResult<()> {
    if before == after {
        return Ok(());
    }
    let (kind, end) = vip_columns(after);
    diesel::update(users::table.find(user.0))
        .set((
            users::vip_kind.eq(kind),
            users::vip_expires_at.eq(end),
            users::updated_at.eq(DbTime(now)),
            users::version.eq(users::version + 1),
        ))
        .kept()
        .execute(conn)
        .await?;
    Ok(())
}
