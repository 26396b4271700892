//! Taking an import back, a page of members at a time. Compiled once per backend.

use std::collections::{HashMap, HashSet};

use crate::run::RunQueryDsl;
use diesel::prelude::*;
use guildhall_domain::{Timestamp, UserId};
use guildhall_repository::{ImportId, ImportPhase, StorageError};

use super::import::{ImportRow, UNDOING, keep_others_out, phase_name};
use super::import_plan::TagRow;
use super::import_write::overtaken;
use super::purge::forget_on;
use super::{Conn, lock_accounts};
use crate::fault::Worked;
use crate::schema::{imported_members, imports, point_entries};

pub(super) async fn undo_on(
    conn: &mut Conn,
    id: ImportId,
    limit: u32,
    now: Timestamp,
) -> Worked<(u64, Vec<UserId>, bool)> {
    let row: Option<ImportRow> =
        imports::table.find(id.0).select(ImportRow::as_select()).first(conn).await.optional()?;
    let row = row.ok_or_else(|| StorageError::not_found("import", id))?;
    keep_others_out(conn, &row.source, now, "take it back").await?;
    if row.phase()? == ImportPhase::Undone {
        return Ok((0, Vec::new(), false));
    }
    // Those who are kept would come again on every page; the checkpoint says who was looked at.
    let reached = row.checkpoint.as_deref().and_then(|reached| reached.strip_prefix(UNDOING));
    let reached: i64 = reached.and_then(|user| user.parse().ok()).unwrap_or(i64::MIN);
    let mut page: Vec<i64> = imported_members::table
        .filter(imported_members::import_id.eq(id.0))
        .filter(imported_members::user_id.gt(reached))
        .select(imported_members::user_id)
        .distinct()
        .order(imported_members::user_id)
        .limit(i64::from(limit) + 1)
        .load(conn)
        .await?;
    let more = page.len() > limit as usize;
    page.truncate(limit as usize);
    let untouched = untouched_on(conn, id, &page).await?;
    let kept: Vec<UserId> =
        page.iter().filter(|user| !untouched.contains(user)).copied().map(UserId).collect();
    if !untouched.is_empty() {
        let gone: Vec<i64> = untouched.iter().copied().collect();
        forget_on(conn, &gone).await.map_err(|error| overtaken(error.into()))?;
    }
    let reached = page.last().filter(|_| more).map(|user| format!("{UNDOING}{user}"));
    conclude_on(conn, id, reached).await?;
    Ok((untouched.len() as u64, kept, more))
}

/// Those of the page whom this import created and nobody has moved since.
async fn untouched_on(conn: &mut Conn, id: ImportId, page: &[i64]) -> Worked<HashSet<i64>> {
    if page.is_empty() {
        return Ok(HashSet::new());
    }
    let accounts = lock_accounts(conn, page).await?;
    let tags: Vec<TagRow> = imported_members::table
        .filter(imported_members::user_id.eq_any(page.to_vec()))
        .select(TagRow::as_select())
        .load(conn)
        .await?;
    let written: Vec<(i64, i64)> = point_entries::table
        .filter(point_entries::user_id.eq_any(page.to_vec()))
        .group_by(point_entries::user_id)
        .select((point_entries::user_id, diesel::dsl::count_star()))
        .load(conn)
        .await?;
    let written: HashMap<i64, i64> = written.into_iter().collect();
    let untouched = accounts.iter().filter(|account| {
        // One member there may have been joined to another of the same import.
        let own = || tags.iter().filter(|tag| tag.user_id == account.user_id);
        let entries: i64 = own().map(|tag| tag.entries).sum();
        own().any(|tag| !tag.merged)
            && own().all(|tag| tag.import_id == id.0)
            && account.held == 0
            && written.get(&account.user_id).copied().unwrap_or(0) == entries
    });
    Ok(untouched.map(|account| account.user_id).collect())
}

/// Says how far the undo has come. At its end an import of which nobody is left is undone.
async fn conclude_on(conn: &mut Conn, id: ImportId, reached: Option<String>) -> Worked<()> {
    let tags = imported_members::table.filter(imported_members::import_id.eq(id.0));
    let done = reached.is_none();
    diesel::update(imports::table.find(id.0))
        .set(imports::checkpoint.eq(reached))
        .execute(conn)
        .await?;
    if done && !diesel::select(diesel::dsl::exists(tags)).get_result::<bool>(conn).await? {
        diesel::update(imports::table.find(id.0))
            .set(imports::phase.eq(phase_name(ImportPhase::Undone)))
            .execute(conn)
            .await?;
    }
    Ok(())
}
