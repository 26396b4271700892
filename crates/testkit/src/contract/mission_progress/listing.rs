use std::sync::Arc;

use guildhall_domain::{
    Advance, EntryId, MemberMission, MissionAvailability, MissionCadence, MissionPatch,
    MissionStatus, NewMission, Timestamp, UserId,
};
use guildhall_repository::{Cursor, Repositories, Storage};

use super::super::expect::{invalid, walk};
use super::super::given;
use super::{UTC, done, ids, made, once, opened};
use crate::builder::{at_most, days, mission, mission_of, now, page, period, seconds, slug, time};

/// A member with missions of every status, some completed at the same instant.
async fn busy(storage: &Arc<dyn Storage>) -> UserId {
    let ada = given::member(storage, "ada").await;
    made(storage, mission_of("day", MissionCadence::Daily, 5)).await;
    made(storage, mission_of("again", MissionCadence::Repeatable, 5)).await;
    for id in ["p.1", "p-1", "p_1", "q"] {
        made(storage, mission(id, 5)).await;
    }
    let at = |ago| now().minus(seconds(ago));
    for (id, of, ago) in [
        ("day", "2026-02-28", 5),
        ("day", "2026-02-27", 5),
        ("again", "n1", 5),
        ("again", "n2", 9),
        ("p_1", "once", 5),
        ("p-1", "once", 1),
    ] {
        done(&**storage, ada, id, period(of), at(ago)).await;
    }
    for (id, of) in [("q", "once"), ("day", "2026-03-01"), ("again", "n3"), ("p.1", "once")] {
        opened(&**storage, ada, id, period(of)).await;
    }
    let steps = storage.mission_progress();
    steps.advance(ada, &slug("q"), once(), 0, Advance::Add(2), now()).await.unwrap();
    assert!(steps.abandon(ada, &slug("p.1"), &UTC, now()).await.unwrap());
    let other = given::member(storage, "bob").await;
    done(&**storage, other, "q", once(), now()).await;
    ada
}

const COMPLETED: [&str; 6] =
    ["p-1 once", "again n1", "day 2026-02-27", "day 2026-02-28", "p_1 once", "again n2"];
const OPEN: [&str; 4] = ["again n3", "day 2026-03-01", "p.1 once", "q once"];

/// Completed last first, then by mission and period; what is not completed comes last.
pub async fn a_members_missions_page_over_equal_times(storage: Arc<dyn Storage>) {
    let ada = busy(&storage).await;
    let expected: Vec<_> = COMPLETED.iter().chain(&OPEN).copied().collect();
    let steps = storage.mission_progress();
    for limit in [1, 2, 3, 5, 6, 7, 10] {
        let rows =
            walk(limit, async |request| steps.user_missions(ada, None, &request).await).await;
        let named: Vec<_> =
            rows.iter().map(|row| format!("{} {}", row.mission, row.period)).collect();
        assert_eq!(named, expected, "pages of {limit}");
        for row in rows {
            let one = steps.user_mission(ada, &row.mission, row.period).await.unwrap();
            assert_eq!(one, Some(row));
        }
    }
}

/// In the same order.
pub async fn a_members_missions_filter_by_status(storage: Arc<dyn Storage>) {
    let ada = busy(&storage).await;
    let steps = storage.mission_progress();
    for (status, expected) in [
        (MissionStatus::Completed, &COMPLETED[..]),
        (MissionStatus::Active, &[OPEN[0], OPEN[1], OPEN[3]]),
        (MissionStatus::Abandoned, &[OPEN[2]]),
    ] {
        for limit in [1, 2, 6] {
            let rows =
                walk(limit, async |request| steps.user_missions(ada, Some(status), &request).await);
            let rows = rows.await;
            assert!(rows.iter().all(|row| row.status == status));
            let named: Vec<_> =
                rows.iter().map(|row| format!("{} {}", row.mission, row.period)).collect();
            assert_eq!(named, expected, "{status} in pages of {limit}");
        }
    }
}

