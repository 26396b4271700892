//! The checker: pure functions from a history to what is wrong with it.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use crate::clock::nanos;
use crate::history::{Committed, History, Outage, Outcome, Read, State, Subject, Write};

/// How old what other processes read may be, counted from the return of the write.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// While Redis can be reached.
    pub reachable: Duration,
    /// While it cannot, and counted anew from its return.
    pub unreachable: Duration,
    /// So long after an outage clients may not have noticed its end.
    pub recovery: Duration,
    /// After a write whose caller was dropped or killed; `None`: measured, not judged.
    pub unknown: Option<Duration>,
}

/// What a history may show that must not be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// P1: a read older than a write that had returned in the same process.
    OwnWrite,
    /// P3: a read older than a write that had returned elsewhere, by more than the bound.
    Stale,
    /// A read of a state that was never committed.
    NeverCommitted,
    /// A read that ended before the write began whose state it gave.
    TooEarly,
    /// A read older than a write with an unknown outcome that was committed, by more than the bound.
    Forgotten,
    /// A write was acknowledged and the database does not have it.
    Lost,
    /// A write was refused or rolled back and the database has it.
    Undead,
}

/// The shortest stretch of a history that shows a violation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excerpt {
    /// The read, if one is to blame.
    pub read: Option<Read>,
    /// The write it missed or saw.
    pub write: Option<Write>,
    /// Which of the write's versions.
    pub version: Option<i64>,
    /// The outages in between.
    pub outages: Vec<Outage>,
    /// How long it lasts.
    pub span_ns: u64,
}

/// Violations of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// How many.
    pub count: u64,
    /// The shortest.
    pub excerpt: Excerpt,
}

/// Ages of what other processes read, counted from the return of the write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Staleness {
    /// How many reads were older than a write that had returned.
    pub reads: u64,
    /// The greatest age in nanoseconds.
    pub max_ns: u64,
}

impl Staleness {
    fn add(&mut self, age_ns: u64) {
        self.reads += 1;
        self.max_ns = self.max_ns.max(age_ns);
    }
}

/// What a history shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// By kind; empty when all is well.
    pub violations: BTreeMap<Kind, Found>,
    /// While Redis could be reached from the write to the read.
    pub reachable: Staleness,
    /// While it could not, at some time between the write and the read.
    pub unreachable: Staleness,
    /// The same, counted from the return of Redis where that came between the write and the read.
    pub after_return: Staleness,
    /// Behind committed writes whose outcome their callers did not learn.
    pub unknown: Staleness,
}

impl Findings {
    fn report(&mut self, kind: Kind, excerpt: Excerpt) {
        let span_ns = excerpt.span_ns;
        let found =
            self.violations.entry(kind).or_insert(Found { count: 0, excerpt: excerpt.clone() });
        found.count += 1;
        if span_ns < found.excerpt.span_ns {
            found.excerpt = excerpt;
        }
    }
}

/// Looks for every kind of violation and measures how old reads were.
#[must_use]
pub fn check(history: &History, bounds: &Bounds) -> Findings {
    let writes: HashMap<i64, &Write> = history.writes.iter().map(|w| (w.op, w)).collect();
    let mut findings = Findings::default();
    let subjects = index(history, &writes);
    check_writes(history, &writes, &subjects, &mut findings);
    let nothing = Index::default();
    for read in &history.reads {
        let index = subjects.get(&read.state.subject).unwrap_or(&nothing);
        if !index.has(&read.state) {
            findings.report(Kind::NeverCommitted, Excerpt::of(read, None, read.state.version));
            continue; // How old it is, is then no question.
        }
        if let Some(write) = index.origin(&read.state, &writes) {
            check_order(read, write, &mut findings);
        }
        check_age(read, index, (history, bounds), &mut findings);
    }
    findings
}

