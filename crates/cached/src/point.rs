//! Points through the cache.

use async_trait::async_trait;
use guildhall_domain::{
    Adjustment, Award, BasisPoints, CheckIn, Deduct, Description, EarningRules, EntryId,
    EntryReference, HoldId, HoldRequest, IdemKey, Outcome, Participation, PointAccount, PointEntry,
    PointHold, Timestamp, Transfer, TransferPair, UserId, Xp,
};
use guildhall_repository::{BulkMode, BulkOutcome, PointRepository, StorageError};

use crate::keys::{key, tag};
use crate::link::{Inner, Link};

/// The point repository behind the cache.
pub(crate) struct CachedPoints {
    pub(crate) link: Link,
}

impl CachedPoints {
    fn inner(&self) -> &dyn PointRepository {
        self.link.inner().points()
    }

    /// The tags of a movement that changes statistics too.
    fn earning(&self, user: UserId) -> Vec<guildhall_cache::Tag> {
        let mut tags = self.link.movement([user]);
        tags.push(tag::activity(user));
        tags
    }

    /// Whose hold it is, which never changes; nobody's when there is none.
    async fn holder(&self, id: HoldId) -> Result<Option<UserId>, StorageError> {
        Ok(self.inner().hold_by_id(id).await?.map(|hold| hold.user))
    }
}

#[async_trait]
impl PointRepository for CachedPoints {
    async fn account(&self, user: UserId) -> Result<Option<PointAccount>, StorageError> {
        let Some(cache) = self.link.cache() else { return self.inner().account(user).await };
        let entry = cache.entry(key::account(user), [tag::points(user)], self.link.ttl.account);
        entry.get_or_load_optional(|| self.inner().account(user)).await
    }

    async fn award(
        &self,
        award: &Award,
        now: Timestamp,
    ) -> Result<Outcome<PointEntry>, StorageError> {
        self.link
            .write(self.link.movement([award.user]), async |on| on.points().award(award, now).await)
            .await
    }

    async fn deduct(
        &self,
        deduct: &Deduct,
        now: Timestamp,
    ) -> Result<Outcome<PointEntry>, StorageError> {
        self.link
            .write(self.link.movement([deduct.user]), async |on| {
                on.points().deduct(deduct, now).await
            })
            .await
    }

    async fn transfer(
        &self,
        transfer: &Transfer,
        now: Timestamp,
    ) -> Result<Outcome<TransferPair>, StorageError> {
        let tags = self.link.movement([transfer.from(), transfer.to()]);
        self.link.write(tags, async |on| on.points().transfer(transfer, now).await).await
    }

    async fn award_bulk(
        &self,
        awards: &[Award],
        mode: BulkMode,
        now: Timestamp,
    ) -> Result<BulkOutcome, StorageError> {
        let mut tags = self.link.movement(awards.iter().map(|award| award.user));
        tags.extend([tag::leaderboard(), tag::totals()]);
        self.link.write(tags, async |on| on.points().award_bulk(awards, mode, now).await).await
    }

    async fn adjust(
        &self,
        adjustment: &Adjustment,
        now: Timestamp,
    ) -> Result<Outcome<PointEntry>, StorageError> {
        let tags = self.link.movement([adjustment.user]);
        self.link.write(tags, async |on| on.points().adjust(adjustment, now).await).await
    }

    async fn grant_xp(
        &self,
        user: UserId,
        xp: Xp,
        now: Timestamp,
    ) -> Result<Outcome<PointAccount>, StorageError> {
        self.link
            .write(self.link.movement([user]), async |on| on.points().grant_xp(user, xp, now).await)
            .await
    }

    async fn hold(&self, request: &HoldRequest, now: Timestamp) -> Result<PointHold, StorageError> {
        self.link
            .write([tag::points(request.user)], async |on| on.points().hold(request, now).await)
            .await
    }

    async fn capture_hold(
        &self,
        id: HoldId,
        now: Timestamp,
    ) -> Result<Outcome<PointEntry>, StorageError> {
        let tags = self.link.movement(self.holder(id).await?);
        self.link.write(tags, async |on| on.points().capture_hold(id, now).await).await
    }

    async fn release_hold(&self, id: HoldId, now: Timestamp) -> Result<PointHold, StorageError> {
        let tags = self.link.movement(self.holder(id).await?);
        self.link.write(tags, async |on| on.points().release_hold(id, now).await).await
    }

    async fn expire_holds(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<PointHold>, StorageError> {
        let expire = async |on: Inner| on.points().expire_holds(now, limit).await;
        let changed = |expired: &Vec<PointHold>| self.link.movement(expired.iter().map(|h| h.user));
        self.link.write_then(expire, changed, &["points"]).await
    }

    async fn hold_by_id(&self, id: HoldId) -> Result<Option<PointHold>, StorageError> {
        self.inner().hold_by_id(id).await
    }

    async fn active_holds(&self, user: UserId) -> Result<Vec<PointHold>, StorageError> {
        self.inner().active_holds(user).await
    }

    async fn reverse_entry(
        &self,
        id: EntryId,
        reason: &Description,
        now: Timestamp,
    ) -> Result<Outcome<PointEntry>, StorageError> {
        let entry = self.link.inner().ledger().entry(id).await?;
        let tags = self.link.movement(entry.map(|entry| entry.user));
        self.link.write(tags, async |on| on.points().reverse_entry(id, reason, now).await).await
    }

    async fn record_message(
        &self,
        user: UserId,
        rules: &EarningRules,
        multiplier: BasisPoints,
        now: Timestamp,
    ) -> Result<Outcome<Option<PointEntry>>, StorageError> {
        let record =
            async |on: Inner| on.points().record_message(user, rules, multiplier, now).await;
        self.link.write(self.earning(user), record).await
    }

    async fn award_participation(
        &self,
        user: UserId,
        kind: Participation,
        reference: &EntryReference,
        rules: &EarningRules,
        multiplier: BasisPoints,
        now: Timestamp,
    ) -> Result<Outcome<PointEntry>, StorageError> {
        let award = async |on: Inner| {
            on.points().award_participation(user, kind, reference, rules, multiplier, now).await
        };
        self.link.write(self.link.movement([user]), award).await
    }

    async fn check_in(
        &self,
        user: UserId,
        rules: &EarningRules,
        multiplier: BasisPoints,
        now: Timestamp,
    ) -> Result<Outcome<CheckIn>, StorageError> {
        let check_in = async |on: Inner| on.points().check_in(user, rules, multiplier, now).await;
        self.link.write(self.earning(user), check_in).await
    }

    async fn claim_daily_gift(
        &self,
        user: UserId,
        rules: &EarningRules,
        now: Timestamp,
    ) -> Result<Outcome<PointEntry>, StorageError> {
        let claim = async |on: Inner| on.points().claim_daily_gift(user, rules, now).await;
        self.link.write(self.earning(user), claim).await
    }

    async fn entry_by_key(&self, key: &IdemKey) -> Result<Option<PointEntry>, StorageError> {
        self.inner().entry_by_key(key).await
    }
}
