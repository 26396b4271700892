use std::sync::Arc;

use guildhall_domain::{
    Advance, EntryId, MissionPatch, MissionStatus, Objective, ObjectiveKind, ObjectiveProgress,
    UserId,
};
use guildhall_repository::{ErrorKind, Storage};

use super::super::expect::{invalid, refused};
use super::super::given;
use super::{UTC, done, made, once, opened};
use crate::builder::{mission, mission_of, now, period, seconds, slug, time};

/// The second finds it as it is.
pub async fn a_period_is_opened_once(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    made(&storage, mission("m", 3)).await;
    let first = opened(&*storage, ada, "m", once()).await;
    assert!(!first.replayed && first.events.is_empty());
    let row = first.value;
    assert_eq!((row.user, &row.mission, row.period), (ada, &slug("m"), once()));
    assert_eq!(
        (row.status, row.started_at, row.completed_at),
        (MissionStatus::Active, now(), None)
    );
    assert_eq!((row.rewarded_entry, row.paid_elsewhere, row.version), (None, false, 1));
    let nothing = ObjectiveProgress { idx: 0, value: 0, target: 3, updated_at: None };
    assert_eq!(row.objectives, [nothing]);
    let steps = storage.mission_progress();
    steps.advance(ada, &slug("m"), once(), 0, Advance::Add(2), now()).await.unwrap();
    let later = now().plus(seconds(9));
    let again = steps.open_period(ada, &slug("m"), once(), later).await.unwrap();
    assert!(again.replayed);
    assert_eq!((again.value.started_at, again.value.objectives[0].value), (now(), 2));
    assert_eq!(steps.user_mission(ada, &slug("m"), once()).await.unwrap(), Some(again.value));
}

/// One of them is told that it did it.
pub async fn fifty_openings_make_one_period(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    made(&storage, mission("m", 3)).await;
    let outcomes = given::at_once(50, &storage, |storage, _| async move {
        opened(&*storage, ada, "m", once()).await
    })
    .await;
    assert_eq!(outcomes.iter().filter(|outcome| !outcome.replayed).count(), 1);
    assert!(outcomes.iter().all(|outcome| outcome.value == outcomes[0].value));
}

/// The unit that tried goes on.
pub async fn a_period_needs_its_member_and_its_mission(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let gone = given::member(&storage, "gone").await;
    storage.users().delete(gone, now()).await.unwrap();
    made(&storage, mission("m", 3)).await;
    let work = storage.begin().await.unwrap();
    for (user, id) in [(ada, "x"), (UserId(999), "m"), (gone, "m"), (UserId(999), "x")] {
        let steps = work.mission_progress();
        refused(steps.open_period(user, &slug(id), once(), now()).await, ErrorKind::NotFound);
        let imported = steps.import_completion(user, &slug(id), once(), now()).await;
        refused(imported, ErrorKind::NotFound);
    }
    opened(&*work, ada, "m", once()).await;
    work.commit().await.unwrap();
    assert!(
        storage.mission_progress().user_mission(ada, &slug("m"), once()).await.unwrap().is_some()
    );
}

/// Whatever the mode of the objective: the caller chooses.
pub async fn amounts_add_up_the_greatest_stays_and_what_is_set_is_set(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    made(&storage, mission("m", 9)).await;
    opened(&*storage, ada, "m", once()).await;
    for (round, (change, value)) in (1..).zip([
        (Advance::Max(4), 4),
        (Advance::Add(1), 5),
        (Advance::Max(3), 5),
        (Advance::Max(6), 6),
        (Advance::Set(2), 2),
        (Advance::Add(40), 42),
        (Advance::Set(0), 0),
        (Advance::Add(7), 7),
    ]) {
        let at = now().plus(seconds(round));
        let steps = storage.mission_progress();
        let advanced = steps.advance(ada, &slug("m"), once(), 0, change, at).await.unwrap();
        let expected = ObjectiveProgress { idx: 0, value, target: 9, updated_at: Some(at) };
        assert_eq!((advanced.value, advanced.replayed), (vec![expected], false), "{change:?}");
    }
}

