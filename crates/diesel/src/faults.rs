//! Failures on cue, for tests of what is built on a storage.

use guildhall_repository::StorageError;

/// What is asked before and after every operation on a database, commits and roll-backs included.
/// Given to a storage by its `with_faults`; only with the feature `faults`, which is for tests.
pub trait Faults: Send + Sync {
    /// Before `operation`, such as `points.award` or `commit`. An error keeps it from running.
    ///
    /// # Errors
    /// Whatever the caller of the operation is to get.
    fn before(&self, operation: &'static str) -> Result<(), StorageError>;

    /// After `operation` was done. An error hides that it was: the answer got lost.
    ///
    /// # Errors
    /// Whatever the caller of the operation is to get.
    fn after(&self, operation: &'static str) -> Result<(), StorageError>;
}
