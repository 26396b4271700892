//! Indexes that are there and should not be, and those that must stay whatever happens.

use super::super::{Finding, Limits, Problem, Verdict, examine};
use super::library::postgres;
use super::with;
use crate::catalog::{Catalog, Index, IndexKey, IndexShape, TableName, Usage};

const DAY: u64 = 86_400;

fn there(name: &str, columns: &[&str]) -> Index {
    let shape = IndexShape::btree(TableName::new("public", "loans"), columns.iter().copied());
    let mut index = Index::new(name, shape);
    index.usage = Some(Usage { scans: 5, last_scan_seconds: None });
    index
}

fn of_indexes(catalog: &Catalog) -> Vec<Finding> {
    let all = examine(catalog, &Limits::default());
    all.into_iter().filter(|one| one.index.is_some()).collect()
}

#[test]
fn of_two_alike_the_plain_one_goes() {
    let mut unique = there("b_unique", &["copy_id"]);
    unique.unique = true;
    let db = with(with(postgres(), there("a_plain", &["copy_id"])), unique);
    let [one] = of_indexes(&db).try_into().unwrap();
    assert_eq!(one.index.as_deref(), Some("a_plain"));
    assert_eq!(one.problem, Problem::Duplicate { of: "b_unique".to_owned() });
    assert_eq!(one.verdict, Verdict::Drop);
    // Of two plain ones, one is left.
    let db = with(with(postgres(), there("a", &["copy_id"])), there("b", &["copy_id"]));
    let names: Vec<_> = of_indexes(&db).into_iter().filter_map(|one| one.index).collect();
    assert_eq!(names, ["b"]);
}

#[test]
fn what_enforces_or_names_something_stays() {
    let protect: [fn(&mut Index); 5] = [
        |index| index.unique = true,
        |index| index.replica_identity = true,
        |index| index.clustered = true,
        |index| index.partition_of = Some("parent".to_owned()),
        |index| index.understood = false,
    ];
    for protect in protect {
        let mut index = there("twice", &["id"]);
        index.usage = Some(Usage::default());
        protect(&mut index);
        let mut db = with(postgres(), index);
        db.counters_age_seconds = Some(400 * DAY);
        assert_eq!(of_indexes(&db), []);
    }
}

#[test]
fn the_beginning_of_another_is_told_with_both_sizes() {
    let mut short = there("short", &["reader_id"]);
    short.bytes = Some(2_900_000);
    let mut long = there("long", &["reader_id", "due"]);
    long.bytes = Some(12_600_000);
    let db = with(with(postgres(), short), long);
    let [one] = of_indexes(&db).try_into().unwrap();
    assert_eq!(one.problem, Problem::Redundant { by: "long".to_owned() });
    assert_eq!(one.verdict, Verdict::Report);
    assert!(
        one.notes[0].contains("2900000") && one.notes[0].contains("12600000"),
        "{:?}",
        one.notes
    );
    // Another order, or fewer rows, is another index.
    let db = with(with(postgres(), there("a", &["due"])), there("b", &["reader_id", "due"]));
    assert_eq!(of_indexes(&db), []);
    let mut partial = there("b", &["due", "reader_id"]);
    partial.shape.predicate = Some("urgent".to_owned());
    assert_eq!(of_indexes(&with(with(postgres(), there("a", &["due"])), partial)), []);
}

#[test]
fn unused_is_said_only_where_it_can_be_known() {
    let unused = |age: Option<u64>, standbys: u32| {
        let mut index = there("idle", &["due"]);
        index.usage = Some(Usage::default());
        index.shape.keys = vec![IndexKey::expression("lower(note)")];
        let mut db = with(postgres(), index);
        db.counters_age_seconds = age;
        db.server.standbys = standbys;
        of_indexes(&db)
    };
    assert_eq!(unused(Some(2 * DAY), 0), []);
    assert_eq!(unused(None, 0), []);
    assert_eq!(unused(Some(40 * DAY), 1), []);
    let [one] = unused(Some(40 * DAY), 0).try_into().unwrap();
    assert_eq!(
        (one.problem, one.verdict),
        (Problem::Unused { seconds: 40 * DAY }, Verdict::Report)
    );
    assert_eq!(one.notes, ["the statistics of its expression go with it"]);
}

#[test]
fn a_failed_build_is_dropped_if_it_was_ours() {
    let broken = |name: &str| {
        let mut index = there(name, &["due"]);
        index.valid = false;
        let [one] = of_indexes(&with(postgres(), index)).try_into().unwrap();
        assert_eq!(one.problem, Problem::Invalid);
        one.verdict
    };
    assert_eq!(broken("guildhall_insight_due"), Verdict::Drop);
    assert_eq!(broken("theirs"), Verdict::Report);
}

#[test]
fn children_without_an_index_are_told() {
    let missing = |db: &Catalog| {
        let found = examine(db, &Limits::default());
        found.into_iter().any(|one| matches!(one.problem, Problem::UnindexedForeignKey { .. }))
    };
    assert!(missing(&postgres()));
    let fines = TableName::new("public", "fines");
    let on = |columns: [&str; 2], predicate: Option<&str>| {
        let mut shape = IndexShape::btree(fines.clone(), columns);
        shape.predicate = predicate.map(str::to_owned);
        with(postgres(), Index::new("there", shape))
    };
    assert!(!missing(&on(["loan_id", "amount"], None)));
    assert!(!missing(&on(["loan_id", "amount"], Some("(loan_id IS NOT NULL)"))));
    assert!(missing(&on(["loan_id", "amount"], Some("(amount > 5)"))));
    assert!(missing(&on(["amount", "loan_id"], None)));
}
