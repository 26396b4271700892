//! Work that is only named by a statement, and operations whose profiler is known.

use diesel::sql_query;
use diesel_async::RunQueryDsl;
use futures_util::FutureExt;
use guildhall_insight::profile::{FindingKind, Options, Profiler};

use super::schema::{name, open, statement};
use super::{SLEEPY, leave};

#[tokio::test(flavor = "multi_thread")]
async fn named_work_counts_its_rows_and_its_binds_are_unknown() {
    let profiler = Profiler::new(Options::default());
    let (place, mut conn) = open(&profiler).await;
    profiler
        .operation("named", async {
            for rows in 1..=6 {
                let insert = "INSERT INTO users (id, name, team) VALUES ($1, $2, $3)";
                let done: u8 =
                    conn.run_batch(insert, 10 * rows, |_| Box::pin(async { Ok(7) })).await.unwrap();
                assert_eq!(done, 7);
                conn.run("SELECT name FROM users WHERE id = $1", |_| Box::pin(async { Ok(()) }))
                    .await
                    .unwrap();
            }
        })
        .await;
    let snapshot = profiler.snapshot().unwrap();
    let written = statement(&snapshot, "INSERT");
    assert_eq!((written.calls, written.batch_rows, written.batch_max), (6, 210, 60));
    // Many rows at a time are no loop of writes; reads whose binds nobody knows may be anything.
    let [found] = snapshot.findings.as_slice() else { panic!("{:#?}", snapshot.findings) };
    assert_eq!((found.kind, found.calls), (FindingKind::Repeated, 6));
    leave(place).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_is_dropped_with_its_operation_counts_in_it() {
    let profiler = Profiler::new(Options::default());
    let (place, mut conn) = open(&profiler).await;
    {
        let call = async {
            name(&mut conn, 1).await;
            sql_query(SLEEPY).execute(&mut conn).await.unwrap();
        };
        let mut operation = Box::pin(profiler.operation("sleep", call));
        // Polled until the second statement is under way.
        while profiler.snapshot().unwrap().statements.is_empty() {
            assert!(operation.as_mut().now_or_never().is_none());
            tokio::task::yield_now().await;
        }
        assert!(operation.as_mut().now_or_never().is_none());
    }
    let snapshot = profiler.snapshot().unwrap();
    let slept = &snapshot.operations[0];
    assert_eq!((slept.label, slept.runs, slept.dropped), ("sleep", 1, 1));
    assert_eq!((slept.statements, slept.cancelled), (2, 1));
    leave(place).await;
}
