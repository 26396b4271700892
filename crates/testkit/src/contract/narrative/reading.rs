use std::sync::Arc;

use guildhall_domain::{
    Fragment, FragmentKind, NewChoice, NewFragment, Slug, StoryCheck, StoryWay,
};
use guildhall_repository::{ErrorKind, FragmentFilter, Page, Repositories, Storage};

use super::super::expect::{invalid, refused, walk};
use super::super::given;
use crate::builder::{choice, content, decision, fragment, hours, now, page, slug, title};

fn ids(fragments: &[Fragment]) -> Vec<&str> {
    fragments.iter().map(|fragment| fragment.id.as_str()).collect()
}

/// Missing ones are left out; at most 500 are asked for.
pub async fn fragments_are_answered_once_each_in_the_order_asked(storage: Arc<dyn Storage>) {
    given::story(&storage, &["c", "a", "b"].map(fragment)).await;
    let wanted = ["b", "nowhere", "c", "b", "a"].map(slug);
    let found = storage.narrative().fragments_by_ids(&wanted).await.unwrap();
    assert_eq!(ids(&found), ["b", "c", "a"]);
    assert_eq!(storage.narrative().fragments_by_ids(&[]).await.unwrap(), []);
    let many: Vec<Slug> = (0..501).map(|n| slug(&format!("f{n}"))).collect();
    invalid(storage.narrative().fragments_by_ids(&many).await, "ids");
    assert_eq!(storage.narrative().fragments_by_ids(&many[1..]).await.unwrap(), []);
}

/// By each field; filters combine, and are counted.
pub async fn fragments_are_filtered(storage: Arc<dyn Storage>) {
    given::story(
        &storage,
        &[
            fragment("a"),
            NewFragment { chapter_level: 2, ..fragment("b") },
            decision("c", &["a"]),
            NewFragment { is_active: false, chapter_level: 2, ..decision("d", &["a"]) },
            NewFragment { kind: FragmentKind::Info, ..fragment("e") },
        ],
    )
    .await;
    let base = FragmentFilter::default;
    for (filter, expected) in [
        (base(), vec!["a", "b", "c", "d", "e"]),
        (FragmentFilter { kind: Some(FragmentKind::Decision), ..base() }, vec!["c", "d"]),
        (FragmentFilter { is_active: Some(true), ..base() }, vec!["a", "b", "c", "e"]),
        (FragmentFilter { is_active: Some(false), ..base() }, vec!["d"]),
        (FragmentFilter { chapter_level: Some(2), ..base() }, vec!["b", "d"]),
        (FragmentFilter { chapter_level: Some(2), is_active: Some(true), ..base() }, vec!["b"]),
        (FragmentFilter { text: Some("fragment c".into()), ..base() }, vec!["c"]),
        (FragmentFilter { chapter_level: Some(u32::MAX), ..base() }, vec![]),
    ] {
        let found = storage.narrative().fragments(&filter, &page(200)).await.unwrap();
        assert_eq!((ids(&found.items), found.next_cursor), (expected.clone(), None), "{filter:?}");
        let count = storage.narrative().count_fragments(&filter).await.unwrap();
        assert_eq!(count, expected.len() as u64);
    }
}

/// In titles and in contents, of 2 to 200 characters.
pub async fn a_search_for_fragments_ignores_case_and_takes_wildcards_literally(
    storage: Arc<dyn Storage>,
) {
    let named = |id: &str, name: &str, text: &str| NewFragment {
        title: title(name),
        content: content(text),
        ..fragment(id)
    };
    given::story(
        &storage,
        &[
            named("a", "ÄRGER im Wald", "Es ist dunkel."),
            named("b", "Lager", "100% sicher_hier"),
            named("c", "Lager", "1000 sicher hier, im \\ Wald"),
            named("d", "الباب 🚪", "x".repeat(300).as_str()),
        ],
    )
    .await;
    let search = async |text: &str| {
        let filter = FragmentFilter { text: Some(text.to_owned()), ..FragmentFilter::default() };
        storage.narrative().fragments(&filter, &page(9)).await
    };
    for (text, expected) in [
        ("ärger", vec!["a"]),
        (" WALD ", vec!["a", "c"]),
        ("100%", vec!["b"]),
        ("r_h", vec!["b"]),
        (" \\ w", vec!["c"]),
        ("الباب 🚪", vec!["d"]),
        ("%%", vec![]),
        ("Lager\n1000", vec!["c"]),
    ] {
        assert_eq!(ids(&search(text).await.unwrap().items), expected, "{text}");
    }
    assert_eq!(ids(&search(&"x".repeat(200)).await.unwrap().items), ["d"]);
    for text in ["", "x", " x ", "a\0b", &"x".repeat(201)] {
        invalid(search(text).await, "text");
    }
}

/// By their ids then, compared by bytes.
pub async fn fragments_of_one_instant_page_without_loss(storage: Arc<dyn Storage>) {
    let same = ["b-2", "a", "b.1", "b", "b:3", "b_4", "c"].map(fragment);
    given::story(&storage, &same).await;
    let later = [fragment("0"), fragment("z")];
    storage.narrative().import_fragments(&later, false, now().plus(hours(1))).await.unwrap();
    let expected = ["a", "b", "b-2", "b.1", "b:3", "b_4", "c", "0", "z"];
    let filter = FragmentFilter { is_active: Some(true), ..FragmentFilter::default() };
    for limit in [1, 2, 3, 8, 9, 10] {
        let narrative = storage.narrative();
        let found = walk(limit, async |page| narrative.fragments(&filter, &page).await).await;
        assert_eq!(ids(&found), expected, "{limit}");
    }
}

