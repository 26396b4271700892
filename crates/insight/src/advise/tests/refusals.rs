//! Every reason there is, and the case it is for.

use super::super::{Limits, Refusal, advise};
use super::library::{postgres, sqlite, written};
use super::{ask, ask_for, refused, refuses, shapes, with};
use crate::catalog::{Index, IndexKey, IndexShape, Method, TableKind, TableName, WriteCounters};
use crate::workload::{Statement, Workload};

fn loans() -> TableName {
    TableName::new("public", "loans")
}

#[test]
fn tables_that_get_no_index() {
    let mut db = postgres();
    let small = refuses(&db, "select * from shelves where room = 'x'");
    assert_eq!(small, Refusal::SmallTable { rows: 30.0, pages: 1 });
    assert_eq!(refuses(&db, "select * from fresh where id = 1"), Refusal::NeverAnalysed);
    assert_eq!(refuses(&db, "select * from nowhere where id = 1"), Refusal::UnknownTable);
    let system = "select * from pg_catalog.pg_class where relname = 'x'";
    assert_eq!(refuses(&db, system), Refusal::SystemTable);
    assert_eq!(refuses(&db, "select * from schema_migrations where id = 1"), Refusal::OwnTable);
    assert_eq!(refuses(&db, "select * from guildhall_insight_x where id = 1"), Refusal::OwnTable);
    for (kind, why) in [
        (TableKind::Temporary, Refusal::TemporaryTable),
        (TableKind::Foreign, Refusal::ForeignTable),
        (TableKind::System, Refusal::SystemTable),
    ] {
        db.table_mut(&loans()).unwrap().kind = kind;
        assert_eq!(refuses(&db, "select * from loans where copy_id = 1"), why);
    }
    let mut db = postgres();
    db.table_mut(&loans()).unwrap().internal = true;
    assert_eq!(refuses(&db, "select * from loans where copy_id = 1"), Refusal::OwnTable);
}

#[test]
fn statements_that_read_everything() {
    let db = postgres();
    assert_eq!(refuses(&db, "select avg(length(note)) from loans"), Refusal::WholeTable);
    assert_eq!(refuses(&db, "select * from loans order by due"), Refusal::WholeSort);
    let all = "select * from loans l join fines f on f.loan_id = l.id";
    assert_eq!(refuses(&db, all), Refusal::WholeJoin);
}

#[test]
fn conditions_that_keep_too_much() {
    let db = postgres();
    let kept = |sql: &str| match refuses(&db, sql) {
        Refusal::Unselective { kept, .. } => (kept * 1000.0).round() / 1000.0,
        other => panic!("{sql}: {other:?}"),
    };
    assert_eq!(kept("select * from loans where branch_id = 1"), 0.4);
    assert_eq!(kept("select * from loans where status = 'back'"), 0.97);
    assert_eq!(kept("select * from loans where returned is null"), 0.97);
    assert_eq!(kept("select * from readers where age > 50"), 0.5);
    assert_eq!(refuses(&db, "select * from loans where status <> 'back'"), Refusal::NotIndexable);
    assert_eq!(refuses(&db, "select * from loans where not (due = $1)"), Refusal::NotIndexable);
}

#[test]
fn a_limit_that_is_soon_reached() {
    let db = postgres();
    let why = refuses(&db, "select * from loans where branch_id = 1 limit 10");
    assert_eq!(why, Refusal::LimitStops { rows: 25.0 });
}

#[test]
fn a_unique_index_holds_many_nulls() {
    let unique = Index::unique("loans_lost_key", IndexShape::btree(loans(), ["lost_at"]));
    let db = with(postgres(), unique);
    let why = refuses(&db, "select * from loans where lost_at = $1 order by due limit 10");
    assert_eq!(why, Refusal::PointLookup { index: "loans_lost_key".to_owned() });
    let nulls = ask(&db, "select * from loans where lost_at is null order by due limit 10");
    assert_eq!(shapes(&nulls), ["loans (due)"]);
}

