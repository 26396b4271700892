//! What was given, for what.

use async_trait::async_trait;
use guildhall_domain::{GrantedReward, UserId};

use crate::{Page, PageRequest, StorageError};

/// The log of rewards: appended to, never changed. Every implementation passes
/// `guildhall_testkit::contract::reward`.
///
/// A reward is recorded before it is given, and given only if it was recorded now: so it is given
/// once, whatever leads to it again.
#[cfg_attr(feature = "mock", mockall::automock)] // Stays above `async_trait`: mockall requires it.
#[async_trait]
pub trait RewardRepository: Send + Sync {
    /// Appends a reward; `false`, and nothing is written, when one with its key is there. Of
    /// concurrent calls exactly one appends. `NotFound` names a member who does not exist or was
    /// deleted.
    async fn record(&self, reward: &GrantedReward) -> Result<bool, StorageError>;

    /// What the member was given, newest (last appended) first.
    async fn of_user(
        &self,
        user: UserId,
        page: &PageRequest,
    ) -> Result<Page<GrantedReward>, StorageError>;
}
