//! The languages members speak.

use async_trait::async_trait;
use guildhall_domain::{LanguageTag, Proficiency, Timestamp, UserId, UserLanguage};

use crate::StorageError;

/// The languages members speak. Every implementation passes
/// `guildhall_testkit::contract::language`.
///
/// Who speaks any has exactly one primary language, whatever happens at the same moment: every
/// write locks the member first.
#[cfg_attr(feature = "mock", mockall::automock)] // Stays above `async_trait`: mockall requires it.
#[async_trait]
pub trait LanguageRepository: Send + Sync {
    /// The member's languages, the primary one first, then by tag; at most 50.
    async fn of_user(&self, user: UserId) -> Result<Vec<UserLanguage>, StorageError>;

    /// Adds a language. The first one becomes the primary one; a later one only with `primary`,
    /// which takes that from the other. `AlreadyExists` for one the member has, `LimitExceeded` past
    /// 50, `NotFound` for a member who does not exist or was deleted.
    async fn add(
        &self,
        user: UserId,
        language: &LanguageTag,
        proficiency: Option<Proficiency>,
        primary: bool,
        now: Timestamp,
    ) -> Result<UserLanguage, StorageError>;

    /// Removes a language; `false` when the member does not have it. The oldest one left becomes
    /// primary if it was. `InvalidState` for the only one, `NotFound` as in [`add`](Self::add).
    async fn remove(&self, user: UserId, language: &LanguageTag) -> Result<bool, StorageError>;

    /// Makes a language the primary one. `NotFound` when the member does not have it.
    async fn set_primary(
        &self,
        user: UserId,
        language: &LanguageTag,
    ) -> Result<UserLanguage, StorageError>;
}
