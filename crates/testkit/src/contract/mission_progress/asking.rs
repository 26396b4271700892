use std::sync::Arc;

use guildhall_domain::{
    Advance, MemberMission, MissionAvailability, MissionCadence, NewMission, Objective,
    ObjectiveKind, Timestamp, UserId,
};
use guildhall_repository::Storage;

use super::super::given;
use super::{UTC, done, ids, made, once, opened};
use crate::builder::{mission, mission_of, now, period, seconds, slug, title};

async fn asking(
    storage: &Arc<dyn Storage>,
    user: UserId,
    kind: ObjectiveKind,
    key: &str,
    at: Timestamp,
) -> Vec<MemberMission> {
    storage.mission_progress().objectives_for(user, kind, &slug(key), &UTC, at).await.unwrap()
}

/// Each once, however many of its objectives ask; whole, as the catalogue has it.
pub async fn missions_that_ask_for_something_are_found_in_the_order_of_ids(
    storage: Arc<dyn Storage>,
) {
    let ada = given::member(&storage, "ada").await;
    let both = mission("z", 3)
        .objective(Objective::reaching(slug("message"), 9))
        .objective(Objective::once(ObjectiveKind::Fragment, slug("message")));
    made(&storage, both).await;
    made(&storage, mission("m_1", 3)).await;
    made(&storage, mission("m-1", 3)).await;
    made(&storage, NewMission { sort_order: -5, ..mission("m.1", 3) }).await;
    let other = NewMission::new(slug("a"), title("Another"), MissionCadence::Daily);
    made(&storage, other.objective(Objective::action(slug("reaction"), 1))).await;

    let found = asking(&storage, ada, ObjectiveKind::Action, "message", now()).await;
    assert_eq!(ids(&found), ["m-1", "m.1", "m_1", "z"]);
    let whole = storage.missions().by_id(&slug("z")).await.unwrap().unwrap();
    assert_eq!(found[3].mission, whole);
    let message = slug("message");
    let places: Vec<_> =
        whole.asking(ObjectiveKind::Action, &message).map(|(idx, _)| idx).collect();
    assert_eq!(places, [0, 1]);
    let found = asking(&storage, ada, ObjectiveKind::Fragment, "message", now()).await;
    assert_eq!(ids(&found), ["z"]);
    assert!(asking(&storage, ada, ObjectiveKind::Lore, "message", now()).await.is_empty());
    assert!(asking(&storage, ada, ObjectiveKind::Action, "unheard_of", now()).await.is_empty());
}

/// From the first instant on, and up to the last but one.
pub async fn nothing_is_asked_outside_of_a_missions_time(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let (from, to) = (now(), now().plus(seconds(10)));
    let new = NewMission { starts_at: Some(from), ends_at: Some(to), ..mission("timed", 1) };
    made(&storage, new).await;
    made(&storage, NewMission { is_active: false, ..mission("off", 1) }).await;
    for (at, expected) in [
        (from.minus(seconds(1)), &[][..]),
        (from, &["timed"]),
        (to.minus(seconds(1)), &["timed"]),
        (to, &[]),
    ] {
        let found = asking(&storage, ada, ObjectiveKind::Action, "message", at).await;
        assert_eq!(ids(&found), expected, "{at}");
    }
}

/// With the progress of this member and this period only.
pub async fn what_is_done_or_given_up_is_told_with_the_rest(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let bob = given::member(&storage, "bob").await;
    for (id, cadence) in [
        ("a_fresh", MissionCadence::Daily),
        ("b_begun", MissionCadence::Daily),
        ("c_done", MissionCadence::Weekly),
        ("d_given_up", MissionCadence::OneTime),
        ("e_third", MissionCadence::Repeatable),
    ] {
        made(&storage, mission_of(id, cadence, 5)).await;
    }
    let steps = storage.mission_progress();
    done(&*storage, ada, "a_fresh", period("2026-02-28"), now()).await;
    done(&*storage, bob, "a_fresh", period("2026-03-01"), now()).await;
    opened(&*storage, ada, "b_begun", period("2026-03-01")).await;
    let day = period("2026-03-01");
    steps.advance(ada, &slug("b_begun"), day, 0, Advance::Add(3), now()).await.unwrap();
    done(&*storage, ada, "c_done", period("2026-W09"), now()).await;
    opened(&*storage, ada, "d_given_up", once()).await;
    steps.abandon(ada, &slug("d_given_up"), &UTC, now()).await.unwrap();
    done(&*storage, ada, "e_third", period("n1"), now()).await;
    done(&*storage, ada, "e_third", period("n2"), now()).await;
    opened(&*storage, ada, "e_third", period("n3")).await;
    steps.advance(ada, &slug("e_third"), period("n3"), 0, Advance::Add(1), now()).await.unwrap();

    let found = asking(&storage, ada, ObjectiveKind::Action, "message", now()).await;
    let told: Vec<_> = found
        .iter()
        .map(|found| {
            let standing = &found.standing;
            (
                found.mission.id.as_str(),
                standing.period.to_string(),
                standing.availability,
                found.progress().get(),
            )
        })
        .collect();
    let says = |id, of: &str, availability, bp| (id, of.to_owned(), availability, bp);
    assert_eq!(
        told,
        [
            says("a_fresh", "2026-03-01", MissionAvailability::Open, 0),
            says("b_begun", "2026-03-01", MissionAvailability::Open, 6_000),
            says("c_done", "2026-W09", MissionAvailability::Done, 10_000),
            says("d_given_up", "once", MissionAvailability::Abandoned, 0),
            says("e_third", "n3", MissionAvailability::Open, 2_000),
        ]
    );
    // What is told here is what is told one by one.
    for found in found {
        let one = steps.member_mission(ada, &found.mission.id, &UTC, now()).await.unwrap();
        assert_eq!(one.as_ref(), Some(&found));
        let row = steps.user_mission(ada, &found.mission.id, found.standing.period).await.unwrap();
        assert_eq!(row, found.standing.current);
    }
}

/// Those with the least ids.
pub async fn at_most_200_missions_ask_for_one_thing(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let work = storage.begin().await.unwrap();
    for n in (0..203).rev() {
        work.missions().create(&mission(&format!("m{n:03}"), 1), now()).await.unwrap();
    }
    work.commit().await.unwrap();
    let found = asking(&storage, ada, ObjectiveKind::Action, "message", now()).await;
    assert_eq!((found.len(), found[199].mission.id.as_str()), (200, "m199"));
}
