//! Settings, and how a cache comes to be.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::backend::CacheBackend;
use crate::cache::{Cache, Inner, Level};
use crate::clock::{Clock, Random, SystemClock, SystemRandom};
use crate::envelope::{Codec, Format, MessagePack};
use crate::flight::Flights;
use crate::generations::Generations;
use crate::name::encode;
use crate::namespace::Namespaces;
use crate::outbox::DeskHandle;
use crate::quarantine::Quarantine;
use crate::shared::{Naming, Shared};

/// Limits that do not depend on the level.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) ttl: Duration,
    pub(crate) jitter: bool,
    pub(crate) negative_ttl_max: Duration,
    pub(crate) load_wait: Duration,
    pub(crate) join_age_max_ns: u64,
    pub(crate) unknown_grace_ns: u64,
}

enum Choice {
    Disabled,
    #[cfg(feature = "memory")]
    Memory,
    Shared(Arc<dyn CacheBackend>),
}

/// Builds a [`Cache`]. Without a level chosen the cache is disabled; of two chosen, the last
/// counts.
#[must_use]
pub struct CacheBuilder {
    choice: Choice,
    settings: Settings,
    prefix: String,
    schema: String,
    #[cfg(feature = "memory")]
    entries_max: u64,
    #[cfg(feature = "memory")]
    bytes_max: u64,
    value_bytes_max: usize,
    codec: Arc<dyn Codec>,
    compress_above: Option<usize>,
    quarantined_max: usize,
    deadline: Duration,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
}

impl CacheBuilder {
    pub(crate) fn new() -> Self {
        Self {
            choice: Choice::Disabled,
            settings: Settings {
                ttl: Duration::from_secs(300),
                jitter: true,
                negative_ttl_max: Duration::from_secs(60),
                load_wait: Duration::from_secs(2),
                join_age_max_ns: 5_000_000_000,
                unknown_grace_ns: 5_000_000_000,
            },
            prefix: "gh".to_owned(),
            schema: "v1".to_owned(),
            #[cfg(feature = "memory")]
            entries_max: 10_000,
            #[cfg(feature = "memory")]
            bytes_max: 64 << 20,
            value_bytes_max: 1 << 20,
            codec: Arc::new(MessagePack),
            compress_above: None,
            quarantined_max: 1_024,
            deadline: Duration::from_secs(1),
            clock: Arc::new(SystemClock::default()),
            random: Arc::new(SystemRandom::default()),
        }
    }

    /// Keeps values in this process. Nothing is serialised.
    #[cfg(feature = "memory")]
    pub fn memory(mut self) -> Self {
        self.choice = Choice::Memory;
        self
    }

    /// Keeps values in a level that other processes share.
    pub fn shared(mut self, backend: Arc<dyn CacheBackend>) -> Self {
        self.choice = Choice::Shared(backend);
        self
    }

    /// Stores nothing and always loads. This is the default.
    pub fn disabled(mut self) -> Self {
        self.choice = Choice::Disabled;
        self
    }

    /// First part of every shared name; processes with the same prefix share. Default `gh`.
    pub fn prefix(mut self, prefix: &str) -> Self {
        self.prefix.clear();
        encode(prefix, &mut self.prefix);
        self
    }

    /// Change it when a cached type changes in a way that its shape does not show; entries of
    /// other schemas are not seen, their tags are. A changed shape is noticed without. Default
    /// `v1`.
    pub fn schema(mut self, schema: &str) -> Self {
        self.schema.clear();
        encode(schema, &mut self.schema);
        self
    }

    /// The TTL of entries that ask for none. Default 300 s.
    pub fn default_ttl(mut self, ttl: Duration) -> Self {
        self.settings.ttl = ttl;
        self
    }

    /// Whether TTLs vary by up to 10 % either way, so that entries made together do not expire
    /// together. Default on.
    pub fn jitter(mut self, on: bool) -> Self {
        self.settings.jitter = on;
        self
    }