/// With what the mission is today.
pub async fn completed_missions_come_last_first(storage: Arc<dyn Storage>) {
    let ada = busy(&storage).await;
    let steps = storage.mission_progress();
    for limit in [1, 4, 6] {
        let found = walk(limit, async |request| steps.completed(ada, &request).await).await;
        let named: Vec<_> =
            found.iter().map(|done| format!("{} {}", done.mission.id, done.period)).collect();
        assert_eq!(named, COMPLETED);
        assert_eq!(found[0].completed_at, now().minus(seconds(1)));
        let mission = storage.missions().by_id(&found[5].mission.id).await.unwrap();
        assert_eq!(mission.as_ref(), Some(&found[5].mission));
    }
    let nobody = steps.completed(UserId(999), &page(5)).await.unwrap();
    assert!(nobody.items.is_empty() && nobody.next_cursor.is_none());
}

/// Of the current period, of missions that are active.
pub async fn pending_missions_are_under_way_now(storage: Arc<dyn Storage>) {
    let ada = busy(&storage).await;
    made(&storage, NewMission { ends_at: Some(now()), ..mission("over", 5) }).await;
    made(&storage, NewMission { is_active: false, ..mission("off", 5) }).await;
    for id in ["over", "off"] {
        opened(&*storage, ada, id, once()).await;
    }
    let steps = storage.mission_progress();
    for limit in [1, 2, 3] {
        let found = walk(limit, async |request| steps.pending(ada, &UTC, now(), &request).await);
        let found = found.await;
        assert_eq!(ids(&found), ["again", "day", "q"]);
        assert_eq!(found[2].progress().get(), 4_000);
    }
    let tomorrow = steps.pending(ada, &UTC, now().plus(days(1)), &page(9)).await.unwrap();
    assert_eq!(ids(&tomorrow.items), ["again", "q"]);
}

async fn available(
    storage: &Arc<dyn Storage>,
    user: UserId,
    cadence: Option<MissionCadence>,
    limit: u32,
    at: Timestamp,
) -> Vec<MemberMission> {
    let steps = storage.mission_progress();
    steps.available(user, cadence, at_most(limit), &UTC, at).await.unwrap()
}

/// Begun, given up or not begun; those that can be repeated once they have cooled down.
pub async fn available_missions_are_not_done_now(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let day = |id| mission_of(id, MissionCadence::Daily, 5);
    let again = NewMission {
        cooldown_s: 60,
        sort_order: 9,
        ..mission_of("again", MissionCadence::Repeatable, 5)
    };
    for new in [
        day("fresh"),
        day("begun"),
        day("done"),
        day("given_up"),
        again,
        mission("ever", 5),
        NewMission { is_active: false, ..day("off") },
        NewMission { starts_at: Some(now().plus(seconds(30))), sort_order: -1, ..day("soon") },
        NewMission { ends_at: Some(now().plus(seconds(30))), sort_order: 5, ..day("ending") },
    ] {
        made(&storage, new).await;
    }
    let today = period("2026-03-01");
    opened(&*storage, ada, "begun", today).await;
    opened(&*storage, ada, "given_up", today).await;
    done(&*storage, ada, "done", today, now()).await;
    done(&*storage, ada, "again", period("n1"), now()).await;
    done(&*storage, ada, "ever", once(), now()).await;
    let steps = storage.mission_progress();
    steps.abandon(ada, &slug("given_up"), &UTC, now()).await.unwrap();
    steps.advance(ada, &slug("begun"), today, 0, Advance::Add(1), now()).await.unwrap();

    let midnight = time("2026-03-02T00:00:00Z");
    for (at, expected) in [
        (now(), &["begun", "fresh", "given_up", "ending"][..]),
        (now().plus(seconds(30)), &["soon", "begun", "fresh", "given_up"]),
        (now().plus(seconds(59)), &["soon", "begun", "fresh", "given_up"]),
        (now().plus(seconds(60)), &["soon", "begun", "fresh", "given_up", "again"]),
        (midnight, &["soon", "begun", "done", "fresh", "given_up", "again"]),
    ] {
        let found = available(&storage, ada, None, 50, at).await;
        assert_eq!(ids(&found), expected, "{at}");
        // Each stands as it does when it is asked for alone.
        for found in found {
            let one = steps.member_mission(ada, &found.mission.id, &UTC, at).await.unwrap();
            assert_eq!(one, Some(found));
        }
        assert_eq!(ids(&available(&storage, ada, None, 2, at).await), &expected[..2]);
    }
    let daily = Some(MissionCadence::Daily);
    assert_eq!(
        ids(&available(&storage, ada, daily, 50, now()).await),
        ["begun", "fresh", "given_up", "ending"]
    );
    let weekly = Some(MissionCadence::Weekly);
    assert!(available(&storage, ada, weekly, 50, now()).await.is_empty());
}

