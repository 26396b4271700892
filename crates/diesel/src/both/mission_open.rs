//! Beginning periods of missions, compiled once per backend.

use crate::run::RunQueryDsl;
use diesel::dsl::exists;
use diesel::prelude::*;
use diesel::query_builder::{QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Bool, Nullable, Text};
use guildhall_domain::{MissionPeriod, Outcome, Slug, Timestamp, UserId, UserMission};
use guildhall_repository::StorageError;

use super::mission_list::{user_mission_on, whole_on};
use super::mission_progress::{ACTIVE, COMPLETED};
use super::{Backend, Conn};
use crate::fault::{Fault, Worked};
use crate::kept::Keep;
use crate::rows::UserMissionRow;
use crate::schema::{missions, user_missions, users};
use crate::types::{DbTime, UtcTime};

/// Inserts the row of a period unless it is there; only for a member and a mission that exist.
/// `completed_at` is for what another system completed and paid.
macro_rules! insert {
    ($user:ident, $mission:ident, $period:ident, $started_at:ident, $completed_at:ident) => {{
        use user_missions as u;
        let status = if $completed_at.is_some() { COMPLETED } else { ACTIVE };
        let new = users::table
            .find($user.0)
            .filter(users::deleted_at.is_null())
            .filter(exists(missions::table.find($mission.as_str())))
            .select((
                users::id,
                $mission.as_str().into_sql::<Text>(),
                $period.to_string().into_sql::<Text>(),
                $period.nth().map(i64::from).into_sql::<Nullable<BigInt>>(),
                status.into_sql::<Text>(),
                DbTime($started_at).into_sql::<UtcTime>(),
                $completed_at.map(DbTime).into_sql::<Nullable<UtcTime>>(),
                None::<i64>.into_sql::<Nullable<BigInt>>(),
                $completed_at.is_some().into_sql::<Bool>(),
                1_i64.into_sql::<BigInt>(),
            ));
        diesel::insert_into(u::table)
            .values(new)
            .into_columns((
                u::user_id,
                u::mission_id,
                u::period,
                u::nth,
                u::status,
                u::started_at,
                u::completed_at,
                u::rewarded_entry_id,
                u::paid_elsewhere,
                u::version,
            ))
            .on_conflict_do_nothing()
    }};
}

pub(super) async fn insert_on(
    conn: &mut Conn,
    user: UserId,
    mission: &Slug,
    period: MissionPeriod,
    started_at: Timestamp,
    completed_at: Option<Timestamp>,
) -> QueryResult<Option<UserMissionRow>> {
    let insert = insert!(user, mission, period, started_at, completed_at);
    insert.returning(UserMissionRow::as_returning()).get_result(conn).await.optional()
}

/// Begins a period unless it was begun, as a statement to be run with others.
pub(super) fn opening(
    user: UserId,
    mission: &Slug,
    period: MissionPeriod,
    now: Timestamp,
) -> impl QueryFragment<Backend> + QueryId + Send {
    let never: Option<Timestamp> = None;
    insert!(user, mission, period, now, never)
}

/// Why a row could not be inserted and is not there either.
pub(super) async fn missing_on(conn: &mut Conn, user: UserId, mission: &Slug) -> Worked<Fault> {
    let known = diesel::select(exists(missions::table.find(mission.as_str())));
    Ok(if known.get_result::<bool>(conn).await? {
        StorageError::not_found("user", user).into()
    } else {
        StorageError::not_found("mission", mission).into()
    })
}

pub(super) async fn with_progress_on(conn: &mut Conn, row: UserMissionRow) -> Worked<UserMission> {
    let (user, key) = (UserId(row.user_id), row.mission_id.clone());
    let row = whole_on(conn, user, vec![row]).await?.pop();
    Ok(row.ok_or_else(|| StorageError::not_found("mission", key))?)
}

pub(super) async fn open_period_on(
    conn: &mut Conn,
    user: UserId,
    mission: &Slug,
    period: MissionPeriod,
    now: Timestamp,
) -> Worked<Outcome<UserMission>> {
    if let Some(row) = insert_on(conn, user, mission, period, now, None).await? {
        return Ok(Outcome::new(with_progress_on(conn, row).await?, Vec::new()));
    }
    match user_mission_on(conn, user, mission, period).await? {
        Some(there) => Ok(Outcome::replayed(there)),
        None => Err(missing_on(conn, user, mission).await?),
    }
}

pub(super) async fn import_completion_on(
    conn: &mut Conn,
    user: UserId,
    mission: &Slug,
    period: MissionPeriod,
    completed_at: Timestamp,
) -> Worked<Outcome<UserMission>> {
    use user_missions as u;
    let at = completed_at;
    if let Some(row) = insert_on(conn, user, mission, period, at, Some(at)).await? {
        return Ok(Outcome::new(with_progress_on(conn, row).await?, Vec::new()));
    }
    let open = u::table
        .find((user.0, mission.as_str(), period.to_string()))
        .filter(u::status.ne(COMPLETED));
    let closed: Option<UserMissionRow> = diesel::update(open)
        .set((
            u::status.eq(COMPLETED),
            u::completed_at.eq(Some(DbTime(at))),
            u::paid_elsewhere.eq(true),
            u::version.eq(u::version + 1),
        ))
        .returning(UserMissionRow::as_returning())
        .kept()
        .get_result(conn)
        .await
        .optional()?;
    if let Some(row) = closed {
        return Ok(Outcome::new(with_progress_on(conn, row).await?, Vec::new()));
    }
    match user_mission_on(conn, user, mission, period).await? {
        Some(there) => Ok(Outcome::replayed(there)),
        None => Err(missing_on(conn, user, mission).await?),
    }
}
