//! On a live SQLite file.

use diesel::SqliteConnection;
use diesel::connection::SimpleConnection;
use diesel_async::AsyncConnection;
use diesel_async::sync_connection_wrapper::SyncConnectionWrapper;
use guildhall_insight::advise::Rung;
use guildhall_insight::catalog::{IndexShape, TableKind, TableName};
use guildhall_insight::create::sqlite::{Outcome, create};
use guildhall_insight::report::spell;
use guildhall_insight::snapshot::{SnapshotOptions, sqlite::snapshot};
use guildhall_insight::workload::{Statement, Workload};
use guildhall_insight::{Advisor, AdvisorOptions, Report};

type Conn = SyncConnectionWrapper<SqliteConnection>;

const SCRIPT: &str = "
CREATE TABLE users (id INTEGER PRIMARY KEY, guild_id INTEGER NOT NULL, email TEXT NOT NULL, name TEXT COLLATE NOCASE, active INTEGER NOT NULL, created INTEGER NOT NULL, pad TEXT);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000)
INSERT INTO users SELECT i, CASE WHEN i % 10 < 4 THEN 1 ELSE 2 + i % 1500 END, 'User' || i || '@Example.com', 'name' || i, i % 100 = 0, i * 7919 % 60000, printf('%080d', i) FROM n;
CREATE TABLE msgs (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES users, body TEXT NOT NULL);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 90000)
INSERT INTO msgs SELECT i, 1 + i * 31 % 60000, printf('%060d', i) FROM n;
CREATE TABLE tiny (a INTEGER PRIMARY KEY, b TEXT);
INSERT INTO tiny VALUES (1, 'x'), (2, 'y');
CREATE TABLE pairs (a TEXT, b TEXT, PRIMARY KEY (a, b)) WITHOUT ROWID;
CREATE INDEX users_partial ON users (lower(email) DESC) WHERE active = 1;
CREATE VIEW busy AS SELECT user_id, count(*) FROM msgs GROUP BY user_id;
";

struct File {
    _folder: tempfile::TempDir,
    path: String,
}

fn file(script: &str) -> File {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.sqlite").to_string_lossy().into_owned();
    let mut conn = <SqliteConnection as diesel::Connection>::establish(&path).unwrap();
    conn.batch_execute(script).unwrap();
    File { _folder: folder, path }
}

impl File {
    async fn connect(&self) -> Conn {
        Conn::establish(&self.path).await.unwrap()
    }
}

async fn advise(conn: &mut Conn, statements: Vec<Statement>) -> Report {
    let workload = Workload { statements, ..Workload::default() };
    let options = AdvisorOptions { bytes_max: Some(50_000_000), ..AdvisorOptions::default() };
    Advisor::new(options).sqlite(conn, &workload).await.unwrap()
}

fn asked(sql: &str) -> Statement {
    Statement::new(sql).called(1_000).took_ms(9_000.0)
}

