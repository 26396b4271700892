//! What members prefer, and their first steps, through the cache.

use guildhall_domain::{
    Accessibility, AccessibilityPatch, Onboarding, OnboardingStep, Outcome, Preferences,
    PreferencesPatch, Timestamp, UserId,
};
use guildhall_repository::PreferenceRepository;

use crate::decorate::decorate;
use crate::keys::{key, tag};

decorate! {
    impl PreferenceRepository by preferences, |link| {
        find preferences(user: UserId) -> Option<Preferences>
            = (key::profile_part(user, "preferences"), [tag::prefs(user)], user);
        write update_preferences(
            user: UserId,
            patch: &PreferencesPatch,
            expected_version: i64,
            now: Timestamp,
        ) -> Preferences = ([tag::prefs(user)]);
        find accessibility(user: UserId) -> Option<Accessibility>
            = (key::profile_part(user, "accessibility"), [tag::prefs(user)], user);
        write update_accessibility(
            user: UserId,
            patch: &AccessibilityPatch,
            expected_version: i64,
            now: Timestamp,
        ) -> Accessibility = ([tag::prefs(user)]);
        find onboarding(user: UserId) -> Option<Onboarding>
            = (key::profile_part(user, "onboarding"), [tag::prefs(user)], user);
        write complete_onboarding_step(user: UserId, step: OnboardingStep, now: Timestamp)
            -> Outcome<Onboarding> = ([tag::prefs(user)]);
    }
}
