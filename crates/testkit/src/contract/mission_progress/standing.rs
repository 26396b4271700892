use std::sync::Arc;

use guildhall_domain::{CommunityZone, MissionAvailability, MissionCadence, NewMission, UserId};
use guildhall_repository::{ErrorKind, Storage, StorageError};

use super::super::expect::refused;
use super::super::given;
use super::{UTC, done, made, once, opened, stands};
use crate::builder::{days, hours, mission, mission_of, now, period, seconds, slug, time};

/// Nothing is reset for it: the new period has no row yet.
pub async fn a_mission_begins_anew_each_day_and_week(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    for (cadence, of, next_at, next) in [
        (MissionCadence::Daily, "2026-03-01", "2026-03-02T00:00:00Z", "2026-03-02"),
        (MissionCadence::Weekly, "2026-W09", "2026-03-02T00:00:00Z", "2026-W10"),
    ] {
        let id = cadence.as_str();
        made(&storage, mission_of(id, cadence, 1)).await;
        let standing = stands(&*storage, ada, id, now()).await;
        assert_eq!((standing.period, standing.current.as_ref()), (period(of), None));
        done(&*storage, ada, id, period(of), now()).await;
        let standing = stands(&*storage, ada, id, now()).await;
        assert!(standing.is_done());
        assert_eq!(
            (standing.availability, standing.next_at),
            (MissionAvailability::Done, Some(time(next_at)))
        );
        let standing = stands(&*storage, ada, id, time(next_at)).await;
        assert_eq!((standing.period, standing.current), (period(next), None));
        assert_eq!(standing.availability, MissionAvailability::Open);
    }
    made(&storage, mission("for_ever", 1)).await;
    done(&*storage, ada, "for_ever", once(), now()).await;
    let standing = stands(&*storage, ada, "for_ever", now().plus(days(9999))).await;
    assert_eq!((standing.availability, standing.next_at), (MissionAvailability::Done, None));
}

/// Not at that of UTC.
pub async fn a_community_day_begins_at_its_own_midnight(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    made(&storage, mission_of("m", MissionCadence::Daily, 1)).await;
    let madrid = CommunityZone::parse("Europe/Madrid").unwrap();
    let late = time("2026-06-30T22:30:00Z");
    let steps = storage.mission_progress();
    let begun = steps.start(ada, &slug("m"), &madrid, late).await.unwrap();
    assert_eq!(begun.value.period, period("2026-07-01"));
    assert_eq!(stands(&*storage, ada, "m", late).await.period, period("2026-06-30"));
    let standing = steps.standing(ada, &slug("m"), &madrid, late).await.unwrap();
    assert_eq!(standing.current, Some(begun.value));
}

/// Past nine too, where text would not; the next opens when the cooldown is over.
pub async fn a_repeatable_mission_counts_its_times(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let new = mission_of("m", MissionCadence::Repeatable, 1);
    made(&storage, NewMission { cooldown_s: 60, ..new }).await;
    let steps = storage.mission_progress();
    let mut at = now();
    for n in 1..=11 {
        let begun = steps.start(ada, &slug("m"), &UTC, at).await.unwrap();
        assert_eq!((begun.value.period, begun.replayed), (period(&format!("n{n}")), false));
        assert!(steps.start(ada, &slug("m"), &UTC, at).await.unwrap().replayed);
        assert!(steps.close_period(ada, &slug("m"), begun.value.period, at).await.unwrap());
        let opens = at.plus(seconds(60));
        let before = at.plus(seconds(59));
        let standing = stands(&*storage, ada, "m", before).await;
        assert_eq!((standing.period, standing.is_done()), (begun.value.period, true));
        assert_eq!(
            (standing.availability, standing.next_at),
            (MissionAvailability::Cooldown, Some(opens))
        );
        at = opens;
    }
    assert_eq!(stands(&*storage, ada, "m", at).await.period, period("n12"));
}

