use std::sync::Arc;

use guildhall_domain::{DomainEvent, NewFragment, Patch, StoryStatePatch, UserFragment, UserId};
use guildhall_repository::{ErrorKind, NewDecision, Storage};

use super::super::expect::{invalid, refused};
use super::super::given;
use crate::builder::{decision, fragment, hours, now, page, slug};

/// And is the same afterwards.
pub async fn a_state_begins_once(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    assert_eq!(storage.story().state(ada).await.unwrap(), None);
    assert_eq!(storage.story().state_locked(ada).await.unwrap(), None);
    let begun = storage.story().ensure_state(ada, now()).await.unwrap();
    let state = begun.value;
    assert!(!begun.replayed);
    assert_eq!((state.user, state.current_fragment.clone(), state.karma), (ada, None, 0));
    assert_eq!((state.started_at, state.last_activity_at), (now(), now()));
    assert_eq!(state.version, 1);
    let again = storage.story().ensure_state(ada, now().plus(hours(1))).await.unwrap();
    assert_eq!((again.value, again.replayed), (state.clone(), true));
    assert_eq!(storage.story().state(ada).await.unwrap(), Some(state.clone()));
    assert_eq!(storage.story().state_locked(ada).await.unwrap(), Some(state));
    let nobody = storage.story().ensure_state(UserId(999_999), now()).await;
    refused(nobody, ErrorKind::NotFound);
}

/// Only one of them is told that it began.
pub async fn fifty_beginnings_make_one_state(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let outcomes = given::at_once(50, &storage, |storage, _| async move {
        storage.story().ensure_state(ada, now()).await.unwrap()
    })
    .await;
    assert_eq!(outcomes.iter().filter(|outcome| !outcome.replayed).count(), 1);
    assert!(outcomes.iter().all(|outcome| outcome.value == outcomes[0].value));
}

/// Place and karma, each alone or both; an empty patch changes nothing.
pub async fn a_state_is_set_right(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    given::story(&storage, &[fragment("gate")]).await;
    let first = storage.story().ensure_state(ada, now()).await.unwrap().value;
    let later = now().plus(hours(1));
    let update = async |patch: StoryStatePatch, version| {
        storage.story().update_state(ada, &patch, version, later).await
    };
    assert_eq!(update(StoryStatePatch::default(), 7).await.unwrap(), first);
    let place = Patch::Set(slug("gate"));
    let patch = StoryStatePatch { current_fragment: place, karma: Some(-5) };
    let second = update(patch, 1).await.unwrap();
    assert_eq!((second.current_fragment.clone(), second.karma), (Some(slug("gate")), -5));
    assert_eq!((second.started_at, second.last_activity_at), (now(), later));
    assert_eq!(second.version, 2);
    let patch = StoryStatePatch { karma: Some(9), ..StoryStatePatch::default() };
    let third = update(patch, 2).await.unwrap();
    assert_eq!((third.current_fragment.clone(), third.karma), (Some(slug("gate")), 9));
    let patch = StoryStatePatch { current_fragment: Patch::Clear, karma: None };
    let fourth = update(patch, 3).await.unwrap();
    assert_eq!((fourth.current_fragment.clone(), fourth.karma), (None, 9));
    assert_eq!(storage.story().state(ada).await.unwrap(), Some(fourth));
    let patch = StoryStatePatch { karma: Some(i64::MAX), ..StoryStatePatch::default() };
    invalid(update(patch, 4).await, "karma");
    let patch = StoryStatePatch { current_fragment: Patch::Set(slug("nowhere")), karma: None };
    refused(update(patch, 4).await, ErrorKind::NotFound);
}

/// And without one there is nothing to update.
pub async fn an_update_of_an_old_state_is_a_conflict(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let patch = StoryStatePatch { karma: Some(1), ..StoryStatePatch::default() };
    for patch in [patch.clone(), StoryStatePatch::default()] {
        let absent = storage.story().update_state(ada, &patch, 1, now()).await;
        refused(absent, ErrorKind::NotFound);
    }
    storage.story().ensure_state(ada, now()).await.unwrap();
    for version in [0, 2] {
        let late = storage.story().update_state(ada, &patch, version, now()).await;
        refused(late, ErrorKind::Conflict);
    }
}