/// Without an overflow.
pub async fn progress_beyond_the_greatest_value_stays_there(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    made(&storage, mission("m", Objective::VALUE_MAX)).await;
    opened(&*storage, ada, "m", once()).await;
    let most = Objective::VALUE_MAX;
    let steps = storage.mission_progress();
    for (change, value) in [
        (Advance::Add(most), most),
        (Advance::Add(most), most),
        (Advance::Set(most - 1), most - 1),
        (Advance::Add(1), most),
        (Advance::Max(1), most),
    ] {
        let advanced = steps.advance(ada, &slug("m"), once(), 0, change, now()).await.unwrap();
        assert_eq!(advanced.value[0].value, value, "{change:?}");
    }
    for change in [Advance::Add(most + 1), Advance::Add(0), Advance::Max(0), Advance::Set(u64::MAX)]
    {
        invalid(steps.advance(ada, &slug("m"), once(), 0, change, now()).await, "amount");
    }
}

/// In their order, with today's targets.
pub async fn an_advance_says_how_far_every_objective_is(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let new = mission("m", 2)
        .objective(Objective::once(ObjectiveKind::Lore, slug("l")))
        .objective(Objective::reaching(slug("login_streak"), 7));
    made(&storage, new).await;
    opened(&*storage, ada, "m", once()).await;
    let steps = storage.mission_progress();
    steps.advance(ada, &slug("m"), once(), 2, Advance::Max(5), now()).await.unwrap();
    let advanced = steps.advance(ada, &slug("m"), once(), 0, Advance::Add(3), now()).await.unwrap();
    let told: Vec<_> = advanced.value.iter().map(|o| (o.idx, o.value, o.target)).collect();
    assert_eq!(told, [(0, 3, 2), (1, 0, 1), (2, 5, 7)]);
    assert!(advanced.value[0].is_met() && !advanced.value[1].is_met());
    let row = steps.user_mission(ada, &slug("m"), once()).await.unwrap().unwrap();
    assert_eq!((row.progress().get(), &row.objectives), (5_714, &advanced.value));
}

/// Absent, out of the list, or given up; the unit that tried goes on.
pub async fn what_cannot_be_advanced_says_why(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    made(&storage, mission("m", 2)).await;
    made(&storage, mission("given_up", 2)).await;
    opened(&*storage, ada, "m", once()).await;
    opened(&*storage, ada, "given_up", once()).await;
    let work = storage.begin().await.unwrap();
    let steps = work.mission_progress();
    assert!(steps.abandon(ada, &slug("given_up"), &super::UTC, now()).await.unwrap());
    for (id, of, idx, kind) in [
        ("m", "once", 1, ErrorKind::NotFound),
        ("m", "once", u16::MAX, ErrorKind::NotFound),
        ("m", "n1", 0, ErrorKind::NotFound),
        ("x", "once", 0, ErrorKind::NotFound),
        ("given_up", "once", 0, ErrorKind::InvalidState),
    ] {
        let advanced = steps.advance(ada, &slug(id), period(of), idx, Advance::Add(1), now()).await;
        refused(advanced, kind);
    }
    let advanced = steps.advance(ada, &slug("m"), once(), 0, Advance::Add(1), now()).await;
    assert_eq!(advanced.unwrap().value[0].value, 1);
    work.commit().await.unwrap();
}

/// Nothing opens it again, and nothing counts in it.
pub async fn a_completed_period_stays_as_it_is(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    made(&storage, mission("m", 2)).await;
    done(&*storage, ada, "m", once(), now()).await;
    let steps = storage.mission_progress();
    let before = steps.user_mission(ada, &slug("m"), once()).await.unwrap();
    for change in [Advance::Add(1), Advance::Max(9), Advance::Set(0)] {
        let advanced = steps.advance(ada, &slug("m"), once(), 0, change, now()).await.unwrap();
        assert_eq!((advanced.replayed, advanced.value[0].value), (true, 0));
    }
    assert!(opened(&*storage, ada, "m", once()).await.replayed);
    assert_eq!(steps.user_mission(ada, &slug("m"), once()).await.unwrap(), before);
    assert_eq!(before.unwrap().progress().get(), 10_000);
}

