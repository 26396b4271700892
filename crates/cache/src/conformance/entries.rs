use std::time::Duration;

use super::{LONG, entry, eventually, name, names, nonce, sealed, stamp};
use crate::backend::{BackendError, CacheBackend};

/// Values and stamps stand where their keys and tags stood, also twice, with gaps.
pub async fn answers_have_the_length_and_order_of_the_question(backend: &dyn CacheBackend) {
    let (keys, tags) = (names(9), names(9));
    let present = |index: &usize| index.is_multiple_of(2);
    let entries: Vec<_> = (0..9)
        .filter(present)
        .map(|index| sealed(&keys[index], keys[index].as_bytes(), LONG))
        .collect();
    backend.store(&entries).await.unwrap();
    let given: Vec<_> =
        (0..9).filter(present).map(|index| (tags[index].clone(), nonce())).collect();
    backend.renew(&given).await.unwrap();
    let order = [8, 1, 0, 0, 3, 4, 8, 7, 2];
    let ask = |names: &[String]| order.map(|index| names[index].clone());
    let reading = backend.read(&ask(&keys), &ask(&tags)).await.unwrap();
    let told = |index: usize| present(&index).then(|| keys[index].clone().into_bytes());
    assert_eq!(reading.entries, order.map(told), "entries");
    let nonces: Vec<_> =
        reading.stamps.iter().map(|stamp| stamp.map(|stamp| stamp.nonce)).collect();
    let told = |index: usize| present(&index).then(|| given[index / 2].1);
    assert_eq!(nonces, order.map(told), "nonces");
}

/// No key, no tag, no entry: nothing is wrong with that.
pub async fn an_empty_question_has_an_empty_answer(backend: &dyn CacheBackend) {
    let reading = backend.read(&[], &[]).await.unwrap();
    assert!(reading.entries.is_empty() && reading.stamps.is_empty());
    assert_eq!(backend.adopt(&[]).await.unwrap(), []);
    backend.renew(&[]).await.unwrap();
    backend.store(&[]).await.unwrap();
    backend.renew_and_publish(&[], b"nobody").await.unwrap();
    match backend.remove(&[]).await {
        Ok(count) => assert_eq!(count, 0),
        Err(error) => assert!(matches!(error, BackendError::NotSupported(_)), "{error}"),
    }
}

/// All byte values, none at all, and a mebibyte of them.
pub async fn stored_bytes_come_back_as_they_were(backend: &dyn CacheBackend) {
    let keys = names(3);
    let all: Vec<u8> = (0..=255).collect();
    let values = [all.clone(), Vec::new(), all.repeat(4096)];
    let entries: Vec<_> =
        keys.iter().zip(&values).map(|(key, value)| sealed(key, value, LONG)).collect();
    backend.store(&entries).await.unwrap();
    let read = backend.read(&keys, &[]).await.unwrap().entries;
    assert!(read == values.map(Some), "other bytes came back");
}

/// Of two entries under one key the later one stays, with its own TTL.
pub async fn storing_again_replaces(backend: &dyn CacheBackend) {
    let key = name();
    backend.store(&[sealed(&key, b"old", Duration::from_secs(1))]).await.unwrap();
    backend.store(&[sealed(&key, b"new", LONG)]).await.unwrap();
    assert_eq!(entry(backend, &key).await.as_deref(), Some(&b"new"[..]));
    tokio::time::sleep(Duration::from_millis(1100)).await; // The older TTL has passed for certain.
    assert_eq!(entry(backend, &key).await.as_deref(), Some(&b"new"[..]));
}

/// A TTL counts milliseconds, each entry its own.
pub async fn no_entry_outlives_its_ttl(backend: &dyn CacheBackend) {
    let keys = names(2);
    let short = Duration::from_millis(1001);
    let entries = [sealed(&keys[0], b"short", short), sealed(&keys[1], b"long", LONG)];
    backend.store(&entries).await.unwrap();
    eventually("the entry is gone", async || entry(backend, &keys[0]).await.is_none()).await;
    assert!(entry(backend, &keys[1]).await.is_some());
}

