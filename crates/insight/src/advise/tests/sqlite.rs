//! What differs on SQLite.

use super::library::sqlite;
use super::{ask, ask_for, proposes, shapes};
use crate::workload::Statement;

#[test]
fn equality_order_and_directions_are_the_same() {
    let db = sqlite();
    let sql = "select * from `loans` where `reader_id` = ? order by `due` desc limit 10";
    proposes(&db, sql, &["loans (reader_id, due)"]);
    let sql = "select * from loans order by branch_id desc, due limit 5";
    proposes(&db, sql, &["loans (branch_id desc, due)"]);
    proposes(&db, "select * from readers where lower(email) = ?", &["readers (lower(email))"]);
    proposes(&db, "select * from Loans where COPY_ID is ?", &["loans (copy_id)"]);
    let join = "select f.amount from loans l join fines f on f.loan_id = l.id where l.copy_id = 7";
    proposes(&db, join, &["fines (loan_id)", "loans (copy_id)"]);
}

#[test]
fn a_text_is_a_number_where_the_column_is_one() {
    proposes(&sqlite(), "select * from loans where copy_id = '5'", &["loans (copy_id)"]);
}

#[test]
fn a_collation_asked_for_is_the_index_s() {
    let db = sqlite();
    let sql = "select * from readers where email = ? collate nocase";
    proposes(&db, sql, &["readers (email collate nocase)"]);
    let like = "select * from readers where email like 'ada%'";
    proposes(&db, like, &["readers (email collate NOCASE)"]);
    proposes(&db, "select * from readers where email glob 'ada*'", &["readers (email)"]);
}

#[test]
fn a_bound_value_that_never_changes_makes_a_partial_index() {
    let sql = "select * from loans where urgent = ? and reader_id = ?";
    let always = Statement::new(sql).sample(["1", "7"]).sample(["1", "8"]);
    let found = shapes(&ask_for(&sqlite(), always));
    assert!(found.contains(&"loans (reader_id) where (urgent = 1)".to_owned()), "{found:?}");
    let changing = Statement::new(sql).sample(["1", "7"]).sample(["0", "8"]);
    let found = shapes(&ask_for(&sqlite(), changing));
    assert!(!found.iter().any(|shape| shape.contains("where")), "{found:?}");
}

#[test]
fn a_common_value_is_worth_an_index_only_if_that_answers_alone() {
    let db = sqlite();
    let found = shapes(&ask(&db, "select count(*), sum(copy_id) from loans where branch_id = 1"));
    assert_eq!(found, ["loans (branch_id, copy_id)"]);
    assert_eq!(shapes(&ask(&db, "select * from loans where branch_id = 1")), [""; 0]);
}

#[test]
fn an_or_gets_all_or_nothing() {
    let advice = ask(&sqlite(), "select * from readers where city = ? or email = ?");
    assert_eq!(shapes(&advice), ["readers (city)", "readers (email)"]);
    assert_eq!(advice.sets.len(), 1);
}

#[test]
fn nothing_of_postgresql_is_proposed() {
    let db = sqlite();
    let sql = "select * from loans where taken >= '2025-04-10'";
    proposes(&db, sql, &["loans (taken)"]);
}

/// The sign is how an application keeps SQLite from an index that it would choose wrongly.
#[test]
fn a_column_behind_a_plus_is_left_alone() {
    let db = sqlite();
    for sql in [
        "select * from loans where +copy_id = ?",
        "select * from loans where +copy_id in (1, 2)",
        "select * from loans where +copy_id between 1 and 9",
        "select * from loans where (+copy_id) is null",
        "select * from loans order by +copy_id limit 5",
        "select * from loans group by +copy_id",
        "select * from readers where +email like 'ada%'",
    ] {
        assert_eq!(shapes(&ask(&db, sql)), [""; 0], "{sql}");
    }
    proposes(&db, "select * from loans where +branch_id = 1 and copy_id = 7", &["loans (copy_id)"]);
}
