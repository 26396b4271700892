//! Lore, compiled once per backend: `super::Conn` is what differs.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::hash::Hash;

use crate::run::RunQueryDsl;
use diesel::dsl::exists;
use diesel::prelude::*;
use guildhall_domain::{
    FoundLore, HintCombination, LoreId, LorePiece, NewLorePiece, Outcome, Slug, Timestamp, UserId,
    UserLore, Violation,
};
use guildhall_repository::{
    Keyset, ListLimit, LoreFilter, LoreRepository, NewUserLore, Page, PageRequest, StorageError,
};

use super::hint::{
    combination_of_on, combinations_on, create_combination_on, delete_combination_on,
};
use super::lease::{Lease, Mode};
use super::lore_batch::{create_pieces_on, delete_pieces_on, piece_exists_on, update_pieces_on};
use super::lore_found::{held_on, unlock_on, unlocked_on};
use super::narrative_children::{delete_requirements_on, insert_requirements_on, raced_if_broken};
use super::user::at_most;
use super::{Backend, Conn};
use crate::batch::fits;
use crate::fault::{Fault, Worked};
use crate::kept::Keep;
use crate::queries::queries;
use crate::rows::{LoreRow, NewLoreRow, RequirementRow, count};
use crate::schema::{
    fragment_effects, hint_combination_pieces, hint_combinations, levels, lore_pieces,
    requirements, user_lore,
};
use crate::types::DbTime;

/// How owners of requirements are stored.
pub(super) const OF_LORE: &str = "lore";
/// Names the list of pieces in its cursors.
const PIECES: Keyset<(DbTime, i64)> = Keyset::new("lore.pieces");
/// Names the list of what a member has found in its cursors.
pub(super) const UNLOCKED: Keyset<(DbTime, i64)> = Keyset::new("lore.unlocked");

/// The most pieces named at once.
const PIECES_MAX: usize = 500;

queries! {
    impl LoreRepository by lore, |lease| {
        Snapshot piece(code: &Slug) -> Option<LorePiece> => piece_on;
        Snapshot pieces_by_ids(ids: &[LoreId]) -> Vec<LorePiece> {
            at_most("ids", ids.len(), PIECES_MAX)?;
        } => pieces_by_ids_on;
        Snapshot pieces_by_codes(codes: &[Slug]) -> Vec<LorePiece> {
            at_most("codes", codes.len(), PIECES_MAX)?;
        } => pieces_by_codes_on;
        Snapshot pieces(filter: &LoreFilter, page: &PageRequest) -> Page<LorePiece> {
            let wanted = Wanted::of(filter, page)?;
        } => pieces_on(wanted);
        Bare count_pieces(filter: &LoreFilter) -> u64 {
            let wanted = Wanted::of(filter, &PageRequest::default())?;
        } => count_pieces_on(wanted);
        Transaction create_piece(new: &NewLorePiece, now: Timestamp) -> LorePiece {
            new.check()?;
        } => create_piece_on;
        Transaction update_piece(new: &NewLorePiece, expected_version: i64, now: Timestamp)
            -> LorePiece {
            new.check()?;
        } => update_piece_on;
        Transaction set_active(code: &Slug, is_active: bool, now: Timestamp) -> LorePiece
            => set_active_on;
        Transaction delete_piece(code: &Slug) -> bool => delete_piece_on;
        Transaction create_pieces(new: &[NewLorePiece], now: Timestamp) -> Vec<LorePiece> {
            fits("new", new.len())?;
            new.iter().try_for_each(NewLorePiece::check)?;
        } => create_pieces_on;
        Transaction update_pieces(changes: &[(NewLorePiece, i64)], now: Timestamp) -> u64 {
            fits("changes", changes.len())?;
            changes.iter().try_for_each(|(new, _)| new.check())?;
        } => update_pieces_on;
        Transaction delete_pieces(codes: &[Slug]) -> u64 {
            fits("codes", codes.len())?;
        } => delete_pieces_on;
        Bare piece_exists(code: &Slug) -> bool => piece_exists_on;
        Statement unlock(new: &NewUserLore, now: Timestamp) -> Outcome<UserLore> => unlock_on;
        Bare held(user: UserId, lore: &[LoreId]) -> BTreeSet<LoreId> {
            at_most("lore", lore.len(), PIECES_MAX)?;
        } => held_on;
        Snapshot unlocked(user: UserId, page: &PageRequest) -> Page<FoundLore> {
            let (after, limit) = (UNLOCKED.after(page)?, page.limit());
        } => unlocked_on(user, after, limit);
        Transaction create_combination(new: &HintCombination) -> () {
            new.check()?;
        } => create_combination_on;
        Transaction delete_combination(code: &Slug) -> bool => delete_combination_on;
        Bare combinations(after: Option<Slug>, limit: ListLimit) -> Vec<HintCombination> {
            // No code is empty: all of them come after it.
            let after = after.map_or(String::new(), Slug::into_string);
        } => combinations_on(after, limit);
        Bare combination_of(lore: &BTreeSet<LoreId>) -> Option<HintCombination>
            => combination_of_on;
    }
    and {
        async fn has(&self, user: UserId, lore: LoreId) -> Result<bool, StorageError> {
            Ok(!self.held(user, &[lore]).await?.is_empty())
        }
    }
}

