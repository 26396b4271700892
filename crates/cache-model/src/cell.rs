//! One experiment: who takes part, what may fail, what the protocol leaves out.

use crate::breach::Breaches;

/// Something that goes wrong, at any moment, as often as the cell's budget allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A tag's nonce is evicted.
    TagEvicted,
    /// The entry is evicted.
    EntryEvicted,
    /// A server is emptied.
    Wiped,
    /// A change of nonces never reaches its server.
    Lost,
    /// A change of nonces times out, and is applied any time later.
    Late,
    /// The client library sends the same SET again, and it lands any time later.
    Repeated,
    /// A server is restarted from a snapshot taken any time before, or replaced by a replica that
    /// lagged so far; whatever was there answers nobody any more.
    Restored,
    /// A message of the bus is lost.
    MessageLost,
    /// The writer's process dies after its commit. Its clients die with it.
    Crash,
    /// The relay does not wait for the writer to give up.
    EagerRelay,
    /// A process is restarted while its clients go on: what had returned to them still binds it.
    Restart,
    /// A server is replaced by a replica that lags, and the old primary still answers those who
    /// have not moved.
    SplitPrimary,
}

/// Something the protocol is told to do otherwise; mostly a part that is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    /// No generations, no fence: only the nonces.
    NoGenerations,
    /// The generation is not raised before the commit.
    NoBumpBefore,
    /// The generation is not raised after the acknowledgement.
    NoBumpAfter,
    /// A message drops the memory, and does not raise the generation.
    NoBumpByMessage,
    /// Reads beside a pending write use the cache.
    NoReadFence,
    /// A read puts into memory beside a pending write or a quarantine.
    NoPutFence,
    /// A read puts into memory under whatever generation.
    PutUnchecked,
    /// Flights are found by their key alone.
    JoinUnchecked,
    /// A flight of any age is joined.
    JoinAnyAge,
    /// The age in memory counts from the put.
    AgeFromPut,
    /// The nonces are taken after the load.
    StampAfterLoad,
    /// The nonce of the second tag is: the loader named the tag.
    NamedTagAfterLoad,
    /// Flights are found by their key; what one brings is taken if the generation of its leader
    /// is still the present one, and loaded anew otherwise. Not a weakening.
    JudgedLanding,
    /// Nonces are counted up instead of drawn.
    CountedNonces,
    /// A write deletes the tags' keys instead of setting nonces. Not a weakening.
    DeletedTags,
    /// The nonces change before the commit, and not after.
    ChangeBeforeCommit,
    /// The message goes out before the nonces change.
    PublishFirst,
    /// The nonces of a write change one after the other. Not a weakening.
    SeparateChanges,
    /// Stamps do not name the server's run.
    NoRun,
    /// No outbox and no relay.
    NoRelay,
    /// No quarantine.
    NoQuarantine,
    /// Fenced loads share a flight. Not a weakening.
    JoinFenced,
    /// A leader answers first and stores the entry afterwards. Not a weakening.
    AnswerFirst,
    /// A process that starts puts the tags of every open row in quarantine. Not a weakening.
    QuarantineAtStart,
    /// A receiver notices that it missed a message, and forgets everything.
    GapDetector,
    /// No excuse for memory when a message was lost.
    NoExcuse,
    /// Reads in one process have to be monotonic.
    Monotonic,
    /// A demoted primary takes no writes.
    DemotedReadOnly,
    /// A process leaves quarantine when its own change was acknowledged, not when the row is gone.
    OwnAcknowledgement,
    /// A process that moves to a new primary repeats the changes the old one acknowledged.
    RepeatAfterMove,
}

/// Faults or variants, as a set.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Set(u64);

impl Set {
    pub(crate) fn with(self, bit: u8) -> Self {
        Self(self.0 | 1 << bit)
    }

    pub(crate) fn has(self, bit: u8) -> bool {
        self.0 >> bit & 1 == 1
    }
}

/// How a write ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It commits, and knows it.
    Commit,
    /// It rolls back.
    RollBack,
    /// It commits, is told nothing, and takes that for a roll-back by mistake.
    Unknown,
}

/// One writer of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WriterSpec {
    pub(crate) process: u8,
    /// Bit mask of the tags it changes.
    pub(crate) tags: u8,
    pub(crate) ending: Ending,
}

/// In which order a reader is answered.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Order {
    /// All at one moment.
    AtOnce,
    /// One after the other: 0 is the entry, tags count from 1.
    InTurn(&'static [u8]),
    /// One after the other, in any order.
    Any,
}

/// One experiment.
#[derive(Clone, Debug)]
pub struct Cell {
    /// Which fault it tries, or how it differs from the other cells of its row.
    pub name: &'static str,
    /// Too big for every run of the test suite.
    pub large: bool,
    /// What must be found: exactly this.
    pub expected: Breaches,
    pub(crate) processes: usize,
    pub(crate) tags: usize,
    /// By tag: the server it lies on. The entry and the bus are on server 0.
    pub(crate) servers: [u8; 2],
    pub(crate) writers: Vec<WriterSpec>,
    pub(crate) readers: Vec<u8>,
    pub(crate) order: Order,
    pub(crate) faults: Set,
    pub(crate) fault_budget: u8,
    pub(crate) variants: Set,
}

impl Cell {
    /// Two processes, one tag, no fault, the protocol as it is. `readers` by their process.
    #[must_use]
    pub fn new(name: &'static str, writers: &[WriterSpec], readers: &[u8]) -> Self {
        Self {
            name,
            large: false,
            expected: Breaches::NONE,
            processes: 2,
            tags: 1,
            servers: [0, 0],
            writers: writers.to_vec(),
            readers: readers.to_vec(),
            order: Order::AtOnce,
            faults: Set::default(),
            fault_budget: 1,
            variants: Set::default(),
        }
    }

    pub(crate) fn has(&self, variant: Variant) -> bool {
        self.variants.has(variant as u8)
    }

    pub(crate) fn may(&self, fault: Fault) -> bool {
        self.faults.has(fault as u8)
    }

    pub(crate) fn fault(mut self, fault: Fault) -> Self {
        self.faults = self.faults.with(fault as u8);
        self
    }

    pub(crate) fn variants(mut self, variants: &[Variant]) -> Self {
        self.variants =
            variants.iter().fold(self.variants, |set, variant| set.with(*variant as u8));
        self
    }

    pub(crate) fn budget(mut self, fault_budget: u8) -> Self {
        self.fault_budget = fault_budget;
        self
    }

    pub(crate) fn processes(mut self, processes: usize) -> Self {
        self.processes = processes;
        self
    }

    /// Two tags, on these servers.
    pub(crate) fn two_tags(mut self, servers: [u8; 2]) -> Self {
        self.tags = 2;
        self.servers = servers;
        self
    }

    /// One tag, on another server than the entry.
    pub(crate) fn tag_elsewhere(mut self) -> Self {
        self.servers = [1, 1];
        self
    }

    pub(crate) fn order(mut self, order: Order) -> Self {
        self.order = order;
        self
    }

    pub(crate) fn expect(mut self, expected: Breaches) -> Self {
        self.expected = expected;
        self
    }

    pub(crate) fn nodes(&self) -> u8 {
        1 + self.servers[..self.tags].iter().copied().max().unwrap_or(0)
    }

    pub(crate) fn tags_mask(&self) -> u8 {
        (1 << self.tags) - 1
    }
}
