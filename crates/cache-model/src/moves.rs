//! What can happen next: the steps of the protocol, and the faults.
//!
//! One step is what happens at one place at one moment: a command at a server, a statement at the
//! database, a few instructions in a process. Anything may happen between two steps.

mod faults;
mod readers;
mod relay;
mod writers;

use crate::breach::{Breach, Breaches};
use crate::cell::{Cell, Fault, Variant};
use crate::state::{
    MISSING, Nonce, Process, READERS_MAX, Reader, Reading, Shared, Stamp, State, WRITERS_MAX,
    Writing,
};

/// A state that can come next.
pub(crate) struct Step {
    pub(crate) state: State,
    pub(crate) breaches: Breaches,
    /// Happens sooner or later, unlike a fault or an expiry, which may never.
    pub(crate) certain: bool,
    /// Empty unless the steps are traced.
    pub(crate) words: String,
}

/// All that can come next.
pub(crate) struct Steps {
    tracing: bool,
    counted: bool,
    /// By writer: it does what the one before it does, so the two may change places.
    twins: [bool; WRITERS_MAX],
    pub(crate) found: Vec<Step>,
}

impl Steps {
    pub(crate) fn new(cell: &Cell, tracing: bool) -> Self {
        let mut twins = [false; WRITERS_MAX];
        for (at, pair) in cell.writers.windows(2).enumerate() {
            twins[at + 1] = pair[0] == pair[1];
        }
        Self { tracing, counted: cell.has(Variant::CountedNonces), twins, found: Vec::new() }
    }

    fn push(
        &mut self,
        mut state: State,
        certain: bool,
        breaches: Breaches,
        words: impl FnOnce() -> String,
    ) {
        for _ in 1..WRITERS_MAX {
            for at in 1..WRITERS_MAX {
                if self.twins[at] && state.writers[at - 1] > state.writers[at] {
                    state.writers.swap(at - 1, at);
                }
            }
        }
        state.settle_names(self.counted);
        let words = if self.tracing { words() } else { String::new() };
        self.found.push(Step { state, breaches, certain, words });
    }

    /// A step that comes sooner or later.
    fn certain(&mut self, state: State, words: impl FnOnce() -> String) {
        self.push(state, true, Breaches::NONE, words);
    }

    /// A step that may never come.
    fn possible(&mut self, state: State, words: impl FnOnce() -> String) {
        self.push(state, false, Breaches::NONE, words);
    }

    /// A fault: it uses up the budget.
    fn fault(&mut self, mut state: State, words: impl FnOnce() -> String) {
        state.faults_left -= 1;
        self.push(state, false, Breaches::NONE, || format!("FAULT: {}", words()));
    }

    /// A reader gives its value.
    fn answer(&mut self, state: State, breaches: Breaches, words: impl FnOnce() -> String) {
        self.push(state, true, breaches, words);
    }
}

/// The rules of one cell.
pub(crate) struct World<'c> {
    pub(crate) cell: &'c Cell,
}

impl World<'_> {
    /// Where everything begins.
    pub(crate) fn origin(&self) -> State {
        let mut state = State::new(self.cell.fault_budget);
        debug_assert!(self.cell.readers.len() <= READERS_MAX);
        for at in self.cell.writers.len()..WRITERS_MAX {
            state.writers[at].at = Writing::Over;
        }
        for (reader, process) in state.readers.iter_mut().zip(&self.cell.readers) {
            *reader = Reader { process: *process, at: Reading::Idle, ..Reader::default() };
        }
        state.settle_names(self.has(Variant::CountedNonces));
        state
    }

    /// Everything that can happen next.
    pub(crate) fn next(&self, state: &State, steps: &mut Steps) {
        steps.found.clear();
        self.server_faults(state, steps);
        self.late_changes(state, steps);
        self.process_events(state, steps);
        self.relay(state, steps);
        self.writers(state, steps);
        self.readers(state, steps);
    }

    /// What is wrong with a state in which nothing is certain to happen any more.
    pub(crate) fn at_rest(&self, state: &State) -> Breaches {
        let mut breaches = Breaches::NONE;
        if let Some(entry) = &state.shared.entry
            && entry.value < state.database
            && self.is_current(&entry.stamps, &self.stamps(&state.shared))
        {
            breaches.add(Breach::RestShared);
        }
        for Process { held, missed, .. } in &state.processes {
            let excused = *missed && !self.has(Variant::NoExcuse);
            if held.is_some_and(|held| held.value < state.database) && !excused {
                breaches.add(Breach::RestMemory);
            }
        }
        breaches
    }

    fn has(&self, variant: Variant) -> bool {
        self.cell.has(variant)
    }

    /// Whether this fault may still happen.
    fn may(&self, state: &State, fault: Fault) -> bool {
        state.faults_left > 0 && self.cell.may(fault)
    }

    fn processes(&self) -> std::ops::Range<usize> {
        0..self.cell.processes
    }

    fn generations(&self) -> bool {
        !self.has(Variant::NoGenerations)
    }

    fn stamp(&self, shared: &Shared, tag: usize) -> Stamp {
        let run = if self.has(Variant::NoRun) {
            0
        } else {
            shared.runs[usize::from(self.cell.servers[tag])]
        };
        Stamp { nonce: shared.nonces[tag], run }
    }

    fn stamps(&self, shared: &Shared) -> [Stamp; 2] {
        let mut stamps = [Stamp::default(); 2];
        for (tag, stamp) in stamps.iter_mut().enumerate().take(self.cell.tags) {
            *stamp = self.stamp(shared, tag);
        }
        stamps
    }

    /// Whether an entry with these stamps counts, where the servers say those.
    fn is_current(&self, kept: &[Stamp; 2], told: &[Stamp; 2]) -> bool {
        let present = |stamp: &Stamp| stamp.nonce != MISSING || self.has(Variant::CountedNonces);
        kept == told && told[..self.cell.tags].iter().all(present)
    }

    /// Changes the nonces of these tags where the process is connected: the last one set.
    fn change(&self, state: &mut State, process: usize, tags: u8) -> Nonce {
        let mut last = MISSING;
        for tag in bits(tags) {
            let drawn = state.draw();
            let nonce = &mut state.shared_of_mut(process).nonces[tag];
            *nonce = if self.has(Variant::CountedNonces) {
                *nonce + 1
            } else if self.has(Variant::DeletedTags) {
                MISSING
            } else {
                drawn
            };
            last = *nonce;
        }
        last
    }

    /// Whether what the process is connected to takes changes.
    fn writable(&self, state: &State, process: usize) -> bool {
        !(state.processes[process].behind && self.has(Variant::DemotedReadOnly))
    }

    /// The process drops the entry from its memory; with `bump` the generation is raised too.
    fn forget(&self, state: &mut State, process: usize, bump: bool) {
        state.processes[process].held = None;
        if bump && self.generations() {
            state.bump(process);
        }
    }

    /// A message to everybody on the same side, but for those that `skip` names.
    fn publish(&self, state: &mut State, from: usize, skip: impl Fn(usize) -> bool) {
        let side = state.processes[from].behind;
        for to in self.processes().filter(|to| !skip(*to)) {
            let receiver = &mut state.processes[to];
            if receiver.behind == side {
                receiver.messages += 1;
            }
        }
    }
}

/// The places of the bits that are set.
fn bits(mask: u8) -> impl Iterator<Item = usize> {
    (0..8).filter(move |bit| mask >> bit & 1 == 1)
}
