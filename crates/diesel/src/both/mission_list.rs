//! Where a member stands in missions, and lists of that. Compiled once per backend.

use crate::run::RunQueryDsl;
use diesel::dsl::{case_when, not, sql};
use diesel::prelude::*;
use diesel::sql_types::{Bool, Nullable, Text};
use guildhall_domain::{
    CommunityZone, CompletedMission, MemberMission, MissionCadence, MissionPeriod, MissionStatus,
    ObjectiveKind, Slug, Timestamp, UserId, UserMission,
};
use guildhall_repository::{Keyset, ListLimit, Page, PageRequest, StorageError};

use super::mission::{Place, from_place, parts_on, place, running};
use super::mission_dialect::COOLED_DOWN;
use super::{Backend, Conn};
use crate::fault::Worked;
use crate::rows::{MissionRow, UserMissionRow};
use crate::schema::{mission_objectives, missions, user_missions};
use crate::types::{DbTime, UtcTime};

/// Missions that one thing a member does can advance.
const ASKING_MAX: i64 = 200;
/// The lists, in cursors.
const PENDING: Keyset<Place> = Keyset::new("missions.pending");
const COMPLETED: Keyset<Period> = Keyset::new("missions.completed");
const OF_USER: Keyset<Period> = Keyset::new("missions.user");

diesel::alias!(user_missions as latest: Latest);

/// Every mission with the row of a member's current period: that of the calendar or, of a
/// repeatable mission, that of the last time.
macro_rules! stood {
    ($user:expr, $zone:expr, $now:expr) => {{
        let today = $zone.day_of($now);
        let named = |cadence| MissionPeriod::current(cadence, today, 0).to_string();
        let last = latest
            .filter(latest.field(user_missions::user_id).eq($user.0))
            .filter(latest.field(user_missions::mission_id).eq(missions::id))
            .filter(latest.field(user_missions::nth).is_not_null())
            .order_by(latest.field(user_missions::nth).desc())
            .limit(1)
            .select(latest.field(user_missions::period));
        let is = |cadence: MissionCadence| missions::cadence.eq(cadence.as_str());
        let text = |cadence| Some(named(cadence)).into_sql::<Nullable<Text>>();
        let current = case_when(is(MissionCadence::OneTime), text(MissionCadence::OneTime))
            .when(is(MissionCadence::Daily), text(MissionCadence::Daily))
            .when(is(MissionCadence::Weekly), text(MissionCadence::Weekly))
            .otherwise(last.single_value());
        missions::table
            .left_join(
                user_missions::table.on(user_missions::user_id
                    .eq($user.0)
                    .and(user_missions::mission_id.eq(missions::id))
                    .and(user_missions::period.nullable().eq(current))),
            )
            .select((MissionRow::as_select(), Option::<UserMissionRow>::as_select()))
    }};
}

/// A mission and what a member has of it, as rows.
type Stood = (MissionRow, Option<UserMissionRow>);

/// The missions of rows and where the member stands in each.
async fn standing_on(
    conn: &mut Conn,
    rows: Vec<Stood>,
    user: UserId,
    zone: &CommunityZone,
    now: Timestamp,
) -> Worked<Vec<MemberMission>> {
    let ids = rows.iter().map(|(mission, _)| mission.id.clone()).collect();
    let begun = rows.iter().filter_map(|(_, row)| row.as_ref());
    let mut periods: Vec<String> = begun.map(|row| row.period.clone()).collect();
    periods.sort_unstable();
    periods.dedup();
    let parts = parts_on(conn, ids, Some(user), periods).await?;
    let stood = |(mission, row): Stood| {
        let mission = mission.into_mission(&parts)?;
        let row = row.map(|row| row.into_user_mission(&parts)).transpose()?;
        let standing = mission.standing(row, zone, now);
        Ok(MemberMission { mission, standing })
    };
    rows.into_iter().map(stood).collect()
}

pub(super) async fn objectives_for_on(
    conn: &mut Conn,
    user: UserId,
    kind: ObjectiveKind,
    key: &Slug,
    zone: &CommunityZone,
    now: Timestamp,
) -> Worked<Vec<MemberMission>> {
    let asking = mission_objectives::table
        .filter(mission_objectives::kind.eq(kind.as_str()))
        .filter(mission_objectives::key.eq(key.as_str()))
        .select(mission_objectives::mission_id);
    let rows: Vec<Stood> = stood!(user, zone, now)
        .filter(missions::id.eq_any(asking))
        .filter(running!(now))
        .order_by(missions::id)
        .limit(ASKING_MAX)
        .load(conn)
        .await?;
    standing_on(conn, rows, user, zone, now).await
}

