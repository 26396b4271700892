use super::{name, names, nonce, stamp};
use crate::backend::CacheBackend;

/// `adopt` gives a nonce to a tag without one only, and tells the one that is there.
pub async fn adopting_keeps_the_nonce_that_is_there(backend: &dyn CacheBackend) {
    let tags = names(3);
    let first = nonce();
    backend.renew(&[(tags[1].clone(), first)]).await.unwrap();
    let offered: Vec<_> = tags.iter().map(|tag| (tag.clone(), nonce())).collect();
    let stamps = backend.adopt(&offered).await.unwrap();
    let nonces: Vec<_> = stamps.iter().map(|stamp| stamp.nonce).collect();
    assert_eq!(nonces, [offered[0].1, first, offered[2].1]);
    let read = backend.read(&[], &tags).await.unwrap().stamps;
    assert_eq!(read, stamps.iter().copied().map(Some).collect::<Vec<_>>());
    let again: Vec<_> = tags.iter().map(|tag| (tag.clone(), nonce())).collect();
    assert_eq!(backend.adopt(&again).await.unwrap(), stamps);
}

/// Of many who offer a nonce at the same moment, all are told the same one.
pub async fn adopting_at_once_agrees_on_one_nonce(backend: &dyn CacheBackend) {
    let tag = name();
    let offers: Vec<_> = (0..20).map(|_| [(tag.clone(), nonce())]).collect();
    let (a, b, c, d) = tokio::join!(
        backend.adopt(&offers[0]),
        backend.adopt(&offers[1]),
        backend.adopt(&offers[2]),
        backend.adopt(&offers[3]),
    );
    let told = [a, b, c, d].map(|stamps| stamps.unwrap()[0]);
    assert!(told.iter().all(|stamp| *stamp == told[0]), "{told:?}");
    assert!(offers.iter().any(|offer| offer[0].1 == told[0].nonce));
}

/// Once `renew` has returned, no read gives the nonce from before.
pub async fn a_renewed_nonce_is_what_later_reads_see(backend: &dyn CacheBackend) {
    let tags = names(4);
    for _ in 0..50 {
        let fresh: Vec<_> = tags.iter().map(|tag| (tag.clone(), nonce())).collect();
        backend.renew(&fresh).await.unwrap();
        let (one, other) = tokio::join!(backend.read(&[], &tags), backend.read(&[], &tags));
        for reading in [one.unwrap(), other.unwrap()] {
            let nonces: Vec<_> = reading.stamps.iter().map(|stamp| stamp.unwrap().nonce).collect();
            assert_eq!(nonces, fresh.iter().map(|(_, nonce)| *nonce).collect::<Vec<_>>());
        }
    }
}

/// What was renewed after others does not change any more by itself.
pub async fn a_nonce_is_applied_once(backend: &dyn CacheBackend) {
    let tag = name();
    let rivals: Vec<_> = (0..3).map(|_| [(tag.clone(), nonce())]).collect();
    let (a, b, c) = tokio::join!(
        backend.renew(&rivals[0]),
        backend.renew(&rivals[1]),
        backend.renew(&rivals[2])
    );
    assert!(a.is_ok() && b.is_ok() && c.is_ok());
    let last = nonce();
    backend.renew(&[(tag.clone(), last)]).await.unwrap();
    for _ in 0..100 {
        assert_eq!(stamp(backend, &tag).await.unwrap().nonce, last);
    }
}
