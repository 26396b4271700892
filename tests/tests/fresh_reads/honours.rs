//! Achievements, badges and purchases.

use guildhall_domain::{AchievementPatch, BadgePatch, StoreItemKind, StoreOffer};
use guildhall_testkit::builder::{
    achievement, description, label, now, points, slug, source, summary,
};

use super::Scene;

super::on_caches! {
    what_is_unlocked
    badges_that_come_and_go
    what_is_bought
}

async fn what_is_unlocked(scene: Scene) {
    let [ada, ..] = scene.ids.members;
    scene
        .after("an unlock", &[ada], async |scene| {
            let admin = source("admin");
            scene.ground.achievements.unlock(ada, &slug("finder"), &admin, None).await.unwrap();
        })
        .await;
    scene
        .after("an evaluation that pays", &[ada], async |scene| {
            // Past the service: nobody has looked at the rules yet.
            let more = guildhall_testkit::builder::award(ada, 40);
            scene.repositories().points().award(&more, now()).await.unwrap();
            let found = scene.ground.achievements.evaluate(ada).await.unwrap();
            assert_eq!(found.value.effects.achievements, [slug("rich")]);
        })
        .await;
    scene
        .after("a new definition", &scene.ids.members, async |scene| {
            let new = [achievement("newcomer", &[("level", 1)])];
            scene.repositories().achievements().seed(&new, now()).await.unwrap();
        })
        .await;
    scene
        .after("another title", &scene.ids.members, async |scene| {
            let patch = AchievementPatch { title: Some(label("Seeker")), ..Default::default() };
            let achievements = scene.repositories().achievements();
            achievements.update(&slug("finder"), &patch, 1).await.unwrap();
        })
        .await;
    scene
        .after("an achievement that is switched off", &scene.ids.members, async |scene| {
            let achievements = scene.repositories().achievements();
            assert!(achievements.delete(&slug("rich"), false).await.unwrap());
        })
        .await;
}

async fn badges_that_come_and_go(scene: Scene) {
    let [ada, bob, _] = scene.ids.members;
    let [crown, spade] = scene.ids.badges;
    scene
        .after("a badge that makes a VIP", &[ada], async |scene| {
            scene.ground.badges.award(ada, crown, Some(bob), true).await.unwrap();
        })
        .await;
    scene
        .after("a badge that does not", &[ada], async |scene| {
            scene.ground.badges.award(ada, spade, None, true).await.unwrap();
        })
        .await;
    scene
        .after("the end of a badge and of a standing", &[ada], async |scene| {
            let why = description("Came to an end. 🫖");
            let taken = scene.ground.badges.revoke(ada, crown, Some(bob), Some(&why)).await;
            assert!(taken.unwrap().value.value);
        })
        .await;
    scene
        .after("a badge that looks different", &scene.ids.members, async |scene| {
            let said = guildhall_domain::Patch::Set(summary("Made of tin."));
            let patch = BadgePatch { description: said, ..BadgePatch::default() };
            scene.repositories().badges().update(crown, &patch, 1).await.unwrap();
        })
        .await;
}

async fn what_is_bought(scene: Scene) {
    let [ada, bob, _] = scene.ids.members;
    let [hat, boost] = scene.ids.items;
    scene
        .after("a purchase", &[ada], async |scene| {
            let bought = scene.ground.store.purchase(ada, hat, None).await.unwrap();
            assert!(bought.value.value.equipped);
        })
        .await;
    scene
        .after("a purchase that boosts", &[bob], async |scene| {
            scene.ground.store.purchase(bob, boost, None).await.unwrap();
        })
        .await;
    scene
        .after("another price", &scene.ids.members, async |scene| {
            let offer = StoreOffer {
                stock: Some(9),
                ..StoreOffer::new(label("Felt hat"), StoreItemKind::Avatar, points(4))
            };
            let store = scene.repositories().store();
            let version = store.by_id(hat).await.unwrap().unwrap().version;
            store.update(hat, &offer, version).await.unwrap();
        })
        .await;
}
