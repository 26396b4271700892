//! Promises of [`ActivityRepository`](guildhall_repository::ActivityRepository).

use std::sync::Arc;

use guildhall_domain::{ActivityRecord, CommunityZone, CounterFold, Patch, StatsPatch, UserId};
use guildhall_repository::{ErrorKind, Storage};

use super::expect::{refused, winners};
use super::given;
use crate::builder::{bump, day, hours, now, seconds, slug, time};

#[doc(hidden)]
#[macro_export]
macro_rules! activity_promises {
    ($with:tt => $($stamp:tt)+) => {
        $($stamp)+! { $with, activity as activity on MultiThread:
            signs_of_life_add_up
            the_last_activity_never_moves_back
            an_active_day_counts_once
            active_days_begin_at_the_communitys_midnight
            unknown_members_are_passed_over
            at_most_1000_signs_are_recorded
            a_hundred_concurrent_signs_add_up
            statistics_change_by_patch
            statistics_of_nobody_are_absent
            statistics_of_an_old_version_conflict
            counters_fold_by_their_kind
            counters_answer_in_the_order_given
            counters_are_listed_by_name
            a_counter_keeps_its_fold
            counters_of_nobody_find_nothing
            one_to_twenty_different_counters_are_bumped
            a_hundred_concurrent_bumps_add_up
        }
    };
}
#[doc(hidden)]
pub use crate::activity_promises as promises;

fn sign(user: UserId, ago: u64, requests: u32) -> ActivityRecord {
    ActivityRecord { user, at: now().minus(seconds(ago)), requests }
}

async fn days_active(storage: &Arc<dyn Storage>, user: UserId) -> u64 {
    storage.activity().stats(user).await.unwrap().unwrap().days_active
}

/// Several of one member in one call, and over calls.
pub async fn signs_of_life_add_up(storage: Arc<dyn Storage>) {
    let (ada, bob) = (given::member(&storage, "ada").await, given::member(&storage, "bob").await);
    let signs = [sign(ada, 9, 3), sign(bob, 5, 1), sign(ada, 7, 4), sign(bob, 8, 0)];
    let utc = CommunityZone::utc();
    assert_eq!(storage.activity().record(&signs, &utc).await.unwrap(), 2);
    assert_eq!(storage.activity().record(&[sign(ada, 6, 10)], &utc).await.unwrap(), 1);
    let of = async |id| {
        let user = storage.users().by_id(id).await.unwrap().unwrap();
        (user.total_requests, user.last_active_at)
    };
    assert_eq!(of(ada).await, (17, Some(now().minus(seconds(6)))));
    assert_eq!(of(bob).await, (1, Some(now().minus(seconds(5)))));
    assert_eq!(storage.activity().record(&[], &utc).await.unwrap(), 0);
}

/// The requests of a late report still count.
pub async fn the_last_activity_never_moves_back(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    for ago in [0, 3600] {
        storage.activity().record(&[sign(ada, ago, 1)], &CommunityZone::utc()).await.unwrap();
    }
    let stored = storage.users().by_id(ada).await.unwrap().unwrap();
    assert_eq!((stored.last_active_at, stored.total_requests), (Some(now()), 2));
}

/// However many signs it brought.
pub async fn an_active_day_counts_once(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let utc = CommunityZone::utc();
    let day = 24 * 3600;
    let signs = [sign(ada, 0, 1), sign(ada, 1, 0), sign(ada, day, 1)];
    storage.activity().record(&signs, &utc).await.unwrap();
    assert_eq!(days_active(&storage, ada).await, 2);
    storage.activity().record(&[sign(ada, day, 1), sign(ada, 3 * day, 0)], &utc).await.unwrap();
    assert_eq!(days_active(&storage, ada).await, 3);
}

/// Not at that of Greenwich.
pub async fn active_days_begin_at_the_communitys_midnight(storage: Arc<dyn Storage>) {
    let madrid = CommunityZone::parse("Europe/Madrid").unwrap();
    for (name, zone, expected) in [("ada", madrid, 2), ("bob", CommunityZone::utc(), 1)] {
        let user = given::member(&storage, name).await;
        for at in ["2026-06-30T21:59:59.999999Z", "2026-06-30T22:00:00Z"] {
            let sign = ActivityRecord { user, at: time(at), requests: 1 };
            storage.activity().record(&[sign], &zone).await.unwrap();
        }
        assert_eq!(days_active(&storage, user).await, expected, "{name}");
    }
}

