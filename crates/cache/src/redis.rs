//! Redis as the shared level.

mod address;
mod answer;
mod breaker;
mod builder;
mod bus;
mod cluster;
mod link;
mod node;
mod options;
mod sentinel;
mod single;
mod slots;
mod topology;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

pub use breaker::BreakerState;
pub use builder::RedisBuilder;
pub use options::RedisOptions;

use crate::backend::{BackendError, BusEvents, CacheBackend, Nonce, Reading, Sealed};
use bus::Bus;
use cluster::Cluster;
use single::Single;

/// Redis 6.2 to 8, or Valkey, without Lua: one server, one found by Sentinel, or a Cluster. Every
/// server has to answer `INFO`, which tells its run; a proxy that shares server connections is of
/// no use, nor is a replica.
///
/// | Address | |
/// |--|--|
/// | `redis://[user:password@]host[:port][/database]` | one server; `redis+unix://` for a socket |
/// | `redis+sentinel://[user:password@]host[:port],…/service[/database]` | the primary that these Sentinels name |
/// | `redis+cluster://[user:password@]host[:port],…` | a Cluster, found from any of its nodes |
///
/// With `rediss` for `redis` it is TLS (feature `tls`).
///
/// # Connections
///
/// They are multiplexed and live in a bb8 pool per node. A command borrows one for the moment of
/// cloning its handle; one that failed is replaced, none is probed before use. Each asks its
/// server for its run once, before its first use, so every stamp bears the run that answered.
/// Every call has the deadline of [`RedisOptions`]; a breaker per node makes calls fail at once
/// while the node does not answer ([`BreakerState`]). No call is ever repeated by itself, save
/// that a command a Cluster node refused, as not its own, goes to the node it named.
///
/// # What the run in a stamp protects from
///
/// A server that was restarted, emptied, restored from a snapshot, or promoted answers under
/// another identity (its run id and its replication id), so nothing stored before is valid.
/// Not covered: a primary that was replaced but that this process can still reach serves it as
/// before until it is told of its end. Sentinel and `CLUSTER FAILOVER` end that by closing the
/// connections or by `MOVED`; `REPLICAOF` by hand does neither, so close the clients with
/// `CLIENT KILL TYPE normal` after it.
pub struct RedisBackend {
    topology: Topology,
    bus: Bus,
    deadline: Duration,
}

enum Topology {
    Single(Single),
    Cluster(Cluster),
}

impl RedisBackend {
    /// A backend for the address, see [`RedisBackend`]. Connects when first used. To be called
    /// within a tokio runtime.
    ///
    /// # Errors
    /// `Protocol` when the address cannot be read. Neither it nor any other message repeats the
    /// address.
    pub fn new(url: &str, options: RedisOptions) -> Result<Self, BackendError> {
        Self::builder(url).options(options).build()
    }

    /// For what an address cannot say: certificates, the Sentinels' password, a clock.
    #[must_use]
    pub fn builder(url: &str) -> RedisBuilder {
        RedisBuilder::new(url)
    }

    /// The breaker's state; in a Cluster the worst of its nodes'.
    #[must_use]
    pub fn breaker_state(&self) -> BreakerState {
        match &self.topology {
            Topology::Single(single) => single.breaker_state(),
            Topology::Cluster(cluster) => cluster.breaker_state(),
        }
    }
}

#[async_trait]
impl CacheBackend for RedisBackend {
    async fn read(&self, keys: &[String], tags: &[String]) -> Result<Reading, BackendError> {
        if keys.is_empty() && tags.is_empty() {
            return Ok(Reading::default());
        }
        match &self.topology {
            Topology::Single(single) => single.read(keys, tags).await,
            Topology::Cluster(cluster) => cluster.read(keys, tags).await,
        }
    }

    fn read_deadline(&self) -> Option<Duration> {
        match &self.topology {
            Topology::Single(_) => Some(self.deadline),
            Topology::Cluster(_) => None, // A refused command goes on to the node it is told of.
        }
    }

