//! Notes for caches, kept with the writes they are about, compiled once per backend.

use std::time::Duration;

use crate::run::RunQueryDsl;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool};
use guildhall_domain::Rule;
use guildhall_repository::{InvalidationNote, InvalidationRepository, StorageError};

use super::lease::{Lease, Mode};
use super::{Conn, NOTE_AGE};
use crate::fault::Worked;
use crate::queries::queries;
use crate::schema::cache_invalidations;

const BATCH_MAX: usize = 500;

queries! {
    impl InvalidationRepository by invalidations, |lease| {
        Bare insert(note: &InvalidationNote) -> () => insert_note_on;
        Bare left_behind(age_min: Duration, limit: u16) -> Vec<InvalidationNote> {
            in_batch("limit", usize::from(limit))?;
        } => left_behind_on;
        Bare delete(ids: &[i64]) -> u64 {
            if ids.is_empty() {
                return Ok(0);
            }
            in_batch("ids", ids.len())?;
        } => delete_on;
    }
}

fn in_batch(field: &'static str, count: usize) -> Result<(), StorageError> {
    if (1..=BATCH_MAX).contains(&count) {
        return Ok(());
    }
    Err(StorageError::invalid(field, Rule::OutOfRange { min: 1, max: BATCH_MAX as i64 }))
}

/// The column `noted_at` is the database's own affair.
pub(super) async fn insert_note_on(conn: &mut Conn, note: &InvalidationNote) -> Worked<()> {
    let inserted = diesel::insert_into(cache_invalidations::table)
        .values((
            cache_invalidations::id.eq(note.id),
            cache_invalidations::targets.eq(&*note.targets),
        ))
        .on_conflict_do_nothing()
        .execute(conn)
        .await?;
    if inserted == 0 {
        return Err(StorageError::already_exists("invalidation note", note.id).into());
    }
    Ok(())
}

async fn left_behind_on(
    conn: &mut Conn,
    age_min: Duration,
    limit: u16,
) -> Worked<Vec<InvalidationNote>> {
    let age_min_micros = i64::try_from(age_min.as_micros()).unwrap_or(i64::MAX);
    // A negative age: the clock was set back. The note is not to wait until it catches up.
    let old = sql::<Bool>(&format!("({NOTE_AGE} < 0 OR {NOTE_AGE} >= "))
        .bind::<BigInt, _>(age_min_micros)
        .sql(")");
    let rows: Vec<(i64, String)> = cache_invalidations::table
        .filter(old)
        .order(cache_invalidations::id)
        .limit(i64::from(limit))
        .select((cache_invalidations::id, cache_invalidations::targets))
        .load(conn)
        .await?;
    let note = |(id, targets): (i64, String)| InvalidationNote { id, targets: targets.into() };
    Ok(rows.into_iter().map(note).collect())
}

async fn delete_on(conn: &mut Conn, ids: &[i64]) -> Worked<u64> {
    let doomed = cache_invalidations::table.filter(cache_invalidations::id.eq_any(ids));
    Ok(diesel::delete(doomed).execute(conn).await? as u64)
}
