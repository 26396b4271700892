use std::sync::Arc;

use guildhall_domain::{
    BadgeRule, BasisPoints, Comparison, CounterBump, CounterFold, Criterion, EarningRules,
    MetricSnapshot, NewAchievement, NewBadge, UserId, Vip,
};
use guildhall_repository::{ErrorKind, Storage};

use super::super::expect::refused;
use super::super::given;
use crate::builder::{
    achievement, award, badge, badge_award, bump, days, deduct, metric, now, slug, unlock,
};
use crate::random::SeededRandom;

async fn metrics(storage: &Arc<dyn Storage>, user: UserId) -> MetricSnapshot {
    storage.user_achievements().metrics(user, now()).await.unwrap()
}

async fn counted(storage: &Arc<dyn Storage>, user: UserId, counters: &[(&str, i64)]) {
    for (counter, value) in counters {
        let bump = bump(counter, *value, CounterFold::Sum);
        storage.activity().bump_counters(user, &[bump], now()).await.unwrap();
    }
}

async fn candidates(storage: &Arc<dyn Storage>, metrics: &MetricSnapshot) -> Vec<String> {
    let found = storage.user_achievements().candidates(metrics).await.unwrap();
    found.into_iter().map(|one| one.id.into_string()).collect()
}

/// Built-in ones, counters, and categories among counters.
pub async fn metrics_hold_everything_that_is_known(storage: Arc<dyn Storage>) {
    let ada = given::vip(&storage, "ada", Vip::Lifetime).await;
    storage.points().award(&award(ada, 700), now()).await.unwrap();
    storage.points().deduct(&deduct(ada, 200), now()).await.unwrap();
    let (rules, once) = (EarningRules::default(), BasisPoints::ONE);
    storage.points().record_message(ada, &rules, once, now()).await.unwrap();
    storage.points().check_in(ada, &rules, once, now()).await.unwrap();
    let counters = [("reactions", 3), ("perfect_tests:net", 2), ("perfect_tests:os", 1)];
    counted(&storage, ada, &counters).await;
    let account = storage.points().account(ada).await.unwrap().unwrap();
    let later = now().plus(days(3));
    let found = storage.user_achievements().metrics(ada, later).await.unwrap();
    assert_eq!(found.user(), ada);
    for (name, value) in [
        ("points", account.balance().minor()),
        ("points_earned", account.parts().lifetime_earned.minor()),
        ("xp", account.xp().minor()),
        ("level", i64::from(account.level())),
        ("messages", 1),
        ("checkin_streak", 1),
        ("missions", 0),
        ("vip", 1),
        ("account_age_days", 3),
        ("reactions", 3),
        ("categories_perfect:1", 2),
        ("categories_perfect:2", 1),
    ] {
        assert_eq!(found.value(&metric(name)), Some(value), "{name}");
    }
    assert_eq!(found.value(&metric("invites")), None);
    assert!(account.balance() < account.parts().lifetime_earned);
    assert_eq!(account.level(), 2);
}

/// Nor those of a deleted member.
pub async fn metrics_of_nobody_are_not_found(storage: Arc<dyn Storage>) {
    let gone = given::member(&storage, "gone").await;
    storage.users().delete(gone, now()).await.unwrap();
    for nobody in [gone, UserId(i64::MAX)] {
        let found = storage.user_achievements().metrics(nobody, now()).await;
        refused(found, ErrorKind::NotFound);
    }
}

/// Two hundred random definitions: the query and the rule agree on each.
pub async fn candidates_are_what_the_rules_allow(storage: Arc<dyn Storage>) {
    const NAMES: [&str; 6] = ["level", "messages", "reactions", "invites", "a", "perfect_tests:x"];
    let ada = given::member(&storage, "ada").await;
    counted(&storage, ada, &[("reactions", 3), ("a", -2), ("perfect_tests:x", 2)]).await;
    let random = SeededRandom::new(7);
    let definitions: Vec<NewAchievement> = (0..200)
        .map(|n| {
            let mut new = achievement(&format!("a{n:03}"), &[]);
            for _ in 0..random.index(4) {
                let name = if random.index(5) == 0 {
                    format!("categories_perfect:{}", 1 + random.index(3))
                } else {
                    NAMES[random.index(NAMES.len())].to_owned()
                };
                let comparison = Comparison::ALL[random.index(2)];
                let threshold = i64::try_from(random.index(7)).unwrap() - 3;
                let criterion = Criterion { metric: metric(&name), comparison, threshold };
                let same = |other: &Criterion| {
                    (&other.metric, other.comparison) == (&criterion.metric, comparison)
                };
                if !new.criteria.iter().any(same) {
                    new.criteria.push(criterion);
                }
            }
            new
        })
        .collect();
    storage.achievements().seed(&definitions, now()).await.unwrap();
    let metrics = metrics(&storage, ada).await;
    let found = storage.user_achievements().candidates(&metrics).await.unwrap();
    let allowed: Vec<_> = definitions
        .iter()
        .filter(|new| {
            !new.criteria.is_empty() && new.criteria.iter().all(|one| one.holds(&metrics))
        })
        .map(|new| (&new.id, &new.criteria))
        .collect();
    assert!(allowed.len() > 20 && allowed.len() < 180, "{}", allowed.len());
    let found: Vec<_> = found.iter().map(|one| (&one.id, &one.criteria)).collect();
    assert_eq!(found, allowed);
}