/// Forced or not, by whoever comes first.
pub async fn a_period_is_closed_once(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    made(&storage, mission("m", 2)).await;
    let steps = storage.mission_progress();
    refused(steps.close_period(ada, &slug("m"), once(), now()).await, ErrorKind::NotFound);
    opened(&*storage, ada, "m", once()).await;
    let closed = given::at_once(50, &storage, |storage, _| async move {
        storage.mission_progress().close_period(ada, &slug("m"), once(), now()).await.unwrap()
    })
    .await;
    assert_eq!(closed.iter().filter(|closed| **closed).count(), 1);
    let row = steps.user_mission(ada, &slug("m"), once()).await.unwrap().unwrap();
    assert_eq!(
        (row.status, row.completed_at, row.version),
        (MissionStatus::Completed, Some(now()), 2)
    );
}

/// By the value that is the target, exactly; the other ninety are replays.
pub async fn a_hundred_advances_complete_a_mission_once(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    made(&storage, mission("m", 10)).await;
    let outcomes = given::at_once(10, &storage, |storage, _| async move {
        let mut outcomes = Vec::new();
        for _ in 0..10 {
            let work = storage.begin().await.unwrap();
            opened(&*work, ada, "m", once()).await;
            let steps = work.mission_progress();
            let one = Advance::Add(1);
            let advanced = steps.advance(ada, &slug("m"), once(), 0, one, now()).await.unwrap();
            let met = !advanced.replayed && advanced.value[0].is_met();
            let closed = met && steps.close_period(ada, &slug("m"), once(), now()).await.unwrap();
            work.commit().await.unwrap();
            outcomes.push((advanced.replayed, closed));
        }
        outcomes
    })
    .await;
    let outcomes: Vec<_> = outcomes.into_iter().flatten().collect();
    assert_eq!(outcomes.iter().filter(|(replayed, _)| *replayed).count(), 90);
    assert_eq!(outcomes.iter().filter(|(_, closed)| *closed).count(), 1);
    let row = storage.mission_progress().user_mission(ada, &slug("m"), once()).await.unwrap();
    let row = row.unwrap();
    assert_eq!((row.status, row.objectives[0].value), (MissionStatus::Completed, 10));
}

/// Although neither took the member's lock: the period itself is locked by whoever advances it.
pub async fn of_two_who_meet_the_last_objectives_the_second_sees_both(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    made(&storage, mission("m", 1).objective(Objective::action(slug("reaction"), 1))).await;
    opened(&*storage, ada, "m", once()).await;
    let meeting = given::at_once(2, &storage, |storage, index| async move {
        let idx = u16::try_from(index).unwrap();
        let work = storage.begin().await.unwrap();
        let steps = work.mission_progress();
        let one = Advance::Add(1);
        let advanced = steps.advance(ada, &slug("m"), once(), idx, one, now()).await.unwrap();
        work.commit().await.unwrap();
        guildhall_domain::objectives_met(&advanced.value)
    })
    .await;
    assert_eq!(meeting.iter().filter(|met| **met).count(), 1, "{meeting:?}");
}

/// The first reward is the one that is kept.
pub async fn a_rewarded_entry_is_noted_once(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    made(&storage, mission("m", 2)).await;
    let steps = storage.mission_progress();
    let note = async |entry| {
        steps.set_rewarded_entry(ada, &slug("m"), once(), EntryId(entry)).await.unwrap()
    };
    assert!(!note(1).await);
    done(&*storage, ada, "m", once(), now()).await;
    assert!(note(2).await && !note(3).await);
    let row = steps.user_mission(ada, &slug("m"), once()).await.unwrap().unwrap();
    assert_eq!(row.rewarded_entry, Some(EntryId(2)));
}

/// Neither the period, nor progress, nor its end.
pub async fn steps_that_are_rolled_back_leave_nothing(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    made(&storage, mission("m", 2)).await;
    made(&storage, mission("n", 2)).await;
    opened(&*storage, ada, "n", once()).await;
    let before = storage.mission_progress().user_mission(ada, &slug("n"), once()).await.unwrap();
    let work = storage.begin().await.unwrap();
    opened(&*work, ada, "m", once()).await;
    for id in ["m", "n"] {
        let steps = work.mission_progress();
        steps.advance(ada, &slug(id), once(), 0, Advance::Add(1), now()).await.unwrap();
        assert!(steps.close_period(ada, &slug(id), once(), now()).await.unwrap());
    }
    work.rollback().await.unwrap();
    let after = async |id| storage.mission_progress().user_mission(ada, &slug(id), once()).await;
    assert_eq!(after("m").await.unwrap(), None);
    assert_eq!(after("n").await.unwrap(), before);
}

