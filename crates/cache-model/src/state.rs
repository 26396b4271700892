//! One moment of the modelled world, small and of fixed size: states are copied by the million.

use crate::fingerprint::{Fingerprint, fingerprint};

/// Most processes a cell may have.
pub const PROCESSES_MAX: usize = 3;
/// Most tags the entry may have, and most servers they may lie on.
pub const TAGS_MAX: usize = 2;
/// Most writers of a cell: the newest version there can be.
pub const WRITERS_MAX: usize = 3;
/// Most readers of a cell.
pub const READERS_MAX: usize = 4;

/// A version of the row in the database; 0 is there from the start.
pub(crate) type Version = u8;

/// What a tag's nonce is called. Nonces are only compared with each other, so names are handed
/// out anew in every state; see [`State::rename_nonces`].
pub(crate) type Nonce = u8;
/// The tag has no nonce.
pub(crate) const MISSING: Nonce = 0;
/// From here on, names of nonces that were drawn in the step under way. Below is room for one
/// name for every place in a state that can hold a nonce.
const DRAWN: Nonce = 32;
const NAMES: usize = 40;

/// A nonce and the run of the server that told it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Stamp {
    pub(crate) nonce: Nonce,
    pub(crate) run: u8,
}

/// An entry of the shared level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Entry {
    pub(crate) value: Version,
    pub(crate) stamps: [Stamp; TAGS_MAX],
}

/// What the servers of the shared level hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Shared {
    pub(crate) entry: Option<Entry>,
    pub(crate) nonces: [Nonce; TAGS_MAX],
    /// By server: how often it was restarted from a snapshot or replaced by its replica.
    pub(crate) runs: [u8; TAGS_MAX],
}

/// What one server held once, on disk or on a replica that lags.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Snapshot {
    pub(crate) server: u8,
    pub(crate) entry: Option<Entry>,
    pub(crate) nonces: [Nonce; TAGS_MAX],
}

/// A committed row of the outbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Row {
    /// Bit mask.
    pub(crate) tags: u8,
    /// Bit mask of the tags that the relay has changed already.
    pub(crate) changed: u8,
    /// Its writer will not look after it any more.
    pub(crate) orphan: bool,
}

/// An entry of a process's own memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Held {
    pub(crate) value: Version,
    /// The newest acknowledged change when its age began to count.
    pub(crate) birth: Version,
}

/// One process. Its generation is kept as a bit in every read: "unchanged since I began".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Process {
    pub(crate) held: Option<Held>,
    pub(crate) pending: u8,
    /// Bit mask of versions.
    pub(crate) quarantine: u8,
    /// Bit mask of versions whose change a demoted primary acknowledged to this process.
    pub(crate) doubtful: u8,
    /// Messages under way to it, in order; they are all equal, as there is one key.
    pub(crate) messages: u8,
    /// It missed a message.
    pub(crate) missed: bool,
    /// It is still connected to the demoted primary.
    pub(crate) behind: bool,
    /// Ghost: the newest version whose write returned here.
    pub(crate) returned: Version,
    /// Ghost: the newest version a finished read gave here. Counted only where it is asked for.
    pub(crate) seen: Version,
}

/// Where a writer stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Writing {
    /// Not begun.
    #[default]
    Idle,
    /// Weakened protocols only: about to change the nonces before the commit.
    Changing0,
    /// Its transaction is open.
    Open,
    /// Committed; about to change the nonces.
    Changing,
    /// About to publish.
    Publishing,
    /// Everything was acknowledged; about to return.
    Acknowledged,
    /// The shared level did not acknowledge; about to return.
    Refused,
    /// Returned, rolled back or dead.
    Over,
}

/// One writer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Writer {
    pub(crate) at: Writing,
    /// What it committed.
    pub(crate) version: Version,
    /// Tags whose change was sent.
    pub(crate) sent: u8,
    /// One of them was not acknowledged.
    pub(crate) failed: bool,
    /// The change was acknowledged by a demoted primary.
    pub(crate) doubtful: bool,
    /// The nonce of the last SET, where the client may send the same bytes again.
    pub(crate) repeat: Nonce,
}

/// Where a reader stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Reading {
    /// Not a reader of this cell.
    #[default]
    Absent,
    /// Not begun.
    Idle,
    /// Asking for the entry and the nonces.
    Asking,
    /// About to give nonces to tags that had none.
    Adopting,
    /// About to load.
    Loading,
    /// Weakened protocol only: about to take the nonces after the load.
    Stamping,
    /// About to store the entry in the shared level.
    Storing,
    /// About to put the value into memory and to return it.
    Returning,
    /// Fenced off: about to load and to return, storing nothing.
    Fenced,
    /// Waits for somebody else's flight.
    Joined,
    /// Returned, and still to store the entry in the shared level.
    StoringLate,
    /// Returned or dead.
    Over,
}

/// One reader.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Reader {
    pub(crate) process: u8,
    pub(crate) at: Reading,
    /// Ghosts, taken at the start: what had returned in the process, which change was
    /// acknowledged more than the bound ago, which was acknowledged at all, what had been seen.
    pub(crate) floor: Version,
    pub(crate) bound: Version,
    pub(crate) birth: Version,
    pub(crate) seen: Version,
    /// Ghost: somebody was still connected to the demoted primary when it began.
    pub(crate) early: bool,
    /// The generation has not changed since the start.
    pub(crate) unchanged: bool,
    /// Flight that others joined; 0 is none.
    pub(crate) flight: u8,
    /// Bit mask of what was answered: bit 0 the entry, above it the tags.
    pub(crate) answered: u8,
    pub(crate) entry: Option<Entry>,
    pub(crate) stamps: [Stamp; TAGS_MAX],
    pub(crate) value: Version,
}

