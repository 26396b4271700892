//! Promises of [`AchievementRepository`](guildhall_repository::AchievementRepository).

use std::collections::BTreeSet;
use std::sync::Arc;

use guildhall_domain::{
    Achievement, AchievementPatch, Comparison, Criterion, LegacyKey, NewAchievement, Patch, Points,
    RewardText, Summary, Tier, Url,
};
use guildhall_repository::{AchievementFilter, ErrorKind, SeedReport, Storage};

use super::expect::{invalid, refused, walk, winners};
use super::given;
use crate::builder::{
    achievement, at_most, label, metric, now, page, points, seconds, slug, unlock,
};

mod batch;

pub use batch::*;

#[doc(hidden)]
#[macro_export]
macro_rules! achievement_promises {
    ($with:tt => $($stamp:tt)+) => {
        $($stamp)+! { $with, achievement as achievement on MultiThread:
            an_achievement_comes_back_as_it_was_defined
            a_taken_id_is_refused_and_the_unit_goes_on
            what_makes_no_definition_is_refused
            achievements_are_answered_once_each_in_the_order_asked
            the_catalogue_is_listed_by_category_place_and_id
            a_cursor_of_another_list_is_refused
            achievements_are_found_by_what_they_look_at
            an_update_changes_what_its_patch_says
            an_update_replaces_all_criteria
            an_update_of_an_old_version_is_a_conflict
            fifty_updates_of_one_version_let_one_win
            an_achievement_is_deactivated_once
            an_achievement_is_removed_only_while_nobody_has_it
            many_achievements_are_defined_at_once
            a_batch_of_achievements_is_defined_wholly_or_not
            many_achievements_are_changed_at_once_or_none
            many_achievements_are_removed_at_once_or_none
            seeding_again_changes_nothing
            seeding_redefines_what_differs
            seeding_is_all_or_nothing
            ten_seeds_at_once_define_each_once
            a_catalogue_ends_at_1000
            the_catalogue_is_fresh_after_every_write
        }
    };
}
#[doc(hidden)]
pub use crate::achievement_promises as promises;

fn full(id: &str) -> NewAchievement {
    let criterion = |name: &str, comparison, threshold| Criterion {
        metric: metric(name),
        comparison,
        threshold,
    };
    NewAchievement {
        title: label("🏆 אלוף השבוע"),
        description: Some(Summary::parse(&"é".repeat(2_000)).unwrap()),
        category: slug("quiz.net"),
        tier: Tier::Platinum,
        icon_url: Some(Url::parse("https://example.org/🏆.png").unwrap()),
        reward_text: Some(RewardText::parse("A coffee ☕\nand a cake").unwrap()),
        reward_points: Points::from_minor(1_250).unwrap(),
        hidden: true,
        sort_order: i32::MIN,
        is_active: false,
        criteria: vec![
            criterion("zebras", Comparison::AtLeast, i64::MAX),
            criterion("apples", Comparison::AtMost, i64::MIN),
            criterion("apples", Comparison::AtLeast, -1),
            criterion("categories_perfect:7", Comparison::AtLeast, 0),
        ],
        legacy_key: Some(LegacyKey::parse("Old Key №1").unwrap()),
        ..NewAchievement::new(slug(id), label("title"))
    }
}

async fn created(storage: &Arc<dyn Storage>, new: &NewAchievement) -> Achievement {
    storage.achievements().create(new, now()).await.unwrap()
}

async fn ids(storage: &Arc<dyn Storage>, filter: &AchievementFilter, limit: u32) -> Vec<String> {
    let achievements = storage.achievements();
    let items = walk(limit, async |page| achievements.list(filter, &page).await).await;
    assert_eq!(achievements.count(filter).await.unwrap(), items.len() as u64);
    items.into_iter().map(|one| one.id.into_string()).collect()
}

/// Every field, the criteria in their order, and the defaults of a bare one.
pub async fn an_achievement_comes_back_as_it_was_defined(storage: Arc<dyn Storage>) {
    let achievements = storage.achievements();
    let longest = "x".repeat(100);
    for new in [full(&longest), achievement("bare", &[])] {
        let expected = Achievement::defined(new.clone(), now());
        assert_eq!(created(&storage, &new).await, expected);
        assert_eq!(achievements.by_id(&new.id).await.unwrap(), Some(expected.clone()));
        assert!(achievements.exists(&new.id).await.unwrap());
        let listed = achievements.by_ids(std::slice::from_ref(&new.id)).await.unwrap();
        assert_eq!(listed, [expected]);
    }
    assert_eq!(achievements.by_id(&slug("nothing")).await.unwrap(), None);
    assert!(!achievements.exists(&slug("nothing")).await.unwrap());
}

