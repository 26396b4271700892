//! Acts in the story.

use guildhall_domain::{FragmentKind, NewFragment};
use guildhall_service::Pick;
use guildhall_testkit::builder::{now, slug, source};

use super::Scene;
use crate::workflows::ground::fragment;

super::on_caches! {
    the_way_through_the_story
    what_is_found
}

async fn the_way_through_the_story(scene: Scene) {
    let [ada, bob, _] = scene.ids.members;
    scene
        .after("the beginning of a story", &[ada], async |scene| {
            scene.ground.stories.start(ada).await.unwrap();
        })
        .await;
    scene
        .after("a decision that leads to lore", &[ada], async |scene| {
            let decided =
                scene.ground.stories.decide(ada, &slug("gate"), Pick::Index(0), None).await;
            assert_eq!(decided.unwrap().value.effects.lore, [slug("left_half")]);
        })
        .await;
    scene
        .after("going back", &[ada], async |scene| {
            assert!(scene.ground.stories.visit(ada, &slug("gate")).await.unwrap().replayed);
        })
        .await;
    scene
        .after("a decision that costs", &[ada], async |scene| {
            scene.ground.stories.decide(ada, &slug("gate"), Pick::Index(1), None).await.unwrap();
        })
        .await;
    scene
        .after("the end of a fragment, which completes missions", &[ada], async |scene| {
            let done = scene.ground.stories.complete(ada, &slug("tower")).await.unwrap();
            assert_eq!(done.value.effects.missions.len(), 2);
        })
        .await;
    scene
        .after("a decision of somebody else", &[bob], async |scene| {
            scene.ground.stories.decide(bob, &slug("gate"), Pick::Index(0), None).await.unwrap();
        })
        .await;
    scene
        .after("a new beginning", &[ada], async |scene| {
            assert!(scene.repositories().story().reset(ada, false).await.unwrap());
        })
        .await;
    scene
        .after("a change of the story", &scene.ids.members, async |scene| {
            let changed = NewFragment { chapter_level: 2, ..fragment("tower", FragmentKind::Info) };
            scene.repositories().narrative().update_fragment(&changed, 1, now()).await.unwrap();
        })
        .await;
}

async fn what_is_found(scene: Scene) {
    let [ada, bob, _] = scene.ids.members;
    for half in ["left_half", "right_half"] {
        scene
            .after(half, &[ada], async |scene| {
                let (half, admin) = (slug(half), source("admin"));
                scene.ground.stories.unlock_lore(ada, &half, &admin, None).await.unwrap();
            })
            .await;
    }
    scene
        .after("a combination that completes a mission", &[ada], async |scene| {
            let mut halves = std::collections::BTreeSet::new();
            for half in ["left_half", "right_half"] {
                let piece = scene.plain.lore().piece(&slug(half)).await.unwrap().unwrap();
                halves.insert(piece.id);
            }
            let found = scene.ground.stories.combine_hints(ada, &halves).await.unwrap();
            assert_eq!(found.value.effects.missions.len(), 1);
        })
        .await;
    scene
        .after("a find of somebody else", &[bob], async |scene| {
            let (code, admin) = (slug("secret"), source("admin"));
            scene.ground.stories.unlock_lore(bob, &code, &admin, None).await.unwrap();
        })
        .await;
    scene
        .after("lore that is switched off", &scene.ids.members, async |scene| {
            let lore = scene.repositories().lore();
            lore.set_active(&slug("old_map"), false, now()).await.unwrap();
        })
        .await;
}
