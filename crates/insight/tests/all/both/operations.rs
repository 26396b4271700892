//! What operations do with their statements.

use diesel::prelude::*;
use diesel::sql_query;
use diesel_async::RunQueryDsl;
use futures_util::future::join_all;
use guildhall_insight::profile::{
    FindingKind, Options, Profiler, Snapshot, attempt, carried, operation, operation_id,
};

use super::schema::{USERS_TOTAL, ids, name, open, statement, users};
use super::{Conn, inner, leave, settle};

fn operation_of<'s>(
    snapshot: &'s Snapshot,
    label: &str,
) -> &'s guildhall_insight::profile::OperationReport {
    snapshot.operations.iter().find(|report| report.label == label).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn n01_a_list_and_a_load_for_each_of_its_rows_is_an_n_plus_one() {
    let profiler = Profiler::new(Options::default());
    let (place, mut conn) = open(&profiler).await;
    operation("leaderboard", async {
        for id in ids(&mut conn, 1, 20).await {
            assert_eq!(name(&mut conn, id).await, format!("user{id}"));
        }
    })
    .await;
    let snapshot = profiler.snapshot().unwrap();
    let [found] = snapshot.findings.as_slice() else { panic!("{:#?}", snapshot.findings) };
    assert_eq!((found.kind, found.operation), (FindingKind::NPlusOne, "leaderboard"));
    assert_eq!((found.calls, found.rows, found.rows_max, found.occurrences), (20, 20, 1, 1));
    assert_eq!((found.compared, found.distinct, found.overlapped), (19, 19, 0));
    assert_eq!(found.fingerprint, statement(&snapshot, "SELECT users.name").fingerprint);
    assert_eq!(found.parent, Some(statement(&snapshot, "SELECT users.id").fingerprint));
    let report = statement(&snapshot, "SELECT users.name");
    assert_eq!(found.total_ns, report.total_ns);
    assert_eq!(found.wasted_ns, report.total_ns - report.latency.unwrap().max_ns);
    assert!(found.wasted_ns > 0);
    let ran = operation_of(&snapshot, "leaderboard");
    assert_eq!((ran.runs, ran.statements, ran.rows, ran.findings), (1, 21, 40, 1));
    assert_eq!(report.operations, ["leaderboard"]);
    leave(place).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn n02_the_same_load_again_and_again_is_a_duplicate() {
    let profiler = Profiler::new(Options::default());
    let (place, mut conn) = open(&profiler).await;
    operation("greet", async {
        for _ in 0..20 {
            name(&mut conn, 7).await;
        }
    })
    .await;
    let snapshot = profiler.snapshot().unwrap();
    let [found] = snapshot.findings.as_slice() else { panic!("{:#?}", snapshot.findings) };
    assert_eq!((found.kind, found.calls), (FindingKind::Duplicate, 20));
    assert_eq!((found.compared, found.distinct), (19, 1));
    leave(place).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn n03_loads_at_the_same_time_are_a_fan_out() {
    let profiler = Profiler::new(Options::default());
    let (place, conn) = open(&profiler).await;
    let mut conns: Vec<Conn> = Vec::new();
    for _ in 0..8 {
        let mut conn = inner(&place).await;
        settle(&mut conn).await;
        conns.push(Conn::new(conn, profiler.clone()));
    }
    // All begin before any ends: no load answers before the barrier lets it be asked.
    let barrier = std::sync::Arc::new(tokio::sync::Barrier::new(conns.len()));
    operation("profile", async {
        let loads = conns.into_iter().zip(1..).map(|(mut conn, id)| {
            let barrier = std::sync::Arc::clone(&barrier);
            async move {
                let all = users::table.filter(users::id.ge(id)).select(users::name);
                let mut rows = all.load_stream::<String>(&mut conn).await.unwrap();
                let first = futures_util::StreamExt::next(&mut rows).await;
                barrier.wait().await;
                first.is_some()
            }
        });
        // On tasks of their own: the operation has to be taken along.
        let tasks: Vec<_> = loads.map(|load| tokio::spawn(carried(load))).collect();
        for loaded in join_all(tasks).await {
            assert!(loaded.unwrap());
        }
    })
    .await;
    let snapshot = profiler.snapshot().unwrap();
    let [found] = snapshot.findings.as_slice() else { panic!("{:#?}", snapshot.findings) };
    assert_eq!((found.kind, found.calls, found.overlapped), (FindingKind::FanOut, 8, 7));
    assert_eq!(statement(&snapshot, "SELECT users.name").stopped_early, 8);
    drop(conn);
    leave(place).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn n04_single_rows_written_in_a_loop_want_a_bulk_statement() {
    let profiler = Profiler::new(Options::default());
    let (place, mut conn) = open(&profiler).await;
    operation("import", async {
        for n in 0..20_i64 {
            let id = USERS_TOTAL + 1 + n;
            let new = (users::id.eq(id), users::name.eq(format!("new{id}")), users::team.eq(n));
            let added = diesel::insert_into(users::table).values(new).execute(&mut conn).await;
            assert_eq!(added, Ok(1));
        }
    })
    .await;
    // Many rows at once, as often, are no reason to speak.
    operation("bulk import", async {
        for n in 0..20 {
            let base = 100_000 + n * 10;
            let rows: Vec<String> =
                (base..base + 10).map(|id| format!("({id}, 'bulk{id}', 1)")).collect();
            let insert = format!("INSERT INTO users (id, name, team) VALUES {}", rows.join(","));
            assert_eq!(sql_query(insert).execute(&mut conn).await, Ok(10));
        }
    })
    .await;
    let snapshot = profiler.snapshot().unwrap();
    let [found] = snapshot.findings.as_slice() else { panic!("{:#?}", snapshot.findings) };
    assert_eq!((found.kind, found.operation), (FindingKind::LoopedWrite, "import"));
    assert_eq!((found.calls, found.rows), (20, 20));
    assert!(found.advice.contains("bulk"), "{}", found.advice);
    leave(place).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn n05_pages_of_a_list_are_not_flagged() {
    let profiler = Profiler::new(Options::default());
    let (place, mut conn) = open(&profiler).await;
    for size in [100, 1] {
        operation("export", async {
            let (mut after, mut seen) = (0, 0);
            while seen < 10 * size {
                let page = users::table.filter(users::id.gt(after)).order(users::id).limit(size);
                let page: Vec<i64> = page.select(users::id).load(&mut conn).await.unwrap();
                seen += page.len() as i64;
                after = *page.last().unwrap();
            }
        })
        .await;
    }
    let snapshot = profiler.snapshot().unwrap();
    assert_eq!(statement(&snapshot, "SELECT users.id").calls, 20);
    assert!(snapshot.findings.is_empty(), "{:#?}", snapshot.findings);
    leave(place).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn attempts_that_are_announced_are_not_compared() {
    let profiler = Profiler::new(Options::default());
    let (place, mut conn) = open(&profiler).await;
    operation("award", async {
        for number in 1..=7 {
            attempt(number);
            name(&mut conn, 7).await;
        }
    })
    .await;
    let snapshot = profiler.snapshot().unwrap();
    assert!(snapshot.findings.is_empty(), "{:#?}", snapshot.findings);
    assert_eq!(operation_of(&snapshot, "award").retries, 6);
    assert_eq!(statement(&snapshot, "SELECT users.name").retried, 6);
    leave(place).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn n08_a_poller_is_not_flagged() {
    let profiler = Profiler::new(Options::default());
    let (place, mut conn) = open(&profiler).await;
    for _ in 0..1_000 {
        operation("poll", name(&mut conn, 7)).await;
    }
    let snapshot = profiler.snapshot().unwrap();
    assert!(snapshot.findings.is_empty(), "{:#?}", snapshot.findings);
    let ran = operation_of(&snapshot, "poll");
    assert_eq!((ran.runs, ran.statements, ran.statements_max), (1_000, 1_000, 1));
    leave(place).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn inner_operations_count_for_the_outer_one_and_are_blamed_once() {
    let profiler = Profiler::new(Options::default());
    let (place, mut conn) = open(&profiler).await;
    profiler
        .operation("command", async {
            let (outer, above) = operation_id().unwrap();
            assert_eq!(above, None);
            let list = operation("users.page", ids(&mut conn, 1, 20)).await;
            for id in list {
                operation("users.find", async {
                    assert_eq!(operation_id().unwrap().1, Some(outer));
                    name(&mut conn, id).await
                })
                .await;
            }
        })
        .await;
    profiler
        .operation("outer", async {
            operation("inner", async {
                for id in 1..=20 {
                    name(&mut conn, id).await;
                }
            })
            .await;
        })
        .await;
    let snapshot = profiler.snapshot().unwrap();
    let mut found: Vec<_> = snapshot
        .findings
        .iter()
        .map(|found| (found.operation, found.kind, found.calls, found.distinct))
        .collect();
    found.sort_unstable_by_key(|(operation, ..)| *operation);
    assert_eq!(
        found,
        [("command", FindingKind::NPlusOne, 20, 19), ("inner", FindingKind::NPlusOne, 20, 19)]
    );
    let command = snapshot.findings.iter().find(|found| found.operation == "command").unwrap();
    assert_eq!(command.parent, Some(statement(&snapshot, "SELECT users.id").fingerprint));
    assert_eq!(operation_of(&snapshot, "command").statements, 21);
    assert_eq!(operation_of(&snapshot, "users.find").runs, 20);
    assert_eq!(operation_of(&snapshot, "outer").statements, 20);
    leave(place).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operation_that_is_dropped_is_counted() {
    let profiler = Profiler::new(Options::default());
    let (place, mut conn) = open(&profiler).await;
    {
        let (asked, answered) = tokio::sync::oneshot::channel();
        let run = operation("dropped", async {
            name(&mut conn, 1).await;
            asked.send(()).unwrap();
            std::future::pending::<()>().await;
        });
        tokio::select! {
            () = run => unreachable!("it never ends"),
            heard = answered => heard.unwrap(),
        }
    }
    let snapshot = profiler.snapshot().unwrap();
    let ran = operation_of(&snapshot, "dropped");
    assert_eq!((ran.runs, ran.dropped, ran.statements), (1, 1, 1));
    leave(place).await;
}
