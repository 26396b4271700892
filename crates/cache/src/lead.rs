//! Leading a load: the second look, the lock across processes, the loader, and what it brings.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use crate::entry::{Entry, Kept, Loaded, Shape, Value};
use crate::extra::{Known, Named};
use crate::fill::{Looked, Origin};
use crate::flight::Flight;
use crate::life::nanos;
use crate::load::{How, Landed};
use crate::lock::{Attempt, Lock};

impl<T> Loaded<T> {
    pub(crate) fn into_value(self) -> T {
        match self {
            Self::Store(value)
            | Self::StoreFor(value, _)
            | Self::StoreTagged { value, .. }
            | Self::NotModified(value)
            | Self::DoNotStore(value) => value,
        }
    }

    /// The value, how long it is to be stored if at all, and what the loader said of tags.
    pub(crate) fn into_parts(self, default: Duration) -> (T, Option<Duration>, Named) {
        match self {
            Self::Store(value) => (value, Some(default), Named::Nothing),
            Self::StoreFor(value, ttl) => (value, Some(ttl), Named::Nothing),
            Self::StoreTagged { value, tags, ttl } => {
                (value, Some(ttl.unwrap_or(default)), Named::Tags(tags))
            }
            Self::NotModified(value) => (value, Some(default), Named::AsBefore),
            Self::DoNotStore(value) => (value, None, Named::Nothing),
        }
    }
}

/// Everything a load has to know before it begins.
struct Briefing<S> {
    origin: Origin,
    previous: Option<Kept<S>>,
    looked: Option<Looked>,
    known: Known,
    /// Held until the value is stored.
    lock: Option<Lock>,
    fills: bool,
}

enum Prepared<S> {
    Answer(Kept<S>, How),
    Load(Briefing<S>),
}

