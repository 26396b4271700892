//! Every interleaving of readers, writers, messages and evictions, on the code of the fence itself:
//! `generations.rs` and `fence.rs` are compiled a second time here, over atomics whose every step
//! loom schedules, as weakly ordered as the memory model lets them be. The table is the real one;
//! a step of its own stands before each use of it, for its locks are not loom's.
//!
//! Threads are switched against their will twice a run at most: all such runs are tried.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::sync::Arc;

use loom::thread;

use crate::held::{Held, Stored};
use crate::key::Key;
use crate::life::Ages;
use crate::namespace::Namespaces;
use crate::tag::Tag;

use generations::{Generations, Seen, Slot};
use memory::Memory;
use sync::{AtomicU64, Ordering};

#[allow(clippy::duplicate_mod, reason = "over other atomics")]
#[path = "generations.rs"]
mod generations;

#[allow(clippy::duplicate_mod, reason = "over other atomics")]
#[path = "fence.rs"]
mod fence;

mod sync {
    pub(crate) use loom::sync::atomic::{AtomicU64, Ordering};

    pub(crate) const TAG_SLOTS: usize = 2;

    pub(crate) fn explore(test: impl Fn() + Send + Sync + 'static) {
        let mut runs = loom::model::Builder::new();
        runs.preemption_bound = Some(2);
        runs.check(test);
    }
}

mod memory {
    use super::*;

    pub(crate) struct Memory {
        table: crate::memory::Memory,
        step: AtomicU64,
    }

    impl Memory {
        pub(crate) fn new() -> Self {
            let table = crate::memory::Memory::new(100, 100, Arc::new(Namespaces::new()));
            Self { table, step: AtomicU64::new(0) }
        }

        pub(crate) fn look<R>(&self, key: &Key, look: impl Fn(&Held) -> Option<R>) -> Option<R> {
            self.step.load(Ordering::Acquire);
            self.table.look(key, look)
        }

        pub(crate) fn put(&self, held: Held, now_ns: u64) {
            self.step.fetch_add(1, Ordering::AcqRel);
            self.table.put(held, now_ns);
        }

        pub(crate) fn evict(&self) {
            self.step.fetch_add(1, Ordering::AcqRel);
            self.table.free(|_| true);
        }
    }
}

/// What is done wrong on purpose, to see that it is found.
#[derive(Clone, Copy, PartialEq)]
enum Planted {
    Nothing,
    /// A reader looks at the generation when it has loaded, not before.
    LooksAfterLoad,
    /// A reader puts whatever it loaded, under whatever generation is the present one.
    PutsUnchecked,
    /// A reader minds neither the fence nor that it was raised.
    IgnoresFence,
    /// A writer moves the generation before it writes only.
    MovesBeforeOnly,
    /// Nothing: the tag is one that a loader named, known by its hash.
    KnownByHash,
    /// A writer moves nothing before it writes, and moves the generation after it returned.
    MovesTooLate,
}

struct World {
    planted: Planted,
    generations: Generations,
    namespace: Slot,
    memory: Memory,
    key: Key,
    tag: Tag,
    database: AtomicU64,
    /// The newest value whose write has returned in this process.
    returned: AtomicU64,
}

impl World {
    fn new(planted: Planted) -> Arc<Self> {
        Arc::new(Self {
            planted,
            generations: Generations::new(),
            namespace: Slot::default(),
            memory: Memory::new(),
            key: Key::new("user").id(1),
            tag: Tag::new("user").id(1),
            database: AtomicU64::new(0),
            returned: AtomicU64::new(0),
        })
    }

    fn see(&self) -> Seen {
        let mut seen = self.generations.see([&self.tag].into_iter(), &self.namespace);
        if self.planted == Planted::KnownByHash {
            seen = self.generations.see_hashed(self.tag.0.hash());
        }
        Seen { fenced: seen.fenced && self.planted != Planted::IgnoresFence, ..seen }
    }

    /// What an entry does, without what waits, ages and counts.
    fn read(&self) -> u64 {
        let mut seen = self.see();
        let value = |held: &Held| held.value.downcast_ref::<u64>().copied();
        if let Some(value) = fence::recall(&self.memory, &self.key, 0, seen, value) {
            return value;
        }
        let value = self.database.load(Ordering::Acquire);
        if self.planted == Planted::LooksAfterLoad {
            seen = self.see();
        }
        let mut held = stored(&self.key, value, seen.generation);
        match self.planted {
            Planted::PutsUnchecked => {
                held = stored(&self.key, value, self.see().generation);
                self.memory.put(held, 0);
            }
            _ => {
                fence::keep(&self.memory, held, seen, || self.see(), 0);
            }
        }
        value
    }

