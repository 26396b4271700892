use std::sync::Arc;

use guildhall_domain::{NewFragment, Slug};
use guildhall_repository::{BATCH_MAX, ErrorKind, FragmentFilter, Storage};

use super::super::expect::{invalid, refused};
use super::super::given;
use crate::builder::{choice, decision, fragment, hours, now, slug, title};

fn numbered(count: usize) -> Vec<NewFragment> {
    (0..count).map(|n| fragment(&format!("f{n:04}"))).collect()
}

fn start(id: &str) -> NewFragment {
    NewFragment { is_start: true, ..fragment(id) }
}

fn titled(id: &str, text: &str, expected_version: i64) -> (NewFragment, i64) {
    (NewFragment { title: title(text), ..fragment(id) }, expected_version)
}

async fn counted(storage: &Arc<dyn Storage>, is_active: Option<bool>) -> u64 {
    let filter = FragmentFilter { is_active, ..FragmentFilter::default() };
    storage.narrative().count_fragments(&filter).await.unwrap()
}

/// In the order given, with all their parts, leading to each other; as many as fit.
pub async fn many_fragments_are_written_at_once(storage: Arc<dyn Storage>) {
    let story = storage.narrative();
    assert_eq!(story.create_fragments(&[], now()).await.unwrap(), []);
    let mut new = numbered(BATCH_MAX);
    new.reverse();
    new[0] = NewFragment { is_start: true, ..decision(new[0].id.as_str(), &["f0000", "f0500"]) };
    new[1].auto_next = Some(new[2].id.clone());
    let made = story.create_fragments(&new, now()).await.unwrap();
    assert!(made.iter().map(|made| &made.id).eq(new.iter().map(|new| &new.id)));
    assert_eq!((made[0].choices.len(), &made[1].auto_next), (2, &new[1].auto_next));
    assert_eq!(story.start().await.unwrap().as_ref(), Some(&made[0]));
    let ids: Vec<Slug> = made[..500].iter().map(|made| made.id.clone()).collect();
    assert_eq!(story.fragments_by_ids(&ids).await.unwrap(), made[..500]);
    assert_eq!(story.delete_fragments(&ids, true, now()).await.unwrap(), 500);
    assert_eq!((counted(&storage, None).await, counted(&storage, Some(true)).await), (1000, 500));
    let exists = async |id| story.fragment_exists(&slug(id)).await.unwrap();
    assert!(exists("f0999").await && !exists("f1000").await);
}

/// An id that is taken, or given twice, a way to nowhere, a second start, or too many of them.
pub async fn a_batch_of_fragments_is_written_wholly_or_not(storage: Arc<dyn Storage>) {
    given::story(&storage, &[start("gate")]).await;
    let work = storage.begin().await.unwrap();
    let create = async |new: &[NewFragment]| work.narrative().create_fragments(new, now()).await;
    let taken = create(&[fragment("a"), fragment("gate")]).await;
    refused(taken, ErrorKind::AlreadyExists);
    let twice = create(&[fragment("a"), fragment("b"), fragment("a")]).await;
    refused(twice, ErrorKind::AlreadyExists);
    refused(create(&[fragment("a"), decision("b", &["c"])]).await, ErrorKind::NotFound);
    refused(create(&[fragment("a"), start("b")]).await, ErrorKind::AlreadyExists);
    let unfit = NewFragment { choices: vec![choice("a"), choice("gate")], ..fragment("b") };
    refused(create(&[fragment("a"), unfit]).await, ErrorKind::Validation);
    invalid(create(&numbered(BATCH_MAX + 1)).await, "new");
    assert_eq!(create(&[fragment("a")]).await.unwrap().len(), 1);
    work.commit().await.unwrap();
    assert_eq!(counted(&storage, None).await, 2);
}