/// A version that was written, and when its writer had it.
#[derive(Clone, Copy, Debug)]
struct Mark<'h> {
    version: i64,
    /// The least `end_ns` of this version and all later ones, and whose it is.
    first: (u64, &'h Write, i64),
}

/// The writes of one subject and one group of writers, in order of their versions.
#[derive(Clone, Debug, Default)]
struct Frontier<'h>(Vec<Mark<'h>>);

impl<'h> Frontier<'h> {
    fn push(&mut self, version: i64, write: &'h Write) {
        self.0.push(Mark { version, first: (write.end_ns, write, version) });
    }

    fn seal(&mut self) {
        self.0.sort_by_key(|mark| mark.version);
        for at in (1..self.0.len()).rev() {
            let later = self.0[at].first;
            if later.0 < self.0[at - 1].first.0 {
                self.0[at - 1].first = later;
            }
        }
    }

    /// The earliest of the writes that made newer versions, if it was over before `start_ns`.
    fn overtook(&self, version: i64, start_ns: u64) -> Option<(&'h Write, i64)> {
        let at = self.0.partition_point(|mark| mark.version <= version);
        let (end_ns, write, newer) = self.0.get(at)?.first;
        (end_ns < start_ns).then_some((write, newer))
    }
}

#[derive(Debug, Default)]
struct Index<'h> {
    committed: HashMap<i64, Committed>,
    acknowledged: Frontier<'h>,
    by_process: HashMap<u32, Frontier<'h>>,
    unknown: Frontier<'h>,
}

impl<'h> Index<'h> {
    fn has(&self, state: &State) -> bool {
        self.committed.get(&state.version).is_some_and(|known| known.state == *state)
    }

    /// The write of this run that committed exactly this state.
    fn origin(&self, state: &State, writes: &HashMap<i64, &'h Write>) -> Option<&'h Write> {
        let known = self.committed.get(&state.version).filter(|known| known.state == *state)?;
        writes.get(&known.op?).copied()
    }
}

fn index<'h>(
    history: &'h History,
    writes: &HashMap<i64, &'h Write>,
) -> HashMap<Subject, Index<'h>> {
    let mut subjects: HashMap<Subject, Index<'h>> = HashMap::new();
    for known in &history.committed {
        let index = subjects.entry(known.state.subject).or_default();
        index.committed.insert(known.state.version, *known);
        let write = known.op.and_then(|op| writes.get(&op));
        if let Some(write) = write.filter(|write| write.outcome == Outcome::Unknown) {
            index.unknown.push(known.state.version, write);
        }
    }
    for write in &history.writes {
        let Outcome::Acknowledged(versions) = &write.outcome else { continue };
        for (subject, version) in versions {
            let index = subjects.entry(*subject).or_default();
            index.acknowledged.push(*version, write);
            index.by_process.entry(write.process).or_default().push(*version, write);
        }
    }
    for index in subjects.values_mut() {
        index.acknowledged.seal();
        index.unknown.seal();
        index.by_process.values_mut().for_each(Frontier::seal);
    }
    subjects
}

/// What callers were told of their writes agrees with the database.
fn check_writes(
    history: &History,
    writes: &HashMap<i64, &Write>,
    subjects: &HashMap<Subject, Index<'_>>,
    findings: &mut Findings,
) {
    for write in &history.writes {
        let Outcome::Acknowledged(versions) = &write.outcome else { continue };
        for (subject, version) in versions {
            let known = subjects.get(subject).and_then(|index| index.committed.get(version));
            if known.is_none_or(|known| known.op != Some(write.op)) {
                findings.report(Kind::Lost, Excerpt::of_write(write, *version));
            }
        }
    }
    for known in &history.committed {
        let write = known.op.and_then(|op| writes.get(&op));
        if let Some(write) = write.filter(|write| write.outcome == Outcome::Refused) {
            findings.report(Kind::Undead, Excerpt::of_write(write, known.state.version));
        }
    }
}

