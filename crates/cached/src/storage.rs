//! The storage behind a cache, and its units.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use guildhall_cache::{Cache, RelayOptions};
use guildhall_domain::Timestamp;
use guildhall_repository::{
    InvalidationNote, Repositories, Storage, StorageError, StorageHealth, UnitOfWork,
    conclude as conclude_unit,
};

use crate::link::{Link, Pending, UnitCell, conclude, note_of};
use crate::options::CachedOptions;
use crate::outbox::StorageOutbox;

guildhall_repository::lend!(link of CachedStorage, CachedUnit, CachedNoting);

/// A storage in front of which a cache stands. It is a storage itself.
pub struct CachedStorage {
    inner: Arc<dyn Storage>,
    link: Link,
}

impl CachedStorage {
    /// Puts `cache` in front of `inner`. Every writer of the same database that shares the cache,
    /// in this process or another, must go through such a decorator.
    #[must_use]
    pub fn new(inner: Arc<dyn Storage>, cache: Cache, options: CachedOptions) -> Self {
        let link = Link::to_storage(Arc::clone(&inner), cache, options);
        Self { inner, link }
    }

    /// Makes invalidation durable: every write leaves a note of what it changes in its own
    /// transaction, and the cache relays the notes of writers that died or could not reach the
    /// shared level. See [`Cache::relay`]. Without a shared level nothing changes.
    ///
    /// To be called within a tokio runtime, before the first read. A cache has one relay: a second
    /// storage in front of which it stands must be on the same database.
    #[must_use]
    pub fn durable(self, options: RelayOptions) -> Self {
        let outbox = Arc::new(StorageOutbox::new(Arc::clone(&self.inner)));
        self.cache().relay(outbox, options);
        let link = self.link.durable();
        Self { inner: self.inner, link }
    }

    /// The cache, for statistics and operators.
    #[must_use]
    pub const fn cache(&self) -> &Cache {
        self.link.whole_cache()
    }

    /// The storage behind the cache, for reads that must not be cached.
    #[must_use]
    pub fn uncached(&self) -> &Arc<dyn Storage> {
        &self.inner
    }

    fn unit_over(&self, unit: Box<dyn UnitOfWork>) -> Box<dyn UnitOfWork> {
        let unit = Arc::new(UnitCell { unit });
        let pending: Pending = Arc::new(Mutex::new(None));
        let link = self.link.for_unit(Arc::clone(&unit), Arc::clone(&pending));
        Box::new(CachedUnit { link, unit, pending })
    }
}

#[async_trait]
impl Storage for CachedStorage {
    async fn begin(&self) -> Result<Box<dyn UnitOfWork>, StorageError> {
        Ok(self.unit_over(self.inner.begin().await?))
    }

    async fn begin_act(&self) -> Result<Box<dyn UnitOfWork>, StorageError> {
        Ok(self.unit_over(self.inner.begin_act().await?))
    }

    fn noting(&self, note: &InvalidationNote) -> Box<dyn Repositories> {
        let link = self.link.for_note(Arc::from(self.inner.noting(note)), note);
        Box::new(CachedNoting { link })
    }

    fn writes_concurrently(&self) -> bool {
        self.inner.writes_concurrently()
    }

    async fn health(&self, now: Timestamp) -> Result<StorageHealth, StorageError> {
        self.inner.health(now).await
    }
}

/// The repositories for one write, whose caller gave it a note.
struct CachedNoting {
    link: Link,
}

/// A unit whose writes are announced to the cache when it commits. Dropped, what it announced
/// counts as unknown and is read from the database until the cache is known to agree.
struct CachedUnit {
    link: Link,
    unit: Arc<UnitCell>,
    pending: Pending,
}

impl CachedUnit {
    /// Takes the unit out of its link, which is gone afterwards.
    fn into_inner(self) -> Result<(Box<dyn UnitOfWork>, Pending), StorageError> {
        let Self { link, unit, pending } = self;
        drop(link); // The other handle: nobody can borrow from a unit that moves.
        let cell = Arc::try_unwrap(unit)
            .map_err(|_| StorageError::Internal { operation: "conclude", source: None })?;
        Ok((cell.unit, pending))
    }
}

#[async_trait]
impl UnitOfWork for CachedUnit {
    async fn commit(self: Box<Self>) -> Result<(), StorageError> {
        let durable = self.link.is_durable();
        let (unit, pending) = self.into_inner()?;
        let guard = pending.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut guard) = guard else { return unit.commit().await };
        if durable
            && let Some(row) = guard.outbox_row()
            && let Err(error) = unit.invalidations().insert(&note_of(row)).await
        {
            let refused = conclude_unit(unit, Err(error)).await;
            guard.rolled_back();
            return refused;
        }
        let outcome = unit.commit().await;
        conclude(guard, outcome.as_ref().err()).await;
        outcome
    }

    async fn rollback(self: Box<Self>) -> Result<(), StorageError> {
        let (unit, pending) = self.into_inner()?;
        let outcome = unit.rollback().await;
        if let Some(guard) = pending.lock().unwrap_or_else(PoisonError::into_inner).take() {
            guard.rolled_back(); // Whatever became of the roll-back, nothing was committed.
        }
        outcome
    }
}