/// And every read of them is fresh; the start may move.
pub async fn many_fragments_are_changed_at_once_or_none(storage: Arc<dyn Storage>) {
    let story = storage.narrative();
    story.create_fragments(&numbered(3), now()).await.unwrap();
    given::story(&storage, &[start("gate")]).await;
    let shown = async |id| {
        let found = story.fragment(&slug(id)).await.unwrap().unwrap();
        (found.title.to_string(), found.version)
    };
    let before = shown("f0001").await;
    let later = now().plus(hours(1));
    let way = (decision("f0000", &["f0002", "gate"]), 1);
    let changes = [titled("f0002", "c", 1), way, (start("f0001"), 1), (fragment("gate"), 1)];
    assert_eq!(story.update_fragments(&changes, later).await.unwrap(), 4);
    assert_eq!(shown("f0002").await, ("c".into(), 2));
    assert_eq!(story.fragment(&slug("f0000")).await.unwrap().unwrap().choices.len(), 2);
    assert_eq!(story.start().await.unwrap().unwrap().id, slug("f0001"));
    // What changes nothing writes nothing.
    assert_eq!(story.update_fragments(&[titled("f0002", "c", 2)], now()).await.unwrap(), 1);

    let x = || (NewFragment { title: title("x"), ..start("f0001") }, 2);
    let stale = [x(), titled("f0002", "y", 1)];
    refused(story.update_fragments(&stale, now()).await, ErrorKind::Conflict);
    let absent = [x(), titled("nothing", "y", 1)];
    refused(story.update_fragments(&absent, now()).await, ErrorKind::NotFound);
    refused(story.update_fragments(&[x(), x()], now()).await, ErrorKind::AlreadyExists);
    let nowhere = [x(), (decision("f0002", &["nothing"]), 2)];
    refused(story.update_fragments(&nowhere, now()).await, ErrorKind::NotFound);
    let second = [x(), (start("gate"), 2)];
    refused(story.update_fragments(&second, now()).await, ErrorKind::AlreadyExists);
    let many: Vec<_> = numbered(BATCH_MAX + 1).into_iter().map(|new| (new, 1)).collect();
    invalid(story.update_fragments(&many, now()).await, "changes");
    assert_eq!((shown("f0001").await, shown("f0002").await), ((before.0, 2), ("c".into(), 2)));
}

/// What others need stays, and with it all others; those that go together may lead to each other.
pub async fn many_fragments_are_deleted_at_once_or_none(storage: Arc<dyn Storage>) {
    let story = storage.narrative();
    let mut road = fragment("road");
    road.auto_next = Some(slug("end"));
    let new = [start("gate"), decision("fork", &["road", "cave"]), road, fragment("cave")];
    let new: Vec<_> = new.into_iter().chain([fragment("end"), fragment("free")]).collect();
    story.create_fragments(&new, now()).await.unwrap();
    let refuse = async |ids: &[&str], named: &str| {
        let ids: Vec<_> = ids.iter().copied().map(slug).collect();
        let refusal = story.delete_fragments(&ids, false, now()).await;
        let error = refused(refusal, ErrorKind::InvalidState).to_string();
        assert!(error.contains(named), "{error}");
    };
    refuse(&["free", "gate"], "gate").await;
    refuse(&["free", "cave", "road"], "cave").await;
    refuse(&["free", "end"], "end").await;
    assert_eq!(counted(&storage, Some(true)).await, 6);
    let ids = ["cave", "road", "fork", "end", "nothing", "cave"].map(slug);
    assert_eq!(story.delete_fragments(&ids, false, now()).await.unwrap(), 4);
    assert_eq!(story.delete_fragments(&ids, false, now()).await.unwrap(), 0);
    let cave = story.fragment(&slug("cave")).await.unwrap().unwrap();
    assert_eq!((cave.is_active, cave.version), (false, 2));
    assert_eq!(story.delete_fragments(&[slug("gate")], true, now()).await.unwrap(), 1);
    assert_eq!(story.start().await.unwrap(), None);
    let many: Vec<_> = (0..=BATCH_MAX).map(|n| slug(&format!("f{n}"))).collect();
    invalid(story.delete_fragments(&many, true, now()).await, "ids");
}
