use std::sync::Arc;

use guildhall_domain::{Mission, MissionCadence, MissionCategory, NewMission, Slug};
use guildhall_repository::{Cursor, ErrorKind, ListLimit, MissionFilter, Storage};

use super::super::expect::{invalid, refused, walk};
use super::making::{made, rich};
use crate::builder::{at_most, mission, mission_of, now, page, seconds, slug, summary, title};

fn ids(missions: &[Mission]) -> Vec<&str> {
    missions.iter().map(|mission| mission.id.as_str()).collect()
}

/// Also of an id that could never be.
pub async fn an_absent_mission_is_an_answer(storage: Arc<dyn Storage>) {
    assert_eq!(storage.missions().by_id(&slug("nobody")).await.unwrap(), None);
    made(&storage, mission("nobody", 1)).await;
    assert!(storage.missions().by_id(&slug("nobody")).await.unwrap().is_some());
}

/// Those that are absent are left out.
pub async fn missions_are_answered_once_each_in_the_order_asked(storage: Arc<dyn Storage>) {
    let made_rich = made(&storage, rich("b")).await;
    let made_bare = made(&storage, mission("a", 2)).await;
    let wanted: Vec<Slug> = ["b", "x", "a", "b", "a"].iter().map(|id| slug(id)).collect();
    let found = storage.missions().by_ids(&wanted).await.unwrap();
    assert_eq!(found, [made_rich, made_bare]);
    assert_eq!(storage.missions().by_ids(&[]).await.unwrap(), []);
}

/// More are refused.
pub async fn at_most_500_missions_are_looked_up(storage: Arc<dyn Storage>) {
    let many: Vec<Slug> = (0..501).map(|n| slug(&format!("m{n}"))).collect();
    assert_eq!(storage.missions().by_ids(&many[..500]).await.unwrap(), []);
    invalid(storage.missions().by_ids(&many).await, "ids");
}

/// Least `sort_order`, then oldest, then least id; every page but the last is full.
pub async fn the_catalogue_pages_over_equal_orders(storage: Arc<dyn Storage>) {
    let mut expected = Vec::new();
    for (sort_order, id, age) in [
        (3, "a", 0),
        (-1, "z.9", 0),
        (-1, "z-1", 0),
        (-1, "y", 5),
        (0, "b", 1),
        (0, "z_2", 1),
        (0, "a", 0),
    ] {
        let id = format!("{id}:{sort_order}");
        let new = NewMission { sort_order, ..mission(&id, 1) };
        storage.missions().create(&new, now().minus(seconds(age))).await.unwrap();
        expected.push((sort_order, -i64::try_from(age).unwrap(), id));
    }
    expected.sort();
    for limit in [1, 2, 3, 7] {
        let all = walk(limit, async |request| {
            storage.missions().list(MissionFilter::default(), &request).await
        });
        let found = all.await;
        let found: Vec<_> = found.iter().map(|mission| mission.id.as_str()).collect();
        assert_eq!(found, expected.iter().map(|(_, _, id)| id.as_str()).collect::<Vec<_>>());
    }
}

/// One by one and together.
pub async fn the_catalogue_filters_by_each_field(storage: Arc<dyn Storage>) {
    let off = |new| NewMission { is_active: false, ..new };
    let main = |new| NewMission { category: MissionCategory::Main, ..new };
    made(&storage, main(mission_of("a", MissionCadence::Daily, 1))).await;
    made(&storage, off(mission_of("b", MissionCadence::Daily, 1))).await;
    made(&storage, main(off(mission_of("c", MissionCadence::Weekly, 1)))).await;
    let all = MissionFilter::default();
    for (filter, expected) in [
        (all, &["a", "b", "c"][..]),
        (MissionFilter { is_active: Some(true), ..all }, &["a"]),
        (MissionFilter { is_active: Some(false), ..all }, &["b", "c"]),
        (MissionFilter { cadence: Some(MissionCadence::Daily), ..all }, &["a", "b"]),
        (MissionFilter { category: Some(MissionCategory::Main), ..all }, &["a", "c"]),
        (
            MissionFilter {
                cadence: Some(MissionCadence::Weekly),
                category: Some(MissionCategory::Main),
                is_active: Some(true),
            },
            &[],
        ),
    ] {
        let found = storage.missions().list(filter, &page(9)).await.unwrap().items;
        assert_eq!(ids(&found), expected, "{filter:?}");
    }
}

/// As is one that nobody gave out.
pub async fn a_cursor_of_another_list_is_foreign_here(storage: Arc<dyn Storage>) {
    for foreign in ["users.id~5", "missions~1~2", "missions~x~2~a", "missions~1~x~a", "missions"] {
        let cursor: Cursor = foreign.parse().unwrap();
        let request = page(5).after(cursor);
        invalid(storage.missions().list(MissionFilter::default(), &request).await, "cursor");
    }
}

