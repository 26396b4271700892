//! Where no index helps, but another spelling would.

use super::super::Rewrite;
use super::library::{postgres, sqlite};
use super::{ask, ask_for, rewrites, shapes};
use crate::workload::Statement;

#[track_caller]
fn only_rewrite(sql: &str) -> Rewrite {
    let advice = ask(&postgres(), sql);
    assert_eq!(shapes(&advice), [""; 0], "{sql}");
    match rewrites(&advice).as_slice() {
        [only] => (*only).clone(),
        other => panic!("{sql}: {other:?}"),
    }
}

#[test]
fn a_calendar_function_is_a_range() {
    for wrapped in [
        "date_trunc('day', due)",
        "due::date",
        "extract(year from due)",
        "to_char(due, 'YYYY')",
        "(due at time zone 'utc')::date",
        "date_trunc('day', due at time zone 'utc')",
    ] {
        let sql = format!("select count(*) from loans where {wrapped} = $1");
        match only_rewrite(&sql) {
            Rewrite::HalfOpenRange { column, .. } => assert_eq!(column, "due"),
            other => panic!("{sql}: {other:?}"),
        }
    }
    let advice = ask(&sqlite(), "select * from loans where strftime('%Y', due) = '2025'");
    assert!(matches!(rewrites(&advice).as_slice(), [Rewrite::HalfOpenRange { .. }]));
}

#[test]
fn a_cast_belongs_to_the_value() {
    for sql in [
        "select * from loans where copy_id = 5::numeric",
        "select * from loans where copy_id = 5.0",
        "select * from loans where copy_id = $1::float8",
        "select * from loans where copy_id::text = '5'",
        "select * from loans where copy_id in (5.5, 6)",
    ] {
        let expected =
            Rewrite::CastTheValue { column: "copy_id".to_owned(), to: "bigint".to_owned() };
        assert_eq!(only_rewrite(sql), expected, "{sql}");
    }
    // On SQLite a number is a number.
    let advice = ask(&sqlite(), "select * from loans where copy_id = 5.0");
    assert_eq!(shapes(&advice), ["loans (copy_id)"]);
}

#[test]
fn arithmetic_belongs_to_the_value() {
    for wrapped in ["copy_id + 1", "2 * copy_id"] {
        let sql = format!("select * from loans where {wrapped} = 5");
        assert!(matches!(only_rewrite(&sql), Rewrite::MoveArithmetic { .. }), "{sql}");
    }
    // Reading the index instead of the table is no cure for it.
    let sql = "select count(*) from loans where copy_id + 0 = 5";
    assert!(matches!(only_rewrite(sql), Rewrite::MoveArithmetic { .. }));
}

#[test]
fn an_element_is_asked_by_containment() {
    let expected = Rewrite::ArrayContains { column: "tags".to_owned() };
    assert_eq!(only_rewrite("select * from readers where 'x' = any (tags)"), expected);
}

#[test]
fn what_depends_on_settings_is_not_indexed() {
    for wrapped in ["concat(email, city)", "unaccent(email)", "to_tsvector(email)::text"] {
        let sql = format!("select * from readers where {wrapped} = $1");
        assert!(matches!(only_rewrite(&sql), Rewrite::NotImmutable { .. }), "{sql}");
    }
    let mut db = postgres();
    db.functions.insert("fold".to_owned(), crate::catalog::Volatility::Immutable);
    let advice = ask(&db, "select * from readers where fold(email) = $1");
    assert_eq!(shapes(&advice), ["readers (fold(email))"]);
}

#[test]
fn a_deep_offset_is_paged_by_key() {
    let sql = "select * from loans where reader_id = 1 order by due limit 50 offset 20000";
    let advice = ask(&postgres(), sql);
    assert_eq!(rewrites(&advice), [&Rewrite::KeysetPaging { offset: 20_000 }]);
    let bound = Statement::new("select * from loans order by due limit $1 offset $2");
    assert_eq!(
        rewrites(&ask_for(&postgres(), bound.clone())),
        [&Rewrite::KeysetPaging { offset: 1 }; 0]
    );
    let deep = ask_for(&postgres(), bound.sample(["50", "5000"]));
    assert_eq!(rewrites(&deep), [&Rewrite::KeysetPaging { offset: 5_000 }]);
}

#[test]
fn a_page_spelled_with_or_is_a_row() {
    let sql = "select * from loans where due < $1 or (due = $1 and id < $2)
               order by due desc, id desc limit 50";
    let columns = vec!["due".to_owned(), "id".to_owned()];
    assert_eq!(rewrites(&ask(&postgres(), sql)), [&Rewrite::RowComparison { columns }]);
}

#[test]
fn a_value_that_never_changes_is_written_out() {
    let sql = "select * from loans where urgent = $1 and reader_id = $2";
    let literal = Rewrite::MakeLiteral { column: "urgent".to_owned() };
    let advice = ask_for(&postgres(), Statement::new(sql).constant(0, "t"));
    assert_eq!(rewrites(&advice), [&literal]);
    // Declared, it makes a partial index too, for plans that know the value.
    let partial = advice.candidates.iter().find(|one| one.shape.predicate.is_some()).unwrap();
    assert_eq!(partial.needs, [super::super::Need::CustomPlan]);
}

#[test]
fn a_search_within_texts_is_another_table() {
    let advice = ask(&sqlite(), "select * from readers where email like '%abc%'");
    assert_eq!(rewrites(&advice), [&Rewrite::FullTextSearch { column: "email".to_owned() }]);
    let mut db = postgres();
    db.extensions.clear();
    let advice = ask(&db, "select * from readers where email ilike '%abc%'");
    let (name, column) = ("pg_trgm".to_owned(), "email".to_owned());
    assert_eq!(rewrites(&advice), [&Rewrite::InstallExtension { name, column }]);
}

#[test]
fn not_in_is_not_exists() {
    let sql = "select * from loans where id not in (select loan_id from fines where amount = 3)";
    assert!(rewrites(&ask(&postgres(), sql)).contains(&&Rewrite::NotExists));
}

#[test]
fn columns_that_a_sample_shows_to_depend_get_statistics() {
    use crate::catalog::{ExtendedStatistics, StatisticsSource, TableName};
    let sql = "select * from readers where city = 'x' and country = 'y'";
    let mut db = postgres();
    let table = db.table_mut(&TableName::bare("readers")).unwrap();
    table.extended.push(ExtendedStatistics {
        columns: vec!["city".to_owned(), "country".to_owned()],
        n_distinct: Some(400.0),
        source: StatisticsSource::Sample,
        ..ExtendedStatistics::default()
    });
    let advice = ask(&db, sql);
    assert_eq!(shapes(&advice), ["readers (city)"]);
    let columns = vec!["city".to_owned(), "country".to_owned()];
    assert_eq!(rewrites(&advice), [&Rewrite::CreateStatistics { columns }]);
    // The database's own say the same, and there is nothing left to advise.
    let table = db.table_mut(&TableName::bare("readers")).unwrap();
    table.extended[0] = ExtendedStatistics {
        columns: vec!["city".to_owned(), "country".to_owned()],
        dependencies: vec![("city".to_owned(), "country".to_owned(), 1.0)],
        ..ExtendedStatistics::default()
    };
    let advice = ask(&db, sql);
    assert_eq!((shapes(&advice), rewrites(&advice)), (vec!["readers (city)".to_owned()], vec![]));
}
