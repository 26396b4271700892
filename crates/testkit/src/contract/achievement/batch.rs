use std::sync::Arc;

use guildhall_domain::{Achievement, AchievementPatch, NewAchievement, Slug};
use guildhall_repository::{AchievementFilter, BATCH_MAX, Change, ErrorKind, Storage};

use super::super::expect::{invalid, refused};
use super::super::given;
use crate::builder::{achievement, label, now, slug, unlock};

fn numbered(count: usize) -> Vec<NewAchievement> {
    (0..count).map(|n| achievement(&format!("a{n:04}"), &[("level", 2), ("xp", 5)])).collect()
}

fn titled(id: &str, title: &str, expected_version: i64) -> Change<Slug, AchievementPatch> {
    let change = AchievementPatch { title: Some(label(title)), ..AchievementPatch::default() };
    Change { key: slug(id), change, expected_version }
}

async fn counted(storage: &Arc<dyn Storage>, is_active: Option<bool>) -> u64 {
    let filter = AchievementFilter { is_active, ..AchievementFilter::default() };
    storage.achievements().count(&filter).await.unwrap()
}

/// In the order given, with their criteria; as many as fit.
pub async fn many_achievements_are_defined_at_once(storage: Arc<dyn Storage>) {
    let achievements = storage.achievements();
    assert_eq!(achievements.create_batch(&[], now()).await.unwrap(), []);
    let mut new = numbered(BATCH_MAX);
    new.reverse();
    let made = achievements.create_batch(&new, now()).await.unwrap();
    let expected: Vec<_> = new.into_iter().map(|new| Achievement::defined(new, now())).collect();
    assert_eq!(made, expected);
    let ids: Vec<Slug> = made[..500].iter().map(|made| made.id.clone()).collect();
    assert_eq!(achievements.by_ids(&ids).await.unwrap(), expected[..500]);
    let more = achievements.create_batch(&[achievement("more", &[])], now()).await;
    refused(more, ErrorKind::LimitExceeded);
    assert_eq!(achievements.delete_batch(&ids, true).await.unwrap(), 500);
    assert_eq!(counted(&storage, None).await, 500);
}

/// An id that is taken, or given twice, a row that breaks a rule, or too many of them.
pub async fn a_batch_of_achievements_is_defined_wholly_or_not(storage: Arc<dyn Storage>) {
    storage.achievements().create(&achievement("taken", &[]), now()).await.unwrap();
    let one = |id| achievement(id, &[]);
    let work = storage.begin().await.unwrap();
    let create = async |new: &[NewAchievement]| work.achievements().create_batch(new, now()).await;
    refused(create(&[one("a"), one("taken")]).await, ErrorKind::AlreadyExists);
    refused(create(&[one("a"), one("b"), one("a")]).await, ErrorKind::AlreadyExists);
    let owing = NewAchievement {
        reward_points: guildhall_domain::Points::from_minor(-1).unwrap(),
        ..one("b")
    };
    refused(create(&[one("a"), owing]).await, ErrorKind::Validation);
    invalid(create(&numbered(BATCH_MAX + 1)).await, "new");
    assert_eq!(create(&[one("a")]).await.unwrap().len(), 1);
    work.commit().await.unwrap();
    assert_eq!(counted(&storage, None).await, 2);
}

/// And every read of them is fresh.
pub async fn many_achievements_are_changed_at_once_or_none(storage: Arc<dyn Storage>) {
    let achievements = storage.achievements();
    achievements.create_batch(&numbered(3), now()).await.unwrap();
    let title = async |id| achievements.by_id(&slug(id)).await.unwrap().unwrap().title.to_string();
    let before = title("a0001").await;
    let changes = [titled("a0002", "c", 1), titled("a0000", "a", 1), titled("a0000", "b", 2)];
    assert_eq!(achievements.update_batch(&changes).await.unwrap(), 3);
    assert_eq!((title("a0000").await, title("a0002").await), ("b".into(), "c".into()));
    let stale = [titled("a0001", "x", 1), titled("a0002", "y", 1)];
    refused(achievements.update_batch(&stale).await, ErrorKind::Conflict);
    let absent = [titled("a0001", "x", 1), titled("nobody", "y", 1)];
    refused(achievements.update_batch(&absent).await, ErrorKind::NotFound);
    assert_eq!((title("a0001").await, title("a0002").await), (before, "c".into()));
}

/// Those that somebody has stay, and with them all others.
pub async fn many_achievements_are_removed_at_once_or_none(storage: Arc<dyn Storage>) {
    let achievements = storage.achievements();
    achievements.create_batch(&numbered(4), now()).await.unwrap();
    let ids = ["a0000", "a0001", "a0002", "a0003", "nobody"].map(slug);
    let ada = given::member(&storage, "ada").await;
    storage.user_achievements().unlock(&unlock(ada, "a0003"), now()).await.unwrap();
    let error = refused(achievements.delete_batch(&ids, true).await, ErrorKind::InvalidState);
    assert!(error.to_string().contains("a0003"), "{error}");
    assert_eq!(counted(&storage, Some(true)).await, 4);
    assert_eq!(achievements.delete_batch(&ids[2..], false).await.unwrap(), 2);
    assert_eq!(achievements.delete_batch(&ids, false).await.unwrap(), 2);
    assert_eq!(counted(&storage, Some(true)).await, 0);
    assert_eq!(achievements.delete_batch(&ids[..3], true).await.unwrap(), 3);
    assert_eq!(achievements.by_id(&ids[0]).await.unwrap(), None);
}
