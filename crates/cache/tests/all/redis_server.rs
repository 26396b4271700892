//! A real Redis of this test's own, which may be killed.

use std::sync::Arc;
use std::time::Duration;

use guildhall_cache::{
    BackendError, BreakerState, Cache, CacheBackend, RedisBackend, RedisOptions,
};
use guildhall_testkit::server::PrivateRedis;

use crate::fake::{Failed, HandClock, Loads, key, tag};
use crate::redis_load::under_load;
use crate::redis_servers::{backend, cache, eventually, patient, process};

const TTL: Duration = Duration::from_secs(100);

async fn read(cache: &Cache, id: i64, truth: u32) -> u32 {
    let entry = cache.entry::<u32>(key(id), [tag(id)], TTL);
    entry.get_or_load(async || Loads::Ok(truth)).await.unwrap()
}

async fn quarantine_is_over(cache: &Cache) {
    eventually("quarantine", async || cache.stats().quarantined_tags == 0).await;
}

#[tokio::test]
async fn two_processes_share_entries_and_invalidations() {
    let server = PrivateRedis::start().await;
    let (here, there) = (process(&server.url()), process(&server.url()));
    here.ping().await.unwrap();
    assert_eq!(read(&here, 1, 1).await, 1);
    assert_eq!(read(&there, 1, 2).await, 1);
    assert!(there.invalidate([tag(1)]).await);
    assert_eq!(read(&here, 1, 3).await, 3);
    assert_eq!(read(&there, 1, 4).await, 3);
    assert!(here.clear().await);
    assert_eq!(read(&there, 1, 5).await, 5);
    let ids: Vec<i64> = (0..700).collect();
    let describe = |id: &i64| (key(1_000 + id), [tag(1_000 + id)]);
    let load = |ids: Vec<i64>| async { Loads::Ok(ids.into_iter().map(|id| (id, id)).collect()) };
    let loaded = here.get_or_load_many(&ids, TTL, describe, load).await.unwrap();
    let fail = |_: Vec<i64>| async { Err::<Vec<(i64, i64)>, _>(Failed) };
    assert_eq!(there.get_or_load_many(&ids, TTL, describe, fail).await.unwrap(), loaded);
    assert_eq!(here.stats().total.errors + there.stats().total.errors, 0);
}

