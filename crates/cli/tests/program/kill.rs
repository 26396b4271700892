//! The program killed in the middle of writing, again and again: what it acknowledged is there, and
//! every ledger is whole.

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

/// Kills a database.
const ROUNDS: usize = 50;

/// Acknowledged writes a round before the kill.
const WRITES: usize = 20;

fn program(home: &Path, database: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_guildhall"));
    command.current_dir(home).args(["--json", "--database", database]);
    command.env_remove("REDIS_URL").env_remove("RUST_LOG");
    command
}

fn checked(home: &Path, database: &str, args: &[&str]) -> Output {
    let output = program(home, database).args(args).output().unwrap();
    assert!(output.status.success(), "{args:?}: {output:?}");
    output
}

fn acknowledged(home: &Path) -> usize {
    let acks = std::fs::read(home.join("acks")).unwrap_or_default();
    acks.iter().filter(|byte| **byte == b'\n').count()
}

/// Ends the program without a word to it, whatever becomes of the test.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

fn killed_again_and_again(database: &str) {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    for round in 0..ROUNDS {
        let enough = acknowledged(home) + WRITES;
        let mut load = program(home, database);
        load.args(["load", "--tasks", "8", "--seconds", "600", "--acks", "acks"]);
        let mut load = Killed(load.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
        while acknowledged(home) < enough {
            let ended = load.0.try_wait().unwrap();
            assert!(ended.is_none(), "round {round}: it ended by itself: {ended:?}");
            std::thread::yield_now();
        }
        drop(load);
        checked(home, database, &["verify"]);
    }
    checked(home, database, &["load", "--check", "acks"]);
    assert!(acknowledged(home) >= ROUNDS * WRITES);
}

#[test]
fn sqlite_keeps_every_acknowledged_write_through_fifty_kills() {
    let folder = tempfile::tempdir().unwrap();
    killed_again_and_again(&format!("sqlite://{}", folder.path().join("kill.db").display()));
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_keeps_every_acknowledged_write_through_fifty_kills() {
    let schema = guildhall_testkit::server::postgres_schema().await;
    let url = schema.url();
    tokio::task::spawn_blocking(move || killed_again_and_again(&url)).await.unwrap();
}
