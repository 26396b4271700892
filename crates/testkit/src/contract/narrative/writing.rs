use std::sync::Arc;

use guildhall_domain::{
    BadgeId, CharacterName, Content, Effect, EffectAction, EffectTrigger, Fragment, FragmentKind,
    NewChoice, NewFragment, Requirement, Reward, Role,
};
use guildhall_repository::{ErrorKind, NewDecision, Storage};

use super::super::expect::{invalid, refused, winners};
use super::super::given;
use crate::builder::{
    amount, choice, choice_text, content, decision, fragment, hours, legacy_key, now, slug, title,
};

/// One of each kind.
fn every_requirement() -> Vec<Requirement> {
    vec![
        Requirement::Lore(slug("map")),
        Requirement::Role(Role::Vip),
        Requirement::Vip,
        Requirement::Points(amount(12)),
        Requirement::Level(3),
        Requirement::Mission(slug("scout")),
        Requirement::Fragment(slug("cellar")),
        Requirement::Badge(BadgeId(7)),
        Requirement::Achievement(slug("first.steps")),
    ]
}

fn every_effect() -> Vec<Effect> {
    let on = |trigger, action| Effect { trigger, action };
    let action = EffectAction::MissionAction { action: slug("explore"), amount: u32::MAX };
    vec![
        on(EffectTrigger::Visit, EffectAction::Reward(Reward::Points(amount(5)))),
        on(EffectTrigger::Complete, EffectAction::Reward(Reward::Lore(slug("map")))),
        on(EffectTrigger::Visit, EffectAction::Reward(Reward::Achievement(slug("first.steps")))),
        on(EffectTrigger::Complete, EffectAction::Reward(Reward::Badge(BadgeId(7)))),
        on(EffectTrigger::Visit, action),
    ]
}

/// A fragment with everything that one can have.
fn full(id: &str) -> NewFragment {
    let priced = NewChoice {
        text: choice_text("افتح الباب 🚪 \u{202e}"),
        cost: Some(amount(3)),
        reward: Some(amount(4)),
        karma_delta: -NewChoice::KARMA_MAX,
        requirements: every_requirement(),
        ..choice("road")
    };
    NewFragment {
        id: slug(id),
        title: title("الباب المظلم 🏰"),
        content: content(&"🦀é\n".repeat(Content::CHARS_MAX / 4)),
        kind: FragmentKind::Decision,
        character: Some(CharacterName::parse("Lucién 🎩").unwrap()),
        chapter_level: u32::MAX,
        auto_next: Some(slug("road")),
        is_milestone: true,
        is_start: true,
        is_active: true,
        requirements: every_requirement(),
        effects: every_effect(),
        choices: vec![priced, choice(id), NewChoice { is_active: false, ..choice("road") }],
        legacy_key: Some(legacy_key("Fragmento 1/ñ")),
    }
}

/// What an author wrote, without the ids that choices were given.
fn written(fragment: &Fragment) -> NewFragment {
    let mut new = fragment.to_new();
    new.choices.iter_mut().for_each(|choice| choice.id = None);
    new
}

/// Every field, in whatever script.
pub async fn a_fragment_comes_back_as_it_was_written(storage: Arc<dyn Storage>) {
    given::story(&storage, &[fragment("road")]).await;
    for new in [full("gate"), fragment("bare")] {
        let made = storage.narrative().create_fragment(&new, now()).await.unwrap();
        assert_eq!(written(&made), new);
        assert_eq!((made.created_at, made.updated_at, made.version), (now(), now(), 1));
        let places: Vec<u32> = made.choices.iter().map(|choice| choice.idx).collect();
        assert_eq!(places, (0..made.choices.len() as u32).collect::<Vec<_>>());
        assert_eq!(storage.narrative().fragment(&new.id).await.unwrap(), Some(made.clone()));
        let required = storage.narrative().access_requirements(&new.id).await.unwrap();
        assert_eq!(required, new.requirements);
    }
    assert_eq!(storage.narrative().fragment(&slug("nowhere")).await.unwrap(), None);
    let absent = storage.narrative().access_requirements(&slug("nowhere")).await;
    refused(absent, ErrorKind::NotFound);
}

/// And what is stored stays.
pub async fn a_taken_id_is_refused(storage: Arc<dyn Storage>) {
    let first = storage.narrative().create_fragment(&fragment("gate"), now()).await.unwrap();
    let other = NewFragment { title: title("Another"), ..fragment("gate") };
    let outcome = storage.narrative().create_fragment(&other, now()).await;
    refused(outcome, ErrorKind::AlreadyExists);
    assert_eq!(given::stored(&storage, "gate").await, first);
}

