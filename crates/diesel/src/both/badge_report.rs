//! Who has which badges, and what can be told of them. Compiled once per backend.

use std::collections::HashMap;
use std::time::Duration;

use crate::run::RunQueryDsl;
use diesel::dsl::{count_star, exists, max, min};
use diesel::prelude::*;
use guildhall_domain::{
    Badge, BadgeEvent, BadgeEventKind, BadgeHolder, BadgeId, BadgeStatistics, BasisPoints,
    HeldBadge, RecentBadge, TierCounts, Timestamp, UserBadge, UserBadgeStatistics, UserId, Vip,
    VipSource,
};
use guildhall_repository::{Keyset, Page, StorageError};

use super::achievement_report::active_members_on;
use super::badge::by_ids_on;
use super::user_lookup::member_on;
use super::{Backend, Conn};
use crate::fault::Worked;
use crate::rows::{BadgeEventRow, ShownRow, UserBadgeRow, count, optional};
use crate::schema::{badge_events, badges, user_badges, users, vip_grants};
use crate::types::DbTime;

pub(super) const HELD: Keyset<(DbTime, i64)> = Keyset::new("badges.held");
pub(super) const HOLDERS: Keyset<(DbTime, i64)> = Keyset::new("badges.holders");
pub(super) const VIPS: Keyset<i64> = Keyset::new("badges.vips");
pub(super) const EVENTS: Keyset<i64> = Keyset::new("badges.events");

pub(super) async fn has_on(conn: &mut Conn, user: UserId, badge: BadgeId) -> Worked<bool> {
    let held = user_badges::table
        .filter(user_badges::user_id.eq(user.0).and(user_badges::badge_id.eq(badge.0)));
    Ok(diesel::select(exists(held)).get_result(conn).await?)
}

pub(super) async fn held_by_on(
    conn: &mut Conn,
    user: UserId,
    after: Option<(DbTime, i64)>,
    limit: u16,
) -> Worked<Page<HeldBadge>> {
    let mut query = user_badges::table
        .filter(user_badges::user_id.eq(user.0))
        .order((user_badges::awarded_at.desc(), user_badges::id))
        .limit(i64::from(limit) + 1)
        .select(UserBadgeRow::as_select())
        .into_boxed::<Backend>();
    if let Some((time, id)) = after {
        let past = user_badges::awarded_at.lt(time).or(user_badges::id.gt(id));
        query = query.filter(user_badges::awarded_at.le(time)).filter(past);
    }
    let rows: Vec<UserBadgeRow> = query.load(conn).await?;
    let page = HELD.page(rows, limit, |last| (last.awarded_at, last.id));
    let held = page.items.into_iter().map(UserBadgeRow::into_held);
    let held: Vec<UserBadge> = held.collect::<Result<_, _>>()?;
    let ids: Vec<BadgeId> = held.iter().map(|one| one.badge).collect();
    let found = by_ids_on(conn, &ids).await?;
    let mut found: HashMap<BadgeId, Badge> = found.into_iter().map(|one| (one.id, one)).collect();
    let mut items = Vec::with_capacity(held.len());
    for held in held {
        let missing = || StorageError::integrity("badge", held.badge, "is held but not defined");
        items.push(HeldBadge { badge: found.remove(&held.badge).ok_or_else(missing)?, held });
    }
    Ok(Page { items, next_cursor: page.next_cursor })
}

pub(super) async fn holders_on(
    conn: &mut Conn,
    badge: BadgeId,
    after: Option<(DbTime, i64)>,
    limit: u16,
) -> Worked<Page<BadgeHolder>> {
    let mut query = user_badges::table
        .inner_join(users::table)
        .filter(users::is_active)
        .filter(user_badges::badge_id.eq(badge.0))
        .order((user_badges::awarded_at, user_badges::user_id))
        .limit(i64::from(limit) + 1)
        .select((user_badges::user_id, user_badges::awarded_at))
        .into_boxed::<Backend>();
    if let Some((time, user)) = after {
        let past = user_badges::awarded_at.gt(time).or(user_badges::user_id.gt(user));
        query = query.filter(user_badges::awarded_at.ge(time)).filter(past);
    }
    let rows: Vec<(i64, DbTime)> = query.load(conn).await?;
    let page = HOLDERS.page(rows, limit, |(user, at)| (*at, *user));
    Ok(page.map(|(user, at)| BadgeHolder { user: UserId(user), awarded_at: at.0 }))
}

pub(super) async fn vip_holders_on(
    conn: &mut Conn,
    now: Timestamp,
    after: Option<i64>,
    limit: u16,
) -> Worked<Page<UserId>> {
    let members: Vec<i64> = vip_grants::table
        .inner_join(users::table)
        .filter(users::is_active)
        .filter(vip_grants::user_id.gt(after.unwrap_or(i64::MIN)))
        .filter(vip_grants::source.eq(VipSource::Badge.as_str()))
        .filter(vip_grants::revoked_at.is_null())
        .filter(vip_grants::expires_at.is_null().or(vip_grants::expires_at.gt(DbTime(now))))
        .group_by(vip_grants::user_id)
        .order(vip_grants::user_id)
        .limit(i64::from(limit) + 1)
        .select(vip_grants::user_id)
        .load(conn)
        .await?;
    Ok(VIPS.page(members, limit, |last| *last).map(UserId))
}