fn absent(code: &Slug) -> StorageError {
    StorageError::not_found("lore", code)
}

/// The pieces of rows, in the order of the rows.
pub(super) async fn assembled_on(conn: &mut Conn, rows: Vec<LoreRow>) -> Worked<Vec<LorePiece>> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let owners: Vec<String> = rows.iter().map(|row| row.id.to_string()).collect();
    let required: Vec<RequirementRow> = requirements::table
        .filter(requirements::owner_kind.eq(OF_LORE))
        .filter(requirements::owner_id.eq_any(owners))
        .order(requirements::idx)
        .select(RequirementRow::as_select())
        .load(conn)
        .await?;
    let mut required_of: HashMap<String, Vec<RequirementRow>> = HashMap::new();
    for row in required {
        required_of.entry(row.owner_id.clone()).or_default().push(row);
    }
    let piece = |row: LoreRow| {
        let required = required_of.remove(&row.id.to_string()).unwrap_or_default();
        Ok(row.into_piece(required)?)
    };
    rows.into_iter().map(piece).collect()
}

pub(super) async fn piece_on(conn: &mut Conn, code: &Slug) -> Worked<Option<LorePiece>> {
    let row = lore_pieces::table.filter(lore_pieces::code.eq(code.as_str()));
    let row: Option<LoreRow> = row.select(LoreRow::as_select()).first(conn).await.optional()?;
    Ok(assembled_on(conn, row.into_iter().collect()).await?.pop())
}

/// Each once, in the order given.
pub(super) fn once<T: Eq + Hash + Clone>(wanted: impl Iterator<Item = T>) -> Vec<T> {
    let mut seen = HashSet::new();
    wanted.filter(|item| seen.insert(item.clone())).collect()
}

pub(super) async fn pieces_by_ids_on(conn: &mut Conn, ids: &[LoreId]) -> Worked<Vec<LorePiece>> {
    let ids = once(ids.iter().map(|id| id.0));
    let wanted = lore_pieces::table.filter(lore_pieces::id.eq_any(ids.clone()));
    let rows: Vec<LoreRow> = wanted.select(LoreRow::as_select()).load(conn).await?;
    let mut rows: HashMap<i64, LoreRow> = rows.into_iter().map(|row| (row.id, row)).collect();
    assembled_on(conn, ids.iter().filter_map(|id| rows.remove(id)).collect()).await
}

pub(super) async fn pieces_by_codes_on(conn: &mut Conn, codes: &[Slug]) -> Worked<Vec<LorePiece>> {
    let codes = once(codes.iter().map(Slug::as_str));
    let wanted = lore_pieces::table.filter(lore_pieces::code.eq_any(codes.clone()));
    let rows: Vec<LoreRow> = wanted.select(LoreRow::as_select()).load(conn).await?;
    let mut rows: HashMap<String, LoreRow> =
        rows.into_iter().map(|row| (row.code.clone(), row)).collect();
    assembled_on(conn, codes.iter().filter_map(|code| rows.remove(*code)).collect()).await
}

/// A page that was asked for, or a count.
pub(super) struct Wanted {
    category: Option<String>,
    is_active: Option<bool>,
    limit: u16,
    after: Option<(DbTime, i64)>,
}

impl Wanted {
    /// Refuses cursors of other lists.
    pub(super) fn of(filter: &LoreFilter, page: &PageRequest) -> Result<Self, Violation> {
        Ok(Self {
            category: filter.category.clone().map(Slug::into_string),
            is_active: filter.is_active,
            limit: page.limit(),
            after: PIECES.after(page)?,
        })
    }

    fn filtered(&self) -> lore_pieces::BoxedQuery<'static, Backend> {
        let mut query = lore_pieces::table.into_boxed::<Backend>();
        if let Some(category) = self.category.clone() {
            query = query.filter(lore_pieces::category.eq(category));
        }
        if let Some(is_active) = self.is_active {
            query = query.filter(lore_pieces::is_active.eq(is_active));
        }
        query
    }
}

pub(super) async fn pieces_on(conn: &mut Conn, wanted: &Wanted) -> Worked<Page<LorePiece>> {
    let mut query = wanted
        .filtered()
        .order_by((lore_pieces::created_at, lore_pieces::id))
        .limit(i64::from(wanted.limit) + 1);
    if let Some((time, id)) = wanted.after {
        let past = lore_pieces::created_at.gt(time).or(lore_pieces::id.gt(id));
        query = query.filter(lore_pieces::created_at.ge(time)).filter(past);
    }
    let rows: Vec<LoreRow> = query.select(LoreRow::as_select()).load(conn).await?;
    let page = PIECES.page(rows, wanted.limit, |row| (row.created_at, row.id));
    Ok(Page { items: assembled_on(conn, page.items).await?, next_cursor: page.next_cursor })
}

