//! What people write: what cannot be is refused by name, what can be comes back as it was written.

use guildhall_domain::{
    Description, EntryReference, FragmentKind, IdemKey, Json, MissionPatch, NewFragment,
    NewLorePiece, Objective, ObjectiveKind, Participation, Reward, Rule, Slug, Source,
};
use guildhall_repository::{EntryFilter, ErrorKind, FragmentImport, StorageError};
use guildhall_service::Pick;
use guildhall_testkit::builder::{
    badge, choice, content, decision, label, now, page, points, slug, source, title,
};

use super::ground::{Ground, earned, errand, fragment, lore, mission, reward};

super::on_storages! {
    what_is_unknown_is_named
    circles_and_ways_to_nowhere_are_refused_by_name
    a_target_that_is_lowered_under_the_progress_completes_once
    texts_come_back_as_they_were_written
    texts_that_are_too_long_are_refused_by_name
}

/// Left to right, right to left, joined, composed and decomposed: none of it is touched.
const TEXTS: [&str; 5] = [
    "👩‍👩‍👧‍👦 🏴‍☠️ 🇺🇳 👍🏽",
    "שלום עולם — (אבג) 123",
    "مرحبا بالعالم ﷽ ١٢٣",
    "e\u{301} ≠ é; ﬁ; ａ; Ǆ",
    "\u{202e}txet desrever\u{202c} \"quoted\" 'single' \\ % _ ; --",
];

/// The kind, the entity and the key of a refusal.
fn absent(error: &StorageError) -> (&'static str, &str) {
    match error {
        StorageError::NotFound { entity, key } => (entity, key),
        other => panic!("{other:?}"),
    }
}

async fn what_is_unknown_is_named(ground: Ground) {
    let ada = ground.member("ada").await;
    let (nowhere, admin) = (slug("no.where:7"), source("admin"));
    macro_rules! names {
        ($($entity:literal by $call:expr;)+) => {$(
            let refused = $call.await.unwrap_err();
            assert_eq!(absent(&refused), ($entity, "no.where:7"));
            assert!(refused.to_string().contains("no.where:7"), "{refused}");
        )+};
    }
    names! {
        "mission" by ground.missions.advance(ada, &nowhere, 0, 1, None);
        "mission" by ground.missions.set_progress(ada, &nowhere, 0, 1, None);
        "mission" by ground.missions.complete(ada, &nowhere, None);
        "fragment" by ground.stories.visit(ada, &nowhere);
        "fragment" by ground.stories.complete(ada, &nowhere);
        "fragment" by ground.stories.decide(ada, &nowhere, Pick::Index(0), None);
        "lore" by ground.stories.unlock_lore(ada, &nowhere, &admin, None);
        "lore" by ground.rewards.grant(ada, &[Reward::Lore(nowhere.clone())], &admin, "x");
        "achievement" by ground.achievements.unlock(ada, &nowhere, &admin, None);
        "achievement" by
            ground.rewards.grant(ada, &[Reward::Achievement(nowhere.clone())], &admin, "x");
    }
    // What nobody asks for is no mistake: it changes nothing.
    let action = ObjectiveKind::Action;
    let done = ground.missions.record_action(ada, action, &nowhere, 1, None).await.unwrap();
    assert!(done.events.is_empty() && done.value.effects.missions.is_empty());
    let nobody = guildhall_domain::UserId(ada.0 + 1_000);
    let refused = ground.missions.record_action(nobody, action, &nowhere, 1, None).await;
    assert_eq!(absent(&refused.unwrap_err()).0, "user");
    assert!(ground.outbox().await.is_empty());

    // Slugs are keys, not texts: what is none never reaches a service.
    for raw in ["two words", "Ünï", "🦀", "UPPER", "a/b"] {
        let refused = Slug::parse(raw).unwrap_err();
        assert_eq!(refused.field, "slug", "{raw}");
        assert!(matches!(refused.rule, Rule::Malformed { .. }), "{raw}: {refused}");
    }
    for raw in ["", &"a".repeat(101)] {
        assert_eq!(Slug::parse(raw).unwrap_err().field, "slug");
    }
}

