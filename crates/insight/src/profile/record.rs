//! What is known of a call under way, kept in its connection.

use std::any::TypeId;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use super::core::OwnTime;
use super::registry::{Known, hash_of};
use super::scope::Scope;

/// How many typed statements a connection knows by itself, without asking what all share.
const TYPES: usize = 16;

/// Smaller than an `Option`.
pub(super) const NOT_YET: u64 = u64::MAX;

pub(super) fn known(ns: u64) -> Option<u64> {
    (ns != NOT_YET).then_some(ns)
}

/// One call after the other: a connection has one at a time, since a call borrows it.
pub(crate) struct Record {
    pub(super) known: Known,
    pub(super) scope: Option<Arc<Scope>>,
    pub(super) depth: u32,
    pub(super) pool_wait_ns: u64,
    /// [`NOT_YET`] before it began; the same for the next.
    pub(super) begun_ns: u64,
    pub(super) first_response_ns: u64,
    pub(super) rows: u64,
    pub(super) polled: bool,
    pub(super) ended: bool,
    pub(super) counts_reads: bool,
    /// The hash of its binds, if they are compared.
    pub(super) binds: Option<u64>,
    pub(super) window: Option<(Option<u64>, Option<u64>)>,
    /// What the profiler itself took so far; [`NOT_YET`] when that is not measured.
    pub(super) own_ns: u64,
    /// Calls so far.
    turn: u32,
    types: [Option<(TypeId, Known)>; TYPES],
}

impl Default for Record {
    fn default() -> Self {
        Self {
            known: Known::default(),
            scope: None,
            depth: 0,
            pool_wait_ns: 0,
            begun_ns: NOT_YET,
            first_response_ns: NOT_YET,
            rows: 0,
            polled: false,
            ended: false,
            counts_reads: false,
            binds: None,
            window: None,
            own_ns: NOT_YET,
            turn: 0,
            types: [None; TYPES],
        }
    }
}

impl Record {
    /// Makes room for the next call.
    #[inline]
    pub(super) fn begin(&mut self, known: Known, depth: u32, pool_wait_ns: u64, counts: bool) {
        self.known = known;
        self.depth = depth;
        self.pool_wait_ns = pool_wait_ns;
        (self.begun_ns, self.first_response_ns) = (NOT_YET, NOT_YET);
        self.rows = 0;
        (self.polled, self.ended, self.counts_reads) = (false, false, counts);
        (self.binds, self.window) = (None, None);
        self.own_ns = NOT_YET;
    }

    /// The statement of a type, looked for elsewhere only if it is not known here.
    #[inline]
    pub(super) fn typed(&mut self, id: TypeId, find: impl FnOnce() -> Option<Known>) -> Known {
        let place = hash_of(id) as usize % TYPES;
        match self.types.get(place) {
            Some(Some((own, known))) if *own == id => *known,
            _ => self.learn(place, id, find()),
        }
    }

    #[cold]
    fn learn(&mut self, place: usize, id: TypeId, found: Option<Known>) -> Known {
        if let (Some(known), Some(record)) = (found, self.types.get_mut(place)) {
            *record = Some((id, known));
        }
        found.unwrap_or_default()
    }
}

/// Where a call's record is.
pub(crate) enum Place<'c> {
    /// In the connection, which the call has for itself.
    Lent(&'c mut Record),
    /// Its own: it shares the connection with other calls.
    Own(Box<Record>),
}

impl Place<'_> {
    /// Whether the profiler's own time is taken. Calls that share a connection are left out.
    #[inline]
    pub(super) fn is_measured(&mut self) -> bool {
        match self {
            Self::Lent(record) => OwnTime::begins(&mut record.turn),
            Self::Own(_) => false,
        }
    }
}

impl Deref for Place<'_> {
    type Target = Record;

    #[inline]
    fn deref(&self) -> &Record {
        match self {
            Self::Lent(record) => record,
            Self::Own(record) => record,
        }
    }
}

impl DerefMut for Place<'_> {
    #[inline]
    fn deref_mut(&mut self) -> &mut Record {
        match self {
            Self::Lent(record) => record,
            Self::Own(record) => record,
        }
    }
}
