//! Many missions at once, compiled once per backend.

use crate::run::RunQueryDsl;
use diesel::prelude::*;
use guildhall_domain::{Mission, MissionPatch, NewMission, ObjectiveKind, Slug, Timestamp};
use guildhall_repository::{Change, StorageError};

use super::Conn;
use super::member::batch;
use super::mission_dialect::lock_missions;
use super::mission_write::{BEGUN, NEEDED, check_needs_on, in_use, update_on};
use crate::batch::{first_taken, in_order};
use crate::fault::{Fault, Worked, broken_reference};
use crate::rows::{MissionRewardRow, MissionRow, ObjectiveRow};
use crate::schema::{mission_objectives, mission_rewards, missions, user_missions};
use crate::types::DbTime;

/// Rows of one statement: PostgreSQL binds at most 65 535 values.
const ROWS: usize = 2000;

/// Inserts rows, however many there are.
macro_rules! insert_all {
    ($conn:ident, $table:ident, $rows:expr) => {
        for rows in $rows.chunks(ROWS) {
            let rows = rows.to_vec();
            batch!($conn, execute, rows, diesel::insert_into($table::table).values(rows))?;
        }
    };
}

pub(super) async fn create_batch_on(
    conn: &mut Conn,
    new: &[NewMission],
    now: Timestamp,
) -> Worked<Vec<Mission>> {
    let made: Vec<Mission> =
        new.iter().map(|new| new.clone().created(now)).collect::<Result<_, _>>()?;
    lock_missions(conn).await?;
    let ids = || made.iter().map(|mission| mission.id.to_string());
    let named = missions::table.filter(missions::id.eq_any(ids().collect::<Vec<_>>()));
    if let Some(taken) = first_taken(named.select(missions::id).load(conn).await?, ids()) {
        return Err(StorageError::already_exists("mission", taken).into());
    }
    let rows: Vec<_> = made.iter().map(MissionRow::of).collect();
    insert_all!(conn, missions, rows);
    let rows: Vec<_> = made.iter().flat_map(ObjectiveRow::all_of).collect();
    insert_all!(conn, mission_objectives, rows);
    let rows: Vec<_> = made.iter().flat_map(MissionRewardRow::all_of).collect();
    insert_all!(conn, mission_rewards, rows);
    // With all of them stored, for they may ask for each other.
    for mission in &made {
        check_needs_on(conn, mission).await?;
    }
    Ok(made)
}

pub(super) async fn update_batch_on(
    conn: &mut Conn,
    changes: &[Change<Slug, MissionPatch>],
    now: Timestamp,
) -> Worked<u64> {
    for Change { key, change, expected_version } in in_order(changes) {
        update_on(conn, key, change, *expected_version, now).await?;
    }
    Ok(changes.len() as u64)
}

pub(super) async fn delete_batch_on(
    conn: &mut Conn,
    ids: &[Slug],
    hard: bool,
    now: Timestamp,
) -> Worked<u64> {
    let keys: Vec<String> = ids.iter().map(Slug::to_string).collect();
    let all = missions::table.filter(missions::id.eq_any(keys.clone()));
    if !hard {
        let written = diesel::update(all.filter(missions::is_active))
            .set((
                missions::is_active.eq(false),
                missions::updated_at.eq(DbTime(now)),
                missions::version.eq(missions::version + 1),
            ))
            .execute(conn)
            .await?;
        return Ok(written as u64);
    }
    lock_missions(conn).await?;
    let begun = user_missions::table.filter(user_missions::mission_id.eq_any(keys.clone()));
    // What goes with them may ask for them.
    let needed = mission_objectives::table
        .filter(mission_objectives::kind.eq(ObjectiveKind::Mission.as_str()))
        .filter(mission_objectives::key.eq_any(keys.clone()))
        .filter(mission_objectives::mission_id.ne_all(keys));
    let begun = begun.order(user_missions::mission_id).select(user_missions::mission_id);
    if let Some(id) = begun.first::<String>(conn).await.optional()? {
        return Err(in_use(id, BEGUN).into());
    }
    let needed = needed.order(mission_objectives::key).select(mission_objectives::key);
    if let Some(id) = needed.first::<String>(conn).await.optional()? {
        return Err(in_use(id, NEEDED).into());
    }
    match diesel::delete(all).execute(conn).await {
        Err(error) if broken_reference(&error) => Err(Fault::Raced), // Begun after the look.
        removed => Ok(removed? as u64),
    }
}
