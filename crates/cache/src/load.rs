//! What happens when the value is not at hand: joining the load under way, or leading one.

use std::future::Future;
use std::sync::Arc;

use tokio::time::{sleep, timeout};
use tracing::Instrument;

use crate::entry::{Entry, Kept, Loaded, Shape, Value};
use crate::extra::Extras;
use crate::flight::{Flight, Ticket, Turn};
use crate::generations::Seen;
use crate::namespace::Count;
use crate::telemetry;

/// Where an answer came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    Loaded,
    /// It was stored already.
    Stored,
    /// It was stored and has aged.
    Aged,
}

/// What a flight brings to all who wait for it.
#[derive(Clone)]
pub(crate) struct Landed<S, E> {
    pub(crate) result: Result<S, E>,
    pub(crate) how: How,
    /// `None`: on tags that were not noted before the load.
    pub(crate) extras: Option<Extras>,
    /// Number of the load.
    pub(crate) load: u64,
}

impl<S, E> Landed<S, E> {
    pub(crate) fn kept(kept: Kept<S>, how: How, load: u64) -> Self {
        Self { result: Ok(kept.value), how, extras: Some(kept.extras), load }
    }

    pub(crate) fn failed(error: E, load: u64) -> Self {
        Self { result: Err(error), how: How::Loaded, extras: Some(None), load }
    }
}

/// How waiting for somebody else's load ended.
pub(crate) enum Waited<S> {
    /// It landed, or its leader vanished: the turn tells which.
    Turn(Turn),
    /// Its leader found something that can be given meanwhile.
    Offered(S, How),
    Late,
}

/// What to do about a value that is not a plain hit.
pub(crate) enum Boarded<S> {
    /// Nothing; this is the answer.
    Answer(S, How),
    /// To load, with what is stored and still fresh if this is a refresh.
    Lead(Ticket, Turn, Option<Kept<S>>),
    /// To wait for somebody who does.
    Follow(Ticket),
}

