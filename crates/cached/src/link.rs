//! What decorates: the storage or unit behind, the cache, and whether a write is announced at once
//! or at the unit's commit. It implements every repository, each in a file of its own.

use std::future::Future;
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};

use guildhall_cache::{Cache, OutboxRow, Tag, WriteGuard};
use guildhall_domain::UserId;
use guildhall_repository::{
    ErrorKind, InvalidationNote, Repositories, Storage, StorageError, UnitOfWork,
};

use crate::keys::tag;
use crate::options::CachedOptions;

/// What stands behind a link.
#[derive(Clone)]
pub(crate) enum Inner {
    Storage(Arc<dyn Storage>),
    /// A storage for one write, with the note that it stores.
    Noting(Arc<dyn Repositories>, InvalidationNote),
    Unit(Arc<UnitCell>),
}

impl Inner {
    /// What the write has to leave in its own transaction, where it opens one by itself.
    pub(crate) fn note(&self) -> Option<&InvalidationNote> {
        match self {
            Self::Noting(_, note) => Some(note),
            Self::Storage(_) | Self::Unit(_) => None,
        }
    }
}

impl Deref for Inner {
    type Target = dyn Repositories;
    fn deref(&self) -> &Self::Target {
        match self {
            Self::Storage(storage) => &**storage,
            Self::Noting(repositories, _) => &**repositories,
            Self::Unit(cell) => &*cell.unit,
        }
    }
}

/// An open unit, shared with its link until it is concluded.
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
    /// Whether writes leave a note, if the cache has somebody to relay it.
    durable: bool,
    pub(crate) ttl: CachedOptions,
}

impl Link {
    pub(crate) fn to_storage(storage: Arc<dyn Storage>, cache: Cache, ttl: CachedOptions) -> Self {
        Self { inner: Inner::Storage(storage), cache, pending: None, durable: false, ttl }
    }

    pub(crate) fn durable(&self) -> Self {
        Self { durable: true, ..self.clone() }
    }

    pub(crate) fn is_durable(&self) -> bool {
        self.durable
    }

    pub(crate) fn for_unit(&self, unit: Arc<UnitCell>, pending: Pending) -> Self {
        Self { inner: Inner::Unit(unit), pending: Some(pending), ..self.clone() }
    }

    /// For one write whose note somebody else gave and will take away.
    pub(crate) fn for_note(
        &self,
        repositories: Arc<dyn Repositories>,
        note: &InvalidationNote,
    ) -> Self {
        let inner = Inner::Noting(repositories, note.clone());
        Self { inner, durable: false, ..self.clone() }
    }

    /// The repositories behind the cache.
    pub(crate) fn inner(&self) -> &dyn Repositories {
        &*self.inner
    }

    /// The cache to read through; `None` inside a unit, whose uncommitted rows are rumours.
    pub(crate) fn cache(&self) -> Option<&Cache> {
        if self.pending.is_none() { Some(&self.cache) } else { None }
    }

    /// The storage behind the cache; `None` inside a unit.
    pub(crate) fn storage(&self) -> Option<&dyn Storage> {
        match &self.inner {
            Inner::Storage(storage) => Some(&**storage),
            Inner::Noting(..) | Inner::Unit(_) => None,
        }
    }

    pub(crate) const fn whole_cache(&self) -> &Cache {
        &self.cache
    }

    /// Runs a write that changes what `tags` name. Outside a unit the tags change before this
    /// returns; inside, at the commit.
    ///
    /// The operation is given what to run on: repositories that leave a note of these tags in the
    /// transaction of the write, if invalidation is durable.
    pub(crate) async fn write<T, F>(
        &self,
        tags: impl IntoIterator<Item = Tag> + Send,
        operation: impl FnOnce(Inner) -> F + Send,
    ) -> Result<T, StorageError>
    where
        F: Future<Output = Result<T, StorageError>> + Send,
    {
        self.announced(operation, |guard| tags.into_iter().for_each(|tag| guard.add(tag))).await
    }

