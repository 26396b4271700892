use std::sync::Arc;

use guildhall_domain::NewFragment;
use guildhall_repository::{ErrorKind, FragmentChange, FragmentFilter, Storage, StorageError};

use super::super::expect::invalid;
use super::super::given;
use crate::builder::{choice, decision, fragment, now, slug, title};

/// What became of each, as its change or the kind of its refusal.
fn changes(
    items: &[Result<FragmentChange, StorageError>],
) -> Vec<Result<FragmentChange, ErrorKind>> {
    items.iter().map(|item| item.as_ref().map_err(StorageError::kind).copied()).collect()
}

/// A story of three that lead to each other.
fn ring() -> [NewFragment; 3] {
    let start = NewFragment { is_start: true, ..decision("a", &["b", "c"]) };
    let next = NewFragment { auto_next: Some(slug("c")), ..fragment("b") };
    [start, next, decision("c", &["a"])]
}

async fn count(storage: &Arc<dyn Storage>) -> u64 {
    storage.narrative().count_fragments(&FragmentFilter::default()).await.unwrap()
}

/// Its fragments may lead to each other in a circle.
pub async fn a_story_is_imported_as_a_whole(storage: Arc<dyn Storage>) {
    let import = storage.narrative().import_fragments(&ring(), false, now()).await.unwrap();
    assert_eq!(changes(&import.items), [Ok(FragmentChange::Inserted); 3]);
    assert!(import.written);
    for new in ring() {
        let stored = storage.narrative().fragment(&new.id).await.unwrap().unwrap();
        assert_eq!((stored.title, stored.auto_next), (new.title, new.auto_next));
        assert_eq!(stored.choices.len(), new.choices.len());
    }
    let nothing = storage.narrative().import_fragments(&[], false, now()).await.unwrap();
    assert!(nothing.items.is_empty());
}

/// Whatever differs is written, and nothing else.
pub async fn the_same_story_again_changes_nothing(storage: Arc<dyn Storage>) {
    given::story(&storage, &ring()).await;
    let before = given::stored(&storage, "a").await;
    let again = storage.narrative().import_fragments(&ring(), false, now()).await.unwrap();
    assert_eq!(changes(&again.items), [Ok(FragmentChange::Unchanged); 3]);
    assert_eq!(given::stored(&storage, "a").await, before);

    let mut changed = ring().to_vec();
    changed[1].title = title("Another");
    changed.push(fragment("d"));
    let again = storage.narrative().import_fragments(&changed, false, now()).await.unwrap();
    let expected = [
        Ok(FragmentChange::Unchanged),
        Ok(FragmentChange::Updated),
        Ok(FragmentChange::Unchanged),
        Ok(FragmentChange::Inserted),
    ];
    assert_eq!(changes(&again.items), expected);
    let versions = [("a", 1), ("b", 2), ("c", 1), ("d", 1)];
    for (id, version) in versions {
        assert_eq!(given::stored(&storage, id).await.version, version, "{id}");
    }
}

/// Refusals included.
pub async fn a_dry_run_only_says_what_it_would_do(storage: Arc<dyn Storage>) {
    let import = storage.narrative().import_fragments(&ring(), true, now()).await.unwrap();
    assert_eq!(changes(&import.items), [Ok(FragmentChange::Inserted); 3]);
    let broken = [decision("x", &["nowhere"])];
    let refused = storage.narrative().import_fragments(&broken, true, now()).await.unwrap();
    assert_eq!(changes(&refused.items), [Err(ErrorKind::NotFound)]);
    assert!(!import.written && !refused.written);
    assert_eq!(count(&storage).await, 0);
}

/// Whatever the reason; each says its own.
pub async fn one_refused_fragment_keeps_the_others_out(storage: Arc<dyn Storage>) {
    let start = |id: &str| NewFragment { is_start: true, ..fragment(id) };
    given::story(&storage, &[start("start")]).await;
    let claim = vec![guildhall_domain::NewChoice {
        id: Some(guildhall_domain::ChoiceId(1)),
        ..choice("start")
    }];
    for (broken, kind) in [
        (NewFragment { chapter_level: 0, ..fragment("x") }, ErrorKind::Validation),
        (NewFragment { choices: claim, ..fragment("x") }, ErrorKind::Validation),
        (decision("x", &["fine", "nowhere"]), ErrorKind::NotFound),
        (start("x"), ErrorKind::AlreadyExists),
        (fragment("fine"), ErrorKind::AlreadyExists),
    ] {
        let story = [fragment("fine"), broken];
        let import = storage.narrative().import_fragments(&story, false, now()).await.unwrap();
        assert_eq!(changes(&import.items), [Ok(FragmentChange::Inserted), Err(kind)]);
        assert!(!import.written);
        assert_eq!(count(&storage).await, 1);
    }
}

/// In either order.
pub async fn an_import_moves_the_start(storage: Arc<dyn Storage>) {
    let story =
        |start: &str| ["a", "b"].map(|id| NewFragment { is_start: id == start, ..fragment(id) });
    for start in ["a", "b", "a"] {
        given::story(&storage, &story(start)).await;
        assert_eq!(storage.narrative().start().await.unwrap().unwrap().id, slug(start));
    }
    let both = ["a", "b"].map(|id| NewFragment { is_start: true, ..fragment(id) });
    let both = storage.narrative().import_fragments(&both, false, now()).await.unwrap();
    let expected = [Ok(FragmentChange::Unchanged), Err(ErrorKind::AlreadyExists)];
    assert_eq!(changes(&both.items), expected);
}

/// And takes that many.
pub async fn an_import_has_at_most_500_fragments(storage: Arc<dyn Storage>) {
    let story: Vec<_> = (0..501)
        .map(|n| decision(&format!("f{n}"), &[&format!("f{}", n / 2), "f0", "f1"]))
        .collect();
    invalid(storage.narrative().import_fragments(&story, false, now()).await, "fragments");
    given::story(&storage, &story[..500]).await;
    assert_eq!(count(&storage).await, 500);
    let again = storage.narrative().import_fragments(&story[..500], false, now()).await.unwrap();
    assert!(changes(&again.items).iter().all(|change| *change == Ok(FragmentChange::Unchanged)));
}
