//! One entry: what a decorator reads through.

use std::future::Future;
#[cfg(feature = "memory")]
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::cache::Cache;
#[cfg(feature = "memory")]
use crate::cache::Level;
use crate::generations::Seen;
use crate::key::Key;
use crate::namespace::{Count, Namespace};
use crate::tag::TagSet;

/// What a loader says about its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loaded<T> {
    /// Return it and store it.
    Store(T),
    /// Return it only; whatever is stored stays.
    DoNotStore(T),
}

/// What can be cached: cheap to clone (an `Arc` is ideal), and serialisable for a shared level.
pub trait Value: Clone + Send + Sync + Serialize + DeserializeOwned + 'static {}

impl<T: Clone + Send + Sync + Serialize + DeserializeOwned + 'static> Value for T {}

/// A key with its tags and TTL, borrowed from a [`Cache`]. Made by [`Cache::entry`].
#[derive(Debug)]
pub struct Entry<'c, T> {
    pub(crate) cache: &'c Cache,
    pub(crate) key: Key,
    pub(crate) tags: TagSet,
    pub(crate) namespace: &'c Namespace,
    pub(crate) ttl: Duration,
    rules: Rules<T>,
}

/// What the caller knows about its type.
#[derive(Debug)]
struct Rules<T> {
    size: Option<fn(&T) -> usize>,
    empty: Option<fn(&T) -> bool>,
}

/// How values of `S` are weighed and judged under the rules of an entry: `T` itself, or
/// `Option<T>` when absence is cached.
pub(crate) trait Shape<S> {
    #[cfg_attr(not(feature = "memory"), allow(dead_code, reason = "only that level weighs"))]
    fn size(&self, stored: &S) -> usize;
    fn negative(&self, stored: &S) -> bool;
}

impl<T> Shape<T> for Entry<'_, T> {
    fn size(&self, stored: &T) -> usize {
        self.rules.size.map_or(0, |size| size(stored)).max(size_of::<T>())
    }

    #[inline]
    fn negative(&self, stored: &T) -> bool {
        self.rules.empty.is_some_and(|empty| empty(stored))
    }
}

impl<T> Shape<Option<T>> for Entry<'_, T> {
    fn size(&self, stored: &Option<T>) -> usize {
        stored.as_ref().map_or(0, |value| Shape::<T>::size(self, value)).max(size_of::<Option<T>>())
    }

    #[inline]
    fn negative(&self, stored: &Option<T>) -> bool {
        stored.as_ref().is_none_or(|value| Shape::<T>::negative(self, value))
    }
}

impl<'c, T> Entry<'c, T> {
    #[inline(always)]
    pub(crate) fn new(cache: &'c Cache, key: Key, tags: TagSet, ttl: Duration) -> Self {
        let namespace = cache.inner.namespaces.get(key.namespace(), key.0.namespace_hash());
        Self { cache, key, tags, namespace, ttl, rules: Rules { size: None, empty: None } }
    }

    /// Estimates a value's size in bytes, heap included, for the bound of the in-process level.
    /// Without it `size_of` counts.
    #[must_use]
    pub fn weigh(mut self, size: fn(&T) -> usize) -> Self {
        self.rules.size = Some(size);
        self
    }

    /// Recognises values that say "nothing there", such as an empty list: their TTL is capped
    /// like that of an absent value.
    #[must_use]
    pub fn negative_if(mut self, empty: fn(&T) -> bool) -> Self {
        self.rules.empty = Some(empty);
        self
    }

    #[inline]
    pub(crate) fn see(&self) -> Seen {
        self.cache.inner.generations.see(self.tags.iter(), &self.namespace.slot)
    }

    #[inline]
    pub(crate) fn now_ns(&self) -> u64 {
        self.cache.inner.clock.monotonic_ns()
    }

