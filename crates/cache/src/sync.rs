//! What generations are made of. The tests put another one of these beside the same code, whose
//! every interleaving they try: see `interleavings.rs`.

pub(crate) use std::sync::atomic::{AtomicU64, Ordering};

/// 1 MiB of generations. A tag loses an entry to a stranger's write once in this many writes:
/// where a fifth of all requests write, 16 384 cost a cache of some thousand entries about one hit
/// in a hundred.
pub(crate) const TAG_SLOTS: usize = 131_072;

/// Runs a test; here in the one order in which it happens.
#[cfg(test)]
pub(crate) fn explore(test: impl Fn() + Send + Sync + 'static) {
    test();
}
