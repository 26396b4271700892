//! Where points are moved.

use async_trait::async_trait;
use guildhall_domain::{
    Adjustment, Amount, Award, BasisPoints, CheckIn, Deduct, Description, EarningRules, EntryId,
    EntryReference, HoldId, HoldRequest, IdemKey, Outcome, Participation, PointAccount, PointEntry,
    PointHold, Points, Timestamp, Transfer, TransferPair, UserId, Xp,
};

use crate::StorageError;

/// What a bulk award does about an item that fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BulkMode {
    /// Nothing is written and the whole call fails with that item's error.
    Atomic,
    /// The others are written; the item's place holds its error.
    BestEffort,
}

/// The outcomes of a bulk award, in the order of the requests.
pub type BulkOutcome = Vec<Result<Outcome<PointEntry>, StorageError>>;

/// Where points are moved. Every implementation passes `guildhall_testkit::contract::point`.
///
/// Every movement changes an account and writes its ledger entry in one atomic step. A request with
/// a once-only key takes effect once: repeated, it gives the first result with `replayed`; another
/// request under the same key is a `Conflict`. `NotFound` names a member who does not exist or was
/// deleted. A balance that would leave the range of [`Points`] is `Validation`.
#[cfg_attr(feature = "mock", mockall::automock)] // Stays above `async_trait`: mockall requires it.
#[async_trait]
pub trait PointRepository: Send + Sync {
    /// Locks the accounts of 1 to 100 members, in ascending order of ids, until the unit ends. A
    /// workflow that writes more than one table of a member takes this lock first, and what it then
    /// does to the member happens after all earlier such workflows and before all later ones.
    ///
    /// Readers and single movements of others are not kept out of anything but these accounts.
    /// `NotFound` names the least id that does not exist or was deleted. Outside a unit it locks
    /// nothing for longer than the call, and only checks that the members exist.
    async fn lock(&self, users: &[UserId]) -> Result<(), StorageError>;

    /// The account; `None` without the member.
    async fn account(&self, user: UserId) -> Result<Option<PointAccount>, StorageError>;

    /// The balance, zero without an account.
    async fn balance(&self, user: UserId) -> Result<Points, StorageError> {
        Ok(self.account(user).await?.map_or(Points::ZERO, |account| account.balance()))
    }

    /// Whether so much could be spent at the time of the read. Advice, never a gate: the debit
    /// itself decides.
    async fn has_balance(&self, user: UserId, amount: Amount) -> Result<bool, StorageError> {
        let account = self.account(user).await?;
        Ok(account.is_some_and(|account| account.available() >= amount.points()))
    }

    /// Gives points and experience, and raises the level when one is reached: the events say so.
    async fn award(
        &self,
        award: &Award,
        now: Timestamp,
    ) -> Result<Outcome<PointEntry>, StorageError>;

    /// Takes points. `InsufficientBalance` when fewer are available; never negative.
    async fn deduct(
        &self,
        deduct: &Deduct,
        now: Timestamp,
    ) -> Result<Outcome<PointEntry>, StorageError>;

    /// Moves points between two members, both or neither.
    async fn transfer(
        &self,
        transfer: &Transfer,
        now: Timestamp,
    ) -> Result<Outcome<TransferPair>, StorageError>;

    /// Gives points to many, 1 to 1000 requests; several of one member take effect in their order.
    async fn award_bulk(
        &self,
        awards: &[Award],
        mode: BulkMode,
        now: Timestamp,
    ) -> Result<BulkOutcome, StorageError>;

    /// Corrects a balance. No multiplier, no experience; `InsufficientBalance` below what is held.
    async fn adjust(
        &self,
        adjustment: &Adjustment,
        now: Timestamp,
    ) -> Result<Outcome<PointEntry>, StorageError>;

    /// Gives experience alone, more than zero, and raises the level when one is reached.
    async fn grant_xp(
        &self,
        user: UserId,
        xp: Xp,
        now: Timestamp,
    ) -> Result<Outcome<PointAccount>, StorageError>;

    /// Lets every later award give `boost` times the experience, unless the member has a greater
    /// boost already; the account is given as it then is.
    async fn raise_xp_boost(
        &self,
        user: UserId,
        boost: BasisPoints,
        now: Timestamp,
    ) -> Result<PointAccount, StorageError>;

    /// Keeps points back. `AlreadyExists` while a hold of this member, reason and thing is active.
    async fn hold(&self, request: &HoldRequest, now: Timestamp) -> Result<PointHold, StorageError>;

    /// Takes held points for good. `InvalidState` when the hold was settled before.
    async fn capture_hold(
        &self,
        id: HoldId,
        now: Timestamp,
    ) -> Result<Outcome<PointEntry>, StorageError>;

    /// Gives held points back. `InvalidState` when the hold was settled before.
    async fn release_hold(&self, id: HoldId, now: Timestamp) -> Result<PointHold, StorageError>;

    /// Gives back what was held past its time; at most `limit` (1 to 500) holds, which are returned
    /// as they are now, in ascending id order.
    async fn expire_holds(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<PointHold>, StorageError>;

    /// The hold, or `None`.
    async fn hold_by_id(&self, id: HoldId) -> Result<Option<PointHold>, StorageError>;

    /// The member's active holds, oldest first; at most 200.
    async fn active_holds(&self, user: UserId) -> Result<Vec<PointHold>, StorageError>;

    /// Takes an entry back, at most once ever: writes its opposite as a `refund`. The second call
    /// is a replay. `InvalidState` for an entry that is itself a refund or half of a transfer;
    /// `InsufficientBalance` when the points are gone.
    async fn reverse_entry(
        &self,
        id: EntryId,
        reason: &Description,
        now: Timestamp,
    ) -> Result<Outcome<PointEntry>, StorageError>;

    /// Counts a message, and pays for it when the last paid one is long enough ago. The value is
    /// the entry, `None` when nothing was paid.
    async fn record_message(
        &self,
        user: UserId,
        rules: &EarningRules,
        multiplier: BasisPoints,
        now: Timestamp,
    ) -> Result<Outcome<Option<PointEntry>>, StorageError>;

    /// Pays for taking part in `reference`, once a member, kind and reference.
    async fn award_participation(
        &self,
        user: UserId,
        kind: Participation,
        reference: &EntryReference,
        rules: &EarningRules,
        multiplier: BasisPoints,
        now: Timestamp,
    ) -> Result<Outcome<PointEntry>, StorageError>;

    /// Checks in for the community day. `LimitExceeded` with the start of the next day when done
    /// already.
    async fn check_in(
        &self,
        user: UserId,
        rules: &EarningRules,
        multiplier: BasisPoints,
        now: Timestamp,
    ) -> Result<Outcome<CheckIn>, StorageError>;

    /// Claims the daily gift. `LimitExceeded` with the time of the next one within the cooldown.
    async fn claim_daily_gift(
        &self,
        user: UserId,
        rules: &EarningRules,
        now: Timestamp,
    ) -> Result<Outcome<PointEntry>, StorageError>;

    /// The entry written under a once-only key, or `None`.
    async fn entry_by_key(&self, key: &IdemKey) -> Result<Option<PointEntry>, StorageError>;
}
