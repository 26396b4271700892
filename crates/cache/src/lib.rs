#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

#[cfg(feature = "macros")]
#[doc(hidden)]
#[path = "macros.rs"]
pub mod __private;
mod audit;
mod backend;
mod batch;
mod boarding;
mod builder;
mod bus;
mod cache;
mod clock;
#[cfg(feature = "conformance")]
pub mod conformance;
mod detached;
mod entry;
mod envelope;
mod event;
mod extra;
mod fence;
mod fill;
mod flight;
mod generations;
mod hash;
mod held;
#[cfg(all(test, feature = "memory"))]
mod interleavings;
mod key;
mod lead;
mod life;
mod load;
mod lock;
#[cfg(feature = "memory")]
mod memory;
#[cfg(not(feature = "memory"))]
#[path = "memory_off.rs"]
mod memory;
mod message;
mod name;
mod namespace;
mod naming;
mod operate;
mod options;
mod outbox;
mod part;
mod quarantine;
mod reading;
#[cfg(feature = "redis")]
mod redis;
mod settings;
mod shared;
mod source;
mod stats;
mod sync;
mod tag;
mod telemetry;
mod throttle;
mod write;

#[cfg(feature = "mock")]
pub use backend::MockCacheBackend;
pub use backend::{
    BackendError, BusEvent, BusEvents, CacheBackend, Nonce, Reading, Sealed, ServerId, Stamp,
};
pub use builder::CacheBuilder;
pub use cache::Cache;
pub use clock::{Clock, Random, SystemClock, SystemRandom};
pub use detached::LoadError;
pub use entry::{Entry, Loaded, Value};
#[cfg(feature = "json")]
pub use envelope::Json;
pub use envelope::{Codec, CodecError, CodecId, MessagePack, ReadValue};
pub use erased_serde;
pub use event::CacheEvent;
#[cfg(feature = "macros")]
pub use guildhall_cache_macros::{cached, invalidates};
pub use key::Key;
pub use options::Skip;
#[cfg(feature = "mock")]
pub use outbox::MockOutbox;
pub use outbox::{Outbox, OutboxError, OutboxRow, RelayOptions};
pub use part::{Part, ToPart};
#[cfg(feature = "redis")]
pub use redis::{BreakerState, RedisBackend, RedisBuilder, RedisOptions};
pub use source::CacheSource;
pub use stats::{BusStats, CacheStats, NamespaceStats, Percentiles};
pub use tag::Tag;
#[cfg(feature = "metrics")]
pub use telemetry::describe_metrics;
pub use write::WriteGuard;

/// Entrances for the fuzz targets: no part of the API.
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing {
    pub use crate::envelope::fuzzing::{codec, header};
}
