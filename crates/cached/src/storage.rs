//! The storage behind a cache, and its units.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use guildhall_cache::{Cache, RelayOptions};
use guildhall_domain::Timestamp;
use guildhall_repository::{
    ActivityRepository, ImportRepository, InvalidationNote, InvalidationRepository,
    LedgerRepository, LevelRepository, PointRepository, RankingRepository, Repositories, Storage,
    StorageError, StorageHealth, UnitOfWork, UserRepository, conclude as conclude_unit,
};

use crate::activity::CachedActivity;
use crate::import::CachedImports;
use crate::ledger::CachedLedger;
use crate::level::CachedLevels;
use crate::link::{Link, Pending, UnitCell, conclude, note_of};
use crate::options::CachedOptions;
use crate::outbox::StorageOutbox;
use crate::point::CachedPoints;
use crate::ranking::CachedRankings;
use crate::user::CachedUsers;

/// One decorator a repository, all on the same link.
struct Lent {
    users: CachedUsers,
    activity: CachedActivity,
    points: CachedPoints,
    ledger: CachedLedger,
    rankings: CachedRankings,
    levels: CachedLevels,
    imports: CachedImports,
    /// For what stands behind: notes are never cached.
    link: Link,
}

impl Lent {
    fn new(link: &Link) -> Self {
        Self {
            users: CachedUsers { link: link.clone() },
            activity: CachedActivity { link: link.clone() },
            points: CachedPoints { link: link.clone() },
            ledger: CachedLedger { link: link.clone() },
            rankings: CachedRankings { link: link.clone() },
            levels: CachedLevels { link: link.clone() },
            imports: CachedImports { link: link.clone() },
            link: link.clone(),
        }
    }
}

macro_rules! lend {
    ($storage:ident) => {
        impl Repositories for $storage {
            fn users(&self) -> &dyn UserRepository {
                &self.lent.users
            }
            fn activity(&self) -> &dyn ActivityRepository {
                &self.lent.activity
            }
            fn points(&self) -> &dyn PointRepository {
                &self.lent.points
            }
            fn ledger(&self) -> &dyn LedgerRepository {
                &self.lent.ledger
            }
            fn rankings(&self) -> &dyn RankingRepository {
                &self.lent.rankings
            }
            fn levels(&self) -> &dyn LevelRepository {
                &self.lent.levels
            }
            fn imports(&self) -> &dyn ImportRepository {
                &self.lent.imports
            }
            fn invalidations(&self) -> &dyn InvalidationRepository {
                self.lent.link.inner().invalidations()
            }
        }
    };
}
lend!(CachedStorage);
lend!(CachedUnit);
lend!(CachedNoting);

/// A storage in front of which a cache stands. It is a storage itself.
pub struct CachedStorage {
    inner: Arc<dyn Storage>,
    lent: Lent,
}

impl CachedStorage {
    /// Puts `cache` in front of `inner`. Every writer of the same database that shares the cache,
    /// in this process or another, must go through such a decorator.
    #[must_use]
    pub fn new(inner: Arc<dyn Storage>, cache: Cache, options: CachedOptions) -> Self {
        let link = Link::to_storage(Arc::clone(&inner), cache, options);
        Self { inner, lent: Lent::new(&link) }
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
        let link = self.lent.link.durable();
        Self { inner: self.inner, lent: Lent::new(&link) }
    }

    /// The cache, for statistics and operators.
    #[must_use]
    pub const fn cache(&self) -> &Cache {
        self.lent.link.whole_cache()
    }

    /// The storage behind the cache, for reads that must not be cached.
    #[must_use]
    pub fn uncached(&self) -> &Arc<dyn Storage> {
        &self.inner
    }
}

#[async_trait]
impl Storage for CachedStorage {
    async fn begin(&self) -> Result<Box<dyn UnitOfWork>, StorageError> {
        let unit = Arc::new(UnitCell { unit: self.inner.begin().await? });
        let pending: Pending = Arc::new(Mutex::new(None));
        let lent = Lent::new(&self.lent.link.for_unit(Arc::clone(&unit), Arc::clone(&pending)));
        Ok(Box::new(CachedUnit { lent, unit, pending }))
    }

    fn noting(&self, note: &InvalidationNote) -> Box<dyn Repositories> {
        let link = self.lent.link.for_note(Arc::from(self.inner.noting(note)), note);
        Box::new(CachedNoting { lent: Lent::new(&link) })
    }

    async fn health(&self, now: Timestamp) -> Result<StorageHealth, StorageError> {
        self.inner.health(now).await
    }
}

/// The decorators for one write, whose caller gave it a note.
struct CachedNoting {
    lent: Lent,
}

/// A unit whose writes are announced to the cache when it commits. Dropped, what it announced
/// counts as unknown and is read from the database until the cache is known to agree.
struct CachedUnit {
    lent: Lent,
    unit: Arc<UnitCell>,
    pending: Pending,
}

impl CachedUnit {
    /// Takes the unit out of its decorators, which are gone afterwards.
    fn into_inner(self) -> Result<(Box<dyn UnitOfWork>, Pending), StorageError> {
        let Self { lent, unit, pending } = self;
        drop(lent); // With them go all other handles: nobody can borrow from a unit that moves.
        let cell = Arc::try_unwrap(unit)
            .map_err(|_| StorageError::Internal { operation: "conclude", source: None })?;
        Ok((cell.unit, pending))
    }
}

#[async_trait]
impl UnitOfWork for CachedUnit {
    async fn commit(self: Box<Self>) -> Result<(), StorageError> {
        let durable = self.lent.link.is_durable();
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
