//! What a hit costs: `cargo run --release -p guildhall-cache --example hit_cost [redis://…]`.

use std::convert::Infallible;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use guildhall_cache::{Cache, Key, Tag};

const ROUNDS: usize = 2_000;
const PER_ROUND: i64 = 1_000;

fn report(what: &str, mut samples: Vec<u64>) {
    samples.sort_unstable();
    let at = |share: usize| samples[samples.len() * share / 100] as f64 / 1_000.0;
    println!("{what:<44} p50 {:>9.3}  p95 {:>9.3}  p99 {:>9.3} us", at(50), at(95), at(99));
}

async fn hit(cache: &Cache, id: i64) -> Option<Arc<str>> {
    let (key, tag) = (Key::new("user").id(id).part("profile"), Tag::new("user").id(id));
    let entry = cache.entry::<Arc<str>>(key, [tag], Duration::from_secs(600));
    let load = async || Ok::<_, Infallible>(Arc::from("a profile that is cheap to clone"));
    entry.get_or_load(load).await.ok()
}

async fn memory(what: &str, cache: &Cache, ids: i64) {
    let mut samples = Vec::with_capacity(ROUNDS);
    for round in 0..ROUNDS {
        let started = Instant::now();
        for id in 0..PER_ROUND {
            black_box(hit(cache, black_box(id % ids)).await);
        }
        if round > 0 {
            samples.push(started.elapsed().as_nanos() as u64 / PER_ROUND as u64);
        }
    }
    report(what, samples);
}

#[cfg(feature = "redis")]
async fn shared(url: &str) -> Result<(), Box<dyn std::error::Error>> {
    use guildhall_cache::{RedisBackend, RedisOptions};

    let mut bare = redis::Client::open(url)?.get_multiplexed_async_connection().await?;
    let backend = RedisBackend::new(url, RedisOptions::default())?;
    let cache = Cache::builder().shared(Arc::new(backend)).prefix("hit_cost").build();
    let () =
        redis::cmd("SET").arg("hit_cost:bare").arg(vec![7_u8; 256]).query_async(&mut bare).await?;
    let (mut gets, mut hits) = (Vec::new(), Vec::new());
    hit(&cache, 1).await;
    for _ in 0..20_000 {
        let started = Instant::now();
        let bytes: Vec<u8> = redis::cmd("GET").arg("hit_cost:bare").query_async(&mut bare).await?;
        black_box(bytes);
        gets.push(started.elapsed().as_nanos() as u64);
        let started = Instant::now();
        black_box(hit(&cache, 1).await);
        hits.push(started.elapsed().as_nanos() as u64);
    }
    report("Redis: bare GET of 256 bytes, multiplexed", gets);
    report("Redis: hit through get_or_load, decoded", hits);
    cache.clear().await;
    let total = cache.stats().total;
    println!("{} hits, {} misses, {} errors", total.hits, total.misses, total.errors);
    Ok(())
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let cache = Cache::builder().memory().build();
    for id in 0..PER_ROUND {
        hit(&cache, id).await;
    }
    let mut clock = Vec::new();
    for _ in 0..1_000 {
        let started = Instant::now();
        (0..1_000).for_each(|_| {
            black_box(Instant::now());
        });
        clock.push(started.elapsed().as_nanos() as u64 / 1_000);
    }
    report("for scale: reading the system clock", clock);
    memory("memory: hit, one hot key", &cache, 1).await;
    memory("memory: hit, 1 000 keys in turn", &cache, PER_ROUND).await;
    let (one, two) = (cache.clone(), cache.clone());
    let both = [("two tasks: first", one), ("two tasks: second", two)];
    let tasks = both
        .map(|(what, cache)| tokio::spawn(async move { memory(what, &cache, PER_ROUND).await }));
    for task in tasks {
        task.await?;
    }
    println!("{} misses", cache.stats().total.misses);
    #[cfg(feature = "redis")]
    if let Some(url) = std::env::args().nth(1) {
        shared(&url).await?;
    }
    Ok(())
}
