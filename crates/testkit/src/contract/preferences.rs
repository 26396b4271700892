//! Promises of [`PreferenceRepository`](guildhall_repository::PreferenceRepository).

use std::collections::BTreeMap;
use std::sync::Arc;

use guildhall_domain::{
    Accessibility, AccessibilityPatch, ColorBlindMode, FontFamily, Onboarding, OnboardingStep,
    Patch, PreferenceValue, Preferences, PreferencesPatch, ReadingLevel, Theme, UserId,
};
use guildhall_repository::{ErrorKind, Storage};

use super::expect::{invalid, refused, winners};
use super::given;
use crate::builder::{label, now, seconds};

#[doc(hidden)]
#[macro_export]
macro_rules! preferences_promises {
    ($with:tt => $($stamp:tt)+) => {
        $($stamp)+! { $with, preferences as preferences on MultiThread:
            who_never_said_has_the_defaults
            preferences_come_back_as_they_were_set
            preferences_have_bounds
            a_change_of_preferences_needs_its_version
            one_of_many_changes_of_a_version_is_made
            accessibility_comes_back_as_it_was_set
            accessibility_has_bounds
            steps_are_taken_once
            the_sixth_step_completes_onboarding_once
            steps_taken_at_once_are_all_kept
            nobody_has_no_preferences
            preferences_go_with_the_member
            a_roll_back_leaves_the_preferences
        }
    };
}
#[doc(hidden)]
pub use crate::preferences_promises as promises;

fn value(raw: &str) -> Option<PreferenceValue> {
    Some(PreferenceValue::parse(raw).unwrap())
}

fn theme(theme: Theme) -> PreferencesPatch {
    PreferencesPatch { theme: Some(theme), ..PreferencesPatch::default() }
}

fn font(size: u16) -> AccessibilityPatch {
    AccessibilityPatch { font_size: Some(size), ..AccessibilityPatch::default() }
}

/// At version 0, and an empty patch leaves them.
pub async fn who_never_said_has_the_defaults(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let preferences = storage.preferences();
    let defaults = Preferences::defaults(ada);
    assert_eq!(preferences.preferences(ada).await.unwrap(), Some(defaults.clone()));
    let settings = Accessibility::defaults(ada);
    assert_eq!(preferences.accessibility(ada).await.unwrap(), Some(settings.clone()));
    assert_eq!(preferences.onboarding(ada).await.unwrap(), Some(Onboarding::begun(ada)));
    let nothing = PreferencesPatch::default();
    let same = preferences.update_preferences(ada, &nothing, 7, now()).await.unwrap();
    assert_eq!(same, defaults);
    let nothing = AccessibilityPatch::default();
    let same = preferences.update_accessibility(ada, &nothing, 7, now()).await.unwrap();
    assert_eq!(same, settings);
}

/// All of them; what a patch does not name stays.
pub async fn preferences_come_back_as_they_were_set(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let preferences = storage.preferences();
    preferences.preferences(ada).await.unwrap(); // Into the cache, where there is one.
    let patch = PreferencesPatch {
        reading_level: Some(ReadingLevel::Advanced),
        theme: Some(Theme::Purple),
        notify_email: Some(false),
        notify_sms: Some(true),
        offline_limit_mb: Some(10_000),
        auto_download: Some(true),
        extra: BTreeMap::from([
            (label("clé 🔑"), value("مرحبا \"quoted\" \\ %_")),
            (label("b"), value("two")),
        ]),
    };
    let set = preferences.update_preferences(ada, &patch, 0, now()).await.unwrap();
    let expected = patch.applied_to(Preferences::defaults(ada), now()).unwrap();
    assert_eq!((&set, set.version), (&expected, 1));
    assert_eq!(preferences.preferences(ada).await.unwrap(), Some(set.clone()));
    let later = now().plus(seconds(1));
    let extra = BTreeMap::from([(label("b"), None), (label("c"), value("three"))]);
    let patch = PreferencesPatch { extra, notify_sms: Some(false), ..Default::default() };
    let changed = preferences.update_preferences(ada, &patch, 1, later).await.unwrap();
    assert_eq!(changed, patch.applied_to(set, later).unwrap());
    assert_eq!(changed.extra.len(), 2);
    assert_eq!(preferences.preferences(ada).await.unwrap(), Some(changed));
}

