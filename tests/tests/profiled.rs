//! What a profiler sees of a storage: every call as an operation, every statement once, on both
//! databases.

use std::sync::Arc;

use futures_util::FutureExt;
use guildhall_diesel::StoreOptions;
use guildhall_domain::{Award, Description, UserId};
use guildhall_insight::profile::{
    FindingKind, OperationReport, Options, Profiler, Snapshot, StatementReport, operation,
};
use guildhall_repository::{BulkMode, InvalidationNote, Storage};
use guildhall_testkit::builder::{award, hold, now, transfer, user};
use guildhall_testkit::server::{postgres_schema, sqlite_file};

use crate::harness::{self, Ground};

#[derive(Clone, Copy, PartialEq)]
enum On {
    Sqlite,
    Postgres,
}

/// Stamps each promise for both databases.
macro_rules! on_both {
    ($($name:ident)+) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(super::On::Sqlite).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(super::On::Postgres).await;
            })+
        }
    };
}

on_both! {
    every_call_is_an_operation_with_an_exact_number_of_statements
    waiting_for_a_connection_is_told_from_the_database
    a_loop_of_reads_is_found
    a_dropped_call_is_told
    bulk_work_is_one_statement_of_many_rows
    nothing_is_recorded_without_a_profiler
    no_value_is_shown
}

/// A storage and what sees it.
struct Watched {
    storage: Arc<dyn Storage>,
    ground: Ground,
    profiler: Profiler,
}

impl Watched {
    async fn on(on: On, options: StoreOptions) -> Self {
        let profiler = options.profiler.clone();
        let (storage, ground): (Arc<dyn Storage>, _) = match on {
            On::Sqlite => {
                let file = sqlite_file();
                (Arc::new(harness::sqlite_on(&file, options).await), Ground::Sqlite(file))
            }
            On::Postgres => {
                let schema = postgres_schema().await;
                let storage = harness::postgres_at(&schema.url(), options).await;
                (Arc::new(storage), Ground::Postgres(schema))
            }
        };
        Self { storage, ground, profiler }
    }

    /// With so many connections.
    async fn with(on: On, pool_max: u32) -> Self {
        let profiler = Profiler::new(Options::default());
        let watched = Self::on(on, StoreOptions { pool_max, profiler, ..harness::options() }).await;
        // Migrations are not what an application does.
        assert!(watched.seen().statements.is_empty(), "{:#?}", watched.seen().statements);
        watched
    }

    fn seen(&self) -> Snapshot {
        self.profiler.snapshot().unwrap()
    }

    async fn member(&self, name: &str) -> UserId {
        self.storage.users().create(&user(name), now()).await.unwrap().id
    }
}

fn operation_of<'s>(seen: &'s Snapshot, label: &str) -> &'s OperationReport {
    let found = seen.operations.iter().find(|report| report.label == label);
    found.unwrap_or_else(|| panic!("no {label} in {:#?}", seen.operations))
}

/// The only statement that `label` called, apart from transactions.
fn statement_of<'s>(seen: &'s Snapshot, label: &str) -> &'s StatementReport {
    let mut found = seen.statements.iter().filter(|report| {
        report.operations.contains(&label)
            && !["BEGIN", "COMMIT"].iter().any(|begin| report.text.starts_with(begin))
    });
    let first = found.next().unwrap_or_else(|| panic!("none of {label}: {:#?}", seen.statements));
    assert!(found.next().is_none(), "several of {label}: {:#?}", seen.statements);
    first
}

