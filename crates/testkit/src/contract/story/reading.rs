use std::fmt::Debug;
use std::sync::Arc;

use guildhall_domain::{
    FragmentKind, FragmentPopularity, JourneyStep, NewFragment, NewLorePiece, Slug, StoryProgress,
    StoryTotals, UserId,
};
use guildhall_repository::{NewDecision, Repositories, Storage};

use super::super::expect::{invalid, walk};
use super::super::given;
use crate::builder::{at_most, decision, fragment, hours, lore, now, page, slug, title};

/// In the order in which they are met: by time, then by the bytes of the id.
const MET: [&str; 6] = ["z", "a-b", "a.b", "a:b", "a_b", "0"];

/// A member who went all of that way, and another who only came near.
async fn on_the_way(storage: &Arc<dyn Storage>) -> UserId {
    let (ada, bob) = (given::member(storage, "ada").await, given::member(storage, "bob").await);
    given::story(storage, &MET.map(fragment)).await;
    let at = |id: &str| match id {
        "z" => now(),
        "0" => now().plus(hours(2)),
        _ => now().plus(hours(1)),
    };
    for id in ["0", "a_b", "a:b", "z", "a.b", "a-b"] {
        storage.story().complete(ada, &slug(id), at(id)).await.unwrap();
    }
    storage.story().visit(ada, &slug("z"), now().plus(hours(9))).await.unwrap();
    storage.story().visit(bob, &slug("0"), now()).await.unwrap();
    ada
}

/// First seen first.
pub async fn visited_fragments_page_without_loss(storage: Arc<dyn Storage>) {
    let ada = on_the_way(&storage).await;
    for limit in [1, 2, 4, 5, 6, 7] {
        let story = storage.story();
        let seen = walk(limit, async |page| story.visited(ada, &page).await).await;
        let seen: Vec<_> = seen.iter().map(|seen| seen.fragment.as_str()).collect();
        assert_eq!(seen, MET, "{limit}");
    }
}

/// First completed first; those only seen are left out.
pub async fn completed_fragments_page_without_loss(storage: Arc<dyn Storage>) {
    let ada = on_the_way(&storage).await;
    given::story(&storage, &[fragment("seen")]).await;
    storage.story().visit(ada, &slug("seen"), now()).await.unwrap();
    for limit in [1, 2, 4, 5, 6, 7] {
        let story = storage.story();
        let done = walk(limit, async |page| story.completed(ada, &page).await).await;
        assert!(done.iter().all(|done| done.completed_at.is_some()));
        let done: Vec<_> = done.iter().map(|done| done.fragment.as_str()).collect();
        assert_eq!(done, MET, "{limit}");
    }
}

/// Or made up.
pub async fn cursors_of_other_lists_of_steps_are_refused(storage: Arc<dyn Storage>) {
    let ada = on_the_way(&storage).await;
    let cursor = storage.story().visited(ada, &page(1)).await.unwrap().next_cursor.unwrap();
    let request = page(1).after(cursor);
    invalid(storage.story().completed(ada, &request).await, "cursor");
    invalid(storage.story().journey(ada, &request).await, "cursor");
    let request = page(1).after("story.visited~x~a".parse().unwrap());
    invalid(storage.story().visited(ada, &request).await, "cursor");
}

/// And nobody is nowhere.
pub async fn progress_counts_active_fragments(storage: Arc<dyn Storage>) {
    let ada = on_the_way(&storage).await;
    given::story(&storage, &["new", "seen"].map(fragment)).await;
    storage.story().visit(ada, &slug("seen"), now()).await.unwrap();
    let progress = async |user| storage.story().progress(user).await.unwrap();
    let before = progress(ada).await;
    assert_eq!(before, StoryProgress { visited: 7, completed: 6, total: 8 });
    assert_eq!(before.share().get(), 7_500);
    for id in ["z", "new"] {
        storage.narrative().delete_fragment(&slug(id), true, now()).await.unwrap();
    }
    let after = StoryProgress { visited: 6, completed: 5, total: 6 };
    assert_eq!(progress(ada).await, after);
    let nowhere = StoryProgress { visited: 0, completed: 0, total: 6 };
    assert_eq!(progress(UserId(999_999)).await, nowhere);
}

