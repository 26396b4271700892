//! The shared level: deadlines, and failures that never reach a caller.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::backend::{BackendError, BusEvents, CacheBackend, Nonce, Reading, Sealed, Stamp};
use crate::clock::{Clock, Random};
use crate::entry::Value;
use crate::envelope::{self, Format, Opened, Stamped, Times, Unusable};
use crate::event::{CacheEvent, Events};
use crate::message::Post;
use crate::namespace::{Count, Namespace};
use crate::naming::Naming;
use crate::quarantine::Target;
use crate::telemetry;

pub(crate) struct Shared {
    backend: Arc<dyn CacheBackend>,
    pub(crate) naming: Naming,
    format: Format,
    deadline: Duration,
    value_bytes_max: usize,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    events: Events,
    complaints: Complaints,
    /// What this process tells the others.
    pub(crate) post: Post,
}

impl Shared {
    pub(crate) fn new(
        backend: Arc<dyn CacheBackend>,
        naming: Naming,
        format: Format,
        (deadline, value_bytes_max): (Duration, usize),
        (clock, random, events): (Arc<dyn Clock>, Arc<dyn Random>, Events),
    ) -> Self {
        let post = Post::new(naming.realm(), random.next_u64());
        let complaints = Complaints::default();
        Self {
            backend,
            naming,
            format,
            deadline,
            value_bytes_max,
            clock,
            random,
            events,
            complaints,
            post,
        }
    }

    pub(crate) fn now_unix_ms(&self) -> u64 {
        self.clock.unix_ms()
    }

    /// Entries and stamps as they are; nothing is written.
    pub(crate) async fn read(
        &self,
        namespace: &Namespace,
        keys: &[String],
        tags: &[String],
    ) -> Option<Reading> {
        let reading = self.backend.read(keys, tags);
        let reading = match self.backend.read_deadline() {
            Some(longest) if longest <= self.deadline => self.answered(namespace, reading.await)?,
            _ => self.call(namespace, reading).await?,
        };
        let fits = reading.entries.len() == keys.len() && reading.stamps.len() == tags.len();
        self.checked(namespace, fits, "read").then_some(reading)
    }

    /// Entries, and a stamp for every tag: one without a nonce gets one, and what was stored
    /// under it does not count. `None` when the level is out of order.
    pub(crate) async fn look(
        &self,
        namespace: &Namespace,
        keys: &[String],
        tags: &[String],
    ) -> Option<(Vec<Option<Vec<u8>>>, Vec<Stamp>)> {
        let Reading { entries, stamps } = self.read(namespace, keys, tags).await?;
        let bare = tags.iter().zip(&stamps).filter(|(_, stamp)| stamp.is_none());
        let bare: Vec<_> = bare.map(|(tag, _)| (tag.clone(), self.nonce())).collect();
        let mut adopted = Vec::new();
        if !bare.is_empty() {
            adopted = self.call(namespace, self.backend.adopt(&bare)).await?;
            if !self.checked(namespace, adopted.len() == bare.len(), "adopt") {
                return None;
            }
        }
        let mut adopted = adopted.into_iter();
        let stamps: Vec<_> =
            stamps.into_iter().filter_map(|at| at.or_else(|| adopted.next())).collect();
        (stamps.len() == tags.len()).then_some((entries, stamps))
    }

    /// Whether everything was stored. Too big entries are left out.
    pub(crate) async fn store(&self, namespace: &Namespace, entries: Vec<Sealed>) -> bool {
        let fits = |sealed: &Sealed| sealed.bytes.len() <= self.value_bytes_max;
        let entries: Vec<_> = entries.into_iter().filter(fits).collect();
        !entries.is_empty() && self.call(namespace, self.backend.store(&entries)).await.is_some()
    }

    /// Fresh nonces, drawn for this attempt, and then the news of it. `false`: not acknowledged.
    pub(crate) async fn renew(&self, namespace: &Namespace, targets: &[Target]) -> bool {
        for chunk in targets.chunks(500) {
            let fresh: Vec<_> =
                chunk.iter().map(|target| (self.naming.target(target), self.nonce())).collect();
            if !self.renew_fresh(namespace, &fresh).await {
                return false;
            }
        }
        true
    }

    /// The same for names that were rendered before, by this process or another. What is no name
    /// of a target stands for all there are: it must not become a key.
    pub(crate) async fn renew_named(&self, namespace: &Namespace, names: &[String]) -> bool {
        for chunk in names.chunks(500) {
            let fresh: Vec<_> = chunk
                .iter()
                .map(|name| match Naming::is_target(name) {
                    true => (name.clone(), self.nonce()),
                    false => (self.naming.target(&Target::All), self.nonce()),
                })
                .collect();
            if !self.renew_fresh(namespace, &fresh).await {
                return false;
            }
        }
        true
    }

    async fn renew_fresh(&self, namespace: &Namespace, fresh: &[(String, Nonce)]) -> bool {
        let names = fresh.iter().map(|(name, _)| name.as_str());
        let message = self.post.news(names, || self.naming.target(&Target::All));
        let renew = self.backend.renew_and_publish(fresh, &message);
        let acknowledged = self.call(namespace, renew).await.is_some();
        if acknowledged {
            self.post.sent.count();
        }
        acknowledged
    }

    /// Tells every process to forget what it has of these targets, whose nonces stay.
    pub(crate) async fn publish(&self, namespace: &Namespace, targets: &[Target]) -> bool {
        let names: Vec<_> = targets.iter().map(|target| self.naming.target(target)).collect();
        let names = names.iter().map(String::as_str);
        let message = self.post.news(names, || self.naming.target(&Target::All));
        let told = self.call(namespace, self.backend.publish(&message)).await.is_some();
        if told {
            self.post.sent.count();
        }
        told
    }

