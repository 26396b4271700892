//! Combinations of hints, compiled once per backend.

use std::collections::BTreeSet;

use crate::run::RunQueryDsl;
use diesel::prelude::*;
use guildhall_domain::{HintCombination, LoreId, Slug};
use guildhall_repository::{ListLimit, StorageError};

use super::Conn;
use super::member::batch;
use super::narrative_children::raced_if_broken;
use crate::fault::Worked;
use crate::rows::{CombinationPieceRow, CombinationRow};
use crate::schema::{hint_combination_pieces, hint_combinations, lore_pieces};

pub(super) async fn create_combination_on(conn: &mut Conn, new: &HintCombination) -> Worked<()> {
    let mut wanted: BTreeSet<i64> = new.required.iter().map(|id| id.0).collect();
    let pieces: Vec<i64> = wanted.iter().copied().collect();
    wanted.insert(new.reward.0);
    let known = lore_pieces::table.filter(lore_pieces::id.eq_any(wanted.clone()));
    let known: Vec<i64> = known.select(lore_pieces::id).load(conn).await?;
    if let Some(unknown) = wanted.iter().find(|id| !known.contains(id)) {
        return Err(StorageError::not_found("lore", unknown).into());
    }
    let row = CombinationRow::of(new);
    let inserted = diesel::insert_into(hint_combinations::table)
        .values(&row)
        .on_conflict_do_nothing()
        .execute(conn)
        .await
        .map_err(raced_if_broken)?;
    if inserted == 0 {
        let same = combination_of_on(conn, &new.required).await?;
        let key = same.map_or_else(|| new.code.to_string(), |other| other.code.to_string());
        return Err(StorageError::already_exists("hint combination", key).into());
    }
    let code = row.code;
    let rows: Vec<CombinationPieceRow> = pieces
        .into_iter()
        .map(|lore_id| CombinationPieceRow { code: code.clone(), lore_id })
        .collect();
    let written = batch!(
        conn,
        execute,
        rows,
        diesel::insert_into(hint_combination_pieces::table).values(rows)
    );
    written.map(|_| ()).map_err(raced_if_broken)
}

pub(super) async fn delete_combination_on(conn: &mut Conn, code: &Slug) -> Worked<bool> {
    let pieces =
        hint_combination_pieces::table.filter(hint_combination_pieces::code.eq(code.as_str()));
    diesel::delete(pieces).execute(conn).await?;
    let deleted = diesel::delete(hint_combinations::table.find(code.as_str())).execute(conn).await;
    Ok(deleted? > 0)
}

pub(super) async fn combinations_on(
    conn: &mut Conn,
    after: &str,
    limit: ListLimit,
) -> Worked<Vec<HintCombination>> {
    let rows: Vec<CombinationRow> = hint_combinations::table
        .filter(hint_combinations::code.gt(after))
        .order(hint_combinations::code)
        .limit(i64::from(limit.get()))
        .select(CombinationRow::as_select())
        .load(conn)
        .await?;
    Ok(rows.into_iter().map(CombinationRow::into_combination).collect::<Result<_, _>>()?)
}

pub(super) async fn combination_of_on(
    conn: &mut Conn,
    lore: &BTreeSet<LoreId>,
) -> Worked<Option<HintCombination>> {
    let row: Option<CombinationRow> = hint_combinations::table
        .filter(hint_combinations::pieces_key.eq(CombinationRow::pieces_key(lore)))
        .select(CombinationRow::as_select())
        .first(conn)
        .await
        .optional()?;
    Ok(row.map(CombinationRow::into_combination).transpose()?)
}
