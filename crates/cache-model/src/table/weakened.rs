//! The protocol with parts left out: what is load-bearing has to be missed, the rest must not be.

use super::{
    BUS, Breach, CRASH, DUP, ENTRY, Ending, Group, LOST, ONE, Row, SAME, SNAP, TAG, TAG0, TAG1,
    Variant, WIPE, row, writer,
};
use crate::cell::Cell;
use Breach::{P1, P3, RestMemory, RestShared};
use Variant::{
    AgeFromPut, ChangeBeforeCommit, CountedNonces, JoinAnyAge, JoinUnchecked, Monotonic,
    NamedTagAfterLoad, NoBumpAfter, NoBumpBefore, NoBumpByMessage, NoGenerations, NoPutFence,
    NoQuarantine, NoReadFence, NoRelay, NoRun, PublishFirst, PutUnchecked, StampAfterLoad,
};

pub(super) fn rows() -> Vec<Row> {
    let all = [P1, P3, RestShared, RestMemory];
    let rest = [RestShared, RestMemory];
    let no_fence = [NoReadFence, NoPutFence];
    let no_fence_once = [NoReadFence, NoPutFence, NoBumpBefore];
    vec![
        row(
            "V2",
            "no generation and no fence",
            [broken(&[NoGenerations], &[P1, RestMemory]).sound()],
        ),
        row(
            "V2a",
            "the generation is not raised before the commit",
            [one(&[NoBumpBefore]).also(&[LOST, CRASH])],
        ),
        row(
            "V2b",
            "the generation is not raised after the acknowledgement",
            [one(&[NoBumpAfter]).also(&[LOST, CRASH])],
        ),
        row(
            "V2c",
            "neither, only the fence",
            [broken(&[NoBumpBefore, NoBumpAfter], &[P1, RestMemory]).sound()],
        ),
        row("V2d", "no fence, the generation raised twice", [one(&no_fence).also(&[LOST, CRASH])]),
        row(
            "V2e",
            "no fence, the generation raised after the acknowledgement only",
            [
                one(&no_fence).variants(&[NoBumpBefore]).also(&[LOST, CRASH, BUS, WIPE]),
                Group::new(SAME, &[0, 1])
                    .variants(&no_fence)
                    .variants(&[NoBumpBefore])
                    .also(&[LOST]),
            ],
        ),
        row(
            "V2f",
            "no fence, the generation raised before the commit only",
            [broken(&[NoReadFence, NoPutFence, NoBumpAfter], &[P1, RestMemory]).sound()],
        ),
        row(
            "V2g",
            "a put under whatever generation",
            [broken(&[PutUnchecked], &[P1, RestMemory]).sound()],
        ),
        row("V2h", "flights found by their key alone", [broken(&[JoinUnchecked], &[P1]).sound()]),
        row(
            "V2i",
            "a message drops the entry, and does not raise the generation",
            [broken(&[NoBumpByMessage], &[RestMemory]).sound()],
        ),
        row("V3", "the nonces are taken after the load", [broken(&[StampAfterLoad], &all).sound()]),
        row(
            "V3a",
            "the nonce of a tag that the loader named is",
            [named_late().expect(&all).sound()],
        ),
        row(
            "V4",
            "nonces counted up instead of drawn",
            [
                broken(&[CountedNonces], &all).each(&[TAG, WIPE]),
                one(&[CountedNonces]).also(&[ENTRY]),
            ],
        ),
        row(
            "V5",
            "no relay",
            [broken(&[NoRelay], &rest).each(&[LOST, CRASH]), one(&[NoRelay]).sound()],
        ),
        row("V5a", "no quarantine", [broken(&[NoQuarantine], &[P1]).each(&[LOST])]),
        row(
            "V5b",
            "neither",
            [
                broken(&[NoQuarantine, NoRelay], &[P1, RestShared, RestMemory]).each(&[LOST]),
                broken(&[NoQuarantine, NoRelay], &rest).each(&[CRASH]),
            ],
        ),
        row("V6", "stamps without the run of the server", [broken(&[NoRun], &all).each(&[SNAP])]),
        row(
            "V9b",
            "an unknown outcome taken for a roll-back, without outbox",
            [Group::new(&[writer(0, TAG0, Ending::Unknown)], &[0, 0, 1])
                .variants(&[NoRelay])
                .expect(&rest)
                .sound()],
        ),
        row(
            "V10",
            "the age in memory counts from the put",
            [Group::new(ONE, &[0, 1, 1]).variants(&[AgeFromPut]).expect(&[P3]).each(&[BUS])],
        ),
        row(
            "V11",
            "a flight of any age is joined",
            [Group::new(ONE, &[0, 1, 1]).variants(&[JoinAnyAge]).expect(&[P3]).each(&[BUS])],
        ),
        row(
            "V12",
            "a SET that is sent again with the same nonce",
            [Group::new(SAME, &[0, 1]).expect(&all).each(&[DUP])],
        ),
        row(
            "V13",
            "the message goes out before the nonces change",
            [broken(&[PublishFirst], &[RestMemory]).sound()],
        ),
        row(
            "V14",
            "the nonces change before the commit only",
            [broken(&[ChangeBeforeCommit], &all).sound()],
        ),
        row(
            "M",
            "monotonic reads",
            [
                monotonic("beside the writer, two readers", &[0, 0, 1], &[], &[]),
                monotonic("beside the writer, three readers", &[0, 0, 0], &[], &[]),
                monotonic("elsewhere", &[0, 1, 1], &[], &[Breach::Backwards1]),
                monotonic(
                    "beside the writer, no fence",
                    &[0, 0, 1],
                    &no_fence_once,
                    &[Breach::Backwards0],
                ),
            ],
        ),
    ]
}

/// One writer, two readers beside it, one elsewhere.
/// Two tags; the second one is written.
fn named_late() -> Group {
    Group::new(&[writer(0, TAG1, Ending::Commit)], &[0, 0, 1])
        .variants(&[NamedTagAfterLoad])
        .map(|cell| cell.two_tags([0, 0]))
}

fn one(variants: &[Variant]) -> Group {
    Group::new(ONE, &[0, 0, 1]).variants(variants)
}

fn broken(variants: &[Variant], breaches: &[Breach]) -> Group {
    one(variants).expect(breaches)
}

fn monotonic(
    name: &'static str,
    readers: &[u8],
    variants: &[Variant],
    breaches: &[Breach],
) -> Vec<Cell> {
    let group = Group::new(ONE, readers).variants(variants).variants(&[Monotonic]);
    group.map(|cell| Cell { name, ..cell }).expect(breaches).sound()
}
