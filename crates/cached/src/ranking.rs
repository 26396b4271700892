//! Rankings and totals through the cache. They age by their time to live: see
//! [`CachedOptions::leaderboard_live`](crate::CachedOptions::leaderboard_live).

use async_trait::async_trait;
use guildhall_domain::{
    ActivitySummary, CommunityZone, DailyActivity, Day, LeaderboardMetric, LeaderboardRow,
    PointAccount, PointTotals, Points, RankInfo, Timestamp, UserId,
};
use guildhall_repository::{
    OffsetRequest, Page, PageRequest, Ranked, RankingRepository, StorageError,
};

use crate::keys::{key, tag};
use crate::link::Link;

/// The ranking repository behind the cache.
pub(crate) struct CachedRankings {
    pub(crate) link: Link,
}

impl CachedRankings {
    fn inner(&self) -> &dyn RankingRepository {
        self.link.inner().rankings()
    }
}

#[async_trait]
impl RankingRepository for CachedRankings {
    async fn leaderboard(
        &self,
        metric: LeaderboardMetric,
        rows: OffsetRequest,
        now: Timestamp,
    ) -> Result<Ranked<LeaderboardRow>, StorageError> {
        let Some(cache) = self.link.cache() else {
            return self.inner().leaderboard(metric, rows, now).await;
        };
        let entry = cache.entry::<(Vec<LeaderboardRow>, u64, Timestamp)>(
            key::leaderboard(metric, rows),
            [tag::leaderboard()],
            self.link.ttl.leaderboard,
        );
        let (items, total, computed_at) = entry
            .negative_if(|(items, _, _)| items.is_empty())
            .get_or_load(|| async {
                let ranked = self.inner().leaderboard(metric, rows, now).await?;
                Ok::<_, StorageError>((ranked.items, ranked.total, ranked.computed_at))
            })
            .await?;
        Ok(Ranked { items, total, computed_at })
    }

    async fn rank_of(
        &self,
        user: UserId,
        metric: LeaderboardMetric,
    ) -> Result<Option<RankInfo>, StorageError> {
        let Some(cache) = self.link.cache() else {
            return self.inner().rank_of(user, metric).await;
        };
        let tags = [tag::points(user), tag::leaderboard()];
        let entry = cache.entry(key::rank(user, metric), tags, self.link.ttl.rank);
        entry.get_or_load_optional(|| self.inner().rank_of(user, metric)).await
    }

    async fn accounts_above(
        &self,
        threshold: Points,
        page: &PageRequest,
    ) -> Result<Page<PointAccount>, StorageError> {
        self.inner().accounts_above(threshold, page).await
    }

    async fn accounts_below(
        &self,
        threshold: Points,
        page: &PageRequest,
    ) -> Result<Page<PointAccount>, StorageError> {
        self.inner().accounts_below(threshold, page).await
    }

    async fn points_in_circulation(&self) -> Result<Points, StorageError> {
        let Some(cache) = self.link.cache() else {
            return self.inner().points_in_circulation().await;
        };
        let entry = cache.entry(key::global("circulation"), [tag::totals()], self.link.ttl.totals);
        entry.get_or_load(|| self.inner().points_in_circulation()).await
    }

    async fn totals(&self) -> Result<PointTotals, StorageError> {
        let Some(cache) = self.link.cache() else { return self.inner().totals().await };
        let entry = cache.entry(key::global("totals"), [tag::totals()], self.link.ttl.totals);
        entry.get_or_load(|| self.inner().totals()).await
    }

    async fn daily_activity(
        &self,
        day: Day,
        zone: &CommunityZone,
    ) -> Result<DailyActivity, StorageError> {
        // Whether the day is past is unknown without a clock, so it is kept no longer than today.
        let Some(cache) = self.link.cache() else {
            return self.inner().daily_activity(day, zone).await;
        };
        let entry = cache.entry(
            key::day(day, zone.start_of(day).micros()),
            [tag::totals()],
            self.link.ttl.activity,
        );
        entry.get_or_load(|| self.inner().daily_activity(day, zone)).await
    }

    async fn activity_summary(
        &self,
        user: UserId,
        days: u32,
        zone: &CommunityZone,
        now: Timestamp,
    ) -> Result<ActivitySummary, StorageError> {
        self.inner().activity_summary(user, days, zone, now).await
    }
}