/// The period that was given up is the same as before, and so is its progress.
pub async fn a_mission_starts_once_and_is_taken_up_again(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    made(&storage, mission("m", 5)).await;
    let steps = storage.mission_progress();
    assert!(!steps.start(ada, &slug("m"), &UTC, now()).await.unwrap().replayed);
    assert!(steps.start(ada, &slug("m"), &UTC, now()).await.unwrap().replayed);
    let change = guildhall_domain::Advance::Add(2);
    steps.advance(ada, &slug("m"), once(), 0, change, now()).await.unwrap();
    assert!(steps.abandon(ada, &slug("m"), &UTC, now()).await.unwrap());
    assert_eq!(
        stands(&*storage, ada, "m", now()).await.availability,
        MissionAvailability::Abandoned
    );
    let again = steps.start(ada, &slug("m"), &UTC, now().plus(hours(1))).await.unwrap();
    assert!(!again.replayed);
    let row = again.value;
    assert_eq!((row.started_at, row.objectives[0].value, row.version), (now(), 2, 3));
    let progress = steps.progress(ada, &slug("m"), &UTC, now()).await.unwrap();
    assert_eq!(progress.get(), 4_000);
}

/// And when it may be tried again.
pub async fn what_cannot_be_started_says_why(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let later = now().plus(seconds(1));
    made(&storage, NewMission { is_active: false, ..mission("off", 1) }).await;
    made(&storage, NewMission { starts_at: Some(later), ..mission("soon", 1) }).await;
    made(&storage, NewMission { ends_at: Some(now()), ..mission("over", 1) }).await;
    made(&storage, mission("once", 1)).await;
    made(&storage, mission_of("daily", MissionCadence::Daily, 1)).await;
    let cooling =
        NewMission { cooldown_s: 60, ..mission_of("again", MissionCadence::Repeatable, 1) };
    made(&storage, cooling).await;
    let steps = storage.mission_progress();
    let started = async |id| steps.start(ada, &slug(id), &UTC, now()).await;
    for id in ["off", "soon", "over"] {
        refused(started(id).await, ErrorKind::InvalidState);
    }
    for (id, of, retry_at) in [
        ("once", "once", None),
        ("daily", "2026-03-01", Some(time("2026-03-02T00:00:00Z"))),
        ("again", "n1", Some(now().plus(seconds(60)))),
    ] {
        done(&*storage, ada, id, period(of), now()).await;
        match refused(started(id).await, ErrorKind::LimitExceeded) {
            StorageError::LimitExceeded { retry_at: told, .. } => {
                assert_eq!(told, retry_at, "{id}");
            }
            other => panic!("{other:?}"),
        }
    }
    refused(started("nowhere").await, ErrorKind::NotFound);
    let nobody = steps.start(UserId(999), &slug("daily"), &UTC, now()).await;
    refused(nobody, ErrorKind::NotFound);
}

/// Not before it is begun, not twice, and not when it is done.
pub async fn a_mission_is_given_up_once(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    made(&storage, mission("m", 5)).await;
    let steps = storage.mission_progress();
    let given_up = async || steps.abandon(ada, &slug("m"), &UTC, now()).await;
    assert!(!given_up().await.unwrap());
    opened(&*storage, ada, "m", once()).await;
    assert!(given_up().await.unwrap());
    assert!(!given_up().await.unwrap());
    steps.start(ada, &slug("m"), &UTC, now()).await.unwrap();
    assert!(steps.close_period(ada, &slug("m"), once(), now()).await.unwrap());
    refused(given_up().await, ErrorKind::InvalidState);
    refused(steps.abandon(ada, &slug("x"), &UTC, now()).await, ErrorKind::NotFound);
}

/// Not a member: who has not begun, and who is not there, stand at the beginning.
pub async fn where_a_member_stands_needs_a_mission(storage: Arc<dyn Storage>) {
    made(&storage, mission("m", 5)).await;
    let steps = storage.mission_progress();
    let nobody = UserId(999);
    let found = steps.member_mission(nobody, &slug("m"), &UTC, now()).await.unwrap().unwrap();
    assert_eq!((found.progress().get(), found.standing.current.as_ref()), (0, None));
    assert_eq!(Some(found.mission), storage.missions().by_id(&slug("m")).await.unwrap());
    assert_eq!(steps.member_mission(nobody, &slug("x"), &UTC, now()).await.unwrap(), None);
    refused(steps.standing(nobody, &slug("x"), &UTC, now()).await, ErrorKind::NotFound);
    refused(steps.progress(nobody, &slug("x"), &UTC, now()).await, ErrorKind::NotFound);
    assert_eq!(steps.user_mission(nobody, &slug("m"), once()).await.unwrap(), None);
}
