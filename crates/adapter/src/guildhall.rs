//! Everything connected.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use guildhall_cache::{Cache, CacheStats};
use guildhall_domain::{Clock, Random};
use guildhall_insight::Profiler;
use guildhall_repository::{
    ActivityRepository, AsStorageError, ImportRepository, LedgerRepository, LentUnit,
    LevelRepository, PointRepository, RankingRepository, RetryPolicy, Storage, StorageError,
    UnitOfWork, UserRepository, in_unit,
};

use crate::optimize::Built;
use crate::plans::Fetching;
use crate::services::Services;
use crate::store::Store;
use crate::{Config, ConnectError, GuildhallBuilder, Health, health};

/// The body of a transaction.
pub type UnitFuture<'a, T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send + 'a>>;

pub(crate) struct Parts {
    pub(crate) config: Config,
    pub(crate) store: Option<Store>,
    pub(crate) migrated: Vec<String>,
    pub(crate) uncached: Arc<dyn Storage>,
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) cache: Cache,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) retry: RetryPolicy,
    pub(crate) services: Services,
    pub(crate) profiler: Profiler,
    /// When recording began.
    pub(crate) begun: Instant,
    /// The task that fetches plans of slow calls.
    pub(crate) _fetching: Option<Fetching>,
    /// Indexes that this process built.
    pub(crate) built: Mutex<Vec<Built>>,
}

/// A connected data layer. Clones are handles to the same one.
#[derive(Clone)]
pub struct Guildhall(pub(crate) Arc<Parts>);

impl From<Parts> for Guildhall {
    fn from(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }
}

impl Guildhall {
    /// Opens the database, brings its tables up to date (unless `database.migrate` is off) and puts
    /// the cache in front.
    pub async fn connect(config: Config) -> Result<Self, ConnectError> {
        Self::builder(config).connect().await
    }

    /// The same, with a storage, cache, clock or chance of the caller's own.
    #[must_use]
    pub fn builder(config: Config) -> GuildhallBuilder {
        GuildhallBuilder::new(config)
    }

    /// Members and their accounts elsewhere.
    #[must_use]
    pub fn users(&self) -> &dyn UserRepository {
        self.0.storage.users()
    }

    /// What members do.
    #[must_use]
    pub fn activity(&self) -> &dyn ActivityRepository {
        self.0.storage.activity()
    }

    /// Accounts, movements, holds.
    #[must_use]
    pub fn points(&self) -> &dyn PointRepository {
        self.0.storage.points()
    }

    /// Reading and auditing the ledger.
    #[must_use]
    pub fn ledger(&self) -> &dyn LedgerRepository {
        self.0.storage.ledger()
    }

    /// Leaderboards, ranks and totals.
    #[must_use]
    pub fn rankings(&self) -> &dyn RankingRepository {
        self.0.storage.rankings()
    }

    /// The level table.
    #[must_use]
    pub fn levels(&self) -> &dyn LevelRepository {
        self.0.storage.levels()
    }

    /// Bringing members from other systems.
    #[must_use]
    pub fn imports(&self) -> &dyn ImportRepository {
        self.0.storage.imports()
    }

    /// The storage, through the cache: every repository, those of catalogues among them
    /// (`storage().missions()`), and the ground for services of your own.
    #[must_use]
    pub fn storage(&self) -> &Arc<dyn Storage> {
        &self.0.storage
    }

    /// The storage without the cache, for measurements and audits. Writes belong to
    /// [`storage`](Self::storage): the cache does not learn of any made here.
    #[must_use]
    pub fn uncached(&self) -> &Arc<dyn Storage> {
        &self.0.uncached
    }

    /// The cache.
    #[must_use]
    pub fn cache(&self) -> &Cache {
        &self.0.cache
    }

    /// What the cache counted since the start.
    #[must_use]
    pub fn cache_stats(&self) -> CacheStats {
        self.0.cache.stats()
    }

    /// Tells the time here.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.0.clock
    }

    /// Draws chance here.
    #[must_use]
    pub fn random(&self) -> &Arc<dyn Random> {
        &self.0.random
    }

    /// The configuration it was connected with.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.0.config
    }

    /// Runs several operations in one transaction: commits when `body` answers `Ok`, rolls back when
    /// it answers `Err`, panics or is dropped, and runs it again from the start while other
    /// writers win, within `retry.attempts`. What `body` calls in turn joins it by being handed
    /// the same unit.
    pub async fn transaction<T, E>(
        &self,
        body: impl for<'a> Fn(&'a dyn UnitOfWork) -> UnitFuture<'a, T, E> + Send + Sync,
    ) -> Result<T, E>
    where
        T: Send,
        E: From<StorageError> + AsStorageError + Send,
    {
        let body = &body;
        let run = async |work: LentUnit| body(&*work).await;
        in_unit(&*self.0.storage, self.0.retry, &*self.0.random, run).await
    }

    /// Probes database, cache and pool. Each probe has a deadline, so the answer comes even when
    /// they do not.
    pub async fn health(&self) -> Health {
        health::probe(&*self.0.uncached, &self.0.cache, self.0.clock.now()).await
    }

    /// The migrations that connecting applied.
    #[must_use]
    pub fn migrated(&self) -> &[String] {
        &self.0.migrated
    }

    /// Brings the tables up to date and names the migrations applied. `NotSupported` on a storage
    /// of the caller's own.
    pub async fn migrate(&self) -> Result<Vec<String>, StorageError> {
        self.database()?.migrate().await
    }

    /// Every migration of this version, in order, and whether the database has it. `NotSupported`
    /// on a storage of the caller's own.
    pub async fn migrations(&self) -> Result<Vec<(String, bool)>, StorageError> {
        self.database()?.migrations().await
    }

    fn database(&self) -> Result<&Store, StorageError> {
        let foreign = StorageError::NotSupported { feature: "migration of a foreign storage" };
        self.0.store.as_ref().ok_or(foreign)
    }
}

/// Shows the configuration, whose secrets are masked.
impl fmt::Debug for Guildhall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guildhall").field("config", &self.0.config).finish_non_exhaustive()
    }
}
