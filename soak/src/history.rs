//! What happened, as the processes and the database tell it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What of a member is read and written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Aspect {
    /// The point account: the version is the number of the next entry, the value the balance.
    Account,
    /// The row of the member: the version is its own, the value the write that named the member.
    Profile,
}

/// Something whose version rises by every committed write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Subject {
    /// Whose.
    pub member: i64,
    /// What.
    pub aspect: Aspect,
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.aspect {
            Aspect::Account => "account",
            Aspect::Profile => "profile",
        };
        write!(f, "{what} of member {}", self.member)
    }
}

/// A state of a subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// Of what.
    pub subject: Subject,
    /// Which version.
    pub version: i64,
    /// Tells states of one version apart: only one of them was committed.
    pub value: i64,
}

/// A read that gave an answer. Times are nanoseconds of the machine's monotonic clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Read {
    /// By which process; a restarted one is another.
    pub process: u32,
    /// Before the call.
    pub start_ns: u64,
    /// After its return.
    pub end_ns: u64,
    /// What it gave.
    pub state: State,
}

/// How a write ended, as far as its caller knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// It returned: these versions are committed.
    Acknowledged(Vec<(Subject, i64)>),
    /// It was refused or rolled back: nothing is written.
    Refused,
    /// Dropped, failed or killed: it may have been committed.
    Unknown,
}

/// A write or a unit of work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// Identifies it.
    pub op: i64,
    /// By which process.
    pub process: u32,
    /// Before the call.
    pub start_ns: u64,
    /// After its return, or when its caller gave it up or died.
    pub end_ns: u64,
    /// How it ended.
    pub outcome: Outcome,
}

/// A state that the database once showed to everybody, and the write that made it, if it was one
/// of this run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Committed {
    /// The state.
    pub state: State,
    /// The write.
    pub op: Option<i64>,
}

/// A time in which processes and Redis could not, or not reliably, reach each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outage {
    /// Why.
    pub fault: &'static str,
    /// From when.
    pub start_ns: u64,
    /// Until when.
    pub end_ns: u64,
}

/// A whole run.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// In any order.
    pub reads: Vec<Read>,
    /// In any order.
    pub writes: Vec<Write>,
    /// In any order.
    pub committed: Vec<Committed>,
    /// In any order.
    pub outages: Vec<Outage>,
}