    /// Runs a write that changes nobody knows whose rows: all entries of these namespaces go.
    pub(crate) async fn write_namespaces<T, F>(
        &self,
        namespaces: &[&'static str],
        operation: impl FnOnce(Inner) -> F + Send,
    ) -> Result<T, StorageError>
    where
        F: Future<Output = Result<T, StorageError>> + Send,
    {
        self.announced(operation, |guard| {
            namespaces.iter().for_each(|namespace| guard.add_namespace(namespace));
        })
        .await
    }

    async fn announced<T, F>(
        &self,
        operation: impl FnOnce(Inner) -> F + Send,
        announce: impl FnOnce(&mut WriteGuard) + Send,
    ) -> Result<T, StorageError>
    where
        F: Future<Output = Result<T, StorageError>> + Send,
    {
        if let Some(pending) = &self.pending {
            later(pending, &self.cache, announce);
            return operation(self.inner.clone()).await;
        }
        let mut guard = self.cache.begin_write([]);
        announce(&mut guard);
        let row = if self.durable { guard.outbox_row() } else { None };
        let outcome = operation(self.noting(row)).await;
        conclude(guard, outcome.as_ref().err()).await;
        outcome
    }

    /// Runs a write of which only the result says what it changed: `changed` names the tags. When
    /// nobody knows whether it wrote, all entries of `namespaces` go. The note, which is needed
    /// before there is a result, names those too.
    pub(crate) async fn write_then<T, C, F>(
        &self,
        operation: impl FnOnce(Inner) -> F + Send,
        changed: impl FnOnce(&T) -> C + Send,
        namespaces: &[&'static str],
    ) -> Result<T, StorageError>
    where
        T: Send,
        C: IntoIterator<Item = Tag> + Send,
        F: Future<Output = Result<T, StorageError>> + Send,
    {
        let noted = self.durable && self.pending.is_none();
        let row = if noted { self.cache.outbox_row([], namespaces) } else { None };
        let id = row.as_ref().map(|row| row.id);
        // In a unit nothing is written before its commit, and one with a dropped call has none.
        let mut dropped = self.pending.is_none().then(|| Dropped::watch(&self.cache, namespaces));
        let outcome = operation(self.noting(row)).await;
        if let Some(dropped) = &mut dropped {
            dropped.answered();
        }
        match outcome {
            Ok(value) => {
                let tags: Vec<Tag> = changed(&value).into_iter().collect();
                self.announced_after(id, None, |guard| {
                    tags.into_iter().for_each(|tag| guard.add(tag));
                })
                .await;
                Ok(value)
            }
            Err(error) if changed_nothing(&error) => Err(error),
            Err(error) => {
                self.announced_after(id, Some(&error), |guard| {
                    namespaces.iter().for_each(|namespace| guard.add_namespace(namespace));
                })
                .await;
                Err(error)
            }
        }
    }

    /// Announces a write that is over.
    async fn announced_after(
        &self,
        row: Option<i64>,
        failed: Option<&StorageError>,
        announce: impl FnOnce(&mut WriteGuard) + Send,
    ) {
        if let Some(pending) = &self.pending {
            return later(pending, &self.cache, announce);
        }
        let mut guard = self.cache.begin_write([]);
        announce(&mut guard);
        row.into_iter().for_each(|row| guard.settles(row));
        conclude(guard, failed).await;
    }

    /// What a write runs on: with the row, if it has one, in its own transaction.
    fn noting(&self, row: Option<OutboxRow>) -> Inner {
        match (&self.inner, row) {
            (Inner::Storage(storage), Some(row)) => {
                let note = note_of(row);
                Inner::Noting(Arc::from(storage.noting(&note)), note)
            }
            (inner, _) => inner.clone(),
        }
    }

    /// The tags of a movement of points.
    pub(crate) fn movement(&self, users: impl IntoIterator<Item = UserId>) -> Vec<Tag> {
        let live = self.ttl.leaderboard_live.then(tag::leaderboard);
        users.into_iter().map(tag::points).chain(live).collect()
    }
}

/// A write that is under way and of which only the result says what it changed. Its caller may go
/// away and it be written all the same.
struct Dropped<'l> {
    cache: &'l Cache,
    namespaces: &'l [&'static str],
}

impl<'l> Dropped<'l> {
    fn watch(cache: &'l Cache, namespaces: &'l [&'static str]) -> Self {
        Self { cache, namespaces }
    }

    /// There is a result, which says more.
    fn answered(&mut self) {
        self.namespaces = &[];
    }
}

impl Drop for Dropped<'_> {
    fn drop(&mut self) {
        let mut guard = self.cache.begin_write([]);
        self.namespaces.iter().for_each(|namespace| guard.add_namespace(namespace));
        // Nobody knows whether it is written, now or a moment from now: quarantine.
        drop(guard);
    }
}

/// Announces a write to what the unit will conclude at its commit.
fn later(pending: &Pending, cache: &Cache, announce: impl FnOnce(&mut WriteGuard)) {
    let mut pending = pending.lock().unwrap_or_else(PoisonError::into_inner);
    announce(pending.get_or_insert_with(|| cache.begin_write([])));
}

/// The storage's name for a row of the cache.
pub(crate) fn note_of(row: OutboxRow) -> InvalidationNote {
    InvalidationNote { id: row.id, targets: row.targets }
}

/// Concludes an announced write by its outcome. Where nobody knows whether it was written, now or
/// a moment from now, the guard is dropped: the tags stay in quarantine for its grace period.
pub(crate) async fn conclude(guard: WriteGuard, failed: Option<&StorageError>) {
    match failed {
        Some(error) if changed_nothing(error) => guard.rolled_back(),
        Some(error) if !error.nothing_was_written() => drop(guard),
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
