//! Badges given and taken, compiled once per backend: `super::Conn` is what differs.

use crate::run::RunQueryDsl;
use diesel::dsl::{exists, not};
use diesel::prelude::*;
use guildhall_domain::{
    Badge, BadgeAward, BadgeEventKind, BadgeId, Description, DomainEvent, EntryReference,
    MetricSnapshot, Outcome, Timestamp, UserBadge, UserId, VipGrantId, VipSource,
};
use guildhall_repository::StorageError;

use super::badge::by_id_on;
use super::metric::rule_holds;
use super::vip::{NewGrant, grant_on, revoke_on};
use super::{Conn, lock_accounts};
use crate::fault::Worked;
use crate::kept::Keep;
use crate::rows::{BadgeRow, UserBadgeRow};
use crate::schema::{badge_events, badges, user_badges};
use crate::types::DbTime;

/// The badges that rules give by these metrics.
macro_rules! earned_badges {
    ($metrics:expr) => {{
        let user = $metrics.user().0;
        let held = user_badges::table
            .filter(user_badges::user_id.eq(user))
            .filter(user_badges::badge_id.eq(badges::id));
        let taken = badge_events::table
            .filter(badge_events::user_id.eq(user))
            .filter(badge_events::badge_id.eq(badges::id))
            .filter(badge_events::kind.eq(BadgeEventKind::Revoked.as_str()));
        badges::table
            .filter(badges::is_active)
            .filter(rule_holds($metrics))
            .filter(not(exists(held)))
            .filter(not(exists(taken)))
            .order(badges::id)
            .limit(guildhall_repository::Earned::COUNT_MAX as i64)
            .select(BadgeRow::as_select())
    }};
}
pub(super) use earned_badges;

pub(super) async fn candidates_on(conn: &mut Conn, metrics: &MetricSnapshot) -> Worked<Vec<Badge>> {
    let rows: Vec<BadgeRow> = earned_badges!(metrics).load(conn).await?;
    Ok(rows.into_iter().map(BadgeRow::into_badge).collect::<Result<_, _>>()?)
}

/// The member's lock comes first, as in every workflow: two badges that make the same member a
/// VIP come one after the other.
pub(super) async fn give_on(
    conn: &mut Conn,
    award: &BadgeAward,
    now: Timestamp,
) -> Worked<Outcome<UserBadge>> {
    let account = lock_accounts(conn, &[award.user.0]).await?.pop();
    if account.is_none_or(|account| account.is_closed) {
        return Err(StorageError::not_found("user", award.user).into());
    }
    let badge = by_id_on(conn, award.badge).await?;
    let badge = badge.ok_or_else(|| StorageError::not_found("badge", award.badge))?;
    if let Some(held) = held_on(conn, award.user, award.badge).await? {
        return Ok(Outcome::replayed(held.into_held()?));
    }
    if !badge.is_active {
        return Err(StorageError::InvalidState {
            entity: "badge",
            key: award.badge.to_string(),
            state: "inactive".to_owned(),
            attempted: "give it",
        }
        .into());
    }
    let row: UserBadgeRow = diesel::insert_into(user_badges::table)
        .values((
            user_badges::user_id.eq(award.user.0),
            user_badges::badge_id.eq(award.badge.0),
            user_badges::awarded_at.eq(DbTime(now)),
            user_badges::awarded_by.eq(award.by.map(|by| by.0)),
            user_badges::source.eq(award.source.as_str()),
        ))
        .returning(UserBadgeRow::as_returning())
        .get_result(conn)
        .await?;
    let mut held = row.into_held()?;
    let reason = award.reason.as_ref();
    event_on(conn, award.user, award.badge, BadgeEventKind::Awarded, award.by, reason, now).await?;
    let mut events = vec![DomainEvent::BadgeAwarded { user: award.user, badge: award.badge }];
    if let Some(term) = badge.vip {
        let source_ref = EntryReference::parse(&format!("badge:{}", held.id))?;
        let new = NewGrant {
            user: award.user,
            source: VipSource::Badge,
            source_ref,
            term,
            actor: award.by,
        };
        let grant = grant_on(conn, &new, now).await?;
        diesel::update(user_badges::table.find(held.id.0))
            .set(user_badges::vip_grant_id.eq(Some(grant.0)))
            .kept()
            .execute(conn)
            .await?;
        held.vip_grant = Some(grant);
        events.push(DomainEvent::VipGranted { user: award.user });
    }
    Ok(Outcome::new(held, events))
}

async fn held_on(
    conn: &mut Conn,
    user: UserId,
    badge: BadgeId,
) -> QueryResult<Option<UserBadgeRow>> {
    user_badges::table
        .filter(user_badges::user_id.eq(user.0).and(user_badges::badge_id.eq(badge.0)))
        .select(UserBadgeRow::as_select())
        .first(conn)
        .await
        .optional()
}

async fn event_on(
    conn: &mut Conn,
    user: UserId,
    badge: BadgeId,
    kind: BadgeEventKind,
    actor: Option<UserId>,
    reason: Option<&Description>,
    now: Timestamp,
) -> QueryResult<()> {
    let event = (
        badge_events::user_id.eq(user.0),
        badge_events::badge_id.eq(badge.0),
        badge_events::kind.eq(kind.as_str()),
        badge_events::actor.eq(actor.map(|actor| actor.0)),
        badge_events::reason.eq(reason.map(|reason| reason.as_str().to_owned())),
        badge_events::at.eq(DbTime(now)),
    );
    diesel::insert_into(badge_events::table).values(event).execute(conn).await?;
    Ok(())
}

pub(super) async fn take_on(
    conn: &mut Conn,
    user: UserId,
    badge: BadgeId,
    actor: Option<UserId>,
    reason: &Option<Description>,
    now: Timestamp,
) -> Worked<Outcome<bool>> {
    let reason = reason.as_ref();
    let absent = || Outcome::new(false, Vec::new());
    if lock_accounts(conn, &[user.0]).await?.is_empty() {
        return Ok(absent());
    }
    let Some(held) = held_on(conn, user, badge).await? else { return Ok(absent()) };
    let revocable: bool = badges::table.find(badge.0).select(badges::revocable).first(conn).await?;
    if !revocable {
        return Err(StorageError::InvalidState {
            entity: "badge",
            key: badge.to_string(),
            state: "given for ever".to_owned(),
            attempted: "take it back",
        }
        .into());
    }
    diesel::delete(user_badges::table.find(held.id)).execute(conn).await?;
    event_on(conn, user, badge, BadgeEventKind::Revoked, actor, reason, now).await?;
    let mut events = vec![DomainEvent::BadgeRevoked { user, badge }];
    if let Some(grant) = held.vip_grant_id
        && revoke_on(conn, VipGrantId(grant), actor, reason, now).await?
    {
        events.push(DomainEvent::VipRevoked { user });
    }
    Ok(Outcome::new(true, events))
}
