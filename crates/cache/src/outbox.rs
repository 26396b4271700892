//! The outbox: what a write makes wrong, kept in the writer's own transaction until every process
//! can know of it, and the relay that takes care of rows which their writers left behind.

mod desk;
mod relay;

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::cache::Cache;
use crate::quarantine::Target;
use crate::tag::Tag;

pub(crate) use desk::DeskHandle;

/// Why an [`Outbox`] did not do what it was asked.
pub type OutboxError = Box<dyn Error + Send + Sync>;

/// One write, as it stands in the outbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxRow {
    /// Drawn by the writing process; never negative, ascending within a process, unique.
    pub id: i64,
    /// What the write makes wrong: one rendered name a line, at most 64 KiB in all. Opaque to the
    /// store, which gives it back as it came.
    pub targets: Arc<str>,
}

/// A table beside the data, in which writers leave what their writes make wrong.
///
/// A process may die between its commit and the change of the nonces, and the shared level may be
/// out of reach for as long as it likes. With an outbox neither leaves anything stale for longer
/// than a round of the relay. For that the application owes three things:
///
/// 1. **The row goes into the transaction of the write.** Take it from [`WriteGuard::outbox_row`]
///    (or [`Cache::outbox_row`]) and insert `id` and `targets` before the commit: both become
///    permanent together or not at all. A row that cannot be inserted fails the write.
/// 2. [`left_behind`](Self::left_behind) reads **committed** rows, from the primary. A row that was
///    committed before the call began is among them as soon as it is old enough.
/// 3. [`delete`](Self::delete) removes rows for good. Rows are never changed.
///
/// Nothing else is needed: no lock, no order, no owner. Rows may be taken by any number of
/// processes, and any number of times: that costs misses and nothing else.
///
/// [`WriteGuard::outbox_row`]: crate::WriteGuard::outbox_row
#[cfg_attr(feature = "mock", mockall::automock)] // Stays above `async_trait`: mockall requires it.
#[async_trait]
pub trait Outbox: Send + Sync {
    /// At most `limit` (1 to 500) committed rows that were written at least `age_min` ago, told by
    /// the store's own clock: those of processes differ. Oldest first, as far as that is cheap.
    async fn left_behind(
        &self,
        age_min: Duration,
        limit: u16,
    ) -> Result<Vec<OutboxRow>, OutboxError>;

    /// Deletes rows, at most 500. One that is not there is no error.
    async fn delete(&self, ids: &[i64]) -> Result<(), OutboxError>;
}

/// How a relay goes about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RelayOptions {
    /// From one look at the outbox to the next, give or take a quarter. Default 2 s.
    pub interval: Duration,
    /// Younger rows are left to their writers, who are probably about to delete them. Default 1 s.
    pub age_min: Duration,
    /// How long deletions of finished rows are collected. Default 100 ms.
    pub settle_delay: Duration,
}

impl Default for RelayOptions {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(2),
            age_min: Duration::from_secs(1),
            settle_delay: Duration::from_millis(100),
        }
    }
}

/// Rows a call of the outbox carries at most.
pub(crate) const ROWS_MAX: u16 = 500;

/// Longer lists of targets become "all".
const TARGETS_BYTES_MAX: usize = 64 << 10;

impl Cache {
    /// Makes invalidation durable: from now on writes have rows for `outbox`, and a task of this
    /// process relays those that are left behind, whoever wrote them. It ends with the cache. To
    /// be called once, within a tokio runtime, before the first read.
    ///
    /// Until the rows found at the start are relayed, every read goes to the loader: they may be
    /// of this program's own last run, whose writes must be seen.
    ///
    /// `false`, and nothing changes, without a shared level or with a relay already attached.
    pub fn relay(&self, outbox: Arc<dyn Outbox>, options: RelayOptions) -> bool {
        if self.inner.shared.is_none() {
            return false;
        }
        let root = &self.inner.generations.root;
        root.raise(); // First: whoever drains the outbox lowers it.
        let attached = self.inner.desk.attach(outbox, options, &*self.inner.random);
        match attached {
            true => relay::tend(&self.inner),
            false => root.lower(),
        }
        attached
    }

    /// Lets the relay look at the outbox now.
    pub fn wake_relay(&self) {
        self.inner.desk.wake();
        relay::tend(&self.inner);
    }

    /// Deletes the rows of finished writes now, rather than in a moment. For programs about to
    /// end: a row that stays costs somebody a miss.
    ///
    /// # Errors
    /// What the outbox reported, or that it did not answer in time.
    pub async fn settle_outbox(&self) -> Result<(), OutboxError> {
        relay::flush(&self.inner.desk).await
    }

    /// The row of a write of which only the result will say what it changed: it names everything
    /// the write could change, and is finished by a guard that [`settles`] it. `None` without a
    /// relay.
    ///
    /// [`settles`]: crate::WriteGuard::settles
    pub fn outbox_row(
        &self,
        tags: impl IntoIterator<Item = Tag>,
        namespaces: &[&'static str],
    ) -> Option<OutboxRow> {
        let tags = tags.into_iter().map(Target::Tag);
        let namespaces = namespaces.iter().map(|name| Target::Namespace(name));
        self.row_of(&tags.chain(namespaces).collect::<Vec<_>>())
    }

    pub(crate) fn row_of(&self, targets: &[Target]) -> Option<OutboxRow> {
        let shared = self.inner.shared.as_deref()?;
        let id = self.inner.desk.next_id().filter(|_| !targets.is_empty())?;
        relay::tend(&self.inner);
        let mut lines = String::new();
        for target in targets {
            if !lines.is_empty() {
                lines.push('\n');
            }
            lines.push_str(&shared.naming.target(target)); // Encoded: it holds no line break.
            if lines.len() > TARGETS_BYTES_MAX {
                lines = shared.naming.target(&Target::All);
                break;
            }
        }
        Some(OutboxRow { id, targets: lines.into() })
    }
}