/// By itself or by a choice, new or changed.
pub async fn a_way_to_nowhere_is_refused(storage: Arc<dyn Storage>) {
    let road = storage.narrative().create_fragment(&fragment("road"), now()).await.unwrap();
    for new in [
        NewFragment { auto_next: Some(slug("nowhere")), ..fragment("gate") },
        decision("gate", &["road", "nowhere"]),
    ] {
        let error =
            refused(storage.narrative().create_fragment(&new, now()).await, ErrorKind::NotFound);
        assert!(error.to_string().contains("nowhere"), "{error}");
        let new = NewFragment { id: slug("road"), ..new };
        let changed = storage.narrative().update_fragment(&new, 1, now()).await;
        refused(changed, ErrorKind::NotFound);
    }
    assert_eq!(storage.narrative().fragment(&slug("gate")).await.unwrap(), None);
    assert_eq!(given::stored(&storage, "road").await, road);
}

/// New or not.
pub async fn a_fragment_may_lead_to_itself(storage: Arc<dyn Storage>) {
    let new = NewFragment { auto_next: Some(slug("loop")), ..decision("loop", &["loop"]) };
    let made = storage.narrative().create_fragment(&new, now()).await.unwrap();
    assert_eq!(written(&made), new);
}

/// The rules of [`NewFragment::check`].
pub async fn a_fragment_that_breaks_a_rule_is_refused(storage: Arc<dyn Storage>) {
    given::story(&storage, &[fragment("road")]).await;
    let two = NewFragment { kind: FragmentKind::Story, ..decision("gate", &["road", "road"]) };
    let twice = vec![Requirement::Vip, Requirement::Vip];
    for (new, field) in [
        (two, "choices"),
        (NewFragment { chapter_level: 0, ..fragment("gate") }, "chapter_level"),
        (NewFragment { requirements: twice, ..fragment("gate") }, "requirements"),
    ] {
        invalid(storage.narrative().create_fragment(&new, now()).await, field);
        let new = NewFragment { id: slug("road"), ..new };
        invalid(storage.narrative().update_fragment(&new, 1, now()).await, field);
    }
}

/// Unless the other one is inactive; and where it begins can be moved.
pub async fn the_story_begins_once(storage: Arc<dyn Storage>) {
    let start = |id: &str| NewFragment { is_start: true, ..fragment(id) };
    assert_eq!(storage.narrative().start().await.unwrap(), None);
    let first = storage.narrative().create_fragment(&start("a"), now()).await.unwrap();
    assert_eq!(storage.narrative().start().await.unwrap(), Some(first.clone()));
    let second = storage.narrative().create_fragment(&start("b"), now()).await;
    refused(second, ErrorKind::AlreadyExists);
    let idle = NewFragment { is_active: false, ..start("b") };
    storage.narrative().create_fragment(&idle, now()).await.unwrap();
    let woken = storage.narrative().update_fragment(&start("b"), 1, now()).await;
    refused(woken, ErrorKind::AlreadyExists);
    storage.narrative().update_fragment(&fragment("a"), 1, now()).await.unwrap();
    assert_eq!(storage.narrative().start().await.unwrap(), None);
    let moved = storage.narrative().update_fragment(&start("b"), 1, now()).await.unwrap();
    assert_eq!(storage.narrative().start().await.unwrap(), Some(moved));
}

/// Whoever comes second is told.
pub async fn twenty_starts_at_once_let_one_win(storage: Arc<dyn Storage>) {
    let outcomes = given::at_once(20, &storage, |storage, n| async move {
        let new = NewFragment { is_start: true, ..fragment(&format!("f{n}")) };
        storage.narrative().create_fragment(&new, now()).await
    })
    .await;
    let (won, lost) = winners(outcomes, ErrorKind::AlreadyExists);
    assert_eq!((won.len(), lost.len()), (1, 19));
    assert_eq!(storage.narrative().start().await.unwrap().as_ref(), won.first());
}

/// Children included, more or fewer of them than before.
pub async fn an_update_replaces_everything(storage: Arc<dyn Storage>) {
    given::story(&storage, &[fragment("road"), fragment("gate")]).await;
    let later = now().plus(hours(1));
    let mut version = 1;
    for new in [full("gate"), fragment("gate"), full("gate")] {
        let changed = storage.narrative().update_fragment(&new, version, later).await.unwrap();
        version += 1;
        assert_eq!(written(&changed), new);
        let stamps = (changed.created_at, changed.updated_at, changed.version);
        assert_eq!(stamps, (now(), later, version));
        assert_eq!(given::stored(&storage, "gate").await, changed);
    }
}