#[test]
fn statements_too_cheap_to_matter() {
    let statements = vec![
        Statement::new("select * from loans where copy_id = 1").called(9).took_ms(1.0),
        Statement::new("select * from loans where reader_id = 1").called(9).took_ms(999.0),
    ];
    let workload = Workload { statements, ..Workload::default() };
    let advice = advise(&postgres(), &workload, &Limits::default());
    assert_eq!(shapes(&advice), ["loans (reader_id)"]);
    let passed =
        advice.rejected.iter().find(|one| one.access.is_some_and(|own| own.statement == 0));
    assert_eq!(passed.unwrap().why, Refusal::Negligible { share: 0.001 });
    // Seldom but slow is not cheap.
    let mut slow = workload;
    slow.statements[0].total_ms = Some(9_000.0);
    slow.statements[1].total_ms = Some(1e9);
    assert_eq!(advise(&postgres(), &slow, &Limits::default()).candidates.len(), 2);
}

#[test]
fn what_an_existing_index_does_already() {
    let by = |keys: &[&str]| Index::new("there", IndexShape::btree(loans(), keys.iter().copied()));
    let covered = Refusal::Covered { index: "there".to_owned() };
    let sql = "select * from loans where reader_id = $1 and branch_id = $2 order by due limit 9";
    for keys in [["reader_id", "branch_id", "due"], ["branch_id", "reader_id", "due"]] {
        let advice = ask(&with(postgres(), by(&keys)), sql);
        assert!(advice.rejected.iter().any(|one| one.why == covered), "{:?}", advice.rejected);
    }
    // The order is not that of the keys, or the index cannot be used.
    let wanted = "select * from loans where reader_id = 1 order by due desc limit 9";
    let mut cases = vec![(by(&["due", "reader_id"]), false), (by(&["reader_id", "due"]), true)];
    let mut invalid = by(&["reader_id", "due"]);
    invalid.valid = false;
    let mut unread = by(&["reader_id", "due"]);
    unread.understood = false;
    let mut narrow = by(&["reader_id", "due"]);
    narrow.shape.predicate = Some("(status = 'lost'::text)".to_owned());
    let mut turned = by(&["reader_id", "due"]);
    turned.shape.keys[1].direction = crate::catalog::Direction::Desc;
    let mut mixed = by(&["reader_id", "due"]);
    mixed.shape.keys[1].nulls = crate::catalog::Nulls::Opposite;
    cases.extend([
        (invalid, false),
        (unread, false),
        (narrow, false),
        (turned, true),
        (mixed, false),
    ]);
    for (index, serves) in cases {
        let advice = ask(&with(postgres(), index.clone()), wanted);
        assert_eq!(advice.candidates.is_empty(), serves, "{index:?}");
    }
}

#[test]
fn a_partial_index_serves_where_its_condition_is_implied() {
    let partial = |sql: &str| {
        let shape = IndexShape::btree(loans(), ["reader_id"]).filtered(sql);
        with(postgres(), Index::new("there", shape))
    };
    let sql = "select * from loans where reader_id = 3 and urgent";
    for there in ["urgent", "(reader_id IS NOT NULL)", "(urgent AND (reader_id IS NOT NULL))"] {
        assert!(ask(&partial(there), sql).candidates.is_empty(), "{there}");
    }
    for there in ["(NOT urgent)", "(urgent AND (due IS NOT NULL))", "what is this"] {
        assert!(!ask(&partial(there), sql).candidates.is_empty(), "{there}");
    }
}

#[test]
fn a_partial_index_counts_for_what_its_condition_says() {
    let partial = |columns: [&str; 1], sql: &str| {
        let shape = IndexShape::btree(loans(), columns).filtered(sql);
        with(postgres(), Index::new("there", shape))
    };
    // Reader 1 has many loans, but few urgent ones.
    let why = refuses(
        &partial(["reader_id"], "urgent"),
        "select * from loans where reader_id = 1 and urgent",
    );
    assert!(matches!(why, Refusal::Bounded { rows, .. } if rows.round() == 120.0), "{why}");
    let sql = "select * from loans where status = 'lost' order by due limit 10";
    let why = refuses(&partial(["due"], "(status = 'lost'::text)"), sql);
    assert_eq!(why, Refusal::Covered { index: "there".to_owned() });
}

