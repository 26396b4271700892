//! Promises of [`InterestRepository`](guildhall_repository::InterestRepository).

use std::sync::Arc;

use guildhall_domain::{
    Color, InterestCategory, InterestCategoryId, InterestLevel, InterestTopic, UserId,
};
use guildhall_repository::{ErrorKind, Storage, StorageError};

use super::expect::{invalid, refused, walk, winners};
use super::given;
use crate::builder::{label, now, page, summary, topic, url};

#[doc(hidden)]
#[macro_export]
macro_rules! interest_promises {
    ($with:tt => $($stamp:tt)+) => {
        $($stamp)+! { $with, interest as interest on MultiThread:
            a_category_comes_back_as_it_was_made
            a_name_of_a_category_is_taken_once
            a_change_of_a_category_needs_its_version
            categories_are_listed_by_name
            interests_are_listed_by_category
            an_interest_is_chosen_once
            interests_end_at_a_hundred
            only_what_can_be_chosen_is
            a_changed_category_shows_everywhere
            interests_go_with_the_member
        }
    };
}
#[doc(hidden)]
pub use crate::interest_promises as promises;

async fn category(storage: &Arc<dyn Storage>, name: &str) -> InterestCategory {
    storage.interests().create_category(&topic(name)).await.unwrap()
}

async fn names(storage: &Arc<dyn Storage>, active_only: bool, limit: u32) -> Vec<String> {
    let interests = storage.interests();
    let listed = walk(limit, async |page| interests.categories(active_only, &page).await).await;
    listed.into_iter().map(|category| category.topic.name.to_string()).collect()
}

/// Everything in it, or nothing but what is needed.
pub async fn a_category_comes_back_as_it_was_made(storage: Arc<dyn Storage>) {
    let full = InterestTopic {
        name: label("Ästhetik 🎨 فن"),
        description: Some(summary("What is \"beautiful\"\nand what is not")),
        icon_url: Some(url("https://example.org/art.svg")),
        color: Some(Color::parse("#A0b1c2").unwrap()),
        is_active: false,
    };
    for topic in [full, topic("bare")] {
        let made = storage.interests().create_category(&topic).await.unwrap();
        assert_eq!((&made.topic, made.version), (&topic, 1));
        let listed = storage.interests().categories(false, &page(50)).await.unwrap();
        assert!(listed.items.contains(&made));
    }
}

/// Without regard to case; the unit goes on.
pub async fn a_name_of_a_category_is_taken_once(storage: Arc<dyn Storage>) {
    let art = category(&storage, "Ästhetik").await;
    let other = category(&storage, "other").await;
    let work = storage.begin().await.unwrap();
    let same = topic("äSTHETIK");
    refused(work.interests().create_category(&same).await, ErrorKind::AlreadyExists);
    let taken = work.interests().update_category(other.id, &same, 1).await;
    refused(taken, ErrorKind::AlreadyExists);
    work.interests().update_category(art.id, &same, 1).await.unwrap();
    work.commit().await.unwrap();
    assert_eq!(names(&storage, true, 9).await, ["other", "äSTHETIK"]);
}

/// And a category that is there.
pub async fn a_change_of_a_category_needs_its_version(storage: Arc<dyn Storage>) {
    let art = category(&storage, "art").await;
    let interests = storage.interests();
    let absent = interests.update_category(InterestCategoryId(999), &topic("x"), 1).await;
    refused(absent, ErrorKind::NotFound);
    let changed = interests.update_category(art.id, &topic("arts"), 1).await.unwrap();
    assert_eq!((changed.id, changed.version, &changed.topic), (art.id, 2, &topic("arts")));
    let stale = interests.update_category(art.id, &topic("x"), 1).await;
    refused(stale, ErrorKind::Conflict);
    assert_eq!(names(&storage, true, 9).await, ["arts"]);
}

/// Without regard to case, with and without the inactive ones.
pub async fn categories_are_listed_by_name(storage: Arc<dyn Storage>) {
    assert_eq!(names(&storage, true, 9).await, [""; 0]);
    for (name, is_active) in [("music", true), ("Art", true), ("Äpfel", true), ("old", false)] {
        let topic = InterestTopic { is_active, ..topic(name) };
        storage.interests().create_category(&topic).await.unwrap();
    }
    for limit in [1, 3, 50] {
        assert_eq!(names(&storage, true, limit).await, ["Art", "music", "Äpfel"]);
        assert_eq!(names(&storage, false, limit).await, ["Art", "music", "old", "Äpfel"]);
    }
    let foreign = page(5).after("users.id~1".parse().unwrap());
    invalid(storage.interests().categories(true, &foreign).await, "cursor");
}

