//! Hits in Redis, through the trait.

use std::hint::black_box;
use std::sync::Arc;

use guildhall_cache::{Cache, RedisBackend, RedisOptions};
use guildhall_cached::{CachedOptions, CachedStorage};
use guildhall_domain::{User, UserId};
use guildhall_repository::Storage;
use guildhall_testkit::server;
use redis::aio::MultiplexedConnection;

use crate::Bench;
use crate::rounds::{Worker, alternate};
use crate::setup::Postgres;
use crate::table::Row;

struct Hit(Arc<dyn Storage>);

impl Worker for Hit {
    async fn call(&mut self) {
        black_box(self.0.users().by_id(UserId(1)).await.unwrap().unwrap());
    }
}

/// The bytes of the same entry, and the value in them.
struct Bare {
    connection: MultiplexedConnection,
    key: String,
    value_at: usize,
}

impl Bare {
    async fn bytes(&mut self) -> Vec<u8> {
        redis::cmd("GET").arg(&self.key).query_async(&mut self.connection).await.unwrap()
    }
}

impl Worker for Bare {
    async fn call(&mut self) {
        let bytes = self.bytes().await;
        black_box(rmp_serde::from_slice::<Option<User>>(&bytes[self.value_at..]).unwrap());
    }
}

/// The same, asking for as many keys as a hit must: the entry and the nonces of its three tags.
struct BareMany {
    bare: Bare,
    keys: Vec<String>,
}

impl Worker for BareMany {
    async fn call(&mut self) {
        let mut get = redis::cmd("MGET");
        get.arg(&self.keys);
        let answer = get.query_async(&mut self.bare.connection).await;
        let values: Vec<Option<Vec<u8>>> = answer.unwrap();
        let bytes = values[0].as_ref().unwrap();
        black_box(rmp_serde::from_slice::<Option<User>>(&bytes[self.bare.value_at..]).unwrap());
    }
}

pub(crate) async fn run(bench: Bench) -> Vec<Row> {
    let postgres = Postgres::with_members(1).await;
    let prefix = server::redis_prefix().trim_end_matches(':').to_owned();
    let url = server::redis_url();
    let backend = RedisBackend::new(&url, RedisOptions::default()).unwrap();
    let cache = Cache::builder().shared(Arc::new(backend)).prefix(&prefix).build();
    let inner = Arc::clone(&postgres.storage);
    let cached = CachedStorage::new(inner, cache.clone(), CachedOptions::default());
    let cached: Arc<dyn Storage> = Arc::new(cached);
    let user = cached.users().by_id(UserId(1)).await.unwrap();

    let connect = async || {
        redis::Client::open(url.as_str()).unwrap().get_multiplexed_async_connection().await.unwrap()
    };
    let mut keys = stored_keys(&mut connect().await, &prefix).await;
    let entry = keys.iter().position(|key| !key.contains("%")).unwrap();
    keys.swap(0, entry);
    let value = rmp_serde::to_vec_named(&user).unwrap();
    let bare = async || {
        let mut bare = Bare { connection: connect().await, key: keys[0].clone(), value_at: 0 };
        let bytes = bare.bytes().await;
        assert!(bytes.ends_with(&value), "the value is the end of the entry");
        bare.value_at = bytes.len() - value.len();
        bare
    };
    let many = BareMany { bare: bare().await, keys: keys.clone() };
    let asked = keys.len();
    let sides = (Hit(Arc::clone(&cached)), bare().await, many);
    let [hit, one, many] = alternate(bench.pace, sides).await;
    let total = cache.stats().total;
    assert!(total.misses <= 1 && total.errors == 0, "measured hits only: {total:?}");
    forget(&mut connect().await, &keys).await;
    drop(cached);
    postgres.remove().await;
    let row = || Row::latency("redis_hit", "Redis hit through `dyn UserRepository`, p50", &hit);
    vec![
        row().against("GET on a multiplexed connection, decoded", &one).at_most(1.2),
        row().against(format!("MGET of the {asked} keys a hit needs, decoded"), &many),
    ]
}

async fn stored_keys(connection: &mut MultiplexedConnection, prefix: &str) -> Vec<String> {
    redis::cmd("KEYS").arg(format!("{prefix}:*")).query_async(connection).await.unwrap()
}

async fn forget(connection: &mut MultiplexedConnection, keys: &[String]) {
    let () = redis::cmd("DEL").arg(keys).query_async(connection).await.unwrap();
}
