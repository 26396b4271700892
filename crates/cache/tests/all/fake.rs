//! A shared level in this process, with faults on demand, and a clock that is set by hand.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use guildhall_cache::{
    BackendError, Cache, CacheBackend, CacheBuilder, Clock, Key, Nonce, Reading, Sealed, ServerId,
    Stamp, Tag,
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failed;

pub(crate) type Loads<T> = Result<T, Failed>;

pub(crate) fn key(id: i64) -> Key {
    Key::new("user").id(id)
}

pub(crate) fn tag(id: i64) -> Tag {
    Tag::new("user").id(id)
}

#[derive(Default)]
struct State {
    entries: HashMap<String, Vec<u8>>,
    nonces: HashMap<String, Nonce>,
    /// Renewals that timed out for their caller and will be applied later.
    late: Vec<(String, Nonce)>,
}

/// Applies commands at once, drops them, or reports a failure and applies them later.
#[derive(Default)]
pub(crate) struct Fake {
    state: Mutex<State>,
    pub(crate) down: AtomicBool,
    /// Of 100 commands this many fail, at random.
    pub(crate) fail_percent: AtomicU64,
    pub(crate) reads: AtomicU64,
    pub(crate) commands: AtomicU64,
    pub(crate) restored: AtomicU64,
}

impl Fake {
    pub(crate) fn shared() -> (Arc<Self>, CacheBuilder) {
        let fake = Arc::new(Self::default());
        let builder = Cache::builder().shared(Arc::clone(&fake) as Arc<dyn CacheBackend>);
        (fake, builder.jitter(false))
    }

    pub(crate) fn evict_nonces(&self) {
        self.state.lock().unwrap().nonces.clear();
    }

    pub(crate) fn snapshot(&self) -> (HashMap<String, Vec<u8>>, HashMap<String, Nonce>) {
        let state = self.state.lock().unwrap();
        (state.entries.clone(), state.nonces.clone())
    }

    /// An old snapshot comes back, under another run of the server.
    pub(crate) fn restore(
        &self,
        (entries, nonces): (HashMap<String, Vec<u8>>, HashMap<String, Nonce>),
    ) {
        let mut state = self.state.lock().unwrap();
        (state.entries, state.nonces) = (entries, nonces);
        self.restored.fetch_add(1, Ordering::SeqCst);
    }

    pub(crate) fn keys(&self) -> Vec<String> {
        self.state.lock().unwrap().entries.keys().cloned().collect()
    }

    pub(crate) fn damage_entries(&self) {
        let mut state = self.state.lock().unwrap();
        state.entries.values_mut().for_each(|bytes| *bytes.last_mut().unwrap() ^= 1);
    }

    fn fails(&self) -> bool {
        self.commands.fetch_add(1, Ordering::SeqCst);
        self.down.load(Ordering::SeqCst)
            || fastrand::u64(..100) < self.fail_percent.load(Ordering::SeqCst)
    }

    fn stamp(&self, nonce: Nonce) -> Stamp {
        let run = self.restored.load(Ordering::SeqCst).to_string();
        Stamp { nonce, server: ServerId::from_text(&run) }
    }
}

fn lost<T>() -> Result<T, BackendError> {
    Err(BackendError::Unavailable("injected".into()))
}

#[async_trait]
impl CacheBackend for Fake {
    async fn read(&self, keys: &[String], tags: &[String]) -> Result<Reading, BackendError> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        tokio::task::yield_now().await;
        if self.fails() {
            return lost();
        }
        let state = self.state.lock().unwrap();
        let entries = keys.iter().map(|key| state.entries.get(key).cloned()).collect();
        let nonces = tags.iter().map(|tag| state.nonces.get(tag).copied());
        Ok(Reading { entries, stamps: nonces.map(|nonce| nonce.map(|n| self.stamp(n))).collect() })
    }

    async fn adopt(&self, tags: &[(String, Nonce)]) -> Result<Vec<Stamp>, BackendError> {
        tokio::task::yield_now().await;
        if self.fails() {
            return lost();
        }
        let mut state = self.state.lock().unwrap();
        let stamps = tags
            .iter()
            .map(|(tag, nonce)| self.stamp(*state.nonces.entry(tag.clone()).or_insert(*nonce)));
        Ok(stamps.collect())
    }

    async fn renew(&self, tags: &[(String, Nonce)]) -> Result<(), BackendError> {
        tokio::task::yield_now().await;
        let fails = self.fails();
        let mut state = self.state.lock().unwrap();
        if fails {
            if fastrand::bool() {
                state.late.extend(tags.iter().cloned());
            }
            return lost();
        }
        for (tag, nonce) in tags {
            state.nonces.insert(tag.clone(), *nonce);
        }
        // What was late arrives now, after a newer nonce.
        if fastrand::bool() {
            let late = std::mem::take(&mut state.late);
            state.nonces.extend(late);
        }
        Ok(())
    }

    async fn store(&self, entries: &[Sealed]) -> Result<(), BackendError> {
        tokio::task::yield_now().await;
        if self.fails() {
            return lost();
        }
        let mut state = self.state.lock().unwrap();
        for sealed in entries {
            state.entries.insert(sealed.key.clone(), sealed.bytes.clone());
        }
        Ok(())
    }

    async fn ping(&self, _: &str) -> Result<(), BackendError> {
        if self.fails() { lost() } else { Ok(()) }
    }
}

/// Stands still unless told otherwise.
#[derive(Default)]
pub(crate) struct HandClock(AtomicU64);

impl HandClock {
    pub(crate) fn advance_ms(&self, ms: u64) {
        self.0.fetch_add(ms * 1_000_000, Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn monotonic_ns(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }

    fn unix_ms(&self) -> u64 {
        self.monotonic_ns() / 1_000_000
    }
}

/// Every level that stores something.
pub(crate) fn storing() -> [Cache; 2] {
    [Cache::builder().memory().jitter(false).build(), Fake::shared().1.build()]
}
