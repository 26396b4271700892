//! A reader that gives up on a record without an end.

use std::cell::Cell;
use std::io::{Error, Read};
use std::rc::Rc;

/// No member's record is longer: 16 MiB.
pub(super) const RECORD_BYTES_MAX: u64 = 16 << 20;

/// How many bytes may still be read until the record must be over.
#[derive(Clone)]
pub(super) struct Budget(Rc<Cell<u64>>);

impl Budget {
    /// A new record begins.
    pub(super) fn renew(&self) {
        self.0.set(RECORD_BYTES_MAX);
    }

    /// What comes is skipped and not held, however long.
    pub(super) fn lift(&self) {
        self.0.set(u64::MAX);
    }

    pub(super) fn is_spent(&self) -> bool {
        self.0.get() == 0
    }
}

/// Counts the bytes that pass.
pub(super) struct Limited<R> {
    inner: R,
    budget: Budget,
}

impl<R> Limited<R> {
    pub(super) fn new(inner: R) -> Self {
        Self { inner, budget: Budget(Rc::new(Cell::new(RECORD_BYTES_MAX))) }
    }

    pub(super) fn budget(&self) -> Budget {
        self.budget.clone()
    }
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let left = self.budget.0.get();
        if left == 0 {
            return Err(Error::other("a record is too long"));
        }
        let read = self.inner.read(buffer)?;
        self.budget.0.set(left.saturating_sub(read as u64));
        Ok(read)
    }
}
