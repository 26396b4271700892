//! One entry: what a decorator reads through.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::cache::Cache;
use crate::extra::{Extras, is_open};
use crate::fence;
use crate::generations::Seen;
use crate::held::{Held, Stored};
use crate::key::Key;
use crate::life::Ages;
use crate::name::namespace_hash;
use crate::namespace::{Count, Namespace};
use crate::options::Options;
use crate::tag::{Tag, TagSet};

/// What a loader says about its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Loaded<T> {
    /// Return it and store it.
    Store(T),
    /// Return it and store it for this long instead of the entry's TTL; zero stores nothing.
    StoreFor(T, Duration),
    /// Return it and store it; it depends on these tags, too, which the loader found out: at most
    /// [`TAGS_MAX`](Self::TAGS_MAX) that are not among the entry's own. See
    /// [`tagged`](Self::tagged).
    StoreTagged {
        /// What was loaded.
        value: T,
        /// What it depends on beside the entry's tags, in any order.
        tags: Vec<Tag>,
        /// How long it is stored; `None` for the entry's TTL, zero stores nothing.
        ttl: Option<Duration>,
    },
    /// The value that the loader was given is still right, and so are the tags a loader named for
    /// it: return it and begin its life anew.
    NotModified(T),
    /// Return it only; whatever is stored stays.
    DoNotStore(T),
}

impl<T> Loaded<T> {
    /// More tags than this from a loader, and its value is returned only, and counted as
    /// [`overtagged`](crate::NamespaceStats::overtagged).
    pub const TAGS_MAX: usize = 16;

    /// Return it and store it; it depends on these tags, too.
    ///
    /// A tag counts from before the load on, so it has to be known then. A tag that the loader
    /// names for the first time is not: that one value is returned and not stored, which counts
    /// as [`unsettled`](crate::NamespaceStats::unsettled), and the next load of the entry stores.
    /// Tags that are known beforehand belong to the entry, where they cost nothing of this.
    #[must_use]
    pub fn tagged(value: T, tags: impl IntoIterator<Item = Tag>) -> Self {
        Self::StoreTagged { value, tags: tags.into_iter().collect(), ttl: None }
    }
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
    pub(crate) rules: Rules<T>,
    pub(crate) options: Options,
}

/// What the caller knows about its type.
#[derive(Debug)]
pub(crate) struct Rules<T> {
    size: Option<fn(&T) -> usize>,
    empty: Option<fn(&T) -> bool>,
    pub(crate) same: Option<fn(&T, &T) -> bool>,
}

impl<T> Clone for Rules<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Rules<T> {}

/// A value in this process, its ages, and the tags that its loader named.
#[derive(Clone)]
pub(crate) struct Kept<S> {
    pub(crate) value: S,
    pub(crate) ages: Ages,
    pub(crate) extras: Extras,
}

/// How values of `S` are weighed and judged under the rules of an entry: `T` itself, or
/// `Option<T>` when absence is cached.
pub(crate) trait Shape<S> {
    fn size(&self, stored: &S) -> usize;
    fn negative(&self, stored: &S) -> bool;
    /// As the caller compares them; `None` when it did not say.
    fn same(&self, left: &S, right: &S) -> Option<bool>;
}

impl<T> Shape<T> for Entry<'_, T> {
    fn size(&self, stored: &T) -> usize {
        self.rules.size.map_or(0, |size| size(stored)).max(size_of::<T>())
    }

    #[inline]
    fn negative(&self, stored: &T) -> bool {
        self.rules.empty.is_some_and(|empty| empty(stored))
    }

    fn same(&self, left: &T, right: &T) -> Option<bool> {
        self.rules.same.map(|same| same(left, right))
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

    fn same(&self, left: &Option<T>, right: &Option<T>) -> Option<bool> {
        match (left, right) {
            (Some(left), Some(right)) => Shape::<T>::same(self, left, right),
            (left, right) => Some(left.is_none() && right.is_none()),
        }
    }
}

