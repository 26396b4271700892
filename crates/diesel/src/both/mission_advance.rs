//! Counting what members do for missions, compiled once per backend.

use crate::run::RunQueryDsl;
use diesel::dsl::{case_when, exists, not};
use diesel::prelude::*;
use diesel::query_builder::{QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Bool};
use diesel::upsert::excluded;
use guildhall_domain::{
    Advance, MissionPeriod, Objective, ObjectiveKind, ObjectiveProgress, Outcome, Rule, Slug,
    Timestamp, UserId,
};
use guildhall_repository::{MissionStep, StorageError};

use super::mission_dialect::locking;
use super::mission_open::opening;
use super::mission_progress::{ABANDONED, ACTIVE, COMPLETED, no_period, status_on};
use super::together::together;
use super::{Backend, Conn};
use crate::fault::{Fault, Worked};
use crate::kept::Keep;
use crate::rows::{column, count};
use crate::schema::{mission_objectives, user_missions, user_objective_progress};
use crate::types::{DbTime, UtcTime};

/// An objective: its place, its target, how much is done, and since when.
type ProgressRow = (i64, i64, Option<i64>, Option<DbTime>);

/// How far each objective is that the mission has today.
macro_rules! progress {
    ($user:ident, $mission:ident, $period:ident) => {{
        use {mission_objectives as o, user_objective_progress as p};
        let counted = p::user_id
            .eq($user.0)
            .and(p::mission_id.eq(o::mission_id))
            .and(p::period.eq($period.to_string()))
            .and(p::idx.eq(o::idx));
        o::table
            .left_join(p::table.on(counted))
            .filter(o::mission_id.eq($mission.as_str()))
            .order_by(o::idx)
            .select((o::idx, o::target, p::value.nullable(), p::updated_at.nullable()))
    }};
}

/// Closes the period if it is under way and every objective that the mission has today is met. Gives
/// whether a mission asks for this one, which is looked at only then.
macro_rules! closing {
    ($user:ident, $mission:ident, $period:ident, $now:ident) => {{
        use {mission_objectives as o, user_missions as u, user_objective_progress as p};
        let met = p::table
            .filter(p::user_id.eq($user.0))
            .filter(p::mission_id.eq(o::mission_id))
            .filter(p::period.eq($period.to_string()))
            .filter(p::idx.eq(o::idx))
            .filter(p::value.ge(o::target));
        let of_mission = || o::table.filter(o::mission_id.eq($mission.as_str()));
        let row = u::table
            .find(($user.0, $mission.as_str(), $period.to_string()))
            .filter(u::status.eq(ACTIVE))
            .filter(exists(of_mission()))
            .filter(not(exists(of_mission().filter(not(exists(met))))));
        let asking = o::table
            .filter(o::kind.eq(ObjectiveKind::Mission.as_str()))
            .filter(o::key.eq($mission.as_str()))
            .select(o::mission_id);
        diesel::update(row)
            .set((
                u::status.eq(COMPLETED),
                u::completed_at.eq(Some(DbTime($now))),
                u::version.eq(u::version + 1),
            ))
            .returning(exists(asking))
            .kept()
    }};
}

fn progress_of((idx, target, value, updated_at): ProgressRow) -> ObjectiveProgress {
    ObjectiveProgress {
        idx: u16::try_from(idx).unwrap_or(u16::MAX), // At most 20.
        value: value.map_or(0, count),
        target: count(target),
        updated_at: updated_at.map(|time| time.0),
    }
}

pub(super) async fn advance_on(
    conn: &mut Conn,
    user: UserId,
    mission: &Slug,
    period: MissionPeriod,
    idx: u16,
    change: Advance,
    now: Timestamp,
) -> Worked<Outcome<Vec<ObjectiveProgress>>> {
    let (folded, progress) = together!(
        conn,
        on => folding(user, mission, period, idx, change, now).execute(on),
        on => progress!(user, mission, period).load::<ProgressRow>(on),
    );
    let folded = folded?;
    let objectives = progress?.into_iter().map(progress_of).collect();
    if folded > 0 {
        return Ok(Outcome::new(objectives, Vec::new()));
    }
    unless_completed_on(conn, user, mission, period, idx).await?;
    Ok(Outcome::replayed(objectives))
}

