//! The one hash of this crate: folded multiplication, seeded per process for tables.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

const ODD: u64 = 0x9E37_79B9_7F4A_7C15;
/// For numbers, so that no sequence of numbers hashes like a text.
const ODD_TOO: u64 = 0xD6E8_FEB8_6659_FD93;

/// Random per process, so that nobody can prepare colliding identifiers. Zero: not drawn yet.
static SEED: AtomicU64 = AtomicU64::new(0);

/// A `LazyLock` would do but for this: `extern "C"` tells the compiler that nothing unwinds from
/// here, and so a key under construction can stay in registers.
#[cold]
extern "C" fn draw_seed() -> u64 {
    let drawn = RandomState::new().hash_one(ODD) | 1;
    match SEED.compare_exchange(0, drawn, Ordering::Relaxed, Ordering::Relaxed) {
        Ok(_) => drawn,
        Err(first) => first,
    }
}

/// A running hash. `Copy`: every step gives a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fold(u64);

impl Fold {
    /// For tables in this process.
    #[inline(always)]
    pub(crate) fn seeded() -> Self {
        match SEED.load(Ordering::Relaxed) {
            0 => Self(draw_seed()),
            seed => Self(seed),
        }
    }

    /// The same in every process: for checksums and fingerprints.
    pub(crate) const fn fixed() -> Self {
        Self(0x243F_6A88_85A3_08D3)
    }

    #[inline(always)]
    const fn folded(self, word: u64, odd: u64) -> Self {
        let wide = ((self.0 ^ word) as u128) * (odd as u128);
        Self(((wide as u64) ^ ((wide >> 64) as u64)).wrapping_add(ODD).rotate_left(23))
    }

    #[inline(always)]
    pub(crate) const fn word(self, word: u64) -> Self {
        self.folded(word, ODD)
    }

    #[inline(always)]
    pub(crate) const fn number(self, number: i64) -> Self {
        self.folded(number as u64, ODD_TOO)
    }

    #[inline(always)]
    pub(crate) fn bytes(self, bytes: &[u8]) -> Self {
        let mut hash = self.word(bytes.len() as u64);
        let (words, tail) = bytes.as_chunks::<8>();
        for word in words {
            hash = hash.word(u64::from_le_bytes(*word));
        }
        hash.word(tail.iter().fold(0, |word, byte| (word << 8) | u64::from(*byte)))
    }

    #[inline(always)]
    pub(crate) fn get(self) -> u64 {
        self.0
    }
}

/// Hands a hash that the key computed beforehand to a table.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Precomputed(u64);

impl Hasher for Precomputed {
    #[inline]
    fn finish(&self) -> u64 {
        self.0
    }

    #[inline]
    fn write_u64(&mut self, hash: u64) {
        self.0 = self.0.rotate_left(29) ^ hash;
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = Fold(self.0).bytes(bytes).get();
    }
}

impl BuildHasher for Precomputed {
    type Hasher = Self;

    #[inline]
    fn build_hasher(&self) -> Self {
        Self(0)
    }
}
