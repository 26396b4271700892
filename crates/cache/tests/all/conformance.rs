//! The exported promises, kept by a backend in memory and by Redis.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use guildhall_cache::{
    BackendError, BusEvent, BusEvents, CacheBackend, Nonce, Reading, Sealed, ServerId, Stamp,
};
use tokio::sync::mpsc::{Sender, channel};

mod in_memory {
    guildhall_cache::conformance_tests!(super::in_memory_backend);
}

#[cfg(feature = "redis")]
mod redis {
    guildhall_cache::conformance_tests!(crate::redis_servers::shared_server);
}

#[cfg(feature = "redis")]
mod redis_cluster {
    guildhall_cache::conformance_tests!(crate::redis_servers::shared_cluster);
}

async fn in_memory_backend() -> Arc<dyn CacheBackend> {
    Arc::new(InMemory::default())
}

/// Everything a backend may have, in the fewest lines: two maps and a list of listeners.
#[derive(Default)]
struct InMemory {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    values: HashMap<String, (Vec<u8>, Option<Instant>)>,
    listeners: Vec<Sender<BusEvent>>,
}

impl State {
    fn get(&mut self, key: &str) -> Option<Vec<u8>> {
        let now = Instant::now();
        self.values.retain(|_, (_, end)| end.is_none_or(|end| end > now));
        Some(self.values.get(key)?.0.clone())
    }

    fn stamp(&mut self, tag: &str) -> Option<Stamp> {
        let nonce = Nonce(self.get(tag)?.try_into().ok()?);
        Some(Stamp { nonce, server: ServerId::from_text("in memory") })
    }
}

impl InMemory {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

#[async_trait]
impl CacheBackend for InMemory {
    async fn read(&self, keys: &[String], tags: &[String]) -> Result<Reading, BackendError> {
        let mut state = self.state();
        let entries = keys.iter().map(|key| state.get(key)).collect();
        let stamps = tags.iter().map(|tag| state.stamp(tag)).collect();
        Ok(Reading { entries, stamps })
    }

    async fn adopt(&self, tags: &[(String, Nonce)]) -> Result<Vec<Stamp>, BackendError> {
        let mut state = self.state();
        let adopt = |(tag, nonce): &(String, Nonce)| {
            state.values.entry(tag.clone()).or_insert((nonce.0.to_vec(), None));
            state.stamp(tag).unwrap()
        };
        Ok(tags.iter().map(adopt).collect())
    }

    async fn renew(&self, tags: &[(String, Nonce)]) -> Result<(), BackendError> {
        let fresh = tags.iter().map(|(tag, nonce)| (tag.clone(), (nonce.0.to_vec(), None)));
        self.state().values.extend(fresh);
        Ok(())
    }

    async fn store(&self, entries: &[Sealed]) -> Result<(), BackendError> {
        let now = Instant::now();
        let stored = entries
            .iter()
            .map(|Sealed { key, bytes, ttl }| (key.clone(), (bytes.clone(), Some(now + *ttl))));
        self.state().values.extend(stored);
        Ok(())
    }

    async fn ping(&self, _: &str) -> Result<(), BackendError> {
        Ok(())
    }

    async fn publish(&self, message: &[u8]) -> Result<(), BackendError> {
        let event = BusEvent::Message(message.to_vec());
        self.state().listeners.retain(|listener| listener.try_send(event.clone()).is_ok());
        Ok(())
    }

    fn subscribe(&self) -> Option<BusEvents> {
        let (listener, events) = channel(1000);
        listener.try_send(BusEvent::Subscribed).unwrap();
        self.state().listeners.push(listener);
        Some(events)
    }

    async fn try_lock(&self, key: &str, token: Nonce, ttl: Duration) -> Result<bool, BackendError> {
        let mut state = self.state();
        let free = state.get(key).is_none();
        if free {
            let end = Instant::now() + ttl;
            state.values.insert(key.to_owned(), (token.0.to_vec(), Some(end)));
        }
        Ok(free)
    }

    async fn unlock(&self, key: &str, token: Nonce) -> Result<(), BackendError> {
        let mut state = self.state();
        if state.get(key).is_some_and(|holder| holder == token.0) {
            state.values.remove(key);
        }
        Ok(())
    }

    async fn remove(&self, keys: &[String]) -> Result<u64, BackendError> {
        let mut state = self.state();
        Ok(keys.iter().filter(|key| state.values.remove(*key).is_some()).count() as u64)
    }

    async fn find(&self, pattern: &str, limit: usize) -> Result<Vec<String>, BackendError> {
        let state = self.state();
        let matching =
            state.values.keys().filter(|key| matches(pattern.as_bytes(), key.as_bytes()));
        Ok(matching.take(limit).cloned().collect())
    }
}

fn matches(pattern: &[u8], key: &[u8]) -> bool {
    match (pattern, key) {
        ([], []) => true,
        ([b'*', rest @ ..], _) => (0..=key.len()).any(|skipped| matches(rest, &key[skipped..])),
        ([b'?', rest @ ..], [_, key @ ..]) => matches(rest, key),
        ([b'\\', literal, rest @ ..] | [literal, rest @ ..], [byte, key @ ..]) => {
            literal == byte && matches(rest, key)
        }
        _ => false,
    }
}
