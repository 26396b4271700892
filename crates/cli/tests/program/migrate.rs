//! Processes that migrate at the same moment: every migration is applied by exactly one of them.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

const PROCESSES: usize = 4;

fn migrated_together(database: &str) {
    let home = tempfile::tempdir().unwrap();
    let start = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_guildhall"));
        command.current_dir(home.path()).args(["--json", "--database", database, "migrate", "up"]);
        command.env_remove("REDIS_URL").env_remove("RUST_LOG");
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let started: Vec<_> = std::iter::repeat_with(start).take(PROCESSES).collect();
    let mut applied: Vec<String> = Vec::new();
    let mut known = 0;
    for process in started {
        let output = process.wait_with_output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let told: Value = serde_json::from_slice(&output.stdout).unwrap();
        let names = told["applied_now"].as_array().unwrap();
        applied.extend(names.iter().map(|name| name.as_str().unwrap().to_owned()));
        known = told["migrations"].as_array().unwrap().len();
    }
    applied.sort();
    let times = applied.len();
    applied.dedup();
    assert_eq!((times, applied.len()), (known, known), "{applied:?}");
}

#[test]
fn sqlite_is_migrated_once_by_processes_that_start_together() {
    let folder = tempfile::tempdir().unwrap();
    let file = |round: usize| Path::new(folder.path()).join(format!("{round}.db"));
    for round in 0..3 {
        migrated_together(&format!("sqlite://{}", file(round).display()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_is_migrated_once_by_processes_that_start_together() {
    for _ in 0..3 {
        let schema = guildhall_testkit::server::postgres_schema().await;
        let url = schema.url();
        tokio::task::spawn_blocking(move || migrated_together(&url)).await.unwrap();
    }
}
