//! A real Redis Cluster of this test's own.

use std::sync::Arc;
use std::time::Duration;

use guildhall_cache::{CacheBackend, Nonce, RedisBackend, RedisOptions, Sealed};
use guildhall_testkit::server::PrivateRedisCluster;

use crate::redis_load::under_load;
use crate::redis_servers::{backend, cache, patient};

fn names(count: usize) -> Vec<String> {
    (0..count).map(|index| format!("name:{index}")).collect()
}

fn sealed(key: &str) -> Sealed {
    let bytes = key.as_bytes().to_vec();
    Sealed { key: key.to_owned(), bytes, ttl: Duration::from_secs(100) }
}

async fn calls(cluster: &mut PrivateRedisCluster, command: &str) -> Vec<u64> {
    let mut calls = Vec::new();
    let start = format!("cmdstat_{command}:calls=");
    for index in 0..3 {
        let stats = cluster.primary(index).command("INFO commandstats").await;
        let line = stats.lines().find_map(|line| line.strip_prefix(&start));
        let number = line.and_then(|line| line.split(',').next());
        calls.push(number.map_or(0, |number| number.parse().unwrap()));
    }
    calls
}

#[tokio::test]
async fn a_question_goes_to_the_owners_of_its_slots_once() {
    let mut cluster = PrivateRedisCluster::start(3, 0).await;
    // Known by one node only, it finds the others.
    let url = format!("redis+cluster://127.0.0.1:{}", cluster.primary(1).port());
    let backend = backend(&url);
    let keys = names(300);
    backend.store(&keys.iter().map(|key| sealed(key)).collect::<Vec<_>>()).await.unwrap();
    let read = backend.read(&keys, &[]).await.unwrap().entries;
    assert!(keys.iter().zip(read).all(|(key, entry)| entry.as_deref() == Some(key.as_bytes())));
    let gets = calls(&mut cluster, "get").await;
    assert!(gets.iter().sum::<u64>() == 300 && gets.iter().all(|gets| *gets > 50), "{gets:?}");
    let tags: Vec<_> = keys.iter().map(|key| (format!("tag:{key}"), Nonce([7; 16]))).collect();
    let stamps = backend.adopt(&tags).await.unwrap();
    let mut servers: Vec<_> = stamps.iter().map(|stamp| stamp.server.0).collect();
    servers.sort_unstable();
    servers.dedup();
    assert_eq!(servers.len(), 3, "each stamp bears the run of its own node");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failover_under_load_serves_nothing_stale() {
    let mut cluster = PrivateRedisCluster::start(3, 1).await;
    let options = RedisOptions { deadline: Duration::from_secs(1), ..patient() };
    let open = || cache(Arc::new(RedisBackend::new(&cluster.url(), options.clone()).unwrap()));
    let (here, there) = (open(), open());
    under_load(here, there, async { cluster.fail_over(1).await }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slot_that_moves_under_load_serves_nothing_stale() {
    let cluster = PrivateRedisCluster::start(3, 0).await;
    let open = || cache(Arc::new(backend(&cluster.url())));
    let (here, there) = (open(), open());
    under_load(here.clone(), there, async {
        // The slots of a few tags, which the load is about.
        for slot in used_slots(&cluster).await {
            cluster.begin_migration(slot, 0, 2).await;
            tokio::time::sleep(Duration::from_millis(30)).await;
            cluster.end_migration(slot, 0, 2).await;
        }
    })
    .await;
    assert_eq!(here.stats().total.errors, 0, "MOVED and ASK are no failures");
}

/// Slots of the first node that hold keys.
async fn used_slots(cluster: &PrivateRedisCluster) -> Vec<u16> {
    let node = cluster.node(0);
    let mut slots = Vec::new();
    for key in node.command("SCAN 0 COUNT 1000").await.lines().skip(1) {
        slots.push(node.command(&format!("CLUSTER KEYSLOT \"{key}\"")).await.parse().unwrap());
    }
    slots.sort_unstable();
    slots.dedup();
    assert!(!slots.is_empty());
    slots
}

#[tokio::test]
async fn a_slot_on_its_way_is_asked_for_at_both_ends() {
    let cluster = PrivateRedisCluster::start(3, 0).await;
    let backend = backend(&cluster.url());
    let slot: u16 = cluster.node(0).command("CLUSTER KEYSLOT {way}").await.parse().unwrap();
    let owner = usize::from(slot) * 3 / 16_384;
    let target = (owner + 1) % 3;
    let old: Vec<_> = (0..20).map(|index| format!("{{way}}old:{index}")).collect();
    let new: Vec<_> = (0..20).map(|index| format!("{{way}}new:{index}")).collect();
    backend.store(&old.iter().map(|key| sealed(key)).collect::<Vec<_>>()).await.unwrap();
    cluster.begin_migration(slot, owner, target).await;
    backend.store(&new.iter().map(|key| sealed(key)).collect::<Vec<_>>()).await.unwrap();
    let tag = [("{way}tag".to_owned(), Nonce([1; 16]))];
    let adopted = backend.adopt(&tag).await.unwrap();
    let all: Vec<_> = old.iter().chain(&new).cloned().collect();
    for _ in 0..2 {
        let reading = backend.read(&all, &[tag[0].0.clone()]).await.unwrap();
        assert!(reading.entries.iter().all(Option::is_some));
        assert_eq!(reading.stamps, [Some(adopted[0])], "told by the node that has it");
        cluster.end_migration(slot, owner, target).await;
    }
    assert_eq!(backend.remove(&all).await.unwrap(), 40);
}

#[cfg(feature = "conformance")]
#[tokio::test]
async fn the_documented_rights_are_enough() {
    use guildhall_cache::conformance as promise;
    let cluster = PrivateRedisCluster::start(3, 0).await;
    let rights = crate::redis_servers::documented_rights();
    for index in 0..3 {
        assert_eq!(cluster.node(index).command(&rights).await, "OK");
    }
    let url = cluster.url().replace("://", "://app:secret@");
    let backend = backend(&url);
    promise::the_probe_leaves_nothing(&backend).await;
    promise::adopting_keeps_the_nonce_that_is_there(&backend).await;
    promise::messages_follow_the_nonces_they_announce(&backend).await;
    promise::a_lock_has_one_holder(&backend).await;
    promise::removing_counts_what_was_there(&backend).await;
    promise::finding_matches_and_keeps_to_its_limit(&backend).await;
    for index in 0..3 {
        let log = cluster.node(index).command("ACL LOG").await;
        assert!(log.is_empty(), "it asks for more than is documented: {log}");
    }
}
