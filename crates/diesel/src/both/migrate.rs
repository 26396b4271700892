//! Migrations: embedded, applied once, all or none, by whoever comes first.

use std::sync::Arc;

use crate::run::RunQueryDsl as _;
use diesel::QueryDsl as _;
use diesel::migration::{Migration, MigrationSource};
use diesel_migrations::MigrationHarness;
use guildhall_repository::{BoxError, StorageError};

use super::lease::{Lease, Mode};
use super::storage::DieselStorage;
use super::{Backend, Conn, MIGRATIONS, RESOURCE, classify, has_table, run_migrations};
use crate::fault::{Fault, Worked, settle};
use crate::options::MigrationStatus;

/// The names applied, or why it failed.
pub(super) type Applied = Result<Vec<String>, MigrationFault>;

/// Why migrations did not run.
pub(super) enum MigrationFault {
    Database(diesel::result::Error),
    Harness(BoxError),
}

impl From<diesel::result::Error> for MigrationFault {
    fn from(error: diesel::result::Error) -> Self {
        Self::Database(error)
    }
}

impl DieselStorage {
    /// Applies the migrations that this database lacks, in one transaction, and names them.
    /// Programs that start together wait for each other and apply each migration once.
    pub async fn migrate(&self) -> Result<Vec<String>, StorageError> {
        run_migrations(&self.core).await?.map_err(|fault| match fault {
            MigrationFault::Database(error) => settle(
                Fault::Database(error),
                "migrate",
                RESOURCE,
                self.core.options.statement_timeout,
                classify,
            ),
            MigrationFault::Harness(source) => {
                StorageError::Internal { operation: "migrate", source: Some(source) }
            }
        })
    }

    /// Every migration of this version and whether the database has it. Changes nothing.
    pub async fn migration_status(&self) -> Result<Vec<MigrationStatus>, StorageError> {
        let applied = Lease::Pool(Arc::clone(&self.core))
            .run("migration_status", Mode::Bare, (), |conn, ()| Box::pin(applied_on(conn)))
            .await?;
        let known = migrations().map_err(|source| StorageError::Internal {
            operation: "migration_status",
            source: Some(source),
        })?;
        Ok(known
            .iter()
            .map(|migration| {
                let version = migration.name().version().as_owned().to_string();
                MigrationStatus {
                    name: migration.name().to_string(),
                    applied: applied.contains(&version),
                }
            })
            .collect())
    }
}

fn migrations() -> Result<Vec<Box<dyn Migration<Backend>>>, BoxError> {
    MigrationSource::<Backend>::migrations(&MIGRATIONS).map_err(Arc::from)
}

/// To be called inside a transaction that excludes every other migrator.
pub(super) fn apply_pending(conn: &mut impl MigrationHarness<Backend>) -> Applied {
    let pending = conn.pending_migrations(MIGRATIONS).map_err(harness)?;
    let mut applied = Vec::with_capacity(pending.len());
    for migration in &pending {
        conn.run_migration(migration).map_err(harness)?;
        applied.push(migration.name().to_string());
    }
    Ok(applied)
}

fn harness(error: Box<dyn std::error::Error + Send + Sync>) -> MigrationFault {
    MigrationFault::Harness(Arc::from(error))
}

/// The versions that the database has; none in a database that was never migrated.
async fn applied_on(conn: &mut Conn) -> Worked<Vec<String>> {
    if !has_table(conn, "__diesel_schema_migrations").await? {
        return Ok(Vec::new());
    }
    Ok(__diesel_schema_migrations::table
        .select(__diesel_schema_migrations::version)
        .load(conn)
        .await?)
}

diesel::table! {
    __diesel_schema_migrations (version) {
        version -> Text,
    }
}
