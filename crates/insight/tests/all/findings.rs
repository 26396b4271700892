//! What is a finding and what is not, by a clock and answers that the test chooses.

use std::sync::Arc;
use std::time::Duration;

use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error};
use diesel::sql_query;
use diesel::sql_types::BigInt;
use diesel_async::{RunQueryDsl, SimpleAsyncConnection};
use guildhall_insight::profile::{
    Finding, FindingKind, Options, Profiled, Profiler, Snapshot, operation,
};

use crate::fake::{Answers, Fake, HandClock};

struct Stage {
    profiler: Profiler,
    clock: HandClock,
    answers: Answers,
    conn: Profiled<Fake>,
}

fn stage(options: Options) -> Stage {
    let clock = HandClock::default();
    let answers = Answers::default();
    let profiler = Profiler::with_clock(options, clock.clone());
    let fake = Fake::answering(clock.clone(), Arc::clone(&answers));
    Stage { conn: Profiled::new(fake, profiler.clone()), profiler, clock, answers }
}

impl Stage {
    fn answers(&self, ms: u64, answer: QueryResult<usize>) {
        self.answers.lock().unwrap().push_back((Duration::from_millis(ms), answer));
    }

    async fn ask(&mut self, sql: &str, bind: i64, answer: usize) {
        self.answers(2, Ok(answer));
        let asked = sql_query(sql).bind::<BigInt, _>(bind).execute(&mut self.conn).await;
        assert_eq!(asked, Ok(answer));
    }

    fn snapshot(&self) -> Snapshot {
        self.profiler.snapshot().unwrap()
    }

    fn findings(&self) -> Vec<(FindingKind, u64, u64)> {
        let of = |found: &Finding| (found.kind, found.calls, found.occurrences);
        self.snapshot().findings.iter().map(of).collect()
    }
}

const LIST: &str = "SELECT id FROM posts WHERE team = ?";
const ONE: &str = "SELECT name FROM users WHERE id = ?";
const WRITE: &str = "UPDATE users SET name = 'x' WHERE id = ?";

fn contended() -> Error {
    Error::DatabaseError(DatabaseErrorKind::SerializationFailure, Box::new("again".to_owned()))
}

#[tokio::test]
async fn wasted_time_is_all_but_the_longest() {
    let mut stage = stage(Options::default());
    let profiler = stage.profiler.clone();
    profiler
        .operation("list", async {
            stage.ask(LIST, 1, 6).await;
            for n in 0..6 {
                stage.answers(n + 1, Ok(1));
                let asked = sql_query(ONE).bind::<BigInt, _>(n as i64);
                asked.execute(&mut stage.conn).await.unwrap();
                stage.clock.advance(Duration::from_millis(100)); // Work of one's own is none of ours.
            }
        })
        .await;
    let found = &stage.snapshot().findings[0];
    assert_eq!((found.kind, found.calls), (FindingKind::NPlusOne, 6));
    assert_eq!((found.total_ns, found.wasted_ns), (21_000_000, 15_000_000));
    assert_eq!(found.parent_text.as_deref(), Some(LIST));
    let ran = &stage.snapshot().operations[0];
    assert_eq!((ran.total_ns, ran.database_ns), (623_000_000, 23_000_000));
}

#[tokio::test]
async fn the_threshold_is_exact() {
    for (repeats_min, calls, expected) in [(5, 4, 0), (5, 5, 1), (3, 3, 1), (3, 2, 0)] {
        let mut stage = stage(Options::new().repeats_min(repeats_min));
        let profiler = stage.profiler.clone();
        profiler
            .operation("list", async {
                for n in 0..calls {
                    stage.ask(ONE, n, 1).await;
                }
            })
            .await;
        assert_eq!(stage.findings().len(), expected, "{calls} calls of {repeats_min}");
    }
}

#[tokio::test]
async fn calls_that_give_many_rows_are_no_n_plus_one() {
    let mut stage = stage(Options::default());
    let profiler = stage.profiler.clone();
    profiler
        .operation("teams", async {
            for n in 0..10 {
                stage.ask(LIST, n, 3).await;
            }
        })
        .await;
    assert_eq!(stage.findings(), []);
}

#[tokio::test]
async fn two_loads_for_each_row_are_two_findings_of_one_parent() {
    let mut stage = stage(Options::default());
    let profiler = stage.profiler.clone();
    profiler
        .operation("feed", async {
            stage.ask(LIST, 1, 10).await;
            for n in 0..10 {
                stage.ask(ONE, n, 1).await;
                stage.ask("SELECT url FROM avatars WHERE user_id = ?", n, 1).await;
            }
        })
        .await;
    let snapshot = stage.snapshot();
    assert_eq!(snapshot.findings.len(), 2);
    for found in &snapshot.findings {
        assert_eq!((found.kind, found.parent_text.as_deref()), (FindingKind::NPlusOne, Some(LIST)));
    }
}

