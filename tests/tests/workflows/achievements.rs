//! Achievements and badges: each once, and with them what they bring.

use std::sync::Arc;

use guildhall_domain::{BadgeRule, Label, Metric, NewAchievement, NewBadge, Slug, VipTerm};
use guildhall_repository::ErrorKind;
use guildhall_testkit::builder::{award, now, points, slug, source};

use super::ground::{Ground, earned};

super::on_storages! {
    a_hundred_unlocks_are_a_hundred_rows
    what_pays_may_earn_more
    a_badge_makes_a_vip_for_as_long_as_it_is_held
    five_hundred_definitions_cost_no_more_statements
}

async fn a_hundred_unlocks_are_a_hundred_rows(ground: Ground) {
    let ground = Arc::new(ground);
    let member = ground.member("ada").await;
    let ids: Vec<Slug> = (0..100).map(|n| slug(&format!("honour{n}"))).collect();
    let new = |id: &Slug| NewAchievement {
        reward_points: points(1),
        ..NewAchievement::new(id.clone(), Label::parse(id.as_str()).unwrap())
    };
    let definitions: Vec<_> = ids.iter().map(new).collect();
    ground.storage.achievements().seed(&definitions, now()).await.unwrap();
    let calls = ids.iter().chain(&ids).cloned().map(|id| {
        let ground = Arc::clone(&ground);
        tokio::spawn(async move {
            ground.achievements.unlock(member, &id, &source("admin"), None).await.unwrap()
        })
    });
    let done = futures_util::future::join_all(calls).await;
    let first = done.into_iter().filter(|outcome| !outcome.as_ref().unwrap().replayed).count();
    assert_eq!(first, 100);
    let summary = ground.storage.user_achievements().summary(member).await.unwrap();
    assert_eq!(summary.total, 100);
    assert_eq!(ground.balance(member).await, 10_000);
    assert_eq!(ground.sources(member).await.len(), 100);
    ground.verify().await;
}

async fn what_pays_may_earn_more(ground: Ground) {
    let member = ground.member("ada").await;
    for (id, threshold) in [("a", 100), ("b", 1_100), ("c", 2_100), ("d", 3_200)] {
        ground.achievement(earned(id, "points_earned", threshold, 10)).await;
    }
    ground.storage.points().award(&award(member, 1), now()).await.unwrap();
    let outcome = ground.achievements.evaluate(member).await.unwrap();
    let unlocked: Vec<_> =
        outcome.value.effects.achievements.iter().map(|it| it.as_str()).collect();
    assert_eq!(unlocked, ["a", "b", "c"]);
    assert_eq!(ground.balance(member).await, 3_100);
    assert!(ground.achievements.evaluate(member).await.unwrap().replayed);
    ground.verify().await;
}

async fn a_badge_makes_a_vip_for_as_long_as_it_is_held(ground: Ground) {
    let member = ground.member("ada").await;
    ground.achievement(earned("noble", "vip", 1, 0)).await;
    let new = NewBadge {
        vip: Some(VipTerm::Lifetime),
        rule: Some(BadgeRule { metric: Metric::parse("level").unwrap(), threshold: 2 }),
        ..NewBadge::new(Label::parse("Crown").unwrap())
    };
    let badge = ground.storage.badges().create(&new, now()).await.unwrap().id;
    let refused = ground.badges.award(member, badge, None, false).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::AccessDenied);
    let given = ground.badges.award(member, badge, None, true).await.unwrap();
    assert_eq!(given.value.effects.achievements, [slug("noble")]);
    assert!(ground.badges.award(member, badge, None, true).await.unwrap().replayed);
    let vip = async || {
        let found = ground.storage.users().by_id(member).await.unwrap().unwrap();
        found.vip.is_active(now())
    };
    assert!(vip().await);
    assert!(ground.badges.revoke(member, badge, None, None).await.unwrap().value.value);
    assert!(!vip().await);
    let again = ground.badges.revoke(member, badge, None, None).await.unwrap();
    assert!(again.replayed && !again.value.value);
}

async fn five_hundred_definitions_cost_no_more_statements(ground: Ground) {
    let member = ground.member("ada").await;
    let definitions: Vec<_> = (0..500)
        .map(|n| earned(&format!("rich{n:03}"), "points_earned", 100 * (n + 1), 0))
        .collect();
    ground.storage.achievements().seed(&definitions, now()).await.unwrap();
    ground.storage.points().award(&award(member, 250), now()).await.unwrap();
    let outcome = ground.achievements.evaluate(member).await.unwrap();
    assert_eq!(outcome.value.effects.achievements.len(), 250);
    let summary = ground.storage.user_achievements().summary(member).await.unwrap();
    assert_eq!(summary.total, 250);
    assert!(ground.achievements.evaluate(member).await.unwrap().replayed);
}
