//! A storage made of mocks.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use guildhall_domain::Timestamp;

use crate::activity::MockActivityRepository;
use crate::import::MockImportRepository;
use crate::invalidation::MockInvalidationRepository;
use crate::ledger::MockLedgerRepository;
use crate::level::MockLevelRepository;
use crate::point::MockPointRepository;
use crate::ranking::MockRankingRepository;
use crate::storage::{Repositories, Storage, StorageHealth, UnitOfWork};
use crate::user::MockUserRepository;
use crate::{
    ActivityRepository, ImportRepository, InvalidationNote, InvalidationRepository,
    LedgerRepository, LevelRepository, PointRepository, RankingRepository, StorageError,
    UserRepository,
};

/// One mock a repository. Set the expectations, then hand over a [`MockStorage`].
#[derive(Default)]
pub struct MockUnitOfWork {
    /// Members.
    pub users: MockUserRepository,
    /// Activity.
    pub activity: MockActivityRepository,
    /// Points.
    pub points: MockPointRepository,
    /// Ledger.
    pub ledger: MockLedgerRepository,
    /// Rankings.
    pub rankings: MockRankingRepository,
    /// Levels.
    pub levels: MockLevelRepository,
    /// Imports.
    pub imports: MockImportRepository,
    /// Notes for caches.
    pub invalidations: MockInvalidationRepository,
    /// What `commit` answers; success when `None`.
    pub commit_error: Option<StorageError>,
}

/// A storage whose repositories, inside and outside of units, are the same mocks.
#[derive(Clone)]
pub struct MockStorage(Arc<MockUnitOfWork>);

impl MockStorage {
    /// From mocks whose expectations are set.
    #[must_use]
    pub fn new(mocks: MockUnitOfWork) -> Self {
        Self(Arc::new(mocks))
    }
}

impl Repositories for MockStorage {
    fn users(&self) -> &dyn UserRepository {
        &self.0.users
    }
    fn activity(&self) -> &dyn ActivityRepository {
        &self.0.activity
    }
    fn points(&self) -> &dyn PointRepository {
        &self.0.points
    }
    fn ledger(&self) -> &dyn LedgerRepository {
        &self.0.ledger
    }
    fn rankings(&self) -> &dyn RankingRepository {
        &self.0.rankings
    }
    fn levels(&self) -> &dyn LevelRepository {
        &self.0.levels
    }
    fn imports(&self) -> &dyn ImportRepository {
        &self.0.imports
    }
    fn invalidations(&self) -> &dyn InvalidationRepository {
        &self.0.invalidations
    }
}

#[async_trait]
impl Storage for MockStorage {
    async fn begin(&self) -> Result<Box<dyn UnitOfWork>, StorageError> {
        Ok(Box::new(self.clone()))
    }

    /// The same mocks: the note is forgotten.
    fn noting(&self, _note: &InvalidationNote) -> Box<dyn Repositories> {
        Box::new(self.clone())
    }

    async fn health(&self, _now: Timestamp) -> Result<StorageHealth, StorageError> {
        Ok(StorageHealth {
            system: "mock",
            version: env!("CARGO_PKG_VERSION").to_owned(),
            write_latency: Duration::ZERO,
            connections: 0,
            idle: 0,
            connections_max: 0,
        })
    }
}

#[async_trait]
impl UnitOfWork for MockStorage {
    async fn commit(self: Box<Self>) -> Result<(), StorageError> {
        self.0.commit_error.clone().map_or(Ok(()), Err)
    }

    async fn rollback(self: Box<Self>) -> Result<(), StorageError> {
        Ok(())
    }
}
