//! A primary that Sentinel replaces.

use std::sync::Arc;
use std::time::Duration;

use guildhall_cache::{BusEvent, CacheBackend, RedisBackend, RedisOptions};
use guildhall_testkit::server::PrivateRedis;

use crate::redis_load::under_load;
use crate::redis_servers::{backend, cache, eventually, patient};

struct Watched {
    primary: PrivateRedis,
    replica: PrivateRedis,
    sentinel: PrivateRedis,
}

impl Watched {
    async fn start() -> Self {
        let primary = PrivateRedis::start_with("repl-diskless-sync-delay 0", &[]).await;
        let settings = format!("replicaof 127.0.0.1 {}", primary.port());
        let replica = PrivateRedis::start_with(&settings, &[]).await;
        eventually("the replica is in step", async || {
            replica.command("INFO replication").await.contains("master_link_status:up")
        })
        .await;
        let settings = format!(
            "sentinel monitor watched 127.0.0.1 {} 1\nsentinel down-after-milliseconds watched 30000",
            primary.port()
        );
        let sentinel = PrivateRedis::start_with(&settings, &[]).await;
        Self { primary, replica, sentinel }
    }

    /// The first Sentinel named does not exist.
    fn url(&self) -> String {
        format!("redis+sentinel://127.0.0.1:1,127.0.0.1:{}/watched/0", self.sentinel.port())
    }

    async fn fail_over(&self) {
        eventually("Sentinel agrees", async || {
            self.sentinel.command("SENTINEL FAILOVER watched").await == "OK"
        })
        .await;
        eventually("the old primary knows", async || {
            is(&self.replica, "role:master").await && is(&self.primary, "role:slave").await
        })
        .await;
    }
}

/// A server that changes its role breaks its connections.
async fn is(server: &PrivateRedis, role: &str) -> bool {
    let told = server.try_command("INFO replication").await;
    told.is_some_and(|told| told.contains(role))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failover_under_load_serves_nothing_stale() {
    let watched = Watched::start().await;
    let options = RedisOptions { deadline: Duration::from_secs(1), ..patient() };
    let open = || cache(Arc::new(RedisBackend::new(&watched.url(), options.clone()).unwrap()));
    let (here, there) = (open(), open());
    under_load(here, there, watched.fail_over()).await;
}

#[tokio::test]
async fn the_bus_follows_the_primary() {
    let watched = Watched::start().await;
    let backend = backend(&watched.url());
    let mut bus = backend.subscribe().unwrap();
    assert_eq!(bus.recv().await, Some(BusEvent::Subscribed));
    watched.fail_over().await;
    eventually("subscribed at the new primary", async || {
        watched.replica.command("PUBSUB NUMSUB guildhall:bus").await == "guildhall:bus\n1"
    })
    .await;
    eventually("published there", async || backend.publish(b"moved").await.is_ok()).await;
    while bus.recv().await != Some(BusEvent::Message(b"moved".to_vec())) {}
}

#[tokio::test]
async fn a_name_that_no_sentinel_knows_is_said() {
    let watched = Watched::start().await;
    let url = format!("redis+sentinel://127.0.0.1:{}/stranger", watched.sentinel.port());
    let refused = backend(&url).ping("k").await.unwrap_err();
    let cause = std::error::Error::source(&refused).unwrap().to_string();
    assert_eq!(cause, "no Sentinel knows a primary of that name");
}