/// As they are now; inactive fragments are part of it.
pub async fn a_journey_tells_titles_and_progress(storage: Arc<dyn Storage>) {
    let ada = on_the_way(&storage).await;
    let renamed = NewFragment {
        title: title("الرحلة 🧭"),
        kind: FragmentKind::Info,
        is_active: false,
        ..fragment("z")
    };
    given::story(&storage, &[renamed]).await;
    let journey = storage.story().journey(ada, &page(1)).await.unwrap();
    let step = JourneyStep {
        fragment: slug("z"),
        title: title("الرحلة 🧭"),
        kind: FragmentKind::Info,
        first_visited_at: now(),
        visits: 2,
        completed_at: Some(now()),
    };
    assert_eq!(journey.steps.items, [step]);
    assert_eq!(journey.progress, StoryProgress { visited: 5, completed: 5, total: 5 });
    for limit in [1, 2, 4, 6] {
        let story = storage.story();
        let steps = walk(limit, async |page| Ok(story.journey(ada, &page).await?.steps)).await;
        let steps: Vec<_> = steps.iter().map(|step| step.fragment.as_str()).collect();
        assert_eq!(steps, MET, "{limit}");
    }
    let nobody = storage.story().journey(UserId(999_999), &page(9)).await.unwrap();
    assert_eq!((nobody.steps.items, nobody.progress.visited), (vec![], 0));
}

/// Active fragments by kind, who began, what was completed, and lore by category.
pub async fn totals_count_the_story_and_its_readers(storage: Arc<dyn Storage>) {
    let empty = storage.story().totals().await.unwrap();
    assert_eq!((empty.fragments.len(), empty.started, empty.mean_completed().get()), (0, 0, 0));
    let ada = on_the_way(&storage).await;
    let idle = NewFragment { is_active: false, ..fragment("idle") };
    given::story(&storage, &[decision("gate", &["z"]), idle]).await;
    for name in ["begun", "also"] {
        let user = given::member(&storage, name).await;
        storage.story().ensure_state(user, now()).await.unwrap();
    }
    storage.story().move_to(ada, &slug("z"), now()).await.unwrap();
    for (code, category, is_active) in
        [("a", Some("x"), true), ("b", Some("x"), true), ("c", Some("w"), true), ("d", None, true)]
    {
        let category = category.map(slug);
        let new = NewLorePiece { category, is_active, ..lore(code) };
        storage.lore().create_piece(&new, now()).await.unwrap();
    }
    let idle = NewLorePiece { category: Some(slug("v")), is_active: false, ..lore("e") };
    storage.lore().create_piece(&idle, now()).await.unwrap();
    let expected = StoryTotals {
        fragments: vec![(FragmentKind::Story, 6), (FragmentKind::Decision, 1)],
        started: 3,
        completions: 6,
        lore: 4,
        categories: vec![(slug("w"), 1), (slug("x"), 2)],
    };
    assert_eq!(storage.story().totals().await.unwrap(), expected);
    assert_eq!(expected.mean_completed().get(), 20_000);
}

/// Those that nobody has seen are left out.
pub async fn the_most_visited_fragments_come_first(storage: Arc<dyn Storage>) {
    on_the_way(&storage).await;
    given::story(&storage, &[fragment("unseen")]).await;
    let popular = |id: &str, visitors| FragmentPopularity {
        fragment: slug(id),
        title: title(&format!("Fragment {id}")),
        visitors,
        completions: 1,
    };
    let expected = [
        popular("0", 2),
        popular("a-b", 1),
        popular("a.b", 1),
        popular("a:b", 1),
        popular("a_b", 1),
        popular("z", 1),
    ];
    for limit in [1, 3, 200] {
        let found = storage.story().popularity(at_most(limit)).await.unwrap();
        assert_eq!(found, expected[..expected.len().min(limit as usize)]);
    }
}