#[test]
fn an_expression_index_is_known_by_its_structure() {
    let shape = IndexShape {
        keys: vec![IndexKey::expression("lower((email)::text)")],
        ..IndexShape::btree(TableName::new("public", "readers"), ["id"])
    };
    let db = with(postgres(), Index::new("there", shape));
    let why = refuses(&db, "select * from readers where LOWER(email) = 'x'");
    assert_eq!(why, Refusal::Covered { index: "there".to_owned() });
    let mut trigrams = IndexShape::btree(TableName::new("public", "readers"), ["email"]);
    trigrams.method = Method::Gin;
    trigrams.keys[0].opclass = Some("gin_trgm_ops".to_owned());
    let db = with(postgres(), Index::new("there", trigrams));
    let why = refuses(&db, "select * from readers where email like '%abc%'");
    assert_eq!(why, Refusal::Covered { index: "there".to_owned() });
}

#[test]
fn one_row_is_one_row() {
    let db = postgres();
    let lookup = Refusal::PointLookup { index: "loans_pkey".to_owned() };
    assert_eq!(refuses(&db, "select * from loans where id = $1 and status = 'out'"), lookup);
    let lookup = Refusal::PointLookup { index: "id".to_owned() };
    assert_eq!(refuses(&sqlite(), "select * from loans where id = ? and status = 'out'"), lookup);
}

#[test]
fn few_rows_need_no_better_index() {
    let index = Index::new("there", IndexShape::btree(loans(), ["copy_id", "due"]));
    let db = with(postgres(), index);
    let sql = "select * from loans where copy_id = 4 and returned is not null";
    match refuses(&db, sql) {
        Refusal::Bounded { index, rows } => assert!(index == "there" && rows < 5.0, "{rows}"),
        other => panic!("{other:?}"),
    }
    // Not for a value that may be a common one.
    let index = Index::new("there", IndexShape::btree(loans(), ["reader_id"]));
    let advice = ask(
        &with(postgres(), index),
        "select * from loans where reader_id = $1 order by due limit 5",
    );
    assert_eq!(shapes(&advice), ["loans (reader_id, due)"]);
}

