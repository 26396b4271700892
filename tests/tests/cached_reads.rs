//! A read that starts after a write returned never gives an older value, whatever happens to the
//! cache meanwhile; and a crowd at a cold key asks the database once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use guildhall_cache::Cache;
use guildhall_cached::{CachedOptions, CachedStorage};
use guildhall_domain::{NewExternal, NewUser, Nickname, UserId};
use guildhall_repository::{
    MockStorage, MockUnitOfWork, MockUserRepository, Repositories, Storage,
};
use guildhall_testkit::builder::{award, language, now, user};
use guildhall_testkit::poll::Cut;
use guildhall_testkit::server::{PrivateRedis, redis_url};
use tokio::task::JoinHandle;

use crate::harness;

/// Writes in a race.
const ROUNDS: i64 = 10_000;
/// Waiters on a cold key.
const CROWD: usize = 1000;

/// One member whose balance is read by many while it grows.
struct Race {
    storage: Arc<dyn Storage>,
    member: UserId,
    /// The balance after the last write that returned.
    acknowledged: Arc<AtomicI64>,
    over: Arc<AtomicBool>,
    readers: Vec<JoinHandle<u64>>,
}

impl Race {
    async fn start(storage: Arc<dyn Storage>) -> Self {
        let member = storage.users().create(&user("ada"), now()).await.unwrap().id;
        let acknowledged = Arc::new(AtomicI64::new(0));
        let over = Arc::new(AtomicBool::new(false));
        let read = |_| {
            let (storage, acknowledged) = (storage.clone(), acknowledged.clone());
            let over = over.clone();
            tokio::spawn(async move {
                let mut reads = 0;
                while !over.load(Ordering::SeqCst) {
                    let least = acknowledged.load(Ordering::SeqCst);
                    let seen = storage.points().balance(member).await.unwrap().minor();
                    assert!(seen >= least, "read {seen} after {least} was acknowledged");
                    reads += 1;
                    tokio::task::yield_now().await;
                }
                reads
            })
        };
        let readers = (0..3).map(read).collect();
        Self { storage, member, acknowledged, over, readers }
    }

    /// Grows the balance once, by a call of its own or in a unit, now and then undone.
    async fn write(&self, round: i64) {
        let request = award(self.member, 1);
        let entry = if round % 8 == 0 {
            let undone = self.storage.begin().await.unwrap();
            undone.points().award(&request, now()).await.unwrap();
            undone.points().balance(self.member).await.unwrap();
            undone.rollback().await.unwrap();
            let work = self.storage.begin().await.unwrap();
            let entry = work.points().award(&request, now()).await.unwrap().value;
            work.points().balance(self.member).await.unwrap();
            work.commit().await.unwrap();
            entry
        } else {
            self.storage.points().award(&request, now()).await.unwrap().value
        };
        self.acknowledged.store(entry.balance_after.minor(), Ordering::SeqCst);
        let seen = self.storage.points().balance(self.member).await.unwrap();
        assert_eq!(seen, entry.balance_after, "nobody else writes");
    }