/// Those that are done, to come and over included.
pub async fn standings_tell_of_every_mission_that_is_on(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    for new in [
        mission("done", 5),
        NewMission { ends_at: Some(now()), ..mission("over", 5) },
        NewMission { starts_at: Some(now().plus(seconds(1))), ..mission("soon", 5) },
        NewMission { is_active: false, ..mission("off", 5) },
        NewMission { sort_order: -1, ..mission_of("fresh", MissionCadence::Weekly, 5) },
    ] {
        made(&storage, new).await;
    }
    done(&*storage, ada, "done", once(), now()).await;
    let steps = storage.mission_progress();
    let found = steps.standings(ada, None, at_most(50), &UTC, now()).await.unwrap();
    let told: Vec<_> = found
        .iter()
        .map(|found| (found.mission.id.as_str(), found.standing.availability))
        .collect();
    assert_eq!(
        told,
        [
            ("fresh", MissionAvailability::Open),
            ("done", MissionAvailability::Done),
            ("over", MissionAvailability::Ended),
            ("soon", MissionAvailability::NotStarted),
        ]
    );
    let weekly = Some(MissionCadence::Weekly);
    let found = steps.standings(ada, weekly, at_most(1), &UTC, now()).await.unwrap();
    assert_eq!(ids(&found), ["fresh"]);
}

/// Those of one serve no other.
pub async fn cursors_of_members_lists_are_their_own(storage: Arc<dyn Storage>) {
    let ada = busy(&storage).await;
    let steps = storage.mission_progress();
    let of_all = steps.user_missions(ada, None, &page(1)).await.unwrap().next_cursor.unwrap();
    let of_done = steps.completed(ada, &page(1)).await.unwrap().next_cursor.unwrap();
    let of_open = steps.pending(ada, &UTC, now(), &page(1)).await.unwrap().next_cursor.unwrap();
    for cursor in [&of_done, &of_open] {
        let request = page(1).after(cursor.clone());
        invalid(steps.user_missions(ada, None, &request).await, "cursor");
    }
    for cursor in [&of_all, &of_open] {
        invalid(steps.completed(ada, &page(1).after(cursor.clone())).await, "cursor");
    }
    for cursor in [&of_all, &of_done] {
        let request = page(1).after(cursor.clone());
        invalid(steps.pending(ada, &UTC, now(), &request).await, "cursor");
    }
    for made_up in ["missions.user~~a~n0", "missions.user~x~a~n1", "missions.user~~a"] {
        let cursor: Cursor = made_up.parse().unwrap();
        invalid(steps.user_missions(ada, None, &page(1).after(cursor)).await, "cursor");
    }
}

