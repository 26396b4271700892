//! A shared level in this process, with faults on demand, and a clock that is set by hand.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use guildhall_cache::{
    BackendError, BusEvent, BusEvents, Cache, CacheBackend, CacheBuilder, Clock, Key, Nonce,
    Reading, Sealed, ServerId, Stamp, Tag,
};
use tokio::sync::mpsc;
use tokio::time::Instant;

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
    subscribers: Vec<mpsc::Sender<BusEvent>>,
    locks: HashMap<String, (Nonce, Instant)>,
    taken_until: Option<Instant>,
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
    /// Messages are taken and reach nobody.
    pub(crate) mute: AtomicBool,
    pub(crate) published: AtomicU64,
}

impl Fake {
    pub(crate) fn shared() -> (Arc<Self>, CacheBuilder) {
        let fake = Arc::new(Self::default());
        let builder = Cache::builder().shared(Arc::clone(&fake) as Arc<dyn CacheBackend>);
        (fake, builder.jitter(false))
    }

    pub(crate) fn tiered() -> (Arc<Self>, CacheBuilder) {
        let fake = Arc::new(Self::default());
        let builder = fake.process();
        (fake, builder)
    }

    /// Another process on the same level.
    pub(crate) fn process(self: &Arc<Self>) -> CacheBuilder {
        let builder = Cache::builder().tiered(Arc::clone(self) as Arc<dyn CacheBackend>);
        builder.jitter(false)
    }

    /// Ends all subscriptions.
    pub(crate) fn cut_bus(&self) {
        self.state.lock().unwrap().subscribers.clear();
    }

    pub(crate) fn locked(&self) -> usize {
        let now = Instant::now();
        self.state.lock().unwrap().locks.values().filter(|(_, until)| *until > now).count()
    }

    /// Somebody takes every lock, and dies.
    pub(crate) fn take_locks(&self, ttl: Duration) {
        self.state.lock().unwrap().taken_until = Some(Instant::now() + ttl);
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

    async fn publish(&self, message: &[u8]) -> Result<(), BackendError> {
        tokio::task::yield_now().await;
        if self.fails() {
            return lost();
        }
        self.published.fetch_add(1, Ordering::SeqCst);
        if !self.mute.load(Ordering::SeqCst) {
            let mut state = self.state.lock().unwrap();
            let event = BusEvent::Message(message.to_vec());
            state.subscribers.retain(|to| to.try_send(event.clone()).is_ok());
        }
        Ok(())
    }

    fn subscribe(&self) -> Option<BusEvents> {
        let (sender, events) = mpsc::channel(1_000);
        sender.try_send(BusEvent::Subscribed).unwrap();
        self.state.lock().unwrap().subscribers.push(sender);
        Some(events)
    }

    fn is_refusing(&self) -> Option<bool> {
        Some(self.down.load(Ordering::SeqCst))
    }

    async fn try_lock(&self, key: &str, token: Nonce, ttl: Duration) -> Result<bool, BackendError> {
        tokio::task::yield_now().await;
        if self.fails() {
            return lost();
        }
        let now = Instant::now();
        let mut state = self.state.lock().unwrap();
        let taken = state.taken_until.is_some_and(|until| until > now);
        if taken || state.locks.get(key).is_some_and(|(_, until)| *until > now) {
            return Ok(false);
        }
        state.locks.insert(key.to_owned(), (token, now + ttl));
        Ok(true)
    }

    async fn unlock(&self, key: &str, token: Nonce) -> Result<(), BackendError> {
        if self.fails() {
            return lost();
        }
        let mut state = self.state.lock().unwrap();
        if state.locks.get(key).is_some_and(|(holder, _)| *holder == token) {
            state.locks.remove(key);
        }
        Ok(())
    }

    async fn remove(&self, keys: &[String]) -> Result<u64, BackendError> {
        let mut state = self.state.lock().unwrap();
        Ok(keys.iter().filter(|key| state.entries.remove(*key).is_some()).count() as u64)
    }

    /// Knows patterns with one star at the end.
    async fn find(&self, pattern: &str, limit: usize) -> Result<Vec<String>, BackendError> {
        let start = pattern.strip_suffix('*').unwrap();
        Ok(self.keys().into_iter().filter(|key| key.starts_with(start)).take(limit).collect())
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
pub(crate) async fn storing() -> [Cache; 3] {
    let caches = [
        Cache::builder().memory().jitter(false).build(),
        Fake::shared().1.build(),
        Fake::tiered().1.build(),
    ];
    for cache in &caches {
        listening(cache).await;
    }
    caches
}

/// Lets tasks run until something holds, for a minute of virtual time at most.
pub(crate) async fn until(holds: impl Fn() -> bool) {
    for _ in 0..60_000 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    panic!("what the test waits for never came");
}

/// Starts the cache's task and waits for its subscription, if it has two levels.
pub(crate) async fn listening(cache: &Cache) {
    if format!("{cache:?}").contains("memory: true, shared: true") {
        cache.entry::<u32>(Key::new("warm_up"), [], None).get().await;
        until(|| cache.stats().bus.subscriptions > 0).await;
        cache.reset_stats();
    }
}
