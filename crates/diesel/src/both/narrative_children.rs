//! Writing what belongs to fragments and to lore: choices, requirements, effects. Compiled once per
//! backend.

use std::collections::{HashMap, HashSet};

use crate::run::RunQueryDsl;
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use diesel::upsert::excluded;
use guildhall_domain::{ChoiceId, NewFragment};

use super::Conn;
use super::member::batch;
use super::narrative::{OF_CHOICE, OF_FRAGMENT};
use super::narrative_write::{IDS_MAX, Planned};
use crate::fault::{Fault, Worked};
use crate::rows::{ChoiceRow, EffectRow, NewChoiceRow, RequirementRow};
use crate::schema::{fragment_choices, fragment_effects, requirements};

/// Rows written by one statement: PostgreSQL binds at most 65 535 values.
const ROWS_MAX: usize = 4_000;

/// Whatever was looked at is gone, or was taken, since: look again.
pub(super) fn raced_if_broken(error: DieselError) -> Fault {
    match error {
        DieselError::DatabaseError(DatabaseErrorKind::ForeignKeyViolation, _) => Fault::Raced,
        error => error.into(),
    }
}

/// Removes what is written anew, and the choices that are gone; the others make room for a new
/// order.
pub(super) async fn clear_children_on(conn: &mut Conn, changed: &[Planned]) -> Worked<()> {
    if changed.is_empty() {
        return Ok(());
    }
    let ids: Vec<&str> = changed.iter().map(|item| item.new.id.as_str()).collect();
    let (mut before, mut gone) = (Vec::new(), Vec::new());
    for item in changed {
        let kept: HashSet<ChoiceId> =
            item.new.choices.iter().filter_map(|choice| choice.id).collect();
        for choice in item.stored.iter().flat_map(|stored| &stored.choices) {
            before.push(choice.id.to_string());
            if !kept.contains(&choice.id) {
                gone.push(choice.id.0);
            }
        }
    }
    diesel::delete(fragment_effects::table.filter(fragment_effects::fragment_id.eq_any(&ids)))
        .execute(conn)
        .await?;
    delete_requirements_on(conn, OF_FRAGMENT, ids.iter().map(|id| (*id).to_owned()).collect())
        .await?;
    delete_requirements_on(conn, OF_CHOICE, before).await?;
    for chunk in gone.chunks(IDS_MAX) {
        diesel::delete(fragment_choices::table.filter(fragment_choices::id.eq_any(chunk.to_vec())))
            .execute(conn)
            .await
            .map_err(raced_if_broken)?;
    }
    diesel::update(fragment_choices::table.filter(fragment_choices::fragment_id.eq_any(ids)))
        .set(fragment_choices::idx.eq((fragment_choices::idx + 1_i64) * -1_i64))
        .execute(conn)
        .await?;
    Ok(())
}

pub(super) async fn delete_requirements_on(
    conn: &mut Conn,
    owner_kind: &'static str,
    owners: Vec<String>,
) -> Worked<()> {
    for chunk in owners.chunks(IDS_MAX) {
        let owned = requirements::table
            .filter(requirements::owner_kind.eq(owner_kind))
            .filter(requirements::owner_id.eq_any(chunk.to_vec()));
        diesel::delete(owned).execute(conn).await?;
    }
    Ok(())
}

pub(super) async fn write_children_on(
    conn: &mut Conn,
    fragments: impl Iterator<Item = &NewFragment>,
) -> Worked<()> {
    let (mut required, mut effects) = (Vec::new(), Vec::new());
    let (mut kept, mut fresh, mut waiting) = (Vec::new(), Vec::new(), HashMap::new());
    for fragment in fragments {
        required.extend(RequirementRow::of(
            OF_FRAGMENT,
            fragment.id.as_str(),
            &fragment.requirements,
        ));
        effects.extend(EffectRow::of(fragment));
        for (idx, choice) in (0..).zip(&fragment.choices) {
            let row = NewChoiceRow::of(&fragment.id, idx, choice);
            match choice.id {
                Some(id) => {
                    required.extend(RequirementRow::of(
                        OF_CHOICE,
                        &id.to_string(),
                        &choice.requirements,
                    ));
                    kept.push(row.under(id));
                }
                None => {
                    waiting.insert((row.fragment_id.clone(), idx), &choice.requirements);
                    fresh.push(row);
                }
            }
        }
    }
    reorder_choices_on(conn, kept).await?;
    for chunk in fresh.chunks(ROWS_MAX) {
        let rows = chunk.to_vec();
        let written: Vec<ChoiceRow> = batch!(
            conn,
            get_results,
            rows,
            diesel::insert_into(fragment_choices::table)
                .values(rows)
                .returning(ChoiceRow::as_returning())
        )?;
        for row in written {
            let wanted = waiting.remove(&(row.fragment_id, row.idx)).map_or(&[][..], Vec::as_slice);
            required.extend(RequirementRow::of(OF_CHOICE, &row.id.to_string(), wanted));
        }
    }
    insert_requirements_on(conn, required).await?;
    for chunk in effects.chunks(ROWS_MAX) {
        let rows = chunk.to_vec();
        batch!(conn, execute, rows, diesel::insert_into(fragment_effects::table).values(rows))?;
    }
    Ok(())
}

/// Writes choices that exist; all of their places are free.
async fn reorder_choices_on(conn: &mut Conn, kept: Vec<ChoiceRow>) -> Worked<()> {
    use fragment_choices::dsl as c;
    for chunk in kept.chunks(ROWS_MAX) {
        let rows = chunk.to_vec();
        batch!(
            conn,
            execute,
            rows,
            diesel::insert_into(c::fragment_choices)
                .values(rows)
                .on_conflict(c::id)
                .do_update()
                .set((
                    c::idx.eq(excluded(c::idx)),
                    c::text.eq(excluded(c::text)),
                    c::destination_id.eq(excluded(c::destination_id)),
                    c::cost_points.eq(excluded(c::cost_points)),
                    c::reward_points.eq(excluded(c::reward_points)),
                    c::karma_delta.eq(excluded(c::karma_delta)),
                    c::is_active.eq(excluded(c::is_active)),
                ))
        )?;
    }
    Ok(())
}

pub(super) async fn insert_requirements_on(
    conn: &mut Conn,
    required: Vec<RequirementRow>,
) -> Worked<()> {
    for chunk in required.chunks(ROWS_MAX) {
        let rows = chunk.to_vec();
        batch!(conn, execute, rows, diesel::insert_into(requirements::table).values(rows))?;
    }
    Ok(())
}
