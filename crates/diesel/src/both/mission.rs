//! The catalogue of missions, compiled once per backend.

use std::collections::HashMap;

use crate::run::RunQueryDsl;
use diesel::prelude::*;
use guildhall_domain::{
    Mission, MissionCadence, MissionCategory, MissionPatch, NewMission, Slug, Timestamp, UserId,
};
use guildhall_repository::{
    Change, Keyset, ListLimit, MissionFilter, MissionRepository, Page, PageRequest,
};

use super::lease::{Lease, Mode};
use super::user::at_most;
use super::{Backend, Conn, mission_batch, mission_write};
use crate::batch::fits;
use crate::fault::Worked;
use crate::queries::queries;
use crate::rows::{MissionParts, MissionRow, PartRow, count};
use crate::schema::{mission_objectives, mission_rewards, missions, user_objective_progress};
use crate::search::{Searched, found_at_most};
use crate::types::{DbTime, UtcTime};

/// The list, in cursors.
const LIST: Keyset<Place> = Keyset::new("missions");
/// Missions looked up at once.
const IDS_MAX: usize = 500;

queries! {
    impl MissionRepository by missions, |lease| {
        Snapshot by_id(id: &Slug) -> Option<Mission> => by_id_on;
        Snapshot by_ids(ids: &[Slug]) -> Vec<Mission> {
            at_most("ids", ids.len(), IDS_MAX)?;
        } => by_ids_on;
        Snapshot list(filter: MissionFilter, page: &PageRequest) -> Page<Mission> => list_on;
        Snapshot active(
            category: Option<MissionCategory>,
            cadence: Option<MissionCadence>,
            limit: ListLimit,
            now: Timestamp,
        ) -> Vec<Mission> => active_on;
        Snapshot search(text: &str, limit: ListLimit) -> Vec<Mission> {
            let pattern = Searched::parse(text)?.anywhere();
        } => search_on(pattern, limit);
        Transaction create(new: &NewMission, now: Timestamp) -> Mission => mission_write::create_on;
        Transaction update(
            id: &Slug,
            patch: &MissionPatch,
            expected_version: i64,
            now: Timestamp,
        ) -> Mission => mission_write::update_on;
        Statement set_active(id: &Slug, active: bool, now: Timestamp) -> bool
            => mission_write::set_active_on;
        Transaction delete(id: &Slug, hard: bool, now: Timestamp) -> bool
            => mission_write::delete_on;
        Transaction create_batch(new: &[NewMission], now: Timestamp) -> Vec<Mission> {
            fits("new", new.len())?;
        } => mission_batch::create_batch_on;
        Transaction update_batch(changes: &[Change<Slug, MissionPatch>], now: Timestamp) -> u64 {
            fits("changes", changes.len())?;
        } => mission_batch::update_batch_on;
        Transaction delete_batch(ids: &[Slug], hard: bool, now: Timestamp) -> u64 {
            fits("ids", ids.len())?;
        } => mission_batch::delete_batch_on;
        Bare count(filter: MissionFilter) -> u64 => count_on;
        Bare exists(id: &Slug) -> bool => exists_on;
    }
}

/// All parts of missions, and how far `user` is with them in `periods`, by one statement.
pub(super) async fn parts_on(
    conn: &mut Conn,
    ids: Vec<String>,
    user: Option<UserId>,
    periods: Vec<String>,
) -> Worked<MissionParts> {
    use diesel::sql_types::{BigInt, Nullable, Text};
    use {mission_objectives as o, mission_rewards as r, user_objective_progress as p};
    if ids.is_empty() {
        return Ok(MissionParts::default());
    }
    let no_text = || None::<String>.into_sql::<Nullable<Text>>();
    let no_time = || None::<DbTime>.into_sql::<Nullable<UtcTime>>();
    let objectives = o::table.filter(o::mission_id.eq_any(ids.clone())).select((
        o::mission_id,
        o::idx,
        o::kind,
        o::key.nullable(),
        o::target.nullable(),
        o::mode.nullable(),
        o::description,
        no_time(),
    ));
    let rewards = r::table.filter(r::mission_id.eq_any(ids.clone())).select((
        r::mission_id,
        r::idx,
        r::kind,
        r::key,
        r::amount,
        no_text(),
        no_text(),
        no_time(),
    ));
    // Nobody has the id 0, and the periods are none.
    let values = p::table
        .filter(p::user_id.eq(user.map_or(0, |user| user.0).into_sql::<BigInt>()))
        .filter(p::mission_id.eq_any(ids))
        .filter(p::period.eq_any(periods))
        .select((
            p::mission_id,
            p::idx,
            p::period,
            no_text(),
            p::value.nullable(),
            no_text(),
            no_text(),
            p::updated_at.nullable(),
        ));
    let rows: Vec<PartRow> = objectives.union_all(rewards).union_all(values).load(conn).await?;
    Ok(MissionParts::of(rows)?)
}

