use std::sync::Arc;

use guildhall_domain::{
    AchievementRanking, AchievementStats, CommunityZone, NewAchievement, Tier, Timestamp, Unlock,
    UserId,
};
use guildhall_repository::{ErrorKind, HeldFilter, Storage};

use super::super::expect::refused;
use super::super::given;
use crate::builder::{achievement, days, hours, now, page, points, rows, slug, time, unlock};

async fn unlocked(storage: &Arc<dyn Storage>, user: UserId, id: &str, at: Timestamp) {
    let unlock = Unlock { points: points(2), ..unlock(user, id) };
    storage.user_achievements().unlock(&unlock, at).await.unwrap();
}

async fn defined(storage: &Arc<dyn Storage>, ids: &[&str]) {
    let definitions: Vec<_> = ids
        .iter()
        .map(|id| NewAchievement { tier: Tier::Bronze, ..achievement(id, &[("level", 9)]) })
        .collect();
    storage.achievements().seed(&definitions, now()).await.unwrap();
}

async fn stats(storage: &Arc<dyn Storage>, user: UserId, at: Timestamp) -> AchievementStats {
    let utc = CommunityZone::utc();
    storage.user_achievements().stats(user, &utc, at).await.unwrap()
}

/// What was deactivated is still held, but no part of it any more.
pub async fn a_summary_counts_the_active_catalogue(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let ids = ["a", "b", "c", "d", "e", "f", "g", "h"];
    defined(&storage, &ids).await;
    let nothing = storage.user_achievements().summary(ada).await.unwrap();
    assert_eq!((nothing.total, nothing.completion.get(), nothing.last_unlocked_at), (0, 0, None));
    for (age, id) in (1..).zip(&ids[..6]) {
        unlocked(&storage, ada, id, now().minus(hours(age))).await;
    }
    storage.achievements().delete(&slug("b"), false).await.unwrap();
    let summary = storage.user_achievements().summary(ada).await.unwrap();
    assert_eq!((summary.user, summary.total, summary.points), (ada, 6, points(12)));
    assert_eq!((summary.by_tier.bronze, summary.by_tier.total()), (6, 6));
    assert_eq!(summary.completion.get(), 5 * 10_000 / 7);
    assert_eq!(summary.last_unlocked_at, Some(now().minus(hours(1))));
    let latest: Vec<_> = summary.latest.iter().map(|one| one.achievement.id.as_str()).collect();
    assert_eq!(latest, ["a", "b", "c", "d", "e"]);
    assert!(summary.latest.iter().all(|one| one.achievement.criteria.len() == 1));
}

/// Several on one day neither break nor extend a streak, and it lasts until tomorrow ends.
pub async fn statistics_count_community_days(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    defined(&storage, &["a", "b", "c", "d", "e"]).await;
    for (id, at) in [
        ("a", "2026-02-20T08:00:00Z"),
        ("b", "2026-02-27T23:30:00Z"),
        ("c", "2026-02-28T10:00:00Z"),
        ("d", "2026-02-28T11:00:00Z"),
        ("e", "2026-03-01T00:00:00Z"),
    ] {
        unlocked(&storage, ada, id, time(at)).await;
    }
    let found = stats(&storage, ada, time("2026-03-02T23:59:59Z")).await;
    assert_eq!((found.total, found.today, found.last_7_days, found.last_30_days), (5, 0, 4, 5));
    assert_eq!((found.current_streak, found.longest_streak), (3, 3));
    let months: Vec<_> = found.by_month.iter().map(|one| (one.month.month(), one.count)).collect();
    assert_eq!(months, [(2, 4), (3, 1)]);
    assert_eq!(stats(&storage, ada, time("2026-03-03T00:00:00Z")).await.current_streak, 0);
    let madrid = CommunityZone::parse("Europe/Madrid").unwrap();
    let at = time("2026-03-01T12:00:00Z");
    let there = storage.user_achievements().stats(ada, &madrid, at).await.unwrap();
    assert_eq!((there.current_streak, there.today), (2, 1), "b is of the 28th there");
}

