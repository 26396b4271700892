use std::sync::Arc;

use guildhall_domain::{CommunityZone, MissionPatch, NewMission, Objective, ObjectiveKind, Slug};
use guildhall_repository::{BATCH_MAX, Change, ErrorKind, MissionFilter, Storage};

use super::super::expect::{invalid, refused};
use super::super::given;
use crate::builder::{mission, now, slug, title};

fn numbered(count: usize) -> Vec<NewMission> {
    (0..count).map(|n| mission(&format!("m{n:04}"), 2)).collect()
}

/// A mission that asks for others.
fn asking(id: &str, needed: &[&str]) -> NewMission {
    needed.iter().fold(mission(id, 1), |new, id| {
        new.objective(Objective::once(ObjectiveKind::Mission, slug(id)))
    })
}

fn titled(id: &str, text: &str, expected_version: i64) -> Change<Slug, MissionPatch> {
    let change = MissionPatch { title: Some(title(text)), ..MissionPatch::default() };
    Change { key: slug(id), change, expected_version }
}

async fn counted(storage: &Arc<dyn Storage>, is_active: Option<bool>) -> u64 {
    let filter = MissionFilter { is_active, ..MissionFilter::default() };
    storage.missions().count(filter).await.unwrap()
}

/// In the order given, with all their parts; as many as fit.
pub async fn many_missions_are_made_at_once(storage: Arc<dyn Storage>) {
    let missions = storage.missions();
    assert_eq!(missions.create_batch(&[], now()).await.unwrap(), []);
    let mut new = numbered(BATCH_MAX);
    new.reverse();
    let made = missions.create_batch(&new, now()).await.unwrap();
    let expected: Vec<_> = new.into_iter().map(|new| new.created(now()).unwrap()).collect();
    assert_eq!(made, expected);
    let ids: Vec<Slug> = made[..500].iter().map(|made| made.id.clone()).collect();
    assert_eq!(missions.by_ids(&ids).await.unwrap(), expected[..500]);
    assert_eq!(missions.delete_batch(&ids, true, now()).await.unwrap(), 500);
    assert_eq!(counted(&storage, None).await, 500);
    let exists = async |id| missions.exists(&slug(id)).await.unwrap();
    assert!(exists("m0499").await && !exists("m0500").await);
}

/// An id that is taken, or given twice, a row that breaks a rule, or too many of them.
pub async fn a_batch_of_missions_is_made_wholly_or_not(storage: Arc<dyn Storage>) {
    storage.missions().create(&mission("taken", 1), now()).await.unwrap();
    let work = storage.begin().await.unwrap();
    let create = async |new: &[NewMission]| work.missions().create_batch(new, now()).await;
    let one = |id| mission(id, 1);
    refused(create(&[one("a"), one("taken")]).await, ErrorKind::AlreadyExists);
    refused(create(&[one("a"), one("b"), one("a")]).await, ErrorKind::AlreadyExists);
    let over = NewMission { ends_at: Some(now()), starts_at: Some(now()), ..one("b") };
    refused(create(&[one("a"), over]).await, ErrorKind::Validation);
    invalid(create(&numbered(BATCH_MAX + 1)).await, "new");
    assert_eq!(create(&[one("a")]).await.unwrap().len(), 1);
    work.commit().await.unwrap();
    assert_eq!(counted(&storage, None).await, 2);
}

/// Whatever their order; but not in a circle, and not for what is nowhere.
pub async fn missions_of_a_batch_may_ask_for_each_other(storage: Arc<dyn Storage>) {
    let missions = storage.missions();
    let circle = [asking("a", &["b"]), asking("b", &["c"]), asking("c", &["a"])];
    invalid(missions.create_batch(&circle, now()).await, "objectives");
    refused(missions.create_batch(&[asking("a", &["b"])], now()).await, ErrorKind::NotFound);
    let chain = [asking("a", &["b", "c"]), asking("b", &["c"]), mission("c", 1)];
    assert_eq!(missions.create_batch(&chain, now()).await.unwrap().len(), 3);
    let ids = ["b", "c", "a"].map(slug);
    refused(missions.delete_batch(&ids[..2], true, now()).await, ErrorKind::InvalidState);
    assert_eq!(missions.delete_batch(&ids, true, now()).await.unwrap(), 3);
    assert_eq!(counted(&storage, None).await, 0);
}

/// And every read of them is fresh.
pub async fn many_missions_are_changed_at_once_or_none(storage: Arc<dyn Storage>) {
    let missions = storage.missions();
    missions.create_batch(&numbered(3), now()).await.unwrap();
    let shown = async |id| missions.by_id(&slug(id)).await.unwrap().unwrap().title.to_string();
    let before = shown("m0001").await;
    let changes = [titled("m0002", "c", 1), titled("m0000", "a", 1), titled("m0000", "b", 2)];
    assert_eq!(missions.update_batch(&changes, now()).await.unwrap(), 3);
    assert_eq!((shown("m0000").await, shown("m0002").await), ("b".into(), "c".into()));
    let stale = [titled("m0001", "x", 1), titled("m0002", "y", 1)];
    refused(missions.update_batch(&stale, now()).await, ErrorKind::Conflict);
    let absent = [titled("m0001", "x", 1), titled("nothing", "y", 1)];
    refused(missions.update_batch(&absent, now()).await, ErrorKind::NotFound);
    assert_eq!((shown("m0001").await, shown("m0002").await), (before, "c".into()));
}

/// What somebody has begun stays, and with it all others.
pub async fn many_missions_are_removed_at_once_or_none(storage: Arc<dyn Storage>) {
    let missions = storage.missions();
    missions.create_batch(&numbered(4), now()).await.unwrap();
    let ids = ["m0000", "m0001", "m0002", "m0003", "nothing"].map(slug);
    let ada = given::member(&storage, "ada").await;
    storage.mission_progress().start(ada, &ids[3], &CommunityZone::utc(), now()).await.unwrap();
    let error = refused(missions.delete_batch(&ids, true, now()).await, ErrorKind::InvalidState);
    assert!(error.to_string().contains("m0003"), "{error}");
    assert_eq!(counted(&storage, Some(true)).await, 4);
    assert_eq!(missions.delete_batch(&ids[2..], false, now()).await.unwrap(), 2);
    assert_eq!(missions.delete_batch(&ids, false, now()).await.unwrap(), 2);
    assert_eq!(counted(&storage, Some(true)).await, 0);
    assert_eq!(missions.delete_batch(&ids[..3], true, now()).await.unwrap(), 3);
    assert_eq!(missions.by_id(&ids[0]).await.unwrap(), None);
}
