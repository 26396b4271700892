//! What happens when the value is not in this process.

use std::future::Future;
use std::sync::Arc;

use crate::backend::{Reading, Sealed, Stamp};
use crate::cache::Level;
use crate::entry::{Entry, Loaded, Shape, Value};
use crate::envelope::{Times, Unusable};
use crate::generations::Seen;
use crate::namespace::Count;
use crate::quarantine::Target;
use crate::shared::Shared;

/// What a flight brings to all who wait for it.
#[derive(Clone)]
struct Landed<S, E> {
    result: Result<S, E>,
    /// It was stored already; nothing was loaded.
    hit: bool,
}

impl<T> Entry<'_, T> {
    /// What the entry depends on, rendered: its tags, its namespace and all.
    pub(crate) fn targets(&self, shared: &Shared) -> Vec<String> {
        let hidden = [Target::All, Target::Namespace(self.key.namespace())];
        let tags = self.tags.iter().cloned().map(Target::Tag);
        hidden.into_iter().chain(tags).map(|target| shared.target(&target)).collect()
    }

    /// A value of the shared level. Bytes that cannot be read are a miss, counted and told.
    pub(crate) fn opened<S: Value>(
        &self,
        shared: &Shared,
        bytes: Option<&[u8]>,
        targets: &[String],
        stamps: &[Stamp],
    ) -> Option<S> {
        match shared.open(bytes?, (targets, stamps)) {
            Ok(opened) => Some(opened.value),
            Err(Unusable::Outdated) => None,
            Err(Unusable::Unreadable) => {
                shared.unreadable(self.namespace);
                None
            }
        }
    }

    /// Bytes for the shared level, under stamps taken before the load.
    pub(crate) fn sealed<S: Value>(
        &self,
        shared: &Shared,
        key: String,
        value: &S,
        (targets, stamps): (&[String], &[Stamp]),
    ) -> Option<Sealed>
    where
        Self: Shape<S>,
    {
        let ttl = self.lifetime(self.negative(value))?;
        let ttl_ms = u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX);
        let times =
            Times { created_ms: shared.now_unix_ms(), fresh_ms: ttl_ms, stale_ms: 0, load_ms: 0 };
        let bytes = shared.seal(value, (targets, stamps), times)?;
        Some(Sealed { key, bytes, ttl: std::time::Duration::from_millis(ttl_ms) })
    }

    pub(crate) async fn stored<S: Value>(&self) -> Option<S>
    where
        Self: Shape<S>,
    {
        if let Some(value) = self.hit() {
            return Some(value);
        }
        let (seen, since_ns) = (self.see(), self.now_ns());
        let value = match &self.cache.inner.level {
            Level::Shared(shared) if !seen.fenced => self.peeked(shared).await,
            _ => None,
        };
        self.count_read(value.as_ref(), since_ns);
        value
    }

    async fn peeked<S: Value>(&self, shared: &Shared) -> Option<S> {
        let (keys, targets) = ([shared.key(&self.key)], self.targets(shared));
        let Reading { entries, stamps } = shared.read(self.namespace, &keys, &targets).await?;
        let stamps: Vec<_> = stamps.into_iter().collect::<Option<_>>()?;
        self.opened(shared, entries.first()?.as_deref(), &targets, &stamps)
    }

    fn count_read<S>(&self, hit: Option<&S>, since_ns: u64)
    where
        Self: Shape<S>,
    {
        match hit {
            Some(value) => self.count_hit(value, since_ns),
            None => {
                self.namespace.misses.count();
            }
        }
    }

    /// Joins the load under way or leads one.
    pub(crate) async fn load<S, E, F>(&self, loader: F) -> Result<S, E>
    where
        S: Value,
        E: Clone + Send + Sync + 'static,
        F: Future<Output = Result<Loaded<S>, E>>,
        Self: Shape<S>,
    {
        let inner = &*self.cache.inner;
        if matches!(inner.level, Level::Disabled) {
            return self.alone(loader).await;
        }
        let (seen, since_ns) = (self.see(), self.now_ns());
        let route = (&self.key, seen.generation, self.tags.mark());
        let ticket = inner.flights.join(route, since_ns, inner.settings.join_age_max_ns);
        let mut lead = match ticket.flight.outcome.try_lock() {
            Ok(lead) => lead,
            Err(_) => {
                self.namespace.coalesced_waits.count();
                let turn = ticket.flight.outcome.lock();
                match tokio::time::timeout(inner.settings.load_wait, turn).await {
                    Ok(lead) => lead,
                    Err(_) => return self.alone(loader).await,
                }
            }
        };
        if let Some(outcome) = lead.clone() {
            drop(lead); // The next waiter goes on while this one clones the value.
            let Some(landed) = outcome.downcast_ref::<Landed<S, E>>() else {
                return self.alone(loader).await; // Somebody reads this key as another type.
            };
            self.count_read(landed.result.as_ref().ok().filter(|_| landed.hit), since_ns);
            return landed.result.clone();
        }
        ticket.flight.start(self.now_ns());
        let landed = self.lead(loader).await;
        self.count_read(landed.result.as_ref().ok().filter(|_| landed.hit), since_ns);
        *lead = Some(Arc::new(landed.clone()));
        ticket.land();
        landed.result
    }

    /// Loads for one caller and stores nothing.
    async fn alone<S, E, F>(&self, loader: F) -> Result<S, E>
    where
        F: Future<Output = Result<Loaded<S>, E>>,
    {
        self.namespace.misses.count();
        match self.timed(loader).await? {
            Loaded::Store(value) | Loaded::DoNotStore(value) => Ok(value),
        }
    }

    pub(crate) async fn timed<R, E>(
        &self,
        loader: impl Future<Output = Result<R, E>>,
    ) -> Result<R, E> {
        let since_ns = self.now_ns();
        let outcome = loader.await;
        self.namespace.loads.count();
        self.namespace.load_ns.record(self.now_ns().saturating_sub(since_ns));
        if outcome.is_err() {
            self.namespace.load_errors.count();
        }
        outcome
    }

    async fn lead<S, E, F>(&self, loader: F) -> Landed<S, E>
    where
        S: Value,
        F: Future<Output = Result<Loaded<S>, E>>,
        Self: Shape<S>,
    {
        // Taken anew: the flight may have waited, and nothing older than the load may be stored.
        let (seen, since_ns) = (self.see(), self.now_ns());
        if let Some(value) = self.held(seen, since_ns) {
            return Landed { result: Ok(value), hit: true };
        }
        let Level::Shared(shared) = &self.cache.inner.level else {
            return Landed { result: self.load_and_hold(loader, seen, since_ns).await, hit: false };
        };
        let (key, targets) = (shared.key(&self.key), self.targets(shared));
        let looked = match seen.fenced {
            true => None,
            false => shared.look(self.namespace, std::slice::from_ref(&key), &targets).await,
        };
        let stamps = match looked {
            Some((entries, stamps)) => {
                let bytes = entries.first().and_then(|entry| entry.as_deref());
                if let Some(value) = self.opened(shared, bytes, &targets, &stamps) {
                    return Landed { result: Ok(value), hit: true };
                }
                Some(stamps)
            }
            None => None,
        };
        let result = self.load_and_share(loader, seen, (shared, key, &targets, stamps)).await;
        Landed { result, hit: false }
    }

    async fn load_and_hold<S, E, F>(&self, loader: F, seen: Seen, since_ns: u64) -> Result<S, E>
    where
        S: Value,
        F: Future<Output = Result<Loaded<S>, E>>,
        Self: Shape<S>,
    {
        if seen.fenced {
            self.cache.tend_quarantine();
        }
        match self.timed(loader).await? {
            Loaded::Store(value) => {
                self.hold(&value, seen, since_ns);
                Ok(value)
            }
            Loaded::DoNotStore(value) => Ok(value),
        }
    }

    async fn load_and_share<S, E, F>(
        &self,
        loader: F,
        seen: Seen,
        (shared, key, targets, stamps): (&Shared, String, &[String], Option<Vec<Stamp>>),
    ) -> Result<S, E>
    where
        S: Value,
        F: Future<Output = Result<Loaded<S>, E>>,
        Self: Shape<S>,
    {
        if seen.fenced {
            self.cache.tend_quarantine();
        }
        match (self.timed(loader).await?, stamps) {
            (Loaded::Store(value), Some(stamps)) => {
                // The stamps alone keep it correct; a known write makes storing it pointless.
                if self.see() == seen
                    && let Some(sealed) = self.sealed(shared, key, &value, (targets, &stamps))
                    && shared.store(self.namespace, vec![sealed]).await
                {
                    self.namespace.sets.count();
                }
                Ok(value)
            }
            (Loaded::Store(value) | Loaded::DoNotStore(value), _) => Ok(value),
        }
    }

    /// Stores a value that depends on nothing but its TTL.
    pub(crate) async fn put(&self, value: &T)
    where
        T: Value,
    {
        let (seen, since_ns) = (self.see(), self.now_ns());
        self.hold(value, seen, since_ns);
        if let Level::Shared(shared) = &self.cache.inner.level
            && !seen.fenced
        {
            let (key, targets) = (shared.key(&self.key), self.targets(shared));
            let looked = shared.look(self.namespace, &[], &targets).await;
            if let Some((_, stamps)) = looked
                && let Some(sealed) = self.sealed(shared, key, value, (&targets, &stamps))
                && shared.store(self.namespace, vec![sealed]).await
            {
                self.namespace.sets.count();
            }
        }
    }

    pub(crate) async fn reload_shape<S, E, F>(&self, loader: F) -> Result<S, E>
    where
        S: Value,
        F: Future<Output = Result<Loaded<S>, E>>,
        Self: Shape<S>,
    {
        self.namespace.misses.count();
        let (seen, since_ns) = (self.see(), self.now_ns());
        match &self.cache.inner.level {
            Level::Shared(shared) if !seen.fenced => {
                let (key, targets) = (shared.key(&self.key), self.targets(shared));
                let looked = shared.look(self.namespace, &[], &targets).await;
                let stamps = looked.map(|(_, stamps)| stamps);
                self.load_and_share(loader, seen, (shared, key, &targets, stamps)).await
            }
            _ => self.load_and_hold(loader, seen, since_ns).await,
        }
    }
}
