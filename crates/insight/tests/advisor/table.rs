//! Every case with what came of it, as Markdown: `just table-insight`.
//!
//! Nothing is asserted here: the tests beside it do that. What falls short is to be read.

use diesel::SqliteConnection;
use diesel_async::sync_connection_wrapper::SyncConnectionWrapper;
use diesel_async::{AsyncConnection, AsyncPgConnection, SimpleAsyncConnection};
use guildhall_insight::report::spell;
use guildhall_insight::workload::{Statement, Workload};
use guildhall_insight::{Advisor, AdvisorOptions, Report};

use crate::cases::{Expected, read, spelled};
use crate::fixture::{Database, large};
use crate::statements::{CASES, GIVEN, REWRITTEN};

/// The tables that the cases of SQLite are about.
const SQLITE: &str = "
CREATE TABLE users (id INTEGER PRIMARY KEY, guild_id INT NOT NULL, active INT NOT NULL, name TEXT NOT NULL, email TEXT NOT NULL, created INT NOT NULL);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000)
INSERT INTO users SELECT i, CASE WHEN i % 10 < 4 THEN 1 ELSE 2 + i * 7 % 1000 END, i % 100 = 0, 'name' || i, 'User' || i || '@Example.com', i * 7919 % 160000 FROM n;
CREATE TABLE msgs (id INTEGER PRIMARY KEY, user_id INT NOT NULL, body TEXT NOT NULL);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000)
INSERT INTO msgs SELECT i, 1 + i * 31 % 150000, printf('%060d', i) FROM n;
CREATE TABLE tiny (id INTEGER PRIMARY KEY, label TEXT NOT NULL);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 19)
INSERT INTO tiny SELECT i, 'l' || i FROM n;
";

/// Cases that no single statement shows, and the tests that hold them.
const ELSEWHERE: &[(&str, &str, &str)] = &[
    ("W12", "of two alike the plain one goes", "hygiene::of_two_alike_the_plain_one_goes"),
    (
        "W13",
        "the beginning of another",
        "hygiene::the_beginning_of_another_is_told_with_both_sizes",
    ),
    ("W15", "unused, by counters old enough", "hygiene::unused_is_said_only_where_it_can_be_known"),
    (
        "W17",
        "a lock not had",
        "a_lock_not_had_leaves_nothing_of_ours_and_others_invalid_indexes_alone",
    ),
    ("W18", "one statement a message", "indexes_are_built_once_partitions_and_expressions_too"),
    ("W19", "partitions", "indexes_are_built_once_partitions_and_expressions_too"),
    ("W21", "columns that hang together", "columns_that_hang_together_get_one_key_and_statistics"),
    (
        "W23",
        "asked again after adoption",
        "another_database_gets_its_own_indexes_with_and_without_the_planner",
    ),
    (
        "W27",
        "rows changed under an old snapshot",
        "an_old_snapshot_of_changed_rows_changes_no_advice",
    ),
    ("N01", "N+1", "n01_a_list_and_a_load_for_each_of_its_rows_is_an_n_plus_one"),
    ("N02", "duplicate", "n02_the_same_load_again_and_again_is_a_duplicate"),
    ("N03", "fan-out", "n03_loads_at_the_same_time_are_a_fan_out"),
    ("N04", "inserts in a loop", "n04_single_rows_written_in_a_loop_want_a_bulk_statement"),
    ("N05", "keyset pages", "n05_pages_of_a_list_are_not_flagged"),
    ("N06", "retries", "n06_retries_are_not_flagged_but_counted"),
    ("N08", "a poller", "n08_a_poller_is_not_flagged"),
    ("N10", "200,000 rows", "n10_a_load_of_200_000_rows_is_timed_to_its_last_row"),
    ("N13", "5,000 raw texts", "n13_thousands_of_raw_texts_stay_within_the_bounds"),
    ("N14", "percentiles", "n14_percentiles_of_a_known_distribution"),
];

/// Whole workloads: name, what is asked, the indexes wanted (any one list does).
fn workloads() -> Vec<(&'static str, Workload, Vec<Vec<&'static str>>)> {
    let asked = |sql: &str| Statement::new(sql).called(1_000).took_ms(20_000.0);
    let of = |statements: Vec<Statement>| Workload { statements, ..Workload::default() };
    let by_guild = "messages (guild_id, created_at)";
    vec![
        (
            "W01",
            of(vec![
                asked("select * from messages where guild_id = $1"),
                asked("select * from messages where guild_id = $1 and created_at > $2"),
                asked(
                    "select * from messages where guild_id = $1 order by created_at desc limit 50",
                ),
            ]),
            vec![vec![by_guild]],
        ),
        (
            "W02",
            of(vec![
                asked("select * from messages where author_id = $1"),
                asked("select * from messages where channel_id = $1 and author_id = $2"),
            ]),
            vec![
                vec!["messages (author_id)"],
                vec!["messages (author_id)", "messages (channel_id)"],
            ],
        ),
        (
            "W03",
            of(vec![asked(
                "select * from messages where guild_id = $1 order by created_at desc limit 50",
            )]),
            vec![vec![by_guild]],
        ),
        (
            "W04",
            of(vec![asked("select * from accounts where tenant_id = $1")]),
            vec![vec!["accounts (tenant_id)"]],
        ),
        (
            "W05",
            of(vec![asked("select * from messages where pinned = $2 and guild_id = $1")]),
            vec![vec!["messages (guild_id, pinned)"]],
        ),
        (
            "W07",
            of(vec![asked("select * from accounts where email like $1").sample(["User77%"])]),
            vec![vec!["accounts (email text_pattern_ops)"]],
        ),
        (
            "W08",
            of(vec![asked("delete from accounts where id = $1")]),
            vec![vec!["orders (account_id)"]],
        ),
        (
            "W10",
            Workload {
                window_seconds: Some(3_600),
                ..of(vec![
                    Statement::new(
                        "update counters set hits = hits + 1, updated_at = $1 where id = $2",
                    )
                    .called(50_000)
                    .took_ms(5_000.0),
                    Statement::new("select * from counters where updated_at > $1").took_ms(6.0),
                ])
            },
            vec![vec![]],
        ),
        (
            "W24",
            of(vec![
                asked("select * from messages where channel_id = $1"),
                asked("select * from messages where id between symmetric 9 and 5"),
            ]),
            vec![vec!["messages (channel_id)"]],
        ),
        (
            "W25",
            of(vec![
                asked("select * from pg_class where relname = $1"),
                asked("begin"),
                asked("set work_mem = '4MB'"),
                asked("select * from __diesel_schema_migrations where version = $1"),
            ]),
            vec![vec![]],
        ),
    ]
}

