//! The cache itself.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::builder::CacheBuilder;
use crate::bus::Bus;
use crate::clock::{Clock, Random};
use crate::entry::{Entry, Value};
use crate::event::Events;
use crate::extra::Hints;
use crate::flight::Flights;
use crate::generations::Generations;
use crate::key::Key;
use crate::memory::Memory;
use crate::namespace::Namespaces;
use crate::options::Options;
use crate::outbox::DeskHandle;
use crate::quarantine::{Quarantine, Target};
use crate::settings::Settings;
use crate::shared::Shared;
use crate::stats::CacheStats;
use crate::tag::{Tag, TagSet};
use crate::throttle::Throttles;
use crate::write::WriteGuard;

pub(crate) struct Inner {
    pub(crate) memory: Option<Box<Memory>>,
    pub(crate) shared: Option<Box<Shared>>,
    pub(crate) generations: Generations,
    pub(crate) namespaces: Arc<Namespaces>,
    pub(crate) flights: Arc<Flights>,
    pub(crate) throttles: Throttles,
    /// Which tags loaders named.
    pub(crate) hints: Hints,
    pub(crate) quarantine: Quarantine,
    pub(crate) desk: DeskHandle,
    pub(crate) bus: Bus,
    pub(crate) settings: Settings,
    /// What entries begin with.
    pub(crate) options: Options,
    pub(crate) events: Events,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    #[cfg(feature = "metrics")]
    pub(crate) published: crate::telemetry::Published,
}

impl Inner {
    /// Nothing is kept anywhere.
    pub(crate) fn is_disabled(&self) -> bool {
        self.memory.is_none() && self.shared.is_none()
    }
}

/// A cache-aside engine: ask it for an [`Entry`], tell it of writes by a [`WriteGuard`].
///
/// Clones are handles to the same cache. With a shared level, or when reads wait for each other,
/// it runs on tokio with time enabled. Every future may be dropped at any await.
#[derive(Clone)]
pub struct Cache {
    pub(crate) inner: Arc<Inner>,
}

impl Cache {
    /// Settings to choose from, all with defaults.
    pub fn builder() -> CacheBuilder {
        CacheBuilder::new()
    }

    pub(crate) fn new(inner: Inner) -> Self {
        Self { inner: Arc::new(inner) }
    }

    /// The entry of a key. `ttl`: a duration, or `None` for the default; zero stores nothing.
    ///
    /// The tags are everything the value depends on that is known before it is loaded; what the
    /// loader finds out, it says by [`Loaded::StoreTagged`](crate::Loaded::StoreTagged). An entry
    /// stored under other tags is not seen.
    #[inline(always)]
    pub fn entry<T>(
        &self,
        key: Key,
        tags: impl IntoIterator<Item = Tag>,
        ttl: impl Into<Option<Duration>>,
    ) -> Entry<'_, T> {
        let ttl = ttl.into().unwrap_or(self.inner.settings.ttl);
        Entry::new(self, key, TagSet::collect(tags), ttl)
    }

    /// Stores a hint: a value that no write makes wrong and whose age only the TTL bounds. What
    /// comes from the store belongs into [`Entry::get_or_load`], which cannot store it late.
    pub async fn put_untagged<T: Value>(
        &self,
        key: Key,
        value: T,
        ttl: impl Into<Option<Duration>>,
    ) {
        let ttl = ttl.into();
        self.tend_bus();
        self.entry::<T>(key, [], ttl).put(&value).await;
    }

    /// Announces a write to `tags`, before it begins: from now on their entries are neither
    /// served nor stored in this process. Conclude it with [`WriteGuard::committed`] or
    /// [`WriteGuard::rolled_back`].
    pub fn begin_write(&self, tags: impl IntoIterator<Item = Tag>) -> WriteGuard {
        let mut write = WriteGuard::new(self.clone());
        tags.into_iter().for_each(|tag| write.add(tag));
        write
    }

    /// Invalidates tags whose write is over. `true` when every process will notice from now on;
    /// `false` when the shared level did not acknowledge it: this process then reads these tags
    /// from the loader, and keeps trying in the background.
    pub async fn invalidate(&self, tags: impl IntoIterator<Item = Tag>) -> bool {
        self.begin_write(tags).committed().await
    }

    /// Invalidates every entry under this prefix, at a cost independent of their number. Answers
    /// like [`invalidate`](Self::invalidate).
    pub async fn clear(&self) -> bool {
        self.clear_target(Target::All, None).await
    }

    /// Invalidates every entry whose key has this namespace, like [`clear`](Self::clear).
    pub async fn clear_namespace(&self, namespace: &'static str) -> bool {
        self.clear_target(Target::Namespace(namespace), Some(namespace)).await
    }

    async fn clear_target(&self, target: Target, namespace: Option<&'static str>) -> bool {
        let mut write = WriteGuard::new(self.clone());
        write.add_target(target);
        let acknowledged = write.committed().await;
        if let Some(memory) = &self.inner.memory {
            memory.free(|own| namespace.is_none_or(|name| own == name));
        }
        acknowledged
    }

    /// Frees what has expired in this process and says how many entries that were; `None` when none
    /// are kept here. It happens by itself from time to time. A shared level frees its own.
    pub fn sweep(&self) -> Option<u64> {
        let memory = self.inner.memory.as_ref()?;
        Some(memory.sweep(self.inner.clock.monotonic_ns()))
    }

    /// Whether the shared level answers a real round trip. `Ok` without a shared level.
    ///
    /// # Errors
    /// What the backend reported, or that it did not answer in time.
    pub async fn ping(&self) -> Result<(), crate::BackendError> {
        match &self.inner.shared {
            Some(shared) => shared.ping().await,
            None => Ok(()),
        }
    }

    /// What was counted so far. Walks the in-process level to size it: not for a hot path.
    #[must_use]
    pub fn stats(&self) -> CacheStats {
        let mut stats = CacheStats::default();
        for namespace in self.inner.namespaces.iter() {
            stats.namespaces.insert(namespace.name, namespace.snapshot());
        }
        if let Some(memory) = &self.inner.memory {
            memory.each(|name, bytes| {
                let namespace = self.inner.namespaces.named(name);
                let entry = stats.namespaces.entry(namespace.name).or_default();
                entry.entries += 1;
                entry.bytes += bytes;
            });
        }
        stats.namespaces.retain(|_, counted| *counted != Default::default());
        stats.namespaces.values().for_each(|counted| stats.total.add(counted));
        (stats.quarantined_tags, stats.quarantined_all) = self.inner.quarantine.counts();
        stats.draining = self.inner.desk.is_draining();
        (stats.relayed_rows, stats.relay_failures) = self.inner.desk.counts();
        stats.bus = self.inner.bus.stats(self.inner.shared.as_deref());
        stats
    }

    /// Starts all counters and timings from zero. Entries stay.
    pub fn reset_stats(&self) {
        self.inner.namespaces.iter().for_each(crate::namespace::Namespace::reset);
        self.inner.bus.reset();
        if let Some(shared) = &self.inner.shared {
            shared.post.sent.store(0, std::sync::atomic::Ordering::Relaxed);
        }
    }
}

impl fmt::Debug for Cache {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Cache")
            .field("memory", &self.inner.memory.is_some())
            .field("shared", &self.inner.shared.is_some())
            .finish_non_exhaustive()
    }
}