/// Nothing of the first one changes, either.
pub async fn a_taken_id_is_refused_and_the_unit_goes_on(storage: Arc<dyn Storage>) {
    let first = created(&storage, &achievement("one", &[("level", 2)])).await;
    let work = storage.begin().await.unwrap();
    let again = work.achievements().create(&full("one"), now()).await;
    refused(again, ErrorKind::AlreadyExists);
    work.achievements().create(&achievement("two", &[]), now()).await.unwrap();
    work.commit().await.unwrap();
    assert_eq!(storage.achievements().by_id(&slug("one")).await.unwrap(), Some(first));
    assert_eq!(ids(&storage, &AchievementFilter::default(), 50).await, ["one", "two"]);
}

/// By creation, change and seed alike; nothing is written.
pub async fn what_makes_no_definition_is_refused(storage: Arc<dyn Storage>) {
    let achievements = storage.achievements();
    let stored = created(&storage, &achievement("stored", &[])).await;
    let twice = achievement("a", &[("level", 1), ("level", 2)]);
    let costs =
        NewAchievement { reward_points: Points::from_minor(-1).unwrap(), ..achievement("a", &[]) };
    for (new, field) in [(twice, "criteria"), (costs, "reward_points")] {
        invalid(achievements.create(&new, now()).await, field);
        invalid(achievements.seed(std::slice::from_ref(&new), now()).await, field);
        let patch = AchievementPatch {
            reward_points: Some(new.reward_points),
            criteria: Some(new.criteria),
            ..AchievementPatch::default()
        };
        invalid(achievements.update(&stored.id, &patch, 1).await, field);
    }
    let same = [achievement("b", &[]), achievement("b", &[])];
    invalid(achievements.seed(&same, now()).await, "definitions");
    let many: Vec<_> = (0..501).map(|n| achievement(&format!("a{n}"), &[])).collect();
    invalid(achievements.seed(&many, now()).await, "definitions");
    assert_eq!(ids(&storage, &AchievementFilter::default(), 50).await, ["stored"]);
    assert_eq!(achievements.by_id(&stored.id).await.unwrap(), Some(stored));
}

/// At most 500.
pub async fn achievements_are_answered_once_each_in_the_order_asked(storage: Arc<dyn Storage>) {
    for id in ["a", "b", "c"] {
        created(&storage, &achievement(id, &[("level", 1), ("xp", 2)])).await;
    }
    let asked = ["c", "nothing", "a", "c"].map(slug);
    let found = storage.achievements().by_ids(&asked).await.unwrap();
    let found: Vec<_> = found.iter().map(|one| (one.id.as_str(), one.criteria.len())).collect();
    assert_eq!(found, [("c", 2), ("a", 2)]);
    assert!(storage.achievements().by_ids(&[]).await.unwrap().is_empty());
    let many: Vec<_> = (0..501).map(|n| slug(&format!("a{n}"))).collect();
    invalid(storage.achievements().by_ids(&many).await, "ids");
}

/// By bytes, whatever the language of the database; equal places go by id; pages lose nothing.
pub async fn the_catalogue_is_listed_by_category_place_and_id(storage: Arc<dyn Storage>) {
    let longest = "z".repeat(100);
    for (id, category, place, is_active) in [
        ("b", "quiz", 0, true),
        ("a", "quiz", 0, true),
        ("a-b", "quiz", 0, false),
        ("a_b", "quiz", 0, true),
        ("ab", "quiz", 0, true),
        ("first", "quiz", -1, true),
        ("last", "quiz", i32::MAX, true),
        ("zz", "a.before", 7, true),
        ("aa", longest.as_str(), 7, true),
    ] {
        let criteria = [("level", 1), ("xp", 1), ("messages", 1)];
        let new = NewAchievement {
            category: slug(category),
            sort_order: place,
            is_active,
            ..achievement(id, &criteria)
        };
        created(&storage, &new).await;
    }
    let all = ["zz", "first", "a", "a-b", "a_b", "ab", "b", "last", "aa"];
    for limit in [1, 2, 3, 9, 200] {
        assert_eq!(ids(&storage, &AchievementFilter::default(), limit).await, all);
    }
    let quiz = AchievementFilter { is_active: Some(true), category: Some(slug("quiz")) };
    assert_eq!(ids(&storage, &quiz, 2).await, ["first", "a", "a_b", "ab", "b", "last"]);
    let inactive = AchievementFilter { is_active: Some(false), category: None };
    assert_eq!(ids(&storage, &inactive, 2).await, ["a-b"]);
}

