//! The catalogue of badges, compiled once per backend: `super::Conn` is what differs.

use std::collections::HashMap;

use crate::run::RunQueryDsl;
use diesel::prelude::*;
use guildhall_domain::{
    Badge, BadgeAward, BadgeEvent, BadgeHolder, BadgeId, BadgePatch, BadgeStatistics, Description,
    HeldBadge, Label, MetricSnapshot, NewBadge, Outcome, RecentBadge, Timestamp, UserBadge,
    UserBadgeStatistics, UserId, Vip,
};
use guildhall_repository::{
    BadgeFilter, BadgeRepository, Change, Keyset, Page, PageRequest, StorageError,
};

use super::badge_award::{candidates_on, give_on, take_on};
use super::badge_batch;
use super::badge_report::{
    EVENTS, HELD, HOLDERS, VIPS, events_on, has_on, held_by_on, holders_on, recent_on,
    statistics_on, user_statistics_on, vip_holders_on, vip_standing_on,
};
use super::lease::{Lease, Mode};
use super::user::at_most;
use super::user_achievement::recent_within;
use super::{Backend, Conn};
use crate::batch::fits;
use crate::fault::{Worked, broken_reference, broken_uniqueness};
use crate::kept::Keep;
use crate::queries::queries;
use crate::rows::{BadgeColumns, BadgeRow, count};
use crate::schema::{badge_events, badges};

const LIST: Keyset<i64> = Keyset::new("badges.id");
/// Badges fetched at once at most.
const MANY_MAX: usize = 500;

queries! {
    impl BadgeRepository by badges, |lease| {
        Bare by_id(id: BadgeId) -> Option<Badge> => by_id_on;
        Bare by_ids(ids: &[BadgeId]) -> Vec<Badge> {
            at_most("ids", ids.len(), MANY_MAX)?;
        } => by_ids_on;
        Bare by_name(name: &Label) -> Option<Badge> => by_name_on;
        Bare list(filter: BadgeFilter, page: &PageRequest) -> Page<Badge> {
            let (after, limit) = (LIST.after(page)?, page.limit());
        } => list_on(filter, after, limit);
        Statement create(new: &NewBadge, now: Timestamp) -> Badge {
            new.check()?;
        } => create_on;
        Transaction update(id: BadgeId, patch: &BadgePatch, expected_version: i64) -> Badge
            => update_on;
        Transaction delete(id: BadgeId, hard: bool) -> bool => delete_on;
        Transaction create_batch(new: &[NewBadge], now: Timestamp) -> Vec<Badge> {
            fits("new", new.len())?;
            new.iter().try_for_each(NewBadge::check)?;
        } => badge_batch::create_batch_on;
        Transaction update_batch(changes: &[Change<BadgeId, BadgePatch>]) -> u64 {
            fits("changes", changes.len())?;
        } => badge_batch::update_batch_on;
        Transaction delete_batch(ids: &[BadgeId], hard: bool) -> u64 {
            fits("ids", ids.len())?;
        } => badge_batch::delete_batch_on;
        Bare count(filter: BadgeFilter) -> u64 => count_on;
        Bare exists(id: BadgeId) -> bool => exists_on;
        Bare candidates(metrics: &MetricSnapshot) -> Vec<Badge> => candidates_on;
        Transaction give(award: &BadgeAward, now: Timestamp) -> Outcome<UserBadge> => give_on;
        Transaction take(
            user: UserId,
            badge: BadgeId,
            actor: Option<UserId>,
            reason: Option<Description>,
            now: Timestamp,
        ) -> Outcome<bool> => take_on;
        Bare has(user: UserId, badge: BadgeId) -> bool => has_on;
        Bare held_by(user: UserId, page: &PageRequest) -> Page<HeldBadge> {
            let (after, limit) = (HELD.after(page)?, page.limit());
        } => held_by_on(user, after, limit);
        Bare holders(badge: BadgeId, page: &PageRequest) -> Page<BadgeHolder> {
            let (after, limit) = (HOLDERS.after(page)?, page.limit());
        } => holders_on(badge, after, limit);
        Bare vip_holders(now: Timestamp, page: &PageRequest) -> Page<UserId> {
            let (after, limit) = (VIPS.after(page)?, page.limit());
        } => vip_holders_on(now, after, limit);
        Bare vip_standing(user: UserId, now: Timestamp) -> Vip => vip_standing_on;
        Bare recent(days: u32, limit: u32, now: Timestamp) -> Vec<RecentBadge> {
            recent_within(days, limit)?;
        } => recent_on;
        Bare events(user: UserId, page: &PageRequest) -> Page<BadgeEvent> {
            let (before, limit) = (EVENTS.after(page)?, page.limit());
        } => events_on(user, before, limit);
        Snapshot statistics(id: BadgeId) -> BadgeStatistics => statistics_on;
        Snapshot user_statistics(user: UserId) -> UserBadgeStatistics => user_statistics_on;
    }
}

pub(super) fn restored(rows: Vec<BadgeRow>) -> Worked<Vec<Badge>> {
    Ok(rows.into_iter().map(BadgeRow::into_badge).collect::<Result<_, _>>()?)
}

pub(super) async fn by_id_on(conn: &mut Conn, id: BadgeId) -> Worked<Option<Badge>> {
    let row: Option<BadgeRow> =
        badges::table.find(id.0).select(BadgeRow::as_select()).first(conn).await.optional()?;
    Ok(row.map(BadgeRow::into_badge).transpose()?)
}

