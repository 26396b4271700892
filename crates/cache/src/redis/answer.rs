//! From what a server said to what was asked.

use std::collections::HashSet;

use redis::{FromRedisValue, RedisError, Value, from_redis_value};

use super::unavailable;
use crate::backend::{BackendError, Nonce, ServerId, Stamp};

/// Whom an answer of `SCAN` told, and where to go on; cursor 0 is the end.
pub(super) struct Page {
    pub(super) cursor: u64,
    pub(super) keys: Vec<Vec<u8>>,
}

pub(super) fn decode<T: FromRedisValue>(value: Value) -> Result<T, BackendError> {
    let value = value.extract_error().map_err(unavailable)?;
    from_redis_value(value).map_err(|error| BackendError::Protocol(error.to_string()))
}

/// Only whether it worked.
pub(super) fn accepted(values: Vec<Value>) -> Result<(), BackendError> {
    for value in values {
        value.extract_error().map_err(unavailable)?;
    }
    Ok(())
}

/// Bytes that are no nonce of ours count as none, and `adopt` then reports them.
pub(super) fn stamped(bytes: Option<Vec<u8>>, server: ServerId) -> Option<Stamp> {
    Some(Stamp { nonce: Nonce(bytes?.try_into().ok()?), server })
}

pub(super) fn lost_nonce() -> BackendError {
    BackendError::Protocol("a nonce did not stay".to_owned())
}

/// The answers to `SET`, `GET` and `DEL` of a probe.
pub(super) fn probed(answers: Vec<Value>) -> Result<(), BackendError> {
    let mut answers = answers.into_iter();
    let mut next = || answers.next().unwrap_or(Value::Nil);
    decode::<()>(next())?;
    match (decode::<Option<String>>(next())?, decode::<u64>(next())?) {
        (Some(probe), 1) if probe == PROBE => Ok(()),
        (None, _) => Err(BackendError::Protocol("the probe was not kept".to_owned())),
        _ => Err(BackendError::Protocol("the probe came back changed".to_owned())),
    }
}

pub(super) const PROBE: &str = "probe";

pub(super) fn page(value: Value) -> Result<Page, BackendError> {
    let (cursor, keys) = decode(value)?;
    Ok(Page { cursor, keys })
}

/// Keys found so far. `SCAN` may tell one twice, and so may two nodes while a slot moves.
pub(super) struct Found {
    keys: HashSet<String>,
    limit: usize,
}

impl Found {
    pub(super) fn new(limit: usize) -> Self {
        Self { keys: HashSet::new(), limit }
    }

    /// Keys that are no text are not ours.
    pub(super) fn add(&mut self, keys: Vec<Vec<u8>>) {
        for key in keys.into_iter().filter_map(|key| String::from_utf8(key).ok()) {
            if self.is_full() {
                return;
            }
            self.keys.insert(key);
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.keys.len() >= self.limit
    }

    pub(super) fn into_sorted(self) -> Vec<String> {
        let mut keys: Vec<_> = self.keys.into_iter().collect();
        keys.sort_unstable();
        keys
    }
}

/// Whether the connection is of no further use. A demoted primary answers `READONLY`: the next
/// connection finds the new one.
pub(super) fn breaks(error: &RedisError) -> bool {
    use redis::{ErrorKind, ServerErrorKind};
    match error.kind() {
        ErrorKind::Server(kind) => {
            matches!(kind, ServerErrorKind::ReadOnly | ServerErrorKind::MasterDown)
        }
        ErrorKind::Extension => false,
        _ => true,
    }
}
