//! Building indexes, and being killed at it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Bool, Text};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use guildhall_insight::catalog::{IndexKey, IndexShape, TableName};
use guildhall_insight::create::postgres::{
    CreateError, CreateOptions, Guard, Outcome, Step, create,
};
use guildhall_insight::create::{is_ours, name_of};

use crate::fixture::Database;

const SCRIPT: &str = "\
CREATE TABLE letters (id bigint PRIMARY KEY, reader int NOT NULL, body text NOT NULL);
INSERT INTO letters SELECT g, g % 100, 'body ' || g FROM generate_series(1, 5000) g;
CREATE TABLE days (at date NOT NULL, n int) PARTITION BY RANGE (at);
CREATE TABLE days_1 PARTITION OF days FOR VALUES FROM ('2025-01-01') TO ('2025-02-01');
CREATE TABLE days_2 PARTITION OF days FOR VALUES FROM ('2025-02-01') TO ('2025-03-01') PARTITION BY RANGE (at);
CREATE TABLE days_2a PARTITION OF days_2 FOR VALUES FROM ('2025-02-01') TO ('2025-02-15');
INSERT INTO days SELECT date '2025-01-01' + g % 40, g FROM generate_series(1, 2000) g;
VACUUM ANALYZE";

fn letters() -> IndexShape {
    IndexShape::btree(TableName::new("public", "letters"), ["reader"])
}

fn lower_body() -> IndexShape {
    IndexShape { keys: vec![IndexKey::expression("lower(body)")], ..letters() }
}

fn days() -> IndexShape {
    IndexShape::btree(TableName::new("public", "days"), ["n"])
}

/// Waits for locks as long as it takes.
fn patient() -> CreateOptions {
    let patience = Duration::from_secs(600);
    CreateOptions { lock_timeout: patience, wait_timeout: patience, ..quick() }
}

/// For locks that are not to be had.
fn quick() -> CreateOptions {
    CreateOptions {
        lock_timeout: Duration::from_millis(100),
        wait_timeout: Duration::from_millis(100),
        statement_timeout: Duration::from_secs(600),
        backoff: Duration::from_millis(1),
        guard: Guard { active_max: 1_000, ..Guard::default() },
        ..CreateOptions::default()
    }
}

#[derive(QueryableByName, Debug, PartialEq)]
struct IndexRow {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Bool)]
    valid: bool,
}