/// Begins the period unless it was begun, folds amounts into objectives, and closes the period when
/// all of them are met: of two who meet the last ones, the second sees both.
pub(super) async fn step_on(
    conn: &mut Conn,
    user: UserId,
    mission: &Slug,
    period: MissionPeriod,
    changes: &[(u16, Advance)],
    now: Timestamp,
) -> Worked<Outcome<MissionStep>> {
    let Some(((idx, change), before)) = changes.split_last() else {
        return Err(StorageError::invalid("changes", Rule::Empty).into());
    };
    let mut missed = None;
    if !before.is_empty() {
        opening(user, mission, period, now).execute(conn).await?;
    }
    for (idx, change) in before {
        let folding = folding(user, mission, period, *idx, *change, now);
        if folding.execute(conn).await? == 0 {
            missed = missed.or(Some(*idx));
        }
    }
    let (opened, folded, closed, progress) = together!(
        conn,
        on => opening(user, mission, period, now).execute(on),
        on => folding(user, mission, period, *idx, *change, now).execute(on),
        on => closing!(user, mission, period, now).load::<bool>(on),
        on => progress!(user, mission, period).load::<ProgressRow>(on),
    );
    opened?;
    if folded? == 0 {
        missed = missed.or(Some(*idx));
    }
    let closed = closed?;
    let (completed, asked_for) = (!closed.is_empty(), closed.contains(&true));
    let objectives = progress?.into_iter().map(progress_of).collect();
    if let Some(idx) = missed {
        if completed {
            return Err(no_objective(idx, mission)); // Whatever else this step did is undone.
        }
        unless_completed_on(conn, user, mission, period, idx).await?;
        let step = MissionStep { objectives, completed: false, asked_for: false };
        return Ok(Outcome::replayed(step));
    }
    Ok(Outcome::new(MissionStep { objectives, completed, asked_for }, Vec::new()))
}

/// Why nothing could be folded into an objective, unless the period is completed.
async fn unless_completed_on(
    conn: &mut Conn,
    user: UserId,
    mission: &Slug,
    period: MissionPeriod,
    idx: u16,
) -> Worked<()> {
    match status_on(conn, user, mission, period).await?.as_deref() {
        Some(COMPLETED) => Ok(()),
        Some(ABANDONED) => Err(StorageError::InvalidState {
            entity: "mission",
            key: mission.to_string(),
            state: ABANDONED.to_owned(),
            attempted: "advance it",
        }
        .into()),
        Some(_) => Err(no_objective(idx, mission)),
        None => Err(no_period(user, mission, period).into()),
    }
}

fn no_objective(idx: u16, mission: &Slug) -> Fault {
    StorageError::not_found("objective", format!("{idx} of {mission}")).into()
}

/// Folds an amount into the value of an objective, if the period is under way: one statement, which
/// locks the period, so that of two who meet the last objectives the second sees both.
fn folding(
    user: UserId,
    mission: &Slug,
    period: MissionPeriod,
    idx: u16,
    change: Advance,
    now: Timestamp,
) -> impl QueryFragment<Backend> + QueryId + Send {
    use {mission_objectives as o, user_missions as u, user_objective_progress as p};
    let (amount, most) = (column(change.amount()), column(Objective::VALUE_MAX));
    let adds = matches!(change, Advance::Add(_));
    // What is greater than this stays.
    let kept_above = if matches!(change, Advance::Max(_)) { amount } else { i64::MAX };
    let under_way = u::table
        .find((user.0, mission.as_str(), period.to_string()))
        .filter(u::status.eq(ACTIVE))
        .filter(exists(o::table.find((mission.as_str(), i64::from(idx)))))
        .select((
            u::user_id,
            u::mission_id,
            u::period,
            i64::from(idx).into_sql::<BigInt>(),
            amount.into_sql::<BigInt>(),
            DbTime(now).into_sql::<UtcTime>(),
        ));
    let adding = || adds.into_sql::<Bool>();
    let folded = case_when(adding().and(p::value.gt(most - amount)), most.into_sql::<BigInt>())
        .when(adding(), p::value + amount)
        .when(p::value.gt(kept_above), p::value)
        .otherwise(excluded(p::value));
    diesel::insert_into(p::table)
        .values(locking!(under_way))
        .into_columns((p::user_id, p::mission_id, p::period, p::idx, p::value, p::updated_at))
        .on_conflict((p::user_id, p::mission_id, p::period, p::idx))
        .do_update()
        .set((p::value.eq(folded), p::updated_at.eq(excluded(p::updated_at))))
        .kept()
}