async fn circles_and_ways_to_nowhere_are_refused_by_name(ground: Ground) {
    let ada = ground.member("ada").await;
    ground.mission(errand("a", "dig", 1, 1)).await;
    let on_a = Objective::once(ObjectiveKind::Mission, slug("a"));
    ground.mission(mission("b").objective(on_a)).await;
    let on_b = Objective::once(ObjectiveKind::Mission, slug("b"));
    let closing = MissionPatch { objectives: Some(vec![on_b]), ..MissionPatch::default() };
    let refused = ground.storage.missions().update(&slug("a"), &closing, 1, now()).await;
    let StorageError::Validation(violation) = refused.unwrap_err() else { panic!() };
    assert_eq!(violation.field, "objectives");
    // The missions stand as they stood, and do what they did.
    let kind = ObjectiveKind::Action;
    let done = ground.missions.record_action(ada, kind, &slug("dig"), 1, None).await.unwrap();
    assert_eq!(done.value.effects.missions.len(), 2);

    let lost = NewFragment { choices: vec![choice("void")], ..decision("gate", &[]) };
    let refused = ground.storage.narrative().create_fragment(&lost, now()).await.unwrap_err();
    assert_eq!(absent(&refused), ("fragment", "void"));
    let story = [fragment("hall", FragmentKind::Story), lost];
    let FragmentImport { items, written } =
        ground.storage.narrative().import_fragments(&story, false, now()).await.unwrap();
    assert!(!written && items[0].is_ok());
    assert_eq!(absent(items[1].as_ref().unwrap_err()), ("fragment", "void"));
    let refused = ground.stories.visit(ada, &slug("hall")).await.unwrap_err();
    assert_eq!(absent(&refused), ("fragment", "hall"));
}

/// Nothing happens by the change itself; the next step finds it met, and pays once.
async fn a_target_that_is_lowered_under_the_progress_completes_once(ground: Ground) {
    let ada = ground.member("ada").await;
    ground.mission(errand("dig", "dig", 10, 5)).await;
    let (kind, dig) = (ObjectiveKind::Action, slug("dig"));
    ground.missions.record_action(ada, kind, &dig, 4, None).await.unwrap();
    let lower = vec![Objective::action(dig.clone(), 2)];
    let lower = MissionPatch { objectives: Some(lower), ..MissionPatch::default() };
    ground.storage.missions().update(&dig, &lower, 1, now()).await.unwrap();
    assert_eq!(ground.balance(ada).await, 0);
    let done = ground.missions.record_action(ada, kind, &dig, 1, None).await.unwrap();
    let [advance] = &done.value.effects.missions[..] else { panic!("{done:?}") };
    assert!(advance.completed);
    assert_eq!((advance.objectives[0].value, advance.objectives[0].target), (5, 2));
    for _ in 0..2 {
        ground.missions.record_action(ada, kind, &dig, 1, None).await.unwrap();
        assert_eq!(ground.balance(ada).await, 500);
    }
    ground.verify().await;
}