    /// The value in this process, if it is current. Counts nothing.
    #[inline(always)]
    pub(crate) fn held<S: Clone + 'static>(&self, seen: Seen, now_ns: u64) -> Option<S> {
        match &self.cache.inner.level {
            #[cfg(feature = "memory")]
            Level::Memory(memory) if !seen.fenced => {
                let held = memory.get(&self.key)?;
                let current = held.generation == seen.generation
                    && held.mark == self.tags.mark()
                    && held.expires_ns > now_ns;
                if current { held.value.downcast_ref::<S>().cloned() } else { None }
            }
            _ => {
                let _unused_without_memory = (seen, now_ns);
                None
            }
        }
    }

    /// The value in this process, counted and now and then timed: the hot path.
    #[inline(always)]
    pub(crate) fn hit<S: Clone + 'static>(&self) -> Option<S>
    where
        Self: Shape<S>,
    {
        let now_ns = self.now_ns();
        let value = self.held(self.see(), now_ns)?;
        self.count_hit(&value, now_ns);
        Some(value)
    }

    #[inline]
    pub(crate) fn count_hit<S>(&self, value: &S, since_ns: u64)
    where
        Self: Shape<S>,
    {
        if self.namespace.hits.count().is_multiple_of(64) {
            self.namespace.hit_ns.record(self.now_ns().saturating_sub(since_ns));
        }
        if self.negative(value) {
            self.namespace.negative_hits.count();
        }
    }

    /// Base TTL with the cap for negative values, varied by up to 10 %, at least 1 s. `None`:
    /// not to be stored.
    pub(crate) fn lifetime(&self, negative: bool) -> Option<Duration> {
        const LONGEST: Duration = Duration::from_secs(365 * 86_400);
        let settings = &self.cache.inner.settings;
        let capped = if negative { settings.negative_ttl_max } else { LONGEST };
        let base = self.ttl.min(capped).min(LONGEST);
        if base.is_zero() {
            return None;
        }
        let varied = if settings.jitter {
            let share = (self.cache.inner.random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
            base.mul_f64(0.9 + 0.2 * share)
        } else {
            base
        };
        Some(varied.max(Duration::from_secs(1)))
    }

    /// Puts a value into the in-process level, unless it was overtaken by a write since `seen`.
    pub(crate) fn hold<S>(&self, value: &S, seen: Seen, since_ns: u64)
    where
        S: Clone + Send + Sync + 'static,
        Self: Shape<S>,
    {
        #[cfg(not(feature = "memory"))]
        let _unused_without_memory = (value, seen, since_ns);
        #[cfg(feature = "memory")]
        if let Level::Memory(memory) = &self.cache.inner.level
            && let Some(ttl) = self.lifetime(self.negative(value))
        {
            // Beside the value: the key, the table's own and the reference counts.
            const OVERHEAD: usize = 256;
            let ttl_ns = u64::try_from(ttl.as_nanos()).unwrap_or(u64::MAX);
            let held = crate::memory::Held {
                value: Arc::new(value.clone()),
                generation: seen.generation,
                mark: self.tags.mark(),
                // Counted from the start of the read: a slow load does not live longer.
                expires_ns: since_ns.saturating_add(ttl_ns),
                bytes: (self.size(value).saturating_add(OVERHEAD)) as u64,
            };
            if !seen.fenced && self.see() == seen {
                memory.put(self.key.clone(), held, since_ns);
                self.namespace.sets.count();
            }
        }
    }
}

impl<T: Value> Entry<'_, T> {
    /// The stored value. Never loads and never writes.
    pub async fn get(&self) -> Option<T> {
        self.stored::<T>().await
    }

    /// The stored answer of [`get_or_load_optional`](Self::get_or_load_optional): `Some(None)`
    /// is a stored absence.
    pub async fn get_optional(&self) -> Option<Option<T>> {
        self.stored::<Option<T>>().await
    }

    /// The stored value, or the loader's, which is then stored.
    ///
    /// Of concurrent callers one loads and the others wait for its answer, at most for the load
    /// deadline. A loader must not ask for its own key.
    ///
    /// # Errors
    /// The loader's only. It reaches every waiter and is not stored.
    #[inline]
    pub async fn get_or_load<E, F, Fut>(&self, loader: F) -> Result<T, E>
    where
        E: Clone + Send + Sync + 'static,
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        match self.hit::<T>() {
            Some(value) => Ok(value),
            // Boxed: a hit must not pay for the size of a load.
            None => Box::pin(self.load(async { loader().await.map(Loaded::Store) })).await,
        }
    }

    /// Like [`get_or_load`](Self::get_or_load) for what may be absent. Absence is stored too,
    /// for no longer than the negative TTL.
    ///
    /// # Errors
    /// The loader's only.
    #[inline]
    pub async fn get_or_load_optional<E, F, Fut>(&self, loader: F) -> Result<Option<T>, E>
    where
        E: Clone + Send + Sync + 'static,
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<Option<T>, E>>,
    {
        match self.hit::<Option<T>>() {
            Some(value) => Ok(value),
            None => Box::pin(self.load(async { loader().await.map(Loaded::Store) })).await,
        }
    }

    /// Like [`get_or_load`](Self::get_or_load); the loader decides whether its value is stored.
    ///
    /// # Errors
    /// The loader's only.
    pub async fn get_or_load_with<E, F, Fut>(&self, loader: F) -> Result<T, E>
    where
        E: Clone + Send + Sync + 'static,
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<Loaded<T>, E>>,
    {
        match self.hit::<T>() {
            Some(value) => Ok(value),
            None => Box::pin(self.load(async { loader().await })).await,
        }
    }

    /// Loads even if a value is stored, and stores the result in its place. Waits for nobody.
    ///
    /// # Errors
    /// The loader's only.
    pub async fn reload<E, F, Fut>(&self, loader: F) -> Result<T, E>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        Box::pin(self.reload_shape(async { loader().await.map(Loaded::Store) })).await
    }
}
