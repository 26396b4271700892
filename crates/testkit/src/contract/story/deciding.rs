use std::sync::Arc;

use guildhall_domain::{Choice, ChoiceId, Decision, NewChoice, UserId};
use guildhall_repository::{ErrorKind, NewDecision, Storage};

use super::super::expect::{invalid, refused, walk, winners};
use super::super::given;
use crate::builder::{choice, decision, fragment, hours, now, page, slug};

/// A member at a gate with two choices, the second of them inactive.
async fn at_the_gate(storage: &Arc<dyn Storage>) -> (UserId, Vec<Choice>) {
    let mut gate = decision("gate", &["a"]);
    gate.choices.push(NewChoice { is_active: false, ..choice("a") });
    given::story(storage, &[fragment("a"), gate]).await;
    let ada = given::member(storage, "ada").await;
    storage.story().move_to(ada, &slug("gate"), now()).await.unwrap();
    (ada, given::stored(storage, "gate").await.choices)
}

fn taking(user: UserId, choice: ChoiceId, karma_delta: i32) -> NewDecision {
    NewDecision { user, fragment: slug("gate"), choice, karma_delta }
}

/// The member stays where they are, one version on.
pub async fn a_decision_is_written_with_its_karma(storage: Arc<dyn Storage>) {
    let (ada, choices) = at_the_gate(&storage).await;
    let later = now().plus(hours(1));
    let mut karma = 0;
    for (version, delta) in [(1, -1_000_000), (2, 7)] {
        let new = taking(ada, choices[0].id, delta);
        let made = storage.story().record_decision(&new, version, later).await.unwrap();
        karma += i64::from(delta);
        let listed = storage.story().decisions(ada, &page(1)).await.unwrap();
        assert_eq!(listed.items, std::slice::from_ref(&made));
        let Decision { id, user, fragment, choice, made_at } = made;
        assert!(id.0 > 0);
        assert_eq!((user, fragment, choice, made_at), (ada, slug("gate"), choices[0].id, later));
        let state = storage.story().state(ada).await.unwrap().unwrap();
        assert_eq!((state.karma, state.version), (karma, version + 1));
        assert_eq!(state.current_fragment, Some(slug("gate")));
        assert_eq!(state.last_activity_at, later);
    }
}

/// The others find that the state has moved on.
pub async fn fifty_clicks_make_one_decision(storage: Arc<dyn Storage>) {
    let (ada, choices) = at_the_gate(&storage).await;
    let choice = choices[0].id;
    let outcomes = given::at_once(50, &storage, |storage, _| async move {
        storage.story().record_decision(&taking(ada, choice, 3), 1, now()).await
    })
    .await;
    let (won, lost) = winners(outcomes, ErrorKind::Conflict);
    assert_eq!((won.len(), lost.len()), (1, 49));
    assert_eq!(storage.story().state(ada).await.unwrap().unwrap().karma, 3);
    assert_eq!(storage.story().decisions(ada, &page(9)).await.unwrap().items, won);
}

/// Neither at another fragment, nor nowhere, nor before the story began.
pub async fn nobody_decides_elsewhere(storage: Arc<dyn Storage>) {
    let (ada, choices) = at_the_gate(&storage).await;
    let new = taking(ada, choices[0].id, 1);
    let state = storage.story().move_to(ada, &slug("a"), now()).await.unwrap();
    let elsewhere = storage.story().record_decision(&new, state.version, now()).await;
    refused(elsewhere, ErrorKind::InvalidState);
    let bob = given::member(&storage, "bob").await;
    let new = taking(bob, choices[0].id, 1);
    refused(storage.story().record_decision(&new, 1, now()).await, ErrorKind::NotFound);
    storage.story().ensure_state(bob, now()).await.unwrap();
    refused(storage.story().record_decision(&new, 1, now()).await, ErrorKind::InvalidState);
    for user in [ada, bob] {
        assert_eq!(storage.story().decisions(user, &page(9)).await.unwrap().items, []);
    }
}

