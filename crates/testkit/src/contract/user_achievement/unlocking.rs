use std::sync::Arc;

use guildhall_domain::{DomainEvent, Json, Points, Unlock, UserAchievement, UserId};
use guildhall_repository::{ErrorKind, HeldFilter, Storage};

use super::super::expect::{invalid, refused};
use super::super::given;
use crate::builder::{achievement, now, page, points, seconds, slug, source, unlock};

async fn defined(storage: &Arc<dyn Storage>, count: usize) {
    let definitions: Vec<_> = (0..count).map(|n| achievement(&format!("a{n:03}"), &[])).collect();
    storage.achievements().seed(&definitions, now()).await.unwrap();
}

async fn held(storage: &Arc<dyn Storage>, user: UserId) -> Vec<UserAchievement> {
    let page = storage.user_achievements().list(user, &HeldFilter::default(), &page(200)).await;
    page.unwrap().items.into_iter().map(|one| one.unlocked).collect()
}

/// With points and context, and the event of it.
pub async fn an_unlock_comes_back_as_it_was_written(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    defined(&storage, 2).await;
    let context = serde_json::json!({ "wort": "Ünï 🏆 שלום", "n": [1, -2.5, null, true] });
    let full = Unlock {
        points: points(12),
        source: source("mission.daily"),
        context: Some(Json::new(context).unwrap()),
        ..unlock(ada, "a000")
    };
    for unlock in [full, unlock(ada, "a001")] {
        let expected = UserAchievement {
            user: ada,
            achievement: unlock.achievement.clone(),
            unlocked_at: now(),
            source: unlock.source.clone(),
            points_awarded: unlock.points,
            context: unlock.context.clone(),
        };
        let outcome = storage.user_achievements().unlock(&unlock, now()).await.unwrap();
        assert_eq!((outcome.value, outcome.replayed), (expected.clone(), false));
        let achievement = unlock.achievement.clone();
        let event = DomainEvent::AchievementUnlocked { user: ada, achievement };
        assert_eq!(outcome.events, [event]);
        assert!(storage.user_achievements().has(ada, &unlock.achievement).await.unwrap());
        assert!(held(&storage, ada).await.contains(&expected));
    }
    assert!(!storage.user_achievements().has(UserId(ada.0 + 1), &slug("a000")).await.unwrap());
}

/// Whatever the second request says, and even when the achievement was deactivated since.
pub async fn an_unlock_is_written_once(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    defined(&storage, 1).await;
    let repository = storage.user_achievements();
    let first = repository.unlock(&unlock(ada, "a000"), now()).await.unwrap().value;
    let later = now().plus(seconds(60));
    let other = Unlock { points: points(99), source: source("admin"), ..unlock(ada, "a000") };
    for _ in 0..2 {
        let again = repository.unlock(&other, later).await.unwrap();
        assert_eq!((&again.value, again.replayed), (&first, true));
        assert!(again.events.is_empty());
        storage.achievements().delete(&slug("a000"), false).await.unwrap();
    }
    assert_eq!(held(&storage, ada).await, [first]);
}

/// An open unit stays usable; points are zero or more.
pub async fn an_unlock_needs_a_member_and_an_active_achievement(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let gone = given::member(&storage, "gone").await;
    storage.users().delete(gone, now()).await.unwrap();
    defined(&storage, 2).await;
    storage.achievements().delete(&slug("a001"), false).await.unwrap();
    let work = storage.begin().await.unwrap();
    let nobody = UserId(i64::MAX);
    for (user, id) in [(ada, "nothing"), (ada, "a001"), (gone, "a000"), (nobody, "a000")] {
        let outcome = work.user_achievements().unlock(&unlock(user, id), now()).await;
        refused(outcome, ErrorKind::NotFound);
    }
    let owing = Unlock { points: Points::from_minor(-1).unwrap(), ..unlock(ada, "a000") };
    invalid(work.user_achievements().unlock(&owing, now()).await, "points");
    work.user_achievements().unlock(&unlock(ada, "a000"), now()).await.unwrap();
    work.commit().await.unwrap();
    assert_eq!(held(&storage, ada).await.len(), 1);
}

/// One of them unlocks it, and all get the same row.
pub async fn fifty_unlocks_of_one_achievement_make_one_row(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    defined(&storage, 1).await;
    let outcomes = given::at_once(50, &storage, |storage, task| async move {
        let later = now().plus(seconds(task as u64));
        storage.user_achievements().unlock(&unlock(ada, "a000"), later).await.unwrap()
    })
    .await;
    assert_eq!(outcomes.iter().filter(|outcome| !outcome.replayed).count(), 1);
    assert!(outcomes.iter().all(|outcome| outcome.value == outcomes[0].value));
    assert_eq!(held(&storage, ada).await.len(), 1);
}

/// None is lost, as one would be that is kept in a list of the member's row.
pub async fn a_hundred_unlocks_of_a_hundred_achievements_keep_all(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    defined(&storage, 100).await;
    let outcomes = given::at_once(100, &storage, |storage, task| async move {
        let unlock = unlock(ada, &format!("a{task:03}"));
        storage.user_achievements().unlock(&unlock, now()).await.unwrap().replayed
    })
    .await;
    assert!(outcomes.iter().all(|replayed| !replayed));
    assert_eq!(held(&storage, ada).await.len(), 100);
}

/// And can be made again.
pub async fn an_unlock_that_rolls_back_leaves_nothing(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    defined(&storage, 1).await;
    let work = storage.begin().await.unwrap();
    work.user_achievements().unlock(&unlock(ada, "a000"), now()).await.unwrap();
    assert!(work.user_achievements().has(ada, &slug("a000")).await.unwrap());
    work.rollback().await.unwrap();
    assert!(held(&storage, ada).await.is_empty());
    let again = storage.user_achievements().unlock(&unlock(ada, "a000"), now()).await.unwrap();
    assert!(!again.replayed);
}