/// In catalogues, in what members did, and in the events that tell of it.
async fn texts_come_back_as_they_were_written(ground: Ground) {
    let ada = ground.member("ada").await;
    for (n, text) in TEXTS.into_iter().enumerate() {
        let id = slug(&format!("t{n}"));
        let mut new = errand(id.as_str(), id.as_str(), 1, 1);
        new.title = title(text);
        ground.mission(new).await;
        let new = NewLorePiece { title: title(text), content: content(text), ..lore(id.as_str()) };
        ground.storage.lore().create_piece(&new, now()).await.unwrap();
        let new = fragment(id.as_str(), FragmentKind::Story);
        ground.fragment(NewFragment { title: title(text), content: content(text), ..new }).await;
        let mut new = earned(id.as_str(), "level", 99, 0);
        new.title = label(text);
        ground.achievement(new).await;
        let crown = ground.storage.badges().create(&badge(text), now()).await.unwrap().id;

        ground.missions.record_action(ada, ObjectiveKind::Action, &id, 1, None).await.unwrap();
        let done = ground.storage.mission_progress().completed(ada, &page(50)).await.unwrap();
        assert_eq!(done.items.len(), n + 1);
        assert!(done.items.iter().any(|one| one.mission.title.as_str() == text));
        let context = Json::new(serde_json::json!({ text: [text, { "n": n }] })).unwrap();
        let admin = source("admin");
        let found = ground.stories.unlock_lore(ada, &id, &admin, Some(&context)).await.unwrap();
        assert_eq!(found.value.value.context.as_ref(), Some(&context));
        let unlocked = ground.achievements.unlock(ada, &id, &admin, Some(&context)).await.unwrap();
        assert_eq!(unlocked.value.value.context, Some(context));
        let here = ground.stories.visit(ada, &id).await.unwrap();
        assert_eq!(here.value.value.fragment, id);
        let journey = ground.storage.story().journey(ada, &page(50)).await.unwrap();
        assert_eq!(journey.steps.items[n].title.as_str(), text);
        ground.badges.award(ada, crown, None, true).await.unwrap();
        let why = Description::parse(text).unwrap();
        ground.badges.revoke(ada, crown, Some(ada), Some(&why)).await.unwrap();
        let events = ground.storage.badges().events(ada, &page(1)).await.unwrap();
        assert_eq!(events.items[0].reason.as_ref(), Some(&why));
        let reference = EntryReference::parse(text).unwrap();
        let post = Participation::Post;
        let paid = ground.activities.participate(ada, post, &reference).await.unwrap();
        assert_eq!(paid.value.value.source_ref.as_ref(), Some(&reference));
        assert!(ground.activities.participate(ada, post, &reference).await.unwrap().replayed);
    }
    let lately = ground.storage.user_achievements().recent(1, 50, now()).await.unwrap();
    let mut titles: Vec<_> = lately.iter().map(|one| one.title.as_str().to_owned()).collect();
    titles.sort_unstable();
    let mut expected = TEXTS.map(str::to_owned).to_vec();
    expected.sort_unstable();
    assert_eq!(titles, expected);
    ground.verify().await;
}

async fn texts_that_are_too_long_are_refused_by_name(ground: Ground) {
    let ada = ground.member("ada").await;
    let long = "🦀".repeat(100_000);
    let violations = [
        ("source", Source::parse(&"a".repeat(51)).unwrap_err()),
        ("idem_key", IdemKey::parse(&long).unwrap_err()),
        ("source_ref", EntryReference::parse(&long).unwrap_err()),
        ("description", Description::parse(&long).unwrap_err()),
        ("title", guildhall_domain::Title::parse(&long).unwrap_err()),
    ];
    for (field, violation) in violations {
        assert_eq!(violation.field, field);
        let Rule::TooLong { max } = violation.rule else { panic!("{violation:?}") };
        let said = violation.to_string();
        assert!(said.contains(field) && said.contains(&max.to_string()), "{said}");
        assert!(!said.contains('🦀'), "the text itself is not repeated");
    }
    let context = Json::new(serde_json::json!({ "text": long }));
    assert!(context.is_err(), "65 536 bytes are the most");
    // A key that a reward makes of a long one is refused as a whole, and nothing is given.
    let prize = [reward(5)];
    let refused = ground.rewards.grant(ada, &prize, &source("contest"), &"k".repeat(500)).await;
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::Validation);
    let refused = ground.rewards.grant(ada, &[], &source("contest"), "k").await.unwrap_err();
    let StorageError::Validation(violation) = refused else { panic!() };
    assert_eq!(violation.field, "rewards");
    let entries = EntryFilter::default();
    let entries = ground.storage.ledger().transactions(ada, &entries, &page(1)).await.unwrap();
    assert!(entries.items.is_empty());
    assert_eq!(ground.storage.points().balance(ada).await.unwrap(), points(0));
}
