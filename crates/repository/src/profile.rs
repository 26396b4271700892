//! Members in full, and what can be counted about them.

use async_trait::async_trait;
use guildhall_domain::{
    Engagement, FullProfile, ProfileStats, TableStats, Timestamp, UserId, UserTotals,
};

use crate::StorageError;

/// Members in full, and what can be counted about them. Every implementation passes
/// `guildhall_testkit::contract::profile`.
///
/// Each read is one snapshot, by a number of statements that does not depend on how much there is.
/// `NotFound` names a member who does not exist or was deleted.
#[cfg_attr(feature = "mock", mockall::automock)] // Stays above `async_trait`: mockall requires it.
#[async_trait]
pub trait ProfileRepository: Send + Sync {
    /// The member with everything that belongs to the profile.
    async fn full_profile(&self, user: UserId) -> Result<FullProfile, StorageError>;

    /// How complete the profile is.
    async fn profile_stats(&self, user: UserId) -> Result<ProfileStats, StorageError>;

    /// How much the member takes part.
    async fn engagement(&self, user: UserId, now: Timestamp) -> Result<Engagement, StorageError>;

    /// What can be counted about all active members.
    async fn user_totals(&self, now: Timestamp) -> Result<UserTotals, StorageError>;

    /// How many members there are, deleted ones among them.
    async fn table_stats(&self, now: Timestamp) -> Result<TableStats, StorageError>;

    /// Removes a member, deleted or not, without a trace: every row, the ledger among them. `false`
    /// when there was none. `InvalidState` while holds are active. What others did with the member
    /// stays in their ledgers, under an id that nobody has any more.
    async fn purge_user(&self, user: UserId) -> Result<bool, StorageError>;
}