/// Another list's, or made up.
pub async fn a_cursor_of_another_list_of_fragments_is_refused(storage: Arc<dyn Storage>) {
    for cursor in ["lore.pieces~1~2", "narrative.fragments~1", "narrative.fragments~x~a", "x"] {
        let request = page(1).after(cursor.parse().unwrap());
        let outcome = storage.narrative().fragments(&FragmentFilter::default(), &request).await;
        invalid(outcome, "cursor");
    }
}

fn way(from: &str, choice: Option<u32>, to: &str) -> StoryWay {
    StoryWay { from: slug(from), choice, to: slug(to) }
}

/// Those that can be taken: not of inactive choices, nor from inactive fragments.
pub async fn connections_name_the_ways_in_and_out(storage: Arc<dyn Storage>) {
    let mut hub = decision("hub", &["b", "hub", "a"]);
    hub.auto_next = Some(slug("b"));
    hub.choices.insert(1, NewChoice { is_active: false, ..choice("a") });
    let back = NewFragment { auto_next: Some(slug("hub")), ..fragment("a") };
    let idle = NewFragment { is_active: false, ..decision("idle", &["hub"]) };
    given::story(&storage, &[back, fragment("b"), hub, idle]).await;
    let hub = storage.narrative().connections(&slug("hub")).await.unwrap();
    assert_eq!(hub.incoming, [way("a", None, "hub"), way("hub", Some(2), "hub")]);
    let outgoing = [
        way("hub", None, "b"),
        way("hub", Some(0), "b"),
        way("hub", Some(2), "hub"),
        way("hub", Some(3), "a"),
    ];
    assert_eq!(hub.outgoing, outgoing);
    refused(storage.narrative().connections(&slug("nowhere")).await, ErrorKind::NotFound);
}

/// In the whole story, as it is stored.
pub async fn a_check_finds_what_is_wrong(storage: Arc<dyn Storage>) {
    assert!(storage.narrative().story_check().await.unwrap().is_sound());
    let end = NewFragment { is_milestone: true, ..fragment("end") };
    let start = NewFragment { is_start: true, ..decision("start", &["end", "end"]) };
    given::story(&storage, &[start, end]).await;
    let check = storage.narrative().story_check().await.unwrap();
    assert!(check.is_sound(), "{check:?}");
    assert_eq!((check.fragments, check.endings), (2, vec![slug("end")]));

    let a = NewFragment { auto_next: Some(slug("b")), ..fragment("a") };
    given::story(&storage, &[a, decision("b", &["a", "start"]), fragment("stop")]).await;
    storage.narrative().delete_fragment(&slug("end"), true, now()).await.unwrap();
    let check = storage.narrative().story_check().await.unwrap();
    let expected = StoryCheck {
        fragments: 4,
        starts: vec![slug("start")],
        unreachable: ["a", "b", "stop"].map(slug).to_vec(),
        dead_ends: vec![slug("stop")],
        endings: vec![],
        cycles: vec![["a", "b"].map(slug).to_vec()],
        missing: vec![way("start", Some(0), "end"), way("start", Some(1), "end")],
    };
    assert_eq!(check, expected);
    assert!(!check.is_sound());
}

/// What every read says, of `ids` one by one and of lists by several limits.
async fn everything<R: Repositories + ?Sized>(
    storage: &R,
    ids: &[Slug],
) -> (Vec<Option<Fragment>>, Vec<Page<Fragment>>) {
    let narrative = storage.narrative();
    let mut single = vec![narrative.start().await.unwrap()];
    for id in ids {
        single.push(narrative.fragment(id).await.unwrap());
    }
    let mut lists = Vec::new();
    for is_active in [None, Some(true)] {
        let filter = FragmentFilter { is_active, ..FragmentFilter::default() };
        for limit in [1, 2, 50] {
            lists.push(narrative.fragments(&filter, &page(limit)).await.unwrap());
        }
    }
    (single, lists)
}

/// Of one fragment, of lists of every size and of the start, whatever was read before.
pub async fn fragments_are_fresh_after_every_write(storage: Arc<dyn Storage>) {
    let ids = ["a", "b", "c"].map(slug);
    let narrative = storage.narrative();
    for step in 0..6 {
        everything(&*storage, &ids).await;
        match step {
            0 => drop(narrative.create_fragment(&fragment("a"), now()).await.unwrap()),
            1 => {
                let new = NewFragment { is_start: true, ..fragment("a") };
                narrative.update_fragment(&new, 1, now()).await.unwrap();
            }
            2 => given::story(&storage, &[fragment("b"), decision("c", &["a"])]).await,
            3 => drop(narrative.delete_fragment(&ids[1], true, now()).await.unwrap()),
            4 => drop(narrative.delete_fragment(&ids[0], true, now()).await.unwrap()),
            _ => {
                let work = storage.begin().await.unwrap();
                let new = NewFragment { is_start: true, ..fragment("b") };
                work.narrative().update_fragment(&new, 2, now()).await.unwrap();
                work.commit().await.unwrap();
            }
        }
        let seen = everything(&*storage, &ids).await;
        let work = storage.begin().await.unwrap();
        assert_eq!(seen, everything(&*work, &ids).await, "after step {step}");
        work.rollback().await.unwrap();
    }
}