impl Reader {
    /// A reader that is done is like any other that is done.
    pub(crate) fn over(process: u8) -> Self {
        Self { process, at: Reading::Over, ..Self::default() }
    }

    /// Whether it has begun and not ended.
    pub(crate) fn under_way(&self) -> bool {
        !matches!(self.at, Reading::Absent | Reading::Idle | Reading::Over)
    }
}

/// A change of one tag that was sent, was not acknowledged, and may still arrive.
pub(crate) type Late = (u8, Nonce);

/// All there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct State {
    /// The newest committed version.
    pub(crate) database: Version,
    /// By version, from 1.
    pub(crate) outbox: [Option<Row>; WRITERS_MAX],
    pub(crate) shared: Shared,
    /// The old primary, while it still answers somebody.
    pub(crate) demoted: Option<Shared>,
    pub(crate) snapshot: Option<Snapshot>,
    pub(crate) late: [Option<Late>; TAGS_MAX],
    pub(crate) processes: [Process; PROCESSES_MAX],
    pub(crate) writers: [Writer; WRITERS_MAX],
    pub(crate) readers: [Reader; READERS_MAX],
    pub(crate) faults_left: u8,
    /// Ghost: the newest version whose change was acknowledged.
    pub(crate) acknowledged: Version,
    /// Ghost: the same, and the bound on the age of memory has passed since.
    pub(crate) bound: Version,
    /// How many nonces were drawn in this step. 0 between steps.
    pub(crate) drawn: u8,
}

impl State {
    pub(crate) fn new(faults_left: u8) -> Self {
        Self {
            database: 0,
            outbox: [None; WRITERS_MAX],
            shared: Shared::default(),
            demoted: None,
            snapshot: None,
            late: [None; TAGS_MAX],
            processes: [Process::default(); PROCESSES_MAX],
            writers: [Writer::default(); WRITERS_MAX],
            readers: [Reader::default(); READERS_MAX],
            faults_left,
            acknowledged: 0,
            bound: 0,
            drawn: 0,
        }
    }

    /// A nonce unlike any other in the world.
    pub(crate) fn draw(&mut self) -> Nonce {
        self.drawn += 1;
        DRAWN + self.drawn
    }

    /// What the process is connected to.
    pub(crate) fn shared_of(&self, process: usize) -> &Shared {
        match &self.demoted {
            Some(demoted) if self.processes[process].behind => demoted,
            _ => &self.shared,
        }
    }

    /// What the process is connected to.
    pub(crate) fn shared_of_mut(&mut self, process: usize) -> &mut Shared {
        match &mut self.demoted {
            Some(demoted) if self.processes[process].behind => demoted,
            _ => &mut self.shared,
        }
    }

    /// Next generation: no read of the process that is under way is "unchanged".
    pub(crate) fn bump(&mut self, process: usize) {
        for reader in &mut self.readers {
            if usize::from(reader.process) == process {
                reader.unchanged = false;
            }
        }
    }

    /// Puts interchangeable things in order, so that states that differ in nothing else are one.
    pub(crate) fn settle_names(&mut self, nonces_are_counted: bool) {
        self.late.sort_unstable();
        self.readers.sort_unstable();
        if !nonces_are_counted {
            self.rename_nonces();
            self.late.sort_unstable();
            self.readers.sort_unstable();
        }
        self.drawn = 0;
    }

    /// Names the nonces of each tag 1, 2, 3 in the order in which they are met. A random nonce is
    /// equal to none that is in use, and nothing else about it is ever looked at.
    fn rename_nonces(&mut self) {
        let mut names = [[MISSING; NAMES]; TAGS_MAX];
        let mut last = [MISSING; TAGS_MAX];
        self.each_nonce(|tag, nonce| {
            if *nonce != MISSING {
                let name = &mut names[tag][usize::from(*nonce)];
                if *name == MISSING {
                    last[tag] += 1;
                    *name = last[tag];
                }
                *nonce = *name;
            }
        });
    }

    fn each_nonce(&mut self, mut visit: impl FnMut(usize, &mut Nonce)) {
        let visit = &mut visit;
        let mut shared = |shared: &mut Shared| {
            shared.nonces.iter_mut().enumerate().for_each(|(tag, nonce)| visit(tag, nonce));
            stamps(&mut shared.entry, visit);
        };
        shared(&mut self.shared);
        if let Some(demoted) = &mut self.demoted {
            shared(demoted);
        }
        if let Some(Snapshot { entry, nonces, .. }) = &mut self.snapshot {
            nonces.iter_mut().enumerate().for_each(|(tag, nonce)| visit(tag, nonce));
            stamps(entry, visit);
        }
        for (tag, nonce) in self.late.iter_mut().flatten() {
            visit(usize::from(*tag), nonce);
        }
        for writer in &mut self.writers {
            visit(0, &mut writer.repeat);
        }
        for reader in &mut self.readers {
            let told = reader.stamps.iter_mut().enumerate();
            told.for_each(|(tag, stamp)| visit(tag, &mut stamp.nonce));
            stamps(&mut reader.entry, visit);
        }
    }

    pub(crate) fn fingerprint(&self) -> Fingerprint {
        fingerprint(self)
    }
}

fn stamps(entry: &mut Option<Entry>, visit: &mut impl FnMut(usize, &mut Nonce)) {
    if let Some(entry) = entry {
        let kept = entry.stamps.iter_mut().enumerate();
        kept.for_each(|(tag, stamp)| visit(tag, &mut stamp.nonce));
    }
}
