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

    pub(crate) fn for_unit(&self, unit: Arc<UnitCell>, pending: Pending) -> Self {
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

    /// The storage behind the cache; `None` inside a unit.
    pub(crate) fn storage(&self) -> Option<&dyn Storage> {
        match &self.inner {
            Inner::Storage(storage) => Some(&**storage),
            Inner::Unit(_) => None,
        }
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
        conclude(guard, &outcome).await;
        outcome
    }

    /// Runs a write of which only the result says what it changed: `changed` names the tags. When
    /// nobody knows whether it wrote, all entries of `namespaces` go.
    pub(crate) async fn write_then<T, C>(
        &self,
        operation: impl Future<Output = Result<T, StorageError>> + Send,
        changed: impl FnOnce(&T) -> C + Send,
        namespaces: &[&'static str],
    ) -> Result<T, StorageError>
    where
        T: Send,
        C: IntoIterator<Item = Tag> + Send,
    {
        match operation.await {
            Ok(value) => {
                let tags: Vec<Tag> = changed(&value).into_iter().collect();
                if tags.is_empty() {
                    return Ok(value);
                }
                self.write(tags, std::future::ready(Ok(value))).await
            }
            Err(error) if changed_nothing(&error) => Err(error),
            Err(error) => self.write_namespaces(namespaces, std::future::ready(Err(error))).await,
        }
    }

    /// The tags of a movement of points.
    pub(crate) fn movement(&self, users: impl IntoIterator<Item = UserId>) -> Vec<Tag> {
        let live = self.ttl.leaderboard_live.then(tag::leaderboard);
        users.into_iter().map(tag::points).chain(live).collect()
    }
}

/// Concludes an announced write by its outcome. Where nobody knows whether it was written, now or
/// a moment from now, the guard is dropped: the tags stay in quarantine for its grace period.
pub(crate) async fn conclude<T>(guard: WriteGuard, outcome: &Result<T, StorageError>) {
    match outcome {
        Err(error) if changed_nothing(error) => guard.rolled_back(),
        Err(error) if !error.nothing_was_written() => drop(guard),
        // Also after a lost race, which shows that our copy is old. Without acknowledgement the
        // guard leaves the tags in quarantine.
        _ => {
            guard.committed().await;
        }
    }
}

/// Whether a failed write left both the database and what we know of it as they were.
pub(crate) fn changed_nothing(error: &StorageError) -> bool {
    error.nothing_was_written() && error.kind() != ErrorKind::Conflict
}