/// Every variant of every read about a member, and the figures, as text.
async fn seen<R: Repositories + ?Sized>(on: &R, user: UserId) -> Vec<String> {
    let steps = on.mission_progress();
    let mut all = Vec::new();
    let statuses = [None, Some(MissionStatus::Active), Some(MissionStatus::Completed)];
    for limit in [1, 3, 50] {
        for status in statuses {
            let rows = steps.user_missions(user, status, &page(limit)).await.unwrap();
            all.push(format!("{rows:?}"));
        }
        for cadence in [None, Some(MissionCadence::Daily), Some(MissionCadence::OneTime)] {
            let found = steps.available(user, cadence, at_most(limit), &UTC, now()).await.unwrap();
            all.push(format!("{found:?}"));
        }
        all.push(format!("{:?}", steps.completed(user, &page(limit)).await.unwrap()));
        all.push(format!("{:?}", steps.pending(user, &UTC, now(), &page(limit)).await.unwrap()));
    }
    for id in ["one", "day"] {
        all.push(format!("{:?}", steps.standing(user, &slug(id), &UTC, now()).await.unwrap()));
        all.push(format!("{:?}", on.mission_reports().statistics(&slug(id)).await.unwrap()));
    }
    all.push(format!("{:?}", on.mission_reports().user_statistics(user).await.unwrap()));
    all.push(format!("{:?}", on.mission_reports().totals().await.unwrap()));
    all
}

/// Also when all of them were read before: what a unit sees, which reads past every cache, is what
/// everybody sees.
pub async fn every_read_of_a_member_is_fresh_after_each_step(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    made(&storage, mission("one", 5)).await;
    made(&storage, mission_of("day", MissionCadence::Daily, 5)).await;
    let today = period("2026-03-01");
    let fresh = async |step: &str| {
        let everybody = seen(&*storage, ada).await;
        let work = storage.begin().await.unwrap();
        assert_eq!(everybody, seen(&*work, ada).await, "after {step}");
        work.rollback().await.unwrap();
        everybody
    };
    let steps = storage.mission_progress();
    let mut views = vec![fresh("nothing").await];
    opened(&*storage, ada, "one", once()).await;
    views.push(fresh("opening").await);
    steps.start(ada, &slug("day"), &UTC, now()).await.unwrap();
    views.push(fresh("starting").await);
    steps.advance(ada, &slug("day"), today, 0, Advance::Add(2), now()).await.unwrap();
    views.push(fresh("advancing").await);
    assert!(steps.close_period(ada, &slug("one"), once(), now()).await.unwrap());
    views.push(fresh("closing").await);
    assert!(steps.set_rewarded_entry(ada, &slug("one"), once(), EntryId(7)).await.unwrap());
    views.push(fresh("noting the entry").await);
    assert!(steps.abandon(ada, &slug("day"), &UTC, now()).await.unwrap());
    views.push(fresh("giving up").await);
    assert!(steps.reset_current(ada, &slug("one"), &UTC, now()).await.unwrap());
    views.push(fresh("the reset").await);
    steps.import_completion(ada, &slug("one"), once(), now()).await.unwrap();
    views.push(fresh("the import").await);
    assert_eq!(
        steps.reset_cadence_for_user(ada, MissionCadence::Daily, &UTC, now()).await.unwrap(),
        1
    );
    views.push(fresh("the member's reset").await);
    opened(&*storage, ada, "day", today).await;
    views.push(fresh("opening again").await);
    let reset = steps.reset_cadence(MissionCadence::Daily, None, at_most(9), &UTC, now());
    assert_eq!(reset.await.unwrap(), (1, None));
    views.push(fresh("everybody's reset").await);
    let patch = MissionPatch { sort_order: Some(9), ..MissionPatch::default() };
    storage.missions().update(&slug("one"), &patch, 1, now()).await.unwrap();
    views.push(fresh("a change of the mission").await);
    let work = storage.begin().await.unwrap();
    opened(&*work, ada, "day", today).await;
    work.mission_progress()
        .advance(ada, &slug("day"), today, 0, Advance::Set(1), now())
        .await
        .unwrap();
    work.commit().await.unwrap();
    views.push(fresh("a unit").await);
    assert!(views.windows(2).all(|pair| pair[0] != pair[1]), "a step changed nothing");
}
