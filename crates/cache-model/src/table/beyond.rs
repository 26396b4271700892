//! More processes, restarts, servers and primaries.

use super::{
    BOTH, BOTH_TAGS, BUS, Breach, CRASH, EAGER, ENTRY, Ending, Group, LATE, LOST, NO_FAULT, ONE,
    Order, RESTART, Row, SAME, SNAP, SPLIT, TAG, TAG0, TAG1, Variant, WIPE, WriterSpec, commit,
    row, writer,
};
use crate::cell::Cell;
use Breach::{P1, P1Early, P3, P3Early, RestMemory, RestShared};
use Variant::{
    DemotedReadOnly, GapDetector, NoExcuse, NoRun, OwnAcknowledgement, QuarantineAtStart,
    RepeatAfterMove, SeparateChanges,
};

pub(super) fn rows() -> Vec<Row> {
    [processes(), restarts(), servers(), primaries()].concat()
}

fn processes() -> Vec<Row> {
    let three = |writers: &[WriterSpec], readers: &[u8]| {
        Group::new(writers, readers).map(|cell| cell.processes(3))
    };
    let missed = |variants: &[Variant]| Group::new(ONE, &[0, 1, 1]).variants(variants);
    vec![
        row(
            "T1",
            "three processes, one writer",
            [
                three(ONE, &[0, 1, 2]).also(&[TAG, ENTRY, LOST, BUS]),
                three(ONE, &[0, 1, 2]).large().each(&[WIPE, CRASH, LATE, SNAP, EAGER]),
            ],
        ),
        row(
            "T2",
            "three processes, two writers, a reader beside one and one elsewhere",
            [
                three(BOTH, &[0, 2]).also(&[ENTRY]),
                three(BOTH, &[0, 2]).large().each(&[TAG, WIPE, LOST, BUS, CRASH]),
            ],
        ),
        row(
            "T3",
            "three processes, three writers",
            [
                three(&[commit(0), commit(1), commit(2)], &[0]).sound(),
                three(&[commit(0), commit(1), commit(2)], &[0, 1]).large().sound(),
            ],
        ),
        row(
            "G1",
            "a lost message, with a detector of gaps",
            [missed(&[GapDetector, NoExcuse]).each(&[BUS])],
        ),
        row(
            "G2",
            "a lost message, without",
            [missed(&[NoExcuse]).expect(&[RestMemory]).each(&[BUS])],
        ),
    ]
}

fn restarts() -> Vec<Row> {
    let cured = |writers: &[WriterSpec], readers: &[u8]| {
        Group::new(writers, readers).variants(&[QuarantineAtStart])
    };
    let twice = |cell: Cell| cell.budget(2);
    vec![
        row(
            "R1",
            "restart with open rows, whose tags start in quarantine",
            [
                cured(ONE, &[0, 0, 1]).each(&[RESTART]),
                cured(ONE, &[0, 0, 1]).map(twice).together("lost, restart", &[LOST, RESTART]),
                cured(ONE, &[0, 1]).map(twice).together("late, restart", &[LATE, RESTART]),
                cured(SAME, &[0, 1])
                    .map(twice)
                    .large()
                    .together("two writes: lost, restart", &[LOST, RESTART]),
            ],
        ),
        row(
            "R2",
            "restart with open rows, forgotten",
            [
                Group::new(ONE, &[0, 0, 1]).each(&[RESTART]),
                Group::new(ONE, &[0, 0, 1])
                    .map(twice)
                    .expect(&[P1])
                    .together("lost, restart", &[LOST, RESTART]),
            ],
        ),
    ]
}

fn servers() -> Vec<Row> {
    let apart = |writers: &[WriterSpec]| {
        Group::new(writers, &[0, 1])
            .map(|cell| cell.two_tags([0, 1]).order(Order::Any))
            .variants(&[SeparateChanges])
    };
    let both = [writer(0, BOTH_TAGS, Ending::Commit)];
    let each = [writer(0, TAG0, Ending::Commit), writer(1, TAG1, Ending::Commit)];
    let one = [writer(0, TAG1, Ending::Commit)];
    let single = [TAG, ENTRY, WIPE, LOST, LATE, SNAP, BUS, CRASH, EAGER];
    let elsewhere =
        |readers: &[u8]| Group(Cell::new(NO_FAULT, ONE, readers).tag_elsewhere().order(Order::Any));
    vec![
        row("N1", "two tags on two servers, both changed", [apart(&both).also(&single)]),
        row(
            "N2",
            "two tags on two servers, two faults",
            [
                apart(&both).map(|cell| cell.budget(2)).together("two of tag lost", &[TAG, LOST]),
                apart(&both)
                    .map(|cell| cell.budget(2))
                    .large()
                    .together("two of tag wipe lost snapshot", &[TAG, WIPE, LOST, SNAP]),
            ],
        ),
        row(
            "N3",
            "two tags on two servers, a writer for each",
            [apart(&each).sound(), apart(&each).large().each(&[LOST, WIPE])],
        ),
        row(
            "N4",
            "the entry on one server, its tag on another",
            [
                elsewhere(&[0, 0, 1]).also(&[TAG, ENTRY, WIPE, LOST, BUS, CRASH]),
                elsewhere(&[0, 1]).each(&[LATE, SNAP]),
            ],
        ),
        row("N5", "two tags on two servers, one of them changed", [apart(&one).each(&[SNAP])]),
        row(
            "N6",
            "the same, and stamps do not name the run",
            [apart(&one)
                .variants(&[NoRun])
                .expect(&[P1, P3, RestShared, RestMemory])
                .each(&[SNAP])],
        ),
    ]
}

fn primaries() -> Vec<Row> {
    let split = |variants: &[Variant], breaches: &[Breach]| {
        Group::new(ONE, &[0, 1]).variants(variants).expect(breaches).each(&[SPLIT])
    };
    vec![
        row(
            "F1",
            "a demoted primary still answers",
            [split(&[], &[P1, P3, P1Early, P3Early, RestShared, RestMemory])],
        ),
        row("F2", "it takes no writes", [split(&[DemotedReadOnly], &[P1Early, P3Early])]),
        row(
            "F3",
            "it takes no writes, quarantine ends by the process's own change",
            [split(&[DemotedReadOnly, OwnAcknowledgement], &[P3Early])],
        ),
        row(
            "F4",
            "it takes writes, which are repeated at the new one",
            [
                split(&[RepeatAfterMove], &[P1Early, P3Early]),
                Group(Cell::new("two readers elsewhere", ONE, &[1, 1]))
                    .variants(&[RepeatAfterMove])
                    .expect(&[P3, P3Early])
                    .together("split primary, two readers elsewhere", &[SPLIT]),
            ],
        ),
        row(
            "F5",
            "it takes no writes, and stamps do not name the run",
            [split(
                &[DemotedReadOnly, OwnAcknowledgement, NoRun],
                &[P1, P3, P1Early, P3Early, RestShared, RestMemory],
            )],
        ),
    ]
}
