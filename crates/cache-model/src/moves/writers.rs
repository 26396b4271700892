//! Writers, step by step.

use super::{Steps, World, bits};
use crate::cell::{Ending, Fault, Variant, WriterSpec};
use crate::state::{MISSING, Process, Row, State, Version, Writer, Writing};

impl World<'_> {
    pub(super) fn writers(&self, now: &State, steps: &mut Steps) {
        for (at, spec) in self.cell.writers.iter().enumerate() {
            let writer = Act { at, spec: *spec, home: usize::from(spec.process) };
            match now.writers[at].at {
                Writing::Idle => self.begin(now, writer, steps),
                Writing::Changing0 => {
                    let mut next = *now;
                    self.change(&mut next, writer.home, spec.tags);
                    next.writers[at].at = Writing::Open;
                    steps.certain(next, || writer.says("changes the nonces before the commit"));
                }
                Writing::Open => self.conclude(now, writer, steps),
                Writing::Changing => self.invalidate(now, writer, steps),
                Writing::Publishing => self.tell(now, writer, steps),
                Writing::Acknowledged => self.acknowledge(now, writer, steps),
                Writing::Refused => {
                    let next = self.refused(now, writer);
                    steps.certain(next, || writer.says("returns, not acknowledged"));
                }
                Writing::Over => {}
            }
            let committed = matches!(
                now.writers[at].at,
                Writing::Changing | Writing::Publishing | Writing::Acknowledged
            );
            if committed && self.may(now, Fault::Crash) {
                let mut next = *now;
                self.die(&mut next, writer.home);
                let Process { messages, behind, .. } = now.processes[writer.home];
                next.processes[writer.home] = Process { messages, behind, ..Process::default() };
                steps.fault(next, || format!("p{} dies", writer.home));
            }
        }
    }

    fn begin(&self, now: &State, writer: Act, steps: &mut Steps) {
        let mut next = *now;
        if self.generations() {
            next.processes[writer.home].pending += 1;
            self.forget(&mut next, writer.home, !self.has(Variant::NoBumpBefore));
        }
        let early = self.has(Variant::ChangeBeforeCommit);
        next.writers[writer.at].at = if early { Writing::Changing0 } else { Writing::Open };
        steps.certain(next, || writer.says("begins"));
    }

    fn conclude(&self, now: &State, writer: Act, steps: &mut Steps) {
        let mut next = *now;
        if writer.spec.ending == Ending::RollBack {
            self.lower(&mut next, writer.home);
            next.writers[writer.at] = OVER;
            steps.certain(next, || writer.says("rolls back"));
            return;
        }
        next.database += 1;
        let version = next.database;
        let told = writer.spec.ending == Ending::Commit;
        if !self.has(Variant::NoRelay) {
            let row = Row { tags: writer.spec.tags, changed: 0, orphan: !told };
            next.outbox[usize::from(version) - 1] = Some(row);
        }
        if told {
            let published_first =
                self.has(Variant::ChangeBeforeCommit) || self.has(Variant::PublishFirst);
            let at = if published_first { Writing::Publishing } else { Writing::Changing };
            next.writers[writer.at] = Writer { at, version, ..Writer::default() };
            steps.certain(next, || writer.says(&format!("commits v{version}")));
        } else {
            self.lower(&mut next, writer.home);
            next.writers[writer.at] = OVER;
            steps.certain(next, || writer.says(&format!("commits v{version}, is told nothing")));
        }
    }

    fn invalidate(&self, now: &State, writer: Act, steps: &mut Steps) {
        let mine = now.writers[writer.at];
        let open = writer.spec.tags & !mine.sent;
        let apart = self.has(Variant::SeparateChanges);
        let tags = if apart { bits(open).next().map_or(0, |first| 1 << first) } else { open };
        let sent = |failed: bool| {
            let sent = mine.sent | tags;
            let at = match sent == writer.spec.tags {
                false => Writing::Changing,
                true if mine.failed || failed => Writing::Refused,
                true if self.has(Variant::PublishFirst) => Writing::Acknowledged,
                true => Writing::Publishing,
            };
            Writer { at, sent, failed: mine.failed || failed, ..mine }
        };
        if !self.writable(now, writer.home) {
            let mut next = *now;
            next.writers[writer.at] = sent(true);
            steps.certain(next, || writer.says("is refused: the old primary takes no writes"));
            return;
        }
        let mut next = *now;
        let last = self.change(&mut next, writer.home, tags);
        let repeatable = self.may(now, Fault::Repeated);
        next.writers[writer.at] = Writer {
            repeat: if repeatable { last } else { MISSING },
            doubtful: mine.doubtful || now.processes[writer.home].behind,
            ..sent(false)
        };
        steps.certain(next, || writer.says("changes nonces"));
        if self.may(now, Fault::Lost) {
            let mut next = *now;
            next.writers[writer.at] = sent(true);
            steps.fault(next, || writer.says("changes nonces, which gets lost"));
            if tags != open {
                next = *now;
                next.writers[writer.at] = Writer { at: Writing::Refused, ..mine };
                steps.fault(next, || writer.says("changes nonces; this and all after get lost"));
            }
        }
        if self.may(now, Fault::Late) && !self.has(Variant::CountedNonces) {
            let mut next = *now;
            next.writers[writer.at] = sent(true);
            for tag in bits(tags) {
                let nonce = if self.has(Variant::DeletedTags) { MISSING } else { next.draw() };
                self.send_late(&mut next, tag, nonce);
            }
            steps.fault(next, || writer.says("changes nonces; it times out, still under way"));
        }
    }

    fn send_late(&self, state: &mut State, tag: usize, nonce: u8) {
        if let Some(place) = state.late.iter_mut().find(|late| late.is_none()) {
            *place = Some((tag as u8, nonce));
        }
    }

    fn tell(&self, now: &State, writer: Act, steps: &mut Steps) {
        let told = |mut next: State, missed: &dyn Fn(usize) -> bool| {
            let first = self.has(Variant::PublishFirst);
            next.writers[writer.at].at =
                if first { Writing::Changing } else { Writing::Acknowledged };
            self.publish(&mut next, writer.home, |to| to == writer.home || missed(to));
            for to in self.processes().filter(|to| *to != writer.home && missed(*to)) {
                next.processes[to].missed = true;
            }
            next
        };
        steps.certain(told(*now, &|_| false), || writer.says("publishes"));
        if !self.may(now, Fault::MessageLost) {
            return;
        }
        steps.fault(told(*now, &|_| true), || writer.says("publishes, and nobody hears it"));
        if self.cell.processes > 2 {
            for deaf in self.processes().filter(|to| *to != writer.home) {
                let next = told(*now, &|to| to == deaf);
                steps.fault(next, || writer.says(&format!("publishes, p{deaf} does not hear it")));
            }
        }
    }

    fn acknowledge(&self, now: &State, writer: Act, steps: &mut Steps) {
        let mine = now.writers[writer.at];
        let repeats = mine.doubtful && self.has(Variant::RepeatAfterMove);
        if repeats && !now.processes[writer.home].behind {
            let next = self.refused(now, writer);
            steps.certain(next, || writer.says("returns: only the old primary acknowledged"));
            return;
        }
        let mut next = *now;
        if repeats {
            next.processes[writer.home].doubtful |= 1 << mine.version;
        }
        if let Some(row) = mine.row(&mut next.outbox)
            && row.changed == 0
        {
            next.outbox[usize::from(mine.version) - 1] = None;
        }
        self.returned(&mut next, writer, mine.version);
        next.acknowledged = next.acknowledged.max(mine.version);
        let says = || writer.says(&format!("returns, v{} is acknowledged", mine.version));
        steps.certain(next, says);
        if self.may(now, Fault::Repeated)
            && (mine.repeat != MISSING || self.has(Variant::DeletedTags))
            && let Some(tag) = bits(writer.spec.tags).last()
        {
            self.send_late(&mut next, tag, mine.repeat);
            steps.fault(next, || format!("{}; the same SET is on its way again", says()));
        }
    }

    /// Returned to the caller although the shared level did not acknowledge.
    fn refused(&self, now: &State, writer: Act) -> State {
        let mut next = *now;
        let mine = now.writers[writer.at];
        if let Some(row) = mine.row(&mut next.outbox) {
            row.orphan = true;
        }
        if !self.has(Variant::NoQuarantine) {
            next.processes[writer.home].quarantine |= 1 << mine.version;
        }
        self.returned(&mut next, writer, mine.version);
        next
    }

    fn returned(&self, next: &mut State, writer: Act, version: Version) {
        self.lower(next, writer.home);
        let process = &mut next.processes[writer.home];
        process.returned = process.returned.max(version);
        next.writers[writer.at] = OVER;
    }

    /// One pending write less.
    fn lower(&self, next: &mut State, home: usize) {
        if self.generations() {
            next.processes[home].pending -= 1;
        }
        self.forget(next, home, !self.has(Variant::NoBumpAfter));
    }
}

const OVER: Writer = Writer {
    at: Writing::Over,
    version: 0,
    sent: 0,
    failed: false,
    doubtful: false,
    repeat: MISSING,
};

/// Whose turn it is.
#[derive(Clone, Copy)]
struct Act {
    at: usize,
    spec: WriterSpec,
    home: usize,
}

impl Act {
    fn says(self, what: &str) -> String {
        format!("writer {} in p{} {what}", self.at, self.home)
    }
}
