//! Candidates as SQL: what is written is what was meant, and nothing else is written.

use super::super::{DdlOptions, DdlRefused, create_index, drop_index, index_name};
use super::library::{postgres, sqlite};
use crate::catalog::{Index, IndexKey, IndexShape, Method, Nulls, TableName};

fn loans() -> TableName {
    TableName::new("public", "loans")
}

#[test]
fn an_index_is_written_with_every_name_quoted() {
    let mut shape = IndexShape::btree(loans(), ["reader_id"]).filtered("status='lost'");
    shape.keys.push(IndexKey::column("due").descending());
    shape.keys[1].nulls = Nulls::Opposite;
    shape.keys.push(IndexKey::expression("LOWER(note)").opclass("text_pattern_ops"));
    shape.include = vec!["copy_id".to_owned()];
    let options = DdlOptions { concurrently: true, if_not_exists: true, only_parent: true };
    let sql = create_index(&postgres(), &shape, "we\"ird", options).unwrap();
    assert_eq!(
        sql,
        "CREATE INDEX CONCURRENTLY IF NOT EXISTS \"we\"\"ird\" ON ONLY \"public\".\"loans\" \
         (\"reader_id\", \"due\" DESC NULLS LAST, (lower(note)) text_pattern_ops) \
         INCLUDE (\"copy_id\") WHERE (status = 'lost')"
    );
    let mut inverted = IndexShape::btree(TableName::bare("readers"), ["tags"]);
    inverted.method = Method::Gin;
    let sql = create_index(&postgres(), &inverted, "x", DdlOptions::default()).unwrap();
    assert_eq!(sql, "CREATE INDEX \"x\" ON \"public\".\"readers\" USING gin (\"tags\")");
    let plain = IndexShape::btree(TableName::bare("loans"), ["due"]);
    let sql = create_index(&sqlite(), &plain, "x", options).unwrap();
    assert_eq!(sql, "CREATE INDEX IF NOT EXISTS \"x\" ON \"loans\" (\"due\")");
}

#[test]
fn what_the_catalogue_does_not_have_is_not_written() {
    let refused = |change: fn(&mut IndexShape)| {
        let mut shape = IndexShape::btree(loans(), ["due"]);
        change(&mut shape);
        create_index(&postgres(), &shape, "x", DdlOptions::default()).unwrap_err()
    };
    type R = DdlRefused;
    assert!(matches!(refused(|one| one.table.name = "lo\"ans".into()), R::NoSuchTable { .. }));
    assert!(matches!(
        refused(|one| one.keys[0] = IndexKey::column("x) --")),
        R::NoSuchColumn { .. }
    ));
    assert!(matches!(refused(|one| one.include = vec!["x".into()]), R::NoSuchColumn { .. }));
    assert_eq!(refused(|one| one.keys.clear()), R::NoKeys);
    for bad in
        ["due); drop table loans; --", "due = $1", "elsewhere", "(select 1)", "due) where (true"]
    {
        let mut shape = IndexShape::btree(loans(), ["due"]).filtered(bad);
        let error = create_index(&postgres(), &shape, "x", DdlOptions::default()).unwrap_err();
        assert!(matches!(error, R::NotAnExpression { .. }), "{bad}");
        shape.predicate = None;
        shape.keys[0] = IndexKey::expression(bad);
        create_index(&postgres(), &shape, "x", DdlOptions::default()).unwrap_err();
    }
    let words: [fn(&mut IndexShape); 3] = [
        |one| one.keys[0].opclass = Some("a; b".into()),
        |one| one.keys[0].collation = Some("\"x\"".into()),
        |one| one.method = Method::Other("gin (".into()),
    ];
    for change in words {
        assert!(matches!(refused(change), R::NotAWord { .. }));
    }
}

#[test]
fn sqlite_is_asked_for_nothing_it_lacks() {
    let changes: [fn(&mut IndexShape); 4] = [
        |one| one.method = Method::Gin,
        |one| one.include = vec!["due".into()],
        |one| one.keys[0].opclass = Some("text_pattern_ops".into()),
        |one| one.keys[0].nulls = Nulls::Opposite,
    ];
    for change in changes {
        let mut shape = IndexShape::btree(TableName::bare("loans"), ["due"]);
        change(&mut shape);
        let error = create_index(&sqlite(), &shape, "x", DdlOptions::default()).unwrap_err();
        assert!(matches!(error, DdlRefused::NotOnSqlite { .. }), "{error}");
    }
}

#[test]
fn a_name_is_short_plain_and_the_shape_s_own() {
    let long =
        IndexShape::btree(loans(), ["reader_id", "branch_id", "copy_id", "returned", "lost_at"]);
    let partial = long.clone().filtered("urgent");
    let (one, two) = (index_name("ours_", &long), index_name("ours_", &partial));
    assert_ne!(one, two);
    for name in [one, two] {
        assert!(name.len() <= 63 && name.starts_with("ours_loans_reader_id_"), "{name}");
        assert!(name.chars().all(|one| one.is_ascii_alphanumeric() || one == '_'), "{name}");
    }
}

#[test]
fn only_a_known_index_is_dropped() {
    let shape = IndexShape::btree(loans(), ["due"]);
    let db = super::with(postgres(), Index::new("loans_due", shape));
    let table = db.table(&loans()).unwrap().clone();
    let sql = drop_index(&db, &table, "loans_due").unwrap();
    assert_eq!(sql, "DROP INDEX CONCURRENTLY IF EXISTS \"public\".\"loans_due\"");
    drop_index(&db, &table, "others").unwrap_err();
}