#[tokio::test]
async fn a_parent_is_only_named_when_its_rows_agree() {
    let mut stage = stage(Options::default());
    let profiler = stage.profiler.clone();
    profiler
        .operation("feed", async {
            stage.ask(LIST, 1, 11).await;
            for n in 0..10 {
                stage.ask(ONE, n, 1).await;
            }
        })
        .await;
    assert_eq!(stage.snapshot().findings[0].parent, None);
}

#[tokio::test]
async fn n06_retries_are_not_flagged_but_counted() {
    let mut stage = stage(Options::default());
    operation("transfer", async {
        for try_ in 0..7 {
            stage.answers(1, Ok(0));
            stage.conn.batch_execute("BEGIN").await.unwrap();
            stage.ask(ONE, 7, 1).await;
            let failed = if try_ < 6 { Err(contended()) } else { Ok(1) };
            stage.answers(1, failed);
            let wrote = sql_query(WRITE).bind::<BigInt, _>(7).execute(&mut stage.conn).await;
            assert_eq!(wrote.is_ok(), try_ == 6);
            stage.answers(1, Ok(0));
            let end = if try_ < 6 { "ROLLBACK" } else { "COMMIT" };
            stage.conn.batch_execute(end).await.unwrap();
        }
    })
    .await;
    assert_eq!(stage.findings(), []);
    let snapshot = stage.snapshot();
    assert_eq!(snapshot.operations[0].retries, 6);
    let report = snapshot.statements.iter().find(|report| report.text == ONE).unwrap();
    assert_eq!((report.calls, report.retried), (7, 6));
    let wrote =
        snapshot.statements.iter().find(|report| report.text.starts_with("UPDATE")).unwrap();
    assert_eq!(wrote.failed["serialization"], 6);
}

#[tokio::test]
async fn retries_around_inner_operations_are_not_flagged_either() {
    let mut stage = stage(Options::default());
    operation("transfer", async {
        for try_ in 0..7 {
            operation("find", stage.ask(ONE, 7, 1)).await;
            operation("store", async {
                let failed = if try_ < 6 { Err(contended()) } else { Ok(1) };
                stage.answers(1, failed);
                let wrote = sql_query(WRITE).bind::<BigInt, _>(7).execute(&mut stage.conn).await;
                assert_eq!(wrote.is_ok(), try_ == 6);
            })
            .await;
        }
    })
    .await;
    assert_eq!(stage.findings(), []);
    let snapshot = stage.snapshot();
    let outer = snapshot.operations.iter().find(|ran| ran.label == "transfer").unwrap();
    assert_eq!((outer.retries, outer.statements), (6, 14));
}

#[tokio::test]
async fn a_loop_within_one_attempt_is_found_although_the_whole_is_retried() {
    let mut stage = stage(Options::default());
    operation("transfer", async {
        for try_ in 0..2 {
            for n in 0..10 {
                stage.ask(ONE, n, 1).await;
            }
            let failed = if try_ == 0 { Err(contended()) } else { Ok(1) };
            stage.answers(1, failed);
            let wrote = sql_query(WRITE).bind::<BigInt, _>(7).execute(&mut stage.conn).await;
            assert_eq!(wrote.is_ok(), try_ == 1);
        }
    })
    .await;
    assert_eq!(stage.findings(), [(FindingKind::NPlusOne, 10, 2)]);
}

#[tokio::test]
async fn what_is_asked_again_after_a_write_is_no_duplicate() {
    let mut stage = stage(Options::default());
    operation("work off", async {
        for n in 0..10 {
            stage.ask(ONE, 7, 1).await;
            stage.ask("INSERT INTO log SELECT a, b FROM c WHERE d = ?", n, 2).await;
        }
    })
    .await;
    assert_eq!(stage.findings(), []);
}

#[tokio::test]
async fn nor_is_it_when_both_are_operations_of_their_own() {
    let mut stage = stage(Options::default());
    operation("work off", async {
        for n in 0..10 {
            operation("next", stage.ask(ONE, 7, 1)).await;
            operation("log", stage.ask("INSERT INTO log SELECT a FROM c WHERE d = ?", n, 2)).await;
        }
        // Without the writes it is one.
        for _ in 0..10 {
            operation("same", stage.ask("SELECT a FROM b WHERE c = ?", 7, 1)).await;
        }
    })
    .await;
    assert_eq!(stage.findings(), [(FindingKind::Duplicate, 10, 1)]);
}

#[tokio::test]
async fn claiming_rows_one_by_one_is_no_duplicate() {
    let mut stage = stage(Options::default());
    operation("work off", async {
        for _ in 0..10 {
            stage.ask("SELECT id FROM jobs WHERE queue = ? FOR UPDATE SKIP LOCKED", 1, 1).await;
        }
    })
    .await;
    assert_eq!(stage.findings(), []);
}

