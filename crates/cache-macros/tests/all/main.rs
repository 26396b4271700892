//! What the attributes write, run; and what they refuse.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests are tests")]

mod messages;
mod reads;
mod shapes;
mod writes;

use std::sync::atomic::{AtomicU64, Ordering};

use guildhall_cache::Cache;

/// Something that is asked, and counts how often.
#[derive(Debug, Default)]
pub(crate) struct Asked(AtomicU64);

impl Asked {
    pub(crate) fn once_more(&self) -> u64 {
        self.0.fetch_add(1, Ordering::SeqCst) + 1
    }

    pub(crate) fn times(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failed;

pub(crate) fn memory() -> Cache {
    Cache::builder().memory().jitter(false).build()
}
