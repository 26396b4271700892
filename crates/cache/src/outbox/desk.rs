//! What the writers of a cache and its relay share.

use std::ops::Deref;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use tokio::sync::Notify;

use super::{Outbox, ROWS_MAX, RelayOptions};
use crate::clock::Random;

/// Where finished rows are handed in, and where the relay waits.
#[derive(Default)]
pub(crate) struct Desk {
    attached: OnceLock<Attached>,
    finished: Mutex<Vec<i64>>,
    pub(super) bell: Notify,
    /// Somebody wants a look at the outbox at once.
    pub(super) urgent: AtomicBool,
    /// A relay is at work.
    pub(super) manned: AtomicBool,
    /// What was left behind at the start is relayed.
    pub(super) drained: AtomicBool,
    pub(super) relayed: AtomicU64,
    pub(super) failures: AtomicU64,
}

pub(super) struct Attached {
    pub(super) outbox: Arc<dyn Outbox>,
    pub(super) options: RelayOptions,
    next_id: AtomicI64,
}

impl Desk {
    /// Beyond this many finished rows the others are left to the relay.
    const FINISHED_MAX: usize = 50_000;

    pub(super) fn attach(
        &self,
        outbox: Arc<dyn Outbox>,
        options: RelayOptions,
        random: &dyn Random,
    ) -> bool {
        // Runs of ids begin anywhere in the lower half of the positive numbers: two processes meet
        // as often as two random numbers of 62 bits are neighbours.
        let first = i64::try_from(random.next_u64() >> 2).unwrap_or(0);
        self.attached.set(Attached { outbox, options, next_id: AtomicI64::new(first) }).is_ok()
    }

    pub(super) fn attached(&self) -> Option<&Attached> {
        self.attached.get()
    }

    pub(super) fn next_id(&self) -> Option<i64> {
        Some(self.attached.get()?.next_id.fetch_add(1, Ordering::Relaxed))
    }

    fn lock(&self) -> MutexGuard<'_, Vec<i64>> {
        self.finished.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The write of this row is known to every process, or changed nothing: the row may go.
    pub(crate) fn finish(&self, id: i64) {
        let mut finished = self.lock();
        if finished.len() < Self::FINISHED_MAX {
            finished.push(id);
        }
        let waiting = finished.len();
        drop(finished);
        if waiting == 1 || waiting == usize::from(ROWS_MAX) {
            self.bell.notify_one();
        }
    }

    /// Finished rows, at most one call's worth, in ascending order: relays that delete the same
    /// rows then wait for each other instead of for ever.
    pub(super) fn take_finished(&self) -> Vec<i64> {
        let mut finished = self.lock();
        let rest = finished.len().saturating_sub(usize::from(ROWS_MAX));
        let mut ids = finished.split_off(rest);
        drop(finished);
        ids.sort_unstable();
        ids
    }

    /// Whether the relay should not wait for more finished rows.
    pub(super) fn presses(&self) -> bool {
        self.urgent.load(Ordering::Relaxed) || self.lock().len() >= usize::from(ROWS_MAX)
    }

    pub(crate) fn wake(&self) {
        self.urgent.store(true, Ordering::Relaxed);
        self.bell.notify_one();
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.attached.get().is_some() && !self.drained.load(Ordering::Acquire)
    }

    /// Rows relayed for others, and rounds of the relay that failed.
    pub(crate) fn counts(&self) -> (u64, u64) {
        (self.relayed.load(Ordering::Relaxed), self.failures.load(Ordering::Relaxed))
    }
}

/// The cache's hold on its desk. When the cache goes, the relay is told.
#[derive(Default)]
pub(crate) struct DeskHandle(pub(super) Arc<Desk>);

impl Deref for DeskHandle {
    type Target = Desk;
    fn deref(&self) -> &Desk {
        &self.0
    }
}

impl Drop for DeskHandle {
    fn drop(&mut self) {
        self.0.bell.notify_one();
    }
}
