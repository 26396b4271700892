//! Taking progress with missions back, compiled once per backend.

use crate::run::RunQueryDsl;
use diesel::prelude::*;
use guildhall_domain::{
    CommunityZone, MissionCadence, MissionPeriod, MissionStatus, Rule, Slug, Timestamp, UserId,
};
use guildhall_repository::{ListLimit, StorageError};

use super::Conn;
use super::mission_progress::found_on;
use crate::fault::Worked;
use crate::schema::{missions, user_missions, user_objective_progress};
use crate::types::DbTime;

/// Which periods are taken back: one of the calendar, of these members, of these missions.
struct Taken {
    users: Vec<i64>,
    missions: Vec<String>,
    period: String,
}

/// Takes periods back. Those that another system paid for stay, under way and without progress,
/// because their rows are all that knows it.
async fn take_on(conn: &mut Conn, taken: Taken, now: Timestamp) -> QueryResult<usize> {
    use {user_missions as u, user_objective_progress as p};
    let Taken { users, missions, period } = taken;
    let rows = || {
        u::table
            .filter(u::user_id.eq_any(users.clone()))
            .filter(u::mission_id.eq_any(missions.clone()))
            .filter(u::period.eq(period.clone()))
    };
    // Their progress goes with them.
    let unpaid = rows().filter(u::paid_elsewhere.eq(false));
    let removed = diesel::delete(unpaid).execute(conn).await?;
    let kept = rows().filter(u::paid_elsewhere.eq(true));
    let reopened = diesel::update(kept)
        .set((
            u::status.eq(MissionStatus::Active.as_str()),
            u::started_at.eq(DbTime(now)),
            u::completed_at.eq(None::<DbTime>),
            u::version.eq(u::version + 1),
        ))
        .execute(conn)
        .await?;
    if reopened > 0 {
        let progress = p::table
            .filter(p::user_id.eq_any(users))
            .filter(p::mission_id.eq_any(missions))
            .filter(p::period.eq(period));
        diesel::delete(progress).execute(conn).await?;
    }
    Ok(removed + reopened)
}

pub(super) async fn reset_current_on(
    conn: &mut Conn,
    user: UserId,
    mission: &Slug,
    zone: &CommunityZone,
    now: Timestamp,
) -> Worked<bool> {
    let standing = found_on(conn, user, mission, zone, now).await?.standing;
    if standing.current.is_none() {
        return Ok(false);
    }
    let taken = Taken {
        users: vec![user.0],
        missions: vec![mission.as_str().to_owned()],
        period: standing.period.to_string(),
    };
    Ok(take_on(conn, taken, now).await? > 0)
}

/// That periods of a cadence begin with the calendar, all at once.
pub(super) fn of_calendar(cadence: MissionCadence) -> Result<(), StorageError> {
    match cadence {
        MissionCadence::Daily | MissionCadence::Weekly => Ok(()),
        MissionCadence::OneTime | MissionCadence::Repeatable => {
            let expected = "daily or weekly";
            Err(StorageError::invalid("cadence", Rule::Malformed { expected }))
        }
    }
}

pub(super) async fn reset_cadence_for_user_on(
    conn: &mut Conn,
    user: UserId,
    cadence: MissionCadence,
    zone: &CommunityZone,
    now: Timestamp,
) -> Worked<u64> {
    take_cadence_on(conn, vec![user.0], cadence, zone, now).await
}

pub(super) async fn reset_cadence_on(
    conn: &mut Conn,
    cadence: MissionCadence,
    after: Option<UserId>,
    limit: ListLimit,
    zone: &CommunityZone,
    now: Timestamp,
) -> Worked<(u64, Option<UserId>)> {
    let period = MissionPeriod::current(cadence, zone.day_of(now), 0).to_string();
    let limit = usize::from(limit.get());
    let mut users: Vec<i64> = user_missions::table
        .filter(user_missions::user_id.gt(after.map_or(0, |after| after.0)))
        .filter(user_missions::period.eq(period))
        .select(user_missions::user_id)
        .distinct()
        .order_by(user_missions::user_id)
        .limit(i64::try_from(limit + 1).unwrap_or(i64::MAX))
        .load(conn)
        .await?;
    let more = users.len() > limit;
    users.truncate(limit);
    let next = users.last().filter(|_| more).map(|last| UserId(*last));
    Ok((take_cadence_on(conn, users, cadence, zone, now).await?, next))
}

async fn take_cadence_on(
    conn: &mut Conn,
    users: Vec<i64>,
    cadence: MissionCadence,
    zone: &CommunityZone,
    now: Timestamp,
) -> Worked<u64> {
    let period = MissionPeriod::current(cadence, zone.day_of(now), 0).to_string();
    // Those that any of them has: of a cadence there may be many more.
    let missions: Vec<String> = user_missions::table
        .inner_join(missions::table.on(missions::id.eq(user_missions::mission_id)))
        .filter(user_missions::user_id.eq_any(users.clone()))
        .filter(user_missions::period.eq(period.clone()))
        .filter(missions::cadence.eq(cadence.as_str()))
        .select(missions::id)
        .distinct()
        .load(conn)
        .await?;
    let taken = take_on(conn, Taken { users, missions, period }, now).await?;
    Ok(u64::try_from(taken).unwrap_or(u64::MAX))
}
