//! Figures about missions, compiled once per backend.

use std::time::Duration;

use crate::run::RunQueryDsl;
use diesel::dsl::{count_star, exists, sql};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};
use guildhall_domain::{
    BasisPoints, MissionCompletion, MissionPeriod, MissionStatistics, MissionTotals, Points, Rule,
    Slug, Timestamp, UserId, UserMissionStatistics,
};
use guildhall_repository::{Keyset, MissionReportRepository, Page, PageRequest, StorageError};

use super::lease::{Lease, Mode};
use super::user_lookup::member_on;
use super::{Backend, Conn};
use crate::fault::Worked;
use crate::queries::queries;
use crate::rows::count;
use crate::schema::{missions, point_entries, user_missions};
use crate::types::DbTime;

/// The lists, in cursors.
const RECENT: Keyset<(DbTime, i64, String, MissionPeriod)> = Keyset::new("missions.recent");
const USERS: Keyset<i64> = Keyset::new("missions.users");
/// How far completions are looked back for.
const DAYS_MAX: u32 = 90;

const COMPLETED: &str = "COUNT(CASE WHEN status = 'completed' THEN 1 END)";
const MEMBERS: &str = "COUNT(DISTINCT user_id)";
const SWITCHED_ON: &str = "COUNT(CASE WHEN is_active THEN 1 END)";
/// A literal, by which both databases know that the partial index serves.
const FOR_MISSIONS: &str = "point_entries.source = 'mission'";
const PAID: &str = "CAST(COALESCE(SUM(amount), 0) AS BIGINT)";

/// The progress of every attempt, as `objectives_progress` has it, and what comes of them all. A
/// sum over a query of its own is beyond the query builder.
const ATTEMPTS: &str = "\
    SELECT COUNT(*) AS attempts, COUNT(CASE WHEN a.status = 'completed' THEN 1 END) AS completed, \
        CAST(COALESCE(SUM(a.bp), 0) AS BIGINT) AS bp_sum, \
        CAST(COALESCE(MIN(a.bp), 0) AS BIGINT) AS bp_min, \
        CAST(COALESCE(MAX(a.bp), 0) AS BIGINT) AS bp_max \
    FROM (SELECT u.status, CASE WHEN u.status = 'completed' THEN 10000 ELSE COALESCE( \
        (SELECT CAST(SUM(CASE WHEN p.value >= o.target THEN 10000 \
                ELSE p.value * 10000 / o.target END) AS BIGINT) \
            FROM user_objective_progress p \
            JOIN mission_objectives o ON o.mission_id = p.mission_id AND o.idx = p.idx \
            WHERE p.user_id = u.user_id AND p.mission_id = u.mission_id AND p.period = u.period) \
        / (SELECT NULLIF(COUNT(*), 0) FROM mission_objectives c \
            WHERE c.mission_id = u.mission_id), \
        0) END AS bp FROM user_missions u WHERE u.mission_id = $1) AS a";

queries! {
    impl MissionReportRepository by mission_reports, |lease| {
        Snapshot statistics(mission: &Slug) -> MissionStatistics => statistics_on;
        Snapshot user_statistics(user: UserId) -> UserMissionStatistics => user_statistics_on;
        Snapshot totals() -> MissionTotals => totals_on;
        Bare recent_completions(days: u32, now: Timestamp, page: &PageRequest)
            -> Page<MissionCompletion> {
            if !(1..=DAYS_MAX).contains(&days) {
                let rule = Rule::OutOfRange { min: 1, max: i64::from(DAYS_MAX) };
                return Err(StorageError::invalid("days", rule));
            }
        } => recent_on;
        Bare progress_users(mission: &Slug, page: &PageRequest) -> Page<UserId>
            => progress_users_on;
    }
}

#[derive(QueryableByName)]
struct Attempts {
    #[diesel(sql_type = BigInt)]
    attempts: i64,
    #[diesel(sql_type = BigInt)]
    completed: i64,
    #[diesel(sql_type = BigInt)]
    bp_sum: i64,
    #[diesel(sql_type = BigInt)]
    bp_min: i64,
    #[diesel(sql_type = BigInt)]
    bp_max: i64,
}

pub(super) async fn statistics_on(conn: &mut Conn, mission: &Slug) -> Worked<MissionStatistics> {
    let known = diesel::select(exists(missions::table.find(mission.as_str())));
    if !known.get_result::<bool>(conn).await? {
        return Err(StorageError::not_found("mission", mission).into());
    }
    let found: Attempts =
        diesel::sql_query(ATTEMPTS).bind::<Text, _>(mission.as_str()).get_result(conn).await?;
    let bp = |of: i64| BasisPoints::new(i32::try_from(of).unwrap_or(i32::MAX));
    Ok(MissionStatistics {
        mission: mission.clone(),
        attempts: count(found.attempts),
        completed: count(found.completed),
        completion_rate: BasisPoints::share(count(found.completed), count(found.attempts)),
        progress_mean: bp(found.bp_sum / found.attempts.max(1))?,
        progress_min: bp(found.bp_min)?,
        progress_max: bp(found.bp_max)?,
    })
}