fn spelled(report: &Report) -> Vec<String> {
    report.shapes().iter().map(spell).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_schema_and_a_sample_are_read() {
    let file = file(SCRIPT);
    let read = snapshot(&mut file.connect().await, &SnapshotOptions::default()).await.unwrap();
    let table = |name: &str| read.catalog.table(&TableName::bare(name)).unwrap();
    let users = table("users");
    assert_eq!(users.rows, Some(60_000.0));
    assert_eq!(users.rowid_column.as_deref(), Some("id"));
    assert_eq!(users.column("name").unwrap().collation.as_deref(), Some("NOCASE"));
    let guild = users.column("guild_id").unwrap().stats.as_ref().unwrap();
    assert_eq!(guild.common[0].value, "1");
    assert!((guild.common[0].share - 0.4).abs() < 0.05, "{guild:?}");
    let distinct = guild.distinct_of(60_000.0).unwrap();
    assert!((750.0..1_800.0).contains(&distinct), "{distinct}");
    assert_eq!(users.indexes[0].shape.predicate.as_deref(), Some("active = 1"));
    assert_eq!(table("msgs").foreign_keys[0].parent_columns, ["id"]);
    assert_eq!(table("pairs").kind, TableKind::WithoutRowid);
    assert!(table("users").pages > 100);
    assert!(read.catalog.server.description.contains("STAT4"));
    assert!(read.notes.iter().any(|note| note.contains("ANALYZE")), "{:?}", read.notes);
}

#[tokio::test(flavor = "multi_thread")]
async fn indexes_that_help_are_timed_before_they_are_proposed() {
    let file = file(SCRIPT);
    let mut conn = file.connect().await;
    let report = advise(
        &mut conn,
        vec![
            asked("SELECT * FROM users WHERE guild_id = ?").sample(["77"]),
            asked("SELECT * FROM users WHERE guild_id = ? ORDER BY created DESC LIMIT 10"),
            asked(
                "SELECT u.name, m.body FROM users u JOIN msgs m ON m.user_id = u.id WHERE u.id = ?",
            )
            .sample(["5"]),
            asked("SELECT * FROM users WHERE id = ?").sample(["5"]),
            asked("SELECT * FROM tiny WHERE b = ?").sample(["x"]),
        ],
    )
    .await;
    let got = spelled(&report);
    assert!(got.iter().any(|one| one.starts_with("users (guild_id, created")), "{report}");
    assert!(got.contains(&"msgs (user_id)".to_owned()), "{report}");
    assert!(
        !got.iter().any(|one| one.starts_with("tiny") || one.starts_with("users (id")),
        "{report}"
    );
    assert!(
        report.recommendations.iter().all(|one| one.rung == Rung::MeasuredOnSample),
        "{report}"
    );
    assert!(report.to_string().contains("measured on a sample"), "{report}");

    let shapes = report.shapes();
    let made = create(&mut conn, &shapes, 1_000, false).await.unwrap();
    assert!(made.iter().all(|one| one.outcome == Outcome::Created), "{made:?}");
    let again = create(&mut conn, &shapes, 1_000, false).await.unwrap();
    assert!(again.iter().all(|one| matches!(one.outcome, Outcome::AlreadyThere(_))), "{again:?}");
}

/// The order comes out of the index, whatever is bound and however many rows a value has.
#[tokio::test(flavor = "multi_thread")]
async fn equal_then_sorted_with_a_limit_gets_both_columns() {
    let file = file(SCRIPT);
    let mut conn = file.connect().await;
    for (sql, values) in [
        ("SELECT * FROM users WHERE guild_id = ? ORDER BY created LIMIT ?", None),
        ("SELECT * FROM users WHERE guild_id = ? ORDER BY created DESC LIMIT 20", Some(["1"])),
        ("SELECT id FROM users WHERE guild_id = ? ORDER BY created LIMIT 20", Some(["77"])),
    ] {
        let statement = values.map_or_else(|| asked(sql), |values| asked(sql).sample(values));
        let report = advise(&mut conn, vec![statement]).await;
        assert_eq!(spelled(&report), ["users (guild_id, created)"], "{sql}\n{report}");
    }
}

/// The sign keeps SQLite from using an index, and is written for that.
#[tokio::test(flavor = "multi_thread")]
async fn a_column_behind_a_plus_gets_no_index() {
    let file = file(SCRIPT);
    let mut conn = file.connect().await;
    let statements = vec![asked("SELECT * FROM users WHERE +guild_id = ?").sample(["77"])];
    let report = advise(&mut conn, statements).await;
    assert_eq!(spelled(&report), Vec::<String>::new(), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_keeps_most_rows_gets_no_index() {
    let file = file(SCRIPT);
    let mut conn = file.connect().await;
    let statements = vec![asked("SELECT * FROM users WHERE guild_id = ?").sample(["1"])];
    let report = advise(&mut conn, statements).await;
    assert_eq!(spelled(&report), Vec::<String>::new(), "{report}");
    let statements = vec![asked("SELECT * FROM users WHERE active = ?").sample(["0"])];
    let report = advise(&mut conn, statements).await;
    assert_eq!(spelled(&report), Vec::<String>::new(), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_copy_figures_are_estimates_and_say_so() {
    let file = file(SCRIPT);
    let mut conn = file.connect().await;
    let mut options = AdvisorOptions { bytes_max: Some(50_000_000), ..AdvisorOptions::default() };
    options.sqlite.copy_bytes_max = 0;
    let workload = Workload {
        statements: vec![asked("SELECT * FROM msgs WHERE user_id = ?")],
        ..Workload::default()
    };
    let report = Advisor::new(options).sqlite(&mut conn, &workload).await.unwrap();
    assert_eq!(spelled(&report), ["msgs (user_id)"], "{report}");
    assert_eq!(report.recommendations[0].rung, Rung::StatisticsEstimate);
    assert!(report.opening.iter().any(|text| text.contains("not copied")), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_takes_too_long_on_the_copy_is_estimated_and_said() {
    let file = file(SCRIPT);
    let mut conn = file.connect().await;
    let mut options = AdvisorOptions { bytes_max: Some(50_000_000), ..AdvisorOptions::default() };
    options.sqlite.run_max = std::time::Duration::ZERO;
    let workload = Workload {
        statements: vec![asked("SELECT * FROM msgs WHERE user_id = ?")],
        ..Workload::default()
    };
    let report = Advisor::new(options).sqlite(&mut conn, &workload).await.unwrap();
    assert_eq!(spelled(&report), ["msgs (user_id)"], "{report}");
    assert_eq!(report.recommendations[0].rung, Rung::StatisticsEstimate);
    assert!(report.opening.iter().any(|text| text.contains("too long on a copy")), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_condition_that_no_index_serves_gets_words_and_no_index() {
    let file = file(SCRIPT);
    let mut conn = file.connect().await;
    let statements = vec![asked("SELECT * FROM users WHERE created + 0 = ?").sample(["77"])];
    let report = advise(&mut conn, statements).await;
    assert_eq!(spelled(&report), Vec::<String>::new(), "{report}");
    assert!(!report.not_proposed.is_empty() || !report.rewrites.is_empty(), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn creation_is_all_or_nothing_and_knows_its_names() {
    let file = file(SCRIPT);
    let mut conn = file.connect().await;
    let unknown = IndexShape::btree(TableName::bare("users"), ["nope\" , id"]);
    let good = IndexShape::btree(TableName::bare("users"), ["guild_id"]);
    let made = create(&mut conn, &[unknown, good.clone()], 1_000, true).await.unwrap();
    assert!(matches!(made[0].outcome, Outcome::Refused(_)));
    assert!(matches!(made[1].outcome, Outcome::WouldRun(_)));

    // Another writer holds the lock.
    let mut other = <SqliteConnection as diesel::Connection>::establish(&file.path).unwrap();
    other.batch_execute("BEGIN IMMEDIATE").unwrap();
    assert!(create(&mut conn, std::slice::from_ref(&good), 1, false).await.is_err());
    other.batch_execute("ROLLBACK").unwrap();
    let made = create(&mut conn, &[good], 1_000, false).await.unwrap();
    assert_eq!(made[0].outcome, Outcome::Created);
}