pub(super) async fn member_mission_on(
    conn: &mut Conn,
    user: UserId,
    mission: &Slug,
    zone: &CommunityZone,
    now: Timestamp,
) -> Worked<Option<MemberMission>> {
    let rows: Vec<Stood> =
        stood!(user, zone, now).filter(missions::id.eq(mission.as_str())).load(conn).await?;
    Ok(standing_on(conn, rows, user, zone, now).await?.pop())
}

pub(super) async fn pending_on(
    conn: &mut Conn,
    user: UserId,
    zone: &CommunityZone,
    now: Timestamp,
    page: &PageRequest,
) -> Worked<Page<MemberMission>> {
    let query = stood!(user, zone, now)
        .filter(running!(now))
        .filter(user_missions::status.nullable().eq(MissionStatus::Active.as_str()))
        .order_by((missions::sort_order, missions::created_at, missions::id))
        .limit(i64::from(page.limit()) + 1)
        .into_boxed::<Backend>();
    let rows: Vec<Stood> = from_place!(query, PENDING.after(page)?).load(conn).await?;
    let found = standing_on(conn, rows, user, zone, now).await?;
    Ok(PENDING.page(found, page.limit(), |last| place(&last.mission)))
}

pub(super) async fn available_on(
    conn: &mut Conn,
    user: UserId,
    cadence: Option<MissionCadence>,
    limit: ListLimit,
    zone: &CommunityZone,
    now: Timestamp,
) -> Worked<Vec<MemberMission>> {
    // The query builder cannot add seconds to a time on both databases.
    let cooled = sql::<Bool>(COOLED_DOWN).bind::<UtcTime, _>(DbTime(now));
    let again = missions::cadence.eq(MissionCadence::Repeatable.as_str()).and(cooled.nullable());
    let completed = user_missions::status.nullable().eq(MissionStatus::Completed.as_str());
    let undone = user_missions::user_id.nullable().is_null().or(not(completed)).or(again);
    let mut query = stood!(user, zone, now)
        .filter(running!(now))
        .filter(undone)
        .order_by((missions::sort_order, missions::created_at, missions::id))
        .limit(i64::from(limit.get()))
        .into_boxed::<Backend>();
    if let Some(cadence) = cadence {
        query = query.filter(missions::cadence.eq(cadence.as_str()));
    }
    let rows: Vec<Stood> = query.load(conn).await?;
    standing_on(conn, rows, user, zone, now).await
}

pub(super) async fn standings_on(
    conn: &mut Conn,
    user: UserId,
    cadence: Option<MissionCadence>,
    limit: ListLimit,
    zone: &CommunityZone,
    now: Timestamp,
) -> Worked<Vec<MemberMission>> {
    let mut query = stood!(user, zone, now)
        .filter(missions::is_active.eq(true))
        .order_by((missions::sort_order, missions::created_at, missions::id))
        .limit(i64::from(limit.get()))
        .into_boxed::<Backend>();
    if let Some(cadence) = cadence {
        query = query.filter(missions::cadence.eq(cadence.as_str()));
    }
    let rows: Vec<Stood> = query.load(conn).await?;
    standing_on(conn, rows, user, zone, now).await
}

/// Where a member's list goes on: past a completion, or past a mission and period among what is
/// not completed.
type Period = (Option<Timestamp>, Slug, MissionPeriod);

pub(super) async fn user_missions_on(
    conn: &mut Conn,
    user: UserId,
    status: Option<MissionStatus>,
    page: &PageRequest,
) -> Worked<Page<UserMission>> {
    let from = OF_USER.after(page)?;
    let wanted = i64::from(page.limit()) + 1;
    let completed = matches!(status, None | Some(MissionStatus::Completed));
    let in_completed = from.as_ref().is_none_or(|(completed_at, ..)| completed_at.is_some());
    // What is completed comes first, and is fetched apart: each part is one stretch of an index.
    let mut rows = Vec::new();
    if completed && in_completed {
        rows = completed_rows_on(conn, user, from.as_ref(), wanted).await?;
    }
    let missing = wanted - i64::try_from(rows.len()).unwrap_or(wanted);
    if missing > 0 && status != Some(MissionStatus::Completed) {
        let from = from.as_ref().filter(|_| !in_completed);
        rows.extend(open_rows_on(conn, user, status, from, missing).await?);
    }
    let found = whole_on(conn, user, rows).await?;
    Ok(OF_USER
        .page(found, page.limit(), |last| (last.completed_at, last.mission.clone(), last.period)))
}

