//! Imports: who may run one, where it stands, and its levels. Members are planned in
//! `import_plan.rs`, written in `import_write.rs` and taken back in `import_undo.rs`. Compiled once
//! per backend.

use std::collections::BTreeMap;

use crate::run::RunQueryDsl;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use guildhall_domain::{ImportedMember, Level, LevelTable, Points, Rule, Timestamp, UserId};
use guildhall_repository::{
    ImportId, ImportPhase, ImportRepository, ImportRun, ImportedRows, MemberImport, NewImport,
    StorageError,
};

use super::Conn;
use super::import_undo::undo_on;
use super::import_write::{Batch, write_members_on};
use super::lease::{Lease, Mode};
use super::member::{batch, lock_levels};
use crate::fault::Worked;
use crate::queries::queries;
use crate::rows::{LevelRow, count};
use crate::schema::{import_lock, imported_members, imports, levels};
use crate::types::DbTime;

queries! {
    impl ImportRepository by imports, |lease| {
        Transaction begin(new: &NewImport, now: Timestamp) -> ImportRun {
            bounded("source", &new.source, 200)?;
            bounded("owner", &new.owner, 100)?;
        } => begin_on;
        Snapshot find(source: &str) -> Option<ImportRun> {
            bounded("source", source, 200)?;
        } => find_on;
        Transaction write_levels(run: &ImportRun, levels: &[Level], _now: Timestamp) -> u64 {
            if levels.len() > 1000 {
                return Err(StorageError::invalid("levels", Rule::TooLong { max: 1000 }));
            }
            let (run, levels) = (run.clone(), levels.to_vec());
        } => levels_on(run, levels);
        Transaction write_members(
            run: &ImportRun,
            members: &[ImportedMember],
            checkpoint: &str,
            leased_until: Timestamp,
            now: Timestamp,
        ) -> Vec<MemberImport> {
            if members.len() > 1000 {
                return Err(StorageError::invalid("members", Rule::TooLong { max: 1000 }));
            }
            bounded("checkpoint", checkpoint, 1000)?;
            let (run, members) = (run.clone(), members.to_vec());
            let checkpoint = checkpoint.to_owned();
            let batch = Batch { run, members, checkpoint, leased_until, now };
        } => write_members_on(batch);
        Transaction finish(run: &ImportRun, now: Timestamp) -> () => finish_on;
        Bare rows(id: ImportId) -> ImportedRows => rows_on;
        Transaction undo_page(id: ImportId, limit: u32, now: Timestamp)
            -> (u64, Vec<UserId>, bool) {
            if !(1..=500).contains(&limit) {
                return Err(StorageError::invalid("limit", Rule::OutOfRange { min: 1, max: 500 }));
            }
        } => undo_on;
    }
}

fn bounded(field: &'static str, text: &str, max: usize) -> Result<(), StorageError> {
    let rule = if text.is_empty() {
        Rule::Empty
    } else if text.chars().count() > max {
        Rule::TooLong { max }
    } else if text.contains('\0') {
        Rule::ContainsNul
    } else {
        return Ok(());
    };
    Err(StorageError::invalid(field, rule))
}

/// A row of `imports`.
#[derive(Queryable, Selectable)]
#[diesel(table_name = imports)]
pub(super) struct ImportRow {
    pub(super) id: i64,
    pub(super) source: String,
    phase: String,
    pub(super) checkpoint: Option<String>,
    started_at: DbTime,
}

impl ImportRow {
    pub(super) fn phase(&self) -> Result<ImportPhase, StorageError> {
        PHASES
            .into_iter()
            .find(|phase| phase_name(*phase) == self.phase)
            .ok_or_else(|| StorageError::integrity("import", self.id, "unknown phase"))
    }

    fn into_run(self, owner: Option<String>) -> Result<ImportRun, StorageError> {
        Ok(ImportRun {
            id: ImportId(self.id),
            phase: self.phase()?,
            source: self.source,
            checkpoint: self.checkpoint,
            started_at: self.started_at.0,
            owner: owner.unwrap_or_default(),
        })
    }
}

const PHASES: [ImportPhase; 3] = [ImportPhase::Running, ImportPhase::Finished, ImportPhase::Undone];

pub(super) const fn phase_name(phase: ImportPhase) -> &'static str {
    match phase {
        ImportPhase::Running => "running",
        ImportPhase::Finished => "finished",
        ImportPhase::Undone => "undone",
    }
}

