//! What a shared level has to be able to do.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use thiserror::Error;

/// A tag's value in the shared level: 128 random bits, drawn anew for every attempt to set one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Nonce(pub [u8; 16]);

/// Which run of which server answered. A server restored from an old snapshot must have another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ServerId(pub [u8; 20]);

impl ServerId {
    /// The identity told by a server, such as Redis' `run_id` of 40 hexadecimal digits.
    #[must_use]
    pub fn from_text(text: &str) -> Self {
        let mut id = [0; 20];
        // Three different 64-bit FNV-1a hashes: equal in every process and every release.
        for (index, chunk) in id.chunks_mut(8).enumerate() {
            let mut hash = 0xCBF2_9CE4_8422_2325_u64.wrapping_add(index as u64);
            for byte in text.bytes() {
                hash = (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01B3);
            }
            chunk.copy_from_slice(&hash.to_le_bytes()[..chunk.len()]);
        }
        Self(id)
    }
}

/// What an entry remembers of a tag. It is valid while all its stamps are the current ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Stamp {
    /// The tag's nonce.
    pub nonce: Nonce,
    /// The server run that told it.
    pub server: ServerId,
}

/// The answer to [`CacheBackend::read`], in the order asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// The stored bytes of each key; `None` when there are none or they have expired.
    pub entries: Vec<Option<Vec<u8>>>,
    /// The stamp of each tag; `None` when the tag has no nonce.
    pub stamps: Vec<Option<Stamp>>,
}

/// Bytes to store.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed {
    /// The rendered key.
    pub key: String,
    /// Opaque to the backend.
    pub bytes: Vec<u8>,
    /// Whole milliseconds, at least one second.
    pub ttl: Duration,
}

/// Shows the size of the bytes, not the bytes: they are somebody's data.
impl fmt::Debug for Sealed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, bytes, ttl } = self;
        out.debug_struct("Sealed")
            .field("key", key)
            .field("bytes", &bytes.len())
            .field("ttl", ttl)
            .finish()
    }
}

/// Why a shared level did not do what it was asked. No variant carries an address or a secret.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BackendError {
    /// No answer in time. Whether the command was or will be applied is unknown.
    #[error("the shared cache did not answer within {after_ms} ms")]
    Timeout {
        /// How long was waited, in milliseconds.
        after_ms: u64,
    },
    /// No connection, or it broke. Whether the command was applied is unknown.
    #[error("the shared cache is unavailable")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// This backend cannot do it.
    #[error("the shared cache does not support {0}")]
    NotSupported(&'static str),
    /// The server answered, but not what was asked.
    #[error("the shared cache gave an unusable answer: {0}")]
    Protocol(String),
}

/// What a bus brings to one subscriber, in the order in which it arrives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BusEvent {
    /// Messages arrive from now on. Any number may have been missed before.
    Subscribed,
    /// What some process published, this one included.
    Message(Vec<u8>),
}

/// The events of one subscription. It ends when the receiver is dropped; a channel that was full
/// ends with a new [`BusEvent::Subscribed`] instead of the messages that found no room.
pub type BusEvents = tokio::sync::mpsc::Receiver<BusEvent>;

/// A cache that several processes share: entries by key, and one [`Nonce`] per tag.
///
/// [`RedisBackend`](crate::RedisBackend) is one; write your own for another store. The engine
/// calls it with rendered names, applies its own deadline to every call, and treats every error
/// as a miss (reads) or as a tag in quarantine (writes), so an implementation just reports.
///
/// # Rules
///
/// 1. **A nonce is applied once.** Never repeat a `renew` or `adopt` by yourself, and use no
///    client that does: the same nonce landing twice, after a later write, revives old entries.
/// 2. Stamps come from the primary of the tag, never from a replica or a local copy. Entries may
///    come from anywhere.
/// 3. Nonces have no TTL. Losing one (eviction, flush) is harmless.
/// 4. Answers have the length and the order of the question. An empty question does no I/O.
/// 5. A call may be dropped at any await. What it asked for may then still be applied.
#[cfg_attr(feature = "mock", mockall::automock)] // Stays above `async_trait`: mockall requires it.
#[async_trait]
pub trait CacheBackend: Send + Sync {
    /// Entries and current stamps, in one round trip per node and in any order.
    async fn read(&self, keys: &[String], tags: &[String]) -> Result<Reading, BackendError>;

    /// The longest that [`read`](Self::read) takes, when it ends by itself. The cache then sets no
    /// timer of its own around it, unless its deadline is shorter: a timer costs as much as
    /// rendering the names does.
    fn read_deadline(&self) -> Option<Duration> {
        None
    }

    /// Gives each tag its nonce unless it has one, then reads back which one it has.
    async fn adopt(&self, tags: &[(String, Nonce)]) -> Result<Vec<Stamp>, BackendError>;

    /// Gives each tag its nonce, whatever it had. `Ok` means that every later `read` sees it.
    async fn renew(&self, tags: &[(String, Nonce)]) -> Result<(), BackendError>;

    /// Stores entries, replacing older ones. No entry may outlive its TTL.
    async fn store(&self, entries: &[Sealed]) -> Result<(), BackendError>;

    /// Writes a probe under `key`, reads it back and deletes it: a real round trip.
    async fn ping(&self, key: &str) -> Result<(), BackendError>;

    /// Tells every subscriber, at most once each. Without a bus it does nothing.
    async fn publish(&self, _message: &[u8]) -> Result<(), BackendError> {
        Ok(())
    }

    /// [`renew`](Self::renew), and after it took effect [`publish`](Self::publish): in this order,
    /// or a reader refills from entries that are still valid. One round trip where one connection
    /// keeps the order.
    async fn renew_and_publish(
        &self,
        tags: &[(String, Nonce)],
        message: &[u8],
    ) -> Result<(), BackendError> {
        self.renew(tags).await?;
        self.publish(message).await
    }

    /// The bus, if there is one. It connects in the background, again and again, and says so by
    /// [`BusEvent::Subscribed`] each time. To be called within a tokio runtime.
    fn subscribe(&self) -> Option<BusEvents> {
        None
    }

    /// Whether calls are refused at once for the time being, as by a circuit breaker that is not
    /// closed. `None`: it never does that.
    fn is_refusing(&self) -> Option<bool> {
        None
    }

    /// Takes the lock `key` for at most `ttl` unless somebody has it: whether it was taken. Only
    /// spares loads, so a backend without locks says yes to everybody.
    async fn try_lock(
        &self,
        _key: &str,
        _token: Nonce,
        _ttl: Duration,
    ) -> Result<bool, BackendError> {
        Ok(true)
    }

    /// Gives the lock back if it is still held under this token, as far as can be told.
    async fn unlock(&self, _key: &str, _token: Nonce) -> Result<(), BackendError> {
        Ok(())
    }

    /// Frees entries, which is not what invalidates them: how many there were.
    async fn remove(&self, _keys: &[String]) -> Result<u64, BackendError> {
        Err(BackendError::NotSupported("removing entries"))
    }

    /// Keys that match a glob pattern, at most `limit`, found by walking over all there are: for
    /// operators, never for normal work.
    async fn find(&self, _pattern: &str, _limit: usize) -> Result<Vec<String>, BackendError> {
        Err(BackendError::NotSupported("looking for patterns"))
    }
}
