//! What members are interested in.

use async_trait::async_trait;
use guildhall_domain::{
    InterestCategory, InterestCategoryId, InterestLevel, InterestTopic, Timestamp, UserId,
    UserInterest,
};

use crate::{Page, PageRequest, StorageError};

/// What members are interested in. Every implementation passes
/// `guildhall_testkit::contract::interest`.
///
/// Categories are never deleted, because members have chosen them: they are made inactive.
#[cfg_attr(feature = "mock", mockall::automock)] // Stays above `async_trait`: mockall requires it.
#[async_trait]
pub trait InterestRepository: Send + Sync {
    /// Categories by name without regard to case, then ascending ids.
    async fn categories(
        &self,
        active_only: bool,
        page: &PageRequest,
    ) -> Result<Page<InterestCategory>, StorageError>;

    /// Adds a category. `AlreadyExists` when its name is taken.
    async fn create_category(
        &self,
        topic: &InterestTopic,
    ) -> Result<InterestCategory, StorageError>;

    /// Changes a category. `NotFound`, `Conflict` when the version has moved, and `AlreadyExists`
    /// when the new name is taken.
    async fn update_category(
        &self,
        id: InterestCategoryId,
        topic: &InterestTopic,
        expected_version: i64,
    ) -> Result<InterestCategory, StorageError>;

    /// The member's interests, by name of the category; at most 100.
    async fn of_user(&self, user: UserId) -> Result<Vec<UserInterest>, StorageError>;

    /// Adds an interest. `NotFound` for a category that is absent or inactive and for a member who
    /// does not exist or was deleted, `AlreadyExists` for an interest the member has,
    /// `LimitExceeded` past 100.
    async fn add(
        &self,
        user: UserId,
        category: InterestCategoryId,
        level: InterestLevel,
        now: Timestamp,
    ) -> Result<UserInterest, StorageError>;

    /// Removes an interest; `false` when there was none.
    async fn remove(
        &self,
        user: UserId,
        category: InterestCategoryId,
    ) -> Result<bool, StorageError>;
}