    /// Says how far the numbers of this process' messages have come.
    pub(crate) async fn heartbeat(&self) -> bool {
        let told = self.timed(self.backend.publish(&self.post.heartbeat())).await.is_ok();
        if told {
            self.post.sent.count();
        }
        told
    }

    #[cfg(feature = "metrics")]
    pub(crate) fn is_refusing(&self) -> Option<bool> {
        self.backend.is_refusing()
    }

    pub(crate) fn subscribe(&self) -> Option<BusEvents> {
        self.backend.subscribe()
    }

    /// Whether the lock was taken; `None` when the level is out of order.
    pub(crate) async fn try_lock(
        &self,
        namespace: &Namespace,
        (key, token): (&str, Nonce),
        ttl: Duration,
    ) -> Option<bool> {
        self.call(namespace, self.backend.try_lock(key, token, ttl)).await
    }

    /// A failure is of no consequence: the lock expires.
    pub(crate) async fn unlock(&self, key: &str, token: Nonce) {
        if let Err(error) = self.timed(self.backend.unlock(key, token)).await {
            tracing::debug!("{error}; a lock is left to expire");
        }
    }

    /// For operators, without the engine's deadline: a walk over everything takes its time.
    pub(crate) async fn find(
        &self,
        pattern: &str,
        limit: usize,
    ) -> Result<Vec<String>, BackendError> {
        self.backend.find(pattern, limit).await
    }

    pub(crate) async fn remove(&self, keys: &[String]) -> Result<u64, BackendError> {
        self.timed(self.backend.remove(keys)).await
    }

    pub(crate) async fn ping(&self) -> Result<(), BackendError> {
        self.timed(self.backend.ping(&self.naming.probe(self.random.next_u64()))).await
    }

    /// Bytes to store; `None` when the value does not serialise or is too long.
    pub(crate) fn seal<S: Value>(
        &self,
        value: &S,
        stamped: Stamped<'_>,
        extras: &[(&str, Stamp)],
        times: Times,
    ) -> Option<Vec<u8>> {
        envelope::seal(&self.format, value, stamped, extras, times)
    }

    /// The value, if these are the stamps it was stored under. Bytes that cannot be read are a
    /// miss, counted and told.
    pub(crate) fn open<S: Value>(
        &self,
        namespace: &Namespace,
        bytes: &[u8],
        stamped: Stamped<'_>,
        extra: impl Fn(&str) -> Option<Stamp>,
    ) -> Option<Opened<S>> {
        match envelope::open(&self.format, bytes, stamped, extra) {
            Ok(opened) => Some(opened),
            Err(Unusable::Outdated) => None,
            Err(Unusable::Unreadable) => {
                self.events.tell(&CacheEvent::UnreadableEntry { namespace: namespace.name });
                self.checked(namespace, false, "stored entry");
                None
            }
        }
    }

    fn checked(&self, namespace: &Namespace, fits: bool, what: &str) -> bool {
        if !fits {
            self.failed(namespace, &BackendError::Protocol(format!("{what} has the wrong shape")));
        }
        fits
    }

    async fn call<R>(
        &self,
        namespace: &Namespace,
        call: impl Future<Output = Result<R, BackendError>>,
    ) -> Option<R> {
        self.answered(namespace, self.timed(call).await)
    }

    fn answered<R>(&self, namespace: &Namespace, answer: Result<R, BackendError>) -> Option<R> {
        answer.inspect_err(|error| self.failed(namespace, error)).ok()
    }

    async fn timed<R>(
        &self,
        call: impl Future<Output = Result<R, BackendError>>,
    ) -> Result<R, BackendError> {
        let after_ms = u64::try_from(self.deadline.as_millis()).unwrap_or(u64::MAX);
        let late = |_| Err(BackendError::Timeout { after_ms });
        let since_ns = self.clock.monotonic_ns();
        let outcome = tokio::time::timeout(self.deadline, call).await.unwrap_or_else(late);
        let took_ns = self.clock.monotonic_ns().saturating_sub(since_ns);
        telemetry::call_took(took_ns, outcome.is_ok());
        outcome
    }

    fn failed(&self, namespace: &Namespace, error: &BackendError) {
        namespace.errors.count();
        if let Some(muted) = self.complaints.due(self.clock.monotonic_ns()) {
            let source = std::error::Error::source(error).map(ToString::to_string);
            let cause = source.as_deref().unwrap_or("none given");
            tracing::warn!(
                cache.namespace = namespace.name,
                cache.muted = muted,
                cause,
                "{error}; reads go to the loader meanwhile"
            );
        }
    }

    pub(crate) fn nonce(&self) -> Nonce {
        let mut nonce = [0; 16];
        nonce[..8].copy_from_slice(&self.random.next_u64().to_le_bytes());
        nonce[8..].copy_from_slice(&self.random.next_u64().to_le_bytes());
        Nonce(nonce)
    }
}

/// One warning per interval; the rest are counted.
#[derive(Default)]
struct Complaints {
    next_ns: AtomicU64,
    muted: AtomicU64,
}

impl Complaints {
    const INTERVAL_NS: u64 = 30_000_000_000;

    /// How many were swallowed since the last warning, when a warning is due now.
    fn due(&self, now_ns: u64) -> Option<u64> {
        let next_ns = self.next_ns.load(Ordering::Relaxed);
        let later_ns = now_ns.saturating_add(Self::INTERVAL_NS);
        let swap = |next| {
            self.next_ns.compare_exchange(next, later_ns, Ordering::Relaxed, Ordering::Relaxed)
        };
        if now_ns >= next_ns && swap(next_ns).is_ok() {
            Some(self.muted.swap(0, Ordering::Relaxed))
        } else {
            self.muted.count();
            None
        }
    }
}
