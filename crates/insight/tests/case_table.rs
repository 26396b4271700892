//! The table of cases: well formed, understood, judged as meant.
//!
//! The cases for PostgreSQL are run against a live database by the tests that read catalogues: they
//! take [`cases::read`] and [`cases::judge`] from here. Those for SQLite are run here, on a catalogue
//! that says what their data is like.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its data fails")]

mod cases;

use guildhall_insight::advise::{Limits, advise};
use guildhall_insight::catalog::{Catalog, ColumnStats, Server, TableName};
use guildhall_insight::fingerprint::System;
use guildhall_insight::workload::Workload;

use cases::{Case, Expected, judge, read};

fn all() -> [(System, Vec<Case>); 2] {
    [
        (System::Postgres, read(include_str!("cases/postgres.sql"))),
        (System::Sqlite, read(include_str!("cases/sqlite.sql"))),
    ]
}

#[test]
fn every_case_is_understood_and_expects_something() {
    for (system, cases) in all() {
        for case in &cases {
            let server = Server { system, ..Server::default() };
            let empty = Catalog { server, ..Catalog::default() };
            let workload = Workload::of([case.statement.as_str()]);
            let advice = advise(&empty, &workload, &Limits::default());
            assert_eq!(advice.parsed.understood, 1, "{}: {:?}", case.name, advice.parsed);
            assert!(!case.expected.is_empty(), "{}", case.name);
            assert!(case.given.iter().all(|sql| sql.starts_with("create index on ")));
            let others = cases.iter().filter(|other| other.name == case.name);
            assert_eq!(others.count(), 1, "{} is there twice", case.name);
        }
    }
    let [(_, postgres), _] = all();
    let none = postgres.iter().filter(|case| case.expected.contains(&Expected::Nothing)).count();
    assert!(postgres.len() >= 45 && none >= 20, "{} {none}", postgres.len());
}

/// Users and messages as the SQLite cases describe them.
fn described() -> Catalog {
    let schema = "
        create table users (id integer primary key, guild_id int not null, active int not null,
            name text not null, email text not null, created int not null);
        create table msgs (id integer primary key, user_id int not null, body text not null);
        create table tiny (id integer primary key, label text not null);";
    let mut catalog = Catalog::from_ddl(schema, System::Sqlite).unwrap();
    let mut table = |name: &str, rows: f64, pages: u64, stats: &[(&str, ColumnStats)]| {
        let table = catalog.table_mut(&TableName::bare(name)).unwrap();
        (table.rows, table.pages) = (Some(rows), pages);
        for (column, stats) in stats {
            table.column_mut(column).unwrap().stats = Some(stats.clone());
        }
    };
    let distinct = ColumnStats::distinct;
    table(
        "users",
        200_000.0,
        4_000,
        &[
            ("guild_id", distinct(1_000.0).common(&[("1", 0.4)])),
            ("active", distinct(2.0).common(&[("0", 0.99), ("1", 0.01)])),
            ("name", distinct(-0.9)),
            ("email", distinct(-1.0)),
            ("created", distinct(-0.8)),
        ],
    );
    table("msgs", 300_000.0, 6_000, &[("user_id", distinct(150_000.0))]);
    table("tiny", 19.0, 1, &[]);
    catalog
}

#[test]
fn the_cases_of_sqlite_hold() {
    let [_, (_, cases)] = all();
    let catalog = described();
    let wrong: Vec<String> = cases.iter().filter_map(|case| judge(case, &catalog).err()).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A judge that lets everything pass would judge nothing.
#[test]
fn a_wrong_answer_is_seen() {
    let schema = "create table letters (id bigint primary key, reader bigint, sent timestamptz)";
    let mut catalog = Catalog::from_ddl(schema, System::Postgres).unwrap();
    let table = &mut catalog.tables[0];
    (table.rows, table.pages) = (Some(1e6), 10_000);
    let case = |expect: &str, statement: &str| {
        let text = format!("-- case: x\n-- expect: {expect}\n{statement};");
        judge(&read(&text)[0], &catalog)
    };
    let sql = "select * from letters where reader = $1 order by sent limit 9";
    assert_eq!(case("letters (reader, sent)", sql), Ok(()));
    assert_eq!(case("letters (sent) or letters (reader, sent)", sql), Ok(()));
    case("letters (sent, reader)", sql).unwrap_err();
    case("letters (reader, sent) and letters (sent)", sql).unwrap_err();
    case("none", sql).unwrap_err();
    case("letters (reader, sent) where reader > 5", sql).unwrap_err();
    assert_eq!(case("none", "select * from letters where id = $1"), Ok(()));
    case("letters (id)", "select * from letters where id = $1").unwrap_err();
}
