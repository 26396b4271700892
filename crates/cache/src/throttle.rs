//! Loaders that failed a moment ago and are left in peace.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::hash::Precomputed;
use crate::key::Key;

/// Keys whose loader failed, until when. Bounded: beyond that a loader is asked too often.
#[derive(Debug, Default)]
pub(crate) struct Throttles {
    until_ns: Mutex<HashMap<Key, u64, Precomputed>>,
}

impl Throttles {
    const MAX: usize = 4_096;

    pub(crate) fn begin(&self, key: &Key, now_ns: u64, until_ns: u64) {
        let mut table = self.until_ns.lock().unwrap_or_else(PoisonError::into_inner);
        if table.len() >= Self::MAX {
            table.retain(|_, until_ns| *until_ns > now_ns);
        }
        if table.len() < Self::MAX {
            table.insert(key.clone(), until_ns);
        }
    }

    pub(crate) fn lasts(&self, key: &Key, now_ns: u64) -> bool {
        let mut table = self.until_ns.lock().unwrap_or_else(PoisonError::into_inner);
        match table.get(key) {
            Some(until_ns) if *until_ns > now_ns => true,
            Some(_) => {
                table.remove(key);
                false
            }
            None => false,
        }
    }
}
