//! How much is kept, and how exactly.

use std::sync::Arc;
use std::time::Duration;

use diesel::sql_query;
use diesel_async::RunQueryDsl;
use guildhall_insight::profile::{Options, Profiled, Profiler};

use crate::fake::{Answers, Fake, HandClock};

#[tokio::test]
async fn n13_thousands_of_raw_texts_stay_within_the_bounds() {
    let profiler = Profiler::new(Options::new().statements_max(100));
    let mut conn = Profiled::new(Fake::default(), profiler.clone());
    for n in 0..5_000 {
        sql_query(format!("SELECT a FROM t{n}")).execute(&mut conn).await.unwrap();
    }
    let snapshot = profiler.snapshot().unwrap();
    assert_eq!((snapshot.own.statements, snapshot.own.statements_max), (100, 100));
    assert_eq!(snapshot.statements.len(), 101);
    let other = snapshot.statements.iter().find(|report| report.text == "(other)").unwrap();
    assert_eq!((other.calls, other.rows), (4_900, 4_900));
    assert!(snapshot.statements.iter().all(|report| report.text == "(other)" || report.calls == 1));
    assert_eq!(profiler.samples().len(), 100);
}

#[tokio::test]
async fn raw_texts_that_differ_in_values_are_one_statement() {
    let profiler = Profiler::new(Options::new().statements_max(100));
    let mut conn = Profiled::new(Fake::default(), profiler.clone());
    for n in 0..5_000 {
        sql_query(format!("SELECT a FROM t WHERE b = {n}")).execute(&mut conn).await.unwrap();
    }
    let snapshot = profiler.snapshot().unwrap();
    let [report] = snapshot.statements.as_slice() else { panic!("{:#?}", snapshot.statements) };
    assert_eq!((report.calls, snapshot.own.texts_read), (5_000, 5_000));
}

#[tokio::test]
async fn n14_percentiles_of_a_known_distribution() {
    let clock = HandClock::default();
    let answers = Answers::default();
    let profiler = Profiler::with_clock(Options::default(), clock.clone());
    let fake = Fake::answering(clock.clone(), Arc::clone(&answers));
    let mut conn = Profiled::new(fake, profiler.clone());
    // 1 % take some hundred times as long, as latencies do.
    let mut took: Vec<u64> = (0..10_000_u64)
        .map(|n| match n % 100 {
            0 => 150_000_000 + n * 6_007,
            1..10 => 3_000_000 + n * 131,
            _ => 400_000 + (n * 7_919) % 300_000,
        })
        .collect();
    for ns in &took {
        answers.lock().unwrap().push_back((Duration::from_nanos(*ns), Ok(1)));
        sql_query("SELECT 1").execute(&mut conn).await.unwrap();
    }
    took.sort_unstable();
    let latency = profiler.snapshot().unwrap().statements[0].latency.unwrap();
    for (found, rank) in [
        (latency.p50_ns, 5_000),
        (latency.p90_ns, 9_000),
        (latency.p95_ns, 9_500),
        (latency.p99_ns, 9_900),
    ] {
        let exact = took[rank - 1];
        assert!(found.abs_diff(exact) * 50 <= exact, "{found} for {exact}");
    }
    assert_eq!((latency.min_ns, latency.max_ns), (took[0], took[9_999]));
    let report = &profiler.snapshot().unwrap().statements[0];
    assert_eq!(report.total_ns, took.iter().sum::<u64>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn calls_of_many_threads_are_all_counted() {
    let profiler = Profiler::new(Options::default());
    let tasks = (0..8).map(|n| {
        let profiler = profiler.clone();
        tokio::spawn(async move {
            let mut conn = Profiled::new(Fake::default(), profiler);
            for call in 0..4_800 {
                let text = format!("SELECT a FROM t{} WHERE b = {call}", (n + call) % 16);
                sql_query(text).execute(&mut conn).await.unwrap();
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    let snapshot = profiler.snapshot().unwrap();
    assert_eq!(snapshot.statements.len(), 16);
    assert!(snapshot.statements.iter().all(|report| report.calls == 2_400 && report.rows == 2_400));
    // One call in 256 of each connection, its first one included.
    assert_eq!(snapshot.own.overhead_samples, 8 * 19);
}
