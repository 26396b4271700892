//! The in-process level of a build without it: there is none, and the compiler knows.

use crate::held::Held;
use crate::key::Key;

pub(crate) enum Memory {}

impl Memory {
    pub(crate) fn look<R>(&self, _: &Key, _: impl Fn(&Held) -> Option<R>) -> Option<R> {
        match *self {}
    }

    pub(crate) fn put(&self, held: Held, _: u64) {
        let _in_vain = (held.bytes, held.name.hash());
        match *self {}
    }

    pub(crate) fn free_named(&self, _: u64) {
        match *self {}
    }

    pub(crate) fn sweep(&self, _: u64) -> u64 {
        match *self {}
    }

    pub(crate) fn each(&self, _: impl FnMut(&'static str, u64)) {
        match *self {}
    }

    pub(crate) fn free(&self, _: impl Fn(&'static str) -> bool) -> u64 {
        match *self {}
    }
}
