//! Promises of [`LanguageRepository`](guildhall_repository::LanguageRepository).

use std::sync::Arc;

use guildhall_domain::{LanguageTag, Proficiency, UserId, UserLanguage};
use guildhall_repository::{ErrorKind, Storage, StorageError};

use super::expect::{refused, winners};
use super::given;
use crate::builder::{language, now, seconds};

#[doc(hidden)]
#[macro_export]
macro_rules! language_promises {
    ($with:tt => $($stamp:tt)+) => {
        $($stamp)+! { $with, language as language on MultiThread:
            the_first_language_is_the_primary_one
            a_language_is_added_once
            languages_end_at_fifty
            the_primary_language_changes_hands
            the_oldest_language_takes_over
            the_only_language_stays
            languages_of_nobody_cannot_be_changed
            languages_go_with_the_member
            exactly_one_of_many_is_primary_at_the_end
            a_roll_back_leaves_the_languages
        }
    };
}
#[doc(hidden)]
pub use crate::language_promises as promises;

async fn add(storage: &Arc<dyn Storage>, user: UserId, tag: &str, primary: bool, age: u64) {
    let at = now().minus(seconds(age));
    storage.languages().add(user, &language(tag), None, primary, at).await.unwrap();
}

/// Tags in the order of the list, the primary one first and marked.
async fn spoken(storage: &Arc<dyn Storage>, user: UserId) -> Vec<String> {
    let languages = storage.languages().of_user(user).await.unwrap();
    let mark = |it: &UserLanguage| if it.is_primary { "*" } else { "" };
    languages.iter().map(|it| format!("{}{}", it.language, mark(it))).collect()
}

/// Whatever was asked for; the others follow by tag.
pub async fn the_first_language_is_the_primary_one(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    assert_eq!(storage.languages().of_user(ada).await.unwrap(), []);
    let fluent = Some(Proficiency::Fluent);
    let languages = storage.languages();
    let first = languages.add(ada, &language("pt-BR"), fluent, false, now()).await.unwrap();
    let expected = UserLanguage {
        user: ada,
        language: language("pt-BR"),
        is_primary: true,
        proficiency: fluent,
        created_at: now(),
    };
    assert_eq!(first, expected);
    assert_eq!(languages.of_user(ada).await.unwrap(), [expected]);
    for tag in ["sr-Latn", "ar", "en"] {
        add(&storage, ada, tag, false, 0).await;
    }
    assert_eq!(spoken(&storage, ada).await, ["pt-BR*", "ar", "en", "sr-Latn"]);
}

/// The second time it is refused and changes nothing.
pub async fn a_language_is_added_once(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    add(&storage, ada, "de", false, 0).await;
    add(&storage, ada, "en", false, 0).await;
    let again = storage.languages().add(ada, &language("en"), None, true, now()).await;
    refused(again, ErrorKind::AlreadyExists);
    assert_eq!(spoken(&storage, ada).await, ["de*", "en"]);
}

/// Of one member.
pub async fn languages_end_at_fifty(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    for n in 0..50 {
        add(&storage, ada, &format!("x-{n:02}"), false, 0).await;
    }
    let refusal = storage.languages().add(ada, &language("en"), None, false, now()).await;
    let refusal = refused(refusal, ErrorKind::LimitExceeded);
    assert!(matches!(refusal, StorageError::LimitExceeded { limit: 50, used: 50, .. }));
    assert_eq!(storage.languages().of_user(ada).await.unwrap().len(), 50);
}

/// By adding one as primary, and by choosing one.
pub async fn the_primary_language_changes_hands(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    for tag in ["de", "en"] {
        add(&storage, ada, tag, false, 0).await;
    }
    add(&storage, ada, "fr", true, 0).await;
    assert_eq!(spoken(&storage, ada).await, ["fr*", "de", "en"]);
    for _ in 0..2 {
        let chosen = storage.languages().set_primary(ada, &language("en")).await.unwrap();
        assert!(chosen.is_primary && chosen.language == language("en"));
        assert_eq!(spoken(&storage, ada).await, ["en*", "de", "fr"]);
    }
    let unknown = storage.languages().set_primary(ada, &language("it")).await;
    refused(unknown, ErrorKind::NotFound);
}