/// The row of the lock: there is one only.
const LOCK: i64 = 1;

/// Where an undo stands, in place of the checkpoint of the import that it takes back.
pub(super) const UNDOING: &str = "undo:";

async fn begin_on(conn: &mut Conn, new: &NewImport, now: Timestamp) -> Worked<ImportRun> {
    use import_lock::dsl as l;
    let free = l::owner.is_null().or(l::owner.eq(&new.owner)).or(l::leased_until.le(DbTime(now)));
    let taken = diesel::update(l::import_lock.find(LOCK).filter(free))
        .set((l::owner.eq(&new.owner), l::leased_until.eq(DbTime(new.leased_until))))
        .execute(conn)
        .await?;
    if taken == 0 {
        return Err(held_by_another(conn, &new.source, "begin").await?.into());
    }
    diesel::insert_into(imports::table)
        .values((
            imports::source.eq(&new.source),
            imports::phase.eq(phase_name(ImportPhase::Running)),
            imports::started_at.eq(DbTime(now)),
        ))
        .on_conflict(imports::source)
        .do_nothing()
        .execute(conn)
        .await?;
    let mut row = row_on(conn, &new.source)
        .await?
        .ok_or_else(|| StorageError::not_found("import", &new.source))?;
    let again = row.phase()? == ImportPhase::Undone;
    if again || row.checkpoint.as_ref().is_some_and(|reached| reached.starts_with(UNDOING)) {
        // Members are missing wherever the undo went: the source is gone through from its start.
        row.checkpoint = None;
        if again {
            phase_name(ImportPhase::Running).clone_into(&mut row.phase);
        }
        diesel::update(imports::table.find(row.id))
            .set((imports::phase.eq(&row.phase), imports::checkpoint.eq(None::<String>)))
            .execute(conn)
            .await?;
    }
    Ok(row.into_run(Some(new.owner.clone()))?)
}

async fn row_on(conn: &mut Conn, source: &str) -> QueryResult<Option<ImportRow>> {
    imports::table
        .filter(imports::source.eq(source))
        .select(ImportRow::as_select())
        .first(conn)
        .await
        .optional()
}

async fn find_on(conn: &mut Conn, source: &str) -> Worked<Option<ImportRun>> {
    let Some(row) = row_on(conn, source).await? else { return Ok(None) };
    let owner = import_lock::table.find(LOCK).select(import_lock::owner).first(conn).await?;
    Ok(Some(row.into_run(owner)?))
}

/// Says who keeps the caller out, and until when.
async fn held_by_another(
    conn: &mut Conn,
    key: &str,
    attempted: &'static str,
) -> Worked<StorageError> {
    let until: Option<DbTime> =
        import_lock::table.find(LOCK).select(import_lock::leased_until).first(conn).await?;
    let state = match until {
        Some(until) => format!("held by another import until {}", until.0),
        None => "not held by this owner any more".to_owned(),
    };
    Ok(StorageError::InvalidState { entity: "import", key: key.to_owned(), state, attempted })
}

/// Keeps the lock through the transaction, and changes its lease if one is given. Refused when
/// somebody else has taken it.
pub(super) async fn keep_lock(
    conn: &mut Conn,
    run: &ImportRun,
    leased_until: Option<Timestamp>,
    attempted: &'static str,
) -> Worked<()> {
    use import_lock::dsl as l;
    let own = l::import_lock.find(LOCK).filter(l::owner.eq(&run.owner));
    // Without a lease the owner is written anew, for PostgreSQL to lock the row.
    let kept = match leased_until {
        Some(until) => diesel::update(own).set(l::leased_until.eq(DbTime(until))).execute(conn),
        None => diesel::update(own).set(l::owner.eq(&run.owner)).execute(conn),
    };
    if kept.await? == 0 {
        return Err(held_by_another(conn, &run.source, attempted).await?.into());
    }
    Ok(())
}

/// Keeps every import away through the transaction. Refused while one is held.
pub(super) async fn keep_others_out(
    conn: &mut Conn,
    source: &str,
    now: Timestamp,
    attempted: &'static str,
) -> Worked<()> {
    use import_lock::dsl as l;
    let free = l::owner.is_null().or(l::leased_until.le(DbTime(now)));
    let kept = diesel::update(l::import_lock.find(LOCK).filter(free))
        .set(l::id.eq(LOCK))
        .execute(conn)
        .await?;
    if kept == 0 {
        return Err(held_by_another(conn, source, attempted).await?.into());
    }
    Ok(())
}

