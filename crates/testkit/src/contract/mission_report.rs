//! Promises of [`MissionReportRepository`](guildhall_repository::MissionReportRepository).

use std::sync::Arc;

use guildhall_domain::{
    Advance, Award, MissionCadence, MissionTotals, NewMission, Objective, Points, UserId,
};
use guildhall_repository::{Cursor, ErrorKind, Storage};

use super::expect::{invalid, refused, walk};
use super::given;
use crate::builder::{
    amount, award, days, description, mission, mission_of, now, page, period, points, seconds,
    slug, source,
};

#[doc(hidden)]
#[macro_export]
macro_rules! mission_report_promises {
    ($with:tt => $($stamp:tt)+) => {
        $($stamp)+! { $with, mission_report as mission_report on MultiThread:
            statistics_of_a_mission_count_its_attempts
            a_mission_without_objectives_has_no_progress
            statistics_of_a_member_come_from_the_ledger
            totals_count_everything_once
            recent_completions_page_over_equal_times
            completions_are_looked_back_for_1_to_90_days
            those_who_began_a_mission_are_listed_once
        }
    };
}
#[doc(hidden)]
pub use crate::mission_report_promises as promises;

async fn made(storage: &Arc<dyn Storage>, new: NewMission) {
    storage.missions().create(&new, now()).await.unwrap();
}

async fn open(storage: &Arc<dyn Storage>, user: UserId, id: &str, of: &str) {
    let steps = storage.mission_progress();
    steps.open_period(user, &slug(id), period(of), now()).await.unwrap();
}

async fn done(storage: &Arc<dyn Storage>, user: UserId, id: &str, of: &str, ago: u64) {
    open(storage, user, id, of).await;
    let at = now().minus(seconds(ago));
    let steps = storage.mission_progress();
    assert!(steps.close_period(user, &slug(id), period(of), at).await.unwrap());
}

/// Progress as the members see it: what is beyond a target counts no more, what is completed is
/// whole.
pub async fn statistics_of_a_mission_count_its_attempts(storage: Arc<dyn Storage>) {
    let ids = given::crowd(&storage, 5, 0).await;
    let both = mission("m", 3).objective(Objective::action(slug("reaction"), 7));
    made(&storage, both).await;
    made(&storage, mission("other", 3)).await;
    let reports = storage.mission_reports();
    let none = reports.statistics(&slug("m")).await.unwrap();
    assert_eq!((none.attempts, none.completed, none.progress_mean.get()), (0, 0, 0));
    let steps = storage.mission_progress();
    let mut seen = Vec::new();
    for (user, parts) in ids.iter().zip([&[(0, 1)][..], &[(0, 50), (1, 3)], &[], &[(1, 6)]]) {
        open(&storage, *user, "m", "once").await;
        for (idx, value) in parts {
            let change = Advance::Set(*value);
            steps.advance(*user, &slug("m"), period("once"), *idx, change, now()).await.unwrap();
        }
        let row = steps.user_mission(*user, &slug("m"), period("once")).await.unwrap().unwrap();
        seen.push(row.progress().get());
    }
    done(&storage, ids[4], "m", "once", 0).await;
    open(&storage, ids[0], "other", "once").await;
    seen.push(10_000);
    let found = reports.statistics(&slug("m")).await.unwrap();
    assert_eq!((&found.mission, found.attempts, found.completed), (&slug("m"), 5, 1));
    assert_eq!(found.completion_rate.get(), 2_000);
    assert_eq!(found.progress_mean.get(), seen.iter().sum::<i32>() / 5, "{seen:?}");
    assert_eq!((found.progress_min.get(), found.progress_max.get()), (0, 10_000));
    assert_eq!(&seen[..4], [1_666, 7_142, 0, 4_285]);
    refused(reports.statistics(&slug("x")).await, ErrorKind::NotFound);
}

/// Until it is completed by hand.
pub async fn a_mission_without_objectives_has_no_progress(storage: Arc<dyn Storage>) {
    let ids = given::crowd(&storage, 2, 0).await;
    made(&storage, NewMission { objectives: Vec::new(), ..mission("m", 1) }).await;
    open(&storage, ids[0], "m", "once").await;
    done(&storage, ids[1], "m", "once", 0).await;
    let found = storage.mission_reports().statistics(&slug("m")).await.unwrap();
    assert_eq!((found.progress_min.get(), found.progress_mean.get()), (0, 5_000));
}

/// Not from what a mission would pay today; what was taken back does not count.
pub async fn statistics_of_a_member_come_from_the_ledger(storage: Arc<dyn Storage>) {
    let ids = given::crowd(&storage, 2, 0).await;
    made(&storage, mission_of("m", MissionCadence::Repeatable, 1)).await;
    let reports = storage.mission_reports();
    let none = reports.user_statistics(ids[0]).await.unwrap();
    assert_eq!((none.started, none.points_earned), (0, Points::ZERO));
    for (user, of) in [(0, "n1"), (0, "n2"), (1, "n1")] {
        done(&storage, ids[user], "m", of, 0).await;
    }
    open(&storage, ids[0], "m", "n3").await;
    let for_mission = |user, whole| Award::new(user, amount(whole), source("mission"));
    storage.points().award(&for_mission(ids[0], 25), now()).await.unwrap();
    let taken = storage.points().award(&for_mission(ids[0], 5), now()).await.unwrap().value;
    storage.points().award(&award(ids[0], 1_000), now()).await.unwrap();
    storage.points().award(&for_mission(ids[1], 7), now()).await.unwrap();
    let found = reports.user_statistics(ids[0]).await.unwrap();
    assert_eq!((found.user, found.started, found.completed), (ids[0], 3, 2));
    assert_eq!((found.completion_rate.get(), found.points_earned), (6_666, points(30)));
    storage.points().reverse_entry(taken.id, &description("mistake"), now()).await.unwrap();
    assert_eq!(reports.user_statistics(ids[0]).await.unwrap().points_earned, points(25));
    refused(reports.user_statistics(UserId(999)).await, ErrorKind::NotFound);
    storage.users().delete(ids[0], now()).await.unwrap();
    refused(reports.user_statistics(ids[0]).await, ErrorKind::NotFound);
}

