use super::*;
use crate::history::Aspect;

const MS: u64 = 1_000_000;

const ALICE: Subject = Subject { member: 1, aspect: Aspect::Account };
const BOB: Subject = Subject { member: 2, aspect: Aspect::Profile };

fn bounds() -> Bounds {
    Bounds {
        reachable: Duration::from_millis(100),
        unreachable: Duration::from_millis(500),
        recovery: Duration::from_millis(50),
        unknown: None,
    }
}

fn state(subject: Subject, version: i64) -> State {
    State { subject, version, value: version * 10 }
}

fn read(process: u32, (start, end): (u64, u64), state: State) -> Read {
    Read { process, start_ns: start * MS, end_ns: end * MS, state }
}

fn write(op: i64, process: u32, (start, end): (u64, u64), outcome: Outcome) -> Write {
    Write { op, process, start_ns: start * MS, end_ns: end * MS, outcome }
}

fn acknowledged(version: i64) -> Outcome {
    Outcome::Acknowledged(vec![(ALICE, version)])
}

fn committed(version: i64, op: i64) -> Committed {
    Committed { state: state(ALICE, version), op: Some(op) }
}

/// Version 1 is older than the run. Process 1 writes 2 from 10 to 20 ms and 3 from 30 to 40 ms.
fn two_writes() -> History {
    History {
        reads: Vec::new(),
        writes: vec![
            write(100, 1, (10, 20), acknowledged(2)),
            write(101, 1, (30, 40), acknowledged(3)),
        ],
        committed: vec![
            Committed { state: state(ALICE, 1), op: None },
            committed(2, 100),
            committed(3, 101),
        ],
        outages: Vec::new(),
    }
}

fn with_reads(reads: impl IntoIterator<Item = Read>) -> History {
    History { reads: reads.into_iter().collect(), ..two_writes() }
}

/// The one kind found, and how often.
fn only(findings: &Findings) -> (Kind, u64) {
    assert_eq!(findings.violations.len(), 1, "{findings:?}");
    findings.violations.iter().map(|(kind, found)| (*kind, found.count)).next().unwrap()
}

#[test]
fn a_clean_history_has_no_violation() {
    let history = with_reads([
        read(1, (0, 1), state(ALICE, 1)),
        read(1, (12, 13), state(ALICE, 1)), // Beside the write: either is right.
        read(1, (12, 13), state(ALICE, 2)),
        read(1, (21, 22), state(ALICE, 2)),
        read(1, (19, 60), state(ALICE, 1)), // Began before the write returned.
        read(1, (41, 42), state(ALICE, 3)),
        read(2, (41, 42), state(ALICE, 3)),
    ]);
    assert_eq!(check(&history, &bounds()), Findings::default());
}

#[test]
fn a_read_that_misses_a_write_of_its_own_process_violates_p1() {
    let history = with_reads([
        read(1, (41, 42), state(ALICE, 3)),
        read(1, (45, 46), state(ALICE, 2)),
        read(1, (43, 44), state(ALICE, 1)),
    ]);
    let findings = check(&history, &bounds());
    assert_eq!(only(&findings), (Kind::OwnWrite, 2));
    let shortest = &findings.violations[&Kind::OwnWrite].excerpt;
    assert_eq!(shortest.read.unwrap().state.version, 2);
    assert_eq!((shortest.write.as_ref().unwrap().op, shortest.version), (101, Some(3)));
    assert_eq!(shortest.span_ns, 5 * MS);
}

#[test]
fn an_acknowledgement_counts_from_the_first_newer_version() {
    // Version 3 returned before version 2 did: whoever begins after that must not see 1 nor 2.
    let mut history = with_reads([read(1, (35, 36), state(ALICE, 1))]);
    history.writes[0].end_ns = 50 * MS;
    history.writes[1].end_ns = 34 * MS;
    assert_eq!(only(&check(&history, &bounds())), (Kind::OwnWrite, 1));
}

#[test]
fn another_process_may_lag_by_the_bound_and_no_more() {
    let within = check(&with_reads([read(2, (140, 141), state(ALICE, 2))]), &bounds());
    assert!(within.violations.is_empty(), "{within:?}");
    assert_eq!(within.reachable, Staleness { reads: 1, max_ns: 100 * MS });

    let beyond = check(&with_reads([read(2, (141, 142), state(ALICE, 2))]), &bounds());
    assert_eq!(only(&beyond), (Kind::Stale, 1));
    assert_eq!(beyond.reachable.max_ns, 101 * MS);
}