/// Neither held ones, nor inactive ones, nor those by hand.
pub async fn candidates_are_open_active_and_ruled(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let bob = given::member(&storage, "bob").await;
    let inactive = NewAchievement { is_active: false, ..achievement("off", &[("level", 1)]) };
    let definitions = [
        achievement("held", &[("level", 1)]),
        achievement("open", &[("level", 1)]),
        achievement("far", &[("level", 2)]),
        achievement("by-hand", &[]),
        inactive,
    ];
    storage.achievements().seed(&definitions, now()).await.unwrap();
    storage.user_achievements().unlock(&unlock(ada, "held"), now()).await.unwrap();
    let hers = metrics(&storage, ada).await;
    assert_eq!(candidates(&storage, &hers).await, ["open"]);
    assert_eq!(candidates(&storage, &hers.with(metric("level"), 2)).await, ["far", "open"]);
    let his = metrics(&storage, bob).await;
    assert_eq!(candidates(&storage, &his).await, ["held", "open"]);
}

/// All of them at most, and as many as there are held makes no difference.
pub async fn five_hundred_definitions_are_weighed_at_once(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    counted(&storage, ada, &[("reactions", 1_000)]).await;
    for part in 0..2 {
        let definitions: Vec<_> = (0..300)
            .map(|n| achievement(&format!("a{part}.{n:03}"), &[("level", 1), ("reactions", n)]))
            .collect();
        storage.achievements().seed(&definitions, now()).await.unwrap();
    }
    let metrics = metrics(&storage, ada).await;
    let found = candidates(&storage, &metrics).await;
    assert_eq!(found.len(), 500);
    assert!(found.is_sorted());
    for id in &found[..20] {
        storage.user_achievements().unlock(&unlock(ada, id), now()).await.unwrap();
    }
    let rest = candidates(&storage, &metrics).await;
    assert_eq!((rest.len(), &rest[..480]), (500, &found[20..]));
}

/// What the unit itself wrote counts.
pub async fn candidates_are_fresh_inside_a_unit(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let definitions =
        [achievement("some", &[("reactions", 1)]), achievement("more", &[("reactions", 2)])];
    storage.achievements().seed(&definitions, now()).await.unwrap();
    let work = storage.begin().await.unwrap();
    let bump = bump("reactions", 2, CounterFold::Sum);
    work.activity().bump_counters(ada, &[bump], now()).await.unwrap();
    let repository = work.user_achievements();
    let metrics = repository.metrics(ada, now()).await.unwrap();
    assert_eq!(repository.candidates(&metrics).await.unwrap().len(), 2);
    repository.unlock(&unlock(ada, "some"), now()).await.unwrap();
    let left = repository.candidates(&metrics).await.unwrap();
    assert_eq!(left.iter().map(|one| one.id.as_str()).collect::<Vec<_>>(), ["more"]);
    work.rollback().await.unwrap();
    let metrics = storage.user_achievements().metrics(ada, now()).await.unwrap();
    assert!(candidates(&storage, &metrics).await.is_empty());
}

/// Everything else as it is; the least threshold first.
pub async fn qualifying_asks_what_would_be(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let definitions = [
        achievement("c", &[("messages", 10)]),
        achievement("a", &[("messages", 100)]),
        achievement("b", &[("messages", 100), ("level", 1)]),
        achievement("high", &[("messages", 5), ("level", 9)]),
        achievement("held", &[("messages", 1)]),
        achievement("other", &[("level", 1)]),
        achievement("far", &[("messages", 101)]),
    ];
    storage.achievements().seed(&definitions, now()).await.unwrap();
    storage.user_achievements().unlock(&unlock(ada, "held"), now()).await.unwrap();
    let messages = metric("messages");
    let found = async |user, value| {
        storage.user_achievements().qualifying(user, &messages, value, now()).await
    };
    let named = |found: Vec<guildhall_domain::Achievement>| {
        found.into_iter().map(|one| one.id.into_string()).collect::<Vec<_>>()
    };
    assert_eq!(named(found(ada, 100).await.unwrap()), ["c", "a", "b"]);
    assert_eq!(named(found(ada, 9).await.unwrap()), [""; 0]);
    refused(found(UserId(i64::MAX), 1).await, ErrorKind::NotFound);
    let known = storage.user_achievements().has(ada, &slug("c")).await.unwrap();
    assert!(!known, "asking unlocks nothing");
}

