//! How calls are recorded.

use std::time::{Duration, Instant};

use diesel::prelude::*;
use diesel::result::Error;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Text};
use diesel_async::pooled_connection::PoolableConnection;
use diesel_async::pooled_connection::bb8::Pool;
use diesel_async::{AsyncConnection, RunQueryDsl, SaveChangesDsl, SimpleAsyncConnection};
use futures_util::{FutureExt, StreamExt, TryStreamExt};
use guildhall_insight::profile::{Options, Profiler, checkout, manager};
use guildhall_insight::{StatementKind, System};

use crate::fake::HandClock;

use super::schema::{name, open, statement, users};
use super::{BEGIN, BEGINS_WHEN_BUILT, Inner, MANY, SLEEPY, SYSTEM, leave, url};

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Text)]
    name: String,
}

#[tokio::test(flavor = "multi_thread")]
async fn n10_a_load_of_200_000_rows_is_timed_to_its_last_row() {
    let clock = HandClock::default();
    let profiler = Profiler::with_clock(Options::default(), clock.clone());
    let (place, mut conn) = open(&profiler).await;
    let mut rows = sql_query(MANY).load_stream::<Row>(&mut conn).await.unwrap();
    let mut read = 0;
    while let Some(row) = rows.next().await {
        let row = row.unwrap();
        read += 1;
        assert_eq!((row.id, row.name.as_str()), (read, "a name"));
        // Only here does time pass: what is measured ends with the last row or not at all.
        clock.advance(Duration::from_micros(1));
    }
    drop(rows);
    let snapshot = profiler.snapshot().unwrap();
    let report = &snapshot.statements[0];
    assert_eq!((report.calls, report.rows, report.rows_max), (1, 200_000, 200_000));
    assert_eq!((report.first_response_mean_ns, report.total_ns), (Some(0), 200_000_000));
    leave(place).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_way_to_end_is_told_from_the_others() {
    let profiler = Profiler::new(Options::default());
    let (place, mut conn) = open(&profiler).await;
    // To the end.
    assert_eq!(name(&mut conn, 3).await, "user3");
    // Left after the first of a thousand.
    let all = users::table.select(users::id).order(users::id);
    let mut rows = all.load_stream::<i64>(&mut conn).await.unwrap();
    assert_eq!(rows.next().await, Some(Ok(1)));
    drop(rows);
    // Failed.
    let twice = diesel::insert_into(users::table).values((
        users::id.eq(1),
        users::name.eq("other"),
        users::team.eq(1),
    ));
    let error = twice.execute(&mut conn).await.unwrap_err();
    assert!(matches!(error, Error::DatabaseError(..)), "{error}");
    // Counted by what it changed.
    let changed = diesel::update(users::table.filter(users::team.eq(4))).set(users::team.eq(4));
    assert_eq!(changed.execute(&mut conn).await, Ok(10));

    let snapshot = profiler.snapshot().unwrap();
    let ended = statement(&snapshot, "SELECT users.name");
    assert_eq!((ended.calls, ended.rows, ended.stopped_early), (1, 1, 0));
    assert_eq!((ended.system, ended.kind), (SYSTEM, StatementKind::Select));
    let left = statement(&snapshot, "SELECT users.id");
    assert_eq!((left.calls, left.rows, left.stopped_early), (1, 1, 1));
    let failed = statement(&snapshot, "INSERT");
    assert_eq!((failed.calls, failed.rows, failed.batch_rows), (1, 0, 1));
    assert_eq!(failed.failed.iter().collect::<Vec<_>>(), [(&"unique_violation", &1)]);
    let changed = statement(&snapshot, "UPDATE");
    assert_eq!((changed.calls, changed.rows, changed.summary.as_str()), (1, 10, "UPDATE users"));
    leave(place).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rows_of_a_query_that_is_executed_are_told_or_not_made_up() {
    let profiler = Profiler::new(Options::default());
    let (place, mut conn) = open(&profiler).await;
    // SQLite says 1000 here: what the last insert changed.
    sql_query("SELECT id FROM users WHERE team = 1").execute(&mut conn).await.unwrap();
    let known = if SYSTEM == System::Sqlite { 0 } else { 10 };
    assert_eq!(profiler.snapshot().unwrap().statements[0].rows, known);
    leave(place).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_are_saved_and_fetched() {
    #[derive(AsChangeset, Clone, Copy, Debug, Identifiable, PartialEq, Queryable)]
    #[diesel(table_name = users)]
    struct Moved {
        id: i64,
        team: i64,
    }

    /// What comes back.
    #[derive(Debug, PartialEq, Queryable)]
    struct User {
        id: i64,
        name: String,
        team: i64,
    }

    let profiler = Profiler::new(Options::default());
    let (place, mut conn) = open(&profiler).await;
    let saved: User = Moved { id: 7, team: 77 }.save_changes(&mut conn).await.unwrap();
    assert_eq!(saved, User { id: 7, name: "user7".to_owned(), team: 77 });
    let snapshot = profiler.snapshot().unwrap();
    let report = statement(&snapshot, "UPDATE users");
    assert_eq!((report.calls, report.rows), (1, 1));
    leave(place).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_is_dropped_is_cancelled() {
    let profiler = Profiler::new(Options::default());
    let (place, mut conn) = open(&profiler).await;
    {
        let call = sql_query(SLEEPY).execute(&mut conn);
        // Polled once and dropped. On SQLite that waits for the end.
        assert!(call.now_or_never().is_none());
    }
    let snapshot = profiler.snapshot().unwrap();
    let report = &snapshot.statements[0];
    assert_eq!((report.calls, report.cancelled, report.never_polled), (1, 1, 0));
    assert!(report.failed.is_empty() && report.first_response_mean_ns.is_none());
    leave(place).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_is_never_polled_is_none() {
    let profiler = Profiler::new(Options::default());
    let (place, mut conn) = open(&profiler).await;
    let planned = diesel::delete(users::table.find(1)).execute(&mut conn);
    drop(planned);
    let left: i64 = users::table.count().get_result(&mut conn).await.unwrap();
    assert_eq!(left, if BEGINS_WHEN_BUILT { 999 } else { 1_000 });
    let snapshot = profiler.snapshot().unwrap();
    let report = statement(&snapshot, "DELETE");
    assert_eq!((report.calls, report.never_polled, report.cancelled), (0, 1, 0));
    assert_eq!(report.latency, None);
    leave(place).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn transactions_work_and_their_statements_are_counted_once() {
    let profiler = Profiler::new(Options::default());
    let (place, mut conn) = open(&profiler).await;
    conn.transaction::<_, Error, _>(async |conn| {
        diesel::delete(users::table.find(1)).execute(conn).await?;
        let inner = conn
            .transaction::<(), Error, _>(async |conn| {
                diesel::delete(users::table.find(2)).execute(conn).await?;
                Err(Error::RollbackTransaction)
            })
            .await;
        assert_eq!(inner, Err(Error::RollbackTransaction));
        conn.transaction::<_, Error, _>(async |conn| {
            diesel::delete(users::table.find(3)).execute(conn).await
        })
        .await?;
        Ok(())
    })
    .await
    .unwrap();
    let rolled_back: Result<(), Error> =
        conn.transaction(async |_| Err(Error::RollbackTransaction)).await;
    assert_eq!(rolled_back, Err(Error::RollbackTransaction));
    conn.begin_with(BEGIN).await.unwrap();
    assert!(PoolableConnection::is_broken(&mut conn));
    assert_eq!(conn.begin_with(BEGIN).await, Err(Error::AlreadyInTransaction));
    assert_eq!(diesel::delete(users::table.find(4)).execute(&mut conn).await, Ok(1));
    type Transactions = <super::Conn as AsyncConnection>::TransactionManager;
    use diesel_async::TransactionManager as _;
    Transactions::rollback_transaction(&mut conn).await.unwrap();
    assert!(!PoolableConnection::is_broken(&mut conn));

    let left: Vec<i64> = users::table
        .select(users::id)
        .filter(users::id.le(4))
        .order(users::id)
        .load(&mut conn)
        .await
        .unwrap();
    assert_eq!(left, [2, 4]);
    let snapshot = profiler.snapshot().unwrap();
    let count = |text: &str| {
        snapshot.statements.iter().filter(|s| s.text == text).map(|s| s.calls).sum::<u64>()
    };
    assert_eq!((count("BEGIN"), count("COMMIT"), count("ROLLBACK")), (2, 1, 2));
    assert_eq!((count("SAVEPOINT s"), count("RELEASE SAVEPOINT s")), (2, 1));
    assert_eq!(count("ROLLBACK TO SAVEPOINT s"), 1);
    let own = statement(&snapshot, if BEGINS_WHEN_BUILT { "BEGIN immediate" } else { "BEGIN iso" });
    assert_eq!((own.calls, own.failed.len()), (2, 1));
    let deleted = statement(&snapshot, "DELETE");
    assert_eq!((deleted.calls, deleted.in_transaction), (4, 4));
    assert_eq!(statement(&snapshot, "SELECT users.id").in_transaction, 0);
    leave(place).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_are_one_statement_and_their_rows_are_counted() {
    let profiler = Profiler::new(Options::default());
    let (place, mut conn) = open(&profiler).await;
    for size in [1, 3, 50] {
        let base = 10_000 * size;
        let rows: Vec<String> =
            (0..size).map(|n| format!("({}, 'new{}', 1)", base + n, base + n)).collect();
        let insert = format!("INSERT INTO users (id, name, team) VALUES {}", rows.join(","));
        assert_eq!(sql_query(insert).execute(&mut conn).await, Ok(size));
    }
    let snapshot = profiler.snapshot().unwrap();
    let report = statement(&snapshot, "INSERT INTO users");
    assert_eq!((report.calls, report.rows), (3, 54));
    assert_eq!((report.batch_rows, report.batch_max), (54, 50));
    leave(place).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_of_any_length_are_one_statement() {
    let profiler = Profiler::new(Options::default());
    let (place, mut conn) = open(&profiler).await;
    for size in [1, 2, 20] {
        let some = users::table.filter(users::id.eq_any((1..=size).collect::<Vec<i64>>()));
        let found: i64 = some.count().get_result(&mut conn).await.unwrap();
        assert_eq!(found, size);
    }
    let snapshot = profiler.snapshot().unwrap();
    assert_eq!(statement(&snapshot, "SELECT count").calls, 3);
    leave(place).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_are_kept_although_they_are_binds() {
    let profiler = Profiler::new(Options::default());
    let (place, mut conn) = open(&profiler).await;
    let page = users::table
        .filter(users::name.ne("a, [planted"))
        .order(users::id)
        .limit(20)
        .offset(40)
        .select(users::id)
        .into_boxed();
    let ids: Vec<i64> = page.load(&mut conn).await.unwrap();
    assert_eq!(ids[0], 41);
    let snapshot = profiler.snapshot().unwrap();
    let window = snapshot.statements[0].windows[0];
    assert_eq!((window.limit, window.offset, window.seen), (Some(20), Some(40), 1));
    assert!(snapshot.statements[0].skew.is_empty());
    leave(place).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bound_value_is_never_taken_for_the_limit_of_another_text() {
    let profiler = Profiler::new(Options::default());
    let (place, mut conn) = open(&profiler).await;
    // The first text says where the limit of a list of one stands, or that it is always 10.
    page(&mut conn, &[1], 10).await;
    sql_query("SELECT team FROM users LIMIT 10").execute(&mut conn).await.unwrap();
    // One in 64 is looked at.
    for _ in 0..64 {
        page(&mut conn, &[111, 222, 333], 20).await;
        sql_query("SELECT team FROM users LIMIT 20").execute(&mut conn).await.unwrap();
    }
    let snapshot = profiler.snapshot().unwrap();
    for begin in ["SELECT users.name", "SELECT team"] {
        let windows = &statement(&snapshot, begin).windows;
        let limits: Vec<Option<u64>> = windows.iter().map(|window| window.limit).collect();
        assert_eq!(limits, [Some(10), Some(20)], "{begin}");
    }
    leave(place).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn binds_are_kept_only_if_they_stand_where_those_of_the_kept_text_do() {
    let profiler = Profiler::new(Options::new().keep_binds(true));
    let (place, mut conn) = open(&profiler).await;
    page(&mut conn, &[1], 10).await;
    page(&mut conn, &[111, 222, 333], 20).await;
    page(&mut conn, &[2], 30).await;
    let [sample] = &profiler.samples()[..] else { panic!("one statement") };
    let limits: Vec<&str> = sample.binds.iter().map(|kept| kept.expose()[1].as_str()).collect();
    // A list is one bind on PostgreSQL, and then all texts are one.
    let same = if SYSTEM == System::Sqlite { vec!["10", "30"] } else { vec!["10", "20", "30"] };
    assert_eq!(limits, same);
    leave(place).await;
}

/// Some of these users.
async fn page(conn: &mut super::Conn, ids: &[i64], limit: i64) {
    let some = users::table.filter(users::id.eq_any(ids)).select(users::name);
    let names: Vec<String> = some.limit(limit).load(conn).await.unwrap();
    assert_eq!(names.len(), ids.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn pools_hand_out_recorded_connections_and_the_wait_counts() {
    let profiler = Profiler::new(Options::default());
    let (place, conn) = open(&profiler).await;
    drop(conn);
    let pool: Pool<super::Conn> =
        Pool::builder().max_size(1).build(manager::<Inner>(url(&place), &profiler)).await.unwrap();
    let mut first = checkout(pool.get()).await.unwrap();
    assert_eq!(name(&mut first, 1).await, "user1");
    let alone = profiler.snapshot().unwrap();
    let alone = statement(&alone, "SELECT users.name").pool_wait_ns;
    // The second waits until the first has come back.
    let waiting = checkout(pool.get());
    tokio::pin!(waiting);
    assert!(waiting.as_mut().now_or_never().is_none());
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_millis(20) {
        std::hint::spin_loop();
    }
    drop(first);
    let mut second = waiting.await.unwrap();
    assert_eq!(name(&mut second, 2).await, "user2");
    assert_eq!(name(&mut second, 3).await, "user3");
    let snapshot = profiler.snapshot().unwrap();
    let report = statement(&snapshot, "SELECT users.name");
    assert!(report.pool_wait_ns - alone >= 20_000_000, "{} {alone}", report.pool_wait_ns);
    assert_eq!(report.calls, 3);
    drop(second);
    leave(place).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_off_works_and_records_nothing() {
    let profiler = Profiler::off();
    let (place, mut conn) = open(&profiler).await;
    assert_eq!(name(&mut conn, 5).await, "user5");
    conn.batch_execute("SELECT 1").await.unwrap();
    let all: Vec<i64> = users::table
        .select(users::id)
        .load_stream::<i64>(&mut conn)
        .await
        .unwrap()
        .try_collect()
        .await
        .unwrap();
    assert_eq!(all.len(), 1_000);
    assert!(profiler.snapshot().is_none() && profiler.samples().is_empty());
    assert_eq!(profiler.operation("any", async { 7 }).await, 7);
    leave(place).await;
}
