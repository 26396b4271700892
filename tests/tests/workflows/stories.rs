//! The story: what is visited, completed and decided, and what it brings, once.

use std::collections::BTreeSet;
use std::sync::Arc;

use guildhall_domain::{
    ChoiceText, Effect, EffectAction, EffectTrigger, FragmentKind, HintCombination, NewChoice,
    NewFragment, Objective, ObjectiveKind, Requirement, Reward,
};
use guildhall_repository::ErrorKind;
use guildhall_service::Pick;
use guildhall_testkit::builder::{amount, award, now, slug, source};

use super::ground::{Ground, fragment, mission, reward};

super::on_storages! {
    a_story_is_walked_and_pays_once
    two_clicks_are_one_decision
    what_is_missing_is_named
    hints_lead_to_lore
}

fn choice(text: &str, to: &str) -> NewChoice {
    NewChoice::new(ChoiceText::parse(text).unwrap(), slug(to))
}

fn effect(trigger: EffectTrigger, reward: Reward) -> Effect {
    Effect { trigger, action: EffectAction::Reward(reward) }
}

/// A gate with two ways: the garden, and the tower, which costs and asks for lore.
async fn castle(ground: &Ground) {
    ground.lore("old_map").await;
    for (id, effects) in [
        ("garden", vec![effect(EffectTrigger::Visit, Reward::Lore(slug("old_map")))]),
        ("tower", vec![effect(EffectTrigger::Complete, reward(4))]),
    ] {
        ground.fragment(NewFragment { effects, ..fragment(id, FragmentKind::Story) }).await;
    }
    let tower = NewChoice {
        cost: Some(amount(3)),
        reward: Some(amount(1)),
        karma_delta: -2,
        requirements: vec![Requirement::Lore(slug("old_map"))],
        ..choice("Climb the tower 🗼", "tower")
    };
    let gate = NewFragment {
        is_start: true,
        choices: vec![choice("Walk into the garden", "garden"), tower],
        effects: vec![effect(EffectTrigger::Visit, reward(2))],
        ..fragment("gate", FragmentKind::Decision)
    };
    ground.fragment(gate).await;
}

async fn a_story_is_walked_and_pays_once(ground: Ground) {
    let member = ground.member("ada").await;
    castle(&ground).await;
    let seen = mission("seen").objective(Objective::once(ObjectiveKind::Fragment, slug("tower")));
    ground.mission(seen.reward(reward(6))).await;

    let started = ground.stories.start(member).await.unwrap();
    assert_eq!(started.value.value.id, slug("gate"));
    assert_eq!(started.value.effects.points.minor(), 200);
    assert!(ground.stories.start(member).await.unwrap().replayed);
    let refused = ground.stories.decide(member, &slug("gate"), Pick::Index(1), None).await;
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::AccessDenied);

    let garden = ground.stories.decide(member, &slug("gate"), Pick::Index(0), None).await.unwrap();
    assert_eq!(garden.value.value.next.id, slug("garden"));
    assert_eq!(garden.value.effects.lore, [slug("old_map")]);
    ground.stories.visit(member, &slug("gate")).await.unwrap();
    ground.storage.points().award(&award(member, 10), now()).await.unwrap();
    let tower = ground.stories.decide(member, &slug("gate"), Pick::Index(1), None).await.unwrap();
    assert!(tower.value.value.first_visit);
    // 2 and 10, less 3, and 1 for the choice.
    assert_eq!(ground.balance(member).await, 1_000);
    let done = ground.stories.complete(member, &slug("tower")).await.unwrap();
    assert_eq!(done.value.effects.points.minor(), 1_000);
    assert!(ground.stories.complete(member, &slug("tower")).await.unwrap().replayed);
    assert_eq!(ground.balance(member).await, 2_000);
    let state = ground.storage.story().state(member).await.unwrap().unwrap();
    assert_eq!(state.karma, -2);

    // From the beginning: nothing is paid twice but the price.
    assert!(ground.storage.story().reset(member, true).await.unwrap());
    ground.stories.start(member).await.unwrap();
    ground.stories.decide(member, &slug("gate"), Pick::Index(1), None).await.unwrap();
    ground.stories.complete(member, &slug("tower")).await.unwrap();
    assert_eq!(ground.balance(member).await, 1_700);

    // Without what was found: it is found again, or its doors would stay shut for ever.
    assert!(ground.storage.story().reset(member, false).await.unwrap());
    ground.stories.start(member).await.unwrap();
    let shut = ground.stories.decide(member, &slug("gate"), Pick::Index(1), None).await;
    assert_eq!(shut.unwrap_err().kind(), ErrorKind::AccessDenied);
    let garden = ground.stories.decide(member, &slug("gate"), Pick::Index(0), None).await.unwrap();
    assert_eq!(garden.value.effects.lore, [slug("old_map")]);
    ground.stories.visit(member, &slug("gate")).await.unwrap();
    ground.stories.decide(member, &slug("gate"), Pick::Index(1), None).await.unwrap();
    ground.verify().await;
}

