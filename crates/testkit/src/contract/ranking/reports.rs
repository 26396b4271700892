use std::sync::Arc;
use std::time::Duration;

use guildhall_domain::{CommunityZone, Points, UserId};
use guildhall_repository::{ErrorKind, Storage};

use super::super::expect::refused;
use super::super::given;
use crate::builder::{award, day, days, deduct, hold, now, points, time, transfer};

/// An empty community has totals, too.
pub async fn nothing_adds_up_to_nothing(storage: Arc<dyn Storage>) {
    let rankings = storage.rankings();
    let totals = rankings.totals().await.unwrap();
    assert_eq!((totals.members, totals.with_points, totals.entries), (0, 0, 0));
    assert_eq!((totals.sum, totals.average), (Points::ZERO, Points::ZERO));
    assert_eq!((totals.greatest, totals.least), (Points::ZERO, Points::ZERO));
    assert_eq!(rankings.points_in_circulation().await.unwrap(), Points::ZERO);
    let utc = CommunityZone::utc();
    let quiet = rankings.daily_activity(day("2026-03-01"), &utc).await.unwrap();
    assert_eq!((quiet.day, quiet.entries, quiet.members), (day("2026-03-01"), 0, 0));
    assert_eq!((quiet.earned, quiet.spent, quiet.net), (Points::ZERO, Points::ZERO, Points::ZERO));
}

/// However many entries stand behind it.
pub async fn totals_count_each_balance_once(storage: Arc<dyn Storage>) {
    let ids = given::crowd(&storage, 3, 0).await;
    for whole in [10, 20, 30] {
        storage.points().award(&award(ids[0], whole), now()).await.unwrap();
    }
    storage.points().award(&award(ids[1], 10), now()).await.unwrap();
    storage.points().deduct(&deduct(ids[0], 5), now()).await.unwrap();
    storage.points().deduct(&deduct(ids[0], 15), now()).await.unwrap();
    let totals = storage.rankings().totals().await.unwrap();
    assert_eq!((totals.members, totals.with_points, totals.entries), (3, 2, 6));
    assert_eq!((totals.sum, totals.average.minor()), (points(50), 1666));
    assert_eq!((totals.greatest, totals.least), (points(40), points(0)));
    assert_eq!((totals.earned, totals.spent), (points(70), points(20)));
}

/// Neither changes the sum.
pub async fn transfers_and_holds_circulate(storage: Arc<dyn Storage>) {
    let ids = given::crowd(&storage, 2, 50).await;
    storage.points().transfer(&transfer(ids[0], ids[1], 20), now()).await.unwrap();
    let held = storage.points().hold(&hold(ids[1], 30, "a1"), now()).await.unwrap();
    let rankings = storage.rankings();
    assert_eq!(rankings.points_in_circulation().await.unwrap(), points(100));
    let totals = rankings.totals().await.unwrap();
    assert_eq!((totals.sum, totals.earned, totals.spent), (points(100), points(100), points(0)));
    storage.points().capture_hold(held.id, now()).await.unwrap();
    assert_eq!(storage.rankings().points_in_circulation().await.unwrap(), points(70));
}

/// Its first instant belongs to it, that of the next day does not.
pub async fn a_day_is_half_open(storage: Arc<dyn Storage>) {
    let ids = given::crowd(&storage, 2, 0).await;
    let (begin, end) = (time("2026-03-01T00:00:00Z"), time("2026-03-02T00:00:00Z"));
    let tick = Duration::from_micros(1);
    for (user, whole, at) in
        [(0, 1, begin.minus(tick)), (0, 10, begin), (1, 20, end.minus(tick)), (1, 400, end)]
    {
        storage.points().award(&award(ids[user], whole), at).await.unwrap();
    }
    storage.points().deduct(&deduct(ids[0], 4), begin).await.unwrap();
    storage.points().transfer(&transfer(ids[1], ids[0], 3), begin).await.unwrap();
    let utc = CommunityZone::utc();
    let found = storage.rankings().daily_activity(day("2026-03-01"), &utc).await.unwrap();
    assert_eq!((found.entries, found.members), (5, 2));
    assert_eq!((found.earned, found.spent, found.net), (points(33), points(7), points(26)));
}

/// From midnight to midnight there, 23 hours in spring.
pub async fn a_day_is_the_communitys(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let madrid = CommunityZone::parse("Europe/Madrid").unwrap();
    for (whole, at) in [
        (1, "2026-03-28T22:59:59.999999Z"),
        (10, "2026-03-28T23:00:00Z"),
        (20, "2026-03-29T21:59:59.999999Z"),
        (400, "2026-03-29T22:00:00Z"),
    ] {
        storage.points().award(&award(ada, whole), time(at)).await.unwrap();
    }
    let found = storage.rankings().daily_activity(day("2026-03-29"), &madrid).await.unwrap();
    assert_eq!((found.entries, found.earned), (2, points(30)));
}

/// At this member, and no further than asked.
pub async fn a_summary_looks_back(storage: Arc<dyn Storage>) {
    let (ada, bob) = (given::member(&storage, "ada").await, given::member(&storage, "bob").await);
    let ago = |count| now().minus(days(count));
    storage.points().award(&award(bob, 999), now()).await.unwrap();
    for (whole, age) in [(100, 30), (11, 3), (20, 1), (30, 1), (5, 0)] {
        storage.points().award(&award(ada, whole), ago(age)).await.unwrap();
    }
    storage.points().deduct(&deduct(ada, 40), ago(1)).await.unwrap();
    let utc = CommunityZone::utc();
    let week = storage.rankings().activity_summary(ada, 7, &utc, now()).await.unwrap();
    assert_eq!((week.user, week.days, week.entries, week.active_days), (ada, 7, 5, 3));
    assert_eq!((week.earned, week.spent, week.net), (points(66), points(40), points(26)));
    assert_eq!((week.average_award.minor(), week.balance), (1650, points(126)));
    let year = storage.rankings().activity_summary(ada, 365, &utc, now()).await.unwrap();
    assert_eq!((year.entries, year.active_days, year.earned), (6, 4, points(166)));
    let poor = given::member(&storage, "poor").await;
    let quiet = storage.rankings().activity_summary(poor, 1, &utc, now()).await.unwrap();
    assert_eq!((quiet.entries, quiet.active_days, quiet.average_award), (0, 0, Points::ZERO));
}

/// Nobody has no summary.
pub async fn a_summary_needs_its_account(storage: Arc<dyn Storage>) {
    let utc = CommunityZone::utc();
    let outcome = storage.rankings().activity_summary(UserId(999_999), 7, &utc, now()).await;
    refused(outcome, ErrorKind::NotFound);
}

/// Neither none nor 366.
pub async fn a_summary_looks_back_1_to_365_days(storage: Arc<dyn Storage>) {
    let ada = given::funded(&storage, "ada", 5).await;
    let utc = CommunityZone::utc();
    for refusal in [0, 366, u32::MAX] {
        let outcome = storage.rankings().activity_summary(ada, refusal, &utc, now()).await;
        refused(outcome, ErrorKind::Validation);
    }
    for allowed in [1, 365] {
        let found = storage.rankings().activity_summary(ada, allowed, &utc, now()).await.unwrap();
        assert_eq!(found.entries, 1);
    }
}