async fn every_call_is_an_operation_with_an_exact_number_of_statements(on: On) {
    let watched = Watched::with(on, 2).await;
    let ada = watched.member("ada").await;
    let users = watched.storage.users();
    assert!(users.by_id(ada).await.unwrap().is_some());
    assert!(users.by_id(UserId(ada.0 + 1)).await.unwrap().is_none());
    watched.storage.points().award(&award(ada, 5), now()).await.unwrap();
    let unit = watched.storage.begin().await.unwrap();
    assert!(unit.users().by_id(ada).await.unwrap().is_some());
    unit.commit().await.unwrap();
    watched.storage.begin().await.unwrap().rollback().await.unwrap();

    let seen = watched.seen();
    let read = operation_of(&seen, "users.by_id");
    assert_eq!((read.runs, read.statements, read.statements_max, read.rows), (3, 3, 1, 2));
    assert_eq!((read.failed, read.dropped, read.retries, read.findings), (0, 0, 0, 0));
    let text = statement_of(&seen, "users.by_id");
    assert_eq!((text.calls, text.rows, text.in_transaction), (3, 2, 1));
    assert_eq!(text.summary, "SELECT users");
    assert!(text.latency.is_some() && text.total_ns <= read.total_ns);
    // One statement; where there is no such, a transaction around one hop to the library.
    let awards = operation_of(&seen, "points.award");
    let expected = if on == On::Postgres { 1 } else { 3 };
    assert_eq!((awards.runs, awards.statements), (1, expected), "{:#?}", seen.statements);
    for (label, runs) in [("begin", 2), ("commit", 1), ("rollback", 1)] {
        let report = operation_of(&seen, label);
        assert_eq!((report.runs, report.statements), (runs, runs), "{label}");
    }
    assert_eq!(seen.own.not_understood, 0);
    // Each statement counts in one operation, and all of them do.
    let calls: u64 = seen.statements.iter().map(|report| report.calls).sum();
    let counted: u64 = seen.operations.iter().map(|report| report.statements).sum();
    assert_eq!(calls, counted);
}

async fn waiting_for_a_connection_is_told_from_the_database(on: On) {
    let watched = Watched::with(on, 1).await;
    let ada = watched.member("ada").await;
    let unit = watched.storage.begin().await.unwrap();
    let mut waiting = watched.storage.users().by_id(ada);
    assert!(waiting.as_mut().now_or_never().is_none());
    unit.commit().await.unwrap();
    assert!(waiting.await.unwrap().is_some());
    let seen = watched.seen();
    let (read, text) = (operation_of(&seen, "users.by_id"), statement_of(&seen, "users.by_id"));
    assert!(read.pool_wait_ns > 0);
    assert_eq!(text.pool_wait_ns, read.pool_wait_ns);
    assert!(read.pool_wait_ns + read.database_ns <= read.total_ns, "{read:?}");
}

async fn a_loop_of_reads_is_found(on: On) {
    let watched = Watched::with(on, 2).await;
    let mut members = Vec::new();
    for n in 0..20 {
        members.push(watched.member(&format!("member{n}")).await);
    }
    operation("scoreboard", async {
        for member in &members {
            watched.storage.users().by_id(*member).await.unwrap();
        }
    })
    .await;
    // The same in one call is none.
    operation("roster", watched.storage.users().by_ids(&members)).await.unwrap();
    let seen = watched.seen();
    let [found] = seen.findings.as_slice() else { panic!("{:#?}", seen.findings) };
    assert_eq!((found.kind, found.operation), (FindingKind::NPlusOne, "scoreboard"));
    assert_eq!((found.calls, found.rows), (20, 20));
    assert_eq!(found.fingerprint, statement_of(&seen, "users.by_id").fingerprint);
    let outer = operation_of(&seen, "scoreboard");
    assert_eq!((outer.runs, outer.statements, outer.findings), (1, 20, 1));
    assert_eq!(operation_of(&seen, "roster").statements, 1);
}

async fn a_dropped_call_is_told(on: On) {
    let watched = Watched::with(on, 2).await;
    let ada = watched.member("ada").await;
    let unit = watched.storage.begin().await.unwrap();
    unit.points().award(&award(ada, 1), now()).await.unwrap();
    // The account is locked: on PostgreSQL the next award gets as far as the server and waits
    // there, on SQLite it waits for its turn.
    let given = award(ada, 2);
    let mut blocked = watched.storage.points().award(&given, now());
    while blocked.as_mut().now_or_never().is_none() && !is_blocked(&watched.ground).await {}
    drop(blocked);
    unit.commit().await.unwrap();

    let seen = watched.seen();
    let awards = operation_of(&seen, "points.award");
    assert_eq!((awards.runs, awards.dropped), (2, 1));
    let cancelled: u64 = seen.statements.iter().map(|report| report.cancelled).sum();
    let expected = u64::from(on == On::Postgres);
    assert_eq!((awards.cancelled, cancelled), (expected, expected), "{:#?}", seen.statements);
    assert_eq!(seen.statements.iter().map(|report| report.failed.len()).sum::<usize>(), 0);
}