    async fn end(self) {
        self.over.store(true, Ordering::SeqCst);
        for reader in self.readers {
            assert!(reader.await.unwrap() > 0);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_read_is_older_than_an_acknowledged_write_in_memory() {
    let storage = harness::cached_memory_sqlite().await;
    let race = Race::start(storage.clone()).await;
    for round in 0..ROUNDS {
        race.write(round).await;
    }
    race.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_read_is_older_than_an_acknowledged_write_in_redis() {
    let storage = harness::cached_redis_postgres().await;
    let race = Race::start(storage.clone()).await;
    for round in 0..ROUNDS {
        race.write(round).await;
    }
    race.end().await;
}

/// Emptied, frozen, killed and started again in turn, while reads and writes go on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dying_cache_costs_time_never_the_truth() {
    let mut server = PrivateRedis::start().await;
    let (inner, _ground) = harness::ground_sqlite().await;
    let cache = harness::redis_cache(&server.url());
    let storage = CachedStorage::new(inner, cache, CachedOptions::default());
    let race = Race::start(Arc::new(storage)).await;
    for round in 0..40 {
        match round % 8 {
            1 | 3 => empty(&server.url()).await,
            4 => server.pause(),
            5 => server.resume(),
            6 => server.kill(),
            7 => server.restart().await,
            _ => {}
        }
        for write in 0..10 {
            race.write(write).await;
        }
    }
    race.end().await;
}

async fn empty(url: &str) {
    let client = redis::Client::open(url).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    redis::cmd("FLUSHALL").exec_async(&mut connection).await.unwrap();
}

/// The loader does not answer before the whole crowd has asked.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_crowd_at_a_cold_key_asks_the_database_once() {
    let (inner, _ground) = harness::ground_sqlite().await;
    let ada = inner.users().create(&NewUser::default(), now()).await.unwrap();
    let (arrive, arrivals) = mpsc::channel::<()>();
    let (arrivals, answer) = (std::sync::Mutex::new(arrivals), ada.clone());
    let mut users = MockUserRepository::new();
    users.expect_by_id().times(1).returning(move |_| {
        for _ in 0..CROWD {
            arrivals.lock().unwrap().recv_timeout(Duration::from_secs(60)).unwrap();
        }
        Ok(Some(answer.clone()))
    });
    let mocks = MockUnitOfWork { users, ..MockUnitOfWork::default() };
    let cache = Cache::builder().memory().build();
    let options = CachedOptions::default();
    let storage = Arc::new(CachedStorage::new(Arc::new(MockStorage::new(mocks)), cache, options));
    let crowd: Vec<_> = (0..CROWD)
        .map(|_| {
            let (storage, arrive, id) = (storage.clone(), arrive.clone(), ada.id);
            tokio::spawn(async move {
                arrive.send(()).unwrap();
                storage.users().by_id(id).await.unwrap()
            })
        })
        .collect();
    for waiter in crowd {
        assert_eq!(waiter.await.unwrap().as_ref(), Some(&ada));
    }
}

/// Who waits for another caller's look-up of a name learns what it found, not only that it ended.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_crowd_that_looks_for_a_name_finds_its_member() {
    const FEW: usize = 16;
    let (inner, _ground) = harness::ground_sqlite().await;
    let ada = inner.users().create(&user("ada"), now()).await.unwrap();
    let name = ada.username.clone().unwrap();
    let (arrive, arrivals) = mpsc::channel::<()>();
    let (arrivals, answer) = (std::sync::Mutex::new(Some(arrivals)), ada.clone());
    let mut users = MockUserRepository::new();
    users.expect_by_username().returning(move |_| {
        // Only the first look-up waits for the others.
        if let Some(arrivals) = arrivals.lock().unwrap().take() {
            for _ in 0..FEW {
                arrivals.recv_timeout(Duration::from_secs(60)).unwrap();
            }
        }
        Ok(Some(answer.clone()))
    });
    let mocks = MockUnitOfWork { users, ..MockUnitOfWork::default() };
    let cache = Cache::builder().memory().build();
    // Without hints every look-up goes where an absence is stored, as it does while Redis is away.
    let options = CachedOptions { lookup: Duration::ZERO, ..CachedOptions::default() };
    let storage = Arc::new(CachedStorage::new(Arc::new(MockStorage::new(mocks)), cache, options));
    let crowd: Vec<_> = (0..FEW)
        .map(|_| {
            let (storage, arrive, name) = (storage.clone(), arrive.clone(), name.clone());
            tokio::spawn(async move {
                arrive.send(()).unwrap();
                storage.users().by_username(&name).await.unwrap()
            })
        })
        .collect();
    for waiter in crowd {
        assert_eq!(waiter.await.unwrap().as_ref(), Some(&ada));
    }
}

/// One read of the cache, whatever is in the profile.
#[tokio::test]
async fn a_warm_profile_asks_the_database_nothing() {
    let (inner, _ground) = harness::ground_sqlite().await;
    let ada = inner.users().create(&user("ada"), now()).await.unwrap().id;
    let profile = inner.profiles().full_profile(ada).await.unwrap();
    let mut mocks = MockUnitOfWork::default();
    let answer = profile.clone();
    mocks.profiles.expect_full_profile().times(1).returning(move |_| Ok(answer.clone()));
    let cache = Cache::builder().memory().build();
    let stored = Arc::new(MockStorage::new(mocks));
    let storage = CachedStorage::new(stored, cache, CachedOptions::default());
    for _ in 0..3 {
        assert_eq!(storage.profiles().full_profile(ada).await.unwrap(), profile);
    }
}

/// One round trip to Redis, whatever is in the profile, and nothing to the database.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_warm_profile_is_one_read_of_redis() {
    let (inner, _ground) = harness::ground_sqlite().await;
    let ada = inner.users().create(&user("ada"), now()).await.unwrap().id;
    for tag in ["de", "en"] {
        inner.languages().add(ada, &language(tag), None, false, now()).await.unwrap();
    }
    let profile = inner.profiles().full_profile(ada).await.unwrap();
    let mut mocks = MockUnitOfWork::default();
    let answer = profile.clone();
    mocks.profiles.expect_full_profile().times(1).returning(move |_| Ok(answer.clone()));
    let url = redis_url();
    let parsed = redis::Client::open(url.as_str()).unwrap();
    let redis::ConnectionAddr::Tcp(host, port) = parsed.get_connection_info().addr() else {
        panic!("TEST_REDIS_URL must name a host and a port");
    };
    let server = format!("{host}:{port}");
    // Only round trips are asked for.
    let proxy = crate::proxy::Proxy::before(server.clone(), || Box::new(|_| 0)).await;
    let cache = harness::redis_cache(&url.replacen(&server, proxy.address(), 1));
    let stored = Arc::new(MockStorage::new(mocks));
    let storage = CachedStorage::new(stored, cache, CachedOptions::default());
    assert_eq!(storage.profiles().full_profile(ada).await.unwrap(), profile);
    let warm = proxy.cost(async || {
        assert_eq!(storage.profiles().full_profile(ada).await.unwrap(), profile);
    });
    assert_eq!(warm.await.trips, 1.0);
}

