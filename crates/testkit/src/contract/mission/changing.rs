use std::sync::Arc;

use guildhall_domain::{
    Mission, MissionCadence, MissionCategory, MissionPatch, Objective, ObjectiveKind, Patch, Reward,
};
use guildhall_repository::{ErrorKind, MissionFilter, Repositories, Storage};

use super::super::expect::{invalid, refused, winners};
use super::super::given;
use super::making::{made, rich};
use crate::builder::{
    amount, at_most, hours, mission, now, page, period, seconds, slug, summary, title,
};

/// One version on, with the time of the change.
pub async fn an_update_changes_what_the_patch_names(storage: Arc<dyn Storage>) {
    let before = made(&storage, mission("m", 3)).await;
    let later = now().plus(seconds(1));
    let patch = MissionPatch {
        title: Some(title("Another")),
        description: Patch::Set(summary("In words")),
        category: Some(MissionCategory::Side),
        cadence: Some(MissionCadence::Repeatable),
        cooldown_s: Some(60),
        starts_at: Patch::Set(now()),
        ends_at: Patch::Set(now().plus(hours(1))),
        requires_action: Some(true),
        action_data: Patch::Set(guildhall_domain::Json::new(serde_json::json!([1])).unwrap()),
        sort_order: Some(-3),
        objectives: Some(vec![Objective::once(ObjectiveKind::Lore, slug("l"))]),
        rewards: Some(vec![Reward::Points(amount(9)), Reward::Lore(slug("l"))]),
    };
    let after = storage.missions().update(&before.id, &patch, 1, later).await.unwrap();
    assert_eq!(after, patch.applied_to(before.clone(), later).unwrap());
    assert_eq!((after.version, after.created_at, after.updated_at), (2, now(), later));
    assert_eq!(storage.missions().by_id(&before.id).await.unwrap(), Some(after));
    // And is found by its new words only.
    let found = async |text| storage.missions().search(text, at_most(9)).await.unwrap().len();
    assert_eq!((found("another").await, found("words").await, found("mission m").await), (1, 1, 0));
}

/// And leaves the rest alone.
pub async fn an_update_can_empty_what_is_optional(storage: Arc<dyn Storage>) {
    let before = made(&storage, rich("m")).await;
    let patch = MissionPatch {
        description: Patch::Clear,
        starts_at: Patch::Clear,
        ends_at: Patch::Clear,
        action_data: Patch::Clear,
        objectives: Some(Vec::new()),
        ..MissionPatch::default()
    };
    storage.missions().update(&before.id, &patch, 1, now()).await.unwrap();
    let after = storage.missions().by_id(&before.id).await.unwrap().unwrap();
    let expected = Mission {
        description: None,
        starts_at: None,
        ends_at: None,
        action_data: None,
        objectives: Vec::new(),
        version: 2,
        ..before
    };
    assert_eq!(after, expected);
}

/// Whatever version is expected.
pub async fn an_empty_patch_gives_what_is_stored(storage: Arc<dyn Storage>) {
    let before = made(&storage, rich("m")).await;
    let patch = MissionPatch::default();
    assert_eq!(storage.missions().update(&before.id, &patch, 9, now()).await.unwrap(), before);
    let nobody = storage.missions().update(&slug("x"), &patch, 1, now()).await;
    refused(nobody, ErrorKind::NotFound);
}

/// As a mission that is absent is not found, and a rule is a rule; nothing changes.
pub async fn a_stale_version_is_a_conflict(storage: Arc<dyn Storage>) {
    let before = made(&storage, mission("m", 3)).await;
    let patch = MissionPatch { sort_order: Some(1), ..MissionPatch::default() };
    refused(storage.missions().update(&before.id, &patch, 2, now()).await, ErrorKind::Conflict);
    refused(storage.missions().update(&slug("x"), &patch, 1, now()).await, ErrorKind::NotFound);
    let wrong = MissionPatch { cooldown_s: Some(1), ..MissionPatch::default() };
    invalid(storage.missions().update(&before.id, &wrong, 1, now()).await, "cooldown_s");
    assert_eq!(storage.missions().by_id(&before.id).await.unwrap(), Some(before));
}

/// The others learn that the version moved.
pub async fn fifty_updates_of_one_mission_let_one_win(storage: Arc<dyn Storage>) {
    made(&storage, mission("m", 3)).await;
    let outcomes = given::at_once(50, &storage, |storage, index| async move {
        let sort_order = i32::try_from(index).ok();
        let patch = MissionPatch { sort_order, ..MissionPatch::default() };
        storage.missions().update(&slug("m"), &patch, 1, now()).await
    })
    .await;
    let (won, lost) = winners(outcomes, ErrorKind::Conflict);
    assert_eq!((won.len(), lost.len()), (1, 49));
    assert_eq!(storage.missions().by_id(&slug("m")).await.unwrap().as_ref(), won.first());
}

