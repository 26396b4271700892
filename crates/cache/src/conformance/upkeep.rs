use std::time::Duration;

use super::{LONG, eventually, name, names, nonce, sealed};
use crate::backend::{BackendError, CacheBackend};

/// A second taker is refused until the first gives back, which nobody else can.
pub async fn a_lock_has_one_holder(backend: &dyn CacheBackend) {
    let (key, holder, other) = (name(), nonce(), nonce());
    assert!(backend.try_lock(&key, holder, LONG).await.unwrap());
    if backend.try_lock(&key, other, LONG).await.unwrap() {
        return; // A backend without locks says yes to everybody.
    }
    assert!(!backend.try_lock(&key, holder, LONG).await.unwrap(), "it is not counted");
    backend.unlock(&key, other).await.unwrap();
    assert!(!backend.try_lock(&key, other, LONG).await.unwrap(), "given back by a stranger");
    backend.unlock(&key, holder).await.unwrap();
    assert!(backend.try_lock(&key, other, LONG).await.unwrap());
    backend.unlock(&key, other).await.unwrap();
    backend.unlock(&key, other).await.unwrap();
}

/// The lock of a holder that died is free after its TTL.
pub async fn a_lock_ends_with_its_ttl(backend: &dyn CacheBackend) {
    let (key, other) = (name(), nonce());
    assert!(backend.try_lock(&key, nonce(), Duration::from_millis(50)).await.unwrap());
    let free = async || backend.try_lock(&key, other, LONG).await.unwrap();
    eventually("the lock is free", free).await;
}

/// `remove` tells how many there were, and they are gone.
pub async fn removing_counts_what_was_there(backend: &dyn CacheBackend) {
    let keys = names(1200);
    let entries: Vec<_> = keys[..1100].iter().map(|key| sealed(key, b"x", LONG)).collect();
    backend.store(&entries).await.unwrap();
    let removed = match backend.remove(&keys).await {
        Err(BackendError::NotSupported(_)) => return,
        removed => removed.unwrap(),
    };
    assert_eq!(removed, 1100);
    assert!(backend.read(&keys, &[]).await.unwrap().entries.iter().all(Option::is_none));
    assert_eq!(backend.remove(&keys).await.unwrap(), 0);
}

/// `*` and `?` match, `\` takes their meaning, each key is told once, and never too many.
pub async fn finding_matches_and_keeps_to_its_limit(backend: &dyn CacheBackend) {
    let name = name();
    let mut keys: Vec<_> = (0..30).map(|index| format!("{name}:a:{index:02}")).collect();
    keys.extend(["b:*", "b:x"].map(|rest| format!("{name}:{rest}")));
    let entries: Vec<_> = keys.iter().map(|key| sealed(key, b"x", LONG)).collect();
    backend.store(&entries).await.unwrap();
    let mut found = match backend.find(&format!("{name}:a:*"), 1000).await {
        Err(BackendError::NotSupported(_)) => return,
        found => found.unwrap(),
    };
    found.sort();
    assert_eq!(found, keys[..30]);
    let some = backend.find(&format!("{name}:a:*"), 7).await.unwrap();
    assert!(some.len() == 7 && some.iter().all(|key| keys.contains(key)), "{some:?}");
    assert_eq!(backend.find(&format!("{name}:a:0?"), 1000).await.unwrap().len(), 10);
    assert_eq!(backend.find(&format!("{name}:b:\\*"), 9).await.unwrap(), [keys[30].clone()]);
    assert_eq!(backend.find(&format!("{name}:c*"), 9).await.unwrap(), Vec::<String>::new());
    assert_eq!(backend.find(&format!("{name}*"), 0).await.unwrap(), Vec::<String>::new());
}
