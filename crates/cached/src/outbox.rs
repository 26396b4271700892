//! The notes of a storage, as the outbox of a cache.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use guildhall_cache::{Outbox, OutboxError, OutboxRow};
use guildhall_repository::Storage;

/// Lets a cache relay the notes that writers left in a storage. [`CachedStorage::durable`] attaches
/// one; a program that only relays may do so by itself with [`Cache::relay`].
///
/// [`CachedStorage::durable`]: crate::CachedStorage::durable
/// [`Cache::relay`]: guildhall_cache::Cache::relay
pub struct StorageOutbox {
    storage: Arc<dyn Storage>,
}

impl StorageOutbox {
    /// The notes of this storage. It need not be the cached one: notes are never cached.
    #[must_use]
    pub fn new(storage: Arc<dyn Storage>) -> Self {
        Self { storage }
    }
}

#[async_trait]
impl Outbox for StorageOutbox {
    async fn left_behind(
        &self,
        age_min: Duration,
        limit: u16,
    ) -> Result<Vec<OutboxRow>, OutboxError> {
        let notes = self.storage.invalidations().left_behind(age_min, limit).await?;
        let row = |note: guildhall_repository::InvalidationNote| OutboxRow {
            id: note.id,
            targets: note.targets,
        };
        Ok(notes.into_iter().map(row).collect())
    }

    async fn delete(&self, ids: &[i64]) -> Result<(), OutboxError> {
        self.storage.invalidations().delete(ids).await?;
        Ok(())
    }
}