/// When the primary one is removed; other removals leave it.
pub async fn the_oldest_language_takes_over(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    for (tag, age) in [("fr", 3), ("de", 5), ("en", 9), ("it", 5)] {
        add(&storage, ada, tag, false, age).await;
    }
    let remove = async |tag| storage.languages().remove(ada, &language(tag)).await.unwrap();
    assert!(remove("en").await);
    assert_eq!(spoken(&storage, ada).await, ["fr*", "de", "it"]);
    assert!(remove("fr").await);
    assert_eq!(spoken(&storage, ada).await, ["de*", "it"]);
    assert!(!remove("fr").await);
}

/// What the member does not speak is no reason to refuse.
pub async fn the_only_language_stays(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    assert!(!storage.languages().remove(ada, &language("de")).await.unwrap());
    add(&storage, ada, "de", false, 0).await;
    let refusal = storage.languages().remove(ada, &language("de")).await;
    refused(refusal, ErrorKind::InvalidState);
    assert!(!storage.languages().remove(ada, &language("en")).await.unwrap());
    assert_eq!(spoken(&storage, ada).await, ["de*"]);
}

/// Whether never there or deleted.
pub async fn languages_of_nobody_cannot_be_changed(storage: Arc<dyn Storage>) {
    let gone = given::member(&storage, "gone").await;
    storage.users().delete(gone, now()).await.unwrap();
    let (languages, tag) = (storage.languages(), language("de"));
    for nobody in [UserId(999_999), gone] {
        refused(languages.add(nobody, &tag, None, true, now()).await, ErrorKind::NotFound);
        refused(languages.remove(nobody, &tag).await, ErrorKind::NotFound);
        refused(languages.set_primary(nobody, &tag).await, ErrorKind::NotFound);
        assert_eq!(languages.of_user(nobody).await.unwrap(), []);
    }
}

/// They say where somebody comes from.
pub async fn languages_go_with_the_member(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    add(&storage, ada, "de", false, 0).await;
    assert_eq!(spoken(&storage, ada).await, ["de*"]);
    storage.users().delete(ada, now()).await.unwrap();
    assert_eq!(storage.languages().of_user(ada).await.unwrap(), []);
}

async fn change(storage: &Arc<dyn Storage>, ada: UserId, n: usize) -> Result<(), StorageError> {
    let tag = |n: usize| -> LanguageTag { language(["de", "en", "fr", "it", "ja"][n % 5]) };
    let languages = storage.languages();
    match n % 3 {
        0 => languages.add(ada, &tag(n), None, true, now()).await.map(drop),
        1 => languages.set_primary(ada, &tag(n)).await.map(drop),
        _ => languages.remove(ada, &tag(n)).await.map(drop),
    }
}

/// However additions, choices and removals meet.
pub async fn exactly_one_of_many_is_primary_at_the_end(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    add(&storage, ada, "es", false, 0).await;
    for round in 0..3 {
        let outcomes = given::at_once(40, &storage, |storage, n| async move {
            match change(&storage, ada, n + round).await {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
                Err(error) if error.kind() == ErrorKind::InvalidState => Ok(()),
                outcome => outcome,
            }
        })
        .await;
        winners(outcomes, ErrorKind::NotFound);
        let languages = storage.languages().of_user(ada).await.unwrap();
        assert!(!languages.is_empty());
        assert_eq!(languages.iter().filter(|language| language.is_primary).count(), 1);
    }
}

/// As they were; a refusal inside the unit leaves it usable.
pub async fn a_roll_back_leaves_the_languages(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    add(&storage, ada, "de", false, 0).await;
    let work = storage.begin().await.unwrap();
    work.languages().add(ada, &language("en"), None, true, now()).await.unwrap();
    let again = work.languages().add(ada, &language("en"), None, true, now()).await;
    refused(again, ErrorKind::AlreadyExists);
    assert_eq!(work.languages().of_user(ada).await.unwrap().len(), 2);
    work.rollback().await.unwrap();
    assert_eq!(spoken(&storage, ada).await, ["de*"]);
}
