//! Redis as the shared level.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bb8_redis::RedisConnectionManager;
use redis::aio::MultiplexedConnection;
use redis::{ErrorKind, RedisError, ServerErrorKind, cmd, pipe};

use crate::backend::{BackendError, CacheBackend, Nonce, Reading, Sealed, ServerId, Stamp};

/// Limits of a [`RedisBackend`].
#[derive(Clone, Copy, Debug)]
pub struct RedisOptions {
    /// Connections; each carries any number of commands at once. At least 1, default 2.
    pub connections_max: u32,
    /// Bound of connecting and of every command. Default 250 ms.
    pub deadline: Duration,
}

impl Default for RedisOptions {
    fn default() -> Self {
        Self { connections_max: 2, deadline: Duration::from_millis(250) }
    }
}

/// One Redis server, version 6 or later, without Lua. It has to answer `INFO`, which tells the
/// run id; a proxy that shares server connections is of no use, nor is a replica.
///
/// Connections are multiplexed and live in a bb8 pool. A command borrows one for the moment of
/// cloning its handle; one that failed is replaced. While the server cannot be reached, calls
/// fail at once but for one attempt every half second.
pub struct RedisBackend {
    pool: bb8::Pool<Manager>,
    deadline: Duration,
    outage: Outage,
}

impl RedisBackend {
    /// A backend for `redis://[user:password@]host[:port][/database]`. Connects when first used.
    /// To be called within a tokio runtime.
    ///
    /// # Errors
    /// `Protocol` when the address cannot be read. Neither it nor any other message repeats the
    /// address.
    pub fn new(url: &str, options: RedisOptions) -> Result<Self, BackendError> {
        let inner = RedisConnectionManager::new(url)
            .map_err(|_| BackendError::Protocol("the Redis address is malformed".to_owned()))?;
        let RedisOptions { connections_max, deadline } = options;
        let pool = bb8::Pool::builder()
            .max_size(connections_max.max(1))
            .connection_timeout(deadline)
            .retry_connection(false)
            .queue_strategy(bb8::QueueStrategy::Fifo)
            // No round trip: `Manager::is_valid` looks at a flag that failed commands set.
            .test_on_check_out(true)
            .build_unchecked(Manager { inner, deadline });
        Ok(Self { pool, deadline, outage: Outage::default() })
    }

    async fn link(&self) -> Result<Link, BackendError> {
        if self.outage.lasts() {
            return Err(unavailable("the last attempt to connect failed"));
        }
        match self.pool.get().await {
            Ok(link) => {
                self.outage.over();
                Ok(link.clone())
            }
            Err(error) => {
                self.outage.begin();
                Err(match error {
                    bb8::RunError::User(error) => unavailable(error),
                    bb8::RunError::TimedOut => unavailable("no connection in time"),
                })
            }
        }
    }

    async fn run<'l, R, Fut>(
        &self,
        link: &'l mut Link,
        command: impl FnOnce(&'l mut MultiplexedConnection) -> Fut,
    ) -> Result<R, BackendError>
    where
        Fut: Future<Output = Result<R, RedisError>> + 'l,
    {
        let Link { connection, broken, .. } = link;
        let after_ms = u64::try_from(self.deadline.as_millis()).unwrap_or(u64::MAX);
        // No answer in time: the connection may be dead, so the next call gets another one.
        match tokio::time::timeout(self.deadline, command(connection)).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => {
                broken.fetch_or(breaks(&error), Ordering::Relaxed);
                Err(unavailable(error))
            }
            Err(_) => {
                broken.store(true, Ordering::Relaxed);
                Err(BackendError::Timeout { after_ms })
            }
        }
    }
}