/// With their category and degree.
pub async fn interests_are_listed_by_category(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let (music, art) = (category(&storage, "Music").await, category(&storage, "art").await);
    let interests = storage.interests();
    assert_eq!(interests.of_user(ada).await.unwrap(), []);
    let five = InterestLevel::new(5).unwrap();
    let first = interests.add(ada, music.id, five, now()).await.unwrap();
    assert_eq!((first.user, &first.category), (ada, &music));
    assert_eq!((first.level, first.selected_at), (five, now()));
    assert_eq!(interests.of_user(ada).await.unwrap(), std::slice::from_ref(&first));
    let second = interests.add(ada, art.id, InterestLevel::default(), now()).await.unwrap();
    assert_eq!(interests.of_user(ada).await.unwrap(), [second.clone(), first]);
    assert!(interests.remove(ada, music.id).await.unwrap());
    assert!(!interests.remove(ada, music.id).await.unwrap());
    assert_eq!(interests.of_user(ada).await.unwrap(), [second]);
}

/// Of many who choose it at the same moment, one does.
pub async fn an_interest_is_chosen_once(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let art = category(&storage, "art").await;
    let outcomes = given::at_once(20, &storage, |storage, _| async move {
        storage.interests().add(ada, art.id, InterestLevel::default(), now()).await
    })
    .await;
    let (won, lost) = winners(outcomes, ErrorKind::AlreadyExists);
    assert_eq!((won.len(), lost.len()), (1, 19));
    assert_eq!(storage.interests().of_user(ada).await.unwrap(), won);
}

/// Of one member.
pub async fn interests_end_at_a_hundred(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let interests = storage.interests();
    for n in 0..100 {
        let id = category(&storage, &format!("category {n}")).await.id;
        interests.add(ada, id, InterestLevel::default(), now()).await.unwrap();
    }
    let one_more = category(&storage, "one more").await.id;
    let refusal = interests.add(ada, one_more, InterestLevel::default(), now()).await;
    let refusal = refused(refusal, ErrorKind::LimitExceeded);
    assert!(matches!(refusal, StorageError::LimitExceeded { limit: 100, used: 100, .. }));
    assert_eq!(interests.of_user(ada).await.unwrap().len(), 100);
}

/// An active category, by a member who is there. What became inactive since stays chosen.
pub async fn only_what_can_be_chosen_is(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let gone = given::member(&storage, "gone").await;
    storage.users().delete(gone, now()).await.unwrap();
    let (art, old) = (category(&storage, "art").await, category(&storage, "old").await);
    let interests = storage.interests();
    interests.add(ada, old.id, InterestLevel::default(), now()).await.unwrap();
    let inactive = InterestTopic { is_active: false, ..topic("old") };
    interests.update_category(old.id, &inactive, 1).await.unwrap();
    for (user, category) in
        [(ada, InterestCategoryId(999)), (UserId(999_999), art.id), (gone, art.id)]
    {
        let refusal = interests.add(user, category, InterestLevel::default(), now()).await;
        refused(refusal, ErrorKind::NotFound);
    }
    let bob = given::member(&storage, "bob").await;
    let refusal = interests.add(bob, old.id, InterestLevel::default(), now()).await;
    refused(refusal, ErrorKind::NotFound);
    assert_eq!(interests.of_user(ada).await.unwrap().len(), 1);
}

/// In lists of categories and among members' interests.
pub async fn a_changed_category_shows_everywhere(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let art = category(&storage, "art").await;
    let interests = storage.interests();
    interests.add(ada, art.id, InterestLevel::default(), now()).await.unwrap();
    assert_eq!(interests.of_user(ada).await.unwrap()[0].category, art);
    assert_eq!(names(&storage, true, 2).await, ["art"]);
    let changed = interests.update_category(art.id, &topic("arts"), 1).await.unwrap();
    assert_eq!(interests.of_user(ada).await.unwrap()[0].category, changed);
    assert_eq!(names(&storage, true, 2).await, ["arts"]);
    category(&storage, "more").await;
    assert_eq!(names(&storage, true, 2).await, ["arts", "more"]);
}

/// They say what somebody likes.
pub async fn interests_go_with_the_member(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let art = category(&storage, "art").await;
    storage.interests().add(ada, art.id, InterestLevel::default(), now()).await.unwrap();
    assert_eq!(storage.interests().of_user(ada).await.unwrap().len(), 1);
    storage.users().delete(ada, now()).await.unwrap();
    assert_eq!(storage.interests().of_user(ada).await.unwrap(), []);
}
