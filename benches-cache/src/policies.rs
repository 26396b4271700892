//! Caches of so many entries, each as far as a hit ratio needs it.

use std::convert::Infallible;
use std::num::NonZeroUsize;

use foyer_memory::{EvictionConfig, LfuConfig, LruConfig, S3FifoConfig};
use guildhall_cache::{Cache, Key, Tag};
use tokio::runtime::Handle;

use crate::peers::TTL;
use crate::s3_fifo::S3Fifo;

/// A cache under one policy.
pub(crate) trait Policy {
    /// Whether it was there; it is afterwards, if the policy wants it.
    fn read(&mut self, key: u32) -> bool;
    /// What is cached of the key must not be used any more.
    fn write(&mut self, key: u32);
}

/// How a policy comes to be: with a capacity in entries.
pub(crate) type Make = fn(usize) -> Box<dyn Policy>;

/// The references that ours must keep up with come first, then ours, then its peers.
pub(crate) const POLICIES: [(&str, Make); 8] = [
    ("LRU", |capacity| Box::new(Lru::new(capacity))),
    ("S3-FIFO", |capacity| Box::new(S3Fifo::new(capacity))),
    ("guildhall", |capacity| Box::new(Ours::new(capacity))),
    ("quick_cache", |capacity| Box::new(Quick(quick_cache::sync::Cache::new(capacity)))),
    ("moka", |capacity| Box::new(Moka(moka::sync::Cache::new(capacity as u64)))),
    ("foyer lru", |capacity| Box::new(Foyer::new(capacity, LruConfig::default()))),
    ("foyer lfu", |capacity| Box::new(Foyer::new(capacity, LfuConfig::default()))),
    ("foyer s3fifo", |capacity| Box::new(Foyer::new(capacity, S3FifoConfig::default()))),
];
pub(crate) const REFERENCES: usize = 2;
pub(crate) const OURS: usize = 2;

struct Lru(lru::LruCache<u32, ()>);

impl Lru {
    fn new(capacity: usize) -> Self {
        Self(lru::LruCache::new(NonZeroUsize::new(capacity).unwrap_or(NonZeroUsize::MIN)))
    }
}

impl Policy for Lru {
    fn read(&mut self, key: u32) -> bool {
        self.0.put(key, ()).is_some()
    }

    fn write(&mut self, key: u32) {
        self.0.pop(&key);
    }
}

/// Through the typed API, with a write guard a write.
struct Ours {
    cache: Cache,
    runtime: Handle,
}

impl Ours {
    fn new(capacity: usize) -> Self {
        let cache = Cache::builder().memory().max_entries(capacity as u64).max_bytes(1 << 40);
        Self { cache: cache.build(), runtime: Handle::current() }
    }
}

impl Policy for Ours {
    fn read(&mut self, key: u32) -> bool {
        let tag = Tag::new("row").id(key);
        let entry = self.cache.entry::<u32>(Key::new("row").id(key), [tag], TTL);
        let mut hit = true;
        let load = async || {
            hit = false;
            Ok::<_, Infallible>(key)
        };
        let Ok(_) = self.runtime.block_on(entry.get_or_load(load));
        hit
    }

    fn write(&mut self, key: u32) {
        let tag = Tag::new("row").id(key);
        assert!(self.runtime.block_on(self.cache.invalidate([tag])));
    }
}

struct Quick(quick_cache::sync::Cache<u32, ()>);

impl Policy for Quick {
    fn read(&mut self, key: u32) -> bool {
        let hit = self.0.get(&key).is_some();
        if !hit {
            self.0.insert(key, ());
        }
        hit
    }

    fn write(&mut self, key: u32) {
        self.0.remove(&key);
    }
}

struct Moka(moka::sync::Cache<u32, ()>);

impl Policy for Moka {
    fn read(&mut self, key: u32) -> bool {
        let hit = self.0.get(&key).is_some();
        if !hit {
            self.0.insert(key, ());
            // It evicts later than it stores; a small cache would hold more than it may.
            self.0.run_pending_tasks();
        }
        hit
    }

    fn write(&mut self, key: u32) {
        self.0.invalidate(&key);
    }
}

struct Foyer(foyer_memory::Cache<u32, ()>);

impl Foyer {
    fn new(capacity: usize, policy: impl Into<EvictionConfig>) -> Self {
        let builder = foyer_memory::CacheBuilder::new(capacity);
        Self(builder.with_eviction_config(policy).build())
    }
}

impl Policy for Foyer {
    fn read(&mut self, key: u32) -> bool {
        let hit = self.0.get(&key).is_some();
        if !hit {
            drop(self.0.insert(key, ()));
        }
        hit
    }

    fn write(&mut self, key: u32) {
        drop(self.0.remove(&key));
    }
}