impl<T> Entry<'_, T> {
    pub(crate) async fn lead<S, E, L, F>(
        &self,
        (flight, load): (&Flight, u64),
        loader: L,
        refresh: bool,
    ) -> Landed<S, E>
    where
        S: Value,
        L: FnOnce(Option<S>) -> F,
        F: Future<Output = Result<Loaded<S>, E>>,
        Self: Shape<S>,
    {
        let seen = self.see();
        match self.prepare_load::<S>(flight, refresh).await {
            Prepared::Answer(Kept { value, extras, .. }, How::Stored) => {
                let result = self.audit(value, seen, loader).await;
                Landed { result, how: How::Stored, extras: Some(extras), load }
            }
            Prepared::Answer(kept, how) => Landed::kept(kept, how, load),
            Prepared::Load(briefing) => self.load_and_fill(briefing, loader, load).await,
        }
    }

    /// Looks at both levels and, on a miss, for the lock. While another process has it the shared
    /// level is asked again and again, for as long as a caller waits for a load at most.
    async fn prepare_load<S: Value>(&self, flight: &Flight, mut refresh: bool) -> Prepared<S>
    where
        Self: Shape<S>,
    {
        let inner = &*self.cache.inner;
        let give_up_ns = self.now_ns().saturating_add(nanos(inner.settings.load_wait));
        let mut lock = None;
        let mut waited = Duration::ZERO;
        loop {
            // Taken anew each time: nothing older than the load may be stored.
            let origin = self.origin(self.see());
            let mut known = self.expected();
            let mut previous = self.remembered::<S>(origin.seen, origin.since_ns);
            if !refresh
                && let Some(kept) = previous.take_if(|kept| kept.ages.is_fresh(origin.since_ns))
            {
                return Prepared::Answer(kept, How::Stored);
            }
            let mut looked = None;
            if let Some((found, by)) = self.look::<S>(origin.seen, &mut known).await {
                looked = Some(by);
                if self.options.reads_shared() {
                    previous = found; // It knows of other processes' writes, we may not yet.
                }
            }
            if let Some(kept) = previous.take() {
                let now_ns = self.now_ns();
                let early = self.options.early;
                let calm = match refresh {
                    // Another process may have refreshed it meanwhile.
                    true => now_ns < kept.ages.calm_until_ns(early),
                    false => {
                        let fresh = kept.ages.is_fresh(now_ns);
                        refresh = fresh && early.is_due(&kept.ages, now_ns, &*inner.random);
                        fresh && !refresh
                    }
                };
                let service = self.serviceable(&kept);
                let rests = || inner.throttles.lasts(&self.key, now_ns);
                if calm || (service == Some(How::Stored) && rests()) {
                    let held = (&kept.value, kept.ages, &kept.extras);
                    self.hold(held, origin.seen, origin.since_ns);
                    return Prepared::Answer(kept, How::Stored);
                }
                if let Some(how) = service {
                    if rests() {
                        return Prepared::Answer(kept, how);
                    }
                    flight.offer(Arc::new(kept.clone()));
                }
                previous = Some(kept);
            }
            let mut briefing = Briefing { origin, previous, looked, known, lock, fills: true };
            if briefing.looked.is_none() || briefing.lock.is_some() {
                return Prepared::Load(briefing);
            }
            let looked = briefing.looked.as_ref();
            let stamps = looked.map_or(&[][..], |looked| &looked.stamps);
            let stamps = stamps.iter().copied().chain(briefing.known.stamps());
            match self.try_lock(stamps).await {
                Attempt::NotNeeded => return Prepared::Load(briefing),
                Attempt::Mine(mine) => {
                    briefing.lock = Some(mine);
                    if waited.is_zero() {
                        return Prepared::Load(briefing);
                    }
                    lock = briefing.lock; // Its last holder may just have stored the value.
                    continue;
                }
                Attempt::Taken => lock = None,
            }
            if let Some(kept) = &briefing.previous
                && let Some(how) = self.serviceable(kept)
            {
                return Prepared::Answer(kept.clone(), how);
            }
            if waited >= inner.settings.load_wait || self.now_ns() >= give_up_ns {
                return Prepared::Load(Briefing { fills: false, ..briefing });
            }
            let pause = Duration::from_millis(18 + inner.random.next_u64() % 15);
            tokio::time::sleep(pause).await;
            waited += pause;
        }
    }

    /// As what a value may be given that is not to be given without further thought: never when
    /// a tag that its loader named was written since.
    pub(crate) fn serviceable<S>(&self, kept: &Kept<S>) -> Option<How>
    where
        Self: Shape<S>,
    {
        let now_ns = self.now_ns();
        if !self.stands(&kept.extras) {
            return None;
        }
        match kept.ages.is_fresh(now_ns) {
            true => Some(How::Stored),
            false => self.serves(kept, now_ns).then_some(How::Aged),
        }
    }

    async fn load_and_fill<S, E, L, F>(
        &self,
        briefing: Briefing<S>,
        loader: L,
        load: u64,
    ) -> Landed<S, E>
    where
        S: Value,
        L: FnOnce(Option<S>) -> F,
        F: Future<Output = Result<Loaded<S>, E>>,
        Self: Shape<S>,
    {
        let Briefing { origin, previous, looked, known, lock, fills } = briefing;
        if origin.seen.fenced {
            self.cache.tend_quarantine();
        }
        let began_ns = self.now_ns();
        let given = previous.as_ref().map(|kept| kept.value.clone());
        match self.timed(loader(given)).await {
            Ok(loaded) => {
                let (value, ttl, named) = loaded.into_parts(self.ttl);
                let load_ns = self.now_ns().saturating_sub(began_ns);
                let previous = previous.and_then(|kept| kept.extras);
                let extras = self.settled(&named, &known, &previous);
                if let (Some(ttl), Some(extras)) = (ttl.filter(|_| fills), &extras) {
                    let origin = Origin { load_ns, ..origin };
                    self.fill((&value, ttl, extras), origin, looked.as_ref()).await;
                }
                drop(lock); // Who takes it now finds the value.
                Landed { result: Ok(value), how: How::Loaded, extras, load }
            }
            Err(error) => match previous {
                Some(kept) if self.see() == origin.seen => match self.serviceable(&kept) {
                    Some(how) => {
                        self.rest();
                        Landed::kept(kept, how, load)
                    }
                    None => Landed::failed(error, load),
                },
                _ => Landed::failed(error, load),
            },
        }
    }

    /// Leaves a loader that failed in peace for a while.
    pub(crate) fn rest(&self) {
        let now_ns = self.now_ns();
        let until_ns = now_ns.saturating_add(nanos(self.options.retry_after()));
        self.cache.inner.throttles.begin(&self.key, now_ns, until_ns);
        tracing::debug!(
            cache.namespace = self.namespace.name,
            "a loader failed and an older value was given"
        );
    }

    /// Loads and stores whatever is there, for the one who asks.
    pub(crate) async fn reload_shape<S, E, F>(&self, loader: F) -> Result<S, E>
    where
        S: Value,
        F: Future<Output = Result<Loaded<S>, E>>,
        Self: Shape<S>,
    {
        self.cache.tend_bus();
        crate::namespace::Count::count(&self.namespace.misses);
        let origin = self.origin(self.see());
        let mut known = self.expected();
        let looked = self.look::<S>(origin.seen, &mut known).await.map(|(_, looked)| looked);
        if origin.seen.fenced {
            self.cache.tend_quarantine();
        }
        let began_ns = self.now_ns();
        let (value, ttl, named) = self.timed(loader).await?.into_parts(self.ttl);
        let load_ns = self.now_ns().saturating_sub(began_ns);
        let extras = self.settled(&named, &known, &None);
        if let (Some(ttl), Some(extras)) = (ttl, &extras) {
            let origin = Origin { load_ns, ..origin };
            self.fill((&value, ttl, extras), origin, looked.as_ref()).await;
        }
        Ok(value)
    }
}
