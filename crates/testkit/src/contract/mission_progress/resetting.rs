use std::sync::Arc;

use guildhall_domain::{Advance, MissionCadence, MissionStatus, NewMission, UserId};
use guildhall_repository::{ErrorKind, Storage};

use super::super::expect::{invalid, refused};
use super::super::given;
use super::{UTC, done, made, once, opened, stands};
use crate::builder::{at_most, mission, mission_of, now, period, slug};

/// With its progress, be it completed or not; what comes next begins at nothing.
pub async fn a_reset_takes_the_current_period_back(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let bob = given::member(&storage, "bob").await;
    made(&storage, mission_of("m", MissionCadence::Daily, 5)).await;
    let (today, before) = (period("2026-03-01"), period("2026-02-28"));
    let steps = storage.mission_progress();
    let reset = async || steps.reset_current(ada, &slug("m"), &UTC, now()).await.unwrap();
    assert!(!reset().await);
    done(&*storage, ada, "m", before, now()).await;
    done(&*storage, bob, "m", today, now()).await;
    opened(&*storage, ada, "m", today).await;
    steps.advance(ada, &slug("m"), today, 0, Advance::Add(3), now()).await.unwrap();
    assert!(reset().await);
    assert_eq!(steps.user_mission(ada, &slug("m"), today).await.unwrap(), None);
    let again = opened(&*storage, ada, "m", today).await;
    assert_eq!((again.replayed, again.value.objectives[0].value), (false, 0));
    assert!(steps.close_period(ada, &slug("m"), today, now()).await.unwrap());
    assert!(reset().await && !reset().await);
    for (user, of) in [(ada, before), (bob, today)] {
        assert!(steps.user_mission(user, &slug("m"), of).await.unwrap().is_some());
    }
    refused(steps.reset_current(ada, &slug("x"), &UTC, now()).await, ErrorKind::NotFound);
}

/// Which is done, and stays so.
pub async fn a_reset_of_a_time_goes_back_to_the_one_before(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    made(&storage, mission_of("m", MissionCadence::Repeatable, 5)).await;
    done(&*storage, ada, "m", period("n1"), now()).await;
    opened(&*storage, ada, "m", period("n2")).await;
    let steps = storage.mission_progress();
    assert!(steps.reset_current(ada, &slug("m"), &UTC, now()).await.unwrap());
    assert_eq!(stands(&*storage, ada, "m", now()).await.period, period("n2"));
    // The second time has no row, so that there is nothing to take back.
    assert!(!steps.reset_current(ada, &slug("m"), &UTC, now()).await.unwrap());
    assert!(steps.user_mission(ada, &slug("m"), period("n1")).await.unwrap().is_some());
}

/// A reset opens it again; that it was paid is not forgotten, so that closing it pays nothing.
pub async fn what_was_paid_elsewhere_stays_paid(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    made(&storage, mission("one", 5)).await;
    made(&storage, mission_of("daily", MissionCadence::Daily, 5)).await;
    let steps = storage.mission_progress();
    for (id, of) in [("one", once()), ("daily", period("2026-03-01"))] {
        opened(&*storage, ada, id, of).await;
        steps.advance(ada, &slug(id), of, 0, Advance::Add(5), now()).await.unwrap();
        steps.import_completion(ada, &slug(id), of, now()).await.unwrap();
        let taken = if id == "one" {
            steps.reset_current(ada, &slug(id), &UTC, now()).await.unwrap()
        } else {
            let daily = MissionCadence::Daily;
            steps.reset_cadence_for_user(ada, daily, &UTC, now()).await.unwrap() == 1
        };
        assert!(taken);
        let row = steps.user_mission(ada, &slug(id), of).await.unwrap().unwrap();
        assert_eq!((row.status, row.completed_at), (MissionStatus::Active, None));
        assert_eq!((row.objectives[0].value, row.objectives[0].updated_at), (0, None));
        assert!(row.paid_elsewhere);
        assert!(steps.close_period(ada, &slug(id), of, now()).await.unwrap());
        let row = steps.user_mission(ada, &slug(id), of).await.unwrap().unwrap();
        assert!(row.paid_elsewhere && row.status == MissionStatus::Completed);
    }
}

async fn begun_by(storage: &Arc<dyn Storage>, users: &[UserId]) {
    for (id, cadence) in [
        ("daily1", MissionCadence::Daily),
        ("daily2", MissionCadence::Daily),
        ("weekly", MissionCadence::Weekly),
        ("ever", MissionCadence::OneTime),
    ] {
        made(storage, mission_of(id, cadence, 5)).await;
    }
    made(storage, NewMission { is_active: false, ..mission_of("off", MissionCadence::Daily, 5) })
        .await;
    for &user in users {
        for (id, of) in [
            ("daily1", "2026-03-01"),
            ("daily1", "2026-02-28"),
            ("daily2", "2026-03-01"),
            ("off", "2026-03-01"),
            ("weekly", "2026-W09"),
            ("ever", "once"),
        ] {
            opened(&**storage, user, id, period(of)).await;
        }
    }
}

async fn left(storage: &Arc<dyn Storage>, user: UserId) -> Vec<String> {
    let page =
        storage.mission_progress().user_missions(user, None, &crate::builder::page(50)).await;
    let named = |row: &guildhall_domain::UserMission| format!("{} {}", row.mission, row.period);
    page.unwrap().items.iter().map(named).collect()
}

/// Of that cadence, of today, switched off or not.
pub async fn a_cadence_is_reset_for_one_member(storage: Arc<dyn Storage>) {
    let ids = given::crowd(&storage, 2, 0).await;
    begun_by(&storage, &ids).await;
    let steps = storage.mission_progress();
    let reset =
        async |cadence| steps.reset_cadence_for_user(ids[0], cadence, &UTC, now()).await.unwrap();
    assert_eq!(reset(MissionCadence::Daily).await, 3);
    assert_eq!(left(&storage, ids[0]).await, ["daily1 2026-02-28", "ever once", "weekly 2026-W09"]);
    assert_eq!(left(&storage, ids[1]).await.len(), 6);
    assert_eq!(reset(MissionCadence::Daily).await, 0);
    assert_eq!(reset(MissionCadence::Weekly).await, 1);
    assert_eq!(left(&storage, ids[0]).await, ["daily1 2026-02-28", "ever once"]);
}

/// Until it says that nobody is left.
pub async fn a_cadence_is_reset_page_by_page(storage: Arc<dyn Storage>) {
    let ids = given::crowd(&storage, 5, 0).await;
    begun_by(&storage, &ids[..4]).await;
    let steps = storage.mission_progress();
    let (mut count, mut after, mut pages) = (0, None, 0);
    loop {
        let daily = MissionCadence::Daily;
        let page = steps.reset_cadence(daily, after, at_most(3), &UTC, now()).await.unwrap();
        count += page.0;
        pages += 1;
        match page.1 {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    assert_eq!((count, pages, after), (12, 2, Some(ids[2])));
    for id in &ids[..4] {
        assert_eq!(left(&storage, *id).await.len(), 3);
    }
}

/// What is done once or again and again has no common period.
pub async fn only_the_calendar_is_reset_at_once(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let steps = storage.mission_progress();
    for cadence in [MissionCadence::OneTime, MissionCadence::Repeatable] {
        let one = steps.reset_cadence_for_user(ada, cadence, &UTC, now()).await;
        invalid(one, "cadence");
        invalid(steps.reset_cadence(cadence, None, at_most(5), &UTC, now()).await, "cadence");
    }
}
