//! What every decorator holds: the storage or unit behind it, the cache, and whether a write is
//! announced at once or at the unit's commit.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use guildhall_cache::{Cache, Tag, WriteGuard};
use guildhall_domain::UserId;
use guildhall_repository::{ErrorKind, Repositories, Storage, StorageError, UnitOfWork};

use crate::keys::tag;
use crate::options::CachedOptions;

/// What stands behind a decorator.
#[derive(Clone)]
pub(crate) enum Inner {
    Storage(Arc<dyn Storage>),
    Unit(Arc<UnitCell>),
}

/// An open unit, shared by its decorators until it is concluded.
pub(crate) struct UnitCell {
    pub(crate) unit: Box<dyn UnitOfWork>,
}

/// The announced writes of an open unit.
pub(crate) type Pending = Arc<Mutex<Option<WriteGuard>>>;

#[derive(Clone)]
pub(crate) struct Link {
    inner: Inner,
    cache: Cache,
    /// `None` outside a unit.
    pending: Option<Pending>,
    pub(crate) ttl: CachedOptions,
}

impl Link {
    pub(crate) fn to_storage(storage: Arc<dyn Storage>, cache: Cache, ttl: CachedOptions) -> Self {
        Self { inner: Inner::Storage(storage), cache, pending: None, ttl }
    }

    pub(crate) fn into_unit(&self, unit: Arc<UnitCell>, pending: Pending) -> Self {
        Self {
            inner: Inner::Unit(unit),
            cache: self.cache.clone(),
            pending: Some(pending),
            ttl: self.ttl,
        }
    }

    /// The repositories behind the cache.
    pub(crate) fn inner(&self) -> &dyn Repositories {
        match &self.inner {
            Inner::Storage(storage) => &**storage,
            Inner::Unit(cell) => &*cell.unit,
        }
    }

    /// The cache to read through; `None` inside a unit, whose uncommitted rows are rumours.
    pub(crate) fn cache(&self) -> Option<&Cache> {
        if self.pending.is_none() { Some(&self.cache) } else { None }
    }

    pub(crate) const fn whole_cache(&self) -> &Cache {
        &self.cache
    }

    /// Runs a write that changes what `tags` name. Outside a unit the tags change before this
    /// returns; inside, at the commit.
    pub(crate) async fn write<T>(
        &self,
        tags: impl IntoIterator<Item = Tag> + Send,
        operation: impl Future<Output = Result<T, StorageError>> + Send,
    ) -> Result<T, StorageError> {
        self.announced(operation, |guard| tags.into_iter().for_each(|tag| guard.add(tag))).await
    }

    /// Runs a write that changes nobody knows whose rows: all entries of these namespaces go.
    pub(crate) async fn write_namespaces<T>(
        &self,
        namespaces: &[&'static str],
        operation: impl Future<Output = Result<T, StorageError>> + Send,
    ) -> Result<T, StorageError> {
        self.announced(operation, |guard| {
            namespaces.iter().for_each(|namespace| guard.add_namespace(namespace));
        })
        .await
    }

    async fn announced<T>(
        &self,
        operation: impl Future<Output = Result<T, StorageError>> + Send,
        announce: impl FnOnce(&mut WriteGuard) + Send,
    ) -> Result<T, StorageError> {
        if let Some(pending) = &self.pending {
            {
                let mut pending = pending.lock().unwrap_or_else(PoisonError::into_inner);
                announce(pending.get_or_insert_with(|| self.cache.begin_write([])));
            }
            return operation.await;
        }
        let mut guard = self.cache.begin_write([]);
        announce(&mut guard);
        let outcome = operation.await;
        match &outcome {
            Err(error) if changed_nothing(error) => guard.rolled_back(),
            // Also after a failure that may have written, and after a lost race, which shows that
            // our copy is old. Without acknowledgement the guard leaves the tags in quarantine.
            _ => {
                guard.committed().await;
            }
        }
        outcome
    }

    /// The tags of a movement of points.
    pub(crate) fn movement(&self, users: impl IntoIterator<Item = UserId>) -> Vec<Tag> {
        let live = self.ttl.leaderboard_live.then(tag::leaderboard);
        users.into_iter().map(tag::points).chain(live).collect()
    }
}

/// Whether a failed write left both the database and what we know of it as they were.
pub(crate) fn changed_nothing(error: &StorageError) -> bool {
    error.nothing_was_written() && error.kind() != ErrorKind::Conflict
}
