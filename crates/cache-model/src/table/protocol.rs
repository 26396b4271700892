//! The protocol as it is: nothing may be found.

use super::{
    BOTH, BOTH_TAGS, BUS, CRASH, DUP, EAGER, ENTRY, Ending, Group, LATE, LOST, NO_FAULT, ONE,
    Order, Row, SAME, SNAP, TAG, TAG0, TAG1, Variant, WIPE, WriterSpec, row, writer,
};
use crate::cell::Cell;

pub(super) fn rows() -> Vec<Row> {
    let single = [TAG, ENTRY, WIPE, LOST, LATE, SNAP, BUS, CRASH, EAGER];
    let light = [TAG, ENTRY, WIPE, LOST, BUS, CRASH];
    let each = [writer(0, TAG0, Ending::Commit), writer(1, TAG1, Ending::Commit)];
    let deleted = [Variant::DeletedTags];
    vec![
        row(
            "V1",
            "one writer, two readers beside it and one elsewhere",
            [Group::new(ONE, &[0, 0, 1]).also(&single)],
        ),
        row(
            "V1-elsewhere",
            "one writer, one reader beside it and two elsewhere",
            [Group::new(ONE, &[0, 1, 1]).also(&[LOST, BUS, CRASH])],
        ),
        row(
            "V1-beside",
            "one writer, three readers beside it",
            [Group::new(ONE, &[0, 0, 0]).also(&[LOST, BUS, TAG])],
        ),
        row(
            "V1-twice",
            "two writes in one process",
            [
                Group::new(SAME, &[0, 0, 1]).sound(),
                Group::new(SAME, &[0, 1]).each(&light),
                Group::new(SAME, &[0, 1]).large().each(&[LATE, SNAP, EAGER]),
            ],
        ),
        row(
            "V1-faults",
            "two faults of any kind",
            [Group::new(ONE, &[0, 1])
                .map(|cell| cell.budget(2))
                .together("two of tag entry lost message crash", &[TAG, ENTRY, LOST, BUS, CRASH])],
        ),
        row(
            "V7",
            "a writer in each process",
            [
                Group::new(BOTH, &[0, 1]).also(&light),
                Group::new(BOTH, &[0, 1]).large().each(&[LATE, SNAP, EAGER]),
            ],
        ),
        row(
            "V8",
            "an entry with two tags, one of them changed",
            [two(&[writer(0, TAG1, Ending::Commit)]).also(&light)],
        ),
        row(
            "V8a",
            "two tags, a writer for each",
            [two(&each).sound(), two(&each).large().each(&[LOST])],
        ),
        row(
            "V8b",
            "two tags, changed one after the other",
            [two(&[writer(0, BOTH_TAGS, Ending::Commit)])
                .variants(&[Variant::SeparateChanges])
                .also(&[LOST, CRASH, BUS])],
        ),
        row(
            "V9",
            "a writer that rolls back beside one that does not",
            [Group::new(&[writer(0, TAG0, Ending::RollBack), ONE[0]], &[0, 1]).also(&[TAG, LOST])],
        ),
        row(
            "V9a",
            "an unknown outcome taken for a roll-back, with outbox",
            [Group::new(&[writer(0, TAG0, Ending::Unknown)], &[0, 0, 1]).sound()],
        ),
        row(
            "V12a",
            "tags deleted instead of set, also twice",
            [
                Group::new(SAME, &[0, 1]).variants(&deleted).each(&[DUP]),
                Group::new(ONE, &[0, 1]).variants(&deleted).also(&[TAG, WIPE, LOST, CRASH]),
            ],
        ),
        row("V15", "the entry is fetched before the nonce", in_turn(&[0, 1])),
        row("V15a", "the nonce is fetched before the entry", in_turn(&[1, 0])),
        row(
            "V15b",
            "two tags changed one by one, fetched in any order",
            [two(&[writer(0, BOTH_TAGS, Ending::Commit)])
                .variants(&[Variant::SeparateChanges])
                .map(|cell| cell.order(Order::Any))
                .also(&[TAG, LOST])],
        ),
        row(
            "V16",
            "fenced loads share a flight",
            [Group::new(ONE, &[0, 0, 1]).variants(&[Variant::JoinFenced]).also(&[LOST, CRASH])],
        ),
        row(
            "V17",
            "the leader answers first and stores the entry afterwards",
            [answer_first().also(&light), answer_first().large().each(&[LATE, SNAP, EAGER])],
        ),
        row(
            "V18",
            "a quarantine ends when the process's own change is acknowledged",
            [Group::new(ONE, &[0, 0, 1])
                .variants(&[Variant::OwnAcknowledgement])
                .each(&[LOST, LATE])],
        ),
        row(
            "V19",
            "a tag that a loader named: asked for after the entry and before the load",
            [
                named(&[writer(0, TAG1, Ending::Commit)]).also(&light),
                named(&each).sound(),
                named(&each).large().each(&[TAG, LOST]),
            ],
        ),
        row(
            "V20",
            "flights of any generation, judged when they land",
            [Group::new(ONE, &[0, 0, 1])
                .variants(&[Variant::JudgedLanding])
                .also(&[LOST, BUS, CRASH])],
        ),
    ]
}

/// The second tag is known to be one when the entry has been told.
fn named(writers: &[WriterSpec]) -> Group {
    two(writers).map(|cell| cell.order(Order::InTurn(&[0, 1, 2])))
}

fn answer_first() -> Group {
    Group::new(ONE, &[0, 0, 1]).variants(&[Variant::AnswerFirst])
}

/// Two tags on one server, a reader in each process.
fn two(writers: &[WriterSpec]) -> Group {
    Group::new(writers, &[0, 1]).map(|cell| cell.two_tags([0, 0]))
}

fn in_turn(order: &'static [u8]) -> [Vec<Cell>; 2] {
    let asked =
        |readers: &[u8]| Group(Cell::new(NO_FAULT, ONE, readers).order(Order::InTurn(order)));
    [asked(&[0, 0, 1]).also(&[TAG, ENTRY, WIPE, LOST, BUS, CRASH]), asked(&[0, 1]).each(&[SNAP])]
}
