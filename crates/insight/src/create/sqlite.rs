//! Building indexes in an SQLite file: in one transaction that holds the write lock meanwhile.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::result::Error as DieselError;
use diesel_async::sync_connection_wrapper::SyncConnectionWrapper;
use thiserror::Error;

use super::name_of;
use super::render::{BUILD, analysed};
use crate::advise::{DdlRefused, create_index};
use crate::catalog::{Catalog, IndexShape};
use crate::fingerprint::System;
use crate::snapshot::sqlite::snapshot_of;
use crate::snapshot::{SnapshotError, SnapshotOptions};

/// What became of one index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Built.
    Created,
    /// One of the same shape, or of its name, was there.
    AlreadyThere(String),
    /// A dry run: it would be built by this statement.
    WouldRun(String),
    /// Not begun.
    Refused(DdlRefused),
}

/// One index of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Created {
    /// Its name.
    pub name: String,
    /// What became of it.
    pub outcome: Outcome,
}

/// A run that changed nothing.
#[derive(Debug, Error)]
pub enum CreateError {
    /// The schema could not be read again.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// The transaction failed, mostly because another writer held the lock for too long.
    #[error("no index was built: SQLite refused")]
    Database(#[from] DieselError),
}

/// Builds all of the indexes or, on an error, none, and analyses their tables: SQLite takes a new
/// index for better than it is until then. Writers wait for as long as it takes.
///
/// The work goes on to its end on its own thread when the future is dropped.
pub async fn create(
    conn: &mut SyncConnectionWrapper<SqliteConnection>,
    shapes: &[IndexShape],
    busy_timeout_ms: u32,
    dry_run: bool,
) -> Result<Vec<Created>, CreateError> {
    let shapes = shapes.to_vec();
    conn.spawn_blocking(move |inner| Ok(create_on(inner, &shapes, busy_timeout_ms, dry_run)))
        .await?
}

fn create_on(
    conn: &mut SqliteConnection,
    shapes: &[IndexShape],
    busy_timeout_ms: u32,
    dry_run: bool,
) -> Result<Vec<Created>, CreateError> {
    conn.batch_execute(&format!("PRAGMA busy_timeout = {busy_timeout_ms}"))?;
    let options = SnapshotOptions { sample_rows_max: 1, ..SnapshotOptions::default() };
    conn.immediate_transaction(|conn| {
        let catalog = snapshot_of(conn, &options)?.catalog;
        let mut report = Vec::new();
        let mut built = Vec::new();
        for shape in shapes {
            let name = name_of(shape);
            let outcome = match (
                there(&catalog, shape, &name),
                create_index(&catalog, shape, &name, BUILD),
            ) {
                (Some(index), _) => Outcome::AlreadyThere(index),
                (None, Err(refused)) => Outcome::Refused(refused),
                (None, Ok(sql)) if dry_run => Outcome::WouldRun(sql),
                (None, Ok(sql)) => {
                    conn.batch_execute(&sql)?;
                    built.push(shape.clone());
                    Outcome::Created
                }
            };
            report.push(Created { name, outcome });
        }
        for table in analysed(System::Sqlite, &built) {
            conn.batch_execute(&format!("ANALYZE {}", table.quoted()))?;
        }
        Ok(report)
    })
}

fn there(catalog: &Catalog, shape: &IndexShape, name: &str) -> Option<String> {
    let indexes = &catalog.table(&shape.table)?.indexes;
    let same = indexes.iter().find(|index| {
        index.name == name
            || index.understood
                && index.shape.keys == shape.keys
                && index.shape.predicate == shape.predicate
    })?;
    Some(same.name.clone())
}
