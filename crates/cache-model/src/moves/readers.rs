//! Readers, step by step.

use super::{Steps, World, bits};
use crate::breach::{Breach, Breaches};
use crate::cell::{Order, Variant};
use crate::state::{
    Entry, Held, MISSING, READERS_MAX, Reader, Reading, Stamp, State, TAGS_MAX, Version,
};

impl World<'_> {
    pub(super) fn readers(&self, now: &State, steps: &mut Steps) {
        for at in 0..READERS_MAX {
            let reader = now.readers[at];
            if at > 0 && now.readers[at - 1] == reader {
                continue; // What one of two equal readers does, the other need not do as well.
            }
            match reader.at {
                Reading::Idle => self.start(now, at, steps),
                Reading::Asking => self.ask(now, at, steps),
                Reading::Adopting => self.adopt(now, at, steps),
                Reading::Loading => {
                    let late = [Variant::StampAfterLoad, Variant::NamedTagAfterLoad];
                    let next_at = match late.iter().any(|late| self.has(*late)) {
                        true => Reading::Stamping,
                        false if self.has(Variant::AnswerFirst) => Reading::Returning,
                        false => Reading::Storing,
                    };
                    let next = Reader { at: next_at, value: now.database, ..reader };
                    let says = || format!("{} loads v{}", name(&reader), now.database);
                    steps.certain(with(now, at, next), says);
                }
                Reading::Stamping => {
                    let mut next = *now;
                    let stamps = self.adopted(&mut next, &reader, reader.stamps);
                    next.readers[at] = Reader { at: Reading::Storing, stamps, ..reader };
                    steps.certain(next, || format!("{} takes the nonces only now", name(&reader)));
                }
                Reading::Storing => {
                    let next = Reader { at: Reading::Returning, stamps: NOTHING, ..reader };
                    self.store(now, at, next, steps);
                }
                Reading::StoringLate => self.store(now, at, Reader::over(reader.process), steps),
                Reading::Returning | Reading::Fenced => self.give(now, at, steps),
                Reading::Absent | Reading::Joined | Reading::Over => {}
            }
        }
    }

    fn start(&self, now: &State, at: usize, steps: &mut Steps) {
        let home = usize::from(now.readers[at].process);
        let process = now.processes[home];
        let begun = Reader {
            at: Reading::Asking,
            floor: process.returned,
            bound: now.bound,
            birth: now.acknowledged,
            seen: process.seen,
            early: now.demoted.is_some(),
            unchanged: true,
            ..now.readers[at]
        };
        let says = |what: &str| format!("{} {what}", name(&begun));
        let fence = self.generations() && !self.has(Variant::NoReadFence);
        if process.quarantine != 0 || (fence && process.pending > 0) {
            let fenced = Reader { at: Reading::Fenced, ..begun };
            steps.certain(with(now, at, fenced), || says("begins, fenced off"));
            if self.has(Variant::JoinFenced) {
                self.join(now, at, begun, &[Reading::Fenced], steps);
            }
            return;
        }
        if let Some(Held { value, .. }) = process.held {
            let breaches = broken(&begun, value, begun.bound, begun.early);
            let mut next = with(now, at, Reader::over(begun.process));
            if self.has(Variant::Monotonic) {
                next.processes[home].seen = process.seen.max(value);
            }
            steps.answer(next, breaches, || says(&format!("is given v{value} from memory")));
            return;
        }
        steps.certain(with(now, at, begun), || says("begins"));
        const LED: [Reading; 6] = [
            Reading::Asking,
            Reading::Adopting,
            Reading::Loading,
            Reading::Stamping,
            Reading::Storing,
            Reading::Returning,
        ];
        self.join(now, at, begun, &LED, steps);
    }

    /// Waits for a flight of the same process, generation and, within the bound, age.
    fn join(&self, now: &State, at: usize, begun: Reader, led: &[Reading], steps: &mut Steps) {
        let any_generation = !self.generations()
            || self.has(Variant::JoinUnchecked)
            || self.has(Variant::JudgedLanding);
        for (leads, leader) in now.readers.iter().enumerate() {
            let same = leader.process == begun.process && led.contains(&leader.at);
            let young = leader.birth >= now.bound || self.has(Variant::JoinAnyAge);
            if leads == at || !same || !young || !(leader.unchanged || any_generation) {
                continue;
            }
            let taken = |flight: &u8| {
                let here = |other: &Reader| other.process == begun.process;
                now.readers.iter().any(|other| here(other) && other.flight == *flight)
            };
            let flight = match leader.flight {
                0 => (1..).find(|flight| !taken(flight)).unwrap_or(u8::MAX),
                flight => flight,
            };
            let mut next = *now;
            next.readers[leads].flight = flight;
            next.readers[at] = Reader { at: Reading::Joined, unchanged: false, flight, ..begun };
            steps.certain(next, || format!("{} begins and joins a flight", name(&begun)));
        }
    }

    fn ask(&self, now: &State, at: usize, steps: &mut Steps) {
        let reader = now.readers[at];
        let all = (1_u8 << (self.cell.tags + 1)) - 1;
        match self.cell.order {
            Order::AtOnce => self.answered(now, at, all, steps),
            Order::InTurn(order) => {
                let next = order.iter().find(|part| reader.answered >> **part & 1 == 0);
                if let Some(part) = next {
                    self.answered(now, at, 1 << part, steps);
                }
            }
            Order::Any => {
                for part in bits(all & !reader.answered) {
                    self.answered(now, at, 1 << part, steps);
                }
            }
        }
    }

    /// The servers answer these parts of the question.
    fn answered(&self, now: &State, at: usize, parts: u8, steps: &mut Steps) {
        let mut reader = now.readers[at];
        let shared = now.shared_of(usize::from(reader.process));
        for part in bits(parts) {
            match part {
                0 => reader.entry = shared.entry,
                tag => reader.stamps[tag - 1] = self.stamp(shared, tag - 1),
            }
        }
        reader.answered |= parts;
        if usize::from(reader.answered) + 1 < 1 << (self.cell.tags + 1) {
            let says = || format!("{} is told a part", name(&reader));
            steps.certain(with(now, at, reader), says);
            return;
        }
        let (entry, told) = (reader.entry, reader.stamps);
        reader.entry = None;
        reader.answered = 0;
        let counted = self.has(Variant::CountedNonces);
        let bare = told[..self.cell.tags].iter().any(|stamp| stamp.nonce == MISSING) && !counted;
        let (next, what) = match entry {
            _ if bare => (Reader { at: Reading::Adopting, ..reader }, "finds a tag without nonce"),
            Some(Entry { value, stamps }) if self.is_current(&stamps, &told) => {
                let stamps = NOTHING;
                (Reader { at: Reading::Returning, value, stamps, ..reader }, "hits")
            }
            _ => {
                let stamps = self.kept(told);
                (Reader { at: Reading::Loading, stamps, ..reader }, "misses, keeps the stamps")
            }
        };
        steps.certain(with(now, at, next), || format!("{} {what}", name(&reader)));
    }

    fn adopt(&self, now: &State, at: usize, steps: &mut Steps) {
        let (mut next, reader) = (*now, now.readers[at]);
        let stamps = self.adopted(&mut next, &reader, reader.stamps);
        let stamps = self.kept(stamps);
        next.readers[at] = Reader { at: Reading::Loading, stamps, ..reader };
        steps.certain(next, || format!("{} gives the tag a nonce, reads it back", name(&reader)));
    }

    /// What a reader keeps of the stamps it was told before the load.
    fn kept(&self, mut told: [Stamp; TAGS_MAX]) -> [Stamp; TAGS_MAX] {
        if self.has(Variant::StampAfterLoad) {
            return NOTHING;
        }
        if self.has(Variant::NamedTagAfterLoad) {
            told[1] = Stamp::default();
        }
        told
    }

    /// `SET NX` and the answer, for every tag without a nonce among `stamps`.
    fn adopted(&self, next: &mut State, reader: &Reader, stamps: [Stamp; 2]) -> [Stamp; 2] {
        let (home, mut stamps) = (usize::from(reader.process), stamps);
        for (tag, stamp) in stamps.iter_mut().enumerate().take(self.cell.tags) {
            if stamp.nonce == MISSING {
                let drawn = next.draw();
                let shared = next.shared_of_mut(home);
                if shared.nonces[tag] == MISSING && !self.has(Variant::CountedNonces) {
                    shared.nonces[tag] = drawn;
                }
                *stamp = self.stamp(next.shared_of(home), tag);
            }
        }
        stamps
    }

    fn store(&self, now: &State, at: usize, then: Reader, steps: &mut Steps) {
        let (mut next, reader) = (*now, now.readers[at]);
        let entry = Entry { value: reader.value, stamps: reader.stamps };
        next.shared_of_mut(usize::from(reader.process)).entry = Some(entry);
        next.readers[at] = then;
        steps.certain(next, || {
            format!("{} stores v{} under the stamps it has", name(&reader), reader.value)
        });
    }

    /// Puts the value into memory if it may, and gives it to the caller and to all who joined.
    fn give(&self, now: &State, at: usize, steps: &mut Steps) {
        let reader = now.readers[at];
        let home = usize::from(reader.process);
        let fenced = reader.at == Reading::Fenced;
        let value = if fenced { now.database } else { reader.value };
        let mut next = *now;
        // It comes neither from memory nor from another's flight: nothing excuses its age.
        let mut breaches = broken(&reader, value, reader.birth, reader.early);
        next.readers[at] = match reader.stamps == NOTHING {
            true => Reader::over(reader.process),
            false => Reader {
                at: Reading::StoringLate,
                stamps: reader.stamps,
                value,
                ..Reader::over(reader.process)
            },
        };
        for other in &mut next.readers {
            let with_it = other.process == reader.process && other.flight == reader.flight;
            if other.at == Reading::Joined && with_it {
                if self.has(Variant::JudgedLanding) && !reader.unchanged {
                    let process = other.process;
                    *other = Reader { process, at: Reading::Idle, ..Reader::default() };
                    continue;
                }
                let early = reader.early || other.early;
                breaches = breaches.union(broken(other, value, other.bound, early));
                *other = Reader::over(reader.process);
            }
        }
        let process = &mut next.processes[home];
        if self.has(Variant::Monotonic) {
            process.seen = process.seen.max(value);
        }
        let put = !fenced && self.may_hold(now, &reader);
        if put {
            let from_put = self.has(Variant::AgeFromPut);
            let birth = if from_put { now.acknowledged } else { reader.birth };
            process.held = Some(Held { value, birth });
        }
        steps.answer(next, breaches, || {
            let puts = if put { ", and puts it into memory" } else { "" };
            format!("{} gives v{value}{puts}", name(&reader))
        });
    }

    fn may_hold(&self, now: &State, reader: &Reader) -> bool {
        let process = &now.processes[usize::from(reader.process)];
        let checked = self.generations() && !self.has(Variant::PutUnchecked);
        let fence = self.generations() && !self.has(Variant::NoPutFence);
        let fenced = fence && (process.pending > 0 || process.quarantine != 0);
        let young = reader.birth >= now.bound || self.has(Variant::AgeFromPut);
        (reader.unchanged || !checked) && !fenced && young
    }
}

const NOTHING: [Stamp; TAGS_MAX] = [Stamp { nonce: MISSING, run: 0 }; TAGS_MAX];

fn with(now: &State, at: usize, reader: Reader) -> State {
    let mut next = *now;
    next.readers[at] = reader;
    next
}

/// Which promises this answer breaks.
fn broken(reader: &Reader, value: Version, floor: Version, early: bool) -> Breaches {
    let mut breaches = Breaches::NONE;
    if value < reader.floor {
        breaches.add(if early { Breach::P1Early } else { Breach::P1 });
    }
    if value < floor {
        breaches.add(if early { Breach::P3Early } else { Breach::P3 });
    }
    if value < reader.seen {
        breaches.add(Breach::backwards(reader.process));
    }
    breaches
}

fn name(reader: &Reader) -> String {
    format!("reader in p{}", reader.process)
}
