//! Many rows of one kind at once.

/// The most rows that are written at once.
pub const BATCH_MAX: usize = 1000;

/// One of several changes: of what, what becomes of it, and the version it is expected to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change<K, C> {
    /// What is changed.
    pub key: K,
    /// What becomes of it.
    pub change: C,
    /// Its version until then.
    pub expected_version: i64,
}
