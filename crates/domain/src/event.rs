//! What happened, for whoever wants to react to it.

use crate::amount::Points;
use crate::text::Source;
use crate::time::Day;
use crate::user::{EntryId, UserId};

/// A fact that a workflow established. Returned to the caller, once for each fact.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DomainEvent {
    /// A member registered.
    UserCreated {
        /// The member.
        user: UserId,
    },
    /// A member's row changed.
    UserUpdated {
        /// The member.
        user: UserId,
    },
    /// A member was deleted.
    UserDeleted {
        /// The member.
        user: UserId,
    },
    /// A balance grew.
    PointsCredited {
        /// The member.
        user: UserId,
        /// The ledger entry.
        entry: EntryId,
        /// By how much, more than zero.
        amount: Points,
        /// What for.
        source: Source,
    },
    /// A balance shrank.
    PointsDebited {
        /// The member.
        user: UserId,
        /// The ledger entry.
        entry: EntryId,
        /// By how much, more than zero.
        amount: Points,
        /// What for.
        source: Source,
    },
    /// A member reached a level; passing several gives one event each.
    LevelUp {
        /// The member.
        user: UserId,
        /// The level reached.
        level: u32,
    },
    /// A member checked in for the day.
    CheckedIn {
        /// The member.
        user: UserId,
        /// The community day.
        day: Day,
        /// Days without a gap, this one included.
        streak: u32,
    },
}

impl DomainEvent {
    /// The stable name of the kind: `LevelUp`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::UserCreated { .. } => "UserCreated",
            Self::UserUpdated { .. } => "UserUpdated",
            Self::UserDeleted { .. } => "UserDeleted",
            Self::PointsCredited { .. } => "PointsCredited",
            Self::PointsDebited { .. } => "PointsDebited",
            Self::LevelUp { .. } => "LevelUp",
            Self::CheckedIn { .. } => "CheckedIn",
        }
    }
}

/// The result of an operation that takes effect once.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome<T> {
    /// The result, the same on every repeat.
    pub value: T,
    /// Whether an earlier call had done it; then nothing was written and `events` is empty.
    pub replayed: bool,
    /// What happened, in order.
    pub events: Vec<DomainEvent>,
}

impl<T> Outcome<T> {
    /// Done now.
    #[must_use]
    pub const fn new(value: T, events: Vec<DomainEvent>) -> Self {
        Self { value, replayed: false, events }
    }

    /// Done earlier.
    #[must_use]
    pub const fn replayed(value: T) -> Self {
        Self { value, replayed: true, events: Vec::new() }
    }

    /// The same outcome with another value.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Outcome<U> {
        Outcome { value: change(self.value), replayed: self.replayed, events: self.events }
    }
}