    /// Upper bound of the TTL of "absent" and "empty". Default 60 s.
    pub fn negative_ttl_max(mut self, ttl: Duration) -> Self {
        self.settings.negative_ttl_max = ttl;
        self
    }

    /// How long a caller waits for somebody else's load before it loads for itself without
    /// storing the result. Default 2 s.
    pub fn load_wait(mut self, wait: Duration) -> Self {
        self.settings.load_wait = wait;
        self
    }

    /// A load that began this long ago is not joined any more. Default 5 s.
    pub fn join_age_max(mut self, age: Duration) -> Self {
        self.settings.join_age_max_ns = nanos(age);
        self
    }

    /// How long the tags of a write that was dropped with an unknown outcome stay in quarantine
    /// at least: its commit may still be on its way. Default 5 s.
    pub fn unknown_grace(mut self, grace: Duration) -> Self {
        self.settings.unknown_grace_ns = nanos(grace);
        self
    }

    /// Bound of the in-process level in entries. Default 10 000.
    #[cfg(feature = "memory")]
    pub fn max_entries(mut self, entries: u64) -> Self {
        self.entries_max = entries;
        self
    }

    /// Bound of the in-process level in estimated bytes. Default 64 MiB.
    #[cfg(feature = "memory")]
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.bytes_max = bytes;
        self
    }

    /// How values are serialised for the shared level. Entries of another codec are misses.
    /// Default [`MessagePack`].
    pub fn codec(mut self, codec: impl Codec) -> Self {
        self.codec = Arc::new(codec);
        self
    }

    /// Compresses serialised values longer than this with zstd. Every process of the same prefix
    /// needs the feature `zstd` to read them. Default never.
    #[cfg(feature = "zstd")]
    pub fn compress_above(mut self, bytes: usize) -> Self {
        self.compress_above = Some(bytes);
        self
    }

    /// Bigger serialised entries are neither stored in the shared level nor read from it, before
    /// and after compression. Default 1 MiB.
    pub fn max_value_bytes(mut self, bytes: usize) -> Self {
        self.value_bytes_max = bytes;
        self
    }

    /// Beyond this many tags in quarantine at once, everything is. Default 1 024.
    pub fn max_quarantined(mut self, tags: usize) -> Self {
        self.quarantined_max = tags;
        self
    }

    /// Bound of every call to the shared level, whatever its own. Default 1 s.
    pub fn shared_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Tells the time instead of the operating system.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Draws nonces and jitter instead of the operating system. See [`Random`] for what it owes.
    pub fn random(mut self, random: Arc<dyn Random>) -> Self {
        self.random = random;
        self
    }

    /// The cache. Does no I/O.
    #[must_use]
    pub fn build(self) -> Cache {
        let namespaces = Arc::new(Namespaces::new());
        let level = match self.choice {
            Choice::Disabled => Level::Disabled,
            #[cfg(feature = "memory")]
            Choice::Memory => Level::Memory(Box::new(crate::memory::Memory::new(
                self.entries_max,
                self.bytes_max,
                Arc::clone(&namespaces),
            ))),
            Choice::Shared(backend) => Level::Shared(Box::new(Shared::new(
                backend,
                Naming { prefix: self.prefix, schema: self.schema },
                self.deadline,
                self.value_bytes_max,
                Format {
                    codec: self.codec,
                    compress_above: self.compress_above,
                    plain_bytes_max: self.value_bytes_max,
                },
                (Arc::clone(&self.clock), Arc::clone(&self.random)),
            ))),
        };
        Cache::new(Inner {
            level,
            generations: Generations::new(),
            namespaces,
            flights: Flights::new(),
            quarantine: Quarantine::new(self.quarantined_max),
            desk: DeskHandle::default(),
            settings: self.settings,
            clock: self.clock,
            random: self.random,
        })
    }
}

impl fmt::Debug for CacheBuilder {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = out.debug_struct("CacheBuilder");
        shown.field("settings", &self.settings).field("prefix", &self.prefix);
        shown.field("schema", &self.schema).finish_non_exhaustive()
    }
}

/// Saturates after 584 years.
fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