/// What every read says of a member, with lists by several limits.
async fn everything<R: Repositories + ?Sized>(
    storage: &R,
    user: UserId,
    ids: &[Slug],
) -> Vec<String> {
    fn said(value: impl Debug) -> String {
        format!("{value:?}")
    }
    let (story, lore) = (storage.story(), storage.lore());
    let mut all = vec![
        said(story.state(user).await.unwrap()),
        said(story.current_fragment(user).await.unwrap()),
        said(story.progress(user).await.unwrap()),
        said(story.totals().await.unwrap()),
    ];
    for id in ids {
        all.push(said(story.user_fragment(user, id).await.unwrap()));
    }
    for limit in [1, 2, 50] {
        let page = page(limit);
        all.push(said(story.visited(user, &page).await.unwrap()));
        all.push(said(story.completed(user, &page).await.unwrap()));
        all.push(said(story.decisions(user, &page).await.unwrap()));
        all.push(said(story.journey(user, &page).await.unwrap()));
        all.push(said(lore.unlocked(user, &page).await.unwrap()));
        all.push(said(story.popularity(at_most(limit)).await.unwrap()));
    }
    all
}

/// State, place, lists of every size, progress, lore and totals, whatever was read before.
pub async fn the_way_is_fresh_after_every_step(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let start = NewFragment { is_start: true, ..fragment("a") };
    given::story(&storage, &[start, decision("gate", &["a"]), fragment("b")]).await;
    let map = given::piece(&storage, "map").await;
    let choice = given::stored(&storage, "gate").await.choices[0].id;
    let (ids, story) = (["a", "gate", "b"].map(slug), storage.story());
    for step in 0..13 {
        everything(&*storage, ada, &ids).await;
        match step {
            0 => drop(story.ensure_state(ada, now()).await.unwrap()),
            1 => drop(story.move_to(ada, &ids[1], now()).await.unwrap()),
            2 => drop(story.visit(ada, &ids[1], now()).await.unwrap()),
            3 => drop(story.visit(ada, &ids[1], now().plus(hours(1))).await.unwrap()),
            4 => drop(story.complete(ada, &ids[1], now()).await.unwrap()),
            5 => drop(story.complete(ada, &ids[2], now()).await.unwrap()),
            6 => {
                let new =
                    NewDecision { user: ada, fragment: ids[1].clone(), choice, karma_delta: 2 };
                story.record_decision(&new, 2, now()).await.unwrap();
            }
            7 => {
                let patch = guildhall_domain::StoryStatePatch {
                    karma: Some(40),
                    ..guildhall_domain::StoryStatePatch::default()
                };
                story.update_state(ada, &patch, 3, now()).await.unwrap();
            }
            8 => {
                let found = given::find_of(ada, map);
                storage.lore().unlock(&found, now()).await.unwrap();
            }
            9 => {
                let new = NewLorePiece { title: title("Another map"), ..lore("map") };
                storage.lore().update_piece(&new, 1, now()).await.unwrap();
            }
            10 => drop(storage.narrative().delete_fragment(&ids[1], true, now()).await.unwrap()),
            11 => {
                let work = storage.begin().await.unwrap();
                work.story().visit(ada, &ids[0], now()).await.unwrap();
                work.story().move_to(ada, &ids[0], now()).await.unwrap();
                work.commit().await.unwrap();
            }
            _ => drop(story.reset(ada, false).await.unwrap()),
        }
        let seen = everything(&*storage, ada, &ids).await;
        let work = storage.begin().await.unwrap();
        assert_eq!(seen, everything(&*work, ada, &ids).await, "after step {step}");
        work.rollback().await.unwrap();
    }
}