/// Also one that was made up.
pub async fn a_cursor_of_another_list_is_refused(storage: Arc<dyn Storage>) {
    for cursor in ["users.id~1", "achievements.list~1~a", "achievements.list~9999999999~a~b"] {
        let page = page(5).after(cursor.parse().unwrap());
        let filter = AchievementFilter::default();
        invalid(storage.achievements().list(&filter, &page).await, "cursor");
    }
}

/// The least threshold first, then by id; each once, though it look twice.
pub async fn achievements_are_found_by_what_they_look_at(storage: Arc<dyn Storage>) {
    created(&storage, &achievement("b", &[("level", 5), ("xp", 1)])).await;
    created(&storage, &achievement("a", &[("level", 5)])).await;
    created(&storage, &achievement("other", &[("levels", 1)])).await;
    let mut both = achievement("both", &[("level", 9)]);
    both.criteria.push(Criterion {
        metric: metric("level"),
        comparison: Comparison::AtMost,
        threshold: 3,
    });
    created(&storage, &both).await;
    let found = async |limit| {
        let found = storage.achievements().by_metric(&metric("level"), at_most(limit)).await;
        found.unwrap().into_iter().map(|one| one.id.into_string()).collect::<Vec<_>>()
    };
    assert_eq!(found(50).await, ["both", "a", "b"]);
    assert_eq!(found(1).await, ["both"]);
}

/// And nothing else. An empty patch changes nothing at all.
pub async fn an_update_changes_what_its_patch_says(storage: Arc<dyn Storage>) {
    let achievements = storage.achievements();
    let stored = created(&storage, &full("one")).await;
    let empty = AchievementPatch::default();
    assert_eq!(achievements.update(&stored.id, &empty, 99).await.unwrap(), stored);
    let patch = AchievementPatch {
        title: Some(label("New")),
        description: Patch::Clear,
        reward_text: Patch::Set(RewardText::parse("tea").unwrap()),
        tier: Some(Tier::None),
        is_active: Some(true),
        ..AchievementPatch::default()
    };
    let expected = patch.clone().applied_to(stored.clone()).unwrap();
    assert_eq!(achievements.update(&stored.id, &patch, 1).await.unwrap(), expected);
    assert_eq!(achievements.by_id(&stored.id).await.unwrap(), Some(expected.clone()));
    assert_eq!((expected.version, expected.hidden), (2, true));
    let nothing = achievements.update(&slug("nothing"), &patch, 1).await;
    refused(nothing, ErrorKind::NotFound);
}

/// Also by none.
pub async fn an_update_replaces_all_criteria(storage: Arc<dyn Storage>) {
    let stored = created(&storage, &full("one")).await;
    for (version, new) in [(1, achievement("x", &[("xp", 3)])), (2, achievement("x", &[]))] {
        let criteria = Some(new.criteria.clone());
        let patch = AchievementPatch { criteria, ..AchievementPatch::default() };
        storage.achievements().update(&stored.id, &patch, version).await.unwrap();
        let found = storage.achievements().by_id(&stored.id).await.unwrap().unwrap();
        assert_eq!((found.criteria, found.version), (new.criteria, version + 1));
    }
}

/// Nothing is written.
pub async fn an_update_of_an_old_version_is_a_conflict(storage: Arc<dyn Storage>) {
    let stored = created(&storage, &achievement("one", &[])).await;
    let patch = AchievementPatch { hidden: Some(true), ..AchievementPatch::default() };
    for version in [0, 2] {
        let outcome = storage.achievements().update(&stored.id, &patch, version).await;
        refused(outcome, ErrorKind::Conflict);
    }
    assert_eq!(storage.achievements().by_id(&stored.id).await.unwrap(), Some(stored));
}

