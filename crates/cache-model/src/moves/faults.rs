//! Servers that forget, and processes that die.

use super::{Steps, World, bits};
use crate::cell::{Fault, Variant};
use crate::state::{MISSING, Process, Reader, Shared, Snapshot, State, Writer, Writing};

impl World<'_> {
    pub(super) fn server_faults(&self, now: &State, steps: &mut Steps) {
        if self.may(now, Fault::EntryEvicted) && now.shared.entry.is_some() {
            let mut next = *now;
            next.shared.entry = None;
            steps.fault(next, || "the entry is evicted".to_owned());
        }
        if self.may(now, Fault::TagEvicted) {
            for tag in (0..self.cell.tags).filter(|tag| now.shared.nonces[*tag] != MISSING) {
                let mut next = *now;
                next.shared.nonces[tag] = MISSING;
                steps.fault(next, || format!("the nonce of tag {tag} is evicted"));
            }
        }
        for server in 0..self.cell.nodes() {
            let held = self.on(&now.shared, server);
            let empty = held.entry.is_none() && held.nonces == [MISSING; 2];
            if self.may(now, Fault::Wiped) && !empty {
                let mut next = *now;
                let nothing = Snapshot { entry: None, nonces: [MISSING; 2], ..held };
                self.put_back(&mut next.shared, &nothing);
                steps.fault(next, || format!("server {server} is emptied"));
            }
            let split = self.may(now, Fault::SplitPrimary);
            let kept = split || (self.may(now, Fault::Restored) && !empty);
            if kept && now.snapshot.is_none() {
                let next = State { snapshot: Some(held), ..*now };
                steps.possible(next, || format!("this is as far as server {server} was copied"));
            }
        }
        let Some(copy) = now.snapshot else { return };
        let server = usize::from(copy.server);
        let mut replaced = now.shared;
        self.put_back(&mut replaced, &copy);
        replaced.runs[server] += 1;
        if self.may(now, Fault::Restored) {
            let mut next = State { shared: replaced, snapshot: None, ..*now };
            if server == 0 {
                // What was under way is lost; later every subscriber sees that it was cut off.
                self.processes().for_each(|to| next.processes[to].messages = 1);
            }
            steps.fault(next, || format!("server {server} comes back with its copy"));
        }
        if self.may(now, Fault::SplitPrimary) {
            let demoted = Some(now.shared);
            let mut next = State { shared: replaced, demoted, snapshot: None, ..*now };
            self.processes().for_each(|process| next.processes[process].behind = true);
            steps.fault(next, || "a replica is promoted; nobody has moved to it".to_owned());
        }
    }

    fn on(&self, shared: &Shared, server: u8) -> Snapshot {
        let mut nonces = shared.nonces;
        for tag in (0..2).filter(|tag| self.cell.servers[*tag] != server) {
            nonces[tag] = MISSING;
        }
        Snapshot { server, entry: shared.entry.filter(|_| server == 0), nonces }
    }

    fn put_back(&self, shared: &mut Shared, copy: &Snapshot) {
        if copy.server == 0 {
            shared.entry = copy.entry;
        }
        for tag in (0..2).filter(|tag| self.cell.servers[*tag] == copy.server) {
            shared.nonces[tag] = copy.nonces[tag];
        }
    }

    pub(super) fn late_changes(&self, now: &State, steps: &mut Steps) {
        for (at, late) in now.late.iter().enumerate() {
            let Some((tag, nonce)) = *late else { continue };
            let mut next = *now;
            next.late[at] = None;
            next.shared.nonces[usize::from(tag)] = nonce;
            steps.certain(next, || format!("a late change of tag {tag} arrives"));
        }
    }

    /// Messages, expiry, leaving quarantine, moving to a new primary, a restart.
    pub(super) fn process_events(&self, now: &State, steps: &mut Steps) {
        for at in self.processes() {
            let process = now.processes[at];
            if process.messages > 0 {
                let mut next = *now;
                next.processes[at].messages -= 1;
                self.forget(&mut next, at, !self.has(Variant::NoBumpByMessage));
                steps.certain(next, || format!("p{at} receives a message and forgets the entry"));
            }
            if process.missed && self.has(Variant::GapDetector) {
                let mut next = *now;
                next.processes[at].missed = false;
                self.forget(&mut next, at, true);
                steps.certain(next, || format!("p{at} notices that it missed a message"));
            }
            if process.held.is_some() {
                let mut next = *now;
                next.processes[at].held = None;
                steps.possible(next, || format!("p{at} drops the entry from its memory"));
            }
            for version in bits(process.quarantine) {
                self.leave_quarantine(now, at, version, steps);
            }
            if process.behind {
                steps.certain(self.moved(now, at), || format!("p{at} moves to the new primary"));
            }
            if self.may(now, Fault::Restart) {
                steps.fault(self.restarted(now, at), || format!("p{at} is restarted"));
            }
        }
        if now.acknowledged > now.bound {
            let mut next = State { bound: now.acknowledged, ..*now };
            for process in &mut next.processes {
                process.held = process.held.filter(|held| held.birth >= now.acknowledged);
            }
            steps.possible(next, || "the bound on the age of memory passes".to_owned());
        }
    }

    fn leave_quarantine(&self, now: &State, at: usize, version: usize, steps: &mut Steps) {
        let mut next = *now;
        if self.has(Variant::OwnAcknowledgement) {
            if !self.writable(now, at) {
                return;
            }
            self.change(&mut next, at, self.cell.tags_mask());
        } else if self.has(Variant::NoRelay) || now.outbox[version - 1].is_some() {
            return;
        }
        next.processes[at].quarantine &= !(1 << version);
        self.forget(&mut next, at, true);
        steps.certain(next, || format!("p{at} ends the quarantine of v{version}"));
    }

    fn moved(&self, now: &State, at: usize) -> State {
        let mut next = *now;
        let process = &mut next.processes[at];
        process.behind = false;
        process.messages = 1; // Its subscription is new, and what was under way to it is lost.
        if self.has(Variant::RepeatAfterMove) {
            process.quarantine |= process.doubtful;
            for version in bits(process.doubtful) {
                next.outbox[version - 1] = Some(self.open_row());
            }
        }
        next.processes[at].doubtful = 0;
        if !next.processes.iter().any(|process| process.behind) {
            next.demoted = None;
        }
        next
    }

    fn restarted(&self, now: &State, at: usize) -> State {
        let mut next = *now;
        self.die(&mut next, at);
        let old = now.processes[at];
        let mut quarantine = 0;
        if self.has(Variant::QuarantineAtStart) {
            let open = (1..).zip(&next.outbox).filter(|(_, row)| row.is_some());
            quarantine = open.fold(0, |mask, (version, _)| mask | 1 << version);
        }
        next.processes[at] = Process {
            quarantine,
            messages: 1, // Subscribed anew.
            behind: old.behind,
            returned: old.returned,
            ..Process::default()
        };
        next
    }

    /// Readers and unfinished writers of the process end; rows it would have looked after are
    /// left to the relay.
    pub(super) fn die(&self, state: &mut State, at: usize) {
        for reader in &mut state.readers {
            if usize::from(reader.process) == at && reader.under_way() {
                *reader = Reader::over(reader.process);
            }
        }
        for (writer, spec) in state.writers.iter_mut().zip(&self.cell.writers) {
            if usize::from(spec.process) != at || writer.at == Writing::Idle {
                continue;
            }
            if let Some(row) = writer.row(&mut state.outbox) {
                row.orphan = true;
            }
            *writer = Writer { at: Writing::Over, ..Writer::default() };
        }
    }
}
