//! What every [`CacheBackend`] has to keep, as tests for those who write one.
//!
//! Each promise is an `async fn` over a backend that panics when the promise is broken.
//! [`conformance_tests!`](crate::conformance_tests) makes a test of each:
//!
//! ```no_run
//! mod own {
//!     use guildhall_cache::{CacheBackend, RedisBackend, RedisOptions};
//!
//!     pub async fn backend() -> Box<dyn CacheBackend> {
//!         let redis = RedisBackend::new("redis://localhost", RedisOptions::default());
//!         Box::new(redis.unwrap())
//!     }
//! }
//!
//! mod conformance {
//!     // An async function that gives an `Arc` or a `Box` of the backend.
//!     guildhall_cache::conformance_tests!(crate::own::backend);
//! }
//! ```
//!
//! The names they use are random, so a server may be shared. A backend without a bus, and one
//! that answers [`NotSupported`](crate::BackendError::NotSupported) to `find` or `remove`, keeps
//! those promises.

#![expect(clippy::unwrap_used, reason = "a broken promise is a failed test")]

mod bus;
mod entries;
mod nonces;
mod upkeep;

use std::time::{Duration, Instant};

pub use bus::*;
pub use entries::*;
pub use nonces::*;
pub use upkeep::*;

use crate::backend::{CacheBackend, Nonce, Sealed, Stamp};
use crate::clock::{Random, SystemRandom};

/// So long a promise may take that is kept in time only.
const PATIENCE: Duration = Duration::from_secs(20);
const LONG: Duration = Duration::from_secs(300);

/// Stamps one `#[tokio::test]` per promise of [`conformance`](crate::conformance). The argument is
/// an async function without parameters that gives an `Arc` or a `Box` of a `CacheBackend`. The
/// crate of the tests needs tokio with `macros` and `rt-multi-thread`.
#[macro_export]
macro_rules! conformance_tests {
    ($open:path) => {
        $crate::conformance_tests! { @each $open:
            answers_have_the_length_and_order_of_the_question
            an_empty_question_has_an_empty_answer
            adopting_keeps_the_nonce_that_is_there
            adopting_at_once_agrees_on_one_nonce
            a_renewed_nonce_is_what_later_reads_see
            a_nonce_is_applied_once
            stored_bytes_come_back_as_they_were
            storing_again_replaces
            no_entry_outlives_its_ttl
            odd_keys_do_not_collide
            a_thousand_keys_in_one_question
            a_dropped_call_does_no_harm
            the_probe_leaves_nothing
            messages_follow_the_nonces_they_announce
            every_subscriber_hears_every_message_in_order
            a_lock_has_one_holder
            a_lock_ends_with_its_ttl
            removing_counts_what_was_there
            finding_matches_and_keeps_to_its_limit
        }
    };
    (@each $open:path: $($promise:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $promise() {
                let backend = $open().await;
                $crate::conformance::$promise(&*backend).await;
            }
        )*
    };
}

fn random() -> u64 {
    SystemRandom::default().next_u64()
}

fn nonce() -> Nonce {
    let mut nonce = [0; 16];
    nonce[..8].copy_from_slice(&random().to_le_bytes());
    nonce[8..].copy_from_slice(&random().to_le_bytes());
    Nonce(nonce)
}

/// A name nobody else uses, without characters that patterns know.
fn name() -> String {
    format!("conformance:{:016x}", random())
}

fn names(count: usize) -> Vec<String> {
    let name = name();
    (0..count).map(|index| format!("{name}:{index}")).collect()
}

fn sealed(key: &str, bytes: &[u8], ttl: Duration) -> Sealed {
    Sealed { key: key.to_owned(), bytes: bytes.to_vec(), ttl }
}

async fn entry(backend: &dyn CacheBackend, key: &str) -> Option<Vec<u8>> {
    let keys = [key.to_owned()];
    backend.read(&keys, &[]).await.unwrap().entries.pop().unwrap()
}

async fn stamp(backend: &dyn CacheBackend, tag: &str) -> Option<Stamp> {
    backend.read(&[], &[tag.to_owned()]).await.unwrap().stamps.pop().unwrap()
}

async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let start = Instant::now();
    while !holds().await {
        assert!(start.elapsed() < PATIENCE, "{what}: not within {PATIENCE:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
