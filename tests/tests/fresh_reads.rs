//! After any call of a service, every cached read is what the database says, and is cached again.
//!
//! Each act is done while every read that the cache keeps is warm: all pages, orders and filters,
//! of who acts and of others. What is read then through the cache is compared with what the
//! database says, and the second time it costs no statement. Reads of those whom the act leaves
//! alone cost none at all.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use guildhall_cache::{Cache, CacheBuilder, RedisBackend, RedisOptions};
use guildhall_cached::{CachedOptions, CachedStorage};
use guildhall_diesel::Faults;
use guildhall_domain::UserId;
use guildhall_repository::{Repositories, Storage, StorageError};
use guildhall_service::Outbox;
use guildhall_testkit::server::{redis_prefix, redis_url};

use crate::harness;
use crate::workflows::ground::Ground;

mod honours;
mod leaving;
mod missions;
mod profiles;
mod reads;
mod scene;
mod stories;

use reads::{Ids, Read};

/// Whoever there is, was or will be.
const NAMES: [&str; 5] = ["ada", "bob", "cleo", "countess", "dora"];
const MISSIONS: [&str; 6] = ["climb", "come_back", "dig", "greet", "read", "see"];
const FRAGMENTS: [&str; 3] = ["garden", "gate", "tower"];
const LORE: [&str; 4] = ["left_half", "old_map", "right_half", "secret"];
const ACHIEVEMENTS: [&str; 3] = ["finder", "rich", "veteran"];

/// Counts what reaches the database. What the cache does there for itself does not count.
#[derive(Default)]
struct Counter(AtomicU64);

impl Faults for Counter {
    fn before(&self, operation: &'static str) -> Result<(), StorageError> {
        if !operation.starts_with("invalidations.") {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
        Ok(())
    }

    fn after(&self, _operation: &'static str) -> Result<(), StorageError> {
        Ok(())
    }
}

/// Three members and something of everything, behind a cache.
struct Scene {
    ground: Ground,
    /// The same database, without the cache.
    plain: Arc<dyn Storage>,
    counter: Arc<Counter>,
    ids: Ids,
    reads: Vec<Read>,
    /// Dropped last.
    _place: Box<dyn Any + Send + Sync>,
}

/// An hour for everything: a test that takes long must not find what merely aged. What only ages is
/// not kept.
fn kept_for_an_hour() -> CachedOptions {
    let hour = Duration::from_secs(3600);
    CachedOptions {
        user: hour,
        lookup: hour,
        activity: hour,
        account: hour,
        history: hour,
        leaderboard: hour,
        rank: hour,
        totals: Duration::ZERO,
        lists: hour,
        catalogue: hour,
        mission: hour,
        missions: hour,
        mission_progress: hour,
        mission_reports: hour,
        narrative: hour,
        story: hour,
        story_totals: hour,
        honours: hour,
        recent: hour,
        leaderboard_live: true,
    }
}

impl Scene {
    async fn memory_sqlite() -> Self {
        let counter = Arc::new(Counter::default());
        let (plain, place) = harness::faulty_sqlite(counter.clone()).await;
        Self::of(Cache::builder().memory(), plain, counter, place).await
    }

    async fn redis_postgres() -> Self {
        Self::shared(CacheBuilder::shared).await
    }

    async fn tiered_postgres() -> Self {
        Self::shared(CacheBuilder::tiered).await
    }

    async fn shared(
        level: fn(CacheBuilder, Arc<dyn guildhall_cache::CacheBackend>) -> CacheBuilder,
    ) -> Self {
        // A busy machine must not look like a broken cache.
        let patient = Duration::from_secs(60);
        let options = RedisOptions { deadline: patient, ..RedisOptions::default() };
        let backend = Arc::new(RedisBackend::new(&redis_url(), options).unwrap());
        let builder = level(Cache::builder(), backend).prefix(&redis_prefix());
        let counter = Arc::new(Counter::default());
        let (plain, place) = harness::faulty_postgres(counter.clone()).await;
        Self::of(builder.shared_deadline(patient), plain, counter, place).await
    }

    async fn of(
        builder: CacheBuilder,
        plain: Arc<dyn Storage>,
        counter: Arc<Counter>,
        place: impl Any + Send + Sync,
    ) -> Self {
        let hour = Duration::from_secs(3600);
        let cache = builder.negative_ttl_max(hour).local_ttl(hour).build();
        let storage = CachedStorage::new(Arc::clone(&plain), cache, kept_for_an_hour());
        let storage: Arc<dyn Storage> = Arc::new(harness::durable(storage).await);
        let ground = Ground::with(&storage, Outbox::on());
        let ids = scene::set(&ground).await;
        let reads = reads::all(&ids);
        let scene = Self { ground, plain, counter, ids, reads, _place: Box::new(place) };
        for read in &scene.reads {
            read.ask(&*scene.ground.storage).await;
        }
        scene.everything_is_kept("the beginning").await;
        scene
    }

    /// The answer through the cache, and how often the database was asked for it.
    async fn ask(&self, read: &Read) -> (String, u64) {
        let before = self.counter.0.load(Ordering::SeqCst);
        let answer = read.ask(&*self.ground.storage).await;
        (answer, self.counter.0.load(Ordering::SeqCst) - before)
    }

    /// What the database says to each read.
    async fn truth(&self) -> Vec<String> {
        let mut truth = Vec::with_capacity(self.reads.len());
        for read in &self.reads {
            truth.push(read.ask(&*self.plain).await);
        }
        truth
    }

    /// No read costs a statement, but those that find an error: nothing keeps that.
    async fn everything_is_kept(&self, when: &str) {
        for read in &self.reads {
            let (answer, cost) = self.ask(read).await;
            assert!(
                cost == 0 || answer.starts_with("Err"),
                "after {when}: {} cost {cost}",
                read.name
            );
        }
    }

    /// Does `act`, which changes what belongs to `touched`, and compares every read.
    async fn after(&self, act: &str, touched: &[UserId], doing: impl AsyncFnOnce(&Self)) {
        let before = self.truth().await;
        doing(self).await;
        let truth = self.truth().await;
        assert_ne!(truth, before, "{act} changes nothing that is read");
        let others = |read: &Read| read.of.is_some_and(|user| !touched.contains(&user));
        for (read, truth) in self.reads.iter().zip(&truth) {
            let (answer, cost) = self.ask(read).await;
            assert_eq!(answer, *truth, "after {act}: {}", read.name);
            if read.method.starts_with("users.by_") && read.of.is_none() {
                self.ask(read).await; // It led to a member, whose own entry the next one fills.
            }
            let found = !answer.starts_with("Err");
            assert!(cost == 0 || !found || !others(read), "{act} cost others: {}", read.name);
        }
        self.everything_is_kept(act).await;
    }

    fn repositories(&self) -> &dyn Repositories {
        &*self.ground.storage
    }
}

/// Stamps each group of acts on a cache in memory over SQLite, and on those in Redis and on two
/// levels over PostgreSQL.
macro_rules! on_caches {
    ($($name:ident)+) => {
        crate::fresh_reads::on_caches!(@on memory_sqlite $($name)+);
        crate::fresh_reads::on_caches!(@on redis_postgres $($name)+);
        crate::fresh_reads::on_caches!(@on tiered_postgres $($name)+);
    };
    (@on $cache:ident $($name:ident)+) => {
        mod $cache {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    super::$name(crate::fresh_reads::Scene::$cache().await).await;
                }
            )+
        }
    };
}
use on_caches;