/// They are not counted as touched either.
pub async fn unknown_members_are_passed_over(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let signs = [sign(UserId(999_999), 0, 1), sign(ada, 0, 1)];
    let touched = storage.activity().record(&signs, &CommunityZone::utc()).await.unwrap();
    assert_eq!((touched, days_active(&storage, ada).await), (1, 1));
    assert_eq!(storage.activity().stats(UserId(999_999)).await.unwrap(), None);
}

/// 1001 are refused as a whole.
pub async fn at_most_1000_signs_are_recorded(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let utc = CommunityZone::utc();
    let signs = vec![sign(ada, 0, 1); 1001];
    refused(storage.activity().record(&signs, &utc).await, ErrorKind::Validation);
    assert_eq!(days_active(&storage, ada).await, 0);
    assert_eq!(storage.activity().record(&signs[..1000], &utc).await.unwrap(), 1);
    assert_eq!(storage.users().by_id(ada).await.unwrap().unwrap().total_requests, 1000);
}

/// Batches that name the same members in opposite order do not stop each other.
pub async fn a_hundred_concurrent_signs_add_up(storage: Arc<dyn Storage>) {
    let (ada, bob) = (given::member(&storage, "ada").await, given::member(&storage, "bob").await);
    given::at_once(100, &storage, |storage, n| async move {
        let mut signs = [sign(ada, 1, 1), sign(bob, 1, 2)];
        if n % 2 == 0 {
            signs.reverse();
        }
        storage.activity().record(&signs, &CommunityZone::utc()).await.unwrap();
    })
    .await;
    for (user, requests) in [(ada, 100), (bob, 200)] {
        let stored = storage.users().by_id(user).await.unwrap().unwrap();
        assert_eq!(stored.total_requests, requests);
        assert_eq!(days_active(&storage, user).await, 1);
    }
}

/// What the patch keeps stays.
pub async fn statistics_change_by_patch(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let patch = StatsPatch {
        content_read: Some(3),
        reading_minutes: Some(40),
        reading_streak: Some(2),
        last_read_day: Patch::Set(day("2026-03-01")),
    };
    let after = storage.activity().update_stats(ada, &patch, 1).await.unwrap();
    assert_eq!((after.content_read, after.reading_minutes, after.reading_streak), (3, 40, 2));
    assert_eq!((after.last_read_day, after.version), (Some(day("2026-03-01")), 2));
    let patch = StatsPatch { last_read_day: Patch::Clear, ..StatsPatch::default() };
    let after = storage.activity().update_stats(ada, &patch, 2).await.unwrap();
    assert_eq!((after.content_read, after.last_read_day, after.version), (3, None, 3));
    assert_eq!(storage.activity().stats(ada).await.unwrap(), Some(after));
}

/// Changing them finds nobody.
pub async fn statistics_of_nobody_are_absent(storage: Arc<dyn Storage>) {
    assert_eq!(storage.activity().stats(UserId(999_999)).await.unwrap(), None);
    let patch = StatsPatch { content_read: Some(1), ..StatsPatch::default() };
    let outcome = storage.activity().update_stats(UserId(999_999), &patch, 1).await;
    refused(outcome, ErrorKind::NotFound);
}

/// One of fifty writers of one version wins.
pub async fn statistics_of_an_old_version_conflict(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let outcomes = given::at_once(50, &storage, |storage, n| async move {
        let patch = StatsPatch { content_read: Some(n as u64), ..StatsPatch::default() };
        storage.activity().update_stats(ada, &patch, 1).await
    })
    .await;
    let (won, lost) = winners(outcomes, ErrorKind::Conflict);
    assert_eq!((won.len(), lost.len()), (1, 49));
    assert_eq!(storage.activity().stats(ada).await.unwrap().as_ref(), won.first());
}

/// Sums add, extremes compare, and the first value of each is itself.
pub async fn counters_fold_by_their_kind(storage: Arc<dyn Storage>) {
    use CounterFold::{Max, Min, Sum};
    let ada = given::member(&storage, "ada").await;
    for (value, expected) in [(-5, [-5, -5, -5]), (7, [2, 7, -5]), (1, [3, 7, -5])] {
        let bumps = [bump("sum", value, Sum), bump("max", value, Max), bump("min", value, Min)];
        let counters = storage.activity().bump_counters(ada, &bumps, now()).await.unwrap();
        let values: Vec<_> = counters.iter().map(|counter| counter.value).collect();
        assert_eq!(values, expected);
    }
    let large = bump("large", i64::MAX, Sum);
    let counters = storage.activity().bump_counters(ada, &[large], now()).await.unwrap();
    assert_eq!(counters[0].value, i64::MAX);
}

