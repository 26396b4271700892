//! Writes: fenced off while they run, announced when they are over.

use tracing::Instrument;

use crate::cache::Cache;
use crate::namespace::Count;
use crate::outbox::OutboxRow;
use crate::quarantine::Target;
use crate::tag::Tag;
use crate::telemetry;

/// A write under way. Its tags' entries are neither served nor stored in this process until it
/// is concluded.
///
/// Call [`committed`](Self::committed) after the commit and before returning to the caller, or
/// [`rolled_back`](Self::rolled_back) when nothing was written. Dropped without either, the
/// outcome is unknown: the tags stay in quarantine for a grace period and until the shared level
/// acknowledged their change.
#[derive(Debug)]
#[must_use = "dropping it at once puts the tags in quarantine"]
pub struct WriteGuard {
    cache: Cache,
    targets: Vec<Target>,
    committed: bool,
    row: Option<i64>,
}

impl WriteGuard {
    pub(crate) fn new(cache: Cache) -> Self {
        Self { cache, targets: Vec::new(), committed: false, row: None }
    }

    /// Another tag that this write changes, before it is changed.
    pub fn add(&mut self, tag: Tag) {
        self.add_target(Target::Tag(tag));
    }

    /// Every entry whose key has this namespace: for writes that change nobody knows whose rows.
    pub fn add_namespace(&mut self, namespace: &'static str) {
        self.add_target(Target::Namespace(namespace));
    }

    pub(crate) fn add_target(&mut self, target: Target) {
        if !self.targets.contains(&target) {
            self.cache.inner.slot(&target).raise();
            self.targets.push(target);
        }
    }

    /// The row to insert in the transaction of this write, before its commit and after the last
    /// tag was added: see [`Outbox`](crate::Outbox). `None` without a relay or without tags.
    ///
    /// It is deleted some time after the write is concluded and acknowledged. Otherwise it stays,
    /// if it was committed, until a relay took care of it.
    pub fn outbox_row(&mut self) -> Option<OutboxRow> {
        let row = self.cache.row_of(&self.targets)?;
        self.row = Some(row.id);
        Some(row)
    }

    /// This write is the one of the row of [`Cache::outbox_row`], whose result named the tags.
    pub fn settles(&mut self, row: i64) {
        self.row = Some(row);
    }

    /// The write is committed. On return no read of this process gives an older value; `true`
    /// when that holds for the shared level too, `false` when it did not acknowledge and the tags
    /// are in quarantine here until it does.
    ///
    /// Dropped midway it counts as not acknowledged.
    pub async fn committed(mut self) -> bool {
        self.committed = true;
        let Some(first) = self.targets.first() else {
            self.finish_row();
            return true;
        };
        let namespace = self.cache.inner.namespaces.named(first.family());
        self.cache.tend_bus();
        let span = telemetry::write_span(namespace.name, self.targets.len());
        if let Some(shared) = &self.cache.inner.shared
            && !shared.renew(namespace, &self.targets).instrument(span).await
        {
            return false; // The drop puts the tags in quarantine.
        }
        self.count();
        self.free();
        self.lower();
        self.finish_row();
        true
    }

    /// The write is known to have changed nothing. No traffic.
    pub fn rolled_back(mut self) {
        self.lower();
    }

    fn finish_row(&mut self) {
        if let Some(row) = self.row.take() {
            self.cache.inner.desk.finish(row);
        }
    }

    fn lower(&mut self) {
        self.targets.drain(..).for_each(|target| self.cache.inner.slot(&target).lower());
    }

    /// An entry whose key is named like its tag, the usual case, makes room at once.
    fn free(&self) {
        let Some(memory) = &self.cache.inner.memory else { return };
        for target in &self.targets {
            if let Target::Tag(tag) = target {
                memory.free_named(tag.0.hash());
            }
        }
    }

    fn count(&self) {
        for target in &self.targets {
            self.cache.inner.namespaces.named(target.family()).invalidations.count();
        }
    }
}

impl Drop for WriteGuard {
    fn drop(&mut self) {
        if self.targets.is_empty() {
            return;
        }
        self.count();
        let now_ns = self.cache.inner.clock.monotonic_ns();
        let grace_ns = match self.committed {
            true => 0,
            false => self.cache.inner.settings.unknown_grace_ns,
        };
        let targets = std::mem::take(&mut self.targets);
        self.cache.detain(targets, now_ns.saturating_add(grace_ns));
    }
}
