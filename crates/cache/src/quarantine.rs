//! Quarantine: tags whose change the shared level has not acknowledged yet.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use crate::cache::{Cache, Inner};
use crate::event::CacheEvent;
use crate::generations::Slot;
use crate::tag::Tag;

/// What can be invalidated. Every entry depends on its tags, on its namespace, and on all.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Target {
    Tag(Tag),
    Namespace(&'static str),
    All,
}

impl Target {
    /// The namespace it is counted under.
    pub(crate) fn family(&self) -> &'static str {
        match self {
            Self::Tag(tag) => tag.family(),
            Self::Namespace(name) => name,
            Self::All => "(all)",
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Detained {
    /// Renewed by every write: an acknowledgement older than the last write frees nobody.
    ticket: u64,
    not_before_ns: u64,
}

#[derive(Debug, Default)]
struct State {
    detained: HashMap<Target, Detained>,
    tickets: u64,
    relayed: bool,
}

/// Tags that are fenced off, one fence each. Bounded: beyond the limit all entries are.
#[derive(Debug)]
pub(crate) struct Quarantine {
    state: Mutex<State>,
    max: usize,
}

impl Quarantine {
    pub(crate) fn new(max: usize) -> Self {
        Self { state: Mutex::default(), max: max.max(1) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many tags, and whether it is all.
    pub(crate) fn counts(&self) -> (u64, bool) {
        let state = self.lock();
        (state.detained.len() as u64, state.detained.contains_key(&Target::All))
    }

    /// Takes over one fence of the target.
    fn admit(&self, state: &mut State, inner: &Inner, target: Target, not_before_ns: u64) {
        state.tickets += 1;
        let ticket = state.tickets;
        let crowded = state.detained.len() >= self.max && !state.detained.contains_key(&target);
        let all = state.detained.contains_key(&Target::All);
        let held = if crowded && !all && target != Target::All {
            tracing::warn!(cache.quarantined = state.detained.len(), "all entries are quarantined");
            inner.generations.root.raise();
            Target::All
        } else if all {
            Target::All
        } else {
            target.clone()
        };
        let own_fence_kept = held == target && !state.detained.contains_key(&held);
        let detained =
            state.detained.entry(held.clone()).or_insert(Detained { ticket, not_before_ns });
        detained.ticket = ticket;
        detained.not_before_ns = detained.not_before_ns.max(not_before_ns);
        match own_fence_kept {
            true => inner.slot(&target).bump(),
            false => inner.slot(&target).lower(),
        }
        if held == Target::All {
            let latest_ns = state.detained.values().map(|other| other.not_before_ns).max();
            state.detained.retain(|other, _| {
                let covered = *other != Target::All;
                if covered {
                    inner.slot(other).lower();
                }
                !covered
            });
            if let Some(all) = state.detained.get_mut(&Target::All) {
                all.not_before_ns = latest_ns.unwrap_or(not_before_ns);
            }
        }
    }

    /// Those that may leave now, at most 100; `None` when nobody is left.
    fn due(&self, now_ns: u64) -> Option<Vec<(Target, u64)>> {
        let mut state = self.lock();
        if state.detained.is_empty() {
            state.relayed = false;
            return None;
        }
        let ripe = state.detained.iter().filter(|(_, detained)| detained.not_before_ns <= now_ns);
        Some(ripe.take(100).map(|(target, held)| (target.clone(), held.ticket)).collect())
    }

    fn release(&self, inner: &Inner, batch: &[(Target, u64)]) {
        let mut state = self.lock();
        for (target, ticket) in batch {
            if state.detained.get(target).is_some_and(|held| held.ticket == *ticket) {
                state.detained.remove(target);
                inner.slot(target).lower();
            }
        }
        let left = state.detained.is_empty() && !batch.is_empty();
        drop(state);
        if left {
            inner.events.tell(&CacheEvent::QuarantineLeft);
        }
    }
}

impl Inner {
    pub(crate) fn slot(&self, target: &Target) -> &Slot {
        match target {
            Target::Tag(tag) => self.generations.slot(tag),
            Target::Namespace(name) => &self.namespaces.named(name).slot,
            Target::All => &self.generations.root,
        }
    }
}

impl Cache {
    /// Keeps fenced targets fenced until the shared level acknowledged them.
    pub(crate) fn detain(&self, targets: Vec<Target>, not_before_ns: u64) {
        let quarantine = &self.inner.quarantine;
        let mut state = quarantine.lock();
        let was_empty = state.detained.is_empty();
        for target in targets {
            quarantine.admit(&mut state, &self.inner, target, not_before_ns);
        }
        drop(state);
        if was_empty {
            self.inner.events.tell(&CacheEvent::QuarantineEntered);
        }
        self.tend_quarantine();
    }

    /// Called whenever a read meets a fence. Without a shared level time alone opens the doors;
    /// with one a task does, started here if there is none and if there is a runtime.
    pub(crate) fn tend_quarantine(&self) {
        let quarantine = &self.inner.quarantine;
        if self.inner.shared.is_none() {
            let now_ns = self.inner.clock.monotonic_ns();
            while let Some(batch) = quarantine.due(now_ns).filter(|batch| !batch.is_empty()) {
                quarantine.release(&self.inner, &batch);
            }
            return;
        }
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let mut state = quarantine.lock();
        if !state.relayed && !state.detained.is_empty() {
            state.relayed = true;
            drop(state);
            // Built here, so that it notices a runtime that shuts down before the first poll.
            let relay = Relay { cache: Arc::downgrade(&self.inner), done: false };
            runtime.spawn(relay.run());
        }
    }
}

/// The task that repeats invalidations. Its end, however it comes, lets another one start.
struct Relay {
    cache: Weak<Inner>,
    done: bool,
}

impl Relay {
    const PAUSE_MIN: Duration = Duration::from_millis(50);
    const PAUSE_MAX: Duration = Duration::from_secs(2);

    async fn run(mut self) {
        let mut pause = Self::PAUSE_MIN;
        loop {
            match self.attempt().await {
                None => {
                    self.done = true;
                    return;
                }
                Some(true) => pause = Self::PAUSE_MIN,
                Some(false) => pause = (pause * 2).min(Self::PAUSE_MAX),
            }
            tokio::time::sleep(pause).await;
        }
    }

    /// `None`: nothing is left to do. Otherwise whether the level answered.
    async fn attempt(&self) -> Option<bool> {
        let inner = self.cache.upgrade()?;
        let shared = inner.shared.as_ref()?;
        let batch = inner.quarantine.due(inner.clock.monotonic_ns())?;
        let targets: Vec<_> = batch.iter().map(|(target, _)| target.clone()).collect();
        let Some(first) = targets.first() else { return Some(true) };
        let acknowledged = shared.renew(inner.namespaces.named(first.family()), &targets).await;
        if acknowledged {
            inner.quarantine.release(&inner, &batch);
            inner.desk.wake(); // The level is back: so is the chance of what was left behind.
        }
        Some(acknowledged)
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        if let (false, Some(inner)) = (self.done, self.cache.upgrade()) {
            inner.quarantine.lock().relayed = false;
        }
    }
}
