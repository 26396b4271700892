//! Levels through the cache.

use async_trait::async_trait;
use guildhall_domain::{Level, Timestamp, UserId};
use guildhall_repository::{LevelRepository, ListLimit, StorageError};

use crate::keys::{key, tag};
use crate::link::{Inner, Link};

/// The level repository behind the cache.
pub(crate) struct CachedLevels {
    pub(crate) link: Link,
}

impl CachedLevels {
    fn inner(&self) -> &dyn LevelRepository {
        self.link.inner().levels()
    }
}

#[async_trait]
impl LevelRepository for CachedLevels {
    async fn list(&self) -> Result<Vec<Level>, StorageError> {
        let Some(cache) = self.link.cache() else { return self.inner().list().await };
        let entry = cache.entry(key::global("levels"), [tag::catalogue()], self.link.ttl.catalogue);
        entry.get_or_load(|| self.inner().list()).await
    }

    async fn save(&self, level: &Level) -> Result<Level, StorageError> {
        self.link.write([tag::catalogue()], async |on| on.levels().save(level).await).await
    }

    async fn replace_all(&self, levels: &[Level]) -> Result<(), StorageError> {
        self.link.write([tag::catalogue()], async |on| on.levels().replace_all(levels).await).await
    }

    async fn delete(&self, level: u32) -> Result<bool, StorageError> {
        self.link.write([tag::catalogue()], async |on| on.levels().delete(level).await).await
    }

    async fn recompute(
        &self,
        after: Option<UserId>,
        limit: ListLimit,
        now: Timestamp,
    ) -> Result<(u64, Option<UserId>), StorageError> {
        let recompute = async |on: Inner| on.levels().recompute(after, limit, now).await;
        self.link.write_namespaces(&["points"], recompute).await
    }
}
