//! One statement each, on PostgreSQL: which index, in which order, of which kind.

use super::library::postgres;
use super::{ask, proposes, shapes};

#[test]
fn equality_comes_before_the_order_and_the_order_before_nothing() {
    let db = postgres();
    let sql = "select * from loans where reader_id = $1 order by taken desc limit 20";
    proposes(&db, sql, &["loans (reader_id, taken)"]);
    proposes(&db, "select * from loans order by due desc limit 5", &["loans (due)"]);
    let sql = "select max(due) from loans where reader_id = 7";
    proposes(&db, sql, &["loans (reader_id, due)"]);
}

#[test]
fn equality_comes_before_a_range_and_a_range_is_the_last() {
    let db = postgres();
    let sql = "select * from loans where due > '2025-04-09' and branch_id = $1";
    proposes(&db, sql, &["loans (branch_id, due)"]);
    let two =
        "select * from loans where reader_id = 1 and due > '2025-04-10' and due < '2025-04-11'
               and returned > '2025-01-01'";
    proposes(&db, two, &["loans (reader_id, due)"]);
}

#[test]
fn few_rows_per_key_need_no_further_column() {
    let db = postgres();
    let sql = "select * from loans where copy_id = 5 and branch_id = 3 and due > '2025-02-01'";
    proposes(&db, sql, &["loans (copy_id)"]);
    // A column that keeps nearly all is no key.
    let sql = "select * from loans where reader_id = 1 and returned is null and urgent = false";
    proposes(&db, sql, &["loans (reader_id)"]);
}

#[test]
fn columns_that_may_depend_on_each_other_leave_a_choice() {
    let db = postgres();
    let advice = ask(&db, "select * from readers where city = 'x' and country = 'y'");
    assert_eq!(shapes(&advice), ["readers (city, country)", "readers (city)"]);
    let columns = vec!["city".to_owned(), "country".to_owned()];
    let needs = super::super::Need::JointStatistics(columns);
    assert!(advice.candidates.iter().any(|one| one.needs.contains(&needs)));
}

#[test]
fn directions_matter_only_where_they_are_mixed() {
    let db = postgres();
    let sql = "select * from loans order by branch_id desc, due limit 9";
    proposes(&db, sql, &["loans (branch_id desc, due)"]);
    let sql = "select * from loans order by branch_id desc, due desc limit 9";
    proposes(&db, sql, &["loans (branch_id, due)"]);
    let sql = "select * from loans order by returned desc nulls last limit 9";
    proposes(&db, sql, &["loans (returned nulls opposite)"]);
}

#[test]
fn a_page_by_key_is_one_range() {
    let db = postgres();
    let row = "select * from loans where (due, id) < ($1, $2) order by due desc, id desc limit 50";
    proposes(&db, row, &["loans (due, id)"]);
    let called = "select * from loans where row(due, id) < row($1, $2) order by due, id limit 50";
    proposes(&db, called, &["loans (due, id)"]);
    let spelled = "select * from loans where due < $1 or (due = $1 and id < $2)
                   order by due desc, id desc limit 50";
    proposes(&db, spelled, &["loans (due, id)"]);
    let within = "select * from loans where reader_id = $1 and (due, id) > ($2, $3)
                  order by due, id limit 50";
    proposes(&db, within, &["loans (reader_id, due, id)"]);
}

#[test]
fn a_constant_that_is_rare_makes_a_partial_index() {
    let db = postgres();
    let all = |sql: &str| shapes(&ask(&db, sql));
    let found = all("select * from loans where status = 'lost' order by due limit 10");
    assert!(found.contains(&"loans (due) where (status = 'lost')".to_owned()), "{found:?}");
    let found = all("select * from loans where urgent and reader_id = $1");
    assert!(found.contains(&"loans (reader_id) where urgent".to_owned()), "{found:?}");
    let found = all("select * from loans where lost_at is not null order by lost_at limit 10");
    let partial = "loans (lost_at) where (lost_at IS NOT NULL)".to_owned();
    assert!(found.contains(&partial), "{found:?}");
    let found = all("select * from loans where status in ('lost') and reader_id = $1 order by due");
    assert!(found.iter().any(|shape| shape.contains("where (status IN ('lost'))")), "{found:?}");
}