impl<T> Entry<'_, T> {
    pub(crate) async fn stored<S: Value>(&self) -> Option<S>
    where
        Self: Shape<S>,
    {
        let dry_run = self.cache.inner.settings.dry_run;
        if let Some(value) = self.hit() {
            return Some(value).filter(|_| !dry_run);
        }
        self.cache.tend_bus();
        let origin = self.origin(self.see());
        let remembered = self.remembered::<S>(origin.seen, origin.since_ns);
        let fresh = |kept: &Kept<S>| kept.ages.is_fresh(origin.since_ns);
        let mut kept = remembered.filter(fresh);
        if kept.is_none()
            && let Some(shared) = self.shared()
            && !origin.seen.fenced
            && self.options.reads_shared()
        {
            kept = self.peeked::<S>(shared).await.filter(fresh);
            if let Some(kept) = &kept {
                let held = (&kept.value, kept.ages, &kept.extras);
                self.hold(held, origin.seen, origin.since_ns);
            }
        }
        let value = kept.map(|kept| kept.value);
        let how = if value.is_some() { How::Stored } else { How::Loaded };
        self.count_read(value.as_ref(), how, origin.since_ns);
        value.filter(|_| !dry_run)
    }

    /// Counts one read that was answered: every path ends here or in a hit, and once.
    pub(crate) fn count_read<S>(&self, value: Option<&S>, how: How, since_ns: u64)
    where
        Self: Shape<S>,
    {
        telemetry::answered(how);
        match value {
            Some(value) if how != How::Loaded => {
                self.count_hit(value, since_ns);
                if how == How::Aged {
                    self.namespace.stale_served.count();
                }
            }
            // A dry run whose loader failed on a hit.
            None if how == How::Stored => {
                self.namespace.hits.count();
            }
            _ => {
                self.namespace.misses.count();
            }
        }
    }

    /// Whether what a flight brought is for this passenger: the load began after it asked, or
    /// nothing was written since to the tags that the loader named. The entry's own tags are part
    /// of the route.
    pub(crate) fn takes<S, E>(&self, landed: &Landed<S, E>, ticket: &Ticket) -> bool {
        let stands = |extras| self.stands(extras);
        ticket.loads < landed.load || landed.extras.as_ref().is_some_and(stands)
    }

    fn count_landed<S, E>(&self, landed: &Landed<S, E>, since_ns: u64)
    where
        Self: Shape<S>,
    {
        self.count_read(landed.result.as_ref().ok(), landed.how, since_ns);
    }

    /// Whether an aged value may be given to this reader, now.
    pub(crate) fn serves<S>(&self, kept: &Kept<S>, now_ns: u64) -> bool
    where
        Self: Shape<S>,
    {
        let own_ns =
            kept.ages.fresh_until_ns.saturating_add(crate::life::nanos(self.options.stale_for()));
        self.options.serves_aged()
            && now_ns < own_ns.min(kept.ages.aged_until_ns)
            && !self.negative(&kept.value)
    }

    /// Decides by what is in this process.
    pub(crate) fn board<S: Value>(&self, seen: Seen, now_ns: u64) -> Boarded<S>
    where
        Self: Shape<S>,
    {
        let inner = &*self.cache.inner;
        let kept = self.remembered::<S>(seen, now_ns);
        let resting = || inner.throttles.lasts(&self.key, now_ns);
        let (mut fresh, mut aged) = (None, None);
        if let Some(kept) = kept {
            if kept.ages.is_fresh(now_ns) {
                let due = self.options.early.is_due(&kept.ages, now_ns, &*inner.random);
                if !due || resting() {
                    return Boarded::Answer(kept.value, How::Stored);
                }
                fresh = Some(kept);
            } else if inner.shared.is_none() && self.serves(&kept, now_ns) {
                // A shared level is asked first: it may know of another process' write.
                aged = Some(kept);
            }
        }
        let route = (&self.key, seen.generation, self.tags.mark());
        let ticket = inner.flights.join(route, now_ns, inner.settings.join_age_max_ns);
        match (ticket.flight.try_turn(), fresh, aged) {
            (Some(turn), fresh, _) => Boarded::Lead(ticket, turn, fresh),
            // Somebody is at it already.
            (None, Some(kept), _) => Boarded::Answer(kept.value, How::Stored),
            (None, None, Some(kept)) if self.options.soft_timeout().is_zero() => {
                Boarded::Answer(kept.value, How::Aged)
            }
            (None, None, aged) => {
                if let Some(kept) = aged {
                    ticket.flight.offer(Arc::new(kept));
                }
                Boarded::Follow(ticket)
            }
        }
    }

    /// Joins the load under way or leads one.
    pub(crate) async fn load<S, E, L, F>(&self, loader: L) -> Result<S, E>
    where
        S: Value,
        E: Clone + Send + Sync + 'static,
        L: FnOnce(Option<S>) -> F,
        F: Future<Output = Result<Loaded<S>, E>>,
        Self: Shape<S>,
    {
        if self.cache.inner.is_disabled() {
            return self.alone(loader(None)).await;
        }
        self.cache.tend_bus();
        let (seen, since_ns) = (self.see(), self.now_ns());
        if self.cache.inner.settings.dry_run {
            let landed = self.lead((&Flight::default(), 0), loader, false).await;
            self.count_landed(&landed, since_ns);
            return landed.result;
        }
        let (ticket, mut turn, refreshed) = match self.board::<S>(seen, since_ns) {
            Boarded::Answer(value, how) => {
                self.count_read(Some(&value), how, since_ns);
                return match how {
                    How::Stored => self.audit(value, seen, loader).await,
                    _ => Ok(value),
                };
            }
            Boarded::Lead(ticket, turn, refreshed) => (ticket, turn, refreshed),
            Boarded::Follow(ticket) => match self.wait(&ticket.flight).await {
                Waited::Turn(turn) => (ticket, turn, None),
                Waited::Offered(value, how) => {
                    self.count_read(Some(&value), how, since_ns);
                    return Ok(value);
                }
                Waited::Late => return self.alone(loader(None)).await,
            },
        };
        if let Some(outcome) = turn.clone() {
            let Some(landed) = outcome.downcast_ref::<Landed<S, E>>() else {
                drop(turn);
                return self.alone(loader(None)).await; // Somebody reads this key as another type.
            };
            if self.takes(landed, &ticket) {
                drop(turn); // The next waiter goes on while this one clones the value.
                self.count_landed(landed, since_ns);
                return landed.result.clone();
            }
        }
        let load = ticket.flight.start(self.now_ns());
        let mut landed = self.lead((&ticket.flight, load), loader, refreshed.is_some()).await;
        if let (Err(_), Some(kept)) = (&landed.result, refreshed)
            && self.see() == seen
            && self.stands(&kept.extras)
        {
            // Not asked for in vain: it was still fresh.
            landed = Landed::kept(kept, How::Stored, load);
        }
        self.count_landed(&landed, since_ns);
        *turn = Some(Arc::new(landed.clone()));
        if landed.extras.is_some() {
            ticket.land(); // Otherwise nothing is stored, and the next of these waiters may lead.
        }
        landed.result
    }

    /// Waits for the turn, or for what the leader offers meanwhile.
    pub(crate) async fn wait<S: Value>(&self, flight: &Flight) -> Waited<S>
    where
        Self: Shape<S>,
    {
        self.namespace.coalesced_waits.count();
        let turn = timeout(self.cache.inner.settings.load_wait, flight.turn());
        tokio::select! {
            biased;
            turn = turn => turn.map_or(Waited::Late, Waited::Turn),
            (value, how) = self.offered(flight) => Waited::Offered(value, how),
        }
    }

    /// What the leader of a flight found, if this reader takes it. Never ends otherwise.
    pub(crate) async fn offered<S: Value>(&self, flight: &Flight) -> (S, How)
    where
        Self: Shape<S>,
    {
        let offer = flight.offered().await;
        // Judged now: it may have aged since it was found.
        let service = |kept: &Kept<S>| self.serviceable(kept);
        if let Some(kept) = offer.downcast_ref::<Kept<S>>()
            && let Some(how) = service(kept)
        {
            if how == How::Aged {
                sleep(self.options.soft_timeout()).await;
            }
            if let Some(how) = service(kept) {
                return (kept.value.clone(), how);
            }
        }
        std::future::pending().await
    }

    /// Loads for one caller and stores nothing.
    pub(crate) async fn alone<S, E>(
        &self,
        loader: impl Future<Output = Result<Loaded<S>, E>>,
    ) -> Result<S, E> {
        let outcome = self.timed(loader).await;
        self.namespace.misses.count();
        outcome.map(Loaded::into_value)
    }

    /// Runs a loader when there is room for it, counted and measured.
    pub(crate) async fn timed<R, E>(
        &self,
        loader: impl Future<Output = Result<R, E>>,
    ) -> Result<R, E> {
        let settings = &self.cache.inner.settings;
        let _room = match &settings.loads {
            // A caller that waited this long goes ahead: the limit smooths, it does not starve.
            Some(loads) => timeout(settings.load_wait, loads.acquire()).await.ok(),
            None => None,
        };
        let since_ns = self.now_ns();
        let outcome = loader.instrument(telemetry::load_span(self.namespace.name)).await;
        self.namespace.loads.count();
        let took_ns = self.now_ns().saturating_sub(since_ns);
        self.namespace.load_ns.record(took_ns);
        telemetry::load_took(self.namespace.name, took_ns, outcome.is_ok());
        if outcome.is_err() {
            self.namespace.load_errors.count();
        }
        outcome
    }
}
