//! Settings, and how a cache comes to be.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::backend::CacheBackend;
use crate::bus::Bus;
use crate::cache::{Cache, Inner};
use crate::clock::{Clock, Random, SystemClock, SystemRandom};
use crate::envelope::{Codec, Format, MessagePack};
use crate::event::{CacheEvent, Events};
use crate::extra::Hints;
use crate::flight::Flights;
use crate::generations::Generations;
use crate::life::nanos;
#[cfg(feature = "memory")]
use crate::memory::Memory;
use crate::name::encode;
use crate::namespace::Namespaces;
use crate::naming::Naming;
use crate::options::Options;
use crate::outbox::DeskHandle;
use crate::quarantine::Quarantine;
use crate::settings::Settings;
use crate::shared::Shared;
use crate::throttle::Throttles;

/// Builds a [`Cache`]. Without a level chosen the cache is disabled; of two choices, the last
/// counts.
#[must_use]
pub struct CacheBuilder {
    memory: bool,
    backend: Option<Arc<dyn CacheBackend>>,
    settings: Settings,
    events: Events,
    prefix: String,
    schema: String,
    entries_max: u64,
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
            memory: false,
            backend: None,
            settings: Settings::default(),
            events: Events::default(),
            prefix: "gh".to_owned(),
            schema: "v1".to_owned(),
            entries_max: 10_000,
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
        (self.memory, self.backend) = (true, None);
        self
    }

    /// Keeps values in a level that other processes share.
    pub fn shared(mut self, backend: Arc<dyn CacheBackend>) -> Self {
        (self.memory, self.backend) = (false, Some(backend));
        self
    }

    /// Keeps values in a level that other processes share, and copies in this process: see
    /// [`local_ttl`](Self::local_ttl) for how long.
    #[cfg(feature = "memory")]
    pub fn tiered(mut self, backend: Arc<dyn CacheBackend>) -> Self {
        (self.memory, self.backend) = (true, Some(backend));
        self
    }

    /// Stores nothing and always loads. This is the default.
    pub fn disabled(mut self) -> Self {
        (self.memory, self.backend) = (false, None);
        self
    }

    /// How long a copy in this process lives in a tiered cache, counted from the start of the read
    /// that brought it: the bound of what another process' write can leave behind here when no
    /// message of it arrives. Default 30 s.
    pub fn local_ttl(mut self, ttl: Duration) -> Self {
        self.settings.local_ttl_ns = nanos(ttl);
        self
    }

    /// How often a process of a tiered cache says how far the numbers of its messages have come,
    /// so that others notice when they lost one. Default 1 s, at least 10 ms.
    pub fn heartbeat(mut self, period: Duration) -> Self {
        self.settings.heartbeat = period.max(Duration::from_millis(10));
        self
    }

    /// Of all processes one loads an entry that the shared level does not have, for at most this
    /// long; the others wait for its value. `None`: each loads. Only spares loads, whatever
    /// becomes of the lock. Default 5 s.
    pub fn stampede_lock(mut self, ttl: impl Into<Option<Duration>>) -> Self {
        self.settings.stampede_lock = ttl.into();
        self
    }

    /// At most this many loaders run at once; others wait, for [`load_wait`](Self::load_wait) at
    /// most, and then go ahead. At least 1; no limit by default.
    pub fn max_concurrent_loads(mut self, loads: usize) -> Self {
        let permits = loads.clamp(1, tokio::sync::Semaphore::MAX_PERMITS);
        self.settings.loads = Some(Arc::new(tokio::sync::Semaphore::new(permits)));
        self
    }

    /// Bound of a load in the background, which no caller's patience bounds. Default 30 s.
    pub fn background_load_max(mut self, bound: Duration) -> Self {
        self.settings.background_load_max = bound;
        self
    }

    /// Always loads, compares, and only counts what the cache would have said: hits and misses
    /// are the ones it would have had, [`audit_stale`](crate::NamespaceStats::audit_stale) the
    /// hits that were wrong. Values are stored as usual. Default off.
    pub fn dry_run(mut self, on: bool) -> Self {
        self.settings.dry_run = on;
        self
    }

    /// Tells a listener of what happens. It is called where it happens: it must be quick.
    pub fn on_event(mut self, listener: Arc<dyn Fn(&CacheEvent) + Send + Sync>) -> Self {
        self.events = Events(Some(listener));
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
    pub fn max_entries(mut self, entries: u64) -> Self {
        self.entries_max = entries;
        self
    }

    /// Bound of the in-process level in estimated bytes. Default 64 MiB.
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
        #[cfg(feature = "memory")]
        let memory = self.memory.then(|| {
            let namespaces = Arc::clone(&namespaces);
            Box::new(Memory::new(self.entries_max, self.bytes_max, namespaces))
        });
        #[cfg(not(feature = "memory"))]
        let memory = None;
        let shared = self.backend.map(|backend| {
            Box::new(Shared::new(
                backend,
                Naming { prefix: self.prefix, schema: self.schema },
                Format {
                    codec: self.codec,
                    compress_above: self.compress_above,
                    plain_bytes_max: self.value_bytes_max,
                },
                (self.deadline, self.value_bytes_max),
                (Arc::clone(&self.clock), Arc::clone(&self.random), self.events.clone()),
            ))
        });
        Cache::new(Inner {
            memory,
            shared,
            generations: Generations::new(),
            namespaces,
            flights: Arc::new(Flights::new()),
            throttles: Throttles::default(),
            hints: Hints::default(),
            quarantine: Quarantine::new(self.quarantined_max),
            desk: DeskHandle::default(),
            bus: Bus::default(),
            options: Options::auditing(self.settings.dry_run),
            settings: self.settings,
            events: self.events,
            clock: self.clock,
            random: self.random,
            #[cfg(feature = "metrics")]
            published: Default::default(),
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