#[test]
fn one_value_of_many_alike_makes_none() {
    let db = postgres();
    for sql in [
        "select * from readers where city = 'x' order by joined limit 10",
        "select * from loans where status = 'lost' and reader_id = 5",
    ] {
        let found = shapes(&ask(&db, sql));
        assert!(!found.iter().any(|shape| shape.contains("where")), "{sql}: {found:?}");
    }
}

#[test]
fn what_is_grouped_or_counted_can_be_read_from_the_index_alone() {
    let db = postgres();
    let found = shapes(&ask(
        &db,
        "select branch_id, count(*) from loans where reader_id = 1 group by branch_id",
    ));
    assert!(found.contains(&"loans (reader_id, branch_id)".to_owned()), "{found:?}");
}

#[test]
fn an_expression_is_indexed_as_it_is_asked() {
    let db = postgres();
    let sql = "select * from readers where lower(email) = $1";
    proposes(&db, sql, &["readers (lower(email))"]);
    let sql = "select * from readers r where r.profile ->> 'card' = '7'";
    proposes(&db, sql, &["readers ((profile ->> 'card'))"]);
}

#[test]
fn texts_are_found_by_their_beginning_or_by_their_pieces() {
    let db = postgres();
    let begin = "select * from readers where email like 'ada%'";
    proposes(&db, begin, &["readers (email text_pattern_ops)"]);
    for within in
        ["email like '%ada%'", "email ilike 'ada%'", "email ~ 'ada.*org'", "email % 'ada'"]
    {
        let sql = format!("select * from readers where {within}");
        proposes(&db, &sql, &["readers gin (email gin_trgm_ops)"]);
    }
    let mut bytewise = postgres();
    bytewise.default_collation = Some("C".to_owned());
    proposes(&bytewise, begin, &["readers (email)"]);
}

#[test]
fn elements_are_found_by_inverted_indexes() {
    let db = postgres();
    for (condition, expected) in [
        ("profile @> '{\"card\": 7}'", "readers gin (profile jsonb_path_ops)"),
        ("profile @? '$.card'", "readers gin (profile jsonb_path_ops)"),
        ("profile ? 'card'", "readers gin (profile)"),
        ("tags @> array['x']", "readers gin (tags)"),
        ("array['x'] <@ tags", "readers gin (tags)"),
        ("tags && $1", "readers gin (tags)"),
        ("words @@ to_tsquery('x')", "readers gin (words)"),
        (
            "to_tsvector('english', email) @@ to_tsquery('x')",
            "readers gin (to_tsvector('english', email))",
        ),
        ("stay && $1", "readers gist (stay)"),
    ] {
        proposes(&db, &format!("select * from readers where {condition}"), &[expected]);
    }
}

#[test]
fn what_follows_the_disk_may_be_summarised() {
    let db = postgres();
    let sql = "select * from loans where taken >= '2025-04-10'";
    proposes(&db, sql, &["loans (taken)", "loans brin (taken)"]);
    let sql = "select * from loans where due >= '2025-04-10'";
    proposes(&db, sql, &["loans (due)"]);
}

#[test]
fn an_or_gets_all_its_indexes() {
    let db = postgres();
    let advice = ask(&db, "select * from readers where email = $1 or phone = $2");
    assert_eq!(shapes(&advice), ["readers (email)", "readers (phone)"]);
    let [set] = advice.sets.as_slice() else { panic!("{:?}", advice.sets) };
    assert_eq!(set.members.len(), 2);
    // Of one column it is a set of values.
    let advice = ask(&db, "select * from loans where copy_id = 1 or copy_id in (2, 3)");
    assert_eq!((shapes(&advice), advice.sets.len()), (vec!["loans (copy_id)".to_owned()], 0));
    // A branch that is served needs none.
    let advice = ask(&db, "select * from readers where id = $1 or email = $2");
    assert_eq!(shapes(&advice), ["readers (email)"]);
}

