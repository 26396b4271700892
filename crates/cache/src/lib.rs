#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

mod backend;
mod batch;
mod builder;
mod cache;
mod clock;
mod entry;
mod envelope;
mod flight;
mod generations;
mod hash;
mod key;
mod load;
#[cfg(feature = "memory")]
mod memory;
mod name;
mod namespace;
mod quarantine;
#[cfg(feature = "redis")]
mod redis;
mod shared;
mod stats;
mod tag;
mod write;

#[cfg(feature = "mock")]
pub use backend::MockCacheBackend;
pub use backend::{
    BackendError, BusEvent, BusEvents, CacheBackend, Nonce, Reading, Sealed, ServerId, Stamp,
};
pub use builder::CacheBuilder;
pub use cache::Cache;
pub use clock::{Clock, Random, SystemClock, SystemRandom};
pub use entry::{Entry, Loaded, Value};
pub use key::Key;
#[cfg(feature = "redis")]
pub use redis::{RedisBackend, RedisOptions};
pub use stats::{CacheStats, NamespaceStats, Percentiles};
pub use tag::Tag;
pub use write::WriteGuard;
