//! Comparing what the cache says with what the loader says.

use std::future::Future;

use crate::entry::{Entry, Loaded, Shape, Value};
use crate::event::CacheEvent;
use crate::extra::Named;
use crate::generations::Seen;
use crate::namespace::Count;

impl<T> Entry<'_, T> {
    /// Whether this hit is one of the sample.
    pub(crate) fn is_audited(&self) -> bool {
        let inner = &*self.cache.inner;
        if inner.settings.dry_run {
            return true;
        }
        let share = self.options.audited;
        share > 0.0 && ((inner.random.next_u64() >> 40) as f32) < share * (1_u32 << 24) as f32
    }

    /// A hit, or for a sample the loader's answer. A loader that fails does no harm here, unless
    /// it is a dry run.
    pub(crate) async fn audit<S, E, L, F>(&self, hit: S, seen: Seen, loader: L) -> Result<S, E>
    where
        S: Value,
        L: FnOnce(Option<S>) -> F,
        F: Future<Output = Result<Loaded<S>, E>>,
        Self: Shape<S>,
    {
        if !self.is_audited() {
            return Ok(hit);
        }
        let (loaded, named) = match self.timed(loader(Some(hit.clone()))).await {
            Ok(loaded) => {
                let (value, _, named) = loaded.into_parts(self.ttl);
                (value, named)
            }
            Err(error) if self.cache.inner.settings.dry_run => return Err(error),
            Err(_) => return Ok(hit), // Counted as a failed load.
        };
        self.note_audit(&hit, &loaded, seen, !matches!(named, Named::Nothing)).await;
        Ok(loaded)
    }

    /// Counts a hit that was compared. After a write a difference proves nothing: the hit may
    /// have been right in its time.
    pub(crate) async fn note_audit<S>(&self, hit: &S, loaded: &S, seen: Seen, tagged: bool)
    where
        S: Value,
        Self: Shape<S>,
    {
        self.namespace.audits.count();
        if !self.agree(hit, loaded)
            && self.see() == seen
            && self.still_says(hit).await
            && (!tagged || self.still_gives(hit, seen).await)
        {
            self.namespace.audit_stale.count();
            let namespace = self.namespace.name;
            self.cache.inner.events.tell(&CacheEvent::StaleHit { namespace });
            tracing::warn!(cache.namespace = namespace, "a hit differs from the loader's answer");
        }
    }

    fn agree<S>(&self, left: &S, right: &S) -> bool
    where
        S: Value,
        Self: Shape<S>,
    {
        let bytes = |value| rmp_serde::to_vec_named(value).ok();
        self.same(left, right).unwrap_or_else(|| bytes(left) == bytes(right))
    }

    /// Whether some level still gives it: where its loader named tags, it may have been right
    /// until one of them was written.
    async fn still_gives<S>(&self, hit: &S, seen: Seen) -> bool
    where
        S: Value,
        Self: Shape<S>,
    {
        let mut kept = self.remembered::<S>(seen, self.now_ns());
        if let (None, Some(shared)) = (&kept, self.shared()) {
            kept = self.peeked::<S>(shared).await;
        }
        kept.is_some_and(|kept| self.agree(hit, &kept.value))
    }

    /// Whether the shared level, if there is one, would still give this value.
    async fn still_says<S>(&self, hit: &S) -> bool
    where
        S: Value,
        Self: Shape<S>,
    {
        let Some(shared) = self.shared().filter(|_| self.options.reads_shared()) else {
            return true;
        };
        let kept = self.peeked::<S>(shared).await;
        kept.is_none_or(|kept| self.agree(hit, &kept.value))
    }
}
