//! Processes that die between their commit and the change of the nonces: what they left behind is
//! relayed by whoever comes next, and no read is old afterwards.
//!
//! A process is a runtime with a storage and a cache of its own. It dies by losing its runtime at a
//! moment that the shared level chooses: after the commit, when it is asked for new nonces.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use guildhall_cache::{
    BackendError, Cache, CacheBackend, Nonce, Reading, RelayOptions, Sealed, Stamp,
};
use guildhall_cached::{CachedOptions, CachedStorage};
use guildhall_domain::UserId;
use guildhall_repository::{InvalidationNote, Storage};
use guildhall_testkit::builder::{award, now, points, user, username};
use guildhall_testkit::server::{redis_prefix, redis_url};
use tokio::sync::Notify;

use crate::harness::{self, Ground};

/// A shared level that never answers what changes nonces, and tells when it was asked.
#[derive(Default)]
struct Frozen(Arc<Notify>);

#[async_trait]
impl CacheBackend for Frozen {
    async fn read(&self, keys: &[String], tags: &[String]) -> Result<Reading, BackendError> {
        Ok(Reading { entries: vec![None; keys.len()], stamps: vec![None; tags.len()] })
    }
    async fn adopt(&self, _: &[(String, Nonce)]) -> Result<Vec<Stamp>, BackendError> {
        Err(BackendError::NotSupported("adopting"))
    }
    async fn renew(&self, _: &[(String, Nonce)]) -> Result<(), BackendError> {
        self.0.notify_one();
        std::future::pending().await
    }
    async fn store(&self, _: &[Sealed]) -> Result<(), BackendError> {
        Err(BackendError::NotSupported("storing"))
    }
    async fn ping(&self, _: &str) -> Result<(), BackendError> {
        Err(BackendError::NotSupported("pinging"))
    }
}

/// A storage on the same database as `ground`, for a process of its own.
async fn opened(ground: &Ground) -> Arc<dyn Storage> {
    match ground {
        Ground::Sqlite(file) => Arc::new(harness::sqlite_on(file, harness::options()).await),
        Ground::Postgres(schema) => {
            Arc::new(harness::postgres_at(&schema.url(), harness::options()).await)
        }
    }
}

type Write = fn(Arc<dyn Storage>, UserId) -> Pin<Box<dyn Future<Output = ()> + Send>>;

/// Runs `write` in a process that dies once the write is committed.
fn dies_after_committing(ground: Arc<Ground>, prefix: String, ada: UserId, write: Write) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let asked = Arc::new(Notify::new());
        let cache = Cache::builder()
            .shared(Arc::new(Frozen(Arc::clone(&asked))))
            .shared_deadline(Duration::from_secs(3600))
            .prefix(&prefix)
            .build();
        let storage = CachedStorage::new(opened(&ground).await, cache, CachedOptions::default());
        let storage = Arc::new(harness::durable(storage).await);
        let written = tokio::spawn(write(storage, ada));
        asked.notified().await;
        assert!(!written.is_finished());
    });
    runtime.shutdown_background();
}

/// The balance and the member called `eve`, as a process without a relay sees them.
async fn seen(storage: &CachedStorage, ada: UserId) -> (i64, bool) {
    use guildhall_repository::Repositories as _;
    let balance = storage.points().balance(ada).await.unwrap();
    let eve = storage.users().by_username(&username("eve")).await.unwrap();
    (balance.minor() / 100, eve.is_some())
}

async fn left_behind(storage: &Arc<dyn Storage>) -> Vec<InvalidationNote> {
    storage.invalidations().left_behind(Duration::ZERO, 500).await.unwrap()
}

async fn is_relayed(
    (inner, ground): (Arc<dyn Storage>, Arc<Ground>),
    write: Write,
    truth: (i64, bool),
) {
    let prefix = redis_prefix();
    let cache = || harness::redis_cache_under(&redis_url(), &prefix);
    let ada = inner.users().create(&user("ada"), now()).await.unwrap().id;
    let reader = CachedStorage::new(Arc::clone(&inner), cache(), CachedOptions::default());
    assert_eq!(seen(&reader, ada).await, (0, false));
    let (victim, under) = (Arc::clone(&ground), prefix.clone());
    let died = tokio::task::spawn_blocking(move || {
        dies_after_committing(victim, under, ada, write);
    });
    died.await.unwrap();
    assert_eq!(left_behind(&inner).await.len(), 1);
    assert_eq!(seen(&reader, ada).await, (0, false), "nobody told the cache");
    let next = CachedStorage::new(Arc::clone(&inner), cache(), CachedOptions::default());
    let next = harness::durable(next).await;
    assert_eq!(seen(&next, ada).await, truth);
    assert_eq!(seen(&reader, ada).await, truth);
    assert_eq!(left_behind(&inner).await, []);
}

fn awards(storage: Arc<dyn Storage>, ada: UserId) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(async move {
        storage.points().award(&award(ada, 7), now()).await.unwrap();
    })
}

fn awards_in_a_unit(
    storage: Arc<dyn Storage>,
    ada: UserId,
) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(async move {
        let work = storage.begin().await.unwrap();
        work.points().award(&award(ada, 7), now()).await.unwrap();
        work.users().create(&user("eve"), now()).await.unwrap();
        work.commit().await.unwrap();
    })
}

fn registers(storage: Arc<dyn Storage>, _: UserId) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(async move {
        storage.users().create(&user("eve"), now()).await.unwrap();
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_dead_writer_left_behind_is_relayed() {
    for (write, truth) in
        [(awards as Write, (7, false)), (awards_in_a_unit, (7, true)), (registers, (0, true))]
    {
        is_relayed(harness::ground_postgres().await, write, truth).await;
        is_relayed(harness::ground_sqlite().await, write, truth).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_every_process_knows_is_not_kept() {
    use guildhall_repository::Repositories as _;
    for ground in [harness::ground_postgres().await, harness::ground_sqlite().await] {
        let (inner, _ground) = ground;
        let cache = harness::redis_cache(&redis_url());
        let storage = CachedStorage::new(Arc::clone(&inner), cache, CachedOptions::default());
        // One that never looks by itself: what goes, goes because it is finished.
        let hour = Duration::from_secs(3600);
        let options = RelayOptions { age_min: hour, settle_delay: hour, ..Default::default() };
        let storage = storage.durable(options);
        while storage.cache().stats().draining {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let ada = storage.users().create(&user("ada"), now()).await.unwrap().id;
        storage.points().award(&award(ada, 7), now()).await.unwrap();
        let work = storage.begin().await.unwrap();
        work.points().award(&award(ada, 7), now()).await.unwrap();
        work.rollback().await.unwrap();
        let work = storage.begin().await.unwrap();
        work.points().award(&award(ada, 7), now()).await.unwrap();
        work.commit().await.unwrap();
        storage.cache().settle_outbox().await.unwrap();
        assert_eq!(left_behind(&inner).await, []);
        assert_eq!(storage.points().balance(ada).await.unwrap(), points(14));
    }
}
