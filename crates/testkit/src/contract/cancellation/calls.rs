use std::sync::Arc;

use guildhall_domain::{BasisPoints, EarningRules, HoldStatus, LeaderboardMetric};
use guildhall_repository::{BulkMode, EntryFilter, ErrorKind, Storage, UserFilter, UserOrder};

use super::super::expect::{all_sound, refused, sound};
use super::super::given;
use super::nothing_is_missing;
use crate::builder::{
    award, days, deduct, hold, key, now, page, points, rows, telegram, transfer, user, username,
};
use crate::poll::Cut;

/// A key of its own for each cut.
fn once(cut: Cut) -> guildhall_domain::IdemKey {
    key(&format!("{cut:?}"))
}

/// The repetition with the same key completes it.
pub async fn a_dropped_award_happens_once(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let mut total = 0;
    Cut::at_each(async |cut| {
        let request = award(ada, 1).key(once(cut));
        let done = cut.apply(storage.points().award(&request, now())).await.is_some();
        storage.points().award(&request, now()).await.unwrap();
        total += 1;
        assert_eq!(given::balance(&storage, ada).await, points(total), "{cut:?}");
        done
    })
    .await;
    sound(&*storage, &[ada]).await;
    nothing_is_missing(&storage).await;
}

/// Though the points would do for two.
pub async fn a_dropped_deduction_happens_once(storage: Arc<dyn Storage>) {
    let ada = given::funded(&storage, "ada", 1000).await;
    let mut left = 1000;
    Cut::at_each(async |cut| {
        let request = deduct(ada, 1).key(once(cut));
        let done = cut.apply(storage.points().deduct(&request, now())).await.is_some();
        storage.points().deduct(&request, now()).await.unwrap();
        left -= 1;
        assert_eq!(given::balance(&storage, ada).await, points(left), "{cut:?}");
        done
    })
    .await;
    sound(&*storage, &[ada]).await;
    nothing_is_missing(&storage).await;
}

/// On both sides.
pub async fn a_dropped_transfer_happens_once(storage: Arc<dyn Storage>) {
    let ada = given::funded(&storage, "ada", 1000).await;
    let bob = given::member(&storage, "bob").await;
    let mut moved = 0;
    Cut::at_each(async |cut| {
        let request = transfer(ada, bob, 1).key(once(cut));
        let done = cut.apply(storage.points().transfer(&request, now())).await.is_some();
        storage.points().transfer(&request, now()).await.unwrap();
        moved += 1;
        assert_eq!(given::balance(&storage, ada).await, points(1000 - moved), "{cut:?}");
        assert_eq!(given::balance(&storage, bob).await, points(moved), "{cut:?}");
        done
    })
    .await;
    sound(&*storage, &[ada, bob]).await;
    nothing_is_missing(&storage).await;
}

/// All of its awards or none.
pub async fn a_dropped_bulk_is_whole(storage: Arc<dyn Storage>) {
    let ids = given::crowd(&storage, 20, 0).await;
    let mut rounds = 0;
    Cut::at_each(async |cut| {
        let keyed = |(n, &id)| award(id, 1).key(key(&format!("{cut:?} {n}")));
        let requests: Vec<_> = ids.iter().enumerate().map(keyed).collect();
        let call = storage.points().award_bulk(&requests, BulkMode::Atomic, now());
        let done = cut.apply(call).await.is_some();
        // The last one knows whether all of them were written.
        let outcomes = storage.points().award_bulk(&requests, BulkMode::Atomic, now()).await;
        let replayed = outcomes.unwrap().iter().filter(|o| o.as_ref().unwrap().replayed).count();
        assert!(replayed == 0 || replayed == ids.len(), "{cut:?}: {replayed} of {}", ids.len());
        rounds += 1;
        done
    })
    .await;
    for &id in &ids {
        assert_eq!(given::balance(&storage, id).await, points(rounds));
    }
    sound(&*storage, &ids).await;
    nothing_is_missing(&storage).await;
}

/// Points are held if and only if there is a hold.
pub async fn a_dropped_hold_is_whole(storage: Arc<dyn Storage>) {
    let ada = given::funded(&storage, "ada", 1000).await;
    let mut held = 0;
    Cut::at_each(async |cut| {
        let request = hold(ada, 1, &format!("{cut:?}"));
        let done = cut.apply(storage.points().hold(&request, now())).await.is_some();
        let again = storage.points().hold(&request, now()).await;
        if again.is_err() {
            refused(again, ErrorKind::AlreadyExists);
        }
        held += 1;
        let account = storage.points().account(ada).await.unwrap().unwrap();
        assert_eq!(account.held(), points(held), "{cut:?}");
        assert_eq!(storage.points().active_holds(ada).await.unwrap().len() as i64, held);
        done
    })
    .await;
    sound(&*storage, &[ada]).await;
    nothing_is_missing(&storage).await;
}

/// Whoever settles it after that is refused.
pub async fn a_dropped_capture_settles_once(storage: Arc<dyn Storage>) {
    let ada = given::funded(&storage, "ada", 1000).await;
    let mut left = 1000;
    Cut::at_each(async |cut| {
        let held = storage.points().hold(&hold(ada, 1, &format!("{cut:?}")), now()).await.unwrap();
        let done = cut.apply(storage.points().capture_hold(held.id, now())).await.is_some();
        let again = storage.points().capture_hold(held.id, now()).await;
        if again.is_err() {
            refused(again, ErrorKind::InvalidState);
        }
        left -= 1;
        assert_eq!(given::balance(&storage, ada).await, points(left), "{cut:?}");
        let settled = storage.points().hold_by_id(held.id).await.unwrap().unwrap();
        assert_eq!(settled.status, HoldStatus::Captured);
        done
    })
    .await;
    sound(&*storage, &[ada]).await;
    nothing_is_missing(&storage).await;
}

