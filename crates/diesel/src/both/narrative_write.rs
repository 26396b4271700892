//! Writing the story, compiled once per backend. One fragment or five hundred go the same way: what
//! is stored is locked and read, what is to be stored is worked out, and each table is written by a
//! fixed number of statements.

use std::collections::{HashMap, HashSet};

use crate::run::RunQueryDsl;
use diesel::prelude::*;
use diesel::upsert::excluded;
use guildhall_domain::{ChoiceId, Fragment, NewFragment, Rule, Slug, Timestamp};
use guildhall_repository::{FragmentChange, FragmentImport, StorageError};

use super::Conn;
use super::catalogue::lock_fragments;
use super::member::batch;
use super::narrative::{assembled_on, fragment_on};
use super::narrative_children::{clear_children_on, write_children_on};
use crate::fault::{Fault, Worked, broken_uniqueness};
use crate::rows::NewFragmentRow;
use crate::schema::{fragment_choices, fragments, user_decisions};

/// Ids named by one statement: SQLite binds at most 32 766 values.
pub(super) const IDS_MAX: usize = 10_000;

fn absent(id: &Slug) -> StorageError {
    StorageError::not_found("fragment", id)
}

fn second_start(other: &str) -> StorageError {
    StorageError::already_exists("start of the story", other)
}

pub(super) async fn create_fragment_on(
    conn: &mut Conn,
    new: &NewFragment,
    now: Timestamp,
) -> Worked<Fragment> {
    let mut plan = Plan::on(conn, std::slice::from_ref(new)).await?;
    let planned = plan.fresh(new)?;
    write_on(conn, vec![planned], now).await?;
    written_on(conn, &new.id).await
}

pub(super) async fn update_fragment_on(
    conn: &mut Conn,
    new: &NewFragment,
    expected: i64,
    now: Timestamp,
) -> Worked<Fragment> {
    let mut plan = Plan::on(conn, std::slice::from_ref(new)).await?;
    let planned = plan.changed(new, expected)?;
    if let (Some(stored), FragmentChange::Unchanged) = (&planned.stored, planned.change) {
        return Ok(stored.clone());
    }
    write_on(conn, vec![planned], now).await?;
    written_on(conn, &new.id).await
}

/// The fragment as it is stored now, with the ids that its choices were given.
async fn written_on(conn: &mut Conn, id: &Slug) -> Worked<Fragment> {
    Ok(fragment_on(conn, id.as_str()).await?.ok_or_else(|| absent(id))?)
}

pub(super) async fn import_fragments_on(
    conn: &mut Conn,
    new: &[NewFragment],
    dry_run: bool,
    now: Timestamp,
) -> Worked<FragmentImport> {
    let mut plan = Plan::on(conn, new).await?;
    let (mut items, mut planned) = (Vec::with_capacity(new.len()), Vec::with_capacity(new.len()));
    for fragment in new {
        items.push(plan.item(fragment).map(|item| {
            let change = item.change;
            planned.push(item);
            change
        }));
    }
    let written = !dry_run && items.iter().all(Result::is_ok);
    if written {
        write_on(conn, planned, now).await?;
    }
    Ok(FragmentImport { items, written })
}

/// A fragment that passed every check.
pub(super) struct Planned {
    change: FragmentChange,
    /// As it is to be stored, with the ids that choices keep.
    pub(super) new: NewFragment,
    pub(super) stored: Option<Fragment>,
}

/// What is known before anything is written.
pub(super) struct Plan {
    /// The fragments of the call that exist, locked.
    stored: HashMap<Slug, Fragment>,
    /// Their choices that somebody has taken.
    taken: HashSet<ChoiceId>,
    /// Where ways may lead: what exists, and what the call brings.
    known: HashSet<String>,
    /// The one that begins the story: of what the call leaves alone, or the first of the call.
    start: Option<String>,
    seen: HashSet<Slug>,
}