/// If nothing has yet; each move is one version.
pub async fn moving_begins_the_story(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    given::story(&storage, &["a", "b"].map(fragment)).await;
    let first = storage.story().move_to(ada, &slug("a"), now()).await.unwrap();
    assert_eq!((first.current_fragment, first.version), (Some(slug("a")), 1));
    let later = now().plus(hours(1));
    let second = storage.story().move_to(ada, &slug("b"), later).await.unwrap();
    assert_eq!((second.current_fragment.clone(), second.version), (Some(slug("b")), 2));
    assert_eq!((second.started_at, second.last_activity_at), (now(), later));
    assert_eq!(storage.story().state(ada).await.unwrap(), Some(second));
}

/// The first is told apart; its time stays.
pub async fn visits_are_counted(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    given::story(&storage, &[fragment("gate")]).await;
    let gate = slug("gate");
    assert_eq!(storage.story().user_fragment(ada, &gate).await.unwrap(), None);
    for n in 1..=3 {
        let at = now().plus(hours(n));
        let outcome = storage.story().visit(ada, &gate, at).await.unwrap();
        let expected = UserFragment {
            user: ada,
            fragment: gate.clone(),
            first_visited_at: now().plus(hours(1)),
            last_visited_at: at,
            visits: n,
            completed_at: None,
        };
        assert_eq!((outcome.value, outcome.replayed), (expected.clone(), n > 1));
        assert_eq!(storage.story().user_fragment(ada, &gate).await.unwrap(), Some(expected));
    }
}

/// And all of them count.
pub async fn fifty_visits_at_once_have_one_first(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    given::story(&storage, &[fragment("gate")]).await;
    let outcomes = given::at_once(50, &storage, |storage, _| async move {
        storage.story().visit(ada, &slug("gate"), now()).await.unwrap()
    })
    .await;
    assert_eq!(outcomes.iter().filter(|outcome| !outcome.replayed).count(), 1);
    let visited = storage.story().user_fragment(ada, &slug("gate")).await.unwrap().unwrap();
    assert_eq!(visited.visits, 50);
}

/// With or without a visit before; the time of the first completion stays.
pub async fn a_fragment_is_completed_once(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    given::story(&storage, &["seen", "unseen"].map(fragment)).await;
    storage.story().visit(ada, &slug("seen"), now()).await.unwrap();
    for id in ["seen", "unseen"] {
        let at = now().plus(hours(1));
        let outcome = storage.story().complete(ada, &slug(id), at).await.unwrap();
        let event = DomainEvent::FragmentCompleted { user: ada, fragment: slug(id) };
        assert_eq!((outcome.replayed, outcome.events), (false, vec![event]));
        let completed = outcome.value;
        assert_eq!((completed.visits, completed.completed_at), (1, Some(at)));
        let first = if id == "seen" { now() } else { at };
        assert_eq!(completed.first_visited_at, first);
        let again = storage.story().complete(ada, &slug(id), now().plus(hours(2))).await.unwrap();
        assert_eq!((again.value, again.replayed, again.events), (completed, true, vec![]));
    }
    let visited = storage.story().visit(ada, &slug("unseen"), now()).await.unwrap().value;
    assert_eq!((visited.visits, visited.completed_at), (2, Some(now().plus(hours(1)))));
}

/// And one event tells of it.
pub async fn fifty_completions_at_once_complete_once(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    given::story(&storage, &[fragment("gate")]).await;
    let outcomes = given::at_once(50, &storage, |storage, _| async move {
        storage.story().complete(ada, &slug("gate"), now()).await.unwrap()
    })
    .await;
    let fresh: Vec<_> = outcomes.iter().filter(|outcome| !outcome.replayed).collect();
    assert_eq!((fresh.len(), fresh[0].events.len()), (1, 1));
    assert!(outcomes.iter().all(|outcome| outcome.value == outcomes[0].value));
}

/// Neither somebody who is not, nor anybody to what is not.
pub async fn nobody_goes_nowhere(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let gone = given::member(&storage, "gone").await;
    storage.users().delete(gone, now()).await.unwrap();
    given::story(&storage, &[fragment("gate")]).await;
    for (user, id) in [(ada, "nowhere"), (gone, "gate"), (UserId(999_999), "gate")] {
        let (story, id) = (storage.story(), slug(id));
        refused(story.visit(user, &id, now()).await, ErrorKind::NotFound);
        refused(story.complete(user, &id, now()).await, ErrorKind::NotFound);
        refused(story.move_to(user, &id, now()).await, ErrorKind::NotFound);
        assert_eq!(story.state(user).await.unwrap(), None);
        assert_eq!(story.visited(user, &page(9)).await.unwrap().items, []);
    }
}

