//! Many pieces of lore at once, compiled once per backend.

use std::collections::HashMap;

use crate::run::RunQueryDsl;
use diesel::dsl::{exists, not};
use diesel::prelude::*;
use guildhall_domain::{LorePiece, NewLorePiece, Slug, Timestamp};
use guildhall_repository::StorageError;

use super::Conn;
use super::lore::{OF_LORE, in_use, update_piece_on};
use super::member::batch;
use super::narrative_children::{delete_requirements_on, insert_requirements_on, raced_if_broken};
use crate::batch::first_taken;
use crate::fault::{Fault, Worked};
use crate::rows::{LoreRow, NewLoreRow, RequirementRow};
use crate::schema::{
    fragment_effects, hint_combination_pieces, hint_combinations, levels, lore_pieces,
    requirements, user_lore,
};

pub(super) async fn create_pieces_on(
    conn: &mut Conn,
    new: &[NewLorePiece],
    now: Timestamp,
) -> Worked<Vec<LorePiece>> {
    let codes = || new.iter().map(|new| new.code.to_string());
    let coded = lore_pieces::table.filter(lore_pieces::code.eq_any(codes().collect::<Vec<_>>()));
    if let Some(taken) = first_taken(coded.select(lore_pieces::code).load(conn).await?, codes()) {
        return Err(StorageError::already_exists("lore", taken).into());
    }
    let rows: Vec<_> = new.iter().map(|new| NewLoreRow::of(new, None, now)).collect();
    let insert = diesel::insert_into(lore_pieces::table);
    let made: Vec<LoreRow> = batch!(
        conn,
        get_results,
        rows,
        insert.values(rows).on_conflict_do_nothing().returning(LoreRow::as_returning())
    )?;
    if made.len() < new.len() {
        return Err(Fault::Raced); // Somebody took a code after the look.
    }
    let mut made: HashMap<String, LoreRow> =
        made.into_iter().map(|row| (row.code.clone(), row)).collect();
    let (mut pieces, mut required) = (Vec::with_capacity(new.len()), Vec::new());
    for new in new {
        let row = made.remove(new.code.as_str()).ok_or(Fault::Raced)?;
        let rows: Vec<RequirementRow> =
            RequirementRow::of(OF_LORE, &row.id.to_string(), &new.requirements).collect();
        required.extend(rows.iter().cloned());
        pieces.push(row.into_piece(rows)?);
    }
    insert_requirements_on(conn, required).await?;
    Ok(pieces)
}

pub(super) async fn update_pieces_on(
    conn: &mut Conn,
    changes: &[(NewLorePiece, i64)],
    now: Timestamp,
) -> Worked<u64> {
    // In one order, so that no two batches wait for each other in a circle.
    let mut ordered: Vec<_> = changes.iter().collect();
    ordered.sort_by(|a, b| a.0.code.cmp(&b.0.code));
    for (new, expected_version) in ordered {
        update_piece_on(conn, new, *expected_version, now).await?;
    }
    Ok(changes.len() as u64)
}

pub(super) async fn delete_pieces_on(conn: &mut Conn, codes: &[Slug]) -> Worked<u64> {
    let codes: Vec<String> = codes.iter().map(Slug::to_string).collect();
    let going = lore_pieces::table.filter(lore_pieces::code.eq_any(codes));
    let going = going.order(lore_pieces::id).select((lore_pieces::id, lore_pieces::code));
    let going: Vec<(i64, String)> = going.load(conn).await?;
    if let Some((code, state)) = first_in_use_on(conn, &going).await? {
        return Err(in_use(code, state));
    }
    let own = going.iter().map(|(id, _)| id.to_string()).collect();
    delete_requirements_on(conn, OF_LORE, own).await?;
    let ids: Vec<i64> = going.into_iter().map(|(id, _)| id).collect();
    let all = lore_pieces::table.filter(lore_pieces::id.eq_any(ids));
    Ok(diesel::delete(all).execute(conn).await.map_err(raced_if_broken)? as u64)
}

/// The first of these pieces that somebody has or something names, and how. They may require each
/// other.
async fn first_in_use_on(
    conn: &mut Conn,
    pieces: &[(i64, String)],
) -> Worked<Option<(String, &'static str)>> {
    let ids: Vec<i64> = pieces.iter().map(|(id, _)| *id).collect();
    let own: Vec<String> = pieces.iter().map(|(id, _)| id.to_string()).collect();
    let codes: Vec<String> = pieces.iter().map(|(_, code)| code.clone()).collect();
    let each = || lore_pieces::table.filter(lore_pieces::id.eq_any(ids.clone()));
    macro_rules! first {
        ($state:literal, $using:expr) => {
            let found = each().filter(exists($using)).order(lore_pieces::id);
            let found = found.select(lore_pieces::code).first::<String>(conn);
            if let Some(code) = found.await.optional()? {
                return Ok(Some((code, $state)));
            }
        };
    }
    first!("found by members", user_lore::table.filter(user_lore::lore_id.eq(lore_pieces::id)));
    let by_those_that_stay = requirements::table
        .filter(requirements::kind.eq(OF_LORE))
        .filter(requirements::key.eq_any(codes.clone()))
        .filter(not(requirements::owner_kind.eq(OF_LORE).and(requirements::owner_id.eq_any(own))));
    let required = by_those_that_stay.order(requirements::key);
    let required = required.select(requirements::key.assume_not_null()).first::<String>(conn);
    if let Some(code) = required.await.optional()? {
        return Ok(Some((code, "required")));
    }
    first!(
        "what a fragment gives",
        fragment_effects::table
            .filter(fragment_effects::kind.eq(OF_LORE))
            .filter(fragment_effects::key.eq(lore_pieces::code.nullable()))
    );
    first!(
        "part of a combination",
        hint_combination_pieces::table.filter(hint_combination_pieces::lore_id.eq(lore_pieces::id))
    );
    first!(
        "part of a combination",
        hint_combinations::table.filter(hint_combinations::reward_lore_id.eq(lore_pieces::id))
    );
    first!(
        "what a level gives",
        levels::table.filter(levels::unlocks_lore_code.eq(lore_pieces::code.nullable()))
    );
    Ok(None)
}

pub(super) async fn piece_exists_on(conn: &mut Conn, code: &Slug) -> Worked<bool> {
    let piece = lore_pieces::table.filter(lore_pieces::code.eq(code.as_str()));
    Ok(diesel::select(exists(piece)).get_result(conn).await?)
}