/// The others learn of the conflict.
pub async fn fifty_updates_of_one_version_let_one_win(storage: Arc<dyn Storage>) {
    created(&storage, &achievement("one", &[])).await;
    let outcomes = given::at_once(50, &storage, |storage, task| async move {
        let criteria = achievement("x", &[("level", task as i64)]).criteria;
        let patch = AchievementPatch { criteria: Some(criteria), ..AchievementPatch::default() };
        storage.achievements().update(&slug("one"), &patch, 1).await
    })
    .await;
    let (won, lost) = winners(outcomes, ErrorKind::Conflict);
    assert_eq!((won.len(), lost.len()), (1, 49));
    assert_eq!(storage.achievements().by_id(&slug("one")).await.unwrap().as_ref(), won.first());
}

/// It stays, for those who have it.
pub async fn an_achievement_is_deactivated_once(storage: Arc<dyn Storage>) {
    let achievements = storage.achievements();
    created(&storage, &achievement("one", &[("level", 1)])).await;
    assert!(achievements.delete(&slug("one"), false).await.unwrap());
    assert!(!achievements.delete(&slug("one"), false).await.unwrap());
    assert!(!achievements.delete(&slug("nothing"), false).await.unwrap());
    let found = achievements.by_id(&slug("one")).await.unwrap().unwrap();
    assert_eq!((found.is_active, found.version, found.criteria.len()), (false, 2, 1));
}

/// With its criteria; its id is free again.
pub async fn an_achievement_is_removed_only_while_nobody_has_it(storage: Arc<dyn Storage>) {
    let achievements = storage.achievements();
    let ada = given::member(&storage, "ada").await;
    for id in ["held", "free"] {
        created(&storage, &achievement(id, &[("level", 1)])).await;
    }
    storage.user_achievements().unlock(&unlock(ada, "held"), now()).await.unwrap();
    refused(achievements.delete(&slug("held"), true).await, ErrorKind::InvalidState);
    assert!(achievements.by_id(&slug("held")).await.unwrap().unwrap().is_active);
    assert!(achievements.delete(&slug("free"), true).await.unwrap());
    assert!(!achievements.delete(&slug("free"), true).await.unwrap());
    assert_eq!(achievements.by_id(&slug("free")).await.unwrap(), None);
    assert_eq!(achievements.by_metric(&metric("level"), at_most(5)).await.unwrap().len(), 1);
    created(&storage, &achievement("free", &[])).await;
}

fn report(inserted: u64, updated: u64, unchanged: u64) -> SeedReport {
    SeedReport { inserted, updated, unchanged }
}

/// Not even the versions.
pub async fn seeding_again_changes_nothing(storage: Arc<dyn Storage>) {
    let achievements = storage.achievements();
    let definitions = [full("b"), achievement("a", &[("level", 3)]), achievement("c", &[])];
    assert_eq!(achievements.seed(&definitions, now()).await.unwrap(), report(3, 0, 0));
    for new in &definitions {
        let expected = Achievement::defined(new.clone(), now());
        assert_eq!(achievements.by_id(&new.id).await.unwrap(), Some(expected));
    }
    let later = now().plus(seconds(60));
    assert_eq!(achievements.seed(&definitions, later).await.unwrap(), report(0, 0, 3));
    let found = achievements.by_id(&slug("b")).await.unwrap();
    assert_eq!(found, Some(Achievement::defined(full("b"), now())));
    assert_eq!(achievements.seed(&[], now()).await.unwrap(), report(0, 0, 0));
}

/// Criteria too. Whether it is active stays the operator's choice.
pub async fn seeding_redefines_what_differs(storage: Arc<dyn Storage>) {
    let achievements = storage.achievements();
    let definitions = [achievement("a", &[("level", 3)]), achievement("b", &[])];
    achievements.seed(&definitions, now()).await.unwrap();
    achievements.delete(&slug("a"), false).await.unwrap();
    let changed = [
        NewAchievement { reward_points: points(5), ..achievement("a", &[("xp", 4), ("level", 3)]) },
        achievement("b", &[]),
        achievement("c", &[]),
    ];
    assert_eq!(achievements.seed(&changed, now()).await.unwrap(), report(1, 1, 1));
    let found = achievements.by_id(&slug("a")).await.unwrap().unwrap();
    assert_eq!((found.reward_points, &found.criteria), (points(5), &changed[0].criteria));
    assert_eq!((found.version, found.is_active), (3, false));
}

