use std::sync::Arc;

use guildhall_domain::{CounterFold, NewAchievement, Summary, Tier, Timestamp, UserId, UserPatch};
use guildhall_repository::{ErrorKind, HeldFilter, Storage};

use super::super::expect::{invalid, refused, walk};
use super::super::given;
use crate::builder::{achievement, bump, days, hours, now, page, seconds, slug, unlock};

async fn unlocked(storage: &Arc<dyn Storage>, user: UserId, id: &str, at: Timestamp) {
    storage.user_achievements().unlock(&unlock(user, id), at).await.unwrap();
}

/// Then by id; pages lose nothing among equals; each with its definition of now.
pub async fn achievements_are_listed_newest_first(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let bob = given::member(&storage, "bob").await;
    let of = |id: &str, category: &str, tier| NewAchievement {
        category: slug(category),
        tier,
        ..achievement(id, &[("level", 1), ("xp", 1)])
    };
    let definitions = [
        of("a", "quiz", Tier::Gold),
        of("a-b", "quiz", Tier::None),
        of("a_b", "chat", Tier::Gold),
        of("new", "quiz", Tier::Gold),
        of("old", "chat", Tier::None),
    ];
    storage.achievements().seed(&definitions, now()).await.unwrap();
    unlocked(&storage, ada, "old", now().minus(hours(1))).await;
    for id in ["a_b", "a", "a-b"] {
        unlocked(&storage, ada, id, now()).await;
    }
    unlocked(&storage, ada, "new", now().plus(hours(1))).await;
    unlocked(&storage, bob, "a", now()).await;
    storage.achievements().delete(&slug("new"), false).await.unwrap();
    let listed = async |filter: &HeldFilter, limit| {
        let repository = storage.user_achievements();
        let items = walk(limit, async |page| repository.list(ada, filter, &page).await).await;
        assert!(items.iter().all(|one| one.achievement.id == one.unlocked.achievement));
        assert!(items.iter().all(|one| one.achievement.criteria.len() == 2));
        items.into_iter().map(|one| one.achievement.id.into_string()).collect::<Vec<_>>()
    };
    for limit in [1, 2, 3, 5, 200] {
        let all = listed(&HeldFilter::default(), limit).await;
        assert_eq!(all, ["new", "a", "a-b", "a_b", "old"]);
    }
    let quiz = HeldFilter { category: Some(slug("quiz")), tier: None };
    assert_eq!(listed(&quiz, 1).await, ["new", "a", "a-b"]);
    let gold = HeldFilter { category: Some(slug("quiz")), tier: Some(Tier::Gold) };
    assert_eq!(listed(&gold, 1).await, ["new", "a"]);
    let foreign = page(5).after("achievements.list~1~a~b".parse().unwrap());
    let repository = storage.user_achievements();
    invalid(repository.list(ada, &HeldFilter::default(), &foreign).await, "cursor");
}

/// Then by id; neither held nor inactive ones.
pub async fn what_is_missing_is_listed_closest_first(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let bump = bump("reactions", 5, CounterFold::Sum);
    storage.activity().bump_counters(ada, &[bump], now()).await.unwrap();
    let off = NewAchievement { is_active: false, ..achievement("off", &[("reactions", 6)]) };
    let definitions = [
        achievement("half", &[("reactions", 10)]),
        achievement("half-too", &[("level", 1), ("invites", 3)]),
        achievement("done", &[("reactions", 5)]),
        achievement("held", &[("reactions", 6)]),
        achievement("by-hand", &[]),
        achievement("nearly", &[("reactions", 6)]),
        off,
    ];
    storage.achievements().seed(&definitions, now()).await.unwrap();
    unlocked(&storage, ada, "held", now()).await;
    let repository = storage.user_achievements();
    for limit in [1, 2, 3, 5, 200] {
        let all = walk(limit, async |page| repository.pending(ada, now(), &page).await).await;
        let all: Vec<_> = all.iter().map(|one| (one.id.as_str(), one.progress.get())).collect();
        let expected = [
            ("done", 10_000),
            ("nearly", 8_333),
            ("half", 5_000),
            ("half-too", 5_000),
            ("by-hand", 0),
        ];
        assert_eq!(all, expected);
    }
    let first = repository.pending(ada, now(), &page(4)).await.unwrap().items.pop().unwrap();
    let each: Vec<_> = first.criteria.iter().map(|one| (one.value, one.progress.get())).collect();
    assert_eq!(each, [(Some(1), 10_000), (None, 0)]);
    let nobody = repository.pending(UserId(i64::MAX), now(), &page(5)).await;
    refused(nobody, ErrorKind::NotFound);
    let foreign = page(5).after("users.id~1".parse().unwrap());
    invalid(repository.pending(ada, now(), &foreign).await, "cursor");
}

