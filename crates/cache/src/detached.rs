//! Loads that outlive their callers: a task runs the loader, and who asked may leave.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use thiserror::Error;
use tokio::sync::oneshot;
use tokio::time::timeout;
use tracing::Instrument;

use crate::cache::Cache;
use crate::entry::{Entry, Loaded, Rules, Shape, Value};
use crate::event::CacheEvent;
use crate::flight::{Ticket, Turn};
use crate::key::Key;
use crate::load::{Boarded, How, Landed, Waited};
use crate::namespace::Count;
use crate::options::Options;
use crate::tag::TagSet;
use crate::telemetry;

/// Why [`Entry::get_or_load_detached`] has no value.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum LoadError<E> {
    /// The loader failed.
    #[error(transparent)]
    Failed(E),
    /// It took longer than the hard timeout, and goes on in the background.
    #[error("no value within {after_ms} ms, and nothing older to give")]
    TimedOut {
        /// How long was waited, in milliseconds.
        after_ms: u64,
    },
    /// The loader panicked, took longer than any load may, or its runtime shut down.
    #[error("the load was given up")]
    Abandoned,
}

/// An entry without a borrow.
struct Owned<T> {
    cache: Cache,
    key: Key,
    tags: TagSet,
    ttl: Duration,
    rules: Rules<T>,
    options: Options,
}

impl<T> Owned<T> {
    fn of(entry: &Entry<'_, T>) -> Self {
        let Entry { cache, key, tags, ttl, rules, options, .. } = entry;
        let (cache, key, tags) = (Cache::clone(cache), key.clone(), tags.clone());
        Self { cache, key, tags, ttl: *ttl, rules: *rules, options: *options }
    }

    fn entry(&self) -> Entry<'_, T> {
        let mut entry = Entry::new(&self.cache, self.key.clone(), self.tags.clone(), self.ttl);
        (entry.rules, entry.options) = (self.rules, self.options);
        entry
    }

    /// Leads the flight to its end, whoever still waits for it.
    async fn lead<E, L, F>(
        self,
        (ticket, mut turn): (Ticket, Turn),
        loader: L,
        refresh: bool,
        caller: oneshot::Sender<Landed<T, E>>,
    ) where
        T: Value,
        E: Clone + Send + Sync + 'static,
        L: FnOnce(Option<T>) -> F,
        F: Future<Output = Result<Loaded<T>, E>>,
    {
        let entry = self.entry();
        let load = ticket.flight.start(entry.now_ns());
        let failed = AtomicBool::new(false);
        let noted = |previous| {
            let load = loader(previous);
            async {
                let outcome = load.await;
                failed.store(outcome.is_err(), Ordering::Relaxed);
                outcome
            }
        };
        let lead = entry.lead((&ticket.flight, load), noted, refresh);
        let Ok(landed) = timeout(self.cache.inner.settings.background_load_max, lead).await else {
            entry.background_failure("a load in the background took too long");
            return; // The next waiter leads.
        };
        *turn = Some(Arc::new(landed.clone()));
        if landed.extras.is_some() {
            ticket.land();
        }
        drop(turn);
        let failed = failed.into_inner();
        if refresh && failed {
            entry.rest();
        }
        if caller.send(landed).is_err() && failed {
            entry.background_failure("a load in the background failed");
        }
    }
}

impl<T> Entry<'_, T> {
    fn background_failure(&self, what: &str) {
        self.namespace.background_failures.count();
        let namespace = self.namespace.name;
        self.cache.inner.events.tell(&CacheEvent::BackgroundLoadFailed { namespace });
        tracing::warn!(cache.namespace = namespace, "{what}");
    }
}

