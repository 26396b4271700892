//! Hits in Redis, one by one and a hundred at once.

use std::convert::Infallible;
use std::hint::black_box;
use std::sync::Arc;

use guildhall_cache::{Cache, Key, RedisBackend, RedisOptions, Tag};
use redis::aio::MultiplexedConnection;

use crate::Bench;
use crate::peers::{Ours, Profile, Profiles, TTL};
use crate::proxy::Proxy;
use crate::rounds::{Side, Worker, take_turns};
use crate::table::{Row, Unit};

const BATCH: i64 = 100;

fn cache(url: &str, prefix: &str) -> Ours {
    let backend = RedisBackend::new(url, RedisOptions::default()).unwrap();
    Ours(Cache::builder().shared(Arc::new(backend)).prefix(prefix).build())
}

struct Hit(Ours);

impl Worker for Hit {
    async fn call(&mut self) {
        black_box(self.0.profile(1).await);
    }
}

/// As many keys as a hit must ask for in one pipeline, and a value to decode.
struct Bare {
    connection: MultiplexedConnection,
    keys: Vec<String>,
}

impl Worker for Bare {
    async fn call(&mut self) {
        let mut pipeline = redis::pipe();
        for key in &self.keys {
            pipeline.get(key);
        }
        let answers: Vec<Vec<u8>> = pipeline.query_async(&mut self.connection).await.unwrap();
        black_box(rmp_serde::from_slice::<Arc<Profile>>(&answers[0]).unwrap());
    }
}

/// A hundred members by one call.
struct Many {
    cache: Cache,
    ids: Vec<i64>,
}

impl Worker for Many {
    async fn call(&mut self) {
        let describe = |id: &i64| (Key::new("batch").id(*id), [Tag::new("member").id(*id)]);
        let load = async |ids: Vec<i64>| {
            Ok::<_, Infallible>(ids.into_iter().map(|id| (id, Profile::of(id))).collect())
        };
        let Ok(profiles) = self
            .cache
            .get_or_load_many::<_, Arc<Profile>, _, _, _, _>(&self.ids, TTL, describe, load)
            .await;
        black_box(profiles);
    }
}

/// The same members by as many calls.
struct OneByOne(Many);

impl Worker for OneByOne {
    async fn call(&mut self) {
        for id in &self.0.ids {
            let (key, tags) = (Key::new("batch").id(*id), [Tag::new("member").id(*id)]);
            let entry = self.0.cache.entry::<Arc<Profile>>(key, tags, TTL);
            let load = async || Ok::<_, Infallible>(Some(Profile::of(*id)));
            let Ok(profile) = entry.get_or_load_optional(load).await;
            black_box(profile);
        }
    }
}

pub(crate) async fn run(bench: Bench, url: &str) -> Vec<Row> {
    let prefix = format!("bench{:016x}", fastrand::u64(..));
    let mut connection = connect(url).await;
    let ours = cache(url, &prefix);
    ours.profile(1).await;
    let asked = stored(&mut connection, &prefix).await.len();
    let bare =
        Bare { connection: connect(url).await, keys: fill(&mut connection, &prefix, asked).await };
    let ids = (0..BATCH).collect::<Vec<_>>();
    let many = || Many { cache: ours.0.clone(), ids: ids.clone() };
    many().call().await;
    ours.0.reset_stats();
    let sides = [
        Side::one(Hit(ours.clone())),
        Side::one(bare),
        Side::one(many()),
        Side::one(OneByOne(many())),
    ];
    let [hit, bare, batch, single] = take_turns(bench.pace, sides).await;
    let total = ours.0.stats().total;
    assert!(total.misses == 0 && total.errors == 0, "measured hits only: {total:?}");
    let trips = trips(url, &prefix, &ids).await;
    let keys = stored(&mut connection, &prefix).await;
    let () = redis::cmd("DEL").arg(keys).query_async(&mut connection).await.unwrap();
    let trips_row = |what: &str, trips: f64| {
        Row::once("redis_hit", format!("{what}, round trips"), trips, Unit::Count)
            .figure_at_most(1.0)
    };
    let pipeline = format!("a pipeline of {asked} GETs on a multiplexed connection, decoded");
    vec![
        Row::latency("redis_hit", "get_or_load, p50", &hit).against(pipeline, &bare).at_most(1.25),
        trips_row("get_or_load", trips[0]),
        Row::latency("redis_hit", format!("get_or_load_many of {BATCH}, p50"), &batch)
            .against(format!("{BATCH} calls one by one"), &single)
            .times_faster(12.0),
        trips_row(&format!("get_or_load_many of {BATCH}"), trips[1]),
    ]
}

async fn connect(url: &str) -> MultiplexedConnection {
    redis::Client::open(url).unwrap().get_multiplexed_async_connection().await.unwrap()
}

/// What the cache has in Redis.
async fn stored(connection: &mut MultiplexedConnection, prefix: &str) -> Vec<String> {
    redis::cmd("KEYS").arg(format!("{prefix}:*")).query_async(connection).await.unwrap()
}

/// A value, and texts as long as nonces.
async fn fill(connection: &mut MultiplexedConnection, prefix: &str, count: usize) -> Vec<String> {
    let keys: Vec<_> = (0..count).map(|at| format!("{prefix}:bare:{at}")).collect();
    let value = rmp_serde::to_vec_named(&Profile::of(1)).unwrap();
    for (at, key) in keys.iter().enumerate() {
        let bytes = if at == 0 { value.clone() } else { vec![7; 16] };
        let () = redis::cmd("SET").arg(key).arg(bytes).query_async(connection).await.unwrap();
    }
    keys
}

/// Round trips on the wire of one hit, and of a batch of hits.
async fn trips(url: &str, prefix: &str, ids: &[i64]) -> [f64; 2] {
    let parsed = redis::Client::open(url).unwrap();
    let redis::ConnectionAddr::Tcp(host, port) = parsed.get_connection_info().addr() else {
        panic!("TEST_REDIS_URL must name a host and a port");
    };
    let server = format!("{host}:{port}");
    // Only round trips are asked for.
    let proxy = Proxy::before(server.clone(), || Box::new(|_| 0)).await;
    let ours = cache(&url.replacen(&server, proxy.address(), 1), prefix);
    let hit = proxy.cost(async || drop(ours.profile(1).await)).await;
    let mut many = Many { cache: ours.0.clone(), ids: ids.to_vec() };
    let batch = proxy.cost(async || many.call().await).await;
    [hit.trips, batch.trips]
}