pub(super) async fn user_statistics_on(
    conn: &mut Conn,
    user: UserId,
) -> Worked<UserMissionStatistics> {
    member_on(conn, user).await?;
    let (started, completed): (i64, i64) = user_missions::table
        .filter(user_missions::user_id.eq(user.0))
        .select((count_star(), sql::<BigInt>(COMPLETED)))
        .get_result(conn)
        .await?;
    let paid: i64 = point_entries::table
        .filter(point_entries::user_id.eq(user.0))
        .filter(sql::<Bool>(FOR_MISSIONS))
        .select(sql::<BigInt>(PAID))
        .get_result(conn)
        .await?;
    Ok(UserMissionStatistics {
        user,
        started: count(started),
        completed: count(completed),
        completion_rate: BasisPoints::share(count(completed), count(started)),
        points_earned: Points::from_minor(paid)?,
    })
}

pub(super) async fn totals_on(conn: &mut Conn) -> Worked<MissionTotals> {
    let (all, active): (i64, i64) =
        missions::table.select((count_star(), sql::<BigInt>(SWITCHED_ON))).get_result(conn).await?;
    let (attempts, completions, members): (i64, i64, i64) = user_missions::table
        .select((count_star(), sql::<BigInt>(COMPLETED), sql::<BigInt>(MEMBERS)))
        .get_result(conn)
        .await?;
    let paid: i64 = point_entries::table
        .filter(sql::<Bool>(FOR_MISSIONS))
        .select(sql::<BigInt>(PAID))
        .get_result(conn)
        .await?;
    Ok(MissionTotals {
        missions: count(all),
        active: count(active),
        users: count(members),
        attempts: count(attempts),
        completions: count(completions),
        points_paid: Points::from_minor(paid)?,
    })
}

const DAY: Duration = Duration::from_secs(24 * 3600);

pub(super) async fn recent_on(
    conn: &mut Conn,
    days: u32,
    now: Timestamp,
    page: &PageRequest,
) -> Worked<Page<MissionCompletion>> {
    use user_missions::dsl as u;
    let mut query = u::user_missions
        .filter(u::completed_at.ge(DbTime(now.minus(DAY * days))))
        .filter(u::completed_at.le(DbTime(now)))
        .into_boxed::<Backend>();
    if let Some((at, user, mission, period)) = RECENT.after(page)? {
        let of_mission = u::mission_id
            .gt(mission.clone())
            .or(u::mission_id.eq(mission).and(u::period.gt(period.to_string())));
        let of_user = u::user_id.gt(user).or(u::user_id.eq(user).and(of_mission));
        query = query
            .filter(u::completed_at.le(at))
            .filter(u::completed_at.lt(at).or(of_user.nullable()));
    }
    let rows: Vec<(i64, String, String, Option<DbTime>)> = query
        .order_by((u::completed_at.desc(), u::user_id, u::mission_id, u::period))
        .limit(i64::from(page.limit()) + 1)
        .select((u::user_id, u::mission_id, u::period, u::completed_at))
        .load(conn)
        .await?;
    let mut found = Vec::with_capacity(rows.len());
    for (user, mission, period, completed_at) in rows {
        let completed_at = completed_at.map_or(now, |time| time.0); // The filter leaves no NULL.
        let (mission, period) = (Slug::parse(&mission)?, period.parse()?);
        found.push(MissionCompletion { user: UserId(user), mission, period, completed_at });
    }
    Ok(RECENT.page(found, page.limit(), |last| {
        (DbTime(last.completed_at), last.user.0, last.mission.to_string(), last.period)
    }))
}

pub(super) async fn progress_users_on(
    conn: &mut Conn,
    mission: &Slug,
    page: &PageRequest,
) -> Worked<Page<UserId>> {
    let after = USERS.after(page)?;
    let ids: Vec<i64> = user_missions::table
        .filter(user_missions::mission_id.eq(mission.as_str()))
        .filter(user_missions::user_id.gt(after.unwrap_or(0)))
        .select(user_missions::user_id)
        .distinct()
        .order_by(user_missions::user_id)
        .limit(i64::from(page.limit()) + 1)
        .load(conn)
        .await?;
    Ok(USERS.page(ids, page.limit(), |last| *last).map(UserId))
}