pub(super) async fn vip_standing_on(conn: &mut Conn, user: UserId, now: Timestamp) -> Worked<Vip> {
    // Those without an end come first, whatever the database thinks of NULL.
    let end: Option<Option<DbTime>> = vip_grants::table
        .filter(vip_grants::user_id.eq(user.0))
        .filter(vip_grants::source.eq(VipSource::Badge.as_str()))
        .filter(vip_grants::revoked_at.is_null())
        .filter(vip_grants::expires_at.is_null().or(vip_grants::expires_at.gt(DbTime(now))))
        .order((vip_grants::expires_at.is_null().desc(), vip_grants::expires_at.desc()))
        .select(vip_grants::expires_at)
        .first(conn)
        .await
        .optional()?;
    Ok(match end {
        None => Vip::None,
        Some(None) => Vip::Lifetime,
        Some(Some(end)) => Vip::Until(end.0),
    })
}

/// A row of what was given lately.
#[derive(Queryable)]
struct RecentRow {
    held: UserBadgeRow,
    name: String,
    emoji: Option<String>,
    member: ShownRow,
}

pub(super) async fn recent_on(
    conn: &mut Conn,
    days: u32,
    limit: u32,
    now: Timestamp,
) -> Worked<Vec<RecentBadge>> {
    let since = now.minus(Duration::from_secs(u64::from(days) * 86_400));
    let rows: Vec<RecentRow> = user_badges::table
        .inner_join(badges::table)
        .inner_join(users::table)
        .filter(users::is_active)
        .filter(user_badges::awarded_at.gt(DbTime(since)))
        .filter(user_badges::awarded_at.le(DbTime(now)))
        .order((user_badges::awarded_at.desc(), user_badges::user_id, user_badges::badge_id))
        .limit(i64::from(limit))
        .select((UserBadgeRow::as_select(), badges::name, badges::emoji, ShownRow::as_select()))
        .load(conn)
        .await?;
    rows.into_iter().map(RecentRow::shown).collect()
}

impl RecentRow {
    fn shown(self) -> Worked<RecentBadge> {
        Ok(RecentBadge {
            held: self.held.into_held()?,
            user_name: self.member.name(),
            avatar_url: self.member.avatar_url()?,
            name: self.name.try_into()?,
            emoji: optional(self.emoji)?,
        })
    }
}

pub(super) async fn events_on(
    conn: &mut Conn,
    user: UserId,
    before: Option<i64>,
    limit: u16,
) -> Worked<Page<BadgeEvent>> {
    let rows: Vec<BadgeEventRow> = badge_events::table
        .filter(badge_events::user_id.eq(user.0))
        .filter(badge_events::id.lt(before.unwrap_or(i64::MAX)))
        .order(badge_events::id.desc())
        .limit(i64::from(limit) + 1)
        .select(BadgeEventRow::as_select())
        .load(conn)
        .await?;
    Ok(EVENTS.page(rows, limit, |last| last.id).try_map(BadgeEventRow::into_event)?)
}

/// How often badges were given and taken, by the text of the kind.
fn how_often(counts: Vec<(String, i64)>, kind: BadgeEventKind) -> u64 {
    counts.into_iter().filter(|(text, _)| text == kind.as_str()).map(|(_, n)| count(n)).sum()
}

pub(super) async fn statistics_on(conn: &mut Conn, id: BadgeId) -> Worked<BadgeStatistics> {
    if !diesel::select(exists(badges::table.find(id.0))).get_result(conn).await? {
        return Err(StorageError::not_found("badge", id).into());
    }
    let (holders, first, last): (i64, Option<DbTime>, Option<DbTime>) = user_badges::table
        .inner_join(users::table)
        .filter(users::is_active)
        .filter(user_badges::badge_id.eq(id.0))
        .select((count_star(), min(user_badges::awarded_at), max(user_badges::awarded_at)))
        .get_result(conn)
        .await?;
    let events: Vec<(String, i64)> = badge_events::table
        .filter(badge_events::badge_id.eq(id.0))
        .group_by(badge_events::kind)
        .select((badge_events::kind, count_star()))
        .load(conn)
        .await?;
    Ok(BadgeStatistics {
        badge: id,
        holders: count(holders),
        rate: BasisPoints::share(count(holders), active_members_on(conn).await?),
        awarded: how_often(events.clone(), BadgeEventKind::Awarded),
        revoked: how_often(events, BadgeEventKind::Revoked),
        first_awarded_at: first.map(|time| time.0),
        last_awarded_at: last.map(|time| time.0),
    })
}

pub(super) async fn user_statistics_on(
    conn: &mut Conn,
    user: UserId,
) -> Worked<UserBadgeStatistics> {
    member_on(conn, user).await?;
    let tiers: Vec<(String, i64, i64, i64, Option<DbTime>)> = user_badges::table
        .inner_join(badges::table)
        .filter(user_badges::user_id.eq(user.0))
        .group_by(badges::tier)
        .select((
            badges::tier,
            count_star(),
            diesel::dsl::count(user_badges::awarded_by),
            diesel::dsl::count(user_badges::vip_grant_id),
            max(user_badges::awarded_at),
        ))
        .load(conn)
        .await?;
    let revoked: i64 = badge_events::table
        .filter(badge_events::user_id.eq(user.0))
        .filter(badge_events::kind.eq(BadgeEventKind::Revoked.as_str()))
        .count()
        .get_result(conn)
        .await?;
    let mut by_tier = TierCounts::default();
    let (mut by_hand, mut with_vip, mut last) = (0, 0, None);
    for (tier, number, hand, vip, latest) in tiers {
        by_tier.add(tier.parse()?, count(number));
        by_hand += count(hand);
        with_vip += count(vip);
        last = last.max(latest.map(|time| time.0));
    }
    Ok(UserBadgeStatistics {
        user,
        total: by_tier.total(),
        by_hand,
        with_vip,
        by_tier,
        revoked: count(revoked),
        last_awarded_at: last,
    })
}
