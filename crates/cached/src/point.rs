//! Points through the cache.

use guildhall_cache::Tag;
use guildhall_domain::{
    Adjustment, Award, BasisPoints, CheckIn, Deduct, Description, EarningRules, EntryId,
    EntryReference, HoldId, HoldRequest, IdemKey, Outcome, Participation, PointAccount, PointEntry,
    PointHold, Timestamp, Transfer, TransferPair, UserId, Xp,
};
use guildhall_repository::{BulkMode, BulkOutcome, PointRepository, StorageError};

use crate::decorate::decorate;
use crate::keys::{key, tag};
use crate::link::Link;

decorate! {
    impl PointRepository by points, |link| {
        pass lock(users: &[UserId]) -> ();
        find account(user: UserId) -> Option<PointAccount>
            = (key::account(user), [tag::points(user)], account);
        write award(award: &Award, now: Timestamp) -> Outcome<PointEntry>
            = (link.movement([award.user]));
        write deduct(deduct: &Deduct, now: Timestamp) -> Outcome<PointEntry>
            = (link.movement([deduct.user]));
        write transfer(transfer: &Transfer, now: Timestamp) -> Outcome<TransferPair>
            = (link.movement([transfer.from(), transfer.to()]));
        write award_bulk(awards: &[Award], mode: BulkMode, now: Timestamp) -> BulkOutcome
            = (link.movement(awards.iter().map(|award| award.user)).into_iter()
                .chain([tag::leaderboard(), tag::totals()]));
        write adjust(adjustment: &Adjustment, now: Timestamp) -> Outcome<PointEntry>
            = (link.movement([adjustment.user]));
        write grant_xp(user: UserId, xp: Xp, now: Timestamp) -> Outcome<PointAccount>
            = (link.movement([user]));
        write raise_xp_boost(user: UserId, boost: BasisPoints, now: Timestamp) -> PointAccount
            = ([tag::points(user)]);
        write hold(request: &HoldRequest, now: Timestamp) -> PointHold
            = ([tag::points(request.user)]);
        write capture_hold(id: HoldId, now: Timestamp) -> Outcome<PointEntry>
            = (link.movement(link.holder(id).await?));
        write release_hold(id: HoldId, now: Timestamp) -> PointHold
            = (link.movement(link.holder(id).await?));
        write_then expire_holds(now: Timestamp, limit: u32) -> Vec<PointHold>
            = (expired => link.movement(expired.iter().map(|hold| hold.user)), &["points"]);
        pass hold_by_id(id: HoldId) -> Option<PointHold>;
        pass active_holds(user: UserId) -> Vec<PointHold>;
        write reverse_entry(id: EntryId, reason: &Description, now: Timestamp)
            -> Outcome<PointEntry>
            = (link.movement(link.inner().ledger().entry(id).await?.map(|entry| entry.user)));
        write record_message(
            user: UserId,
            rules: &EarningRules,
            multiplier: BasisPoints,
            now: Timestamp,
        ) -> Outcome<Option<PointEntry>> = (link.earning(user));
        write award_participation(
            user: UserId,
            kind: Participation,
            reference: &EntryReference,
            rules: &EarningRules,
            multiplier: BasisPoints,
            now: Timestamp,
        ) -> Outcome<PointEntry> = (link.movement([user]));
        write check_in(
            user: UserId,
            rules: &EarningRules,
            multiplier: BasisPoints,
            now: Timestamp,
        ) -> Outcome<CheckIn> = (link.earning(user));
        write claim_daily_gift(user: UserId, rules: &EarningRules, now: Timestamp)
            -> Outcome<PointEntry> = (link.earning(user));
        pass entry_by_key(key: &IdemKey) -> Option<PointEntry>;
    }
}

impl Link {
    /// The tags of a movement that changes statistics too.
    fn earning(&self, user: UserId) -> Vec<Tag> {
        let mut tags = self.movement([user]);
        tags.push(tag::activity(user));
        tags
    }

    /// Whose hold it is, which never changes; nobody's when there is none.
    async fn holder(&self, id: HoldId) -> Result<Option<UserId>, StorageError> {
        Ok(self.inner().points().hold_by_id(id).await?.map(|hold| hold.user))
    }
}