/// The missions of rows, in their order.
pub(super) async fn whole_on(conn: &mut Conn, rows: Vec<MissionRow>) -> Worked<Vec<Mission>> {
    let ids = rows.iter().map(|row| row.id.clone()).collect();
    let parts = parts_on(conn, ids, None, Vec::new()).await?;
    rows.into_iter().map(|row| Ok(row.into_mission(&parts)?)).collect()
}

pub(super) async fn by_id_on(conn: &mut Conn, id: &Slug) -> Worked<Option<Mission>> {
    Ok(by_ids_on(conn, std::slice::from_ref(id)).await?.pop())
}

/// The missions that exist, in the order of `ids`, each once.
pub(super) async fn by_ids_on(conn: &mut Conn, ids: &[Slug]) -> Worked<Vec<Mission>> {
    let wanted: Vec<&str> = ids.iter().map(Slug::as_str).collect();
    let rows: Vec<MissionRow> = missions::table
        .filter(missions::id.eq_any(wanted))
        .select(MissionRow::as_select())
        .load(conn)
        .await?;
    let found = whole_on(conn, rows).await?;
    let mut found: HashMap<Slug, Mission> =
        found.into_iter().map(|mission| (mission.id.clone(), mission)).collect();
    Ok(ids.iter().filter_map(|id| found.remove(id)).collect())
}

/// Where a list in the order of the catalogue goes on: past these columns.
pub(super) type Place = (i64, DbTime, String);

pub(super) fn place(last: &Mission) -> Place {
    (i64::from(last.sort_order), DbTime(last.created_at), last.id.to_string())
}

/// Restricts a query of missions to those past a place.
macro_rules! from_place {
    ($query:expr, $place:expr) => {{
        let mut query = $query;
        if let Some((sort_order, created_at, id)) = $place {
            let later = missions::created_at
                .gt(created_at)
                .or(missions::created_at.eq(created_at).and(missions::id.gt(id)));
            query = query
                .filter(missions::sort_order.ge(sort_order))
                .filter(missions::sort_order.gt(sort_order).or(later));
        }
        query
    }};
}
pub(super) use from_place;

pub(super) async fn list_on(
    conn: &mut Conn,
    filter: MissionFilter,
    page: &PageRequest,
) -> Worked<Page<Mission>> {
    let query = from_place!(passing(filter), LIST.after(page)?);
    let rows: Vec<MissionRow> = query
        .order_by((missions::sort_order, missions::created_at, missions::id))
        .limit(i64::from(page.limit()) + 1)
        .select(MissionRow::as_select())
        .load(conn)
        .await?;
    let found = whole_on(conn, rows).await?;
    Ok(LIST.page(found, page.limit(), place))
}

async fn count_on(conn: &mut Conn, filter: MissionFilter) -> Worked<u64> {
    Ok(count(passing(filter).count().get_result(conn).await?))
}

async fn exists_on(conn: &mut Conn, id: &Slug) -> Worked<bool> {
    let known = diesel::dsl::exists(missions::table.find(id.as_str()));
    Ok(diesel::select(known).get_result(conn).await?)
}

fn passing(filter: MissionFilter) -> missions::BoxedQuery<'static, Backend> {
    let query = filtered(filter.category, filter.cadence);
    match filter.is_active {
        Some(is_active) => query.filter(missions::is_active.eq(is_active)),
        None => query,
    }
}

fn filtered(
    category: Option<MissionCategory>,
    cadence: Option<MissionCadence>,
) -> missions::BoxedQuery<'static, Backend> {
    let mut query = missions::table.into_boxed::<Backend>();
    if let Some(category) = category {
        query = query.filter(missions::category.eq(category.as_str()));
    }
    if let Some(cadence) = cadence {
        query = query.filter(missions::cadence.eq(cadence.as_str()));
    }
    query
}

/// What is switched on, has started and has not ended.
macro_rules! running {
    ($now:expr) => {{
        let started = missions::starts_at.is_null().or(missions::starts_at.le(DbTime($now)));
        let open = missions::ends_at.is_null().or(missions::ends_at.gt(DbTime($now)));
        missions::is_active.eq(true).and(started).and(open)
    }};
}
pub(super) use running;

pub(super) async fn active_on(
    conn: &mut Conn,
    category: Option<MissionCategory>,
    cadence: Option<MissionCadence>,
    limit: ListLimit,
    now: Timestamp,
) -> Worked<Vec<Mission>> {
    let rows: Vec<MissionRow> = filtered(category, cadence)
        .filter(running!(now))
        .order_by((missions::sort_order, missions::created_at, missions::id))
        .limit(i64::from(limit.get()))
        .select(MissionRow::as_select())
        .load(conn)
        .await?;
    whole_on(conn, rows).await
}

pub(super) async fn search_on(
    conn: &mut Conn,
    pattern: &str,
    limit: ListLimit,
) -> Worked<Vec<Mission>> {
    let rows: Vec<MissionRow> = missions::table
        .filter(missions::search_key.like(pattern).escape('\\'))
        .order_by((missions::title, missions::id))
        .limit(found_at_most(limit))
        .select(MissionRow::as_select())
        .load(conn)
        .await?;
    whole_on(conn, rows).await
}
