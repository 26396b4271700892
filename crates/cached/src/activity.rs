//! Activity through the cache.

use async_trait::async_trait;
use guildhall_domain::{
    ActivityRecord, CommunityZone, Counter, CounterBump, StatsPatch, Timestamp, UserId, UserStats,
};
use guildhall_repository::{ActivityRepository, StorageError};

use crate::keys::{key, tag};
use crate::link::{Inner, Link};

/// The activity repository behind the cache.
pub(crate) struct CachedActivity {
    pub(crate) link: Link,
}

impl CachedActivity {
    fn inner(&self) -> &dyn ActivityRepository {
        self.link.inner().activity()
    }
}

#[async_trait]
impl ActivityRepository for CachedActivity {
    async fn record(
        &self,
        records: &[ActivityRecord],
        zone: &CommunityZone,
    ) -> Result<u64, StorageError> {
        // The member's row changes too: last activity and requests stand there.
        let tags = records.iter().flat_map(|it| [tag::activity(it.user), tag::user(it.user)]);
        let tags: Vec<_> = tags.collect();
        self.link.write(tags, async |on| on.activity().record(records, zone).await).await
    }

    async fn stats(&self, user: UserId) -> Result<Option<UserStats>, StorageError> {
        let Some(cache) = self.link.cache() else { return self.inner().stats(user).await };
        let entry = cache.entry(key::stats(user), [tag::activity(user)], self.link.ttl.activity);
        entry.get_or_load_optional(|| self.inner().stats(user)).await
    }

    async fn update_stats(
        &self,
        user: UserId,
        patch: &StatsPatch,
        expected_version: i64,
    ) -> Result<UserStats, StorageError> {
        let update =
            async |on: Inner| on.activity().update_stats(user, patch, expected_version).await;
        self.link.write([tag::activity(user)], update).await
    }

    async fn bump_counters(
        &self,
        user: UserId,
        bumps: &[CounterBump],
        now: Timestamp,
    ) -> Result<Vec<Counter>, StorageError> {
        let bump = async |on: Inner| on.activity().bump_counters(user, bumps, now).await;
        self.link.write([tag::activity(user)], bump).await
    }

    async fn counters(&self, user: UserId) -> Result<Vec<Counter>, StorageError> {
        let Some(cache) = self.link.cache() else { return self.inner().counters(user).await };
        let entry = cache.entry(key::counters(user), [tag::activity(user)], self.link.ttl.activity);
        let entry = entry.negative_if(|counters: &Vec<Counter>| counters.is_empty());
        entry.get_or_load(|| self.inner().counters(user)).await
    }
}