#[tokio::test]
async fn loops_of_single_row_updates_are_found() {
    let mut stage = stage(Options::default());
    operation("rename", async {
        for n in 0..10 {
            stage.ask(WRITE, n, 1).await;
        }
    })
    .await;
    assert_eq!(stage.findings(), [(FindingKind::LoopedWrite, 10, 1)]);
}

#[tokio::test]
async fn outside_an_operation_nothing_is_compared() {
    let mut stage = stage(Options::default());
    for _ in 0..100 {
        stage.ask(ONE, 7, 1).await;
    }
    assert_eq!(stage.findings(), []);
    assert!(stage.snapshot().operations.is_empty());
}

#[tokio::test]
async fn a_call_that_is_built_outside_belongs_to_the_operation_that_polls_it() {
    let mut stage = stage(Options::default());
    stage.answers(2, Ok(1));
    let built = sql_query(ONE).bind::<BigInt, _>(7).execute(&mut stage.conn);
    operation("outside", built).await.unwrap();
    let snapshot = stage.snapshot();
    assert_eq!((snapshot.operations[0].label, snapshot.operations[0].statements), ("outside", 1));
    assert_eq!(snapshot.statements[0].operations, ["outside"]);
}

#[tokio::test]
async fn an_operation_belongs_to_one_profiler() {
    let mut stage = stage(Options::default());
    let other = Profiler::new(Options::default());
    let mut others = Profiled::new(Fake::default(), other.clone());
    operation("both", async {
        for n in 0..10 {
            stage.ask(ONE, n, 1).await;
            for _ in 0..10 {
                sql_query("SELECT 1").execute(&mut others).await.unwrap();
            }
        }
    })
    .await;
    assert_eq!(stage.findings(), [(FindingKind::NPlusOne, 10, 1)]);
    assert_eq!(stage.snapshot().operations[0].statements, 10);
    let other = other.snapshot().unwrap();
    assert!(other.findings.is_empty() && other.operations.is_empty());
    assert_eq!((other.statements[0].calls, other.statements[0].operations.len()), (100, 0));
}

#[tokio::test]
async fn findings_of_many_runs_are_one_with_the_evidence_of_the_worst() {
    let mut stage = stage(Options::default());
    for calls in [5, 20, 10] {
        operation("list", async {
            for n in 0..calls {
                stage.ask(ONE, n, 1).await;
            }
        })
        .await;
    }
    assert_eq!(stage.findings(), [(FindingKind::NPlusOne, 20, 3)]);
    let found = &stage.snapshot().findings[0];
    assert_eq!(found.wasted_ns_sum, 2_000_000 * (4 + 19 + 9));
}

#[tokio::test]
async fn an_operation_without_end_is_bounded() {
    let mut stage = stage(Options::new().statements_max(5_000).findings_max(10));
    operation("endless", async {
        for n in 0..200 {
            let one = format!("SELECT a FROM t{n} WHERE id = ?");
            for bind in 0..100 {
                stage.ask(&one, bind, 1).await;
            }
        }
    })
    .await;
    let snapshot = stage.snapshot();
    assert_eq!((snapshot.findings.len(), snapshot.own.findings_lost), (10, 54));
    assert_eq!(snapshot.findings[0].compared, 64);
    let ran = &snapshot.operations[0];
    assert_eq!((ran.statements, ran.unwatched), (20_000, 136 * 100));
}

#[tokio::test]
async fn more_labels_than_fit_are_counted_as_one() {
    let stage = stage(Options::new().operations_max(2));
    for label in ["one", "two", "three", "four", "two"] {
        stage.profiler.operation(label, async {}).await;
    }
    let snapshot = stage.snapshot();
    let mut runs: Vec<_> = snapshot.operations.iter().map(|ran| (ran.label, ran.runs)).collect();
    runs.sort_unstable();
    assert_eq!(runs, [("(other)", 2), ("one", 1), ("two", 2)]);
    assert_eq!((snapshot.own.operations, snapshot.own.operations_max), (2, 2));
}

#[tokio::test]
async fn a_commit_that_fails_is_counted_with_its_class() {
    use diesel_async::{AsyncConnection, TransactionManager};
    type Transactions = <Profiled<Fake> as AsyncConnection>::TransactionManager;
    let mut stage = stage(Options::default());
    stage.answers(1, Ok(0));
    Transactions::begin_transaction(&mut stage.conn).await.unwrap();
    stage.answers(3, Err(contended()));
    stage.answers(1, Ok(0)); // Diesel rolls back.
    assert!(Transactions::commit_transaction(&mut stage.conn).await.is_err());
    let snapshot = stage.snapshot();
    let commit = snapshot.statements.iter().find(|report| report.text == "COMMIT").unwrap();
    assert_eq!((commit.calls, commit.failed["serialization"]), (1, 1));
}
