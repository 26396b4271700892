//! What other releases and other settings wrote is a miss, never another value.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use guildhall_cache::{
    Cache, CacheBackend, CacheBuilder, Codec, CodecError, CodecId, MessagePack, ReadValue,
    erased_serde,
};
use serde::{Deserialize, Serialize};

use crate::fake::{Failed, Fake, Loads, key, tag};

const TTL: Duration = Duration::from_secs(100);

mod before {
    use super::*;

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    pub(super) struct User {
        pub(super) id: i64,
        pub(super) name: String,
    }
}

mod moved {
    use super::*;

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    pub(super) struct User {
        pub(super) id: i64,
        pub(super) name: Arc<str>,
    }
}

mod after {
    use super::*;

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    pub(super) struct User {
        pub(super) id: i64,
        pub(super) name: String,
        #[serde(default)]
        pub(super) banned: bool,
    }
}

fn process(fake: &Arc<Fake>) -> CacheBuilder {
    Cache::builder().shared(Arc::clone(fake) as Arc<dyn CacheBackend>).jitter(false)
}

#[tokio::test]
async fn a_rolling_deployment_never_reads_another_shape() {
    let fake = Arc::new(Fake::default());
    let (old, same, new) = (process(&fake).build(), process(&fake).build(), process(&fake).build());
    let written = old.entry::<before::User>(key(1), [tag(1)], TTL);
    let load = async || Loads::Ok(before::User { id: 1, name: "Ada".to_owned() });
    written.get_or_load(load).await.unwrap();

    let moved = same.entry::<moved::User>(key(1), [tag(1)], TTL);
    let read = moved.get_or_load(async || Err(Failed)).await.unwrap();
    assert_eq!(read, moved::User { id: 1, name: "Ada".into() }, "the same shape is a hit");

    // Its bytes would decode, with a made-up `banned`.
    let changed = new.entry::<after::User>(key(1), [tag(1)], TTL);
    let fresh = after::User { id: 1, name: "Ada".to_owned(), banned: true };
    let read = changed.get_or_load(async || Loads::Ok(fresh.clone())).await.unwrap();
    assert_eq!(read, fresh);
    let stats = new.stats().total;
    assert_eq!((stats.hits, stats.misses, stats.errors), (0, 1, 1));
    assert_eq!(written.get().await, None, "the old release does not read the new shape either");
}

/// MessagePack under an id of its own.
struct Own(u8);

impl Codec for Own {
    fn id(&self) -> CodecId {
        CodecId::own(self.0)
    }

    fn encode(
        &self,
        value: &dyn erased_serde::Serialize,
        out: &mut dyn Write,
    ) -> Result<(), CodecError> {
        MessagePack.encode(value, out)
    }

    fn decode(&self, bytes: &[u8], read: ReadValue<'_>) -> Result<(), CodecError> {
        MessagePack.decode(bytes, read)
    }
}

#[tokio::test]
async fn entries_of_another_codec_are_misses_and_are_replaced() {
    let fake = Arc::new(Fake::default());
    for round in 0..3 {
        let caches =
            [process(&fake).codec(Own(round)).build(), process(&fake).codec(Own(round)).build()];
        for (cache, wanted) in caches.iter().zip([(0, 1), (1, 0)]) {
            let entry = cache.entry::<u32>(key(1), [tag(1)], TTL);
            let read = entry.get_or_load(async || Loads::Ok(u32::from(round))).await.unwrap();
            let stats = cache.stats().total;
            assert_eq!((read, (stats.hits, stats.misses)), (u32::from(round), wanted));
            assert_eq!(stats.errors, u64::from(wanted == (0, 1) && round > 0));
        }
    }
}

#[cfg(feature = "zstd")]
#[tokio::test]
async fn what_is_compressed_is_read_by_all_and_bounded_by_its_real_length() {
    let fake = Arc::new(Fake::default());
    let packing = process(&fake).compress_above(1_000).max_value_bytes(50_000).build();
    let plain = process(&fake).max_value_bytes(10_000).build();
    for (id, length, reads) in [(1, 5_000, true), (2, 20_000, false), (3, 60_000, false)] {
        let text = "x".repeat(length);
        let load = async || Loads::Ok(text.clone());
        packing.entry::<String>(key(id), [tag(id)], TTL).get_or_load(load).await.unwrap();
        let read = plain.entry::<String>(key(id), [tag(id)], TTL).get().await;
        assert_eq!(read.is_some(), reads, "{length} bytes");
    }
    assert_eq!((plain.stats().total.errors, fake.keys().len()), (1, 2));
}
