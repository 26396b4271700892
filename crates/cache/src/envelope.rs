//! How an entry looks in the shared level.
//!
//! All numbers little-endian. Version 2: `version u8, checksum u64, codec u16, compression u8,
//! plain_bytes u32, type u64, created_ms u64, fresh_ms u64, stale_ms u64, load_ms u64, tags u16,
//! (length u16, name, nonce [16], server [20])…, payload`. The checksum covers all that follows
//! it; `type` is the fingerprint of the value's shape.
//!
//! Version 1 knew a type by its path only, so a changed one could be read with the wrong fields:
//! it is a miss. A release that brings a version 3 keeps the reader of version 2.

mod codec;
mod compression;
mod fingerprint;
mod format;

#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing;

#[cfg(test)]
mod tests;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::backend::{Nonce, ServerId, Stamp};
use crate::hash::Fold;

#[cfg(feature = "json")]
pub use codec::Json;
pub use codec::{Codec, CodecError, CodecId, MessagePack, ReadValue};
use fingerprint::fingerprint;
pub(crate) use format::Format;
use format::Payload;

const VERSION: u8 = 2;
const CHECKSUM: std::ops::Range<usize> = 1..9;
const COMPRESSION: usize = 11;
const PLAIN_BYTES: std::ops::Range<usize> = 12..16;

/// Why stored bytes are not a value. Always a miss.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unusable {
    /// A tag was invalidated since, or the entry has other tags: an ordinary miss.
    Outdated,
    /// Written by another release, by another codec or for another type, too long, or damaged.
    Unreadable,
}

/// Stamps with their tags' rendered names.
pub(crate) type Stamped<'a> = (&'a [String], &'a [Stamp]);

/// When an entry was made and how long it is good for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Times {
    /// Since 1970, by the clock of the process that made it.
    pub(crate) created_ms: u64,
    pub(crate) fresh_ms: u64,
    /// Life after that, for fail-safe.
    pub(crate) stale_ms: u64,
    /// How long the load took, for early refresh.
    pub(crate) load_ms: u64,
}

/// A value of the shared level.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Opened<T> {
    pub(crate) value: T,
    pub(crate) times: Times,
}

/// `None` when the value does not serialise or is too long, or the names are too long or too many.
pub(crate) fn seal<T: Serialize + DeserializeOwned + 'static>(
    format: &Format,
    value: &T,
    (names, stamps): Stamped<'_>,
    times: Times,
) -> Option<Vec<u8>> {
    let mut bytes = vec![VERSION];
    bytes.resize(CHECKSUM.end, 0);
    bytes.extend(format.codec.id().0.to_le_bytes());
    bytes.resize(PLAIN_BYTES.end, 0);
    bytes.extend(fingerprint::<T>().to_le_bytes());
    for number in [times.created_ms, times.fresh_ms, times.stale_ms, times.load_ms] {
        bytes.extend(number.to_le_bytes());
    }
    bytes.extend(u16::try_from(names.len()).ok()?.to_le_bytes());
    for (name, stamp) in names.iter().zip(stamps) {
        bytes.extend(u16::try_from(name.len()).ok()?.to_le_bytes());
        bytes.extend(name.as_bytes());
        bytes.extend(stamp.nonce.0);
        bytes.extend(stamp.server.0);
    }
    let (compression, plain_bytes) = format.encode(value, &mut bytes).ok()?;
    bytes[COMPRESSION] = compression;
    bytes[PLAIN_BYTES].copy_from_slice(&plain_bytes.to_le_bytes());
    let checksum = checksum(&bytes[CHECKSUM.end..]);
    bytes[CHECKSUM].copy_from_slice(&checksum.to_le_bytes());
    Some(bytes)
}

/// The value, if the entry was stored under exactly these tags and stamps.
pub(crate) fn open<T: DeserializeOwned + 'static>(
    format: &Format,
    bytes: &[u8],
    (names, stamps): Stamped<'_>,
) -> Result<Opened<T>, Unusable> {
    let mut rest = Reader(bytes);
    let [version] = rest.take()?;
    if version != VERSION || rest.u64()? != checksum(rest.0) {
        return Err(Unusable::Unreadable);
    }
    let codec = rest.u16()?;
    let [compression] = rest.take()?;
    let plain_bytes = u32::from_le_bytes(rest.take()?);
    if rest.u64()? != fingerprint::<T>() {
        return Err(Unusable::Unreadable);
    }
    let [created_ms, fresh_ms, stale_ms, load_ms] =
        [rest.u64()?, rest.u64()?, rest.u64()?, rest.u64()?];
    if usize::from(rest.u16()?) != names.len() {
        return Err(Unusable::Outdated);
    }
    for (name, stamp) in names.iter().zip(stamps) {
        let len = usize::from(rest.u16()?);
        let stored_name = rest.slice(len)?;
        let stored = Stamp { nonce: Nonce(rest.take()?), server: ServerId(rest.take()?) };
        if stored_name != name.as_bytes() || stored != *stamp {
            return Err(Unusable::Outdated);
        }
    }
    let payload = Payload { codec, compression, plain_bytes, bytes: rest.0 };
    let times = Times { created_ms, fresh_ms, stale_ms, load_ms };
    Ok(Opened { value: format.decode(&payload)?, times })
}

fn checksum(bytes: &[u8]) -> u64 {
    Fold::fixed().bytes(bytes).get()
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], Unusable> {
        let (head, rest) = self.0.split_first_chunk().ok_or(Unusable::Unreadable)?;
        self.0 = rest;
        Ok(*head)
    }

    fn u16(&mut self) -> Result<u16, Unusable> {
        self.take().map(u16::from_le_bytes)
    }

    fn u64(&mut self) -> Result<u64, Unusable> {
        self.take().map(u64::from_le_bytes)
    }

    fn slice(&mut self, len: usize) -> Result<&'a [u8], Unusable> {
        let (head, rest) = self.0.split_at_checked(len).ok_or(Unusable::Unreadable)?;
        self.0 = rest;
        Ok(head)
    }
}