/// With the time of the bump.
pub async fn counters_answer_in_the_order_given(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let names = ["zebra", "ant", "messages", "a.b:c-d_e"];
    let bumps = names.map(|name| bump(name, 1, CounterFold::Sum));
    let later = now().plus(hours(1));
    let counters = storage.activity().bump_counters(ada, &bumps, later).await.unwrap();
    for (counter, name) in counters.iter().zip(names) {
        assert_eq!((&counter.counter, counter.updated_at), (&slug(name), later));
    }
    assert_eq!(counters.len(), names.len());
}

/// By the order of the characters' codes, whatever the database thinks of language.
pub async fn counters_are_listed_by_name(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let bob = given::member(&storage, "bob").await;
    let mut names = ["b", "a_b", "a-b", "a.b", "ab", "a:b", "a0"];
    let bumps = names.map(|name| bump(name, 1, CounterFold::Sum));
    storage.activity().bump_counters(ada, &bumps, now()).await.unwrap();
    names.sort_unstable();
    let listed = storage.activity().counters(ada).await.unwrap();
    let listed: Vec<_> = listed.iter().map(|counter| counter.counter.as_str()).collect();
    assert_eq!(listed, names);
    assert_eq!(storage.activity().counters(bob).await.unwrap(), []);
    assert_eq!(storage.activity().counters(UserId(999_999)).await.unwrap(), []);
}

/// Another fold is refused and changes none of the counters in the call.
pub async fn a_counter_keeps_its_fold(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let sum = bump("score", 5, CounterFold::Sum);
    storage.activity().bump_counters(ada, &[sum], now()).await.unwrap();
    let bumps = [bump("other", 1, CounterFold::Sum), bump("score", 9, CounterFold::Max)];
    let outcome = storage.activity().bump_counters(ada, &bumps, now()).await;
    refused(outcome, ErrorKind::InvalidState);
    let counters = storage.activity().counters(ada).await.unwrap();
    assert_eq!((counters.len(), counters[0].value), (1, 5));
}

/// A bump needs its member.
pub async fn counters_of_nobody_find_nothing(storage: Arc<dyn Storage>) {
    let bumps = [bump("score", 5, CounterFold::Sum)];
    let outcome = storage.activity().bump_counters(UserId(999_999), &bumps, now()).await;
    refused(outcome, ErrorKind::NotFound);
}

/// Neither none, nor 21, nor one twice.
pub async fn one_to_twenty_different_counters_are_bumped(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let bumps: Vec<_> = (0..21).map(|n| bump(&format!("c{n:02}"), n, CounterFold::Sum)).collect();
    let twice = [bumps[0].clone(), bumps[1].clone(), bumps[0].clone()];
    for refusal in [&[][..], &bumps[..], &twice[..]] {
        let outcome = storage.activity().bump_counters(ada, refusal, now()).await;
        refused(outcome, ErrorKind::Validation);
    }
    let counters = storage.activity().bump_counters(ada, &bumps[..20], now()).await.unwrap();
    assert_eq!(counters.len(), 20);
    assert_eq!(storage.activity().counters(ada).await.unwrap(), counters);
}

/// No bump is lost, in whatever order the counters are named.
pub async fn a_hundred_concurrent_bumps_add_up(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    given::at_once(100, &storage, |storage, n| async move {
        let mut bumps = [
            bump("sum", 2, CounterFold::Sum),
            bump("max", n as i64, CounterFold::Max),
            bump("min", n as i64, CounterFold::Min),
        ];
        bumps.rotate_left(n % 3);
        storage.activity().bump_counters(ada, &bumps, now()).await.unwrap();
    })
    .await;
    let counters = storage.activity().counters(ada).await.unwrap();
    let values: Vec<_> = counters.iter().map(|c| (c.counter.as_str(), c.value)).collect();
    assert_eq!(values, [("max", 99), ("min", 0), ("sum", 200)]);
}
