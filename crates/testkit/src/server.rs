//! Places to store things in for the length of a test: a PostgreSQL schema or a Redis prefix of
//! its own on the test servers, a SQLite file, or a whole server that may be killed.
//!
//! The test servers are those that `TEST_DATABASE_URL`, `TEST_REDIS_URL` and
//! `TEST_REDIS_CLUSTER_URL` name. A test that needs one that is not named fails; it is never
//! skipped in silence.
//!
//! ```no_run
//! # async fn example() {
//! use guildhall_testkit::server::{postgres_schema, sqlite_file};
//!
//! let file = sqlite_file();
//! assert!(file.url().starts_with("sqlite://"));
//!
//! let schema = postgres_schema().await;
//! assert!(schema.url().contains(schema.name()));
//! schema.remove().await;
//! # }
//! ```

#[cfg(unix)]
mod binary;
#[cfg(unix)]
mod directory;
#[cfg(unix)]
mod postgres;
#[cfg(unix)]
mod process;
#[cfg(unix)]
mod redis;
#[cfg(unix)]
mod redis_cluster;
mod schema;
mod sqlite;

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

#[cfg(unix)]
pub use postgres::PrivatePostgres;
#[cfg(unix)]
pub use redis::PrivateRedis;
#[cfg(unix)]
pub use redis_cluster::PrivateRedisCluster;
pub use schema::{TestSchema, postgres_schema};
pub use sqlite::{TempSqlite, sqlite_file};

/// The URL of the PostgreSQL test server, of a role that may create schemas.
///
/// # Panics
/// When `TEST_DATABASE_URL` is not set.
pub fn postgres_url() -> String {
    given("TEST_DATABASE_URL")
}

/// The URL of the Redis test server. Tests share it: each keeps to its own [`redis_prefix`].
///
/// # Panics
/// When `TEST_REDIS_URL` is not set.
pub fn redis_url() -> String {
    given("TEST_REDIS_URL")
}

/// The URL of the Redis Cluster to test with, as `redis+cluster://host:port,host:port`. Tests share
/// it: each keeps to its own [`redis_prefix`].
///
/// # Panics
/// When `TEST_REDIS_CLUSTER_URL` is not set.
pub fn redis_cluster_url() -> String {
    given("TEST_REDIS_CLUSTER_URL")
}

/// A key prefix that no other test uses, on any machine. It ends in a colon.
pub fn redis_prefix() -> String {
    format!("{}:", unique_name())
}

fn given(variable: &str) -> String {
    match std::env::var(variable) {
        Ok(url) if !url.is_empty() => url,
        _ => panic!("set {variable} or run `just test`, which starts its own servers"),
    }
}

/// A name for a schema or a prefix: lower case letters, digits, underscores; 40 at most.
fn unique_name() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("gh_{}_{number}_{:08x}", std::process::id(), random() >> 32)
}

/// Differs in every call and every process, which is all that is asked of it.
fn random() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    RandomState::new().hash_one(NEXT.fetch_add(1, Ordering::Relaxed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_differ() {
        assert_ne!(redis_prefix(), redis_prefix());
        assert!(redis_prefix().ends_with(':'));
    }

    #[test]
    #[should_panic(expected = "set TEST_NO_SUCH_URL or run `just test`")]
    fn a_server_that_is_not_named_fails_the_test() {
        given("TEST_NO_SUCH_URL");
    }
}