/// That a row stands behind this mission and period.
macro_rules! later {
    ($mission:ident, $period:ident) => {{
        use user_missions::dsl as u;
        let same = u::mission_id.eq($mission.as_str()).and(u::period.gt($period.to_string()));
        u::mission_id.gt($mission.as_str()).or(same)
    }};
}

async fn completed_rows_on(
    conn: &mut Conn,
    user: UserId,
    from: Option<&Period>,
    limit: i64,
) -> QueryResult<Vec<UserMissionRow>> {
    use user_missions::dsl as u;
    let mut query = u::user_missions
        .filter(u::user_id.eq(user.0))
        .filter(u::completed_at.is_not_null())
        .into_boxed::<Backend>();
    if let Some((completed_at, mission, period)) = from {
        let (completed_at, later) = (completed_at.map(DbTime), later!(mission, period));
        query = query
            .filter(u::completed_at.le(completed_at))
            .filter(u::completed_at.lt(completed_at).or(later.nullable()));
    }
    query
        .order_by((u::completed_at.desc(), u::mission_id, u::period))
        .limit(limit)
        .select(UserMissionRow::as_select())
        .load(conn)
        .await
}

async fn open_rows_on(
    conn: &mut Conn,
    user: UserId,
    status: Option<MissionStatus>,
    from: Option<&Period>,
    limit: i64,
) -> QueryResult<Vec<UserMissionRow>> {
    use user_missions::dsl as u;
    let mut query = u::user_missions
        .filter(u::user_id.eq(user.0))
        .filter(u::completed_at.is_null())
        .into_boxed::<Backend>();
    if let Some(status) = status {
        query = query.filter(u::status.eq(status.as_str()));
    }
    if let Some((_, mission, period)) = from {
        query = query.filter(later!(mission, period));
    }
    query
        .order_by((u::mission_id, u::period))
        .limit(limit)
        .select(UserMissionRow::as_select())
        .load(conn)
        .await
}

/// A member's missions of rows, in their order.
pub(super) async fn whole_on(
    conn: &mut Conn,
    user: UserId,
    rows: Vec<UserMissionRow>,
) -> Worked<Vec<UserMission>> {
    let distinct = |of: fn(&UserMissionRow) -> &String| {
        let mut all: Vec<String> = rows.iter().map(of).cloned().collect();
        all.sort_unstable();
        all.dedup();
        all
    };
    let (ids, periods) = (distinct(|row| &row.mission_id), distinct(|row| &row.period));
    let parts = parts_on(conn, ids, Some(user), periods).await?;
    rows.into_iter().map(|row| Ok(row.into_user_mission(&parts)?)).collect()
}

pub(super) async fn user_mission_on(
    conn: &mut Conn,
    user: UserId,
    mission: &Slug,
    period: MissionPeriod,
) -> Worked<Option<UserMission>> {
    let key = (user.0, mission.as_str(), period.to_string());
    let row: Option<UserMissionRow> = user_missions::table
        .find(key)
        .select(UserMissionRow::as_select())
        .first(conn)
        .await
        .optional()?;
    Ok(whole_on(conn, user, row.into_iter().collect()).await?.pop())
}

pub(super) async fn completed_on(
    conn: &mut Conn,
    user: UserId,
    page: &PageRequest,
) -> Worked<Page<CompletedMission>> {
    let from = COMPLETED.after(page)?;
    let rows = completed_rows_on(conn, user, from.as_ref(), i64::from(page.limit()) + 1).await?;
    let mut ids = Vec::with_capacity(rows.len());
    for row in &rows {
        ids.push(Slug::parse(&row.mission_id)?);
    }
    let missions = super::mission::by_ids_on(conn, &ids).await?;
    let completed = |row: UserMissionRow| {
        let mission = missions.iter().find(|mission| mission.id.as_str() == row.mission_id);
        let key = format!("{} of user {user}", row.mission_id);
        let broken = |what| StorageError::integrity("mission of a member", &key, what);
        Ok(CompletedMission {
            mission: mission.ok_or_else(|| broken("there is no such mission"))?.clone(),
            period: row.period.parse()?,
            completed_at: row.completed_at.ok_or_else(|| broken("it has no time"))?.0,
        })
    };
    let found = rows.into_iter().map(completed).collect::<Worked<Vec<_>>>()?;
    Ok(COMPLETED.page(found, page.limit(), |last| {
        (Some(last.completed_at), last.mission.id.clone(), last.period)
    }))
}