#[test]
fn a_join_is_looked_up_from_the_side_that_is_narrow() {
    let db = postgres();
    let inner = "select f.amount from loans l join fines f on f.loan_id = l.id where l.copy_id = 7";
    proposes(&db, inner, &["fines (loan_id)", "loans (copy_id)"]);
    let using = "select * from fines f left join loans l on l.id = f.loan_id where f.amount = 7";
    proposes(&db, using, &["fines (amount)"]);
    for sql in [
        "select * from loans l where copy_id = 3 and exists
             (select 1 from fines f where f.loan_id = l.id)",
        "select * from loans l, lateral (select * from fines f where f.loan_id = l.id) x
             where l.copy_id = 3",
        "select * from fines where loan_id in (select id from loans where copy_id = 3)",
        "with wanted as (select id from loans where copy_id = 3)
             select * from fines join wanted on wanted.id = fines.loan_id",
        "select (select sum(amount) from fines f where f.loan_id = l.id) from loans l
             where l.copy_id = 3",
    ] {
        proposes(&db, sql, &["fines (loan_id)", "loans (copy_id)"]);
    }
}

#[test]
fn conditions_reach_through_views_and_subqueries() {
    let mut db = postgres();
    db.views.push(crate::catalog::View {
        name: crate::catalog::TableName::new("public", "open_loans"),
        definition: "select id, copy_id as copy, due from loans where status = 'out'".to_owned(),
    });
    let found = shapes(&ask(&db, "select * from open_loans o where o.copy = $1"));
    assert!(found.contains(&"loans (copy_id)".to_owned()), "{found:?}");
    let sql = "select * from (select copy_id, due from loans) x where copy_id = 5";
    proposes(&db, sql, &["loans (copy_id)"]);
    let sql = "select * from (select copy_id c, count(*) from loans group by 1) x where c = 5";
    proposes(&db, sql, &["loans (copy_id)"]);
    // A sub-query's name for a column may be another column's own.
    let sql = "select * from (select lost_at as returned, reader_id from loans) x
               where returned is not null and reader_id = 7";
    let found = shapes(&ask(&db, sql));
    assert!(found.iter().all(|shape| !shape.contains("returned")), "{found:?}");
    let sql = "select * from (select email as city, city as email from readers) x
               where lower(email) = 'x'";
    assert_eq!(shapes(&ask(&db, sql)), [""; 0]);
    // What is cut before is not the same rows.
    let sql = "select * from (select copy_id from loans order by due limit 9) x where copy_id = 5";
    proposes(&db, sql, &["loans (due)"]);
    let both = "select id from loans where copy_id = 1 union all
                select id from readers where email = $1 order by 1 limit 5";
    proposes(&db, both, &["loans (copy_id)", "readers (email)"]);
}

#[test]
fn writes_are_reads_too() {
    let db = postgres();
    proposes(&db, "update loans set note = 'x' where copy_id = 4", &["loans (copy_id)"]);
    proposes(
        &db,
        "delete from loans where copy_id = any($1)",
        &["fines (loan_id)", "loans (copy_id)"],
    );
    let sql =
        "update loans l set note = '' from readers r where r.id = l.reader_id and r.email = $1";
    proposes(&db, sql, &["loans (reader_id)", "readers (email)"]);
    let sql = "insert into fines (id, loan_id) select id, id from loans where copy_id = 5";
    proposes(&db, sql, &["loans (copy_id)"]);
}

#[test]
fn a_set_of_values_ends_the_order() {
    let db = postgres();
    let sql =
        "select * from loans where branch_id in (3, 4) and reader_id = 1 order by due limit 9";
    let found = shapes(&ask(&db, sql));
    assert!(found.contains(&"loans (reader_id, due)".to_owned()), "{found:?}");
}