/// Of space, of entries, and of what all entries hold.
pub async fn preferences_have_bounds(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let preferences = storage.preferences();
    let patch = PreferencesPatch { offline_limit_mb: Some(10_001), ..Default::default() };
    let refusal = preferences.update_preferences(ada, &patch, 0, now()).await;
    invalid(refusal, "offline_limit_mb");
    let many = |count: usize| PreferencesPatch {
        extra: (0..count)
            .map(|n| (label(&format!("{n:0>100}")), value(&"🦀".repeat(200))))
            .collect(),
        ..Default::default()
    };
    invalid(preferences.update_preferences(ada, &many(51), 0, now()).await, "extra");
    let full = preferences.update_preferences(ada, &many(50), 0, now()).await.unwrap();
    assert_eq!(preferences.preferences(ada).await.unwrap(), Some(full));
}

/// Nobody overwrites what they have not seen.
pub async fn a_change_of_preferences_needs_its_version(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let preferences = storage.preferences();
    for stale in [1, -1] {
        let refusal = preferences.update_preferences(ada, &theme(Theme::Dark), stale, now()).await;
        refused(refusal, ErrorKind::Conflict);
        refused(
            preferences.update_accessibility(ada, &font(20), stale, now()).await,
            ErrorKind::Conflict,
        );
    }
    preferences.update_preferences(ada, &theme(Theme::Dark), 0, now()).await.unwrap();
    preferences.update_accessibility(ada, &font(20), 0, now()).await.unwrap();
    let refusal = preferences.update_preferences(ada, &theme(Theme::Blue), 0, now()).await;
    refused(refusal, ErrorKind::Conflict);
    refused(preferences.update_accessibility(ada, &font(9), 0, now()).await, ErrorKind::Conflict);
    let kept = preferences.preferences(ada).await.unwrap().unwrap();
    assert_eq!((kept.theme, kept.version), (Theme::Dark, 1));
}

/// Also of the first, which has no row to be changed.
pub async fn one_of_many_changes_of_a_version_is_made(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    for version in 0..3 {
        let outcomes = given::at_once(10, &storage, |storage, n| async move {
            let patch = theme(Theme::ALL[n % 4]);
            storage.preferences().update_preferences(ada, &patch, version, now()).await
        })
        .await;
        let (won, lost) = winners(outcomes, ErrorKind::Conflict);
        assert_eq!((won.len(), lost.len()), (1, 9));
        let stored = storage.preferences().preferences(ada).await.unwrap();
        assert_eq!(stored, won.into_iter().next());
    }
}

/// All of it; what a patch does not name stays.
pub async fn accessibility_comes_back_as_it_was_set(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let preferences = storage.preferences();
    preferences.accessibility(ada).await.unwrap();
    let patch = AccessibilityPatch {
        font_size: Some(72),
        font_family: Patch::Set(FontFamily::parse("OpenDyslexic, \"Noto 🦀\"").unwrap()),
        line_height: Some(300),
        high_contrast: Some(true),
        large_text: Some(true),
        screen_reader: Some(true),
        text_to_speech: Some(true),
        reduce_motion: Some(true),
        keyboard_navigation: Some(true),
        color_blind_mode: Some(ColorBlindMode::Tritanopia),
    };
    let set = preferences.update_accessibility(ada, &patch, 0, now()).await.unwrap();
    assert_eq!(set, patch.applied_to(Accessibility::defaults(ada), now()).unwrap());
    assert_eq!(preferences.accessibility(ada).await.unwrap(), Some(set.clone()));
    let patch = AccessibilityPatch { font_family: Patch::Clear, ..Default::default() };
    let cleared = preferences.update_accessibility(ada, &patch, 1, now()).await.unwrap();
    assert_eq!(cleared, Accessibility { font_family: None, version: 2, ..set });
    assert_eq!(preferences.accessibility(ada).await.unwrap(), Some(cleared));
}

/// Of sizes; what is refused changes nothing.
pub async fn accessibility_has_bounds(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let preferences = storage.preferences();
    for size in [7, 73] {
        let refusal = preferences.update_accessibility(ada, &font(size), 0, now()).await;
        invalid(refusal, "font_size");
    }
    for height in [99, 301] {
        let patch = AccessibilityPatch { line_height: Some(height), ..Default::default() };
        let refusal = preferences.update_accessibility(ada, &patch, 0, now()).await;
        invalid(refusal, "line_height");
    }
    let stored = preferences.accessibility(ada).await.unwrap();
    assert_eq!(stored, Some(Accessibility::defaults(ada)));
}

