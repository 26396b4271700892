//! 128 bits that stand for a state.

use std::hash::{BuildHasherDefault, Hash, Hasher};

use xxhash_rust::xxh3::xxh3_128;

/// Stands for a state in the set of those that were met. Among 10^8 states the chance that two
/// share one is below 10^-22.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) struct Fingerprint([u64; 2]);

impl Hash for Fingerprint {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0[0]);
    }
}

/// Packs the state and hashes the bytes.
pub(crate) fn fingerprint(state: &impl Hash) -> Fingerprint {
    let mut packer = Packer::default();
    state.hash(&mut packer);
    let hash = xxh3_128(&packer.bytes[..packer.len]);
    Fingerprint([(hash >> 64) as u64, hash as u64])
}

/// Collects what a derived `Hash` says of a state: one byte a field, as every number in a state
/// is below 256.
struct Packer {
    bytes: [u8; Self::BYTES_MAX],
    len: usize,
}

impl Packer {
    const BYTES_MAX: usize = 256;

    fn push(&mut self, byte: u8) {
        self.bytes[self.len] = byte;
        self.len += 1;
    }
}

impl Default for Packer {
    fn default() -> Self {
        Self { bytes: [0; Self::BYTES_MAX], len: 0 }
    }
}

impl Hasher for Packer {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.push(*byte));
    }

    fn write_u8(&mut self, value: u8) {
        self.push(value);
    }

    fn write_usize(&mut self, value: usize) {
        debug_assert!(value < 256);
        self.push(value as u8);
    }

    fn write_isize(&mut self, value: isize) {
        debug_assert!((0..256).contains(&value));
        self.push(value as u8);
    }

    fn finish(&self) -> u64 {
        xxh3_128(&self.bytes[..self.len]) as u64
    }
}

/// A table hashes a fingerprint by taking half of it.
#[derive(Default)]
pub(crate) struct Half(u64);

impl Hasher for Half {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// For tables keyed by fingerprints.
pub(crate) type ByHalf = BuildHasherDefault<Half>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_in_one_field_has_another_fingerprint() {
        let same = fingerprint(&(Some(1_u8), [2_u8, 3]));
        assert_eq!(same, fingerprint(&(Some(1_u8), [2_u8, 3])));
        assert_ne!(same, fingerprint(&(Some(1_u8), [3_u8, 2])));
        assert_ne!(same, fingerprint(&(None::<u8>, [2_u8, 3])));
    }
}