    async fn adopt(
        &self,
        tags: &[(String, Nonce)],
    ) -> Result<Vec<crate::backend::Stamp>, BackendError> {
        if tags.is_empty() {
            return Ok(Vec::new());
        }
        match &self.topology {
            Topology::Single(single) => single.adopt(tags).await,
            Topology::Cluster(cluster) => cluster.adopt(tags).await,
        }
    }

    async fn renew(&self, tags: &[(String, Nonce)]) -> Result<(), BackendError> {
        if tags.is_empty() {
            return Ok(());
        }
        match &self.topology {
            Topology::Single(single) => single.renew(tags, None).await,
            Topology::Cluster(cluster) => cluster.renew(tags).await,
        }
    }

    async fn store(&self, entries: &[Sealed]) -> Result<(), BackendError> {
        if entries.is_empty() {
            return Ok(());
        }
        match &self.topology {
            Topology::Single(single) => single.store(entries).await,
            Topology::Cluster(cluster) => cluster.store(entries).await,
        }
    }

    async fn ping(&self, key: &str) -> Result<(), BackendError> {
        match &self.topology {
            Topology::Single(single) => single.ping(key).await,
            Topology::Cluster(cluster) => cluster.ping(key).await,
        }
    }

    async fn publish(&self, message: &[u8]) -> Result<(), BackendError> {
        let channel = self.bus.channel();
        match &self.topology {
            Topology::Single(single) => single.publish(channel, message).await,
            Topology::Cluster(cluster) => cluster.publish(channel, message).await,
        }
    }

    async fn renew_and_publish(
        &self,
        tags: &[(String, Nonce)],
        message: &[u8],
    ) -> Result<(), BackendError> {
        if tags.is_empty() {
            return self.publish(message).await;
        }
        let channel = self.bus.channel();
        match &self.topology {
            Topology::Single(single) => single.renew(tags, Some((channel, message))).await,
            Topology::Cluster(cluster) => {
                cluster.renew(tags).await?;
                cluster.publish(channel, message).await
            }
        }
    }

    fn is_refusing(&self) -> Option<bool> {
        Some(self.breaker_state() != BreakerState::Closed)
    }

    fn subscribe(&self) -> Option<BusEvents> {
        Some(self.bus.subscribe())
    }

    async fn try_lock(&self, key: &str, token: Nonce, ttl: Duration) -> Result<bool, BackendError> {
        match &self.topology {
            Topology::Single(single) => single.try_lock(key, token, ttl).await,
            Topology::Cluster(cluster) => cluster.try_lock(key, token, ttl).await,
        }
    }

    /// Asks for the token and deletes the key when it is ours, without Lua, which an ACL may
    /// forbid. Should the lock expire and be taken by another process between the two, it loses
    /// it too early: one load too many, nothing worse.
    async fn unlock(&self, key: &str, token: Nonce) -> Result<(), BackendError> {
        match &self.topology {
            Topology::Single(single) => single.unlock(key, token).await,
            Topology::Cluster(cluster) => cluster.unlock(key, token).await,
        }
    }

    async fn remove(&self, keys: &[String]) -> Result<u64, BackendError> {
        match &self.topology {
            Topology::Single(single) => single.remove(keys).await,
            Topology::Cluster(cluster) => cluster.remove(keys).await,
        }
    }

    async fn find(&self, pattern: &str, limit: usize) -> Result<Vec<String>, BackendError> {
        match &self.topology {
            Topology::Single(single) => single.find(pattern, limit).await,
            Topology::Cluster(cluster) => cluster.find(pattern, limit).await,
        }
    }
}

impl fmt::Debug for RedisBackend {
    /// Without the address: it may hold a password.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("RedisBackend")
            .field("deadline", &self.deadline)
            .field("breaker", &self.breaker_state())
            .finish_non_exhaustive()
    }
}

fn unavailable(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> BackendError {
    BackendError::Unavailable(cause.into())
}

/// What every part needs beside its connections.
#[derive(Clone)]
struct Means {
    options: RedisOptions,
    clock: Arc<dyn crate::clock::Clock>,
    random: Arc<dyn crate::clock::Random>,
}