/// A unit that rolls back leaves nothing of it.
pub async fn seeding_is_all_or_nothing(storage: Arc<dyn Storage>) {
    let stored = created(&storage, &achievement("a", &[("level", 3)])).await;
    let work = storage.begin().await.unwrap();
    let definitions = [achievement("a", &[]), achievement("b", &[("level", 1)])];
    let seeded = work.achievements().seed(&definitions, now()).await.unwrap();
    assert_eq!(seeded, report(1, 1, 0));
    work.rollback().await.unwrap();
    assert_eq!(storage.achievements().by_id(&slug("a")).await.unwrap(), Some(stored));
    assert_eq!(ids(&storage, &AchievementFilter::default(), 50).await, ["a"]);
}

/// In whatever order each has them.
pub async fn ten_seeds_at_once_define_each_once(storage: Arc<dyn Storage>) {
    let outcomes = given::at_once(10, &storage, |storage, task| async move {
        let criteria = [("level", 1), ("xp", 2)];
        let mut definitions: Vec<_> =
            (0..20).map(|n| achievement(&format!("a{n:02}"), &criteria)).collect();
        definitions.rotate_left(task * 2);
        storage.achievements().seed(&definitions, now()).await
    })
    .await;
    for outcome in outcomes {
        let SeedReport { inserted, updated, unchanged } = outcome.unwrap();
        assert_eq!(inserted + updated + unchanged, 20);
    }
    let achievements = storage.achievements();
    let all = walk(7, async |page| achievements.list(&AchievementFilter::default(), &page).await);
    let all = all.await;
    let names: BTreeSet<_> = all.iter().map(|one| &one.id).collect();
    assert_eq!((all.len(), names.len()), (20, 20));
    assert!(all.iter().all(|one| one.criteria.len() == 2));
}

/// What is there can still be changed.
pub async fn a_catalogue_ends_at_1000(storage: Arc<dyn Storage>) {
    let achievements = storage.achievements();
    for half in 0..2 {
        let definitions: Vec<_> =
            (0..500).map(|n| achievement(&format!("a{half}.{n:03}"), &[])).collect();
        achievements.seed(&definitions, now()).await.unwrap();
    }
    let one_more = achievement("b", &[]);
    refused(achievements.create(&one_more, now()).await, ErrorKind::LimitExceeded);
    let both = [one_more, achievement("a0.000", &[("level", 1)])];
    refused(achievements.seed(&both, now()).await, ErrorKind::LimitExceeded);
    assert_eq!(achievements.count(&AchievementFilter::default()).await.unwrap(), 1000);
    assert_eq!(achievements.seed(&both[1..], now()).await.unwrap(), report(0, 1, 0));
}

/// Every page, every filter, the count and the single ones; a unit's writes with its commit.
pub async fn the_catalogue_is_fresh_after_every_write(storage: Arc<dyn Storage>) {
    let all = AchievementFilter::default();
    let active = AchievementFilter { is_active: Some(true), ..all.clone() };
    let expect = async |every: &[&str], usable: &[&str]| {
        for limit in [1, 2, 50] {
            assert_eq!(ids(&storage, &all, limit).await, every);
            assert_eq!(ids(&storage, &active, limit).await, usable);
        }
        for id in ["a", "b", "c"] {
            let found = storage.achievements().by_id(&slug(id)).await.unwrap();
            assert_eq!(found.is_some(), every.contains(&id), "{id}");
            assert_eq!(found.is_some_and(|one| one.is_active), usable.contains(&id), "{id}");
        }
    };
    expect(&[], &[]).await;
    created(&storage, &achievement("a", &[])).await;
    expect(&["a"], &["a"]).await;
    let seeded = [achievement("b", &[]), achievement("c", &[])];
    storage.achievements().seed(&seeded, now()).await.unwrap();
    expect(&["a", "b", "c"], &["a", "b", "c"]).await;
    storage.achievements().delete(&slug("b"), false).await.unwrap();
    expect(&["a", "b", "c"], &["a", "c"]).await;
    let patch = AchievementPatch { is_active: Some(true), ..AchievementPatch::default() };
    storage.achievements().update(&slug("b"), &patch, 2).await.unwrap();
    expect(&["a", "b", "c"], &["a", "b", "c"]).await;
    let work = storage.begin().await.unwrap();
    work.achievements().delete(&slug("c"), true).await.unwrap();
    work.commit().await.unwrap();
    expect(&["a", "b"], &["a", "b"]).await;
}
