//! What writing many rows at once has in common.

use std::collections::HashSet;
use std::hash::Hash;

use guildhall_domain::Rule;
use guildhall_repository::{BATCH_MAX, Change, StorageError};

/// Refuses a batch of too many.
pub(crate) fn fits(field: &'static str, rows: usize) -> Result<(), StorageError> {
    let rule = Rule::TooLong { max: BATCH_MAX };
    if rows > BATCH_MAX { Err(StorageError::invalid(field, rule)) } else { Ok(()) }
}

/// The first key that is stored already, or that stands before in the batch.
pub(crate) fn first_taken<K: Clone + Eq + Hash>(
    stored: Vec<K>,
    keys: impl IntoIterator<Item = K>,
) -> Option<K> {
    let mut taken: HashSet<K> = stored.into_iter().collect();
    keys.into_iter().find(|key| !taken.insert(key.clone()))
}

/// Changes in the order of their keys, so that no two batches wait for each other in a circle;
/// several of one key stay in the order given.
pub(crate) fn in_order<K: Ord, C>(changes: &[Change<K, C>]) -> Vec<&Change<K, C>> {
    let mut changes: Vec<_> = changes.iter().collect();
    changes.sort_by(|a, b| a.key.cmp(&b.key));
    changes
}
