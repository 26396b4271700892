//! How an entry looks in the shared level.
//!
//! All numbers little-endian. Version 1: `version u8, checksum u64, type u64, created_ms u64,
//! ttl_ms u64, tags u16, (length u16, name, nonce [16], server [20])…, payload`. The checksum
//! covers all that follows it; the payload is MessagePack with named fields.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::backend::{Nonce, ServerId, Stamp};
use crate::hash::Fold;

const VERSION: u8 = 1;

/// Why stored bytes are not a value. Always a miss.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unusable {
    /// A tag was invalidated since, or the entry has other tags: an ordinary miss.
    Outdated,
    /// Written by another release, for another type, or damaged.
    Unreadable,
}

/// Stamps with their tags' rendered names.
pub(crate) type Stamped<'a> = (&'a [String], &'a [Stamp]);

/// Recognises a Rust type. A renamed type is a miss after the deployment, no more.
fn fingerprint<T>() -> u64 {
    Fold::fixed().bytes(std::any::type_name::<T>().as_bytes()).get()
}

/// `None` when the value does not serialise or the names are too long or too many.
pub(crate) fn seal<T: Serialize>(
    value: &T,
    (names, stamps): Stamped<'_>,
    created_ms: u64,
    ttl_ms: u64,
) -> Option<Vec<u8>> {
    let mut bytes = vec![VERSION; 9];
    bytes.extend(fingerprint::<T>().to_le_bytes());
    bytes.extend(created_ms.to_le_bytes());
    bytes.extend(ttl_ms.to_le_bytes());
    bytes.extend(u16::try_from(names.len()).ok()?.to_le_bytes());
    for (name, stamp) in names.iter().zip(stamps) {
        bytes.extend(u16::try_from(name.len()).ok()?.to_le_bytes());
        bytes.extend(name.as_bytes());
        bytes.extend(stamp.nonce.0);
        bytes.extend(stamp.server.0);
    }
    rmp_serde::encode::write_named(&mut bytes, value).ok()?;
    let checksum = Fold::fixed().bytes(&bytes[9..]).get();
    bytes[1..9].copy_from_slice(&checksum.to_le_bytes());
    Some(bytes)
}

/// The value, if the entry was stored under exactly these tags and stamps.
pub(crate) fn open<T: DeserializeOwned>(
    bytes: &[u8],
    (names, stamps): Stamped<'_>,
) -> Result<T, Unusable> {
    let mut rest = Reader(bytes);
    let [version] = rest.take()?;
    let checksum = u64::from_le_bytes(rest.take()?);
    if version != VERSION || Fold::fixed().bytes(rest.0).get() != checksum {
        return Err(Unusable::Unreadable);
    }
    if u64::from_le_bytes(rest.take()?) != fingerprint::<T>() {
        return Err(Unusable::Unreadable);
    }
    let _created_and_ttl_ms: [u8; 16] = rest.take()?;
    if usize::from(u16::from_le_bytes(rest.take()?)) != names.len() {
        return Err(Unusable::Outdated);
    }
    for (name, stamp) in names.iter().zip(stamps) {
        let len = usize::from(u16::from_le_bytes(rest.take()?));
        let stored_name = rest.slice(len)?;
        let stored = Stamp { nonce: Nonce(rest.take()?), server: ServerId(rest.take()?) };
        if stored_name != name.as_bytes() || stored != *stamp {
            return Err(Unusable::Outdated);
        }
    }
    rmp_serde::from_slice(rest.0).map_err(|_| Unusable::Unreadable)
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], Unusable> {
        let (head, rest) = self.0.split_first_chunk().ok_or(Unusable::Unreadable)?;
        self.0 = rest;
        Ok(*head)
    }

    fn slice(&mut self, len: usize) -> Result<&'a [u8], Unusable> {
        let (head, rest) = self.0.split_at_checked(len).ok_or(Unusable::Unreadable)?;
        self.0 = rest;
        Ok(head)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn stamp(byte: u8) -> Stamp {
        Stamp { nonce: Nonce([byte; 16]), server: ServerId::from_text("a") }
    }

    fn sealed() -> (Vec<String>, Vec<Stamp>, Vec<u8>) {
        let names = vec!["user:1".to_owned(), "users".to_owned()];
        let stamps = vec![stamp(1), stamp(2)];
        let value = ("Ada".to_owned(), 7_i64, Some(vec![1_u8, 2]));
        let bytes = seal(&value, (&names, &stamps), 5, 6).unwrap();
        (names, stamps, bytes)
    }

    type Value = (String, i64, Option<Vec<u8>>);

    #[test]
    fn a_value_opens_under_its_own_stamps_only() {
        let (names, stamps, bytes) = sealed();
        let opened = open::<Value>(&bytes, (&names, &stamps)).unwrap();
        assert_eq!(opened, ("Ada".to_owned(), 7, Some(vec![1, 2])));
        let other = [stamps[0], stamp(3)];
        assert_eq!(open::<Value>(&bytes, (&names, &other)), Err(Unusable::Outdated));
        let restored = Stamp { server: ServerId::from_text("b"), ..stamps[1] };
        let other = [stamps[0], restored];
        assert_eq!(open::<Value>(&bytes, (&names, &other)), Err(Unusable::Outdated));
        assert_eq!(open::<Value>(&bytes, (&names[..1], &stamps[..1])), Err(Unusable::Outdated));
    }

    #[test]
    fn another_type_is_not_decoded_by_chance() {
        let (names, stamps, bytes) = sealed();
        let opened = open::<(String, u64, Option<Vec<u8>>)>(&bytes, (&names, &stamps));
        assert_eq!(opened, Err(Unusable::Unreadable));
    }

    proptest! {
        #[test]
        fn damaged_bytes_are_a_miss(cut in 0_usize..200, flip in 0_usize..1600) {
            let (names, stamps, bytes) = sealed();
            let stamped = (names.as_slice(), stamps.as_slice());
            let cut = cut % bytes.len();
            prop_assert!(open::<Value>(&bytes[..cut], stamped).is_err());
            let mut flipped = bytes.clone();
            flipped[(flip / 8) % bytes.len()] ^= 1 << (flip % 8);
            prop_assert!(open::<Value>(&flipped, stamped).is_err());
        }

        #[test]
        fn arbitrary_bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(open::<Value>(&bytes, (&[], &[])).is_err());
        }
    }
}
