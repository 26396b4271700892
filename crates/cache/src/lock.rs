//! The lock that lets one process load while the others wait for its value. It only spares
//! loads: what is stored is right or wrong by its stamps, whoever has the lock.

use crate::backend::{Nonce, Stamp};
use crate::cache::Cache;
use crate::entry::Entry;
use crate::shared::Shared;

pub(crate) enum Attempt {
    /// Nobody has to wait for anybody.
    NotNeeded,
    Mine(Lock),
    Taken,
}

/// Given back when dropped, by a task; it expires by itself where that fails.
pub(crate) struct Lock {
    cache: Cache,
    key: Option<(String, Nonce)>,
}

impl Drop for Lock {
    fn drop(&mut self) {
        let Some((key, token)) = self.key.take() else { return };
        let cache = self.cache.clone();
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                if let Some(shared) = &cache.inner.shared {
                    shared.unlock(&key, token).await;
                }
            });
        }
    }
}

impl<T> Entry<'_, T> {
    /// The lock of a load under these stamps: one that a write has overtaken has another, so
    /// nobody waits for a value that would be no use.
    pub(crate) async fn try_lock(&self, stamps: impl Iterator<Item = Stamp>) -> Attempt {
        let inner = &*self.cache.inner;
        let (Some(shared), Some(ttl)) = (&inner.shared, inner.settings.stampede_lock) else {
            return Attempt::NotNeeded;
        };
        if !self.options.locks() || self.ttl.is_zero() {
            return Attempt::NotNeeded;
        }
        let (key, token) = (shared.naming.lock(&self.key, stamps), shared.nonce());
        // Made before the attempt: dropped or timed out midway it may have been taken.
        let mut lock = Lock { cache: self.cache.clone(), key: Some((key.clone(), token)) };
        match Shared::try_lock(shared, self.namespace, (&key, token), ttl).await {
            Some(false) => {
                lock.key = None;
                Attempt::Taken
            }
            // A level that does not answer must not keep anybody from loading.
            Some(true) | None => Attempt::Mine(lock),
        }
    }
}