/// In this order, and not with another result in one call; once.
pub async fn a_good_result_after_a_bad_one_is_a_redemption(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let bob = given::member(&storage, "bob").await;
    let result = async |user, basis_points: i64| {
        let bumps = ["highest_score_bp", "lowest_score_bp"]
            .map(|counter| CounterBump::builtin(counter, basis_points).unwrap());
        let counters = storage.activity().bump_counters(user, &bumps, now()).await.unwrap();
        assert_eq!(counters.len(), 2);
        let metrics = storage.user_achievements().metrics(user, now()).await.unwrap();
        metrics.value(&metric("redemption"))
    };
    assert_eq!(result(ada, 9_500).await, None);
    assert_eq!(result(ada, 4_000).await, None);
    assert_eq!(result(ada, 8_999).await, None);
    assert_eq!(result(ada, 9_000).await, Some(1));
    assert_eq!(result(ada, 10_000).await, Some(1));
    assert_eq!(result(bob, 4_001).await, None);
    assert_eq!(result(bob, 10_000).await, None);
}

/// What one look finds is what the candidates of achievements and of badges are by the metrics.
pub async fn what_is_earned_is_what_its_parts_say(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let definitions = [
        achievement("rich", &[("points_earned", 1_000)]),
        achievement("richer", &[("points_earned", 2_000)]),
        achievement("by_hand", &[]),
    ];
    storage.achievements().seed(&definitions, now()).await.unwrap();
    for (name, threshold) in [("first", 1), ("far", 9)] {
        let rule = BadgeRule { metric: metric("level"), threshold };
        let new = NewBadge { rule: Some(rule), ..badge(name) };
        storage.badges().create(&new, now()).await.unwrap();
    }
    let looked = async |found: (&[&str], usize)| {
        let repository = storage.user_achievements();
        let earned = repository.earned(ada, now()).await.unwrap();
        let metrics = repository.metrics(ada, now()).await.unwrap();
        assert_eq!(earned.achievements, repository.candidates(&metrics).await.unwrap());
        assert_eq!(earned.badges, storage.badges().candidates(&metrics).await.unwrap());
        let ids: Vec<_> = earned.achievements.iter().map(|it| it.id.as_str()).collect();
        assert_eq!((&ids[..], earned.badges.len()), found);
        earned
    };
    looked((&[], 1)).await;
    storage.points().award(&award(ada, 15), now()).await.unwrap();
    let earned = looked((&["rich"], 1)).await;
    storage.user_achievements().unlock(&unlock(ada, "rich"), now()).await.unwrap();
    storage.badges().give(&badge_award(ada, earned.badges[0].id), now()).await.unwrap();
    looked((&[], 0)).await;
    let nobody = storage.user_achievements().earned(UserId(ada.0 + 1), now()).await;
    refused(nobody, ErrorKind::NotFound);
}

/// By points, experience or levels, of an achievement or a badge, switched on and not had yet. What
/// is earned now is not had yet.
pub async fn it_is_told_whether_points_may_earn_more(storage: Arc<dyn Storage>) {
    let earned = async |user| storage.user_achievements().earned(user, now()).await.unwrap();
    let ada = given::member(&storage, "ada").await;
    let talk = achievement("talk", &[("level", 1)]);
    storage.achievements().create(&talk, now()).await.unwrap();
    assert!(earned(ada).await.points_may_earn_more, "it looks at levels itself");
    storage.user_achievements().unlock(&unlock(ada, "talk"), now()).await.unwrap();
    let nothing = earned(ada).await;
    assert_eq!((nothing.achievements.len(), nothing.points_may_earn_more), (0, false));

    // Something that is earned all along, and pays or does not.
    let old = achievement("old", &[("account_age_days", 0)]);
    storage.achievements().create(&old, now()).await.unwrap();
    assert!(!earned(ada).await.points_may_earn_more);
    for metric_of in ["points", "points_earned", "xp", "level"] {
        let far = achievement(&format!("far.{metric_of}"), &[("messages", 9), (metric_of, 99_999)]);
        let far = storage.achievements().create(&far, now()).await.unwrap();
        let seen = earned(ada).await;
        assert_eq!((seen.achievements.len(), seen.points_may_earn_more), (1, true), "{metric_of}");
        assert!(storage.achievements().delete(&far.id, false).await.unwrap());
        assert!(!earned(ada).await.points_may_earn_more, "it is switched off");
    }
    let rule = BadgeRule { metric: metric("xp"), threshold: 99_999 };
    let star = NewBadge { rule: Some(rule), ..badge("star") };
    let star = storage.badges().create(&star, now()).await.unwrap();
    assert!(earned(ada).await.points_may_earn_more);
    storage.badges().give(&badge_award(ada, star.id), now()).await.unwrap();
    assert!(!earned(ada).await.points_may_earn_more);
    let bob = given::member(&storage, "bob").await;
    assert!(earned(bob).await.points_may_earn_more, "what others have is not had");
}