/// Of this fragment, and active; otherwise nothing is written.
pub async fn only_offered_choices_are_taken(storage: Arc<dyn Storage>) {
    let (ada, choices) = at_the_gate(&storage).await;
    given::story(&storage, &[decision("door", &["a"])]).await;
    let foreign = given::stored(&storage, "door").await.choices[0].id;
    let before = storage.story().state(ada).await.unwrap();
    for choice in [choices[1].id, foreign, ChoiceId(999_999)] {
        let outcome = storage.story().record_decision(&taking(ada, choice, 1), 1, now()).await;
        refused(outcome, ErrorKind::InvalidState);
        let work = storage.begin().await.unwrap();
        let outcome = work.story().record_decision(&taking(ada, choice, 1), 1, now()).await;
        refused(outcome, ErrorKind::InvalidState);
        work.commit().await.unwrap();
    }
    assert_eq!(storage.story().state(ada).await.unwrap(), before);
    assert_eq!(storage.story().decisions(ada, &page(9)).await.unwrap().items, []);
}

/// Or was never taken: an author and twelve readers at once leave no decision without its choice.
pub async fn a_choice_that_is_removed_while_it_is_taken_stays_readable(storage: Arc<dyn Storage>) {
    let readers = given::crowd(&storage, 12, 0).await;
    let gate = slug("gate");
    given::story(&storage, &[fragment("a"), fragment("b"), decision("gate", &["a", "b"])]).await;
    for user in &readers {
        storage.story().move_to(*user, &gate, now()).await.unwrap();
    }
    let author = readers.len();
    given::at_once(readers.len() + 1, &storage, |storage, n| {
        let (reader, gate) = (readers.get(n).copied(), slug("gate"));
        async move {
            for round in 0..8 {
                let stored = given::stored(&storage, "gate").await;
                if n == author {
                    let ways: &[&str] = [&["b"][..], &["b", "a"][..]][round % 2];
                    let new = decision("gate", ways);
                    let version = stored.version;
                    storage.narrative().update_fragment(&new, version, now()).await.unwrap();
                    continue;
                }
                let user = reader.unwrap();
                let Some(choice) = stored.choices.iter().find(|it| it.text.as_str() == "To a")
                else {
                    continue;
                };
                let (fragment, choice) = (gate.clone(), choice.id);
                let new = NewDecision { user, fragment, choice, karma_delta: 0 };
                let state = storage.story().state(user).await.unwrap().unwrap();
                let made = storage.story().record_decision(&new, state.version, now()).await;
                if let Err(error) = made {
                    assert_eq!(error.kind(), ErrorKind::InvalidState, "{error}");
                }
            }
        }
    })
    .await;
    let choices = given::stored(&storage, "gate").await.choices;
    for user in readers {
        for made in storage.story().decisions(user, &page(9)).await.unwrap().items {
            assert!(choices.iter().any(|choice| choice.id == made.choice), "{made:?}");
        }
    }
}

/// In pages of any size.
pub async fn decisions_are_listed_newest_first(storage: Arc<dyn Storage>) {
    let (ada, choices) = at_the_gate(&storage).await;
    let mut made = Vec::new();
    for version in 1..=7 {
        let new = taking(ada, choices[0].id, 0);
        made.push(storage.story().record_decision(&new, version, now()).await.unwrap());
    }
    made.reverse();
    for limit in [1, 3, 6, 7, 8] {
        let story = storage.story();
        let listed = walk(limit, async |page| story.decisions(ada, &page).await).await;
        assert_eq!(listed, made, "{limit}");
    }
    for cursor in ["story.visited~1~a", "story.decisions~x", "story.decisions~1~2"] {
        let request = page(1).after(cursor.parse().unwrap());
        invalid(storage.story().decisions(ada, &request).await, "cursor");
    }
}