/// When there is no place, or it is inactive; and writes nothing.
pub async fn the_current_fragment_falls_back_to_the_start(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let current = async || {
        let found = storage.story().current_fragment(ada).await.unwrap();
        found.map(|fragment| fragment.id)
    };
    assert_eq!(current().await, None);
    let start = NewFragment { is_start: true, ..fragment("start") };
    given::story(&storage, &[start, fragment("gate")]).await;
    assert_eq!(current().await, Some(slug("start")));
    storage.story().ensure_state(ada, now()).await.unwrap();
    assert_eq!(current().await, Some(slug("start")));
    let state = storage.story().move_to(ada, &slug("gate"), now()).await.unwrap();
    assert_eq!(current().await, Some(slug("gate")));
    storage.narrative().delete_fragment(&slug("gate"), false, now()).await.unwrap();
    assert_eq!(current().await, Some(slug("start")));
    assert_eq!(storage.story().state(ada).await.unwrap(), Some(state));
}

/// Lore is kept if wished.
pub async fn a_reset_forgets_the_way_but_no_decision(storage: Arc<dyn Storage>) {
    let (ada, bob) = (given::member(&storage, "ada").await, given::member(&storage, "bob").await);
    given::story(&storage, &[fragment("a"), decision("gate", &["a"])]).await;
    let map = given::piece(&storage, "map").await;
    let choice = given::stored(&storage, "gate").await.choices[0].id;
    for user in [ada, bob] {
        let state = storage.story().move_to(user, &slug("gate"), now()).await.unwrap();
        let new = NewDecision { user, fragment: slug("gate"), choice, karma_delta: 1 };
        storage.story().record_decision(&new, state.version, now()).await.unwrap();
        storage.story().complete(user, &slug("gate"), now()).await.unwrap();
        storage.lore().unlock(&given::find_of(user, map), now()).await.unwrap();
    }
    for (keep_lore, forgot) in [(true, true), (true, false), (false, true), (false, false)] {
        assert_eq!(storage.story().reset(ada, keep_lore).await.unwrap(), forgot);
        assert_eq!(storage.story().state(ada).await.unwrap(), None);
        assert_eq!(storage.story().visited(ada, &page(9)).await.unwrap().items, []);
        assert_eq!(storage.lore().has(ada, map).await.unwrap(), keep_lore);
        assert_eq!(storage.story().decisions(ada, &page(9)).await.unwrap().items.len(), 1);
    }
    assert!(storage.story().state(bob).await.unwrap().is_some());
    assert!(storage.lore().has(bob, map).await.unwrap());
    let again = storage.story().visit(ada, &slug("gate"), now()).await.unwrap();
    assert!(!again.replayed);
}

/// And a commit makes all of a unit's steps at once.
pub async fn a_rolled_back_step_was_not_taken(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    given::story(&storage, &[fragment("gate")]).await;
    let (gate, map) = (slug("gate"), given::piece(&storage, "map").await);
    for commits in [false, true] {
        let work = storage.begin().await.unwrap();
        assert_eq!(work.story().state_locked(ada).await.unwrap(), None);
        work.story().move_to(ada, &gate, now()).await.unwrap();
        assert!(!work.story().visit(ada, &gate, now()).await.unwrap().replayed);
        assert!(!work.story().complete(ada, &gate, now()).await.unwrap().replayed);
        let found = given::find_of(ada, map);
        assert!(!work.lore().unlock(&found, now()).await.unwrap().replayed);
        assert!(work.story().state_locked(ada).await.unwrap().is_some());
        if commits {
            work.commit().await.unwrap();
        } else {
            work.rollback().await.unwrap();
        }
        assert_eq!(storage.story().state(ada).await.unwrap().is_some(), commits);
        assert_eq!(storage.story().user_fragment(ada, &gate).await.unwrap().is_some(), commits);
        assert_eq!(storage.lore().has(ada, map).await.unwrap(), commits);
    }
}