    /// P1: never older than what had returned when it began.
    fn checked_read(&self) {
        let floor = self.returned.load(Ordering::Acquire);
        let value = self.read();
        assert!(value >= floor, "older: {value} after {floor} had returned");
    }

    /// What a `WriteGuard` does.
    fn write(&self, value: u64) {
        let slot = self.generations.slot(&self.tag);
        match self.planted {
            Planted::MovesBeforeOnly => slot.bump(),
            Planted::MovesTooLate => {}
            _ => slot.raise(),
        }
        self.database.store(value, Ordering::Release);
        match self.planted {
            Planted::MovesBeforeOnly | Planted::MovesTooLate => {}
            _ => slot.lower(),
        }
        self.returned.store(value, Ordering::Release);
        if self.planted == Planted::MovesTooLate {
            slot.bump();
        }
    }

    /// Another process wrote, and its message arrives.
    fn write_elsewhere(&self, value: u64) {
        self.database.store(value, Ordering::Release);
        self.generations.slot(&self.tag).bump();
    }
}

fn stored(key: &Key, value: u64, generation: u64) -> Held {
    let ages = Ages { fresh_until_ns: 1, aged_until_ns: 1, fresh_ns: 1, load_ns: 1 };
    let (calm_until_ns, gone_ns) = (1, 1);
    Arc::new(Stored {
        name: key.0.resized(),
        generation,
        mark: 0,
        calm_until_ns,
        gone_ns,
        bytes: 1,
        ages,
        extras: None,
        value,
    })
}

fn beside(world: &Arc<World>, does: impl FnOnce(&World) + 'static) -> thread::JoinHandle<()> {
    let world = Arc::clone(world);
    thread::spawn(move || does(&world))
}

/// A writer, a reader beside it, and one that comes when it likes.
fn reads_beside_a_write(planted: Planted) {
    sync::explore(move || {
        let world = World::new(planted);
        let others = [beside(&world, |world| world.write(1)), beside(&world, World::checked_read)];
        world.checked_read();
        others.into_iter().for_each(|other| other.join().unwrap());
        world.checked_read();
    });
}

/// What these tests would prove nothing without.
#[test]
fn a_second_read_is_given_from_memory() {
    sync::explore(|| {
        let world = World::new(Planted::Nothing);
        world.read();
        world.database.store(7, Ordering::Release); // Past the cache.
        assert_eq!(world.read(), 0);
        world.memory.evict();
        assert_eq!(world.read(), 7);
    });
}

#[test]
fn no_read_is_older_than_a_write_that_returned() {
    reads_beside_a_write(Planted::Nothing);
}

#[test]
fn an_eviction_changes_nothing() {
    sync::explore(|| {
        let world = World::new(Planted::Nothing);
        world.read();
        let others =
            [beside(&world, |world| world.write(1)), beside(&world, |world| world.memory.evict())];
        world.checked_read();
        others.into_iter().for_each(|other| other.join().unwrap());
        world.checked_read();
    });
}

#[test]
fn two_writers_leave_nothing_old() {
    sync::explore(|| {
        let world = World::new(Planted::Nothing);
        world.read();
        let other = beside(&world, |world| {
            world.write(1);
            world.write(2);
        });
        world.checked_read();
        other.join().unwrap();
        assert_eq!(world.read(), 2);
    });
}

/// REST: until its message another process may be behind, then nothing old is left.
#[test]
fn after_the_message_nothing_old_is_in_memory() {
    sync::explore(|| {
        let world = World::new(Planted::Nothing);
        let others = [
            beside(&world, |world| world.write_elsewhere(1)),
            beside(&world, |world| {
                world.read();
            }),
        ];
        world.read();
        others.into_iter().for_each(|other| other.join().unwrap());
        assert_eq!(world.read(), 1, "older than the message");
    });
}

macro_rules! found {
    ($($test:ident: $planted:ident,)+) => {$(
        #[test]
        #[should_panic(expected = "older")]
        fn $test() {
            reads_beside_a_write(Planted::$planted);
        }
    )+};
}

found! {
    a_generation_looked_at_after_the_load_is_found: LooksAfterLoad,
    a_put_that_is_not_checked_is_found: PutsUnchecked,
    a_generation_moved_before_the_write_only_is_found: MovesBeforeOnly,
    a_generation_moved_after_the_return_is_found: MovesTooLate,
}

#[test]
fn a_tag_that_a_loader_named_fences_as_well() {
    reads_beside_a_write(Planted::KnownByHash);
}

/// Not load-bearing while the generation moves after the write: rows V2d and V2e of the model.
#[test]
fn without_the_fence_the_generations_hold() {
    reads_beside_a_write(Planted::IgnoresFence);
}
