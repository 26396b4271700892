//! What holds for any text.

use proptest::prelude::*;
use sqlparser::dialect::{PostgreSqlDialect, SQLiteDialect};
use sqlparser::parser::Parser;

use super::super::{DdlOptions, Limits, advise, create_index};
use super::library::{postgres, sqlite};
use crate::catalog::{Catalog, IndexKey, IndexShape, Method, TableName};
use crate::fingerprint::System;
use crate::workload::{Workload, read_workload};

/// Words that statements are made of, in any order.
fn words() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "select",
        "*",
        "from",
        "loans",
        "readers",
        "fines",
        "l",
        "where",
        "and",
        "or",
        "not",
        "(",
        ")",
        "=",
        "<",
        ">=",
        "<>",
        "in",
        "like",
        "'a%'",
        "is",
        "null",
        "between",
        "1",
        "2.5",
        "$1",
        "?",
        "reader_id",
        "due",
        "copy_id",
        "status",
        "urgent",
        "email",
        "tags",
        "order",
        "by",
        "desc",
        "limit",
        "group",
        "join",
        "on",
        "exists",
        "any",
        "union",
        "all",
        "with",
        "x",
        "as",
        "lower",
        "::",
        "date",
        "@>",
        ",",
        ".",
        "count",
        "update",
        "set",
        "delete",
        "insert",
        "into",
        "values",
        "distinct",
        "offset",
        "having",
        "case",
        "when",
        "then",
        "end",
        "array",
        "[",
        "]",
    ]);
    prop::collection::vec(word, 0..40).prop_map(|words| words.join(" "))
}

/// Conditions that parse, in any nesting.
fn condition() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        "reader_id = $1",
        "copy_id = 7",
        "due > '2025-02-01'",
        "status = 'lost'",
        "urgent",
        "returned is null",
        "branch_id in (1, 2)",
        "note like 'a%'",
        "lower(note) = 'x'",
        "(due, id) < ($1, $2)",
        "copy_id <> 3",
        "exists (select 1 from fines f where f.loan_id = loans.id)",
    ])
    .prop_map(str::to_owned);
    leaf.prop_recursive(4, 24, 3, |inner| {
        (
            prop::collection::vec(inner, 1..4),
            prop::sample::select(vec![" and ", " or "]),
            any::<bool>(),
        )
            .prop_map(|(parts, op, not)| {
                let joined = parts.join(op);
                if not { format!("not ({joined})") } else { format!("({joined})") }
            })
    })
}

#[test]
fn long_chains_and_towers_of_views_end() {
    let db = postgres();
    for link in [" + 1", " || 'x'", " -> 'x'", " ->> 'x'", " and copy_id = 1", " or copy_id = 1"] {
        let sql = format!("select * from loans where copy_id = 1 + copy_id{}", link.repeat(480));
        holds(&db, &sql);
    }
    for tower in ["::text", " is null", " collate \"C\"", " in (1)", " like 'x'", "[1]"] {
        holds(&db, &format!("select * from loans where copy_id{}", tower.repeat(480)));
        let view = format!("create view v as select 1{}", tower.repeat(9_000));
        Catalog::from_ddl(&view, System::Postgres).unwrap_err();
    }
    let ctes: Vec<String> = (1..60)
        .map(|nth| format!("c{nth} as (select * from c{} x, c{} y)", nth - 1, nth - 1))
        .collect();
    holds(
        &db,
        &format!(
            "with c0 as (select * from loans), {} select * from c59 where due = 1",
            ctes.join(", ")
        ),
    );
    let mut tower = postgres();
    for nth in 0..30 {
        let below = if nth == 0 { "loans".to_owned() } else { format!("v{}", nth - 1) };
        tower.views.push(crate::catalog::View {
            name: TableName::new("public", format!("v{nth}")),
            definition: format!("select x.* from {below} x, {below} y where x.id = y.id"),
        });
    }
    holds(&tower, "select * from v29 where copy_id = 1");
}

/// Whatever is proposed can be written, and what is written parses as one `CREATE INDEX`.
fn holds(catalog: &Catalog, sql: &str) {
    let advice = advise(catalog, &Workload::of([sql]), &Limits::default());
    for candidate in &advice.candidates {
        let ddl = create_index(catalog, &candidate.shape, "x", DdlOptions::default()).unwrap();
        let parsed = match catalog.system() {
            System::Postgres => Parser::parse_sql(&PostgreSqlDialect {}, &ddl),
            System::Sqlite => Parser::parse_sql(&SQLiteDialect {}, &ddl),
        };
        let parsed = parsed.unwrap_or_else(|error| panic!("{ddl}: {error}"));
        assert!(matches!(parsed.as_slice(), [sqlparser::ast::Statement::CreateIndex(_)]), "{ddl}");
        assert!(candidate.shape.keys.len() <= Limits::default().width_max, "{ddl}");
        let mut parts: Vec<_> = candidate.shape.keys.iter().map(|key| &key.part).collect();
        parts.sort();
        parts.dedup();
        assert_eq!(parts.len(), candidate.shape.keys.len(), "{ddl}");
    }
    for set in &advice.sets {
        let known = |shape: &IndexShape| advice.candidates.iter().any(|one| one.shape == *shape);
        assert!(set.members.iter().all(known), "{sql}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_brings_it_down(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let text = String::from_utf8_lossy(&bytes);
        holds(&postgres(), &text);
        holds(&sqlite(), &text);
        drop(read_workload(&text, System::Postgres));
        drop(Catalog::from_ddl(&text, System::Sqlite));
    }

    #[test]
    fn no_words_bring_it_down(text in words()) {
        holds(&postgres(), &format!("select * from loans where {text}"));
        holds(&sqlite(), &text);
    }

    #[test]
    fn every_condition_gives_indexes_that_can_be_made(condition in condition(), limit in any::<bool>()) {
        let tail = if limit { " order by due desc limit 10" } else { "" };
        let sql = format!("select * from loans where {condition}{tail}");
        holds(&postgres(), &sql);
        holds(&sqlite(), &sql);
    }

    #[test]
    fn a_definition_comes_back_as_it_went(
        columns in prop::sample::subsequence(vec!["id", "reader_id", "due", "note", "urgent"], 1..4),
        descending in any::<bool>(),
        partial in any::<bool>(),
    ) {
        let mut shape = IndexShape::btree(TableName::new("public", "loans"), columns);
        shape.keys.push(IndexKey::expression("lower(note)"));
        if descending {
            shape.keys[0] = shape.keys[0].clone().descending();
        }
        shape.method = Method::BTree;
        shape.predicate = partial.then(|| "(status = 'lost')".to_owned());
        let mut ddl = "create table public.loans (id bigint, reader_id bigint, due timestamptz, \
                       note text, urgent bool, status text);".to_owned();
        ddl.push_str(&create_index(&postgres(), &shape, "x", DdlOptions::default()).unwrap());
        let read = Catalog::from_ddl(&ddl, System::Postgres).unwrap();
        let index = &read.tables[0].indexes[0];
        let again = create_index(&read, &index.shape, "x", DdlOptions::default()).unwrap();
        let first = create_index(&postgres(), &shape, "x", DdlOptions::default()).unwrap();
        prop_assert_eq!(again, first);
    }
}