async fn two_clicks_are_one_decision(ground: Ground) {
    let ground = Arc::new(ground);
    let member = ground.member("ada").await;
    castle(&ground).await;
    ground.storage.points().award(&award(member, 100), now()).await.unwrap();
    ground.stories.unlock_lore(member, &slug("old_map"), &source("admin"), None).await.unwrap();
    ground.stories.start(member).await.unwrap();
    let calls = (0..50).map(|_| {
        let ground = Arc::clone(&ground);
        tokio::spawn(async move {
            ground.stories.decide(member, &slug("gate"), Pick::Index(1), None).await
        })
    });
    let mut made = 0;
    for call in futures_util::future::join_all(calls).await {
        match call.unwrap() {
            Ok(outcome) => {
                assert!(!outcome.replayed);
                made += 1;
            }
            Err(error) => assert_eq!(error.kind(), ErrorKind::InvalidState),
        }
    }
    assert_eq!(made, 1);
    // 100 and 2 at the gate, less 3, and 1 for the choice.
    assert_eq!(ground.balance(member).await, 10_000);
    ground.verify().await;
}

async fn what_is_missing_is_named(ground: Ground) {
    let member = ground.member("ada").await;
    castle(&ground).await;
    let requirements = vec![Requirement::Level(3), Requirement::Fragment(slug("tower"))];
    let vault = NewFragment { requirements, ..fragment("vault", FragmentKind::Story) };
    ground.fragment(vault).await;
    let refused = ground.stories.visit(member, &slug("vault")).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::AccessDenied);
    let said = refused.to_string();
    assert!(said.contains("level 3") && said.contains("tower"), "{said}");
    let nowhere = ground.stories.visit(member, &slug("nowhere")).await.unwrap_err();
    assert_eq!(nowhere.kind(), ErrorKind::NotFound);
    let elsewhere = ground.stories.decide(member, &slug("gate"), Pick::Index(0), None).await;
    assert_eq!(elsewhere.unwrap_err().kind(), ErrorKind::InvalidState);
    ground.stories.start(member).await.unwrap();
    let no_choice = ground.stories.decide(member, &slug("gate"), Pick::Index(7), None).await;
    assert_eq!(no_choice.unwrap_err().kind(), ErrorKind::NotFound);
    let unknown = ground.stories.unlock_lore(member, &slug("x"), &source("admin"), None).await;
    assert_eq!(unknown.unwrap_err().kind(), ErrorKind::NotFound);
}

async fn hints_lead_to_lore(ground: Ground) {
    let member = ground.member("ada").await;
    let mut pieces = Vec::new();
    for code in ["left_half", "right_half", "whole"] {
        ground.lore(code).await;
        pieces.push(ground.storage.lore().piece(&slug(code)).await.unwrap().unwrap().id);
    }
    let halves: BTreeSet<_> = pieces.iter().take(2).copied().collect();
    let combination = HintCombination {
        code: slug("map"),
        required: halves.clone(),
        reward: pieces[2],
        legacy_key: None,
    };
    ground.storage.lore().create_combination(&combination).await.unwrap();
    let denied = ground.stories.combine_hints(member, &halves).await.unwrap_err();
    assert_eq!(denied.kind(), ErrorKind::AccessDenied);
    for code in ["left_half", "right_half"] {
        ground.stories.unlock_lore(member, &slug(code), &source("admin"), None).await.unwrap();
    }
    let wrong = ground.stories.combine_hints(member, &pieces.iter().copied().collect()).await;
    assert_eq!(wrong.unwrap_err().kind(), ErrorKind::NotFound);
    let found = ground.stories.combine_hints(member, &halves).await.unwrap();
    assert_eq!(found.value.value.code, slug("whole"));
    assert!(ground.stories.combine_hints(member, &halves).await.unwrap().replayed);
}