/// The day's points and the day's streak go together.
pub async fn a_dropped_check_in_counts_once(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let (rules, one) = (EarningRules::default(), BasisPoints::ONE);
    let (mut day, mut total) = (0, 0);
    Cut::at_each(async |cut| {
        let at = now().plus(days(day));
        let done = cut.apply(storage.points().check_in(ada, &rules, one, at)).await.is_some();
        let again = storage.points().check_in(ada, &rules, one, at).await;
        if again.is_err() {
            refused(again, ErrorKind::LimitExceeded);
        }
        day += 1;
        total += if day % 7 == 0 { 35 } else { 10 };
        let stats = storage.activity().stats(ada).await.unwrap().unwrap();
        assert_eq!(u64::from(stats.checkin_streak), day, "{cut:?}");
        assert_eq!(given::balance(&storage, ada).await, points(total), "{cut:?}");
        done
    })
    .await;
    sound(&*storage, &[ada]).await;
    nothing_is_missing(&storage).await;
}

/// A member with accounts, points and statistics, or nobody.
pub async fn a_dropped_registration_is_whole(storage: Arc<dyn Storage>) {
    let mut count = 0;
    Cut::at_each(async |cut| {
        let new = user(&format!("{cut:?}"));
        let done = cut.apply(storage.users().create(&new, now())).await.is_some();
        let again = storage.users().create(&new, now()).await;
        if again.is_err() {
            refused(again, ErrorKind::AlreadyExists);
        }
        count += 1;
        let found = storage.users().by_username(new.username.as_ref().unwrap()).await.unwrap();
        let id = found.unwrap().id;
        assert_eq!(storage.users().external_accounts(id).await.unwrap().len(), 1);
        assert!(storage.points().account(id).await.unwrap().is_some());
        assert!(storage.activity().stats(id).await.unwrap().is_some());
        done
    })
    .await;
    assert_eq!(storage.users().count(&UserFilter::default(), now()).await.unwrap(), count);
    assert_eq!(all_sound(&*storage).await.0, count);
    nothing_is_missing(&storage).await;
}

/// Everybody or nobody.
pub async fn a_dropped_batch_is_whole(storage: Arc<dyn Storage>) {
    let mut rounds = 0;
    Cut::at_each(async |cut| {
        let new: Vec<_> = (0..20).map(|n| user(&format!("{cut:?}.{n}"))).collect();
        let done = cut.apply(storage.users().create_batch(&new, now())).await.is_some();
        let again = storage.users().create_batch(&new, now()).await;
        if again.is_err() {
            refused(again, ErrorKind::AlreadyExists);
        }
        rounds += 1;
        let count = storage.users().count(&UserFilter::default(), now()).await.unwrap();
        assert_eq!(count, 20 * rounds, "{cut:?}");
        done
    })
    .await;
    nothing_is_missing(&storage).await;
}

/// However often it is called.
pub async fn a_dropped_ensure_makes_one_member(storage: Arc<dyn Storage>) {
    let mut count = 0;
    Cut::at_each(async |cut| {
        let name = format!("{cut:?}");
        let (account, seed) = (telegram(&name), user(&name));
        let done = cut.apply(storage.users().ensure(&account, &seed, now())).await.is_some();
        let made = storage.users().ensure(&account, &seed, now()).await.unwrap().value;
        assert_eq!(made.username, Some(username(&name)), "{cut:?}");
        count += 1;
        done
    })
    .await;
    assert_eq!(storage.users().count(&UserFilter::default(), now()).await.unwrap(), count);
    nothing_is_missing(&storage).await;
}

/// Single rows, lists and snapshots.
pub async fn dropped_reads_leave_nothing_behind(storage: Arc<dyn Storage>) {
    let ada = given::funded(&storage, "ada", 10).await;
    let (users, filter) = (storage.users(), UserFilter::default());
    Cut::at_each(async |cut| cut.apply(users.by_id(ada)).await.is_some()).await;
    let first = page(10);
    Cut::at_each(async |cut| {
        cut.apply(users.list(&filter, UserOrder::Id, now(), &first)).await.is_some()
    })
    .await;
    Cut::at_each(async |cut| cut.apply(users.overview(ada, now())).await.is_some()).await;
    let entries = EntryFilter::default();
    Cut::at_each(async |cut| {
        cut.apply(storage.ledger().transactions(ada, &entries, &first)).await.is_some()
    })
    .await;
    Cut::at_each(async |cut| cut.apply(storage.ledger().verify(ada)).await.is_some()).await;
    let metric = LeaderboardMetric::Balance;
    Cut::at_each(async |cut| {
        cut.apply(storage.rankings().leaderboard(metric, rows(9, 0), now())).await.is_some()
    })
    .await;
    Cut::at_each(async |cut| cut.apply(storage.health(now())).await.is_some()).await;
    nothing_is_missing(&storage).await;
}

/// Half of two hundred callers give up, most of them while they wait for a connection.
pub async fn callers_who_give_up_queueing_stop_nobody(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let request = move |n: usize| award(ada, 1).key(key(&n.to_string()));
    given::at_once(200, &storage, |storage, n| async move {
        let request = request(n);
        let call = storage.points().award(&request, now());
        if n % 2 == 0 {
            let cut = Cut::Turns(1 + u32::try_from(n).unwrap());
            drop(cut.apply(call).await);
        } else {
            call.await.unwrap();
        }
    })
    .await;
    for n in 0..200 {
        storage.points().award(&request(n), now()).await.unwrap();
    }
    assert_eq!(given::balance(&storage, ada).await, points(200));
    sound(&*storage, &[ada]).await;
    nothing_is_missing(&storage).await;
}
