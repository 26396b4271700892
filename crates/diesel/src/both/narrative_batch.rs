//! Many fragments at once, compiled once per backend. Deleting one is deleting many, of which there
//! is one.

use crate::run::RunQueryDsl;
use diesel::dsl::exists;
use diesel::prelude::*;
use guildhall_domain::{Fragment, NewFragment, Slug, Timestamp};
use guildhall_repository::StorageError;

use super::Conn;
use super::catalogue::lock_fragments;
use super::narrative::fragments_by_ids_on;
use super::narrative_write::{Plan, write_on};
use crate::fault::{Fault, Worked};
use crate::schema::{fragment_choices, fragments};
use crate::types::DbTime;

pub(super) async fn create_fragments_on(
    conn: &mut Conn,
    new: &[NewFragment],
    now: Timestamp,
) -> Worked<Vec<Fragment>> {
    let mut plan = Plan::on(conn, new).await?;
    let planned: Result<Vec<_>, _> = new.iter().map(|new| plan.fresh(new)).collect();
    write_on(conn, planned?, now).await?;
    let ids: Vec<Slug> = new.iter().map(|new| new.id.clone()).collect();
    fragments_by_ids_on(conn, &ids).await
}

pub(super) async fn update_fragments_on(
    conn: &mut Conn,
    changes: &[(NewFragment, i64)],
    now: Timestamp,
) -> Worked<u64> {
    let new: Vec<NewFragment> = changes.iter().map(|(new, _)| new.clone()).collect();
    let mut plan = Plan::on(conn, &new).await?;
    let planned: Result<Vec<_>, _> =
        changes.iter().map(|(new, expected)| plan.changed(new, *expected)).collect();
    write_on(conn, planned?, now).await?;
    Ok(changes.len() as u64)
}

pub(super) async fn delete_fragment_on(
    conn: &mut Conn,
    id: &Slug,
    force: bool,
    now: Timestamp,
) -> Worked<bool> {
    Ok(delete_fragments_on(conn, std::slice::from_ref(id), force, now).await? > 0)
}

pub(super) async fn delete_fragments_on(
    conn: &mut Conn,
    ids: &[Slug],
    force: bool,
    now: Timestamp,
) -> Worked<u64> {
    let ids: Vec<&str> = ids.iter().map(Slug::as_str).collect();
    let mut active = lock_fragments(conn, &ids).await?;
    active.retain(|row| row.is_active);
    let going: Vec<String> = active.iter().map(|row| row.id.clone()).collect();
    if !force {
        if let Some(start) = active.iter().find(|row| row.is_start) {
            return Err(needed(&start.id, "the start of the story".to_owned()));
        }
        if let Some((to, from)) = first_way_on(conn, &going).await? {
            return Err(needed(&to, format!("where {from} leads")));
        }
    }
    let written = diesel::update(fragments::table.filter(fragments::id.eq_any(going)))
        .set((
            fragments::is_active.eq(false),
            fragments::updated_at.eq(DbTime(now)),
            fragments::version.eq(fragments::version + 1),
        ))
        .execute(conn)
        .await?;
    Ok(written as u64)
}

fn needed(id: &str, state: String) -> Fault {
    let (entity, key, attempted) = ("fragment", id.to_owned(), "be deleted");
    Fault::Refused(StorageError::InvalidState { entity, key, state, attempted })
}

/// To which of these an active way of another active fragment leads, and from where; the least of
/// both.
async fn first_way_on(conn: &mut Conn, going: &[String]) -> Worked<Option<(String, String)>> {
    let automatic: Option<(String, String)> = fragments::table
        .filter(fragments::auto_next_id.eq_any(going.to_vec()))
        .filter(fragments::is_active)
        .filter(fragments::id.ne_all(going.to_vec()))
        .order((fragments::auto_next_id, fragments::id))
        .select((fragments::auto_next_id.assume_not_null(), fragments::id))
        .first(conn)
        .await
        .optional()?;
    let chosen: Option<(String, String)> = fragment_choices::table
        .inner_join(fragments::table)
        .filter(fragment_choices::destination_id.eq_any(going.to_vec()))
        .filter(fragment_choices::is_active)
        .filter(fragments::is_active)
        .filter(fragments::id.ne_all(going.to_vec()))
        .order((fragment_choices::destination_id, fragments::id))
        .select((fragment_choices::destination_id, fragments::id))
        .first(conn)
        .await
        .optional()?;
    Ok(automatic.into_iter().chain(chosen).min())
}

pub(super) async fn fragment_exists_on(conn: &mut Conn, id: &Slug) -> Worked<bool> {
    Ok(diesel::select(exists(fragments::table.find(id.as_str()))).get_result(conn).await?)
}
