//! Who has found which lore, compiled once per backend.

use std::collections::BTreeSet;

use crate::run::RunQueryDsl;
use diesel::dsl::exists;
use diesel::prelude::*;
use guildhall_domain::{DomainEvent, FoundLore, LoreId, Outcome, Timestamp, UserId, UserLore};
use guildhall_repository::{NewUserLore, Page, StorageError};

use super::lore::{UNLOCKED, assembled_on, once};
use super::narrative_children::raced_if_broken;
use super::{Backend, Conn};
use crate::fault::{Fault, Worked};
use crate::rows::{LoreRow, UserLoreRow};
use crate::schema::{lore_pieces, user_lore, users};
use crate::types::DbTime;

pub(super) async fn unlock_on(
    conn: &mut Conn,
    new: &NewUserLore,
    now: Timestamp,
) -> Worked<Outcome<UserLore>> {
    let member = users::table.filter(users::id.eq(new.user.0)).filter(users::deleted_at.is_null());
    let piece: Option<(String, bool, bool)> = lore_pieces::table
        .find(new.lore.0)
        .select((lore_pieces::code, lore_pieces::is_active, exists(member)))
        .first(conn)
        .await
        .optional()?;
    let unknown = || StorageError::not_found("lore", new.lore);
    let (code, is_active, is_member) = piece.ok_or_else(unknown)?;
    if !is_member {
        return Err(StorageError::not_found("user", new.user).into());
    }
    if is_active {
        let given: Option<UserLoreRow> = diesel::insert_into(user_lore::table)
            .values(UserLoreRow::of(new, now))
            .on_conflict_do_nothing()
            .returning(UserLoreRow::as_returning())
            .get_result(conn)
            .await
            .optional()
            .map_err(raced_if_broken)?;
        if let Some(row) = given {
            let found = row.into_user_lore(code)?;
            let event = DomainEvent::LoreUnlocked { user: new.user, lore: found.code.clone() };
            return Ok(Outcome::new(found, vec![event]));
        }
    }
    let first = user_lore::table.find((new.user.0, new.lore.0)).select(UserLoreRow::as_select());
    let first: Option<UserLoreRow> = first.first(conn).await.optional()?;
    match first {
        Some(row) => Ok(Outcome::replayed(row.into_user_lore(code)?)),
        None if is_active => Err(Fault::Raced), // Reset since.
        None => Err(unknown().into()),
    }
}

/// Which of these the member has found.
pub(super) async fn held_on(
    conn: &mut Conn,
    user: UserId,
    lore: &[LoreId],
) -> Worked<BTreeSet<LoreId>> {
    let ids = once(lore.iter().map(|id| id.0));
    let found: Vec<i64> = user_lore::table
        .filter(user_lore::user_id.eq(user.0))
        .filter(user_lore::lore_id.eq_any(ids))
        .select(user_lore::lore_id)
        .load(conn)
        .await?;
    Ok(found.into_iter().map(LoreId).collect())
}

pub(super) async fn unlocked_on(
    conn: &mut Conn,
    user: UserId,
    after: Option<(DbTime, i64)>,
    limit: u16,
) -> Worked<Page<FoundLore>> {
    let mut query = user_lore::table
        .inner_join(lore_pieces::table)
        .filter(user_lore::user_id.eq(user.0))
        .order((user_lore::unlocked_at.desc(), user_lore::lore_id))
        .limit(i64::from(limit) + 1)
        .select((UserLoreRow::as_select(), LoreRow::as_select()))
        .into_boxed::<Backend>();
    if let Some((time, id)) = after {
        let past = user_lore::unlocked_at.lt(time).or(user_lore::lore_id.gt(id));
        query = query.filter(user_lore::unlocked_at.le(time)).filter(past);
    }
    let rows: Vec<(UserLoreRow, LoreRow)> = query.load(conn).await?;
    let page = UNLOCKED.page(rows, limit, |(row, _)| (row.unlocked_at, row.lore_id));
    let (found, pieces): (Vec<_>, Vec<_>) = page.items.into_iter().unzip();
    let pieces = assembled_on(conn, pieces).await?;
    let items = found.into_iter().zip(pieces).map(|(row, piece)| row.into_found(piece));
    Ok(Page { items: items.collect::<Result<_, _>>()?, next_cursor: page.next_cursor })
}
