//! Acts that count for missions, and those that move points.

use guildhall_domain::{
    Award, CommunityZone, EntryReference, MissionCadence, MissionPatch, ObjectiveKind,
    Participation, Reward,
};
use guildhall_repository::BulkMode;
use guildhall_testkit::builder::{at_most, award, deduct, now, slug, source, transfer, xp};

use super::Scene;
use crate::workflows::ground::reward;

super::on_caches! {
    what_counts_for_missions
    what_members_do_every_day
    what_moves_points
}

async fn what_counts_for_missions(scene: Scene) {
    let [ada, bob, _] = scene.ids.members;
    let zone = CommunityZone::utc();
    for act in ["the first half of a mission", "the other half, which completes it"] {
        scene
            .after(act, &[ada], async |scene| {
                let (kind, dig) = (ObjectiveKind::Action, slug("dig"));
                scene.ground.missions.record_action(ada, kind, &dig, 1, None).await.unwrap();
            })
            .await;
    }
    scene
        .after("a completion that sets off others", &[ada], async |scene| {
            scene.ground.missions.advance(ada, &slug("see"), 0, 1, None).await.unwrap();
        })
        .await;
    scene
        .after("an advance", &[bob], async |scene| {
            scene.ground.missions.set_progress(bob, &slug("read"), 0, 1, None).await.unwrap();
        })
        .await;
    scene
        .after("a start", &[ada], async |scene| {
            let steps = scene.repositories().mission_progress();
            steps.start(ada, &slug("come_back"), &zone, now()).await.unwrap();
        })
        .await;
    scene
        .after("giving up", &[ada], async |scene| {
            let steps = scene.repositories().mission_progress();
            assert!(steps.abandon(ada, &slug("come_back"), &zone, now()).await.unwrap());
        })
        .await;
    scene
        .after("a completion by hand", &[ada], async |scene| {
            scene.ground.missions.complete(ada, &slug("come_back"), None).await.unwrap();
        })
        .await;
    scene
        .after("a reset", &[ada], async |scene| {
            let steps = scene.repositories().mission_progress();
            assert!(steps.reset_current(ada, &slug("dig"), &zone, now()).await.unwrap());
        })
        .await;
    scene
        .after("everybody's reset", &scene.ids.members, async |scene| {
            let steps = scene.repositories().mission_progress();
            let daily = MissionCadence::Daily;
            steps.reset_cadence(daily, None, at_most(50), &zone, now()).await.unwrap();
        })
        .await;
    scene
        .after("a change of the catalogue", &scene.ids.members, async |scene| {
            let patch = MissionPatch { sort_order: Some(9), ..MissionPatch::default() };
            let missions = scene.repositories().missions();
            missions.update(&slug("dig"), &patch, 1, now()).await.unwrap();
        })
        .await;
    scene
        .after("a mission that is switched off", &scene.ids.members, async |scene| {
            let missions = scene.repositories().missions();
            assert!(missions.set_active(&slug("greet"), false, now()).await.unwrap());
        })
        .await;
}

async fn what_members_do_every_day(scene: Scene) {
    let [ada, ..] = scene.ids.members;
    scene
        .after("a check-in", &[ada], async |scene| {
            scene.ground.activities.check_in(ada).await.unwrap();
        })
        .await;
    scene
        .after("a message, which leads to lore", &[ada], async |scene| {
            let outcome = scene.ground.activities.record_message(ada).await.unwrap();
            assert_eq!(outcome.value.effects.lore, [slug("old_map")]);
        })
        .await;
    scene
        .after("a message that is not paid", &[ada], async |scene| {
            let outcome = scene.ground.activities.record_message(ada).await.unwrap();
            assert_eq!(outcome.value.value, None);
        })
        .await;
    scene
        .after("taking part", &[ada], async |scene| {
            let (poll, reference) = (Participation::Poll, EntryReference::parse("p1").unwrap());
            scene.ground.activities.participate(ada, poll, &reference).await.unwrap();
        })
        .await;
    scene
        .after("a gift", &[ada], async |scene| {
            scene.ground.crediting.claim_daily_gift(ada).await.unwrap();
        })
        .await;
}

async fn what_moves_points(scene: Scene) {
    let [ada, bob, _] = scene.ids.members;
    scene
        .after("an award", &[ada], async |scene| {
            scene.ground.crediting.award(&award(ada, 7)).await.unwrap();
        })
        .await;
    scene
        .after("a deduction", &[ada], async |scene| {
            scene.ground.crediting.deduct(&deduct(ada, 2)).await.unwrap();
        })
        .await;
    scene
        .after("a transfer", &[ada, bob], async |scene| {
            scene.ground.crediting.transfer(&transfer(ada, bob, 3)).await.unwrap();
        })
        .await;
    scene
        .after("many awards", &[ada, bob], async |scene| {
            let awards: Vec<Award> = [ada, bob, ada].map(|user| award(user, 1)).into();
            let credited = scene.ground.crediting.award_all(&awards, BulkMode::Atomic).await;
            assert_eq!(credited.unwrap().len(), 3);
        })
        .await;
    scene
        .after("a prize that leads to a level", &[ada], async |scene| {
            let prize = [reward(5), Reward::Xp(xp(40)), Reward::Achievement(slug("finder"))];
            let contest = source("contest");
            scene.ground.rewards.grant(ada, &prize, &contest, "summer").await.unwrap();
        })
        .await;
}