#[test]
fn one_branch_of_an_or_spoils_the_others() {
    let db = postgres();
    match refuses(&db, "select * from readers where email = $1 or age > 1") {
        Refusal::OrBranch { branch: 1, why } => {
            assert!(matches!(*why, Refusal::Unselective { .. }), "{why}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn texts_that_no_index_finds() {
    let mut db = postgres();
    let sql = |pattern: &str| format!("select * from readers where email like '{pattern}'");
    assert_eq!(refuses(&db, &sql("%ab%")), Refusal::PatternTooShort);
    let bound = "select * from readers where email like $1";
    assert_eq!(refuses(&db, bound), Refusal::PatternUnknown);
    db.extensions.clear();
    let missing = Refusal::ExtensionMissing { name: "pg_trgm".to_owned() };
    assert_eq!(refuses(&db, &sql("%abc%")), missing);
    assert_eq!(refuses(&sqlite(), &sql("%abc%")), Refusal::NoTextIndex);
}

#[test]
fn a_bound_value_proves_no_partial_index() {
    let advice = ask(&postgres(), "select * from loans where urgent = $2 and reader_id = $1");
    let bound = Refusal::BoundPredicate { column: "urgent".to_owned() };
    assert!(advice.rejected.iter().any(|one| one.why == bound), "{:?}", advice.rejected);
    assert_eq!(shapes(&advice)[0], "loans (reader_id, urgent)");
    assert!(!shapes(&advice).iter().any(|shape| shape.contains("where")));
}

#[test]
fn sqlite_sorts_nulls_in_one_place() {
    let why = refuses(&sqlite(), "select * from loans order by returned nulls last limit 5");
    assert_eq!(why, Refusal::NullsOrder);
}

#[test]
fn covering_needs_a_vacuum() {
    let mut db = postgres();
    db.table_mut(&loans()).unwrap().all_visible = Some(0.3);
    let sql = "select branch_id, count(*) from loans where reader_id = 1 group by branch_id";
    let advice = ask(&db, sql);
    let why = Refusal::NotVacuumed { all_visible: 0.3 };
    assert!(advice.rejected.iter().any(|one| one.why == why), "{:?}", advice.rejected);
    assert_eq!(shapes(&advice), ["loans (reader_id)"]);
}

#[test]
fn a_table_that_is_mostly_written_gets_no_index_on_what_is_written() {
    let mut db = postgres();
    let counters =
        WriteCounters { updated: 50_000, hot_updated: 47_000, ..WriteCounters::default() };
    written(&mut db, "loans", counters);
    let update = Statement::new("update loans set due = $1 where id = $2").called(50_000);
    let read = Statement::new("select * from loans where due > '2025-04-10'").called(1);
    let workload = Workload { statements: vec![update.clone(), read], ..Workload::default() };
    let advice = advise(&db, &workload, &Limits::default());
    assert_eq!(shapes(&advice), [""; 0]);
    let heavy = advice.rejected.iter().find(|one| matches!(one.why, Refusal::WriteHeavy { .. }));
    let expected = Refusal::WriteHeavy { writes: 50_000.0, reads: 1.0, hot_lost: Some(47_000.0) };
    assert_eq!(heavy.unwrap().why, expected);
    assert!(expected.to_string().contains("47000 updates"), "{expected}");
    // On a column that is never set, the same index is welcome; and so it is when it is often read.
    let other = Statement::new("select * from loans where copy_id = 5").called(1);
    let workload = Workload { statements: vec![update.clone(), other], ..Workload::default() };
    assert_eq!(shapes(&advise(&db, &workload, &Limits::default())), ["loans (copy_id)"]);
    let read = Statement::new("select * from loans where due > '2025-04-10'").called(5_000);
    let workload = Workload { statements: vec![update, read], ..Workload::default() };
    let advice = advise(&db, &workload, &Limits::default());
    let [only] = advice.candidates.as_slice() else { panic!("{advice:?}") };
    assert!(only.ends_hot && only.entries_written == 50_000.0, "{only:?}");
}

#[test]
fn a_parent_that_never_leaves_needs_no_way_to_its_children() {
    let advice = ask(&postgres(), "select 1 from fines where id = 4");
    let never = advice.rejected.iter().find(|one| one.why == Refusal::ParentNeverLeaves).unwrap();
    assert_eq!(never.shape.as_ref().unwrap().to_string(), "fines (loan_id)");
}

#[test]
fn a_declared_pattern_must_name_what_there_is() {
    let mut workload = Workload::default();
    let kind = crate::workload::PatternKind::Equality;
    workload.record_pattern(TableName::bare("loans"), ["colour"], kind, 5);
    let advice = advise(&postgres(), &workload, &Limits::default());
    assert_eq!(refused(&advice), Refusal::UnknownColumn { column: "colour".to_owned() });
}

#[test]
fn on_sqlite_the_worst_value_seen_counts() {
    let asked = |reader: &str| {
        ask_for(
            &sqlite(),
            Statement::new("select * from loans where branch_id = ?").sample([reader]),
        )
    };
    assert!(matches!(refused(&asked("1")), Refusal::Unselective { kept, .. } if kept == 0.4));
    assert_eq!(shapes(&asked("7")), ["loans (branch_id)"]);
}

#[test]
fn every_reason_is_a_sentence_without_holes() {
    let shape = IndexShape::btree(loans(), ["due"]);
    let heavy = Refusal::WriteHeavy { writes: 5e4, reads: 1.0, hot_lost: None };
    for refusal in [
        heavy,
        Refusal::Absorbed { by: Box::new(shape) },
        Refusal::NotVacuumed { all_visible: 0.31 },
    ] {
        let text = refusal.to_string();
        assert!(text.len() > 10 && !text.contains("{}"), "{text}");
    }
}