fn check_order(read: &Read, write: &Write, findings: &mut Findings) {
    if read.end_ns < write.start_ns {
        let mut excerpt = Excerpt::of(read, Some(write), read.state.version);
        excerpt.span_ns = write.start_ns - read.end_ns;
        findings.report(Kind::TooEarly, excerpt);
    }
}

fn check_age(
    read: &Read,
    index: &Index<'_>,
    (history, bounds): (&History, &Bounds),
    findings: &mut Findings,
) {
    let version = read.state.version;
    if let Some((write, newer)) = index.unknown.overtook(version, read.start_ns) {
        let age_ns = read.start_ns - write.end_ns;
        findings.unknown.add(age_ns);
        if bounds.unknown.is_some_and(|bound| age_ns > nanos(bound)) {
            let excerpt = Excerpt::of(read, Some(write), newer).during(&history.outages);
            findings.report(Kind::Forgotten, excerpt);
        }
    }
    let own = index.by_process.get(&read.process);
    if let Some((write, newer)) = own.and_then(|own| own.overtook(version, read.start_ns)) {
        let excerpt = Excerpt::of(read, Some(write), newer).during(&history.outages);
        findings.report(Kind::OwnWrite, excerpt);
        return;
    }
    let Some((write, newer)) = index.acknowledged.overtook(version, read.start_ns) else { return };
    let age_ns = read.start_ns - write.end_ns;
    let recovery_ns = nanos(bounds.recovery);
    let disturbs = |outage: &&Outage| {
        outage.start_ns <= read.start_ns
            && outage.end_ns.saturating_add(recovery_ns) >= write.start_ns
    };
    let disturbing = || history.outages.iter().filter(disturbs);
    let late = if disturbing().next().is_none() {
        findings.reachable.add(age_ns);
        age_ns > nanos(bounds.reachable)
    } else {
        let over = disturbing().map(|outage| outage.end_ns).filter(|end| *end <= read.start_ns);
        let since_ns = over.max().unwrap_or(0).max(write.end_ns);
        findings.unreachable.add(age_ns);
        findings.after_return.add(read.start_ns - since_ns);
        read.start_ns - since_ns > nanos(bounds.unreachable)
    };
    if late {
        let excerpt = Excerpt::of(read, Some(write), newer).during(&history.outages);
        findings.report(Kind::Stale, excerpt);
    }
}

impl Excerpt {
    fn of(read: &Read, write: Option<&Write>, version: i64) -> Self {
        let span_ns = write.map_or(read.end_ns - read.start_ns, |write| {
            read.start_ns.saturating_sub(write.end_ns)
        });
        let write = write.cloned();
        Self { read: Some(*read), write, version: Some(version), outages: Vec::new(), span_ns }
    }

    fn of_write(write: &Write, version: i64) -> Self {
        let span_ns = write.end_ns.saturating_sub(write.start_ns);
        let (write, version) = (Some(write.clone()), Some(version));
        Self { read: None, write, version, outages: Vec::new(), span_ns }
    }

    fn during(mut self, outages: &[Outage]) -> Self {
        if let (Some(read), Some(write)) = (&self.read, &self.write) {
            let between = |outage: &&Outage| {
                outage.start_ns <= read.end_ns && outage.end_ns >= write.start_ns
            };
            self.outages = outages.iter().filter(between).cloned().collect();
        }
        self
    }
}

impl Kind {
    /// In a few words.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::OwnWrite => "P1: a read missed a write that had returned in its own process",
            Self::Stale => "P3: a read missed a write that had returned elsewhere, past the bound",
            Self::NeverCommitted => "a read gave a state that was never committed",
            Self::TooEarly => "a read gave a state before its write began",
            Self::Forgotten => "a read missed a write of unknown outcome, past the bound",
            Self::Lost => "an acknowledged write is not in the database",
            Self::Undead => "a refused write is in the database",
        }
    }
}

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;
