use std::sync::Arc;

use guildhall_domain::{ActivityRecord, CommunityZone, CounterFold, LeaderboardMetric, UserId};
use guildhall_repository::{EntryFilter, ErrorKind, NewImport, Storage, StorageError, conclude};

use super::super::expect::{refused, sound};
use super::super::given;
use crate::builder::{
    award, bump, deduct, hold, hours, level, now, page, points, rows, transfer, user, username,
};

/// Of several repositories together.
pub async fn a_commit_makes_everything_permanent(storage: Arc<dyn Storage>) {
    let work = storage.begin().await.unwrap();
    let ada = work.users().create(&user("ada"), now()).await.unwrap();
    let entry = work.points().award(&award(ada.id, 10), now()).await.unwrap().value;
    work.commit().await.unwrap();
    assert_eq!(storage.users().by_id(ada.id).await.unwrap(), Some(ada.clone()));
    assert_eq!(storage.ledger().entry(entry.id).await.unwrap(), Some(entry));
    sound(&*storage, &[ada.id]).await;
}

async fn leaves_nothing(storage: &Arc<dyn Storage>, ada: UserId) {
    assert_eq!(storage.users().by_username(&username("bob")).await.unwrap(), None);
    assert_eq!(given::balance(storage, ada).await, points(10));
    let entries = storage.ledger().transactions(ada, &EntryFilter::default(), &page(9)).await;
    assert_eq!(entries.unwrap().items.len(), 1);
    assert_eq!(storage.levels().list().await.unwrap().len(), 20);
    sound(&**storage, &[ada]).await;
}

/// Not even of what was undone last.
pub async fn a_roll_back_leaves_nothing(storage: Arc<dyn Storage>) {
    let ada = given::funded(&storage, "ada", 10).await;
    let work = storage.begin().await.unwrap();
    work.users().create(&user("bob"), now()).await.unwrap();
    work.points().deduct(&deduct(ada, 5), now()).await.unwrap();
    work.levels().save(&level(21, 90_000)).await.unwrap();
    work.rollback().await.unwrap();
    leaves_nothing(&storage, ada).await;
}

/// As if it had been rolled back.
pub async fn a_dropped_unit_leaves_nothing(storage: Arc<dyn Storage>) {
    let ada = given::funded(&storage, "ada", 10).await;
    let work = storage.begin().await.unwrap();
    work.users().create(&user("bob"), now()).await.unwrap();
    work.points().deduct(&deduct(ada, 5), now()).await.unwrap();
    work.levels().save(&level(21, 90_000)).await.unwrap();
    drop(work);
    leaves_nothing(&storage, ada).await;
}

/// Rows, lists and sums.
pub async fn a_unit_reads_its_own_writes(storage: Arc<dyn Storage>) {
    let ada = given::funded(&storage, "ada", 10).await;
    let work = storage.begin().await.unwrap();
    let bob = work.users().create(&user("bob"), now()).await.unwrap();
    assert_eq!(work.users().by_id(bob.id).await.unwrap().as_ref(), Some(&bob));
    assert_eq!(work.users().by_username(&username("BOB")).await.unwrap().as_ref(), Some(&bob));
    work.points().transfer(&transfer(ada, bob.id, 4), now()).await.unwrap();
    assert_eq!(work.points().balance(bob.id).await.unwrap(), points(4));
    let entries = work.ledger().transactions(ada, &EntryFilter::default(), &page(9)).await;
    assert_eq!(entries.unwrap().items.len(), 2);
    let board = work.rankings().leaderboard(LeaderboardMetric::Balance, rows(9, 0), now()).await;
    assert_eq!(board.unwrap().total, 2);
    sound(&*work, &[ada, bob.id]).await;
    work.commit().await.unwrap();
    sound(&*storage, &[ada, bob.id]).await;
}

/// And everybody does after it.
pub async fn nobody_else_reads_them_before_the_commit(storage: Arc<dyn Storage>) {
    let ada = given::funded(&storage, "ada", 10).await;
    let work = storage.begin().await.unwrap();
    let bob = work.users().create(&user("bob"), now()).await.unwrap();
    work.points().award(&award(ada, 5), now()).await.unwrap();
    assert_eq!(storage.users().by_id(bob.id).await.unwrap(), None);
    assert_eq!(storage.users().by_username(&username("bob")).await.unwrap(), None);
    assert_eq!(given::balance(&storage, ada).await, points(10));
    assert_eq!(storage.users().count(&Default::default(), now()).await.unwrap(), 1);
    work.commit().await.unwrap();
    assert_eq!(given::balance(&storage, ada).await, points(15));
    assert_eq!(storage.users().by_id(bob.id).await.unwrap(), Some(bob));
    assert_eq!(storage.users().count(&Default::default(), now()).await.unwrap(), 2);
}

