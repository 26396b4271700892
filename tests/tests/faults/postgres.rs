use std::sync::Arc;
use std::time::Duration;

use guildhall_diesel::StoreOptions;
use guildhall_repository::Storage;
use guildhall_testkit::builder::{award, key, now, points, user};
use guildhall_testkit::server::PrivatePostgres;

use super::{Load, PATIENCE, all_sound, is_passing, until_acknowledged};
use crate::harness::{self, connect};

async fn private(options: StoreOptions) -> (PrivatePostgres, Arc<dyn Storage>) {
    let server = PrivatePostgres::start().await;
    let storage = harness::postgres_at(&server.url(), options).await;
    (server, Arc::new(storage))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn crashes_lose_and_double_nothing() {
    let options = StoreOptions { acquire_timeout: Duration::from_secs(2), ..harness::options() };
    let (mut server, storage) = private(options).await;
    let load = Load::start(&storage, 8).await;
    for _ in 0..3 {
        load.goes_on(100).await;
        server.kill();
        server.restart().await;
    }
    load.goes_on(100).await;
    load.adds_up(&storage).await;
    all_sound(&storage).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cut_connections_lose_and_double_nothing() {
    let (server, storage) = private(harness::options()).await;
    let load = Load::start(&storage, 8).await;
    let operator = connect(&server.url()).await;
    let mut ticks = tokio::time::interval(Duration::from_millis(50));
    for _ in 0..60 {
        ticks.tick().await;
        let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                   WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() \
                   ORDER BY random() LIMIT 1";
        operator.execute(cut, &[]).await.unwrap();
    }
    load.goes_on(100).await;
    load.adds_up(&storage).await;
    all_sound(&storage).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_server_is_a_typed_timeout() {
    let half = Duration::from_millis(500);
    let options =
        StoreOptions { acquire_timeout: half, statement_timeout: half, ..harness::options() };
    let (server, storage) = private(options).await;
    let ada = storage.users().create(&user("ada"), now()).await.unwrap().id;
    server.pause();
    let calls = (0..20).map(|n| {
        let storage = storage.clone();
        tokio::spawn(async move {
            let request = award(ada, 1).key(key(&n.to_string()));
            storage.points().award(&request, now()).await
        })
    });
    for call in calls.collect::<Vec<_>>() {
        let outcome = tokio::time::timeout(PATIENCE, call).await.expect("calls end").unwrap();
        let error = outcome.unwrap_err();
        assert!(is_passing(&error), "{error:?}");
    }
    let read = tokio::time::timeout(PATIENCE, storage.users().by_id(ada)).await;
    assert!(is_passing(&read.expect("reads end").unwrap_err()));
    server.resume();
    let repeat = async {
        for n in 0..20 {
            until_acknowledged(&storage, ada, &n.to_string()).await;
        }
    };
    tokio::time::timeout(PATIENCE, repeat).await.expect("the pool recovers");
    assert_eq!(storage.points().balance(ada).await.unwrap(), points(20));
    all_sound(&storage).await;
}

/// A statement that waits for a lock is as slow as the lock is held.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_abandoned_slow_call_gives_the_only_connection_back() {
    let (server, storage) = private(StoreOptions { pool_max: 1, ..harness::options() }).await;
    let ada = storage.users().create(&user("ada"), now()).await.unwrap();
    let operator = connect(&server.url()).await;
    operator.batch_execute("BEGIN; SELECT * FROM point_accounts FOR UPDATE").await.unwrap();
    let request = award(ada.id, 1).key(key("k"));
    let given_up = Duration::from_millis(200);
    let slow = tokio::time::timeout(given_up, storage.points().award(&request, now())).await;
    assert!(slow.is_err(), "the lock is held: {slow:?}");
    // Still held: had the next caller to wait for it, it would wait until the operator commits.
    let next = tokio::time::timeout(PATIENCE / 6, storage.users().by_id(ada.id)).await;
    assert_eq!(next.expect("the connection is back").unwrap(), Some(ada.clone()));
    operator.batch_execute("COMMIT").await.unwrap();
    storage.points().award(&request, now()).await.unwrap();
    assert_eq!(storage.points().balance(ada.id).await.unwrap(), points(1));
    all_sound(&storage).await;
}

/// What one borrower might leave in a session, the next one does not find.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_transaction_and_no_lock_outlives_its_call() {
    let (server, storage) = private(harness::options()).await;
    let ada = storage.users().create(&user("ada"), now()).await.unwrap();
    for n in 0..20 {
        let work = storage.begin().await.unwrap();
        work.points().award(&award(ada.id, 1), now()).await.unwrap();
        match n % 3 {
            0 => work.commit().await.unwrap(),
            1 => work.rollback().await.unwrap(),
            _ => drop(work),
        }
        storage.users().overview(ada.id, now()).await.unwrap();
    }
    let operator = connect(&server.url()).await;
    let left = "SELECT (SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in%'), \
                       (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory')";
    // A dropped unit's connection is closed in the background.
    let gone = async {
        loop {
            let row = operator.query_one(left, &[]).await.unwrap();
            if (row.get::<_, i64>(0), row.get::<_, i64>(1)) == (0, 0) {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, gone).await.expect("nothing stays open");
    assert_eq!(storage.points().balance(ada.id).await.unwrap(), points(7));
}