impl<'c, T> Entry<'c, T> {
    #[inline(always)]
    pub(crate) fn new(cache: &'c Cache, key: Key, tags: TagSet, ttl: Duration) -> Self {
        let name = key.namespace();
        let namespace = cache.inner.namespaces.get(name, namespace_hash(name.as_bytes()));
        let (rules, options) = (Rules { size: None, empty: None, same: None }, cache.inner.options);
        Self { cache, key, tags, namespace, ttl, rules, options }
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

    /// How the auditor and a dry run compare two values. Without it their serialised bytes count.
    #[must_use]
    pub fn same_if(mut self, same: fn(&T, &T) -> bool) -> Self {
        self.rules.same = Some(same);
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

    /// What `look` makes of what is in this process, if it was neither invalidated nor stored
    /// under other tags.
    #[inline(always)]
    fn current<R>(&self, seen: Seen, look: impl Fn(&Held) -> Option<R>) -> Option<R> {
        let memory = self.cache.inner.memory.as_ref()?;
        if !self.options.reads_memory() {
            return None;
        }
        fence::recall(memory, &self.key, self.tags.mark(), seen, |held| {
            if self.stands(&held.extras) { look(held) } else { None }
        })
    }

    /// The value in this process, if nothing has to be thought of. Counts nothing.
    #[inline(always)]
    pub(crate) fn held<S: Clone + 'static>(&self, seen: Seen, now_ns: u64) -> Option<S> {
        // Two words are a number or a pointer, such as an `Arc`: copied while looking at it.
        // More may take long to clone, and nobody can store in this part of the table meanwhile.
        if size_of::<S>() <= 2 * size_of::<usize>() {
            return self.current(seen, |held| {
                let value = held.value.downcast_ref::<S>().filter(|_| held.calm_until_ns > now_ns);
                value.cloned()
            });
        }
        let held =
            self.current(seen, |held| (held.calm_until_ns > now_ns).then(|| Arc::clone(held)))?;
        held.value.downcast_ref::<S>().cloned()
    }

    /// The value in this process with its ages, aged or not.
    pub(crate) fn remembered<S: Clone + 'static>(
        &self,
        seen: Seen,
        now_ns: u64,
    ) -> Option<Kept<S>> {
        let held = self.current(seen, |held| (held.gone_ns > now_ns).then(|| Arc::clone(held)))?;
        let value = held.value.downcast_ref::<S>()?.clone();
        Some(Kept { value, ages: held.ages, extras: held.extras.clone() })
    }

    /// The value in this process, counted and now and then timed: the hot path.
    #[inline(always)]
    pub(crate) fn hit<S: Clone + 'static>(&self) -> Option<S>
    where
        Self: Shape<S>,
    {
        self.hit_at(self.see())
    }

    #[inline(always)]
    pub(crate) fn hit_at<S: Clone + 'static>(&self, seen: Seen) -> Option<S>
    where
        Self: Shape<S>,
    {
        let hits = self.namespace.hits.own();
        let since_ns = if hits.is_sampled() { Some(self.now_ns()) } else { None };
        let value = self.held(seen, self.cache.inner.clock.coarse_ns())?;
        hits.count();
        if let Some(since_ns) = since_ns {
            self.time_hit(since_ns);
        }
        if self.negative(&value) {
            self.namespace.negative_hits.count();
        }
        Some(value)
    }

    #[cold]
    fn time_hit(&self, since_ns: u64) {
        self.namespace.hit_ns.record(self.now_ns().saturating_sub(since_ns));
    }

    /// Whether hits may be compared with the loader's answers.
    #[inline(always)]
    pub(crate) fn may_audit(&self) -> bool {
        self.options.audited > 0.0
    }

    pub(crate) fn count_hit<S>(&self, value: &S, since_ns: u64)
    where
        Self: Shape<S>,
    {
        let hits = self.namespace.hits.own();
        if hits.is_sampled() {
            self.time_hit(since_ns);
        }
        hits.count();
        if self.negative(value) {
            self.namespace.negative_hits.count();
        }
    }

    /// Base TTL with the cap for negative values, varied by up to 10 %, at least 1 s. `None`:
    /// not to be stored.
    pub(crate) fn lifetime(&self, ttl: Duration, negative: bool) -> Option<Duration> {
        const LONGEST: Duration = Duration::from_secs(365 * 86_400);
        let settings = &self.cache.inner.settings;
        let capped = if negative { settings.negative_ttl_max } else { LONGEST };
        let base = ttl.min(capped).min(LONGEST);
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
    pub(crate) fn hold<S>(
        &self,
        (value, ages, extras): (&S, Ages, &Extras),
        seen: Seen,
        since_ns: u64,
    ) -> bool
    where
        S: Clone + Send + Sync + 'static,
        Self: Shape<S>,
    {
        // Beside the value: the key, the table's own and the reference counts.
        const OVERHEAD: usize = 256;
        let inner = &*self.cache.inner;
        let Some(memory) = &inner.memory else { return false };
        if seen.fenced || !is_open(extras) || !self.options.fills_memory() {
            return false;
        }
        let local_ns = match inner.shared {
            // Counted from the start of the read, for a message may have been lost since.
            Some(_) => since_ns.saturating_add(inner.settings.local_ttl_ns),
            None => u64::MAX,
        };
        let held = Arc::new(Stored {
            name: self.key.0.resized(),
            generation: seen.generation,
            mark: self.tags.mark(),
            calm_until_ns: ages.calm_until_ns(self.options.early).min(local_ns),
            gone_ns: ages.aged_until_ns.min(local_ns),
            bytes: (self.size(value).saturating_add(OVERHEAD)) as u64,
            ages,
            extras: extras.clone(),
            value: value.clone(),
        });
        // A write that comes after the look finds a value that says under what it was loaded.
        let in_time = self.stands(extras) && held.gone_ns > self.now_ns();
        in_time && fence::keep(memory, held, seen, || self.see(), since_ns)
    }
}
