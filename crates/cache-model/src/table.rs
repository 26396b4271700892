//! The rows that are checked.

mod beyond;
mod protocol;
mod weakened;

use crate::breach::{Breach, Breaches};
use crate::cell::{Cell, Ending, Fault, Order, Variant, WriterSpec};

/// One statement about the protocol, and the cells that bear it out.
#[derive(Clone, Debug)]
pub struct Row {
    /// As the design page calls it.
    pub name: &'static str,
    /// What it is about.
    pub about: &'static str,
    /// Each with what must be found.
    pub cells: Vec<Cell>,
}

/// Every row, in the order of the design page.
#[must_use]
pub fn table() -> Vec<Row> {
    let mut rows = protocol::rows();
    rows.extend(weakened::rows());
    rows.extend(beyond::rows());
    rows
}

fn row(
    name: &'static str,
    about: &'static str,
    groups: impl IntoIterator<Item = Vec<Cell>>,
) -> Row {
    Row { name, about, cells: groups.into_iter().flatten().collect() }
}

const TAG0: u8 = 0b01;
const TAG1: u8 = 0b10;
const BOTH_TAGS: u8 = 0b11;

const fn writer(process: u8, tags: u8, ending: Ending) -> WriterSpec {
    WriterSpec { process, tags, ending }
}

const fn commit(process: u8) -> WriterSpec {
    writer(process, TAG0, Ending::Commit)
}

/// One writer, in process 0.
const ONE: &[WriterSpec] = &[commit(0)];
/// Two writers in process 0.
const SAME: &[WriterSpec] = &[commit(0), commit(0)];
/// A writer in each of two processes.
const BOTH: &[WriterSpec] = &[commit(0), commit(1)];

/// Single faults that cells try, with the names they have there.
const NO_FAULT: &str = "no fault";
const TAG: (&str, Fault) = ("tag", Fault::TagEvicted);
const ENTRY: (&str, Fault) = ("entry", Fault::EntryEvicted);
const WIPE: (&str, Fault) = ("wipe", Fault::Wiped);
const LOST: (&str, Fault) = ("lost", Fault::Lost);
const LATE: (&str, Fault) = ("late", Fault::Late);
const DUP: (&str, Fault) = ("repeated", Fault::Repeated);
const SNAP: (&str, Fault) = ("snapshot", Fault::Restored);
const BUS: (&str, Fault) = ("message", Fault::MessageLost);
const CRASH: (&str, Fault) = ("crash", Fault::Crash);
const EAGER: (&str, Fault) = ("eager relay", Fault::EagerRelay);
const RESTART: (&str, Fault) = ("restart", Fault::Restart);
const SPLIT: (&str, Fault) = ("split primary", Fault::SplitPrimary);

/// Cells that differ in their fault alone.
#[derive(Clone)]
struct Group(Cell);

impl Group {
    fn new(writers: &[WriterSpec], readers: &[u8]) -> Self {
        Self(Cell::new(NO_FAULT, writers, readers))
    }

    fn map(self, change: impl FnOnce(Cell) -> Cell) -> Self {
        Self(change(self.0))
    }

    fn variants(self, variants: &[Variant]) -> Self {
        self.map(|cell| cell.variants(variants))
    }

    fn expect(self, breaches: &[Breach]) -> Self {
        self.map(|cell| cell.expect(Breaches::of(breaches)))
    }

    /// Too big for every run of the test suite.
    fn large(self) -> Self {
        self.map(|cell| Cell { large: true, ..cell })
    }

    fn sound(self) -> Vec<Cell> {
        vec![self.0]
    }

    fn each(self, faults: &[(&'static str, Fault)]) -> Vec<Cell> {
        let cell = |(name, fault): &(&'static str, Fault)| {
            let cell = self.0.clone().fault(*fault);
            Cell { name, ..cell }
        };
        faults.iter().map(cell).collect()
    }

    /// Without a fault, and with each of these.
    fn also(self, faults: &[(&'static str, Fault)]) -> Vec<Cell> {
        [self.clone().sound(), self.each(faults)].concat()
    }

    /// All faults may happen, as often as the budget allows.
    fn together(self, name: &'static str, faults: &[(&'static str, Fault)]) -> Vec<Cell> {
        let cell = faults.iter().fold(self.0, |cell, (_, fault)| cell.fault(*fault));
        vec![Cell { name, ..cell }]
    }
}