/// Who calls goes away, and the member's account elsewhere is refreshed all the same: nobody may be
/// given the old one from then on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_dropped_call_wrote_is_read() {
    let (inner, _ground) = harness::ground_sqlite().await;
    let cache = Cache::builder().memory().build();
    let storage = CachedStorage::new(Arc::clone(&inner), cache, CachedOptions::default());
    let other = inner.users().create(&NewUser::default(), now()).await.unwrap().id;
    let seed = NewUser::default();
    let calling = |name: &str| NewExternal {
        nickname: Some(Nickname::parse(name).unwrap()),
        ..NewExternal::telegram(7)
    };
    let ada = storage.users().ensure(&calling("before"), &seed, now()).await.unwrap().value.id;
    let mut round = 0;
    Cut::at_each(async |cut| {
        round += 1;
        storage.users().external_accounts(ada).await.unwrap();
        let account = calling(&format!("name{round}"));
        let answered = cut.apply(storage.users().ensure(&account, &seed, now())).await;
        // Its turn to write comes after that of the call, which is over by then.
        inner.points().award(&award(other, 1), now()).await.unwrap();
        let seen = storage.users().external_accounts(ada).await.unwrap();
        assert_eq!(seen, inner.users().external_accounts(ada).await.unwrap(), "{cut:?}");
        answered.is_some()
    })
    .await;
    assert!(round > 2, "it was dropped at some moments");
}
