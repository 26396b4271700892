//! Several queries at once over one connection of PostgreSQL.

use diesel::prelude::*;
use diesel::sql_query;
use diesel_async::RunQueryDsl;
use diesel_async::pooled_connection::PoolableConnection;
use futures_util::future::{join_all, try_join};
use guildhall_insight::profile::{FindingKind, Options, Profiler, operation};

use super::leave;
use super::schema::{open, statement, users};

#[tokio::test(flavor = "multi_thread")]
async fn an_error_behind_the_first_rows_ends_the_call() {
    let profiler = Profiler::new(Options::default());
    let (place, mut conn) = open(&profiler).await;
    let broken = "SELECT 1 / (150000 - g) AS id FROM generate_series(1, 200000) g";
    let all: QueryResult<Vec<Quotient>> = sql_query(broken).load(&mut conn).await;
    assert!(all.is_err());
    let snapshot = profiler.snapshot().unwrap();
    let report = statement(&snapshot, "SELECT ? / (? - g)");
    assert_eq!((report.calls, report.failed["other"], report.stopped_early), (1, 1, 0));
    assert!(report.rows > 0 && report.rows < 150_000, "{}", report.rows);
    assert!(report.first_response_mean_ns.unwrap() < report.total_ns);
    leave(place).await;
}

#[derive(QueryableByName)]
struct Quotient {
    #[diesel(sql_type = diesel::sql_types::Integer)]
    #[expect(dead_code, reason = "only the error is looked at")]
    id: i32,
}

#[tokio::test(flavor = "multi_thread")]
async fn queries_over_one_connection_at_once_are_told_apart() {
    let profiler = Profiler::new(Options::default());
    let (place, conn) = open(&profiler).await;
    operation("pipeline", async {
        let loads = (1..=20_i64).map(|id| {
            let mut conn = &conn;
            async move {
                let one = users::table.find(id).select(users::name);
                let names: Vec<String> = one.load(&mut conn).await.unwrap();
                assert_eq!(names, [format!("user{id}")]);
            }
        });
        join_all(loads).await;
    })
    .await;
    let (mut one, mut two) = (&conn, &conn);
    let both = try_join(
        sql_query("DELETE FROM users WHERE id = 1").execute(&mut one),
        sql_query("SELECT id FROM users WHERE id < 0").execute(&mut two),
    );
    assert_eq!(both.await, Ok((1, 0)));
    let snapshot = profiler.snapshot().unwrap();
    assert_eq!(statement(&snapshot, "SELECT users.name").rows, 20);
    let [found] = snapshot.findings.as_slice() else { panic!("{:#?}", snapshot.findings) };
    assert_eq!((found.kind, found.calls), (FindingKind::FanOut, 20));
    assert_eq!(statement(&snapshot, "DELETE").rows, 1);
    drop(conn);
    leave(place).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_was_closed_is_broken() {
    let (place, mut conn) = open(&Profiler::off()).await;
    assert!(!PoolableConnection::is_broken(&mut conn));
    let own = "SELECT pg_terminate_backend(pg_backend_pid())";
    assert!(sql_query(own).execute(&mut conn).await.is_err());
    while !PoolableConnection::is_broken(&mut conn) {
        tokio::task::yield_now().await; // The task that reads the socket ends by itself.
    }
    leave(place).await;
}