async fn of_postgres(conn: &mut AsyncPgConnection, workload: &Workload) -> Report {
    let options = AdvisorOptions { bytes_max: Some(400_000_000), ..AdvisorOptions::default() };
    Advisor::new(options).postgres(conn, workload).await.unwrap()
}

fn shapes(report: &Report) -> Vec<String> {
    let mut got: Vec<String> = report.shapes().iter().map(spell).collect();
    got.sort();
    got
}

/// The first sentence that tells why something was not proposed.
fn reason(report: &Report) -> String {
    let of = |one: &guildhall_insight::report::NotProposed| match &one.shape {
        Some(shape) => format!("{}: {}", spell(shape), one.reason),
        None => one.reason.to_string(),
    };
    report.not_proposed.iter().map(of).take(2).collect::<Vec<_>>().join("; ")
}

fn row(name: &str, what: &str, got: &[String], is_right: bool, why: &str) {
    let got = if got.is_empty() { "none".to_owned() } else { got.join(" and ") };
    let verdict = if is_right { "right" } else { "**wrong**" };
    let why = if is_right { "" } else { why };
    let plain = |text: &str| text.replace('|', "\\|").replace('\n', " ");
    println!("| {name} | `{}` | {} | {verdict} | {} |", plain(what), plain(&got), plain(why));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "builds 350 MB: run by `just table-insight`"]
async fn every_case_as_a_table() {
    println!(
        "\n| case | statement | advice | | why, where it falls short |\n|---|---|---|---|---|"
    );
    if let Some(script) = large(1) {
        let database = Database::with("table", &script).await;
        let hypopg = database.has_hypopg().await;
        let mut conn = database.connect().await;
        conn.batch_execute("CREATE EXTENSION IF NOT EXISTS pg_trgm").await.unwrap();
        postgres(&mut conn).await;
        println!("\n(PostgreSQL, HypoPG: {hypopg})\n");
        database.remove().await;
    }
    sqlite().await;
    for (name, what, test) in ELSEWHERE {
        println!("| {name} | {what} | held by the test `{test}` | right | |");
    }
}

async fn postgres(conn: &mut AsyncPgConnection) {
    for (name, sql, wanted) in CASES {
        let given = GIVEN.iter().find(|(of, _)| of == name);
        if let Some((_, ddl)) = given {
            conn.batch_execute(ddl).await.unwrap();
        }
        let statement = Statement::new(*sql).called(1_000).took_ms(20_000.0);
        let workload = Workload { statements: vec![statement], ..Workload::default() };
        let report = of_postgres(conn, &workload).await;
        let got = shapes(&report);
        let is_right = match wanted.is_empty() {
            true => got.is_empty(),
            false => wanted.iter().any(|list| got == *list),
        };
        let is_told = !REWRITTEN.contains(name) || !report.rewrites.is_empty();
        row(name, sql, &got, is_right && is_told, &reason(&report));
        if given.is_some() {
            conn.batch_execute("DROP INDEX given").await.unwrap();
        }
    }
    for (name, workload, wanted) in workloads() {
        let report = of_postgres(conn, &workload).await;
        let got = shapes(&report);
        let is_right = wanted.iter().any(|list| got == *list);
        let all: Vec<&str> = workload.statements.iter().map(|one| one.sql.as_str()).collect();
        row(name, &all.join("; "), &got, is_right, &reason(&report));
    }
}

async fn sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cases.sqlite").to_string_lossy().into_owned();
    let mut conn = SyncConnectionWrapper::<SqliteConnection>::establish(&path).await.unwrap();
    conn.batch_execute(SQLITE).await.unwrap();
    for case in read(include_str!("../cases/sqlite.sql")) {
        let mut statement = Statement::new(&case.statement).called(1_000).took_ms(20_000.0);
        for call in &case.bound {
            statement = statement.sample(call.iter().map(String::as_str));
        }
        let workload = Workload { statements: vec![statement], ..Workload::default() };
        let options = AdvisorOptions { bytes_max: Some(400_000_000), ..AdvisorOptions::default() };
        let report = Advisor::new(options).sqlite(&mut conn, &workload).await.unwrap();
        let got = shapes(&report);
        let found: Vec<String> = got.iter().map(|shape| spelled(shape)).collect();
        let is_right = case.expected.iter().any(|expected| match expected {
            Expected::Nothing => found.is_empty(),
            Expected::Indexes(indexes) => {
                found.len() == indexes.len() && indexes.iter().all(|index| found.contains(index))
            }
        });
        let given = |kind: &str| {
            report.rewrites.iter().any(|one| format!("{:?}", one.rewrite).starts_with(kind))
        };
        let is_told = case.advice.as_deref().is_none_or(given);
        row(&case.name, &case.statement, &got, is_right && is_told, &reason(&report));
    }
}
