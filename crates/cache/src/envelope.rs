//! How an entry looks in the shared level.
//!
//! All numbers little-endian. Version 2: `version u8, checksum u64, codec u16, compression u8,
//! plain_bytes u32, type u64, created_ms u64, fresh_ms u64, stale_ms u64, load_ms u64, tags u16,
//! (length u16, name, nonce [16], server [20])…, payload`. The checksum covers all that follows
//! it; `type` is the fingerprint of the value's shape.
//!
//! Version 3 is for values whose loader named tags: between the tags and the payload it has
//! `extras u16, (length u16, tag, nonce [16], server [20])…`, the tags as they render, without a
//! prefix. All other values are written as version 2, which the last release reads as well; a
//! version 3 is a miss for it, counted.
//!
//! Version 1 knew a type by its path only, so a changed one could be read with the wrong fields:
//! it is a miss. A release that brings a version 4 keeps the readers of both.

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
/// With tags that a loader named.
const VERSION_EXTRAS: u8 = 3;
/// More of these are not one of ours.
const EXTRAS_MAX: u16 = crate::entry::Loaded::<()>::TAGS_MAX as u16;
const CHECKSUM: std::ops::Range<usize> = 1..9;
const COMPRESSION: usize = 11;
const PLAIN_BYTES: std::ops::Range<usize> = 12..16;
/// After the fingerprint and the four times.
const TAGS_AT: usize = PLAIN_BYTES.end + 5 * 8;

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
    extras: &[(&str, Stamp)],
    times: Times,
) -> Option<Vec<u8>> {
    let mut bytes = vec![if extras.is_empty() { VERSION } else { VERSION_EXTRAS }];
    bytes.resize(CHECKSUM.end, 0);
    bytes.extend(format.codec.id().0.to_le_bytes());
    bytes.resize(PLAIN_BYTES.end, 0);
    bytes.extend(fingerprint::<T>().to_le_bytes());
    for number in [times.created_ms, times.fresh_ms, times.stale_ms, times.load_ms] {
        bytes.extend(number.to_le_bytes());
    }
    let declared = names.iter().map(String::as_str).zip(stamps.iter().copied());
    write_stamped(&mut bytes, names.len(), declared)?;
    if !extras.is_empty() {
        write_stamped(&mut bytes, extras.len(), extras.iter().copied())?;
    }
    let (compression, plain_bytes) = format.encode(value, &mut bytes).ok()?;
    bytes[COMPRESSION] = compression;
    bytes[PLAIN_BYTES].copy_from_slice(&plain_bytes.to_le_bytes());
    let checksum = checksum(&bytes[CHECKSUM.end..]);
    bytes[CHECKSUM].copy_from_slice(&checksum.to_le_bytes());
    Some(bytes)
}

fn write_stamped<'a>(
    bytes: &mut Vec<u8>,
    len: usize,
    stamped: impl Iterator<Item = (&'a str, Stamp)>,
) -> Option<()> {
    bytes.extend(u16::try_from(len).ok()?.to_le_bytes());
    for (name, stamp) in stamped {
        bytes.extend(u16::try_from(name.len()).ok()?.to_le_bytes());
        bytes.extend(name.as_bytes());
        bytes.extend(stamp.nonce.0);
        bytes.extend(stamp.server.0);
    }
    Some(())
}

/// The tags that the loader of an entry named, of whatever type it is; none when it has none or
/// cannot be read.
pub(crate) fn extras(bytes: &[u8]) -> Vec<&str> {
    let read = || {
        let mut rest = Reader(bytes);
        if rest.take()? != [VERSION_EXTRAS] || rest.u64()? != checksum(rest.0) {
            return Err(Unusable::Unreadable);
        }
        rest.slice(TAGS_AT - CHECKSUM.end)?;
        for _ in 0..rest.u16()? {
            rest.stamped()?;
        }
        let count = rest.u16()?;
        if count > EXTRAS_MAX {
            return Err(Unusable::Unreadable);
        }
        let mut text = || std::str::from_utf8(rest.stamped()?.0).map_err(|_| Unusable::Unreadable);
        (0..count).map(|_| text()).collect()
    };
    read().unwrap_or_default()
}

/// The value, if the entry was stored under exactly these tags and stamps, and what its loader
/// named still has the stamps that `extra` gives.
pub(crate) fn open<T: DeserializeOwned + 'static>(
    format: &Format,
    bytes: &[u8],
    (names, stamps): Stamped<'_>,
    extra: impl Fn(&str) -> Option<Stamp>,
) -> Result<Opened<T>, Unusable> {
    let mut rest = Reader(bytes);
    let [version] = rest.take()?;
    let known = matches!(version, VERSION | VERSION_EXTRAS);
    if !known || rest.u64()? != checksum(rest.0) {
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
        let (stored_name, stored) = rest.stamped()?;
        if stored_name != name.as_bytes() || stored != *stamp {
            return Err(Unusable::Outdated);
        }
    }
    if version == VERSION_EXTRAS {
        let count = rest.u16()?;
        if count > EXTRAS_MAX {
            return Err(Unusable::Unreadable);
        }
        for _ in 0..count {
            let (name, stored) = rest.stamped()?;
            let text = std::str::from_utf8(name).map_err(|_| Unusable::Unreadable)?;
            if extra(text) != Some(stored) {
                return Err(Unusable::Outdated);
            }
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

    /// A name and its stamp.
    fn stamped(&mut self) -> Result<(&'a [u8], Stamp), Unusable> {
        let len = usize::from(self.u16()?);
        let name = self.slice(len)?;
        let (nonce, server) = (Nonce(self.take()?), ServerId(self.take()?));
        Ok((name, Stamp { nonce, server }))
    }

    fn slice(&mut self, len: usize) -> Result<&'a [u8], Unusable> {
        let (head, rest) = self.0.split_at_checked(len).ok_or(Unusable::Unreadable)?;
        self.0 = rest;
        Ok(head)
    }
}