/// Separators, hash tags, patterns, blanks, control characters, other scripts, 10 kB: all just
/// keys, each its own.
pub async fn odd_keys_do_not_collide(backend: &dyn CacheBackend) {
    let name = name();
    let mut keys: Vec<String> = [
        ":", "::", "{}", "{a}", "{b}", "{a}{b}", "}{", "{", "*", "?", "[a-z]", "\\*", " ", "  ",
        "\t", "\r\n", "\0", "\u{7f}", "'\"", "%", "%20", "ü", "u\u{308}", "日本", "🦀", "$5",
        "\u{ff}", "\u{fffd}",
    ]
    .iter()
    .map(|odd| format!("{name}{odd}"))
    .collect();
    keys.push(format!("{name}{}", "k".repeat(10_000)));
    keys.push(format!("{name}{}l", "k".repeat(9_999)));
    let entries: Vec<_> = keys.iter().map(|key| sealed(key, key.as_bytes(), LONG)).collect();
    backend.store(&entries).await.unwrap();
    let read = backend.read(&keys, &[]).await.unwrap().entries;
    for (key, value) in keys.iter().zip(read) {
        assert_eq!(value.as_deref(), Some(key.as_bytes()), "{key:?}");
    }
    let tags: Vec<_> = keys.iter().map(|key| (format!("tag:{key}"), nonce())).collect();
    backend.renew(&tags).await.unwrap();
    let asked: Vec<_> = tags.iter().map(|(tag, _)| tag.clone()).collect();
    let stamps = backend.read(&[], &asked).await.unwrap().stamps;
    for ((tag, nonce), stamp) in tags.iter().zip(stamps) {
        assert_eq!(stamp.map(|stamp| stamp.nonce), Some(*nonce), "{tag:?}");
    }
}

/// Big questions are answered whole.
pub async fn a_thousand_keys_in_one_question(backend: &dyn CacheBackend) {
    let (keys, tags) = (names(1000), names(1000));
    let entries: Vec<_> = keys.iter().map(|key| sealed(key, key.as_bytes(), LONG)).collect();
    backend.store(&entries).await.unwrap();
    let offered: Vec<_> = tags.iter().map(|tag| (tag.clone(), nonce())).collect();
    let stamps = backend.adopt(&offered).await.unwrap();
    let reading = backend.read(&keys, &tags).await.unwrap();
    assert!(
        reading
            .entries
            .iter()
            .zip(&keys)
            .all(|(entry, key)| { entry.as_deref() == Some(key.as_bytes()) })
    );
    assert_eq!(reading.stamps, stamps.into_iter().map(Some).collect::<Vec<_>>());
}

/// Calls dropped at any poll: the next ones get their own answers.
pub async fn a_dropped_call_does_no_harm(backend: &dyn CacheBackend) {
    let (keys, tag) = (names(2), name());
    let entries = [sealed(&keys[0], b"one", LONG), sealed(&keys[1], b"two", LONG)];
    backend.store(&entries).await.unwrap();
    for polls in 0..12 {
        let offered = [(tag.clone(), nonce())];
        drop_after(polls, backend.read(&keys, std::slice::from_ref(&tag))).await;
        drop_after(polls, backend.renew(&offered)).await;
        drop_after(polls, backend.store(&entries)).await;
        let order = [keys[1].clone(), keys[0].clone()];
        let read = backend.read(&order, &[]).await.unwrap().entries;
        assert_eq!(read, [Some(b"two".to_vec()), Some(b"one".to_vec())]);
    }
    let last = nonce();
    backend.renew(&[(tag.clone(), last)]).await.unwrap();
    assert_eq!(stamp(backend, &tag).await.unwrap().nonce, last);
}

async fn drop_after<T>(polls: usize, call: impl Future<Output = T>) {
    let mut call = std::pin::pin!(call);
    for _ in 0..polls {
        let ready = std::future::poll_fn(|context| {
            std::task::Poll::Ready(call.as_mut().poll(context).is_ready())
        });
        if ready.await {
            return;
        }
        tokio::task::yield_now().await;
    }
}

/// `ping` works, and its key is gone afterwards.
pub async fn the_probe_leaves_nothing(backend: &dyn CacheBackend) {
    let key = name();
    backend.ping(&key).await.unwrap();
    assert_eq!(entry(backend, &key).await, None);
}
