//! Many badges at once, compiled once per backend.

use std::collections::HashMap;

use crate::run::RunQueryDsl;
use diesel::prelude::*;
use guildhall_domain::{Badge, BadgeId, BadgePatch, NewBadge, Timestamp};
use guildhall_repository::{Change, StorageError};

use super::Conn;
use super::badge::{given, restored, update_on};
use super::member::batch;
use crate::batch::{first_taken, in_order};
use crate::fault::{Fault, Worked, broken_reference};
use crate::rows::{BadgeColumns, BadgeRow};
use crate::schema::{badge_events, badges};

pub(super) async fn create_batch_on(
    conn: &mut Conn,
    new: &[NewBadge],
    now: Timestamp,
) -> Worked<Vec<Badge>> {
    let names: Vec<String> = new.iter().map(|new| new.name.folded()).collect();
    let named = badges::table.filter(badges::name_key.eq_any(names.clone()));
    let stored = named.select(badges::name_key).load(conn).await?;
    if let Some(taken) = first_taken(stored, names.clone()) {
        return Err(StorageError::already_exists("badge", taken).into());
    }
    let rows: Vec<_> = new.iter().map(|new| BadgeColumns::defined(new.clone(), now)).collect();
    let insert = diesel::insert_into(badges::table);
    let written = batch!(conn, execute, rows, insert.values(rows).on_conflict_do_nothing())?;
    if written < new.len() {
        return Err(Fault::Raced); // Somebody took a name after the look.
    }
    let named = badges::table.filter(badges::name_key.eq_any(names.clone()));
    let made: Vec<(String, BadgeRow)> =
        named.select((badges::name_key, BadgeRow::as_select())).load(conn).await?;
    let mut made: HashMap<String, BadgeRow> = made.into_iter().collect();
    restored(names.iter().filter_map(|name| made.remove(name)).collect())
}

pub(super) async fn update_batch_on(
    conn: &mut Conn,
    changes: &[Change<BadgeId, BadgePatch>],
) -> Worked<u64> {
    for Change { key, change, expected_version } in in_order(changes) {
        update_on(conn, *key, change, *expected_version).await?;
    }
    Ok(changes.len() as u64)
}

pub(super) async fn delete_batch_on(conn: &mut Conn, ids: &[BadgeId], hard: bool) -> Worked<u64> {
    let keys: Vec<i64> = ids.iter().map(|id| id.0).collect();
    if !hard {
        let active = badges::table.filter(badges::id.eq_any(keys)).filter(badges::is_active);
        let written = diesel::update(active)
            .set((badges::is_active.eq(false), badges::version.eq(badges::version + 1)))
            .execute(conn)
            .await?;
        return Ok(written as u64);
    }
    let was_given = badge_events::table.filter(badge_events::badge_id.eq_any(keys.clone()));
    let first = was_given.order(badge_events::badge_id).select(badge_events::badge_id).first(conn);
    if let Some(id) = first.await.optional()? {
        return Err(given(BadgeId(id)).into());
    }
    let removed = diesel::delete(badges::table.filter(badges::id.eq_any(keys))).execute(conn).await;
    match removed {
        Err(error) if broken_reference(&error) => Err(Fault::Raced), // Given after the look.
        removed => Ok(removed? as u64),
    }
}