impl Plan {
    pub(super) async fn on(conn: &mut Conn, new: &[NewFragment]) -> Worked<Self> {
        let mut ids: Vec<&str> = new.iter().map(|fragment| fragment.id.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        let rows = lock_fragments(conn, &ids).await?;
        let stored = assembled_on(conn, rows).await?;
        let stored: HashMap<Slug, Fragment> =
            stored.into_iter().map(|fragment| (fragment.id.clone(), fragment)).collect();
        let decided = user_decisions::table
            .filter(user_decisions::choice_id.eq(fragment_choices::id))
            .select(user_decisions::id);
        let taken: Vec<i64> = fragment_choices::table
            .filter(fragment_choices::fragment_id.eq_any(ids.clone()))
            .filter(diesel::dsl::exists(decided))
            .select(fragment_choices::id)
            .load(conn)
            .await?;
        let mut known: HashSet<String> = ids.iter().map(|id| (*id).to_owned()).collect();
        let elsewhere: HashSet<&str> = new
            .iter()
            .flat_map(NewFragment::destinations)
            .map(Slug::as_str)
            .filter(|id| !known.contains(*id))
            .collect();
        let elsewhere: Vec<&str> = elsewhere.into_iter().collect();
        let mut found: Vec<String> = Vec::new();
        for chunk in elsewhere.chunks(IDS_MAX) {
            let there = fragments::table.filter(fragments::id.eq_any(chunk.to_vec()));
            let there: Vec<String> = there.select(fragments::id).load(conn).await?;
            found.extend(there);
        }
        known.extend(found);
        let start: Option<String> = fragments::table
            .filter(fragments::is_start)
            .filter(fragments::is_active)
            .filter(fragments::id.ne_all(ids))
            .select(fragments::id)
            .first(conn)
            .await
            .optional()?;
        let taken = taken.into_iter().map(ChoiceId).collect();
        Ok(Self { stored, taken, known, start, seen: HashSet::new() })
    }

    /// One that has to be new.
    pub(super) fn fresh(&mut self, new: &NewFragment) -> Result<Planned, StorageError> {
        if self.stored.contains_key(&new.id) {
            return Err(StorageError::already_exists("fragment", &new.id));
        }
        self.item(new)
    }

    /// One that has to be there, in this version.
    pub(super) fn changed(
        &mut self,
        new: &NewFragment,
        expected: i64,
    ) -> Result<Planned, StorageError> {
        match self.stored.get(&new.id) {
            Some(stored) if stored.version != expected => {
                Err(StorageError::conflict("fragment", &new.id, expected, stored.version))
            }
            None if !self.seen.contains(&new.id) => Err(absent(&new.id)),
            _ => self.item(new),
        }
    }

    /// Checks one fragment, and works out what it changes.
    fn item(&mut self, new: &NewFragment) -> Result<Planned, StorageError> {
        new.check()?;
        if !self.seen.insert(new.id.clone()) {
            return Err(StorageError::already_exists("fragment", &new.id));
        }
        if let Some(nowhere) = new.destinations().find(|id| !self.known.contains(id.as_str())) {
            return Err(absent(nowhere));
        }
        let stored = self.stored.remove(&new.id);
        let (change, new) = match &stored {
            None if new.choices.iter().any(|choice| choice.id.is_some()) => {
                let expected = "without ids: the fragment is new";
                return Err(StorageError::invalid("choices", Rule::Malformed { expected }));
            }
            None => (FragmentChange::Inserted, new.clone()),
            Some(stored) => {
                let merged = new.over(stored, &self.taken)?;
                let same = merged == stored.to_new();
                let change = if same { FragmentChange::Unchanged } else { FragmentChange::Updated };
                (change, merged)
            }
        };
        if new.is_start && new.is_active {
            if let Some(other) = &self.start {
                return Err(second_start(other));
            }
            self.start = Some(new.id.to_string());
        }
        Ok(Planned { change, new, stored })
    }
}

/// Writes what is new or changed.
pub(super) async fn write_on(conn: &mut Conn, planned: Vec<Planned>, now: Timestamp) -> Worked<()> {
    let (mut fresh, mut changed) = (Vec::new(), Vec::new());
    for item in planned {
        match item.change {
            FragmentChange::Inserted => fresh.push(item),
            FragmentChange::Updated => changed.push(item),
            FragmentChange::Unchanged => {}
        }
    }
    write_fragments_on(conn, &fresh, &changed, now).await.map_err(|fault| match fault {
        // Somebody wrote another start since this call looked for one.
        Fault::Database(error)
            if broken_uniqueness(&error).is_some_and(|name| name.contains("start")) =>
        {
            Fault::Raced
        }
        fault => fault,
    })?;
    clear_children_on(conn, &changed).await?;
    write_children_on(conn, fresh.iter().chain(&changed).map(|item| &item.new)).await
}

async fn write_fragments_on(
    conn: &mut Conn,
    fresh: &[Planned],
    changed: &[Planned],
    now: Timestamp,
) -> Worked<()> {
    let row = |item: &Planned| NewFragmentRow::of(&item.new, item.stored.as_ref(), now);
    if fresh.iter().chain(changed).any(|item| item.new.is_start) {
        // At no moment may there be two starts, whatever the order of the rows.
        let ids: Vec<&str> = changed.iter().map(|item| item.new.id.as_str()).collect();
        diesel::update(fragments::table.filter(fragments::id.eq_any(ids)))
            .set(fragments::is_start.eq(false))
            .execute(conn)
            .await?;
    }
    let rows: Vec<NewFragmentRow> = fresh.iter().map(row).collect();
    if !rows.is_empty() {
        let written = batch!(
            conn,
            execute,
            rows,
            diesel::insert_into(fragments::table)
                .values(rows)
                .on_conflict(fragments::id)
                .do_nothing()
        )?;
        if written != fresh.len() {
            return Err(Fault::Raced); // Somebody wrote one of them since.
        }
    }
    let rows: Vec<NewFragmentRow> = changed.iter().map(row).collect();
    if !rows.is_empty() {
        use fragments::dsl as f;
        batch!(
            conn,
            execute,
            rows,
            diesel::insert_into(f::fragments).values(rows).on_conflict(f::id).do_update().set((
                f::title.eq(excluded(f::title)),
                f::content.eq(excluded(f::content)),
                f::search_key.eq(excluded(f::search_key)),
                f::kind.eq(excluded(f::kind)),
                f::character.eq(excluded(f::character)),
                f::chapter_level.eq(excluded(f::chapter_level)),
                f::auto_next_id.eq(excluded(f::auto_next_id)),
                f::is_milestone.eq(excluded(f::is_milestone)),
                f::is_start.eq(excluded(f::is_start)),
                f::is_active.eq(excluded(f::is_active)),
                f::legacy_key.eq(excluded(f::legacy_key)),
                f::updated_at.eq(excluded(f::updated_at)),
                f::version.eq(excluded(f::version)),
            ))
        )?;
    }
    Ok(())
}