/// And says whether it was otherwise before.
pub async fn a_mission_is_switched_on_and_off(storage: Arc<dyn Storage>) {
    let id = made(&storage, mission("m", 3)).await.id;
    for (active, changes, version) in
        [(true, false, 1), (false, true, 2), (false, false, 2), (true, true, 3)]
    {
        assert_eq!(storage.missions().set_active(&id, active, now()).await.unwrap(), changes);
        let found = storage.missions().by_id(&id).await.unwrap().unwrap();
        assert_eq!((found.is_active, found.version), (active, version));
    }
    let nobody = storage.missions().set_active(&slug("x"), true, now()).await;
    refused(nobody, ErrorKind::NotFound);
}

/// Once; of nobody there is nothing to switch off.
pub async fn a_soft_deletion_switches_off(storage: Arc<dyn Storage>) {
    let id = made(&storage, mission("m", 3)).await.id;
    assert!(storage.missions().delete(&id, false, now()).await.unwrap());
    assert!(!storage.missions().delete(&id, false, now()).await.unwrap());
    assert!(!storage.missions().by_id(&id).await.unwrap().unwrap().is_active);
    assert!(!storage.missions().delete(&slug("x"), false, now()).await.unwrap());
}

/// The id is free again, and what comes next inherits nothing.
pub async fn a_hard_deletion_leaves_nothing(storage: Arc<dyn Storage>) {
    made(&storage, rich("m")).await;
    assert!(storage.missions().delete(&slug("m"), true, now()).await.unwrap());
    assert_eq!(storage.missions().by_id(&slug("m")).await.unwrap(), None);
    assert!(!storage.missions().delete(&slug("m"), true, now()).await.unwrap());
    let again = made(&storage, mission("m", 2)).await;
    assert_eq!(storage.missions().by_id(&slug("m")).await.unwrap(), Some(again));
}

/// Begun by anybody, or asked for by another mission; the unit goes on.
pub async fn what_is_in_use_is_not_removed(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    made(&storage, mission("begun", 3)).await;
    made(&storage, mission("needed", 3)).await;
    let needed = Objective::once(ObjectiveKind::Mission, slug("needed"));
    made(&storage, mission("needy", 3).objective(needed)).await;
    let progress = storage.mission_progress();
    progress.open_period(ada, &slug("begun"), period("once"), now()).await.unwrap();
    let work = storage.begin().await.unwrap();
    for id in ["begun", "needed"] {
        let removed = work.missions().delete(&slug(id), true, now()).await;
        refused(removed, ErrorKind::InvalidState);
    }
    assert!(work.missions().delete(&slug("needy"), true, now()).await.unwrap());
    assert!(work.missions().delete(&slug("needed"), true, now()).await.unwrap());
    work.commit().await.unwrap();
    assert!(storage.missions().by_id(&slug("begun")).await.unwrap().is_some());
    assert_eq!(storage.missions().by_id(&slug("needed")).await.unwrap(), None);
}

/// What every variant of every list says, by the titles.
async fn listed<R: Repositories + ?Sized>(on: &R) -> Vec<Vec<String>> {
    let titles = |found: Vec<Mission>| {
        found.into_iter().map(|mission| mission.title.to_string()).collect::<Vec<_>>()
    };
    let mut all = Vec::new();
    for limit in [1, 2, 9] {
        for cadence in [None, Some(MissionCadence::OneTime), Some(MissionCadence::Daily)] {
            let found = on.missions().active(None, cadence, at_most(limit), now()).await;
            all.push(titles(found.unwrap()));
            let filter = MissionFilter { cadence, ..MissionFilter::default() };
            let found = on.missions().list(filter, &page(limit)).await;
            all.push(titles(found.unwrap().items));
        }
        all.push(titles(on.missions().search("mission", at_most(limit)).await.unwrap()));
    }
    all.push(titles(on.missions().by_ids(&[slug("b"), slug("a")]).await.unwrap()));
    all.push(titles(on.missions().by_id(&slug("a")).await.unwrap().into_iter().collect()));
    all
}

/// Also when all of them were read before: what a unit sees, which reads past every cache, is what
/// everybody sees.
pub async fn every_list_is_fresh_after_each_change(storage: Arc<dyn Storage>) {
    let fresh = async |step: &str| {
        let seen = listed(&*storage).await;
        let work = storage.begin().await.unwrap();
        assert_eq!(seen, listed(&*work).await, "after {step}");
        work.rollback().await.unwrap();
        seen
    };
    let mut views = vec![fresh("nothing").await];
    made(&storage, mission("a", 1)).await;
    views.push(fresh("a").await);
    made(&storage, mission("b", 1)).await;
    views.push(fresh("b").await);
    let patch = MissionPatch {
        title: Some(title("Mission zero")),
        cadence: Some(MissionCadence::Daily),
        sort_order: Some(1),
        ..MissionPatch::default()
    };
    storage.missions().update(&slug("a"), &patch, 1, now()).await.unwrap();
    views.push(fresh("the update").await);
    storage.missions().set_active(&slug("a"), false, now()).await.unwrap();
    views.push(fresh("switching off").await);
    storage.missions().set_active(&slug("a"), true, now()).await.unwrap();
    storage.missions().delete(&slug("b"), false, now()).await.unwrap();
    views.push(fresh("the soft deletion").await);
    storage.missions().delete(&slug("b"), true, now()).await.unwrap();
    views.push(fresh("the hard deletion").await);
    assert!(views.windows(2).all(|pair| pair[0] != pair[1]), "{views:?}");
}
