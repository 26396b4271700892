//! Changes of the catalogue of missions, compiled once per backend.

use std::collections::HashSet;

use crate::run::RunQueryDsl;
use diesel::dsl::exists;
use diesel::prelude::*;
use guildhall_domain::{
    Mission, MissionPatch, NewMission, ObjectiveKind, Slug, Timestamp, Violation,
};
use guildhall_repository::StorageError;

use super::Conn;
use super::member::batch;
use super::mission::{by_id_on, whole_on};
use super::mission_dialect::{lock_mission, lock_missions};
use crate::fault::{Worked, broken_reference};
use crate::kept::Keep;
use crate::rows::{MissionRewardRow, MissionRow, ObjectiveRow};
use crate::schema::{mission_objectives, mission_rewards, missions, user_missions};
use crate::types::DbTime;

/// How many objectives in the whole catalogue may ask for missions: as many are read to find a
/// circle.
const NEEDS_MAX: u32 = 20_000;

pub(super) async fn create_on(
    conn: &mut Conn,
    new: &NewMission,
    now: Timestamp,
) -> Worked<Mission> {
    let mission = new.clone().created(now)?;
    lock_missions(conn).await?;
    check_needs_on(conn, &mission).await?;
    let inserted = diesel::insert_into(missions::table)
        .values(MissionRow::of(&mission))
        .on_conflict_do_nothing()
        .execute(conn)
        .await?;
    if inserted == 0 {
        return Err(StorageError::already_exists("mission", &mission.id).into());
    }
    write_objectives_on(conn, &mission).await?;
    write_rewards_on(conn, &mission).await?;
    Ok(mission)
}

/// That the missions asked for exist, and that none of them needs this one.
pub(super) async fn check_needs_on(conn: &mut Conn, mission: &Mission) -> Worked<()> {
    let needed: HashSet<&Slug> = mission.missions_asked_for().collect();
    if needed.is_empty() {
        return Ok(());
    }
    let wanted: Vec<&str> = needed.iter().map(|id| id.as_str()).collect();
    let present: Vec<String> =
        missions::table.filter(missions::id.eq_any(wanted)).select(missions::id).load(conn).await?;
    let mut absent = mission.missions_asked_for();
    if let Some(absent) = absent.find(|id| present.iter().all(|found| found != id.as_str())) {
        return Err(StorageError::not_found("mission", absent).into());
    }
    let rows: Vec<(String, String)> = mission_objectives::table
        .filter(mission_objectives::kind.eq(ObjectiveKind::Mission.as_str()))
        .limit(i64::from(NEEDS_MAX))
        .select((mission_objectives::mission_id, mission_objectives::key))
        .load(conn)
        .await?;
    if rows.len() >= NEEDS_MAX as usize {
        let (limit, used) = (u64::from(NEEDS_MAX), rows.len() as u64);
        return Err(StorageError::LimitExceeded { limit, used, retry_at: None }.into());
    }
    let slug = |(of, needed): (String, String)| Ok((Slug::parse(&of)?, Slug::parse(&needed)?));
    let asked = rows.into_iter().map(slug).collect::<Result<Vec<_>, Violation>>()?;
    Ok(mission.check_cycles(&asked)?)
}

async fn write_objectives_on(conn: &mut Conn, mission: &Mission) -> Worked<()> {
    let rows = ObjectiveRow::all_of(mission);
    if !rows.is_empty() {
        let table = mission_objectives::table;
        batch!(conn, execute, rows, diesel::insert_into(table).values(rows))?;
    }
    Ok(())
}

async fn write_rewards_on(conn: &mut Conn, mission: &Mission) -> Worked<()> {
    let rows = MissionRewardRow::all_of(mission);
    if !rows.is_empty() {
        batch!(conn, execute, rows, diesel::insert_into(mission_rewards::table).values(rows))?;
    }
    Ok(())
}

pub(super) async fn update_on(
    conn: &mut Conn,
    id: &Slug,
    patch: &MissionPatch,
    expected_version: i64,
    now: Timestamp,
) -> Worked<Mission> {
    let absent = || StorageError::not_found("mission", id);
    if patch.is_empty() {
        return Ok(by_id_on(conn, id).await?.ok_or_else(absent)?);
    }
    lock_missions(conn).await?;
    let row = lock_mission(conn, id.as_str()).await?.ok_or_else(absent)?;
    if row.version != expected_version {
        return Err(StorageError::conflict("mission", id, expected_version, row.version).into());
    }
    let mut before = whole_on(conn, vec![row]).await?;
    let before = before.pop().ok_or_else(absent)?;
    let after = patch.clone().applied_to(before, now)?;
    if patch.objectives.is_some() {
        check_needs_on(conn, &after).await?;
        let old = mission_objectives::mission_id.eq(id.as_str());
        diesel::delete(mission_objectives::table.filter(old)).execute(conn).await?;
        write_objectives_on(conn, &after).await?;
    }
    if patch.rewards.is_some() {
        let old = mission_rewards::mission_id.eq(id.as_str());
        diesel::delete(mission_rewards::table.filter(old)).execute(conn).await?;
        write_rewards_on(conn, &after).await?;
    }
    let row = MissionRow::of(&after);
    diesel::update(missions::table.find(id.as_str())).set(row).kept().execute(conn).await?;
    Ok(after)
}

pub(super) async fn set_active_on(
    conn: &mut Conn,
    id: &Slug,
    active: bool,
    now: Timestamp,
) -> Worked<bool> {
    if switch_on(conn, id, active, now).await? {
        return Ok(true);
    }
    let known = diesel::select(exists(missions::table.find(id.as_str())));
    if known.get_result::<bool>(conn).await? {
        return Ok(false);
    }
    Err(StorageError::not_found("mission", id).into())
}

async fn switch_on(conn: &mut Conn, id: &Slug, active: bool, now: Timestamp) -> Worked<bool> {
    let other = missions::table.find(id.as_str()).filter(missions::is_active.ne(active));
    let changed = diesel::update(other)
        .set((
            missions::is_active.eq(active),
            missions::updated_at.eq(DbTime(now)),
            missions::version.eq(missions::version + 1),
        ))
        .kept()
        .execute(conn)
        .await?;
    Ok(changed > 0)
}

pub(super) async fn delete_on(
    conn: &mut Conn,
    id: &Slug,
    hard: bool,
    now: Timestamp,
) -> Worked<bool> {
    if !hard {
        return switch_on(conn, id, false, now).await;
    }
    lock_missions(conn).await?;
    let begun = exists(user_missions::table.filter(user_missions::mission_id.eq(id.as_str())));
    let needed = exists(
        mission_objectives::table
            .filter(mission_objectives::kind.eq(ObjectiveKind::Mission.as_str()))
            .filter(mission_objectives::key.eq(id.as_str())),
    );
    let (begun, needed): (bool, bool) = diesel::select((begun, needed)).get_result(conn).await?;
    if begun || needed {
        return Err(in_use(id, if begun { BEGUN } else { NEEDED }).into());
    }
    match diesel::delete(missions::table.find(id.as_str())).execute(conn).await {
        // Somebody began it since.
        Err(error) if broken_reference(&error) => Err(in_use(id, BEGUN).into()),
        deleted => Ok(deleted? > 0),
    }
}

pub(super) const BEGUN: &str = "begun";
pub(super) const NEEDED: &str = "asked for by another mission";

pub(super) fn in_use(id: impl ToString, state: &'static str) -> StorageError {
    StorageError::InvalidState {
        entity: "mission",
        key: id.to_string(),
        state: state.to_owned(),
        attempted: "remove it",
    }
}
