use std::sync::Arc;

use guildhall_domain::{MissionPatch, NewMission, Objective, ObjectiveKind};
use guildhall_repository::{ErrorKind, Repositories, Storage};

use super::super::expect::{invalid, refused, winners};
use super::super::given;
use super::making::made;
use crate::builder::{mission, now, slug};

fn needing(id: &str, others: &[&str]) -> NewMission {
    others.iter().fold(mission(id, 1), |mission, other| {
        mission.objective(Objective::once(ObjectiveKind::Mission, slug(other)))
    })
}

fn to_need(other: &str) -> MissionPatch {
    let needed = Objective::once(ObjectiveKind::Mission, slug(other));
    MissionPatch { objectives: Some(vec![needed]), ..MissionPatch::default() }
}

/// Whether by a new mission or by a change.
pub async fn missions_asked_for_must_exist(storage: Arc<dyn Storage>) {
    refused(
        storage.missions().create(&needing("a", &["nowhere"]), now()).await,
        ErrorKind::NotFound,
    );
    assert_eq!(storage.missions().by_id(&slug("a")).await.unwrap(), None);
    let a = made(&storage, mission("a", 1)).await;
    let changed = storage.missions().update(&a.id, &to_need("nowhere"), 1, now()).await;
    refused(changed, ErrorKind::NotFound);
    assert_eq!(storage.missions().by_id(&a.id).await.unwrap(), Some(a));
}

/// However long the way round; the unit that tried goes on.
pub async fn missions_never_need_each_other_in_a_circle(storage: Arc<dyn Storage>) {
    made(&storage, mission("a", 1)).await;
    made(&storage, needing("b", &["a"])).await;
    made(&storage, needing("c", &["b", "a"])).await;
    let work = storage.begin().await.unwrap();
    for needed in ["b", "c", "a"] {
        let closed = work.missions().update(&slug("a"), &to_need(needed), 1, now()).await;
        invalid(closed, "objectives");
    }
    made_in(&*work, needing("d", &["c"])).await;
    work.commit().await.unwrap();
    invalid(storage.missions().update(&slug("a"), &to_need("d"), 1, now()).await, "objectives");
    // Once nothing leads back any more, it may.
    storage.missions().update(&slug("b"), &to_need("d"), 1, now()).await.unwrap_err();
    let free = MissionPatch { objectives: Some(Vec::new()), ..MissionPatch::default() };
    storage.missions().update(&slug("b"), &free, 1, now()).await.unwrap();
    let a = storage.missions().update(&slug("a"), &to_need("b"), 1, now()).await.unwrap();
    assert_eq!(a.missions_asked_for().collect::<Vec<_>>(), [&slug("b")]);
}

async fn made_in<R: Repositories + ?Sized>(work: &R, new: NewMission) {
    work.missions().create(&new, now()).await.unwrap();
}

/// Whoever comes second sees what the first one asked for.
pub async fn of_two_that_would_close_a_circle_one_wins(storage: Arc<dyn Storage>) {
    for id in ["a", "b"] {
        made(&storage, mission(id, 1)).await;
    }
    let outcomes = given::at_once(2, &storage, |storage, index| async move {
        let (id, other) = if index == 0 { ("a", "b") } else { ("b", "a") };
        storage.missions().update(&slug(id), &to_need(other), 1, now()).await
    })
    .await;
    let (won, lost) = winners(outcomes, ErrorKind::Validation);
    assert_eq!((won.len(), lost.len()), (1, 1));
}