/// How far one is, is no secret.
pub async fn what_is_hidden_is_listed_without_text(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let shown = NewAchievement {
        description: Some(Summary::parse("שלום 🌍").unwrap()),
        ..achievement("shown", &[("level", 2)])
    };
    let hidden = NewAchievement { hidden: true, ..shown.clone() };
    let hidden = NewAchievement { id: slug("hidden"), ..hidden };
    storage.achievements().seed(&[shown, hidden], now()).await.unwrap();
    let page = storage.user_achievements().pending(ada, now(), &page(5)).await.unwrap();
    let [hidden, shown] = page.items.as_slice() else { panic!("{page:?}") };
    assert_eq!((hidden.id.as_str(), &hidden.text), ("hidden", &None));
    assert_eq!(hidden.progress.get(), 5_000);
    let text = shown.text.as_ref().unwrap();
    assert_eq!(text.title.as_str(), "shown");
    assert_eq!(text.description.as_ref().unwrap().as_str(), "שלום 🌍");
}

/// Newest first, then by member, then by id; of active members; up to now.
pub async fn recent_unlocks_say_who_and_what(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let bob = given::member(&storage, "bob").await;
    let hidden = given::registered(&storage, "hidden").await;
    let definitions = ["a", "b", "c", "d"]
        .map(|id| NewAchievement { tier: Tier::Silver, ..achievement(id, &[]) });
    storage.achievements().seed(&definitions, now()).await.unwrap();
    unlocked(&storage, bob, "a", now()).await;
    unlocked(&storage, ada, "b", now()).await;
    unlocked(&storage, ada, "a", now()).await;
    unlocked(&storage, hidden.id, "a", now()).await;
    unlocked(&storage, bob, "b", now().minus(days(2)).plus(seconds(1))).await;
    unlocked(&storage, bob, "c", now().minus(days(2))).await;
    unlocked(&storage, bob, "d", now().plus(seconds(1))).await;
    let patch = UserPatch { is_active: Some(false), ..UserPatch::default() };
    storage.users().update(hidden.id, &patch, 1, false, now()).await.unwrap();
    let recent = async |limit| {
        let found = storage.user_achievements().recent(2, limit, now()).await.unwrap();
        assert!(found.iter().all(|one| one.tier == Tier::Silver));
        let shown =
            |one: &guildhall_domain::RecentUnlock| format!("{} {}", one.user_name, one.title);
        found.iter().map(shown).collect::<Vec<_>>()
    };
    assert_eq!(recent(50).await, ["ada a", "ada b", "bob a", "bob b"]);
    assert_eq!(recent(2).await, ["ada a", "ada b"]);
}

/// 1 to 90 days, 1 to 50 of them.
pub async fn a_look_back_is_bounded(storage: Arc<dyn Storage>) {
    let repository = storage.user_achievements();
    for days in [0, 91] {
        invalid(repository.recent(days, 5, now()).await, "days");
    }
    for limit in [0, 51] {
        invalid(repository.recent(5, limit, now()).await, "limit");
    }
    assert!(repository.recent(90, 50, now()).await.unwrap().is_empty());
}