/// In a fresh database there is nothing.
pub async fn totals_count_everything_once(storage: Arc<dyn Storage>) {
    let reports = storage.mission_reports();
    let nothing = MissionTotals {
        missions: 0,
        active: 0,
        users: 0,
        attempts: 0,
        completions: 0,
        points_paid: Points::ZERO,
    };
    assert_eq!(reports.totals().await.unwrap(), nothing);
    let ids = given::crowd(&storage, 3, 10).await;
    made(&storage, mission_of("m", MissionCadence::Repeatable, 1)).await;
    made(&storage, mission("n", 1)).await;
    made(&storage, NewMission { is_active: false, ..mission("off", 1) }).await;
    for &user in &ids[..2] {
        storage
            .points()
            .award(&Award::new(user, amount(4), source("mission")), now())
            .await
            .unwrap();
    }
    done(&storage, ids[0], "m", "n1", 0).await;
    done(&storage, ids[0], "m", "n2", 0).await;
    open(&storage, ids[0], "n", "once").await;
    done(&storage, ids[1], "n", "once", 0).await;
    let expected = MissionTotals {
        missions: 3,
        active: 2,
        users: 2,
        attempts: 4,
        completions: 3,
        points_paid: points(8),
    };
    assert_eq!(reports.totals().await.unwrap(), expected);
}

/// Last first, then by ascending member, mission and period.
pub async fn recent_completions_page_over_equal_times(storage: Arc<dyn Storage>) {
    let ids = given::crowd(&storage, 2, 0).await;
    made(&storage, mission_of("m.a", MissionCadence::Repeatable, 1)).await;
    made(&storage, mission("m-a", 1)).await;
    for (user, id, of, ago) in [
        (1, "m.a", "n1", 5),
        (0, "m.a", "n2", 5),
        (0, "m.a", "n10", 5),
        (0, "m-a", "once", 5),
        (1, "m-a", "once", 1),
        (1, "m.a", "n2", 90 * 24 * 3600),
        (1, "m.a", "n3", 90 * 24 * 3600 + 1),
    ] {
        done(&storage, ids[user], id, of, ago).await;
    }
    open(&storage, ids[0], "m.a", "n11").await;
    let expected = [
        (ids[1], "m-a", "once"),
        (ids[0], "m-a", "once"),
        (ids[0], "m.a", "n10"),
        (ids[0], "m.a", "n2"),
        (ids[1], "m.a", "n1"),
        (ids[1], "m.a", "n2"),
    ];
    let reports = storage.mission_reports();
    for limit in [1, 2, 3, 6] {
        let found =
            walk(limit, async |request| reports.recent_completions(90, now(), &request).await);
        let found: Vec<_> = found
            .await
            .into_iter()
            .map(|row| (row.user, row.mission.to_string(), row.period.to_string()))
            .collect();
        let named = |(user, id, of): (UserId, &str, &str)| (user, id.to_owned(), of.to_owned());
        assert_eq!(found, expected.map(named), "pages of {limit}");
    }
    // What lies ahead of `now` is not recent.
    let before = now().minus(seconds(2));
    let found = reports.recent_completions(1, before, &page(50)).await.unwrap();
    assert_eq!(found.items.len(), 4);
}

/// And not with the cursor of another list.
pub async fn completions_are_looked_back_for_1_to_90_days(storage: Arc<dyn Storage>) {
    let reports = storage.mission_reports();
    for wrong in [0, 91, u32::MAX] {
        invalid(reports.recent_completions(wrong, now(), &page(5)).await, "days");
    }
    let early = guildhall_domain::Timestamp::EPOCH.plus(days(1));
    assert!(reports.recent_completions(90, early, &page(5)).await.unwrap().items.is_empty());
    for foreign in ["missions.user~~a~once", "missions.recent~1~1~a~never"] {
        let cursor: Cursor = foreign.parse().unwrap();
        let request = page(5).after(cursor);
        invalid(reports.recent_completions(5, now(), &request).await, "cursor");
    }
}

/// However many periods they began.
pub async fn those_who_began_a_mission_are_listed_once(storage: Arc<dyn Storage>) {
    let ids = given::crowd(&storage, 5, 0).await;
    made(&storage, mission_of("m", MissionCadence::Repeatable, 1)).await;
    made(&storage, mission("n", 1)).await;
    for user in [3, 0, 4] {
        done(&storage, ids[user], "m", "n1", 0).await;
        open(&storage, ids[user], "m", "n2").await;
    }
    open(&storage, ids[1], "n", "once").await;
    let reports = storage.mission_reports();
    for limit in [1, 2, 3] {
        let found =
            walk(limit, async |request| reports.progress_users(&slug("m"), &request).await).await;
        assert_eq!(found, [ids[0], ids[3], ids[4]]);
    }
    assert!(reports.progress_users(&slug("x"), &page(5)).await.unwrap().items.is_empty());
}