/// Not even a version.
pub async fn an_update_to_what_is_stored_writes_nothing(storage: Arc<dyn Storage>) {
    given::story(&storage, &[fragment("road"), full("gate")]).await;
    let stored = given::stored(&storage, "gate").await;
    let later = now().plus(hours(1));
    for same in [full("gate"), stored.to_new()] {
        let outcome = storage.narrative().update_fragment(&same, 1, later).await.unwrap();
        assert_eq!(outcome, stored);
    }
    assert_eq!(given::stored(&storage, "gate").await, stored);
}

/// And one of nobody's finds nothing.
pub async fn an_update_of_an_old_fragment_is_a_conflict(storage: Arc<dyn Storage>) {
    given::story(&storage, &[fragment("gate")]).await;
    let change = |name: &str| NewFragment { title: title(name), ..fragment("gate") };
    let second = storage.narrative().update_fragment(&change("Two"), 1, now()).await.unwrap();
    for version in [0, 1, 3] {
        let late = storage.narrative().update_fragment(&change("Three"), version, now()).await;
        refused(late, ErrorKind::Conflict);
    }
    assert_eq!(given::stored(&storage, "gate").await, second);
    let absent = storage.narrative().update_fragment(&fragment("nowhere"), 1, now()).await;
    refused(absent, ErrorKind::NotFound);
}

/// The others are told the new version.
pub async fn fifty_updates_of_one_fragment_let_one_win(storage: Arc<dyn Storage>) {
    given::story(&storage, &[fragment("road"), decision("gate", &["road"])]).await;
    let outcomes = given::at_once(50, &storage, |storage, n| async move {
        let new = NewFragment { title: title(&format!("{n}")), ..decision("gate", &["road"; 2]) };
        storage.narrative().update_fragment(&new, 1, now()).await
    })
    .await;
    let (won, lost) = winners(outcomes, ErrorKind::Conflict);
    assert_eq!((won.len(), lost.len()), (1, 49));
    assert_eq!(given::stored(&storage, "gate").await, won[0]);
}

fn ids(fragment: &Fragment) -> Vec<i64> {
    fragment.choices.iter().map(|choice| choice.id.0).collect()
}

/// In another order, under another text if they name themselves, and beside new ones.
pub async fn unchanged_choices_keep_their_ids(storage: Arc<dyn Storage>) {
    given::story(&storage, &[fragment("a"), fragment("b"), decision("gate", &["a", "b"])]).await;
    let before = given::stored(&storage, "gate").await;
    let [to_a, to_b] = ids(&before)[..] else { panic!("{before:?}") };
    let turned = NewFragment { auto_next: Some(slug("a")), ..decision("gate", &["b", "a"]) };
    let turned = storage.narrative().update_fragment(&turned, 1, now()).await.unwrap();
    assert_eq!(ids(&turned), [to_b, to_a]);

    let mut reworded = turned.to_new();
    reworded.choices[0].text = choice_text("Back to b");
    reworded.choices.insert(0, choice("gate"));
    let reworded = storage.narrative().update_fragment(&reworded, 2, now()).await.unwrap();
    let [fresh, second, third] = ids(&reworded)[..] else { panic!("{reworded:?}") };
    assert_eq!((second, third), (to_b, to_a));
    assert!(![to_a, to_b].contains(&fresh));

    let fewer = storage.narrative().update_fragment(&decision("gate", &["a"]), 3, now()).await;
    assert_eq!(ids(&fewer.unwrap()), [to_a], "nobody took the others");
}

/// So that decisions can be read, until it is offered again.
pub async fn a_choice_that_was_taken_stays_without_being_offered(storage: Arc<dyn Storage>) {
    given::story(&storage, &[fragment("a"), fragment("b"), decision("gate", &["a", "b"])]).await;
    let ada = given::member(&storage, "ada").await;
    let gate = given::stored(&storage, "gate").await;
    let state = storage.story().move_to(ada, &gate.id, now()).await.unwrap();
    let choice = gate.choices[0].id;
    let taken = NewDecision { user: ada, fragment: gate.id.clone(), choice, karma_delta: 0 };
    storage.story().record_decision(&taken, state.version, now()).await.unwrap();

    let without = decision("gate", &["b"]);
    let changed = storage.narrative().update_fragment(&without, 1, now()).await.unwrap();
    let kept: Vec<_> = changed.choices.iter().map(|it| (it.id, it.idx, it.is_active)).collect();
    assert_eq!(kept, [(gate.choices[1].id, 0, true), (choice, 1, false)]);
    let same = storage.narrative().update_fragment(&without, 2, now()).await.unwrap();
    assert_eq!(same, changed);

    let again = decision("gate", &["b", "a"]);
    let again = storage.narrative().update_fragment(&again, 2, now()).await.unwrap();
    assert_eq!(ids(&again), [gate.choices[1].id.0, choice.0]);
    assert!(again.choices.iter().all(|choice| choice.is_active));
}