#[derive(QueryableByName)]
struct CountRow {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// All indexes that are not of a constraint.
async fn indexes(conn: &mut AsyncPgConnection) -> Vec<IndexRow> {
    let sql = "SELECT c.relname::text AS name, x.indisvalid AS valid FROM pg_index x \
               JOIN pg_class c ON c.oid = x.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace \
               WHERE n.nspname = 'public' AND NOT x.indisprimary ORDER BY 1";
    diesel::sql_query(sql).load(conn).await.unwrap()
}

async fn count(conn: &mut AsyncPgConnection, sql: &str) -> i64 {
    let rows: Vec<CountRow> = diesel::sql_query(sql).load(conn).await.unwrap();
    rows[0].count
}

fn outcomes(report: &guildhall_insight::create::postgres::CreateReport) -> Vec<&Outcome> {
    report.indexes.iter().map(|index| &index.outcome).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn indexes_are_built_once_partitions_and_expressions_too() {
    let database = Database::with("create", SCRIPT).await;
    let mut conn = database.connect().await;
    let shapes = [letters(), lower_body(), days()];
    let dry =
        create(&mut conn, &shapes, &CreateOptions { dry_run: true, ..patient() }).await.unwrap();
    assert!(outcomes(&dry).iter().all(|one| matches!(one, Outcome::WouldRun(_))), "{dry:?}");
    assert_eq!(indexes(&mut conn).await, []);

    let report = create(&mut conn, &shapes, &patient()).await.unwrap();
    assert_eq!(outcomes(&report), [&Outcome::Created; 3], "{report:?}");
    let there = indexes(&mut conn).await;
    assert_eq!(there.len(), 2 + 4, "{there:?}"); // The parent's, the sub-parent's, two leaves'.
    assert!(there.iter().all(|index| index.valid && is_ours(&index.name)), "{there:?}");
    let analysed = "SELECT count(*) FROM pg_stats WHERE tablename LIKE 'gix\\_letters%'";
    assert_eq!(count(&mut conn, analysed).await, 1);

    let again = create(&mut conn, &shapes, &patient()).await.unwrap();
    assert!(
        outcomes(&again).iter().all(|one| matches!(one, Outcome::AlreadyThere(_))),
        "{again:?}"
    );
    assert_eq!(indexes(&mut conn).await, there);
    // The limits are the session's own again, and the lock is free.
    let other = &mut database.connect().await;
    create(other, &[], &patient()).await.unwrap();
    let set = "SELECT count(*) FROM pg_settings WHERE name IN ('lock_timeout', 'statement_timeout') AND setting <> '0'";
    assert_eq!(count(&mut conn, set).await, 0);
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_catalogue_does_not_know_is_refused() {
    let database = Database::with("refuse", SCRIPT).await;
    let mut conn = database.connect().await;
    let table = || TableName::new("public", "letters");
    let shapes = [
        IndexShape::btree(TableName::new("public", "nowhere"), ["id"]),
        IndexShape::btree(table(), ["id\") ; DROP TABLE letters; --"]),
        letters().filtered("id = 1; DROP TABLE letters"),
        letters().filtered("(SELECT true)"),
        IndexShape::btree(TableName::new("pg_catalog", "pg_class"), ["relname"]),
    ];
    let report = create(&mut conn, &shapes, &patient()).await.unwrap();
    for outcome in outcomes(&report) {
        assert!(matches!(outcome, Outcome::Refused(_)), "{outcome:?}");
    }
    assert_eq!(indexes(&mut conn).await, []);
    assert_eq!(count(&mut conn, "SELECT count(*) FROM letters").await, 5_000);
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_transaction_and_no_second_session() {
    let database = Database::with("busy", SCRIPT).await;
    let (mut one, mut two) = (database.connect().await, database.connect().await);
    type Manager = <AsyncPgConnection as AsyncConnection>::TransactionManager;
    use diesel_async::TransactionManager as _;
    Manager::begin_transaction(&mut one).await.unwrap();
    let refused = create(&mut one, &[letters()], &patient()).await;
    assert!(matches!(refused, Err(CreateError::InTransaction)), "{refused:?}");
    Manager::rollback_transaction(&mut one).await.unwrap();

    // The first holds the lock while the second asks.
    let steps: Arc<Mutex<Vec<Step>>> = Arc::default();
    let seen = Arc::clone(&steps);
    let watch: guildhall_insight::create::postgres::Watch = Arc::new(move |step| {
        seen.lock().unwrap().push(step);
        step != Step::Build
    });
    let options = CreateOptions { watch: Some(watch), ..patient() };
    let ended = create(&mut one, &[letters()], &options).await;
    assert!(matches!(ended, Err(CreateError::Ended(Step::Build))), "{ended:?}");
    assert_eq!(
        steps.lock().unwrap()[..],
        [Step::Lock, Step::Read, Step::Tidy, Step::Limits, Step::Build]
    );
    let busy = create(&mut two, &[letters()], &patient()).await;
    assert!(matches!(busy, Err(CreateError::Busy)), "{busy:?}");
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_server_is_let_be() {
    let database = Database::with("guard", SCRIPT).await;
    let mut conn = database.connect().await;
    let mut old = database.connect().await;
    old.batch_execute("BEGIN; SELECT 1 FROM letters LIMIT 1").await.unwrap();
    let guard = Guard { transaction_age_max: Duration::ZERO, ..Guard::default() };
    let report =
        create(&mut conn, &[letters()], &CreateOptions { guard, ..patient() }).await.unwrap();
    assert!(matches!(outcomes(&report)[..], [Outcome::Postponed(_)]), "{report:?}");
    assert_eq!(indexes(&mut conn).await, []);
    database.remove().await;
}

/// A writer that is in the way: the build waits for it, times out, and leaves an invalid index.
#[tokio::test(flavor = "multi_thread")]
async fn a_lock_not_had_leaves_nothing_of_ours_and_others_invalid_indexes_alone() {
    let database = Database::with("timeout", SCRIPT).await;
    let (mut conn, mut writer) = (database.connect().await, database.connect().await);
    writer.batch_execute("BEGIN; UPDATE letters SET body = 'x' WHERE id = 1").await.unwrap();
    // Another's leftover.
    conn.batch_execute("SET lock_timeout = 50").await.unwrap();
    conn.batch_execute("CREATE INDEX CONCURRENTLY theirs ON letters (id)").await.unwrap_err();
    conn.batch_execute("RESET lock_timeout").await.unwrap();
    let report = create(&mut conn, &[letters()], &quick()).await.unwrap();
    assert_eq!(report.invalid, ["theirs"]);
    let Outcome::Failed { attempts, left, .. } = outcomes(&report)[0] else { panic!("{report:?}") };
    // While the writer stays, the rest of the failed build cannot be removed either.
    let ours = name_of(&letters());
    assert!(*attempts >= 1);
    if let Some(left) = left {
        assert_eq!(*left, ours);
    }

    writer.batch_execute("ROLLBACK").await.unwrap();
    let report = create(&mut conn, &[letters()], &patient()).await.unwrap();
    assert_eq!(outcomes(&report), [&Outcome::Created], "{report:?}");
    let there = indexes(&mut conn).await;
    assert_eq!(there.len(), 2, "{there:?}");
    for index in there {
        assert_eq!(index.valid, index.name == ours, "{}", index.name);
    }
    database.remove().await;
}

/// The client or its backend goes at every step; the next run makes good.
#[tokio::test(flavor = "multi_thread")]
async fn killed_at_every_step_the_next_run_leaves_no_invalid_index() {
    let database = Database::with("killed", SCRIPT).await;
    let shapes = [letters(), lower_body(), days()];
    for kill_at in 0..40 {
        let mut conn = database.connect().await;
        let count = Arc::new(Mutex::new(0));
        let counter = Arc::clone(&count);
        let watch: guildhall_insight::create::postgres::Watch = Arc::new(move |_| {
            let mut count = counter.lock().unwrap();
            *count += 1;
            *count <= kill_at
        });
        let outcome =
            create(&mut conn, &shapes, &CreateOptions { watch: Some(watch), ..patient() }).await;
        drop(conn); // Its lock goes with it.
        let mut next = database.connect().await;
        // The server notices a connection that is gone a moment later.
        let report = loop {
            match create(&mut next, &shapes, &patient()).await {
                Err(CreateError::Busy) => tokio::task::yield_now().await,
                other => break other.unwrap(),
            }
        };
        for outcome in outcomes(&report) {
            assert!(
                matches!(outcome, Outcome::Created | Outcome::AlreadyThere(_)),
                "{kill_at}: {report:?}"
            );
        }
        let there = indexes(&mut next).await;
        assert!(there.len() == 6 && there.iter().all(|index| index.valid), "{kill_at}: {there:?}");
        let sql = format!(
            "DROP INDEX {}, {}, {}",
            name_of(&letters()),
            name_of(&lower_body()),
            name_of(&days())
        );
        next.batch_execute(&sql).await.unwrap();
        if outcome.is_ok() {
            assert!(kill_at > 15, "the run has but {kill_at} steps");
            database.remove().await;
            return;
        }
    }
    panic!("the run has more steps than were tried");
}

/// The build itself is under way when its backend is ended.
#[tokio::test(flavor = "multi_thread")]
async fn a_backend_ended_in_the_middle_of_a_build_is_made_good() {
    let database = Database::with("midway", SCRIPT).await;
    let (mut writer, mut control) = (database.connect().await, database.connect().await);
    writer.batch_execute("BEGIN; UPDATE letters SET body = 'x' WHERE id = 1").await.unwrap();
    let mut builder = database.connect().await;
    let build = tokio::spawn(async move { create(&mut builder, &[letters()], &patient()).await });
    // It waits for the writer, its invalid index made.
    let made = "SELECT count(*) FROM pg_index WHERE NOT indisvalid";
    while count(&mut control, made).await == 0 {
        tokio::task::yield_now().await;
    }
    let end = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_progress_create_index \
               WHERE datname = current_database()";
    while count(&mut control, end).await == 0 {
        tokio::task::yield_now().await;
    }
    assert!(build.await.unwrap().is_err());
    writer.batch_execute("ROLLBACK").await.unwrap();
    assert_eq!(count(&mut control, made).await, 1);

    let report = create(&mut control, &[letters()], &patient()).await.unwrap();
    assert_eq!(report.removed, [name_of(&letters())]);
    assert_eq!(outcomes(&report), [&Outcome::Created]);
    assert_eq!(count(&mut control, made).await, 0);
    database.remove().await;
}
