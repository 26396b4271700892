//! What members say of themselves, and what is said of them.

use std::sync::Arc;

use guildhall_domain::{
    AccessibilityPatch, ActivityRecord, CommunityZone, InterestLevel, MatchId, NewUser,
    OnboardingStep, Patch, PreferencesPatch, Theme, UiState, UserPatch,
};
use guildhall_service::Registration;
use guildhall_testkit::SeededRandom;
use guildhall_testkit::builder::{
    display_name, email, external, language, now, person, provider, telegram, topic, user, username,
};

use super::Scene;

super::on_caches! {
    what_members_say_of_themselves
    names_that_change
    what_is_noted_of_members
    who_comes
}

async fn what_members_say_of_themselves(scene: Scene) {
    let [ada, ..] = scene.ids.members;
    let category = scene.ids.category;
    scene
        .after("preferences", &[ada], async |scene| {
            let theme = PreferencesPatch { theme: Some(Theme::Dark), ..Default::default() };
            let preferences = scene.repositories().preferences();
            preferences.update_preferences(ada, &theme, 0, now()).await.unwrap();
        })
        .await;
    scene
        .after("a greater font", &[ada], async |scene| {
            let font = AccessibilityPatch { font_size: Some(30), ..Default::default() };
            let preferences = scene.repositories().preferences();
            preferences.update_accessibility(ada, &font, 0, now()).await.unwrap();
        })
        .await;
    scene
        .after("a first step", &[ada], async |scene| {
            let (preferences, step) =
                (scene.repositories().preferences(), OnboardingStep::Language);
            preferences.complete_onboarding_step(ada, step, now()).await.unwrap();
        })
        .await;
    for (tag, primary) in [("en", true), ("he", false)] {
        scene
            .after(tag, &[ada], async |scene| {
                let languages = scene.repositories().languages();
                languages.add(ada, &language(tag), None, primary, now()).await.unwrap();
            })
            .await;
    }
    scene
        .after("another first language", &[ada], async |scene| {
            scene.repositories().languages().set_primary(ada, &language("he")).await.unwrap();
        })
        .await;
    scene
        .after("a language less", &[ada], async |scene| {
            assert!(scene.repositories().languages().remove(ada, &language("en")).await.unwrap());
        })
        .await;
    scene
        .after("an interest", &[ada], async |scene| {
            let interests = scene.repositories().interests();
            interests.add(ada, category, InterestLevel::default(), now()).await.unwrap();
        })
        .await;
    scene
        .after("another name of a category", &scene.ids.members, async |scene| {
            let interests = scene.repositories().interests();
            interests.update_category(category, &topic("song"), 1).await.unwrap();
        })
        .await;
    scene
        .after("an interest less", &[ada], async |scene| {
            assert!(scene.repositories().interests().remove(ada, category).await.unwrap());
        })
        .await;
}

/// Names and pictures stand in rankings, and in what was unlocked lately.
async fn names_that_change(scene: Scene) {
    let [ada, bob, cleo] = scene.ids.members;
    let version =
        async |scene: &Scene, user| scene.plain.users().by_id(user).await.unwrap().unwrap().version;
    let patches = [
        (
            "a display name",
            UserPatch {
                display_name: Patch::Set(display_name("Bob the 🏗️ builder")),
                ..UserPatch::default()
            },
        ),
        (
            "a picture",
            UserPatch {
                avatar_url: Patch::Set("https://example.org/bob.png".parse().unwrap()),
                ..UserPatch::default()
            },
        ),
        (
            "another address",
            UserPatch { email: Patch::Set(email("countess@example.org")), ..UserPatch::default() },
        ),
        (
            "no display name and another username",
            UserPatch {
                display_name: Patch::Clear,
                username: Patch::Set(username("countess")),
                ..UserPatch::default()
            },
        ),
    ];
    for (act, patch) in patches {
        scene
            .after(act, &[bob], async |scene| {
                let version = version(scene, bob).await;
                let users = scene.repositories().users();
                users.update(bob, &patch, version, false, now()).await.unwrap();
            })
            .await;
    }
    let named = UserPatch { username: Patch::Set(username("countess")), ..UserPatch::default() };
    scene
        .after("a name that changes hands", &[ada, bob], async |scene| {
            let version = version(scene, ada).await;
            scene.repositories().users().update(ada, &named, version, true, now()).await.unwrap();
        })
        .await;
    scene
        .after("a name that changes hands within a unit", &scene.ids.members, async |scene| {
            let work = scene.ground.storage.begin().await.unwrap();
            let version = version(scene, cleo).await;
            work.users().update(cleo, &named, version, true, now()).await.unwrap();
            work.commit().await.unwrap();
        })
        .await;
    scene
        .after("an account elsewhere", &[bob], async |scene| {
            let faceit = external("faceit", "bob");
            scene.repositories().users().link_external(bob, &faceit, now()).await.unwrap();
        })
        .await;
    scene
        .after("an account elsewhere less", &[bob], async |scene| {
            let users = scene.repositories().users();
            assert!(users.unlink_external(bob, &provider("faceit"), now()).await.unwrap());
        })
        .await;
    scene
        .after("somebody who is hidden", &[cleo], async |scene| {
            let version = version(scene, cleo).await;
            let hidden = UserPatch { is_active: Some(false), ..UserPatch::default() };
            let users = scene.repositories().users();
            users.update(cleo, &hidden, version, false, now()).await.unwrap();
        })
        .await;
}

async fn what_is_noted_of_members(scene: Scene) {
    let [ada, ..] = scene.ids.members;
    scene
        .after("an administrator", &[ada], async |scene| {
            scene.repositories().users().set_admin(ada, true, now()).await.unwrap();
        })
        .await;
    scene
        .after("a menu", &[ada], async |scene| {
            let menu = UiState::parse("shop").unwrap();
            scene.repositories().users().set_ui_state(ada, &menu).await.unwrap();
        })
        .await;
    scene
        .after("a match", &[ada], async |scene| {
            let found = MatchId::parse("1-abc").unwrap();
            scene.repositories().users().set_last_checked_match(ada, &found).await.unwrap();
        })
        .await;
    scene
        .after("a login", &[ada], async |scene| {
            scene.repositories().users().touch_login(ada, now()).await.unwrap();
        })
        .await;
    scene
        .after("requests", &[ada], async |scene| {
            let records = [ActivityRecord { user: ada, at: now(), requests: 3 }];
            let zone = CommunityZone::utc();
            scene.repositories().activity().record(&records, &zone).await.unwrap();
        })
        .await;
}

async fn who_comes(scene: Scene) {
    let [ada, ..] = scene.ids.members;
    let (storage, random) = (Arc::clone(&scene.ground.storage), SeededRandom::new(5));
    let registration = Registration::new(storage, scene.ground.clock.clone(), Arc::new(random));
    scene
        .after("a registration", &[], async |_| {
            registration.register(&user("dora")).await.unwrap();
        })
        .await;
    scene
        .after("what a platform says of a member", &[ada], async |_| {
            let seed =
                NewUser { first_name: Some(person("Ada 👩‍💻")), ..NewUser::default() };
            let ensured = registration.ensure(&telegram("ada"), &seed).await.unwrap();
            assert!(ensured.replayed);
        })
        .await;
}
