//! What members prefer, and how far they have come into the application.

use async_trait::async_trait;
use guildhall_domain::{
    Accessibility, AccessibilityPatch, Onboarding, OnboardingStep, Outcome, Preferences,
    PreferencesPatch, Timestamp, UserId,
};

use crate::StorageError;

/// What members prefer, and how far they have come into the application. Every implementation
/// passes `guildhall_testkit::contract::preferences`.
///
/// A member who never said anything has the defaults, at version 0; who does not exist or was
/// deleted has nothing: reads give `None`, writes `NotFound`.
#[cfg_attr(feature = "mock", mockall::automock)] // Stays above `async_trait`: mockall requires it.
#[async_trait]
pub trait PreferenceRepository: Send + Sync {
    /// What the member prefers.
    async fn preferences(&self, user: UserId) -> Result<Option<Preferences>, StorageError>;

    /// Changes what the member prefers; 0 is the version of who never said. An empty patch changes
    /// nothing. `Conflict` when the version has moved, `Validation` for what is out of range.
    async fn update_preferences(
        &self,
        user: UserId,
        patch: &PreferencesPatch,
        expected_version: i64,
        now: Timestamp,
    ) -> Result<Preferences, StorageError>;

    /// How the member can read.
    async fn accessibility(&self, user: UserId) -> Result<Option<Accessibility>, StorageError>;

    /// Changes how the member can read, under the rules of
    /// [`update_preferences`](Self::update_preferences).
    async fn update_accessibility(
        &self,
        user: UserId,
        patch: &AccessibilityPatch,
        expected_version: i64,
        now: Timestamp,
    ) -> Result<Accessibility, StorageError>;

    /// Which first steps the member has taken.
    async fn onboarding(&self, user: UserId) -> Result<Option<Onboarding>, StorageError>;

    /// Takes a first step, once and for good; a repeat is `replayed`. The step that was missing
    /// last sets the time of completion, which never changes after that.
    async fn complete_onboarding_step(
        &self,
        user: UserId,
        step: OnboardingStep,
        now: Timestamp,
    ) -> Result<Outcome<Onboarding>, StorageError>;
}