impl<T: Value> Entry<'_, T> {
    /// Like [`get_or_revalidate`](Self::get_or_revalidate) with a loader that needs nothing of
    /// its caller: it runs in a task, so it goes on when the caller is dropped or tired of
    /// waiting, and fills the levels in any case. To be called within a tokio runtime.
    ///
    /// An aged value ([`stale_for`](Self::stale_for)) is given after the
    /// [`soft_timeout`](Self::soft_timeout), while the task loads a fresh one. A value that is
    /// due for an early refresh is given at once. Background loads are bounded by
    /// [`background_load_max`](crate::CacheBuilder::background_load_max); one that fails is
    /// counted, told as an event and traced.
    ///
    /// # Errors
    /// [`LoadError`]: the loader's error, or that there was no answer in time.
    pub async fn get_or_load_detached<E, F, Fut>(&self, loader: F) -> Result<T, LoadError<E>>
    where
        E: Clone + Send + Sync + 'static,
        F: FnOnce(Option<T>) -> Fut + Send + 'static,
        Fut: Future<Output = Result<Loaded<T>, E>> + Send + 'static,
    {
        if self.may_audit() {
            return self.get_or_revalidate(loader).await.map_err(LoadError::Failed);
        }
        if let Some(value) = self.hit::<T>() {
            return Ok(value);
        }
        let span = telemetry::read_span(self.namespace.name);
        let answer = Box::pin(self.load_detached(loader).instrument(span));
        match self.options.hard_timeout() {
            Some(wait) => {
                let late = |_| {
                    self.namespace.misses.count();
                    let after_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
                    Err(LoadError::TimedOut { after_ms })
                };
                timeout(wait, answer).await.unwrap_or_else(late)
            }
            None => answer.await,
        }
    }

    async fn load_detached<E, F, Fut>(&self, loader: F) -> Result<T, LoadError<E>>
    where
        E: Clone + Send + Sync + 'static,
        F: FnOnce(Option<T>) -> Fut + Send + 'static,
        Fut: Future<Output = Result<Loaded<T>, E>> + Send + 'static,
    {
        if self.cache.inner.is_disabled() {
            return self.alone(loader(None)).await.map_err(LoadError::Failed);
        }
        self.cache.tend_bus();
        let (seen, since_ns) = (self.see(), self.now_ns());
        let (ticket, turn, refreshed) = match self.board::<T>(seen, since_ns) {
            Boarded::Answer(value, how) => {
                self.count_read(Some(&value), how, since_ns);
                return Ok(value);
            }
            Boarded::Lead(ticket, turn, refreshed) => (ticket, turn, refreshed),
            Boarded::Follow(ticket) => match self.wait(&ticket.flight).await {
                Waited::Turn(turn) => (ticket, turn, None),
                Waited::Offered(value, how) => {
                    self.count_read(Some(&value), how, since_ns);
                    return Ok(value);
                }
                Waited::Late => {
                    return self.alone(loader(None)).await.map_err(LoadError::Failed);
                }
            },
        };
        if let Some(outcome) = turn.clone() {
            let Some(landed) = outcome.downcast_ref::<Landed<T, E>>() else {
                drop(turn);
                return self.alone(loader(None)).await.map_err(LoadError::Failed);
            };
            if self.takes(landed, &ticket) {
                drop(turn);
                return self.conclude(landed.clone(), since_ns);
            }
        }
        let flight = Arc::clone(&ticket.flight);
        let (caller, landed) = oneshot::channel();
        let refresh = refreshed.is_some();
        tokio::spawn(Owned::of(self).lead((ticket, turn), loader, refresh, caller));
        if let Some(kept) = refreshed {
            self.count_read(Some(&kept.value), How::Stored, since_ns);
            return Ok(kept.value);
        }
        tokio::select! {
            biased;
            landed = landed => match landed {
                Ok(landed) => self.conclude(landed, since_ns),
                Err(_) => {
                    self.namespace.misses.count();
                    Err(LoadError::Abandoned)
                }
            },
            (value, how) = self.offered(&flight) => {
                self.count_read(Some(&value), how, since_ns);
                Ok(value)
            }
        }
    }

    fn conclude<E>(&self, landed: Landed<T, E>, since_ns: u64) -> Result<T, LoadError<E>>
    where
        Self: Shape<T>,
    {
        self.count_read(landed.result.as_ref().ok(), landed.how, since_ns);
        landed.result.map_err(LoadError::Failed)
    }
}