fn unavailable(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> BackendError {
    BackendError::Unavailable(cause.into())
}

/// Whether the connection is of no further use. A demoted primary answers `READONLY`: the next
/// connection finds the new one.
fn breaks(error: &RedisError) -> bool {
    match error.kind() {
        ErrorKind::Server(kind) => {
            matches!(kind, ServerErrorKind::ReadOnly | ServerErrorKind::MasterDown)
        }
        ErrorKind::Extension => false,
        _ => true,
    }
}

#[async_trait]
impl CacheBackend for RedisBackend {
    async fn read(&self, keys: &[String], tags: &[String]) -> Result<Reading, BackendError> {
        if keys.is_empty() && tags.is_empty() {
            return Ok(Reading::default());
        }
        let mut link = self.link().await?;
        let server = link.server;
        let mut command = cmd("MGET");
        command.arg(keys).arg(tags);
        let answer = self.run(&mut link, |connection| command.query_async(connection));
        let mut entries: Vec<Option<Vec<u8>>> = answer.await?;
        if entries.len() != keys.len() + tags.len() {
            return Err(BackendError::Protocol("MGET gave another number of values".to_owned()));
        }
        let nonces = entries.split_off(keys.len());
        let stamp = |nonce: Option<Vec<u8>>| nonce.and_then(|bytes| stamped(&bytes, server));
        Ok(Reading { entries, stamps: nonces.into_iter().map(stamp).collect() })
    }

    async fn adopt(&self, tags: &[(String, Nonce)]) -> Result<Vec<Stamp>, BackendError> {
        if tags.is_empty() {
            return Ok(Vec::new());
        }
        let mut link = self.link().await?;
        let server = link.server;
        let mut commands = pipe();
        for (tag, nonce) in tags {
            commands.cmd("SET").arg(tag).arg(&nonce.0[..]).arg("NX").ignore();
        }
        commands.cmd("MGET");
        for (tag, _) in tags {
            commands.arg(tag);
        }
        let answer = self.run(&mut link, |connection| commands.query_async(connection));
        let (nonces,): (Vec<Option<Vec<u8>>>,) = answer.await?;
        let stamp = |nonce: Option<Vec<u8>>| stamped(&nonce?, server);
        let stamps: Option<Vec<_>> = nonces.into_iter().map(stamp).collect();
        stamps.ok_or_else(|| BackendError::Protocol("a nonce did not stay".to_owned()))
    }

    async fn renew(&self, tags: &[(String, Nonce)]) -> Result<(), BackendError> {
        if tags.is_empty() {
            return Ok(());
        }
        let mut link = self.link().await?;
        let mut command = cmd("MSET");
        for (tag, nonce) in tags {
            command.arg(tag).arg(&nonce.0[..]);
        }
        self.run(&mut link, |connection| command.query_async(connection)).await
    }

    async fn store(&self, entries: &[Sealed]) -> Result<(), BackendError> {
        if entries.is_empty() {
            return Ok(());
        }
        let mut link = self.link().await?;
        let mut commands = pipe();
        for Sealed { key, bytes, ttl } in entries {
            let ttl_ms = u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX).max(1);
            commands.cmd("SET").arg(key).arg(&bytes[..]).arg("PX").arg(ttl_ms).ignore();
        }
        self.run(&mut link, |connection| commands.query_async(connection)).await
    }

    async fn ping(&self, key: &str) -> Result<(), BackendError> {
        let mut link = self.link().await?;
        let mut commands = pipe();
        commands.cmd("SET").arg(key).arg("probe").arg("PX").arg(10_000).ignore();
        commands.cmd("GET").arg(key);
        commands.cmd("DEL").arg(key);
        let answer = self.run(&mut link, |connection| commands.query_async(connection));
        match answer.await? {
            (Some(probe), 1_u64) if probe == "probe" => Ok(()),
            (None::<String>, _) => Err(BackendError::Protocol("the probe was not kept".to_owned())),
            _ => Err(BackendError::Protocol("the probe came back changed".to_owned())),
        }
    }
}

/// Bytes that are no nonce of ours count as none, and `adopt` then reports them.
fn stamped(bytes: &[u8], server: ServerId) -> Option<Stamp> {
    Some(Stamp { nonce: Nonce(bytes.try_into().ok()?), server })
}

impl fmt::Debug for RedisBackend {
    /// Without the address: it may hold a password.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("RedisBackend").field("deadline", &self.deadline).finish_non_exhaustive()
    }
}

/// A handle to one physical connection, and what is known about it.
#[derive(Clone)]
struct Link {
    connection: MultiplexedConnection,
    server: ServerId,
    broken: Arc<AtomicBool>,
}

struct Manager {
    inner: RedisConnectionManager,
    deadline: Duration,
}

impl bb8::ManageConnection for Manager {
    type Connection = Link;
    type Error = RedisError;

    async fn connect(&self) -> Result<Link, RedisError> {
        let mut connection = bb8::ManageConnection::connect(&self.inner).await?;
        // Ours ends first; this one only backs it up.
        connection.set_response_timeout(self.deadline.saturating_mul(2));
        let mut question = pipe();
        question.cmd("INFO").arg("server").cmd("INFO").arg("replication");
        let (server, replication): (String, String) = question.query_async(&mut connection).await?;
        if field(&replication, "role:") == Some("slave") {
            return Err((ErrorKind::Client, "the server is a replica").into());
        }
        let run_id = field(&server, "run_id:")
            .ok_or((ErrorKind::Client, "the server does not tell its run id"))?;
        let server = ServerId::from_text(run_id);
        Ok(Link { connection, server, broken: Arc::default() })
    }

    async fn is_valid(&self, link: &mut Link) -> Result<(), RedisError> {
        match self.has_broken(link) {
            true => Err((ErrorKind::Io, "the connection broke earlier").into()),
            false => Ok(()),
        }
    }

    fn has_broken(&self, link: &mut Link) -> bool {
        link.broken.load(Ordering::Relaxed)
    }
}

fn field<'i>(info: &'i str, name: &str) -> Option<&'i str> {
    info.lines().find_map(|line| line.strip_prefix(name)).map(str::trim)
}

/// Spares callers the wait for a server that was unreachable a moment ago.
struct Outage {
    origin: Instant,
    until_ms: AtomicU64,
}

impl Default for Outage {
    fn default() -> Self {
        Self { origin: Instant::now(), until_ms: AtomicU64::new(0) }
    }
}

impl Outage {
    const PAUSE_MS: u64 = 500;

    fn now_ms(&self) -> u64 {
        u64::try_from(self.origin.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// The first caller after the pause is let through, and begins the next pause.
    fn lasts(&self) -> bool {
        let until_ms = self.until_ms.load(Ordering::Relaxed);
        if until_ms == 0 {
            return false;
        }
        let now_ms = self.now_ms();
        let next_ms = now_ms.saturating_add(Self::PAUSE_MS);
        now_ms < until_ms
            || self
                .until_ms
                .compare_exchange(until_ms, next_ms, Ordering::Relaxed, Ordering::Relaxed)
                .is_err()
    }

    fn begin(&self) {
        let until_ms = self.now_ms().saturating_add(Self::PAUSE_MS);
        self.until_ms.store(until_ms, Ordering::Relaxed);
    }

    fn over(&self) {
        if self.until_ms.load(Ordering::Relaxed) != 0 {
            self.until_ms.store(0, Ordering::Relaxed);
        }
    }
}