/// It only makes it possible that the next progress does.
pub async fn a_lowered_target_completes_nothing_by_itself(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    made(&storage, mission("m", 10)).await;
    opened(&*storage, ada, "m", once()).await;
    let steps = storage.mission_progress();
    steps.advance(ada, &slug("m"), once(), 0, Advance::Add(4), now()).await.unwrap();
    let lowered = vec![Objective::action(slug("message"), 3)];
    let patch = MissionPatch { objectives: Some(lowered), ..MissionPatch::default() };
    storage.missions().update(&slug("m"), &patch, 1, now()).await.unwrap();
    let row = steps.user_mission(ada, &slug("m"), once()).await.unwrap().unwrap();
    assert_eq!((row.status, row.completed_at, row.is_met()), (MissionStatus::Active, None, true));
    let told = ObjectiveProgress { idx: 0, value: 4, target: 3, updated_at: Some(now()) };
    assert_eq!(row.objectives, [told]);
    let advanced = steps.advance(ada, &slug("m"), once(), 0, Advance::Add(1), now()).await.unwrap();
    assert!(!advanced.replayed && advanced.value[0].is_met());
}

/// Whether or not the member had begun here.
pub async fn an_imported_completion_was_paid_elsewhere(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    made(&storage, mission("fresh", 10)).await;
    made(&storage, mission("begun", 10)).await;
    opened(&*storage, ada, "begun", once()).await;
    let steps = storage.mission_progress();
    steps.advance(ada, &slug("begun"), once(), 0, Advance::Set(7), now()).await.unwrap();
    let at = time("2025-08-25T16:21:57.954841Z");
    for (id, value, started_at) in [("fresh", 0, at), ("begun", 7, now())] {
        let imported = steps.import_completion(ada, &slug(id), once(), at).await.unwrap();
        assert!(!imported.replayed);
        let row = imported.value;
        assert_eq!((row.status, row.completed_at), (MissionStatus::Completed, Some(at)));
        assert_eq!((row.started_at, row.paid_elsewhere), (started_at, true));
        assert_eq!(row.objectives[0].value, value);
        let again = steps.import_completion(ada, &slug(id), once(), now()).await.unwrap();
        assert!(again.replayed);
        assert_eq!(again.value, row);
        assert_eq!(steps.user_mission(ada, &slug(id), once()).await.unwrap(), Some(row));
        assert!(!steps.close_period(ada, &slug(id), once(), now()).await.unwrap());
    }
}

/// What was completed here was paid here.
pub async fn an_imported_completion_changes_no_completed_period(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    made(&storage, mission_of("m", guildhall_domain::MissionCadence::Daily, 1)).await;
    let day = period("2026-03-01");
    done(&*storage, ada, "m", day, now()).await;
    let steps = storage.mission_progress();
    let before = steps.user_mission(ada, &slug("m"), day).await.unwrap().unwrap();
    let imported = steps.import_completion(ada, &slug("m"), day, now()).await.unwrap();
    assert!(imported.replayed && !imported.value.paid_elsewhere);
    assert_eq!(imported.value, before);
}

/// It begins the period, changes objectives in their order, and completes it when all are met.
pub async fn a_step_does_it_all(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let two = mission("m", 5).objective(Objective::action(slug("dig"), 2));
    made(&storage, two).await;
    let steps = storage.mission_progress();
    let step = async |changes: &[(u16, Advance)], at| {
        let outcome = steps.step(ada, &slug("m"), once(), changes, at).await.unwrap();
        let values: Vec<_> = outcome.value.objectives.iter().map(|it| it.value).collect();
        (values, outcome.value.completed, outcome.replayed)
    };
    let later = now().plus(seconds(60));
    assert_eq!(step(&[(1, Advance::Add(1))], now()).await, (vec![0, 1], false, false));
    let row = steps.user_mission(ada, &slug("m"), once()).await.unwrap().unwrap();
    assert_eq!((row.status, row.started_at), (MissionStatus::Active, now()));
    let several = [(0, Advance::Add(4)), (1, Advance::Set(3)), (0, Advance::Max(2))];
    assert_eq!(step(&several, now()).await, (vec![4, 3], false, false));
    let last = [(1, Advance::Set(2)), (0, Advance::Add(1))];
    assert_eq!(step(&last, later).await, (vec![5, 2], true, false));
    let row = steps.user_mission(ada, &slug("m"), once()).await.unwrap().unwrap();
    assert_eq!((row.status, row.completed_at), (MissionStatus::Completed, Some(later)));
    assert_eq!(step(&[(0, Advance::Add(1))], later).await, (vec![5, 2], false, true));
    assert_eq!(steps.user_mission(ada, &slug("m"), once()).await.unwrap(), Some(row));
}

