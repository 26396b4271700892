//! Reading and auditing the ledger.

use async_trait::async_trait;
use guildhall_domain::{
    AccountParts, EntryId, EntryKind, LedgerReport, PointEntry, Source, Timestamp, UserId,
};

use crate::{ListLimit, Page, PageRequest, StorageError};

/// Which entries of a member. The default: all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EntryFilter {
    /// Of this source only.
    pub source: Option<Source>,
    /// Of this kind only.
    pub kind: Option<EntryKind>,
    /// Written at or after this.
    pub from: Option<Timestamp>,
    /// Written before this.
    pub before: Option<Timestamp>,
}

/// An account before and after its figures were taken from the ledger anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RebuiltAccount {
    /// As it was; it may break the invariants, hence bare columns.
    pub before: AccountParts,
    /// As the ledger says.
    pub after: AccountParts,
    /// Whether it was stored.
    pub stored: bool,
}

/// Reading and auditing the ledger. Every implementation passes
/// `guildhall_testkit::contract::ledger`.
#[cfg_attr(feature = "mock", mockall::automock)] // Stays above `async_trait`: mockall requires it.
#[async_trait]
pub trait LedgerRepository: Send + Sync {
    /// The member's entries, newest (greatest `seq`) first.
    async fn transactions(
        &self,
        user: UserId,
        filter: &EntryFilter,
        page: &PageRequest,
    ) -> Result<Page<PointEntry>, StorageError>;

    /// The entry, or `None`.
    async fn entry(&self, id: EntryId) -> Result<Option<PointEntry>, StorageError>;

    /// Audits one ledger for the rules L1 to L6, in one snapshot.
    async fn verify(&self, user: UserId) -> Result<LedgerReport, StorageError>;

    /// Audits the ledgers of at most `limit` members in ascending order from just past `after`,
    /// among them what stands without an account. The report says where to go on.
    async fn verify_page(
        &self,
        after: Option<UserId>,
        limit: ListLimit,
    ) -> Result<LedgerReport, StorageError>;

    /// Takes balance, held, lifetime figures and the next number from the ledger and its holds. A
    /// tool for administrators. `Integrity` when the entries themselves are inconsistent;
    /// `NotFound` without the member. With `dry_run` nothing is stored.
    async fn rebuild_account(
        &self,
        user: UserId,
        dry_run: bool,
        now: Timestamp,
    ) -> Result<RebuiltAccount, StorageError>;
}
