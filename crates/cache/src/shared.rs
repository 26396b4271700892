//! The shared level: names, deadlines, and failures that never reach a caller.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::backend::{BackendError, CacheBackend, Nonce, Reading, Sealed, Stamp};
use crate::clock::{Clock, Random};
use crate::entry::Value;
use crate::envelope::{self, Format, Opened, Stamped, Times, Unusable};
use crate::key::Key;
use crate::namespace::{Count, Namespace};
use crate::quarantine::Target;

/// How things are called in the shared level. `%` before two letters that are no hexadecimal
/// number never occurs in an encoded text, so no entry can be mistaken for a tag.
#[derive(Debug)]
pub(crate) struct Naming {
    pub(crate) prefix: String,
    pub(crate) schema: String,
}

impl Naming {
    fn key(&self, key: &Key) -> String {
        let mut out = format!("{}:{}:", self.prefix, self.schema);
        key.0.render(&mut out);
        out
    }

    /// Without the schema: a release must invalidate the entries of the next one and the last.
    fn target(&self, target: &Target) -> String {
        let prefix = &self.prefix;
        match target {
            Target::All => format!("{prefix}:%all"),
            Target::Namespace(name) => {
                let mut out = format!("{prefix}:%ns:");
                crate::name::encode(name, &mut out);
                out
            }
            Target::Tag(tag) => {
                let mut out = format!("{prefix}:%tag:");
                tag.0.render(&mut out);
                out
            }
        }
    }
}

impl Naming {
    /// Whether a text has the form of a rendered target, under whichever prefix.
    fn is_target(name: &str) -> bool {
        let mut parts = name.splitn(3, ':').skip(1);
        match (parts.next(), parts.next()) {
            (Some("%all"), None) => true,
            (Some("%ns" | "%tag"), Some(rest)) => !rest.is_empty(),
            _ => false,
        }
    }
}

pub(crate) struct Shared {
    backend: Arc<dyn CacheBackend>,
    naming: Naming,
    deadline: Duration,
    value_bytes_max: usize,
    format: Format,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    complaints: Complaints,
}

impl Shared {
    pub(crate) fn new(
        backend: Arc<dyn CacheBackend>,
        naming: Naming,
        deadline: Duration,
        value_bytes_max: usize,
        format: Format,
        (clock, random): (Arc<dyn Clock>, Arc<dyn Random>),
    ) -> Self {
        let complaints = Complaints::default();
        Self { backend, naming, deadline, value_bytes_max, format, clock, random, complaints }
    }

    pub(crate) fn key(&self, key: &Key) -> String {
        self.naming.key(key)
    }

    pub(crate) fn target(&self, target: &Target) -> String {
        self.naming.target(target)
    }

    pub(crate) fn now_unix_ms(&self) -> u64 {
        self.clock.unix_ms()
    }

    /// Bytes for an entry. `None` when the value does not serialise or is too long.
    pub(crate) fn seal<T: Value>(
        &self,
        value: &T,
        stamped: Stamped<'_>,
        times: Times,
    ) -> Option<Vec<u8>> {
        envelope::seal(&self.format, value, stamped, times)
    }

    /// The value of an entry's bytes.
    pub(crate) fn open<T: Value>(
        &self,
        bytes: &[u8],
        stamped: Stamped<'_>,
    ) -> Result<Opened<T>, Unusable> {
        envelope::open(&self.format, bytes, stamped)
    }

    /// Entries and stamps as they are; nothing is written.
    pub(crate) async fn read(
        &self,
        namespace: &Namespace,
        keys: &[String],
        tags: &[String],
    ) -> Option<Reading> {
        let reading = self.call(namespace, self.backend.read(keys, tags)).await?;
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

    /// Fresh nonces, drawn for this attempt. `false`: not acknowledged.
    pub(crate) async fn renew(&self, namespace: &Namespace, targets: &[Target]) -> bool {
        for chunk in targets.chunks(500) {
            let fresh: Vec<_> =
                chunk.iter().map(|target| (self.target(target), self.nonce())).collect();
            if self.call(namespace, self.backend.renew(&fresh)).await.is_none() {
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
                    false => (self.target(&Target::All), self.nonce()),
                })
                .collect();
            if self.call(namespace, self.backend.renew(&fresh)).await.is_none() {
                return false;
            }
        }
        true
    }

    pub(crate) async fn ping(&self) -> Result<(), BackendError> {
        let probe = format!("{}:%probe:{:016x}", self.naming.prefix, self.random.next_u64());
        self.timed(self.backend.ping(&probe)).await
    }

    /// Stored bytes that cannot be read: counted and told like a failure.
    pub(crate) fn unreadable(&self, namespace: &Namespace) {
        self.checked(namespace, false, "stored entry");
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
        match self.timed(call).await {
            Ok(answer) => Some(answer),
            Err(error) => {
                self.failed(namespace, &error);
                None
            }
        }
    }

    async fn timed<R>(
        &self,
        call: impl Future<Output = Result<R, BackendError>>,
    ) -> Result<R, BackendError> {
        let after_ms = u64::try_from(self.deadline.as_millis()).unwrap_or(u64::MAX);
        let late = |_| Err(BackendError::Timeout { after_ms });
        tokio::time::timeout(self.deadline, call).await.unwrap_or_else(late)
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

    fn nonce(&self) -> Nonce {
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
