//! The in-process level of a build without it: there is none, and the compiler knows.

use crate::held::Held;
use crate::key::Key;

pub(crate) enum Memory {}

impl Memory {
    pub(crate) fn get(&self, _: &Key) -> Option<Held> {
        match *self {}
    }

    pub(crate) fn put(&self, _: Key, held: Held, _: u64) {
        let _weighed_in_vain = held.bytes;
        match *self {}
    }

    pub(crate) fn sweep(&self, _: u64) {
        match *self {}
    }

    pub(crate) fn each(&self, _: impl FnMut(&Key, u64)) {
        match *self {}
    }

    pub(crate) fn free(&self, _: impl Fn(&Key) -> bool) -> u64 {
        match *self {}
    }
}
