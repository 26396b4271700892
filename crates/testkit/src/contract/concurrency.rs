//! Promises about many callers at once that no single repository makes.

use std::sync::Arc;

use guildhall_domain::{ActivityRecord, CommunityZone, UserId};
use guildhall_repository::{BulkMode, EntryFilter, ErrorKind, Storage};

use super::expect::{all_sound, sound, winners};
use super::given;
use crate::builder::{award, deduct, hold, now, page, points, transfer, user};
use crate::random::SeededRandom;

/// Transfers in [`random_transfers_keep_the_sum`].
const TRANSFERS: usize = 10_000;
/// Tasks that share them.
const TASKS: usize = 16;

#[doc(hidden)]
#[macro_export]
macro_rules! concurrency_promises {
    ($with:tt => $($stamp:tt)+) => {
        $($stamp)+! { $with, concurrency as concurrency on MultiThread:
            random_transfers_keep_the_sum
            a_hundred_transfers_in_opposite_directions_all_succeed
            one_account_takes_every_kind_of_movement_at_once
            readers_never_see_half_a_transfer
            reads_go_on_beside_an_open_unit
            more_callers_than_connections_all_get_their_turn
        }
    };
}
#[doc(hidden)]
pub use crate::concurrency_promises as promises;

/// Ten members, ten thousand transfers: none negative, none lost, and no caller sees contention.
pub async fn random_transfers_keep_the_sum(storage: Arc<dyn Storage>) {
    let ids = given::crowd(&storage, 10, 100).await;
    let outcomes = given::at_once(TASKS, &storage, |storage, task| {
        let ids = ids.clone();
        async move {
            let random = SeededRandom::new(task as u64);
            let mut outcomes = Vec::new();
            for _ in 0..TRANSFERS / TASKS {
                let from = random.index(ids.len());
                let to = (from + 1 + random.index(ids.len() - 1)) % ids.len();
                let whole = i64::try_from(1 + random.index(30)).unwrap();
                let request = transfer(ids[from], ids[to], whole);
                outcomes.push(storage.points().transfer(&request, now()).await.map(drop));
            }
            outcomes
        }
    })
    .await;
    let outcomes = outcomes.into_iter().flatten().collect();
    let (won, lost) = winners(outcomes, ErrorKind::InsufficientBalance);
    assert_eq!(won.len() + lost.len(), TRANSFERS);
    assert!(won.len() > TRANSFERS / 2);
    assert_eq!(storage.rankings().points_in_circulation().await.unwrap(), points(1000));
    let (members, entries) = all_sound(&*storage).await;
    assert_eq!((members, entries), (10, 10 + 2 * won.len() as u64));
}

/// Locks are taken in one order, whichever way the points go.
pub async fn a_hundred_transfers_in_opposite_directions_all_succeed(storage: Arc<dyn Storage>) {
    let ids = given::crowd(&storage, 2, 100).await;
    given::at_once(100, &storage, |storage, n| {
        let request = transfer(ids[n % 2], ids[(n + 1) % 2], 1);
        async move {
            storage.points().transfer(&request, now()).await.unwrap();
        }
    })
    .await;
    for &id in &ids {
        assert_eq!(given::balance(&storage, id).await, points(100));
    }
    sound(&*storage, &ids).await;
}

async fn movement(storage: &Arc<dyn Storage>, hot: UserId, other: UserId, n: usize) {
    let repository = storage.points();
    match n % 6 {
        0 => drop(repository.award(&award(hot, 1), now()).await.unwrap()),
        1 => drop(repository.deduct(&deduct(hot, 1), now()).await.unwrap()),
        2 => drop(repository.transfer(&transfer(hot, other, 1), now()).await.unwrap()),
        3 => drop(repository.transfer(&transfer(other, hot, 1), now()).await.unwrap()),
        4 => {
            let held = repository.hold(&hold(hot, 1, &n.to_string()), now()).await.unwrap();
            repository.capture_hold(held.id, now()).await.unwrap();
        }
        _ => {
            let requests = [award(hot, 1), award(other, 1)];
            let mode = BulkMode::Atomic;
            repository.award_bulk(&requests, mode, now()).await.unwrap();
            let record = ActivityRecord { user: hot, at: now(), requests: 1 };
            storage.activity().record(&[record], &CommunityZone::utc()).await.unwrap();
        }
    }
}

/// One after the other, in any order.
pub async fn one_account_takes_every_kind_of_movement_at_once(storage: Arc<dyn Storage>) {
    let ids = given::crowd(&storage, 2, 1000).await;
    given::at_once(120, &storage, |storage, n| {
        let (hot, other) = (ids[0], ids[1]);
        async move { movement(&storage, hot, other, n).await }
    })
    .await;
    // Twenty each of +1, -1, -1, +1, -1, +1.
    assert_eq!(given::balance(&storage, ids[0]).await, points(1000));
    assert_eq!(given::balance(&storage, ids[1]).await, points(1020));
    let entries = storage.ledger().transactions(ids[0], &EntryFilter::default(), &page(1)).await;
    assert_eq!(entries.unwrap().items[0].seq, 121);
    sound(&*storage, &ids).await;
}

/// The sum is the same at every instant.
pub async fn readers_never_see_half_a_transfer(storage: Arc<dyn Storage>) {
    let ids = given::crowd(&storage, 2, 100).await;
    given::at_once(6, &storage, |storage, n| {
        let ids = ids.clone();
        async move {
            for _ in 0..50 {
                if n < 3 {
                    let request = transfer(ids[n % 2], ids[(n + 1) % 2], 1);
                    storage.points().transfer(&request, now()).await.unwrap();
                } else {
                    let sum = storage.rankings().points_in_circulation().await.unwrap();
                    assert_eq!(sum, points(200));
                    let totals = storage.rankings().totals().await.unwrap();
                    assert_eq!((totals.sum, totals.members), (points(200), 2));
                }
            }
        }
    })
    .await;
    sound(&*storage, &ids).await;
}

/// A writer stops no reader.
pub async fn reads_go_on_beside_an_open_unit(storage: Arc<dyn Storage>) {
    let ada = given::funded(&storage, "ada", 10).await;
    let work = storage.begin().await.unwrap();
    work.points().deduct(&deduct(ada, 4), now()).await.unwrap();
    let balances = given::at_once(20, &storage, |storage, _| async move {
        storage.points().balance(ada).await.unwrap()
    })
    .await;
    assert!(balances.iter().all(|balance| *balance == points(10)));
    work.commit().await.unwrap();
    assert_eq!(given::balance(&storage, ada).await, points(6));
}

/// Reads, writes and units, two hundred of them.
pub async fn more_callers_than_connections_all_get_their_turn(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    given::at_once(200, &storage, |storage, n| async move {
        match n % 3 {
            0 => drop(storage.users().by_id(ada).await.unwrap()),
            1 => drop(storage.users().create(&user(&format!("u{n}")), now()).await.unwrap()),
            _ => {
                let work = storage.begin().await.unwrap();
                work.points().award(&award(ada, 1), now()).await.unwrap();
                work.commit().await.unwrap();
            }
        }
    })
    .await;
    assert_eq!(given::balance(&storage, ada).await, points(66));
    assert_eq!(storage.users().count(&Default::default(), now()).await.unwrap(), 68);
    sound(&*storage, &[ada]).await;
}