/// A repeat is a replay and changes nothing.
pub async fn steps_are_taken_once(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let preferences = storage.preferences();
    let step = OnboardingStep::FeatureTour;
    preferences.onboarding(ada).await.unwrap();
    let first = preferences.complete_onboarding_step(ada, step, now()).await.unwrap();
    assert!(!first.replayed && first.value.has(step));
    assert_eq!((first.value.progress().get(), first.value.updated_at), (1_666, Some(now())));
    let later = now().plus(seconds(1));
    let again = preferences.complete_onboarding_step(ada, step, later).await.unwrap();
    assert!(again.replayed);
    assert_eq!(again.value, first.value);
    assert_eq!(preferences.onboarding(ada).await.unwrap(), Some(first.value));
}

/// And never again.
pub async fn the_sixth_step_completes_onboarding_once(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let preferences = storage.preferences();
    for (n, step) in (1..).zip(OnboardingStep::ALL.iter().rev()) {
        let at = now().plus(seconds(n));
        let taken = preferences.complete_onboarding_step(ada, *step, at).await.unwrap().value;
        assert_eq!(taken.completed_at, (n == 6).then_some(at));
    }
    let much_later = now().plus(seconds(60));
    for step in OnboardingStep::ALL {
        let again = preferences.complete_onboarding_step(ada, *step, much_later).await.unwrap();
        assert_eq!((again.replayed, again.value.progress().get()), (true, 10_000));
    }
    let stored = preferences.onboarding(ada).await.unwrap().unwrap();
    assert_eq!(stored.completed_at, Some(now().plus(seconds(6))));
}

/// And one of them completes.
pub async fn steps_taken_at_once_are_all_kept(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let outcomes = given::at_once(30, &storage, |storage, n| async move {
        let (step, at) = (OnboardingStep::ALL[n % 6], now().plus(seconds(n as u64)));
        storage.preferences().complete_onboarding_step(ada, step, at).await.unwrap()
    })
    .await;
    let first: Vec<_> = outcomes.iter().filter(|outcome| !outcome.replayed).collect();
    assert_eq!(first.len(), 6);
    let complete = first.iter().filter(|outcome| outcome.value.completed_at.is_some());
    assert_eq!(complete.count(), 1);
    let stored = storage.preferences().onboarding(ada).await.unwrap().unwrap();
    assert_eq!(stored.progress().get(), 10_000);
}

/// Whether never there or deleted.
pub async fn nobody_has_no_preferences(storage: Arc<dyn Storage>) {
    let gone = given::member(&storage, "gone").await;
    storage.users().delete(gone, now()).await.unwrap();
    let preferences = storage.preferences();
    for nobody in [UserId(999_999), gone] {
        assert_eq!(preferences.preferences(nobody).await.unwrap(), None);
        assert_eq!(preferences.accessibility(nobody).await.unwrap(), None);
        assert_eq!(preferences.onboarding(nobody).await.unwrap(), None);
        for patch in [theme(Theme::Dark), PreferencesPatch::default()] {
            let refusal = preferences.update_preferences(nobody, &patch, 0, now()).await;
            refused(refusal, ErrorKind::NotFound);
        }
        for patch in [font(20), AccessibilityPatch::default()] {
            let refusal = preferences.update_accessibility(nobody, &patch, 0, now()).await;
            refused(refusal, ErrorKind::NotFound);
        }
        let step = OnboardingStep::Language;
        let refusal = preferences.complete_onboarding_step(nobody, step, now()).await;
        refused(refusal, ErrorKind::NotFound);
    }
}

/// They are as personal as a name.
pub async fn preferences_go_with_the_member(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let preferences = storage.preferences();
    preferences.update_preferences(ada, &theme(Theme::Dark), 0, now()).await.unwrap();
    preferences.update_accessibility(ada, &font(20), 0, now()).await.unwrap();
    let step = OnboardingStep::Language;
    preferences.complete_onboarding_step(ada, step, now()).await.unwrap();
    storage.users().delete(ada, now()).await.unwrap();
    assert_eq!(preferences.preferences(ada).await.unwrap(), None);
    assert_eq!(preferences.accessibility(ada).await.unwrap(), None);
    assert_eq!(preferences.onboarding(ada).await.unwrap(), None);
}

/// As they were; a refusal inside the unit leaves it usable.
pub async fn a_roll_back_leaves_the_preferences(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let work = storage.begin().await.unwrap();
    work.preferences().update_preferences(ada, &theme(Theme::Dark), 0, now()).await.unwrap();
    let refusal = work.preferences().update_preferences(ada, &theme(Theme::Blue), 0, now()).await;
    refused(refusal, ErrorKind::Conflict);
    let inside = work.preferences().preferences(ada).await.unwrap().unwrap();
    assert_eq!(inside.theme, Theme::Dark);
    work.rollback().await.unwrap();
    let stored = storage.preferences().preferences(ada).await.unwrap();
    assert_eq!(stored, Some(Preferences::defaults(ada)));
}
