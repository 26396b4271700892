use std::sync::Arc;

use guildhall_domain::{
    BadgeId, Mission, MissionCadence, MissionCategory, NewMission, Objective, ObjectiveKind,
    Reward, Summary, Title,
};
use guildhall_repository::{ErrorKind, Storage};

use super::super::expect::{invalid, refused};
use crate::builder::{amount, hours, legacy_key, mission, now, slug, summary, time, title, xp};

/// A mission with every field in use.
pub(super) fn rich(id: &str) -> NewMission {
    let data = serde_json::json!({ "target_message_id": 61, "nested": ["🦀", null, 1.5] });
    NewMission {
        description: Some(summary("שלום — say hello in the café ☕, twice\nand once more")),
        category: MissionCategory::Event,
        cooldown_s: 3_600,
        starts_at: Some(now()),
        ends_at: Some(now().plus(hours(48))),
        requires_action: true,
        action_data: Some(guildhall_domain::Json::new(data).unwrap()),
        sort_order: -7,
        is_active: false,
        legacy_key: Some(legacy_key("Misión diaria №1")),
        objectives: vec![
            Objective {
                description: Some(summary("مرحبا 👋")),
                ..Objective::action(slug("message"), Objective::VALUE_MAX)
            },
            Objective::reaching(slug("login_streak"), 7),
            Objective::once(ObjectiveKind::Fragment, slug("prologue")),
            Objective::once(ObjectiveKind::Lore, slug("lore.1")),
        ],
        rewards: vec![
            Reward::Points(amount(25)),
            Reward::Xp(xp(3)),
            Reward::Badge(BadgeId(7)),
            Reward::Lore(slug("lore.2")),
            Reward::Achievement(slug("first:steps")),
            Reward::Points(amount(1)),
        ],
        ..NewMission::new(slug(id), title("Grüße 👋 an ‏עולם‏ e\u{301}"), MissionCadence::Repeatable)
    }
}

pub(super) async fn made(storage: &Arc<dyn Storage>, new: NewMission) -> Mission {
    storage.missions().create(&new, now()).await.unwrap()
}

/// Emoji, right-to-left text and the order of the parts included.
pub async fn a_mission_comes_back_as_it_was_made(storage: Arc<dyn Storage>) {
    let new = rich("event.greetings:1");
    let made = storage.missions().create(&new, now()).await.unwrap();
    assert_eq!(made, new.created(now()).unwrap());
    assert_eq!(storage.missions().by_id(&made.id).await.unwrap(), Some(made));
}

/// Active, without end, free of charge.
pub async fn a_bare_mission_has_the_defaults(storage: Arc<dyn Storage>) {
    let new = NewMission::new(slug("bare"), title("Bare"), MissionCadence::OneTime);
    let made = storage.missions().create(&new, now()).await.unwrap();
    let expected = (MissionCategory::Standard, true, 0, 0, 1);
    let found = storage.missions().by_id(&made.id).await.unwrap().unwrap();
    assert_eq!(
        (found.category, found.is_active, found.sort_order, found.cooldown_s, found.version),
        expected
    );
    assert_eq!((&found.objectives, &found.rewards, found.starts_at), (&vec![], &vec![], None));
    assert_eq!((found.created_at, found.updated_at), (now(), now()));
}

/// Counted in characters, not bytes.
pub async fn the_longest_texts_come_back(storage: Arc<dyn Storage>) {
    let new = NewMission {
        title: title(&"🦀".repeat(Title::CHARS_MAX)),
        description: Some(summary(&"語".repeat(Summary::CHARS_MAX))),
        ..mission(&"m".repeat(100), 1)
    };
    let made = storage.missions().create(&new, now()).await.unwrap();
    assert_eq!(storage.missions().by_id(&made.id).await.unwrap(), Some(made));
    assert_eq!(storage.missions().search("語語", Default::default()).await.unwrap().len(), 1);
}

/// Nothing of the second is written.
pub async fn a_taken_id_is_refused_and_the_unit_goes_on(storage: Arc<dyn Storage>) {
    let first = made(&storage, mission("m", 3)).await;
    let work = storage.begin().await.unwrap();
    let again = work.missions().create(&rich("m"), now()).await;
    refused(again, ErrorKind::AlreadyExists);
    work.missions().create(&mission("n", 1), now()).await.unwrap();
    work.commit().await.unwrap();
    assert_eq!(storage.missions().by_id(&slug("m")).await.unwrap(), Some(first));
    assert!(storage.missions().by_id(&slug("n")).await.unwrap().is_some());
}

/// By the field that breaks it.
pub async fn what_breaks_a_rule_of_missions_is_refused(storage: Arc<dyn Storage>) {
    let cases = [
        (NewMission { cooldown_s: 5, ..mission("m", 1) }, "cooldown_s"),
        (
            NewMission {
                starts_at: Some(now()),
                ends_at: Some(time("2026-03-01T12:00:00Z")),
                ..mission("m", 1)
            },
            "ends_at",
        ),
        (mission("m", 0), "target"),
        (mission("m", Objective::VALUE_MAX + 1), "target"),
        (
            mission("m", 1).objective(Objective::once(ObjectiveKind::Mission, slug("m"))),
            "objectives",
        ),
        (
            NewMission {
                rewards: vec![Reward::Points(amount(1)); Mission::REWARDS_MAX + 1],
                ..mission("m", 1)
            },
            "rewards",
        ),
        (
            NewMission {
                objectives: vec![Objective::action(slug("a"), 1); Mission::OBJECTIVES_MAX + 1],
                ..mission("m", 1)
            },
            "objectives",
        ),
    ];
    for (new, field) in cases {
        invalid(storage.missions().create(&new, now()).await, field);
    }
    assert_eq!(storage.missions().by_id(&slug("m")).await.unwrap(), None);
}

/// With all its parts.
pub async fn a_mission_that_was_rolled_back_never_was(storage: Arc<dyn Storage>) {
    let work = storage.begin().await.unwrap();
    let made = work.missions().create(&rich("m"), now()).await.unwrap();
    assert_eq!(work.missions().by_id(&made.id).await.unwrap().as_ref(), Some(&made));
    work.rollback().await.unwrap();
    assert_eq!(storage.missions().by_id(&made.id).await.unwrap(), None);
    assert_eq!(storage.missions().create(&rich("m"), now()).await.unwrap(), made);
}
