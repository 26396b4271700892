//! The ledger through the cache: first pages only; audits go to the database.

use async_trait::async_trait;
use guildhall_domain::{EntryId, LedgerReport, PointEntry, Timestamp, UserId};
use guildhall_repository::{
    Cursor, EntryFilter, LedgerRepository, ListLimit, Page, PageRequest, RebuiltAccount,
    StorageError,
};

use crate::keys::{key, tag};
use crate::link::{Inner, Link};

/// The ledger repository behind the cache.
pub(crate) struct CachedLedger {
    pub(crate) link: Link,
}

impl CachedLedger {
    fn inner(&self) -> &dyn LedgerRepository {
        self.link.inner().ledger()
    }
}

#[async_trait]
impl LedgerRepository for CachedLedger {
    async fn transactions(
        &self,
        user: UserId,
        filter: &EntryFilter,
        page: &PageRequest,
    ) -> Result<Page<PointEntry>, StorageError> {
        let Some(cache) = self.link.cache().filter(|_| page.cursor().is_none()) else {
            return self.inner().transactions(user, filter, page).await;
        };
        let entry = cache.entry::<(Vec<PointEntry>, Option<String>)>(
            key::history(user, filter, page),
            [tag::points(user)],
            self.link.ttl.history,
        );
        let (items, next) = entry
            .negative_if(|(items, _)| items.is_empty())
            .get_or_load(|| async {
                let loaded = self.inner().transactions(user, filter, page).await?;
                let next = loaded.next_cursor.map(|cursor| cursor.as_str().to_owned());
                Ok::<_, StorageError>((loaded.items, next))
            })
            .await?;
        let next_cursor = next.map(|text| text.parse::<Cursor>()).transpose()?;
        Ok(Page { items, next_cursor })
    }

    async fn entry(&self, id: EntryId) -> Result<Option<PointEntry>, StorageError> {
        self.inner().entry(id).await
    }

    async fn verify(&self, user: UserId) -> Result<LedgerReport, StorageError> {
        self.inner().verify(user).await
    }

    async fn verify_page(
        &self,
        after: Option<UserId>,
        limit: ListLimit,
    ) -> Result<LedgerReport, StorageError> {
        self.inner().verify_page(after, limit).await
    }

    async fn rebuild_account(
        &self,
        user: UserId,
        dry_run: bool,
        now: Timestamp,
    ) -> Result<RebuiltAccount, StorageError> {
        let rebuild = async |on: Inner| on.ledger().rebuild_account(user, dry_run, now).await;
        self.link.write([tag::points(user), tag::leaderboard(), tag::totals()], rebuild).await
    }
}