#[test]
fn an_outage_has_its_own_bound_which_begins_anew_when_it_ends() {
    let outage = Outage { fault: "away", start_ns: 35 * MS, end_ns: 1_000 * MS };
    let during = |reads: Vec<Read>| {
        let history = History { outages: vec![outage.clone()], ..with_reads(reads) };
        check(&history, &bounds())
    };
    let within = during(vec![
        read(2, (540, 541), state(ALICE, 2)),     // Still away.
        read(2, (1_500, 1_501), state(ALICE, 2)), // 500 ms after the return.
    ]);
    assert!(within.violations.is_empty(), "{within:?}");
    assert_eq!(within.reachable, Staleness::default());
    assert_eq!(within.unreachable, Staleness { reads: 2, max_ns: 1_460 * MS });
    assert_eq!(within.after_return, Staleness { reads: 2, max_ns: 500 * MS });

    assert_eq!(only(&during(vec![read(2, (541, 542), state(ALICE, 2))])), (Kind::Stale, 1));
    let late = during(vec![read(2, (1_501, 1_502), state(ALICE, 2))]);
    assert_eq!(only(&late), (Kind::Stale, 1));
    assert_eq!(late.violations[&Kind::Stale].excerpt.outages, vec![outage.clone()]);
}

#[test]
fn an_outage_is_felt_for_the_time_of_recovery() {
    let found = |end_ms: u64| {
        let mut history = with_reads([read(2, (311, 312), state(ALICE, 2))]);
        (history.writes[1].start_ns, history.writes[1].end_ns) = (200 * MS, 210 * MS);
        history.outages = vec![Outage { fault: "away", start_ns: 0, end_ns: end_ms * MS }];
        check(&history, &bounds())
    };
    let felt = found(150);
    assert_eq!((felt.unreachable.reads, felt.violations.len()), (1, 0));
    let over = found(149);
    assert_eq!((over.reachable.reads, only(&over)), (1, (Kind::Stale, 1)));
}

#[test]
fn an_outage_excuses_nothing_in_the_writers_own_process() {
    let outages = vec![Outage { fault: "away", start_ns: 0, end_ns: 1_000 * MS }];
    let reads = [read(1, (41, 42), state(ALICE, 2))];
    let history = History { outages, ..with_reads(reads) };
    assert_eq!(only(&check(&history, &bounds())), (Kind::OwnWrite, 1));
}

#[test]
fn a_state_that_was_never_committed_is_found() {
    let unknown_version = read(2, (50, 51), state(ALICE, 4));
    let unknown_subject = read(2, (50, 51), state(BOB, 1));
    // The version exists; a unit that was rolled back had written another value under it.
    let other_value = read(2, (50, 51), State { value: 7, ..state(ALICE, 3) });
    for wrong in [unknown_version, unknown_subject, other_value] {
        let findings = check(&with_reads([wrong]), &bounds());
        assert_eq!(only(&findings), (Kind::NeverCommitted, 1));
    }
}

#[test]
fn a_state_is_not_seen_before_its_write_began() {
    let findings = check(&with_reads([read(2, (28, 29), state(ALICE, 3))]), &bounds());
    assert_eq!(only(&findings), (Kind::TooEarly, 1));
    assert_eq!(findings.violations[&Kind::TooEarly].excerpt.span_ns, MS);
}

#[test]
fn a_write_of_unknown_outcome_may_be_seen_or_not() {
    let mut history = with_reads([
        read(1, (50, 51), state(ALICE, 2)),
        read(1, (50, 51), state(ALICE, 3)),
        read(2, (90, 91), state(ALICE, 2)),
    ]);
    history.writes[1].outcome = Outcome::Unknown;
    let findings = check(&history, &bounds());
    assert!(findings.violations.is_empty(), "{findings:?}");
    assert_eq!(findings.unknown, Staleness { reads: 2, max_ns: 50 * MS });

    let strict = Bounds { unknown: Some(Duration::from_millis(49)), ..bounds() };
    assert_eq!(only(&check(&history, &strict)), (Kind::Forgotten, 1));

    // Not committed: the state before it is the newest there is.
    history.committed.pop();
    history.reads.remove(1);
    let findings = check(&history, &strict);
    assert_eq!(findings, Findings::default());
}

#[test]
fn an_acknowledged_write_that_the_database_lacks_is_lost() {
    let mut history = two_writes();
    history.committed.pop();
    assert_eq!(only(&check(&history, &bounds())), (Kind::Lost, 1));
    history.committed.push(committed(3, 999)); // There, but somebody else's.
    assert_eq!(only(&check(&history, &bounds())), (Kind::Lost, 1));
}

#[test]
fn a_refused_write_that_the_database_has_is_found() {
    let mut history = two_writes();
    history.writes[1].outcome = Outcome::Refused;
    assert_eq!(only(&check(&history, &bounds())), (Kind::Undead, 1));
}
