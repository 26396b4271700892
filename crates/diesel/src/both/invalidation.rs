//! Notes for caches, kept with the writes they are about, compiled once per backend.

use std::time::Duration;

use async_trait::async_trait;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool};
use diesel_async::RunQueryDsl;
use guildhall_domain::Rule;
use guildhall_repository::{InvalidationNote, InvalidationRepository, StorageError};

use super::lease::{Lease, Mode};
use super::{Conn, NOTE_AGE};
use crate::fault::Worked;
use crate::schema::cache_invalidations;

/// The notes on this database.
pub(super) struct DieselInvalidations {
    pub(super) lease: Lease,
}

const BATCH_MAX: usize = 500;

#[async_trait]
impl InvalidationRepository for DieselInvalidations {
    async fn insert(&self, note: &InvalidationNote) -> Result<(), StorageError> {
        self.lease
            .run("invalidations.insert", Mode::Bare, note.clone(), |c, note| {
                Box::pin(insert_note_on(c, note))
            })
            .await
    }

    async fn left_behind(
        &self,
        age_min: Duration,
        limit: u16,
    ) -> Result<Vec<InvalidationNote>, StorageError> {
        in_batch("limit", usize::from(limit))?;
        let age_min_micros = i64::try_from(age_min.as_micros()).unwrap_or(i64::MAX);
        self.lease
            .run("invalidations.left_behind", Mode::Bare, (age_min_micros, limit), |c, a| {
                Box::pin(left_behind_on(c, a.0, a.1))
            })
            .await
    }

    async fn delete(&self, ids: &[i64]) -> Result<u64, StorageError> {
        if ids.is_empty() {
            return Ok(0);
        }
        in_batch("ids", ids.len())?;
        self.lease
            .run("invalidations.delete", Mode::Bare, ids.to_vec(), |c, ids| {
                Box::pin(async move {
                    let doomed = cache_invalidations::table
                        .filter(cache_invalidations::id.eq_any(ids.clone()));
                    Ok(diesel::delete(doomed).execute(c).await? as u64)
                })
            })
            .await
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
    age_min_micros: i64,
    limit: u16,
) -> Worked<Vec<InvalidationNote>> {
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