/// Whether a call waits as far down as it gets.
async fn is_blocked(ground: &Ground) -> bool {
    let Ground::Postgres(_) = ground else { return true };
    let waiting = "SELECT 1 FROM pg_stat_activity AS own JOIN pg_locks AS held USING (pid) \
                   WHERE own.wait_event_type = 'Lock' AND NOT held.granted \
                   AND own.query LIKE '%point_accounts%' AND own.datname = current_database()";
    !ground.query(waiting).await.is_empty()
}

async fn bulk_work_is_one_statement_of_many_rows(on: On) {
    let watched = Watched::with(on, 2).await;
    let ada = watched.member("ada").await;
    let awards: Vec<Award> = (1..=30).map(|points| award(ada, points)).collect();
    for _ in 0..6 {
        let outcomes = watched
            .storage
            .points()
            .award_bulk(&awards, BulkMode::BestEffort, now())
            .await
            .unwrap();
        assert!(outcomes.iter().all(Result::is_ok));
    }
    let seen = watched.seen();
    let mut entries = seen.statements.iter().filter(|r| r.summary == "INSERT point_entries");
    let written = entries.next().unwrap();
    assert!(entries.next().is_none());
    assert_eq!(written.calls, 6);
    if on == On::Sqlite {
        assert_eq!((written.batch_rows, written.batch_max), (180, 30));
    }
    assert!(seen.findings.is_empty(), "{:#?}", seen.findings);
}

async fn nothing_is_recorded_without_a_profiler(on: On) {
    let options = StoreOptions::default();
    assert!(!options.profiler.is_on());
    let watched = Watched::on(on, harness::options()).await;
    let other = Profiler::new(Options::default());
    let ada = watched.member("ada").await;
    let read = other.operation("page", watched.storage.users().by_id(ada));
    assert!(read.await.unwrap().is_some());
    assert!(watched.profiler.snapshot().is_none() && watched.profiler.samples().is_empty());
    let seen = other.snapshot().unwrap();
    let labels: Vec<_> = seen.operations.iter().map(|report| report.label).collect();
    assert_eq!(labels, ["page"]);
    assert_eq!(seen.operations[0].statements, 0);
    assert!(seen.statements.is_empty() && seen.findings.is_empty());
}

async fn no_value_is_shown(on: On) {
    let watched = Watched::with(on, 2).await;
    let (ada, bob) = (watched.member("planted_ada").await, watched.member("planted_bob").await);
    let storage = &watched.storage;
    let described = || Some(Description::parse("planted words").unwrap());
    let given = Award { description: described(), ..award(ada, 98_765) };
    storage.points().award(&given, now()).await.unwrap();
    storage
        .points()
        .award_bulk(&vec![given.clone(); 3], BulkMode::BestEffort, now())
        .await
        .unwrap();
    let note = |id| InvalidationNote { id, targets: "planted_target".into() };
    let noting = storage.noting(&note(1));
    noting.points().award(&given, now()).await.unwrap();
    let noting = storage.noting(&note(2));
    noting.points().hold(&hold(ada, 1, "planted_hold"), now()).await.unwrap();
    let mut sent = transfer(ada, bob, 1);
    sent.description = described();
    storage.points().transfer(&sent, now()).await.unwrap();
    assert!(storage.users().create(&user("planted_ada"), now()).await.is_err());
    let seen = watched.seen();
    assert!(seen.statements.len() > 5);
    assert_eq!(seen.own.not_understood, 0);
    for shown in [format!("{seen:?}"), serde_json::to_string(&seen).unwrap()] {
        for value in ["planted", "9876500", "706c616e746564"] {
            assert!(!shown.contains(value), "{value} in {shown}");
        }
    }
    // Nor in what is kept of each statement as it was sent.
    assert!(!format!("{:?}", watched.profiler.samples()).contains("planted"));
}