/// The same as on the board; nobody's without achievements.
pub async fn statistics_know_the_rank(storage: Arc<dyn Storage>) {
    let ids = given::crowd(&storage, 4, 0).await;
    defined(&storage, &["a", "b", "c"]).await;
    for (member, held) in ids.iter().zip([3, 1, 3, 0]) {
        for id in &["a", "b", "c"][..held] {
            unlocked(&storage, *member, id, now()).await;
        }
    }
    let mut ranks = Vec::new();
    for member in &ids {
        ranks.push(stats(&storage, *member, now()).await.rank);
    }
    assert_eq!(ranks, [Some(1), Some(3), Some(1), None]);
}

/// Nor a deleted member.
pub async fn nobody_has_neither_summary_nor_statistics(storage: Arc<dyn Storage>) {
    let gone = given::member(&storage, "gone").await;
    storage.users().delete(gone, now()).await.unwrap();
    let repository = storage.user_achievements();
    for nobody in [gone, UserId(i64::MAX)] {
        refused(repository.summary(nobody).await, ErrorKind::NotFound);
        let stats = repository.stats(nobody, &CommunityZone::utc(), now()).await;
        refused(stats, ErrorKind::NotFound);
    }
}

/// Every page of every list, the member's and everybody's; a unit's with its commit. And after the
/// catalogue changed, which they show.
pub async fn reads_are_fresh_after_every_unlock(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let bob = given::member(&storage, "bob").await;
    defined(&storage, &["a", "b", "c"]).await;
    let expect = async |held: usize, rank: Option<u64>| {
        let repository = storage.user_achievements();
        for filter in [
            HeldFilter::default(),
            HeldFilter { category: Some(slug("global")), tier: None },
            HeldFilter { category: None, tier: Some(Tier::Bronze) },
        ] {
            for limit in [1, 2, 50] {
                let page = repository.list(ada, &filter, &page(limit)).await.unwrap();
                assert_eq!(page.items.len(), held.min(limit as usize), "{filter:?} {limit}");
                assert_eq!(page.next_cursor.is_some(), held > limit as usize);
            }
        }
        assert_eq!(repository.summary(ada).await.unwrap().total, held as u64);
        let found = stats(&storage, ada, now()).await;
        assert_eq!((found.total, found.rank), (held as u64, rank));
        for limit in [10, 50] {
            let recent = repository.recent(90, limit, now()).await.unwrap();
            let hers = recent.iter().filter(|one| one.unlocked.user == ada).count();
            assert_eq!(hers, held, "{limit}");
            for by in AchievementRanking::ALL {
                let window = rows(limit, 0);
                let board = storage.achievement_reports().leaderboard(*by, window, now());
                let board = board.await.unwrap();
                let hers = board.items.iter().find(|row| row.user == ada).map(|row| row.count);
                assert_eq!(hers.unwrap_or(0), held as u64);
            }
        }
    };
    expect(0, None).await;
    unlocked(&storage, ada, "a", now()).await;
    expect(1, Some(1)).await;
    let work = storage.begin().await.unwrap();
    for id in ["b", "c"] {
        let unlock = Unlock { points: points(2), ..unlock(bob, id) };
        work.user_achievements().unlock(&unlock, now()).await.unwrap();
    }
    work.commit().await.unwrap();
    expect(1, Some(2)).await;
    let work = storage.begin().await.unwrap();
    work.user_achievements().unlock(&unlock(ada, "b"), now()).await.unwrap();
    work.rollback().await.unwrap();
    expect(1, Some(2)).await;
    unlocked(&storage, ada, "b", now().minus(days(1))).await;
    unlocked(&storage, ada, "c", now()).await;
    expect(3, Some(1)).await;
    let patch = guildhall_domain::AchievementPatch {
        title: Some(crate::builder::label("New")),
        ..guildhall_domain::AchievementPatch::default()
    };
    storage.achievements().update(&slug("c"), &patch, 1).await.unwrap();
    let repository = storage.user_achievements();
    let held = repository.list(ada, &HeldFilter::default(), &page(50)).await.unwrap();
    assert!(held.items.iter().any(|one| one.achievement.title.as_str() == "New"));
    let summary = repository.summary(ada).await.unwrap();
    assert!(summary.latest.iter().any(|one| one.achievement.title.as_str() == "New"));
    let recent = repository.recent(90, 50, now()).await.unwrap();
    assert!(recent.iter().any(|one| one.title.as_str() == "New"));
}
