//! Redis backends for the tests.

use std::sync::Arc;
use std::time::{Duration, Instant};

use guildhall_cache::{Cache, CacheBackend, RedisBackend, RedisOptions};
#[cfg(feature = "conformance")]
use guildhall_testkit::server;

/// Generous: a test machine may be busy, and nothing here depends on the deadline.
pub(crate) fn patient() -> RedisOptions {
    RedisOptions { deadline: Duration::from_secs(5), ..RedisOptions::default() }
}

pub(crate) fn backend(url: &str) -> RedisBackend {
    RedisBackend::new(url, patient()).unwrap()
}

/// A process of its own, as far as the cache is concerned.
pub(crate) fn process(url: &str) -> Cache {
    cache(Arc::new(backend(url)))
}

pub(crate) fn cache(backend: Arc<dyn CacheBackend>) -> Cache {
    Cache::builder().shared(backend).shared_deadline(Duration::from_secs(10)).build()
}

pub(crate) async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let start = Instant::now();
    while !holds().await {
        assert!(start.elapsed() < Duration::from_secs(60), "{what}: still not");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// The line of the README that says what a user has to be allowed.
#[cfg(feature = "conformance")]
pub(crate) fn documented_rights() -> String {
    let readme = include_str!("../../README.md");
    readme.lines().find(|line| line.starts_with("ACL SETUSER")).unwrap().to_owned()
}

#[cfg(feature = "conformance")]
pub(crate) async fn shared_server() -> Arc<dyn CacheBackend> {
    Arc::new(backend(&server::redis_url()))
}

#[cfg(feature = "conformance")]
pub(crate) async fn shared_cluster() -> Arc<dyn CacheBackend> {
    Arc::new(backend(&server::redis_cluster_url()))
}