pub(super) async fn count_pieces_on(conn: &mut Conn, wanted: &Wanted) -> Worked<u64> {
    Ok(count(wanted.filtered().count().get_result(conn).await?))
}

pub(super) async fn create_piece_on(
    conn: &mut Conn,
    new: &NewLorePiece,
    now: Timestamp,
) -> Worked<LorePiece> {
    let inserted: Option<LoreRow> = diesel::insert_into(lore_pieces::table)
        .values(NewLoreRow::of(new, None, now))
        .on_conflict_do_nothing()
        .returning(LoreRow::as_returning())
        .get_result(conn)
        .await
        .optional()?;
    let row = inserted.ok_or_else(|| StorageError::already_exists("lore", &new.code))?;
    require_on(conn, row, new).await
}

pub(super) async fn update_piece_on(
    conn: &mut Conn,
    new: &NewLorePiece,
    expected: i64,
    now: Timestamp,
) -> Worked<LorePiece> {
    let stored = piece_on(conn, &new.code).await?.ok_or_else(|| absent(&new.code))?;
    let conflict =
        |version| Fault::from(StorageError::conflict("lore", &new.code, expected, version));
    if stored.version != expected {
        return Err(conflict(stored.version));
    }
    if stored.to_new() == *new {
        return Ok(stored);
    }
    let current = lore_pieces::table.find(stored.id.0).filter(lore_pieces::version.eq(expected));
    let changed: Option<LoreRow> = diesel::update(current)
        .set(NewLoreRow::of(new, Some(&stored), now))
        .returning(LoreRow::as_returning())
        .kept()
        .get_result(conn)
        .await
        .optional()?;
    let Some(row) = changed else {
        return Err(Fault::Raced); // Somebody changed it since: the second look tells the version.
    };
    delete_requirements_on(conn, OF_LORE, vec![row.id.to_string()]).await?;
    require_on(conn, row, new).await
}

/// Writes the requirements of a piece that has none.
async fn require_on(conn: &mut Conn, row: LoreRow, new: &NewLorePiece) -> Worked<LorePiece> {
    let rows: Vec<RequirementRow> =
        RequirementRow::of(OF_LORE, &row.id.to_string(), &new.requirements).collect();
    insert_requirements_on(conn, rows.clone()).await?;
    Ok(row.into_piece(rows)?)
}

pub(super) async fn set_active_on(
    conn: &mut Conn,
    code: &Slug,
    is_active: bool,
    now: Timestamp,
) -> Worked<LorePiece> {
    let other = lore_pieces::table
        .filter(lore_pieces::code.eq(code.as_str()))
        .filter(lore_pieces::is_active.ne(is_active));
    diesel::update(other)
        .set((
            lore_pieces::is_active.eq(is_active),
            lore_pieces::updated_at.eq(DbTime(now)),
            lore_pieces::version.eq(lore_pieces::version + 1),
        ))
        .kept()
        .execute(conn)
        .await?;
    Ok(piece_on(conn, code).await?.ok_or_else(|| absent(code))?)
}

pub(super) async fn delete_piece_on(conn: &mut Conn, code: &Slug) -> Worked<bool> {
    let Some(piece) = piece_on(conn, code).await? else {
        return Ok(false);
    };
    let (id, key) = (piece.id.0, code.as_str());
    let required = requirements::table
        .filter(requirements::kind.eq(OF_LORE))
        .filter(requirements::key.eq(key));
    let given = fragment_effects::table
        .filter(fragment_effects::kind.eq(OF_LORE))
        .filter(fragment_effects::key.eq(key));
    let uses: (bool, bool, bool, bool, bool, bool) = diesel::select((
        exists(user_lore::table.filter(user_lore::lore_id.eq(id))),
        exists(required),
        exists(given),
        exists(hint_combination_pieces::table.filter(hint_combination_pieces::lore_id.eq(id))),
        exists(hint_combinations::table.filter(hint_combinations::reward_lore_id.eq(id))),
        exists(levels::table.filter(levels::unlocks_lore_code.eq(key))),
    ))
    .get_result(conn)
    .await?;
    let state = match uses {
        (true, ..) => "found by members",
        (_, true, ..) => "required",
        (_, _, true, ..) => "what a fragment gives",
        (_, _, _, true, ..) | (_, _, _, _, true, _) => "part of a combination",
        (_, _, _, _, _, true) => "what a level gives",
        _ => {
            delete_requirements_on(conn, OF_LORE, vec![id.to_string()]).await?;
            let deleted = diesel::delete(lore_pieces::table.find(id)).execute(conn).await;
            return Ok(deleted.map_err(raced_if_broken)? > 0);
        }
    };
    Err(in_use(code.to_string(), state))
}

/// Why a piece stays.
pub(super) fn in_use(code: String, state: &'static str) -> Fault {
    Fault::Refused(StorageError::InvalidState {
        entity: "lore",
        key: code,
        state: state.to_owned(),
        attempted: "be deleted",
    })
}
