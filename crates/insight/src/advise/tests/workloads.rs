//! Several statements together: one index for many, and none for what is no statement.

use super::super::{Caveat, Limits, Refusal, Rule, Rung, advise, recommend_by_rule};
use super::library::{postgres, written};
use super::shapes;
use crate::catalog::{TableName, WriteCounters};
use crate::workload::{PatternKind, Statement, Workload};

fn together(statements: &[&str]) -> super::Advice {
    advise(&postgres(), &Workload::of(statements.iter().copied()), &Limits::default())
}

#[test]
fn the_longer_serves_the_shorter() {
    let advice = together(&[
        "select * from loans where reader_id = $1",
        "select * from loans where reader_id = $1 and due > $2",
        "select * from loans where reader_id = $1 order by due desc limit 50",
    ]);
    assert_eq!(shapes(&advice), ["loans (reader_id, due)"]);
    assert_eq!(advice.candidates[0].serves.len(), 3);
    let absorbed = advice.rejected.iter().filter(|one| matches!(one.why, Refusal::Absorbed { .. }));
    assert_eq!(absorbed.count(), 1);
}

#[test]
fn what_others_ask_too_comes_first() {
    let advice = together(&[
        "select * from loans where branch_id = 3 and status = 'out'",
        "select * from loans where status = 'lost'",
        "select * from loans where status = 'out' order by due limit 5",
    ]);
    let leading = shapes(&advice);
    assert!(
        leading.iter().any(|shape| shape.starts_with("loans (status, branch_id)")),
        "{leading:?}"
    );
}

#[test]
fn a_column_that_tells_all_is_enough_for_both() {
    let advice = together(&[
        "select * from loans where copy_id = $1",
        "select * from loans where reader_id = $2 and copy_id = $1",
    ]);
    assert_eq!(shapes(&advice), ["loans (copy_id)"]);
}

#[test]
fn a_parent_that_is_deleted_must_find_its_children() {
    let advice = together(&["delete from loans where id = $1"]);
    assert_eq!(shapes(&advice), ["fines (loan_id)"]);
    assert_eq!(advice.candidates[0].rules, [Rule::ForeignKey]);
    assert!(advice.candidates[0].serves.is_empty());
    let renumbered = together(&["update loans set id = $1 where id = $2"]);
    assert_eq!(shapes(&renumbered), ["fines (loan_id)"]);
    let mut db = postgres();
    written(&mut db, "loans", WriteCounters { deleted: 4, ..WriteCounters::default() });
    assert_eq!(shapes(&advise(&db, &Workload::default(), &Limits::default())), ["fines (loan_id)"]);
}

#[test]
fn what_is_not_understood_is_counted_and_the_rest_goes_on() {
    let advice = together(&[
        "select * from loans where copy_id = $1",
        "select * from loans where due between symmetric $1 and $2",
        "BEGIN",
        "SET search_path = x",
        "EXPLAIN select 1",
        "select * from pg_stat_activity where pid = 1",
    ]);
    assert_eq!(shapes(&advice), ["loans (copy_id)"]);
    assert_eq!((advice.parsed.understood, advice.parsed.of_no_interest), (2, 3));
    let [(place, _)] = advice.parsed.not_understood.as_slice() else { panic!() };
    assert_eq!(*place, 1);
    assert!(advice.caveats.iter().any(|one| matches!(one, Caveat::NotUnderstood { .. })));
}

#[test]
fn an_application_may_declare_what_it_does() {
    let mut workload = Workload::default();
    let loans = || TableName::bare("loans");
    workload.record_pattern(loans(), ["reader_id", "due"], PatternKind::Sort, 30);
    workload.record_pattern(loans(), ["reader_id", "due"], PatternKind::Sort, 30);
    workload.record_pattern(loans(), ["copy_id"], PatternKind::Equality, 5);
    workload.record_pattern(TableName::bare("readers"), ["age"], PatternKind::Range, 5);
    let advice = advise(&postgres(), &workload, &Limits::default());
    let expected = ["loans (copy_id)", "loans (reader_id, due)", "readers (age)"];
    assert_eq!(shapes(&advice), expected);
    assert!(advice.candidates.iter().all(|one| one.rules.contains(&Rule::Declared)));
    assert_eq!(workload.patterns[0].calls, 60);
}

#[test]
fn a_run_says_what_weakens_it() {
    let mut db = postgres();
    db.counters_age_seconds = Some(3_600);
    let workload = Workload::of(["select * from fresh where id = 3"]);
    let advice = advise(&db, &workload, &Limits::default());
    let fresh = vec![TableName::new("public", "fresh")];
    assert_eq!(
        advice.caveats,
        [
            Caveat::NeverAnalysed { tables: fresh },
            Caveat::YoungCounters { seconds: 3_600 },
            Caveat::FewCalls { calls: 1 },
        ]
    );
}

#[test]
fn by_rule_each_access_gets_its_first_choice() {
    let sql = "select * from loans where status = 'lost' order by due limit 10";
    let statement = Statement::new(sql).called(40).took_ms(400.0);
    let workload = Workload { statements: vec![statement], ..Workload::default() };
    let db = postgres();
    let advice = advise(&db, &workload, &Limits::default());
    let chosen = recommend_by_rule(&advice, &db, &workload, "ours_").unwrap();
    let [only] = chosen.as_slice() else { panic!("{chosen:?}") };
    assert_eq!(only.shape.to_string(), "loans (due) where (status = 'lost')");
    assert_eq!((only.rung, only.bytes), (Rung::Rule, None));
    assert!(only.ddl.starts_with("CREATE INDEX CONCURRENTLY IF NOT EXISTS \"ours_loans_due_"));
    assert_eq!(only.helped[0].calls, 40);
    assert_eq!(only.helped[0].total_time.unwrap().to_string(), "400 ms (measured)");
}

#[test]
fn an_id_is_that_of_the_index_and_of_nothing_else() {
    let run = |statements: &[&str]| {
        let workload = Workload::of(statements.iter().copied());
        let db = postgres();
        let advice = advise(&db, &workload, &Limits::default());
        recommend_by_rule(&advice, &db, &workload, "x_").unwrap()
    };
    let one = run(&["select * from loans where copy_id = 1"]);
    let two = run(&[
        "select 2",
        "select note from loans where 9 = copy_id",
        "select * from readers where email = $1",
    ]);
    assert_eq!((one.len(), two.len()), (1, 2));
    assert_eq!(one[0].id, two.iter().find(|own| own.shape == one[0].shape).unwrap().id);
    assert_ne!(two[0].id, two[1].id);
}