/// From the first instant on, and up to the last but one.
pub async fn active_missions_have_begun_and_are_not_over(storage: Arc<dyn Storage>) {
    let (from, to) = (now(), now().plus(seconds(10)));
    let lasting = |id, starts_at, ends_at| NewMission { starts_at, ends_at, ..mission(id, 1) };
    made(&storage, lasting("always", None, None)).await;
    made(&storage, lasting("begins", Some(from), None)).await;
    made(&storage, lasting("ends", None, Some(to))).await;
    made(&storage, lasting("both", Some(from), Some(to))).await;
    made(&storage, NewMission { is_active: false, ..mission("off", 1) }).await;
    for (at, expected) in [
        (from.minus(seconds(1)), &["always", "ends"][..]),
        (from, &["always", "begins", "both", "ends"]),
        (to.minus(std::time::Duration::from_micros(1)), &["always", "begins", "both", "ends"]),
        (to, &["always", "begins"]),
    ] {
        let found = storage.missions().active(None, None, at_most(9), at).await.unwrap();
        assert_eq!(ids(&found), expected, "{at}");
    }
}

/// In the order of the catalogue.
pub async fn active_missions_filter_and_end_at_the_limit(storage: Arc<dyn Storage>) {
    for (id, cadence, category, sort_order) in [
        ("a", MissionCadence::Daily, MissionCategory::Main, 5),
        ("b", MissionCadence::Daily, MissionCategory::Side, 1),
        ("c", MissionCadence::Weekly, MissionCategory::Main, 3),
    ] {
        made(&storage, NewMission { category, sort_order, ..mission_of(id, cadence, 1) }).await;
    }
    let active = async |category, cadence, limit| {
        let found = storage.missions().active(category, cadence, at_most(limit), now()).await;
        found.unwrap().into_iter().map(|mission| mission.id.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(active(None, None, 9).await, ["b", "c", "a"]);
    assert_eq!(active(None, None, 2).await, ["b", "c"]);
    assert_eq!(active(Some(MissionCategory::Main), None, 9).await, ["c", "a"]);
    assert_eq!(active(None, Some(MissionCadence::Daily), 9).await, ["b", "a"]);
    assert_eq!(
        active(Some(MissionCategory::Side), Some(MissionCadence::Weekly), 9).await,
        Vec::<String>::new()
    );
}

/// Without regard to case, in every script that has one; switched off ones too. By title, then id.
pub async fn a_search_finds_titles_and_descriptions(storage: Arc<dyn Storage>) {
    let called = |id, name| NewMission { title: title(name), ..mission(id, 1) };
    made(&storage, called("m2", "Ünder the bridge")).await;
    made(&storage, called("m1", "Ünder the bridge")).await;
    let told = NewMission {
        description: Some(summary("Meet the troll ÜNDER it. Привет")),
        is_active: false,
        ..called("m3", "A troll")
    };
    made(&storage, told).await;
    for (text, expected) in [
        ("üNDer", &["m3", "m1", "m2"][..]),
        ("bridge", &["m1", "m2"]),
        ("  ПРИВЕТ ", &["m3"]),
        ("troll\nmeet", &["m3"]),
        ("nothing", &[]),
    ] {
        let found = storage.missions().search(text, at_most(9)).await.unwrap();
        assert_eq!(ids(&found), expected, "{text}");
    }
}

/// None of them is a wildcard.
pub async fn a_search_takes_signs_as_they_are(storage: Arc<dyn Storage>) {
    for (id, name) in [("a", "100% done"), ("b", "100 times"), ("c", r"snake_case \o/")] {
        made(&storage, NewMission { title: title(name), ..mission(id, 1) }).await;
    }
    for (text, expected) in [
        ("0%", &["a"][..]),
        ("e_c", &["c"]),
        ("ece", &[]),
        (r"\o/", &["c"]),
        ("__", &[]),
        ("%%", &[]),
    ] {
        let found = storage.missions().search(text, at_most(9)).await.unwrap();
        assert_eq!(ids(&found), expected, "{text}");
    }
}

/// Two characters at least, fifty missions at most.
pub async fn a_search_has_bounds(storage: Arc<dyn Storage>) {
    let work = storage.begin().await.unwrap();
    for n in 0..51 {
        work.missions().create(&mission(&format!("m{n:02}"), 1), now()).await.unwrap();
    }
    work.commit().await.unwrap();
    let most = ListLimit::new(ListLimit::MAX).unwrap();
    assert_eq!(storage.missions().search("mission", most).await.unwrap().len(), 50);
    assert_eq!(storage.missions().search("mission", at_most(3)).await.unwrap().len(), 3);
    assert_eq!(storage.missions().search(&"x".repeat(200), most).await.unwrap(), []);
    for text in ["", " m ", "a\0b", &"x".repeat(201), &"x".repeat(1 << 20)] {
        refused(storage.missions().search(text, most).await, ErrorKind::Validation);
    }
}