/// The import whose lock was kept; one that was undone cannot go on.
pub(super) async fn ongoing_on(
    conn: &mut Conn,
    run: &ImportRun,
    attempted: &'static str,
) -> Worked<ImportRow> {
    let row: Option<ImportRow> = imports::table
        .find(run.id.0)
        .select(ImportRow::as_select())
        .first(conn)
        .await
        .optional()?;
    let row = row.ok_or_else(|| StorageError::not_found("import", run.id))?;
    if row.phase()? == ImportPhase::Undone {
        let (key, state) = (run.source.clone(), "undone".to_owned());
        return Err(StorageError::InvalidState { entity: "import", key, state, attempted }.into());
    }
    Ok(row)
}

async fn levels_on(conn: &mut Conn, run: &ImportRun, given: &[Level]) -> Worked<u64> {
    keep_lock(conn, run, None, "write levels").await?;
    let import = ongoing_on(conn, run, "write levels").await?;
    if given.is_empty() || import.phase()? == ImportPhase::Finished {
        return Ok(0);
    }
    lock_levels(conn).await?;
    let stored: Vec<LevelRow> = levels::table.select(LevelRow::as_select()).load(conn).await?;
    let stored: BTreeMap<i64, LevelRow> = stored.into_iter().map(|row| (row.level, row)).collect();
    let differing: Vec<LevelRow> =
        given.iter().map(LevelRow::of).filter(|row| stored.get(&row.level) != Some(row)).collect();
    if differing.is_empty() {
        return Ok(0);
    }
    let mut gone: Vec<i64> = differing.iter().map(|row| row.level).collect();
    let named = |row: &LevelRow| given.iter().any(|level| i64::from(level.level) == row.level);
    let others: Vec<LevelRow> = stored.into_values().filter(|row| !named(row)).collect();
    let other_levels = others.iter().cloned().map(LevelRow::into_level);
    let mut together = other_levels.collect::<Result<Vec<_>, _>>()?;
    together.extend_from_slice(given);
    if LevelTable::new(together).is_err() {
        // The table of the source takes over whole, if it can stand alone.
        LevelTable::new(given.to_vec())?;
        gone.extend(others.iter().map(|row| row.level));
    }
    // All go before any comes, so that no two meet on the way.
    diesel::delete(levels::table.filter(levels::level.eq_any(gone))).execute(conn).await?;
    let written = differing.len() as u64;
    batch!(conn, execute, differing, diesel::insert_into(levels::table).values(differing))?;
    Ok(written)
}

async fn finish_on(conn: &mut Conn, run: &ImportRun, now: Timestamp) -> Worked<()> {
    use import_lock::dsl as l;
    keep_lock(conn, run, None, "finish").await?;
    ongoing_on(conn, run, "finish").await?;
    diesel::update(imports::table.find(run.id.0))
        .set((
            imports::phase.eq(phase_name(ImportPhase::Finished)),
            imports::finished_at.eq(DbTime(now)),
        ))
        .execute(conn)
        .await?;
    diesel::update(l::import_lock.find(LOCK))
        .set((l::owner.eq(None::<String>), l::leased_until.eq(None::<DbTime>)))
        .execute(conn)
        .await?;
    Ok(())
}

async fn rows_on(conn: &mut Conn, id: ImportId) -> Worked<ImportedRows> {
    // PostgreSQL sums 64-bit integers to `numeric`; the query builder has no cast.
    let sums: Vec<(bool, i64, i64, i64)> = imported_members::table
        .filter(imported_members::import_id.eq(id.0))
        .group_by(imported_members::merged)
        .select((
            imported_members::merged,
            diesel::dsl::count_star(),
            sql::<BigInt>("CAST(SUM(entries) AS BIGINT)"),
            sql::<BigInt>("CAST(SUM(balance) AS BIGINT)"),
        ))
        .load(conn)
        .await?;
    let mut rows = ImportedRows::default();
    for (merged, members, entries, balance) in sums {
        if merged {
            rows.merged = count(members);
        } else {
            rows.members = count(members);
        }
        rows.entries += count(entries);
        rows.balance = rows.balance.plus(Points::from_minor(balance)?)?;
    }
    Ok(rows)
}
