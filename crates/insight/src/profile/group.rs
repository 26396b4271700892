//! The calls of one statement in one operation, and what they amount to.

use super::finding::{Evidence, FindingKind};
use super::options::Options;
use super::registry::Index;
use crate::fingerprint::{Normal, StatementKind};

/// How many binds are compared in one operation, for each statement.
pub(crate) const COMPARED_MAX: u32 = 64;

/// How many statements before a group are candidates for its parent.
const PARENTS_MAX: usize = 4;

/// A call as an operation sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen {
    pub(crate) index: Index,
    pub(crate) kind: StatementKind,
    pub(crate) begun_ns: u64,
    pub(crate) ended_ns: u64,
    pub(crate) rows: u64,
    pub(crate) batch: u32,
    /// The hash of its binds, if they were compared.
    pub(crate) binds: Option<u64>,
    /// How many writes the operation had made when it ended.
    pub(crate) writes: u64,
}

/// A statement that ran before, and the rows it gave.
pub(crate) type Parent = (Index, u64);

#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub(crate) index: Index,
    kind: StatementKind,
    calls: u64,
    rows: u64,
    rows_max: u64,
    /// How many calls gave `rows_max`.
    full: u64,
    batch_max: u32,
    total_ns: u64,
    longest_ns: u64,
    /// When the last of them ended so far.
    ended_ns: u64,
    /// When the first of them began.
    begun_ns: u64,
    overlapped: u64,
    compared: u32,
    distinct: Vec<u64>,
    uncompared: u64,
    after_write: u64,
    writes: u64,
    parents: [Option<Parent>; PARENTS_MAX],
}

impl Group {
    /// Of its first call; `before` are the statements that ran before it, the latest first.
    pub(crate) fn begin(seen: &Seen, before: impl Iterator<Item = Parent>) -> Self {
        let mut parents = [None; PARENTS_MAX];
        for (slot, parent) in parents.iter_mut().zip(before) {
            *slot = Some(parent);
        }
        let mut group = Self {
            index: seen.index,
            kind: seen.kind,
            calls: 0,
            rows: 0,
            rows_max: 0,
            full: 0,
            batch_max: 0,
            total_ns: 0,
            longest_ns: 0,
            ended_ns: 0,
            begun_ns: seen.begun_ns,
            overlapped: 0,
            compared: 0,
            distinct: Vec::new(),
            uncompared: 0,
            after_write: 0,
            writes: seen.writes,
            parents,
        };
        group.add(seen);
        group
    }

    pub(crate) fn add(&mut self, seen: &Seen) {
        if self.calls > 0 {
            if seen.begun_ns < self.ended_ns {
                self.overlapped += 1;
            }
            // Its own write does not count, the others' do.
            if seen.writes > self.writes + u64::from(seen.kind.writes()) {
                self.after_write += 1;
            }
            match seen.binds {
                Some(hash) => self.compare(hash),
                None => self.uncompared += 1,
            }
        } else if let Some(hash) = seen.binds {
            self.compare(hash);
        }
        self.calls += 1;
        self.rows += seen.rows;
        if seen.rows > self.rows_max {
            (self.rows_max, self.full) = (seen.rows, 0);
        }
        self.full += u64::from(seen.rows == self.rows_max);
        self.batch_max = self.batch_max.max(seen.batch);
        let total = seen.ended_ns.saturating_sub(seen.begun_ns);
        self.total_ns += total;
        self.longest_ns = self.longest_ns.max(total);
        self.begun_ns = self.begun_ns.min(seen.begun_ns);
        self.ended_ns = self.ended_ns.max(seen.ended_ns);
        self.writes = seen.writes;
    }

    fn compare(&mut self, hash: u64) {
        if self.compared >= COMPARED_MAX {
            self.uncompared += 1;
            return;
        }
        self.compared += 1;
        if !self.distinct.contains(&hash) {
            self.distinct.push(hash);
        }
    }

    /// Whether the next call is to be compared.
    pub(crate) fn compares(&self) -> bool {
        self.compared < COMPARED_MAX
    }

    /// Takes in what an inner operation saw of the same statement.
    pub(crate) fn merge(&mut self, inner: Self) {
        if inner.begun_ns < self.ended_ns {
            self.overlapped += inner.calls;
        } else {
            self.overlapped += inner.overlapped;
        }
        self.calls += inner.calls;
        self.rows += inner.rows;
        if inner.rows_max > self.rows_max {
            (self.rows_max, self.full) = (inner.rows_max, inner.full);
        } else if inner.rows_max == self.rows_max {
            self.full += inner.full;
        }
        self.batch_max = self.batch_max.max(inner.batch_max);
        self.total_ns += inner.total_ns;
        self.longest_ns = self.longest_ns.max(inner.longest_ns);
        self.begun_ns = self.begun_ns.min(inner.begun_ns);
        self.ended_ns = self.ended_ns.max(inner.ended_ns);
        self.compared = self.compared.saturating_add(inner.compared);
        self.uncompared += inner.uncompared;
        for hash in inner.distinct {
            if self.distinct.len() < COMPARED_MAX as usize && !self.distinct.contains(&hash) {
                self.distinct.push(hash);
            }
        }
        self.after_write += inner.after_write + u64::from(inner.writes > self.writes);
        self.writes = inner.writes;
    }

    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    /// The numbers of inner and outer operations differ: the outer one gives its own.
    pub(crate) fn moved_out(mut self, writes: u64, before: impl Iterator<Item = Parent>) -> Self {
        self.writes = writes;
        // What ran before within the inner operation is nearer.
        let mut outer = before;
        for slot in &mut self.parents {
            if slot.is_none() {
                *slot = outer.next();
            }
        }
        self
    }

    /// What the calls amount to.
    pub(crate) fn judge(
        &self,
        normal: &Normal,
        options: &Options,
    ) -> Option<(FindingKind, Evidence)> {
        let repeats_min = u64::from(options.repeats_min);
        if self.calls < repeats_min || self.kind == StatementKind::Transaction {
            return None;
        }
        let distinct = self.distinct.len() as u64;
        // The first call is compared only when an outer operation saw the statement before.
        let same_again = u64::from(self.compared).saturating_sub(distinct);
        let alike = distinct == 1 && self.compared > 1;
        let kind = if self.overlapped * 2 >= self.calls {
            FindingKind::FanOut
        } else if self.kind.writes() {
            if self.rows_max > 1 || self.batch_max > 1 {
                return None;
            }
            FindingKind::LoopedWrite
        } else if self.kind != StatementKind::Select || self.pages(normal) {
            return None;
        } else if self.compared == 0 {
            FindingKind::Repeated
        } else if alike || same_again + 1 >= repeats_min {
            if self.after_write * 2 >= self.calls || normal.locks() {
                return None;
            }
            FindingKind::Duplicate
        } else if self.rows_max <= options.n_plus_one_rows_max && distinct + 1 >= repeats_min {
            FindingKind::NPlusOne
        } else {
            return None;
        };
        let parent = self.parents.iter().flatten().find(|(_, rows)| *rows == self.calls);
        let evidence = Evidence {
            calls: self.calls,
            rows: self.rows,
            rows_max: self.rows_max,
            compared: u64::from(self.compared),
            distinct,
            overlapped: self.overlapped,
            total_ns: self.total_ns,
            longest_ns: self.longest_ns,
            parent: parent.filter(|_| kind != FindingKind::Duplicate).copied(),
        };
        Some((kind, evidence))
    }

    /// Page after page of one list: all full but the last.
    fn pages(&self, normal: &Normal) -> bool {
        normal.paged && self.calls - self.full <= 1
    }
}
