//! Many achievements at once, compiled once per backend.

use crate::run::RunQueryDsl;
use diesel::prelude::*;
use guildhall_domain::{Achievement, AchievementPatch, NewAchievement, Slug, Timestamp};
use guildhall_repository::{Change, StorageError};

use super::Conn;
use super::achievement::{held, insert_criteria_on, room_for_on, update_on};
use super::member::batch;
use crate::batch::{first_taken, in_order};
use crate::fault::{Fault, Worked, broken_reference};
use crate::rows::{AchievementRow, CriterionRow};
use crate::schema::{achievement_criteria, achievements, user_achievements};

pub(super) async fn create_batch_on(
    conn: &mut Conn,
    new: &[NewAchievement],
    now: Timestamp,
) -> Worked<Vec<Achievement>> {
    room_for_on(conn, new.len()).await?;
    let ids = || new.iter().map(|new| new.id.to_string());
    let named = achievements::table.filter(achievements::id.eq_any(ids().collect::<Vec<_>>()));
    if let Some(taken) = first_taken(named.select(achievements::id).load(conn).await?, ids()) {
        return Err(StorageError::already_exists("achievement", taken).into());
    }
    let made: Vec<_> = new.iter().map(|new| Achievement::defined(new.clone(), now)).collect();
    let rows: Vec<_> = made.iter().map(AchievementRow::of).collect();
    let insert = diesel::insert_into(achievements::table);
    let written = batch!(conn, execute, rows, insert.values(rows).on_conflict_do_nothing())?;
    if written < new.len() {
        return Err(Fault::Raced); // Somebody took an id after the look.
    }
    let criteria = made.iter().flat_map(|one| CriterionRow::all(&one.id, &one.criteria));
    insert_criteria_on(conn, criteria.collect()).await?;
    Ok(made)
}

pub(super) async fn update_batch_on(
    conn: &mut Conn,
    changes: &[Change<Slug, AchievementPatch>],
) -> Worked<u64> {
    for Change { key, change, expected_version } in in_order(changes) {
        update_on(conn, key, change, *expected_version).await?;
    }
    Ok(changes.len() as u64)
}

pub(super) async fn delete_batch_on(conn: &mut Conn, ids: &[Slug], hard: bool) -> Worked<u64> {
    let keys: Vec<String> = ids.iter().map(Slug::to_string).collect();
    let all = achievements::table.filter(achievements::id.eq_any(keys.clone()));
    if !hard {
        let written = diesel::update(all.filter(achievements::is_active))
            .set((
                achievements::is_active.eq(false),
                achievements::version.eq(achievements::version + 1),
            ))
            .execute(conn)
            .await?;
        return Ok(written as u64);
    }
    let is_held = user_achievements::achievement_id.eq_any(keys.clone());
    let is_held = user_achievements::table.filter(is_held);
    let first = is_held.order(user_achievements::achievement_id);
    let first = first.select(user_achievements::achievement_id).first::<String>(conn);
    if let Some(id) = first.await.optional()? {
        return Err(held(id).into());
    }
    let criteria = achievement_criteria::achievement_id.eq_any(keys);
    diesel::delete(achievement_criteria::table.filter(criteria)).execute(conn).await?;
    match diesel::delete(all).execute(conn).await {
        Err(error) if broken_reference(&error) => Err(Fault::Raced), // Unlocked after the look.
        removed => Ok(removed? as u64),
    }
}