/// By any mission, switched on or not: who looks for it finds out.
pub async fn a_step_that_completes_tells_whether_the_mission_is_asked_for(
    storage: Arc<dyn Storage>,
) {
    let ada = given::member(&storage, "ada").await;
    for id in ["alone", "needed"] {
        made(&storage, mission(id, 2)).await;
    }
    let asks =
        mission("asks", 1).objective(Objective::once(ObjectiveKind::Mission, slug("needed")));
    made(&storage, asks).await;
    let steps = storage.mission_progress();
    for (id, asked_for) in [("alone", false), ("needed", true)] {
        let step = async || {
            let changes = [(0, Advance::Add(1))];
            steps.step(ada, &slug(id), once(), &changes, now()).await.unwrap().value
        };
        let (first, last, after) = (step().await, step().await, step().await);
        assert_eq!((first.completed, first.asked_for), (false, false), "{id}");
        assert_eq!((last.completed, last.asked_for), (true, asked_for), "{id}");
        assert_eq!((after.completed, after.asked_for), (false, false), "{id}");
    }
}

/// And nothing is written.
pub async fn a_step_that_cannot_be_taken_says_why(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    made(&storage, mission("m", 1)).await;
    made(&storage, mission("given_up", 9)).await;
    let add = [(0, Advance::Add(1))];
    let work = storage.begin().await.unwrap();
    let steps = work.mission_progress();
    let step = async |user, id: &str, changes: &[(u16, Advance)]| {
        steps.step(user, &slug(id), once(), changes, now()).await
    };
    invalid(step(ada, "m", &[]).await, "changes");
    refused(step(ada, "m", &[(0, Advance::Add(0))]).await, ErrorKind::Validation);
    for changes in [&[(1, Advance::Add(1))][..], &[(7, Advance::Add(1)), (0, Advance::Add(1))]] {
        refused(step(ada, "m", changes).await, ErrorKind::NotFound);
    }
    refused(step(ada, "nowhere", &add).await, ErrorKind::NotFound);
    refused(step(UserId(ada.0 + 1), "m", &add).await, ErrorKind::NotFound);
    assert_eq!(steps.user_mission(ada, &slug("m"), once()).await.unwrap(), None);
    opened(&*work, ada, "given_up", once()).await;
    assert!(steps.abandon(ada, &slug("given_up"), &UTC, now()).await.unwrap());
    refused(step(ada, "given_up", &add).await, ErrorKind::InvalidState);
    assert!(step(ada, "m", &add).await.unwrap().value.completed);
    work.commit().await.unwrap();
}

/// Of fifty who take the last step, one completes the mission.
pub async fn fifty_steps_complete_a_mission_once(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    made(&storage, mission("m", 10)).await;
    let outcomes = given::at_once(50, &storage, |storage, _| async move {
        let (steps, add) = (storage.mission_progress(), [(0, Advance::Add(1))]);
        steps.step(ada, &slug("m"), once(), &add, now()).await.unwrap()
    })
    .await;
    let completed = outcomes.iter().filter(|it| it.value.completed).count();
    let replayed = outcomes.iter().filter(|it| it.replayed).count();
    assert_eq!((completed, replayed), (1, 40));
    let steps = storage.mission_progress();
    let row = steps.user_mission(ada, &slug("m"), once()).await.unwrap().unwrap();
    assert_eq!((row.status, row.objectives[0].value), (MissionStatus::Completed, 10));
}