/// None writes past the unit.
pub async fn every_repository_takes_part(storage: Arc<dyn Storage>) {
    let ada = given::funded(&storage, "ada", 10).await;
    let work = storage.begin().await.unwrap();
    let record = ActivityRecord { user: ada, at: now(), requests: 3 };
    work.activity().record(&[record], &CommunityZone::utc()).await.unwrap();
    let bumps = [bump("messages", 1, CounterFold::Sum)];
    work.activity().bump_counters(ada, &bumps, now()).await.unwrap();
    work.points().hold(&hold(ada, 5, "a1"), now()).await.unwrap();
    work.ledger().rebuild_account(ada, false, now()).await.unwrap();
    work.levels().delete(20).await.unwrap();
    let import = NewImport {
        source: "test".to_owned(),
        owner: "tester".to_owned(),
        leased_until: now().plus(hours(1)),
    };
    work.imports().begin(&import, now()).await.unwrap();
    assert_eq!(work.rankings().points_in_circulation().await.unwrap(), points(10));
    work.rollback().await.unwrap();
    assert_eq!(storage.users().by_id(ada).await.unwrap().unwrap().total_requests, 0);
    assert_eq!(storage.activity().counters(ada).await.unwrap(), []);
    assert_eq!(storage.points().active_holds(ada).await.unwrap(), []);
    assert_eq!(storage.levels().list().await.unwrap().len(), 20);
    assert_eq!(storage.imports().find("test").await.unwrap(), None);
    sound(&*storage, &[ada]).await;
}

/// By the outcome of the body.
pub async fn concluding_commits_or_keeps_the_error(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let work = storage.begin().await.unwrap();
    let outcome = work.points().award(&award(ada, 10), now()).await;
    let entry = conclude(work, outcome).await.unwrap().value;
    assert_eq!(entry.amount, points(10));
    let work = storage.begin().await.unwrap();
    work.points().award(&award(ada, 5), now()).await.unwrap();
    let outcome: Result<(), StorageError> = Err(StorageError::not_found("auction", 7));
    refused(conclude(work, outcome).await, ErrorKind::NotFound);
    assert_eq!(given::balance(&storage, ada).await, points(10));
}

/// More of them than the storage has connections.
pub async fn dropped_units_give_their_places_back(storage: Arc<dyn Storage>) {
    let ada = given::funded(&storage, "ada", 10).await;
    let places = storage.health(now()).await.unwrap().connections_max;
    for _ in 0..2 * places + 1 {
        let work = storage.begin().await.unwrap();
        work.points().deduct(&deduct(ada, 1), now()).await.unwrap();
        drop(work);
    }
    assert_eq!(given::balance(&storage, ada).await, points(10));
    storage.points().deduct(&deduct(ada, 10), now()).await.unwrap();
}

/// Side by side or one after the other.
pub async fn units_of_different_members_all_succeed(storage: Arc<dyn Storage>) {
    let ids = given::crowd(&storage, 16, 10).await;
    given::at_once(16, &storage, |storage, n| {
        let id = ids[n];
        async move {
            for _ in 0..5 {
                let work = storage.begin().await.unwrap();
                work.points().deduct(&deduct(id, 1), now()).await.unwrap();
                work.points().award(&award(id, 2), now()).await.unwrap();
                work.commit().await.unwrap();
            }
        }
    })
    .await;
    for &id in &ids {
        assert_eq!(given::balance(&storage, id).await, points(15));
    }
    sound(&*storage, &ids).await;
}

/// A debit in the unit takes the member's lock, and what is read after it cannot change.
pub async fn units_that_read_then_write_lose_nothing(storage: Arc<dyn Storage>) {
    let ada = given::funded(&storage, "ada", 100).await;
    given::at_once(20, &storage, |storage, _| async move {
        let work = storage.begin().await.unwrap();
        work.points().deduct(&deduct(ada, 1), now()).await.unwrap();
        let read = work.points().balance(ada).await.unwrap();
        let entry = work.points().award(&award(ada, 2), now()).await.unwrap().value;
        assert_eq!(entry.balance_after, read.plus(points(2)).unwrap());
        work.commit().await.unwrap();
    })
    .await;
    assert_eq!(given::balance(&storage, ada).await, points(120));
    sound(&*storage, &[ada]).await;
}

/// It was written to, and has places.
pub async fn a_healthy_storage_says_so(storage: Arc<dyn Storage>) {
    let health = storage.health(now()).await.unwrap();
    assert!(!health.system.is_empty() && !health.version.is_empty());
    assert!(health.connections_max >= 1 && health.connections <= health.connections_max);
    assert!(health.idle <= health.connections);
}
