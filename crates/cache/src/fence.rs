//! Between what was loaded and the memory of this process: a value that a write has overtaken is
//! neither kept nor given.

use super::generations::Seen;
use super::memory::Memory;
use crate::held::Held;
use crate::key::Key;

/// What `look` makes of what is kept, if it was loaded under the generation that this read has seen,
/// and under these tags.
#[inline(always)]
pub(crate) fn recall<R>(
    memory: &Memory,
    key: &Key,
    mark: u64,
    seen: Seen,
    look: impl Fn(&Held) -> Option<R>,
) -> Option<R> {
    if seen.fenced {
        return None;
    }
    memory.look(key, |held| {
        let current = held.generation == seen.generation && held.mark == mark;
        if current { look(held) } else { None }
    })
}

/// Keeps a value that was loaded after `seen`, unless a write has begun or ended since. One that
/// begins between the look and the put finds the value under a generation that is over.
pub(crate) fn keep(
    memory: &Memory,
    held: Held,
    seen: Seen,
    see: impl FnOnce() -> Seen,
    now_ns: u64,
) -> bool {
    let keeps = !seen.fenced && see() == seen;
    if keeps {
        memory.put(held, now_ns);
    }
    keeps
}