/// And a new fragment has none of its own yet.
pub async fn choices_of_other_fragments_are_refused(storage: Arc<dyn Storage>) {
    let story = [fragment("a"), decision("gate", &["a"]), decision("door", &["a"])];
    given::story(&storage, &story).await;
    let foreign = given::stored(&storage, "gate").await.choices[0].id;
    let claim = |id: &str| NewFragment {
        choices: vec![NewChoice { id: Some(foreign), ..choice("a") }],
        ..fragment(id)
    };
    invalid(storage.narrative().update_fragment(&claim("door"), 1, now()).await, "choices");
    invalid(storage.narrative().create_fragment(&claim("new"), now()).await, "choices");
}

/// Once, and can be woken.
pub async fn a_deleted_fragment_is_inactive(storage: Arc<dyn Storage>) {
    given::story(&storage, &[fragment("gate")]).await;
    let (id, later) = (slug("gate"), now().plus(hours(1)));
    assert!(storage.narrative().delete_fragment(&id, false, later).await.unwrap());
    let gone = given::stored(&storage, "gate").await;
    assert_eq!((gone.is_active, gone.updated_at, gone.version), (false, later, 2));
    assert!(!storage.narrative().delete_fragment(&id, true, later).await.unwrap());
    assert!(!storage.narrative().delete_fragment(&slug("nowhere"), true, later).await.unwrap());
    let woken = storage.narrative().update_fragment(&fragment("gate"), 2, later).await.unwrap();
    assert!(woken.is_active);
}

/// Unless by force: the start, and what active fragments lead to.
pub async fn a_fragment_that_others_need_is_not_deleted(storage: Arc<dyn Storage>) {
    let start = NewFragment { is_start: true, ..decision("start", &["chosen", "start"]) };
    let next = NewFragment { auto_next: Some(slug("next")), ..fragment("chosen") };
    let own = NewFragment { auto_next: Some(slug("alone")), ..fragment("alone") };
    given::story(&storage, &[start, next, fragment("next"), own]).await;
    let delete =
        async |id: &str, force| storage.narrative().delete_fragment(&slug(id), force, now()).await;
    for id in ["start", "chosen", "next"] {
        refused(delete(id, false).await, ErrorKind::InvalidState);
        assert!(given::stored(&storage, id).await.is_active);
    }
    assert!(delete("alone", false).await.unwrap(), "only its own way leads there");
    assert!(delete("chosen", true).await.unwrap());
    assert!(delete("next", false).await.unwrap(), "who leads there is inactive");
}

/// And a roll-back leaves nothing.
pub async fn a_refused_fragment_leaves_the_unit_usable(storage: Arc<dyn Storage>) {
    let start = |id: &str| NewFragment { is_start: true, ..fragment(id) };
    given::story(&storage, &[start("gate")]).await;
    for commits in [false, true] {
        let work = storage.begin().await.unwrap();
        let taken = work.narrative().create_fragment(&fragment("gate"), now()).await;
        refused(taken, ErrorKind::AlreadyExists);
        let second = work.narrative().create_fragment(&start("second"), now()).await;
        refused(second, ErrorKind::AlreadyExists);
        let nowhere = decision("third", &["nowhere"]);
        let nowhere = work.narrative().create_fragment(&nowhere, now()).await;
        refused(nowhere, ErrorKind::NotFound);
        let made = decision("road", &["gate"]);
        let made = work.narrative().create_fragment(&made, now()).await.unwrap();
        assert_eq!(work.narrative().fragment(&made.id).await.unwrap(), Some(made.clone()));
        if commits {
            work.commit().await.unwrap();
        } else {
            work.rollback().await.unwrap();
        }
        let left = storage.narrative().fragment(&made.id).await.unwrap();
        assert_eq!(left.is_some(), commits);
    }
}