/// In the order of `ids`, each once.
pub(super) async fn by_ids_on(conn: &mut Conn, ids: &[BadgeId]) -> Worked<Vec<Badge>> {
    let wanted: Vec<i64> = ids.iter().map(|id| id.0).collect();
    let rows: Vec<BadgeRow> = badges::table
        .filter(badges::id.eq_any(wanted))
        .select(BadgeRow::as_select())
        .load(conn)
        .await?;
    let mut found: HashMap<i64, BadgeRow> = rows.into_iter().map(|row| (row.id, row)).collect();
    restored(ids.iter().filter_map(|id| found.remove(&id.0)).collect())
}

async fn by_name_on(conn: &mut Conn, name: &Label) -> Worked<Option<Badge>> {
    let row: Option<BadgeRow> = badges::table
        .filter(badges::name_key.eq(name.folded()))
        .select(BadgeRow::as_select())
        .first(conn)
        .await
        .optional()?;
    Ok(row.map(BadgeRow::into_badge).transpose()?)
}

fn filtered(filter: BadgeFilter) -> badges::BoxedQuery<'static, Backend> {
    let mut query = badges::table.into_boxed::<Backend>();
    if let Some(is_active) = filter.is_active {
        query = query.filter(badges::is_active.eq(is_active));
    }
    if filter.vip_only {
        query = query.filter(badges::grants_vip);
    }
    query
}

async fn count_on(conn: &mut Conn, filter: BadgeFilter) -> Worked<u64> {
    Ok(count(filtered(filter).count().get_result(conn).await?))
}

async fn exists_on(conn: &mut Conn, id: BadgeId) -> Worked<bool> {
    Ok(diesel::select(diesel::dsl::exists(badges::table.find(id.0))).get_result(conn).await?)
}

async fn list_on(
    conn: &mut Conn,
    filter: BadgeFilter,
    after: Option<i64>,
    limit: u16,
) -> Worked<Page<Badge>> {
    let mut query = filtered(filter);
    if let Some(after) = after {
        query = query.filter(badges::id.gt(after));
    }
    let query = query.order(badges::id).limit(i64::from(limit) + 1).select(BadgeRow::as_select());
    let page = restored(query.load(conn).await?)?;
    Ok(LIST.page(page, limit, |last| last.id.0))
}

async fn create_on(conn: &mut Conn, new: &NewBadge, now: Timestamp) -> Worked<Badge> {
    let inserted: Option<BadgeRow> = diesel::insert_into(badges::table)
        .values(BadgeColumns::defined(new.clone(), now))
        .on_conflict_do_nothing()
        .returning(BadgeRow::as_returning())
        .get_result(conn)
        .await
        .optional()?;
    let row = inserted.ok_or_else(|| StorageError::already_exists("badge", &new.name))?;
    Ok(row.into_badge()?)
}

pub(super) async fn update_on(
    conn: &mut Conn,
    id: BadgeId,
    patch: &BadgePatch,
    expected: i64,
) -> Worked<Badge> {
    let stored = by_id_on(conn, id).await?;
    let stored = stored.ok_or_else(|| StorageError::not_found("badge", id))?;
    if patch.is_empty() {
        return Ok(stored);
    }
    let moved = |actual| StorageError::conflict("badge", id, expected, actual);
    if stored.version != expected {
        return Err(moved(stored.version).into());
    }
    let changed = patch.clone().applied_to(stored)?;
    let current = badges::table.find(id.0).filter(badges::version.eq(expected));
    let written =
        diesel::update(current).set(BadgeColumns::of(&changed)).kept().execute(conn).await;
    let written = match written {
        Err(error) if broken_uniqueness(&error).is_some() => {
            return Err(StorageError::already_exists("badge", &changed.name).into());
        }
        written => written?,
    };
    if written == 0 {
        let version = badges::table.find(id.0).select(badges::version);
        let actual: Option<i64> = version.first(conn).await.optional()?;
        let absent = || StorageError::not_found("badge", id);
        return Err(actual.map_or_else(absent, moved).into());
    }
    Ok(changed)
}

async fn delete_on(conn: &mut Conn, id: BadgeId, hard: bool) -> Worked<bool> {
    if hard { remove_on(conn, id).await } else { deactivate_on(conn, id).await }
}

async fn deactivate_on(conn: &mut Conn, id: BadgeId) -> Worked<bool> {
    let active = badges::table.find(id.0).filter(badges::is_active);
    let written = diesel::update(active)
        .set((badges::is_active.eq(false), badges::version.eq(badges::version + 1)))
        .kept()
        .execute(conn)
        .await?;
    Ok(written > 0)
}

pub(super) fn given(id: BadgeId) -> StorageError {
    StorageError::InvalidState {
        entity: "badge",
        key: id.to_string(),
        state: "given to members".to_owned(),
        attempted: "remove it",
    }
}

async fn remove_on(conn: &mut Conn, id: BadgeId) -> Worked<bool> {
    let events = badge_events::table.filter(badge_events::badge_id.eq(id.0));
    if diesel::select(diesel::dsl::exists(events)).get_result(conn).await? {
        return Err(given(id).into());
    }
    match diesel::delete(badges::table.find(id.0)).execute(conn).await {
        // Somebody gave it after the look.
        Err(error) if broken_reference(&error) => Err(given(id).into()),
        removed => Ok(removed? > 0),
    }
}