#[tokio::test]
async fn a_flush_beside_a_load_leaves_nothing_stale() {
    let server = PrivateRedis::start().await;
    let cache = process(&server.url());
    let entry = cache.entry::<u32>(key(1), [tag(1)], TTL);
    let loaded = entry.get_or_load(async || {
        assert_eq!(server.command("FLUSHALL").await, "OK");
        Loads::Ok(1)
    });
    assert_eq!(loaded.await, Ok(1));
    assert_eq!(read(&cache, 1, 2).await, 2, "stored under a nonce that is gone");
    assert_eq!(read(&cache, 1, 3).await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_and_restarted_it_costs_no_call_and_serves_nothing_old() {
    let mut server = PrivateRedis::start().await;
    let cache = process(&server.url());
    assert_eq!(read(&cache, 1, 1).await, 1);
    server.kill();
    assert_eq!(read(&cache, 1, 2).await, 2);
    assert!(!cache.begin_write([tag(1)]).committed().await);
    assert_eq!(read(&cache, 1, 3).await, 3);
    assert!(cache.ping().await.is_err() && cache.stats().quarantined_tags == 1);
    server.restart().await;
    quarantine_is_over(&cache).await;
    assert_eq!(read(&cache, 1, 4).await, 4);
    assert_eq!(read(&cache, 1, 5).await, 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_of_an_old_snapshot_is_served() {
    let mut server = PrivateRedis::start().await;
    let (here, there) = (process(&server.url()), process(&server.url()));
    assert_eq!(read(&here, 1, 1).await, 1);
    assert_eq!(server.command("SAVE").await, "OK");
    // Acknowledged, and forgotten by the snapshot: value 1 and its nonce will both be back.
    assert!(here.begin_write([tag(1)]).committed().await);
    server.kill();
    server.restart().await;
    assert_ne!(server.command("DBSIZE").await, "0", "the snapshot is back");
    for cache in [&here, &there] {
        eventually("the connection is back", async || cache.ping().await.is_ok()).await;
    }
    assert_eq!(read(&there, 1, 2).await, 2);
    assert_eq!(read(&here, 1, 3).await, 2, "the new entry is valid");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_renewal_that_is_applied_late_revives_nothing() {
    let server = PrivateRedis::start().await;
    let options = RedisOptions { deadline: Duration::from_millis(100), ..patient() };
    let here = cache(Arc::new(RedisBackend::new(&server.url(), options).unwrap()));
    let there = process(&server.url());
    assert_eq!(read(&there, 1, 1).await, 1);
    assert_eq!(server.command("CLIENT PAUSE 700 ALL").await, "OK");
    assert!(!here.begin_write([tag(1)]).committed().await, "it timed out");
    assert_eq!(read(&here, 1, 2).await, 2);
    quarantine_is_over(&here).await;
    assert_eq!(read(&there, 1, 3).await, 3);
    assert_eq!(read(&here, 1, 4).await, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flushes_kills_and_eviction_under_load_serve_nothing_stale() {
    let mut server = PrivateRedis::start().await;
    let options = RedisOptions { deadline: Duration::from_secs(1), ..patient() };
    let open = || cache(Arc::new(RedisBackend::new(&server.url(), options.clone()).unwrap()));
    let (here, there) = (open(), open());
    under_load(here.clone(), there.clone(), async {
        for _ in 0..5 {
            assert_eq!(server.command("FLUSHALL").await, "OK");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(server.command("SAVE").await, "OK");
        server.kill();
        server.restart().await; // With the snapshot.
    })
    .await;
    under_load(here, there, async {
        assert_eq!(server.command("CONFIG SET maxmemory-policy allkeys-random").await, "OK");
        assert_eq!(server.command("CONFIG SET maxmemory 1").await, "OK");
        // All that can be evicted is, and writes are refused.
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert_eq!(server.command("CONFIG SET maxmemory 0").await, "OK");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_server_costs_no_call() {
    let server = PrivateRedis::start().await;
    let (here, there) = (process(&server.url()), process(&server.url()));
    assert_eq!(read(&here, 1, 1).await, 1);
    assert_eq!(server.command("CONFIG SET maxmemory 1").await, "OK"); // `noeviction`
    assert!(!here.begin_write([tag(1)]).committed().await);
    assert_eq!(read(&here, 1, 2).await, 2);
    assert_eq!(read(&here, 2, 2).await, 2);
    assert!(here.stats().total.errors > 0);
    assert_eq!(server.command("CONFIG SET maxmemory 0").await, "OK");
    quarantine_is_over(&here).await;
    assert_eq!(read(&there, 1, 3).await, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_breaker_opens_fails_at_once_probes_and_closes() {
    let server = PrivateRedis::start().await;
    let clock = Arc::new(HandClock::default());
    let options =
        RedisOptions { deadline: Duration::from_millis(50), failures_max: 2, ..patient() };
    let backend = RedisBackend::builder(&server.url())
        .options(options)
        .clock(Arc::clone(&clock) as _)
        .build()
        .unwrap();
    let ask = async || backend.read(&["k".to_owned()], &[]).await;
    eventually("it answers in time", async || ask().await.is_ok()).await;
    assert_eq!(backend.breaker_state(), BreakerState::Closed);
    server.pause();
    eventually("the breaker opens", async || {
        assert!(ask().await.is_err());
        backend.breaker_state() == BreakerState::Open
    })
    .await;
    let refused = ask().await.unwrap_err();
    let refused = std::error::Error::source(&refused).map(ToString::to_string);
    assert_eq!(refused.as_deref(), Some("the breaker is open"));
    server.resume();
    // No time passes for the breaker, so it stays open although the server is back.
    assert!(ask().await.is_err() && backend.breaker_state() == BreakerState::Open);
    eventually("the breaker closes", async || {
        clock.advance_ms(500);
        assert!(ask().await.is_err() || backend.breaker_state() == BreakerState::Closed);
        backend.breaker_state() == BreakerState::Closed
    })
    .await;
    eventually("it answers in time", async || ask().await.is_ok()).await;
}

#[tokio::test]
async fn the_address_is_in_no_message() {
    let told = |error: &dyn std::error::Error| {
        let source = error.source().map(ToString::to_string);
        format!("{error} {error:?} {source:?}")
    };
    let options = RedisOptions::default();
    let broken = RedisBackend::new("redis://:hunter2@[", options.clone()).unwrap_err();
    let server = PrivateRedis::start().await;
    assert_eq!(server.command("CONFIG SET requirepass hunter2").await, "OK");
    let wrong = format!("redis://:hunter3@127.0.0.1:{}", server.port());
    let builder = RedisBackend::builder(&wrong).options(options);
    assert!(!format!("{builder:?}").contains("hunter"));
    let backend = builder.build().unwrap();
    assert!(!format!("{backend:?}").contains("hunter"));
    let refused: BackendError =
        Cache::builder().shared(Arc::new(backend)).build().ping().await.unwrap_err();
    assert!(!told(&broken).contains("hunter") && !told(&refused).contains("hunter"));
    let right = format!("redis://:hunter2@127.0.0.1:{}", server.port());
    process(&right).ping().await.unwrap();
}

#[tokio::test]
async fn a_server_that_hides_its_run_is_refused_clearly() {
    let server = PrivateRedis::start().await;
    assert_eq!(server.command("ACL SETUSER blind on >pw ~* &* +@all -info").await, "OK");
    let backend = backend(&format!("redis://blind:pw@127.0.0.1:{}", server.port()));
    let refused = backend.ping("k").await.unwrap_err();
    let cause = std::error::Error::source(&refused).unwrap().to_string();
    assert!(cause.contains("refuses INFO"), "{cause}");
}

#[tokio::test]
async fn a_replica_is_refused() {
    let primary = PrivateRedis::start().await;
    let settings = format!("replicaof 127.0.0.1 {}", primary.port());
    let replica = PrivateRedis::start_with(&settings, &[]).await;
    let refused = backend(&replica.url()).ping("k").await.unwrap_err();
    let cause = std::error::Error::source(&refused).unwrap().to_string();
    assert_eq!(cause, "the server is a replica");
}

#[cfg(feature = "conformance")]
#[tokio::test]
async fn the_documented_rights_are_enough() {
    use guildhall_cache::conformance as promise;
    let server = PrivateRedis::start().await;
    let rights = crate::redis_servers::documented_rights();
    assert_eq!(server.command(&rights).await, "OK");
    let backend = backend(&format!("redis://app:secret@127.0.0.1:{}", server.port()));
    promise::the_probe_leaves_nothing(&backend).await;
    promise::adopting_keeps_the_nonce_that_is_there(&backend).await;
    promise::stored_bytes_come_back_as_they_were(&backend).await;
    promise::messages_follow_the_nonces_they_announce(&backend).await;
    promise::a_lock_has_one_holder(&backend).await;
    promise::removing_counts_what_was_there(&backend).await;
    promise::finding_matches_and_keeps_to_its_limit(&backend).await;
    let log = server.command("ACL LOG").await;
    assert!(log.is_empty(), "it asks for more than is documented: {log}");
}
