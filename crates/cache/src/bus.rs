//! The task that hears what other processes changed, and tells them that this one lives.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use tokio::time::{MissedTickBehavior, interval};

use crate::backend::{BusEvent, BusEvents};
use crate::cache::{Cache, Inner};
use crate::event::CacheEvent;
use crate::message::{Arrival, Senders};
use crate::namespace::Count;
use crate::naming::Heard;
use crate::shared::Shared;
use crate::stats::BusStats;

/// What is known of the bus outside its task.
#[derive(Debug, Default)]
pub(crate) struct Bus {
    tended: AtomicBool,
    received: AtomicU64,
    gaps: AtomicU64,
    subscriptions: AtomicU64,
}

impl Bus {
    pub(crate) fn stats(&self, shared: Option<&Shared>) -> BusStats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        BusStats {
            sent: shared.map_or(0, |shared| read(&shared.post.sent)),
            received: read(&self.received),
            gaps: read(&self.gaps),
            subscriptions: read(&self.subscriptions),
        }
    }

    pub(crate) fn reset(&self) {
        for counter in [&self.received, &self.gaps, &self.subscriptions] {
            counter.store(0, Ordering::Relaxed);
        }
    }
}

impl Cache {
    /// Starts the task that listens and sweeps, if there is something to do and none yet. Called
    /// on every path that fills this process, so nothing is kept that no message could reach.
    pub(crate) fn tend_bus(&self) {
        let inner = &self.inner;
        if inner.bus.tended.load(Ordering::Relaxed) {
            return;
        }
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        if !inner.bus.tended.swap(true, Ordering::SeqCst) {
            // Built here, so that it notices a runtime that shuts down before the first poll.
            let watch = Watch {
                cache: Arc::downgrade(inner),
                events: None,
                senders: Senders::default(),
                ticks: 0,
                unanswered: 0,
            };
            runtime.spawn(watch.run());
        }
    }
}

/// The task. Its end, however it comes, lets another one start.
struct Watch {
    cache: Weak<Inner>,
    events: Option<BusEvents>,
    senders: Senders,
    ticks: u64,
    /// Heartbeats that the server took and that did not come back.
    unanswered: u32,
}

enum Happened {
    Tick,
    Event(BusEvent),
    Lost,
}

impl Watch {
    const SWEEP_BEATS: u64 = 5;
    const UNANSWERED_MAX: u32 = 3;

    async fn run(mut self) {
        let Some(period) = self.cache.upgrade().map(|inner| inner.settings.heartbeat) else {
            return;
        };
        let mut beat = interval(period);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let happened = tokio::select! {
                biased; // However many messages there are, the beat goes on.
                _ = beat.tick() => Happened::Tick,
                happened = next(&mut self.events) => happened,
            };
            let Some(inner) = self.cache.upgrade() else { return };
            match happened {
                Happened::Tick => self.tick(&inner).await,
                Happened::Event(BusEvent::Subscribed) => self.subscribed(&inner),
                Happened::Event(BusEvent::Message(bytes)) => self.hear(&inner, &bytes),
                Happened::Lost => {
                    self.events = None; // The next tick subscribes again.
                    inner.events.tell(&CacheEvent::BusLost);
                }
            }
        }
    }

    async fn tick(&mut self, inner: &Inner) {
        self.ticks += 1;
        if let Some(memory) = &inner.memory
            && self.ticks.is_multiple_of(Self::SWEEP_BEATS)
        {
            memory.sweep(inner.clock.monotonic_ns());
        }
        let Some(shared) = &inner.shared else { return };
        if inner.memory.is_some() && self.events.is_none() {
            self.events = shared.subscribe();
        }
        // A whole beat is left for what two connections deliver in another order.
        if self.senders.lost(self.ticks.saturating_sub(2)) {
            self.gap(inner);
        }
        // Who has said something repeats its number: else the loss of the last news would show
        // at the next, if ever. Who listens hears by its own whether the bus carries at all.
        let hears = self.events.is_some();
        let speaks = hears || shared.post.last() > 0;
        let taken = speaks && shared.heartbeat().await;
        if taken && hears {
            self.unanswered = self.unanswered.saturating_add(1);
        }
        if hears && self.unanswered > Self::UNANSWERED_MAX {
            if self.unanswered == Self::UNANSWERED_MAX + 1 {
                inner.events.tell(&CacheEvent::BusDeaf);
                tracing::warn!("messages of this process do not come back; keeping nothing here");
            }
            inner.forget_all();
        }
    }

    /// Any number of messages may have been missed before.
    fn subscribed(&mut self, inner: &Inner) {
        self.senders.restart();
        self.unanswered = 0;
        inner.bus.subscriptions.count();
        inner.forget_all();
        inner.events.tell(&CacheEvent::BusSubscribed);
    }

    fn hear(&mut self, inner: &Inner, bytes: &[u8]) {
        let Some(shared) = &inner.shared else { return };
        let message = match shared.post.read(bytes) {
            Ok(Some(message)) => message,
            Ok(None) => return,
            // A later release says something this one does not understand: the safe reading.
            Err(_) => return self.gap(inner),
        };
        if message.origin == shared.post.origin {
            self.unanswered = 0;
            return;
        }
        inner.bus.received.count();
        for target in &message.targets {
            inner.hear(shared.naming.hear(target));
        }
        match self.senders.arrive(&message, self.ticks) {
            Arrival::Expected => {}
            Arrival::Stranger => inner.forget_all(),
            Arrival::Gap => self.gap(inner),
        }
    }

    fn gap(&mut self, inner: &Inner) {
        self.senders.forgive();
        inner.bus.gaps.count();
        inner.forget_all();
        inner.events.tell(&CacheEvent::BusGap);
    }
}

async fn next(events: &mut Option<BusEvents>) -> Happened {
    match events {
        Some(events) => events.recv().await.map_or(Happened::Lost, Happened::Event),
        None => std::future::pending().await,
    }
}

impl Inner {
    /// Drops everything in this process. What the shared level has stays right.
    pub(crate) fn forget_all(&self) {
        self.generations.root.bump();
        if let Some(memory) = &self.memory {
            memory.free(|_| true);
        }
    }

    /// Somebody else changed this. What is not understood counts as everything.
    fn hear(&self, heard: Option<Heard>) {
        match heard {
            Some(Heard::Tag(hash)) => {
                self.generations.slot_of(hash).bump();
                if let Some(memory) = &self.memory {
                    memory.free_named(hash);
                }
            }
            Some(Heard::Namespace(name)) => {
                if let Some(namespace) = self.namespaces.find(&name) {
                    namespace.slot.bump();
                }
            }
            Some(Heard::All) | None => self.forget_all(),
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(inner) = self.cache.upgrade() {
            inner.bus.tended.store(false, Ordering::SeqCst);
        }
    }
}
