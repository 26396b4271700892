//! Generations: how this process knows that something it loaded may be old.

use super::sync::{AtomicU64, Ordering, TAG_SLOTS};
use crate::tag::Tag;

const FENCE_BITS: u32 = 24;
const FENCE: u64 = (1 << FENCE_BITS) - 1;
const STEP: u64 = 1 << FENCE_BITS;

/// A generation (upper 40 bits, only ever grows) and how many writers or quarantines fence it off
/// (lower 24 bits), in one word: one load gives both.
#[derive(Debug, Default)]
pub(crate) struct Slot(AtomicU64);

impl Slot {
    /// Next generation.
    pub(crate) fn bump(&self) {
        self.0.fetch_add(STEP, Ordering::SeqCst);
    }

    /// Next generation, one fence more.
    pub(crate) fn raise(&self) {
        self.0.fetch_add(STEP + 1, Ordering::SeqCst);
    }

    /// Next generation, one fence less. Each `raise` has exactly one.
    pub(crate) fn lower(&self) {
        self.0.fetch_add(STEP - 1, Ordering::SeqCst);
    }

    #[inline]
    fn load(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// What a read saw of its tags, all in one number: generations only grow, so for one set of tags
/// the sum is unchanged only if every one of them is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) generation: u64,
    pub(crate) fenced: bool,
}

/// The generations of all tags: a fixed array indexed by hash, never evicted nor reset. Tags that
/// share a slot invalidate each other, which costs a miss and nothing else.
#[derive(Debug)]
pub(crate) struct Generations {
    slots: Box<[Slot]>,
    /// Counts for every entry there is.
    pub(crate) root: Slot,
}

impl Generations {
    pub(crate) fn new() -> Self {
        let slots = (0..TAG_SLOTS).map(|_| Slot::default()).collect();
        Self { slots, root: Slot::default() }
    }

    #[inline]
    pub(crate) fn slot(&self, tag: &Tag) -> &Slot {
        self.slot_of(tag.0.hash())
    }

    #[inline]
    pub(crate) fn slot_of(&self, hash: u64) -> &Slot {
        // The upper bits: tables use the lower ones.
        &self.slots[(hash >> 40) as usize % TAG_SLOTS]
    }

    /// Of one tag that is known by its hash.
    pub(crate) fn see_hashed(&self, hash: u64) -> Seen {
        let state = self.slot_of(hash).load();
        Seen { generation: state >> FENCE_BITS, fenced: state & FENCE != 0 }
    }

    #[inline]
    pub(crate) fn see<'t>(&self, tags: impl Iterator<Item = &'t Tag>, namespace: &Slot) -> Seen {
        let (root, namespace) = (self.root.load(), namespace.load());
        let mut generation = (root >> FENCE_BITS).wrapping_add(namespace >> FENCE_BITS);
        let mut fence = (root | namespace) & FENCE;
        for tag in tags {
            let state = self.slot(tag).load();
            generation = generation.wrapping_add(state >> FENCE_BITS);
            fence |= state & FENCE;
        }
        Seen { generation, fenced: fence != 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sync::explore;
    use super::*;

    #[test]
    fn a_write_moves_the_generation_twice_and_fences_in_between() {
        explore(|| {
            let (generations, namespace) = (Generations::new(), Slot::default());
            let tag = Tag::new("user").id(1);
            let see = || generations.see([&tag].into_iter(), &namespace);
            let before = see();
            generations.slot(&tag).raise();
            let during = see();
            generations.slot(&tag).lower();
            let after = see();
            assert!(!before.fenced && during.fenced && !after.fenced);
            assert!(before.generation < during.generation && during.generation < after.generation);
        });
    }

    #[test]
    fn a_namespace_and_the_root_count_for_every_entry() {
        explore(|| {
            let (generations, namespace) = (Generations::new(), Slot::default());
            let see = || generations.see([].into_iter(), &namespace).generation;
            let first = see();
            namespace.bump();
            let second = see();
            generations.root.bump();
            assert!(first < second && second < see());
        });
    }
}
