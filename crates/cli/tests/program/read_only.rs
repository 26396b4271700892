//! A database file that may be read and not written.

#![cfg(unix)]

use std::fs::{self, OpenOptions, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::Home;

/// A user without rights. The administrator may write whatever the permissions say, so that tests
/// run by that one have to step down.
const NOBODY: u32 = 65_534;

fn forbid_writing(path: &Path) {
    let mode = if path.is_dir() { 0o555 } else { 0o444 };
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// Runs the program in `home` as somebody who may only read there.
fn run_reading_only(home: &Home, database: &Path, args: &[&str]) -> Output {
    let is_administrator = OpenOptions::new().append(true).open(database).is_ok();
    let mut command = if is_administrator {
        // Where the program stands may be closed to others.
        let program = home.path().join("program");
        if !program.exists() {
            fs::copy(env!("CARGO_BIN_EXE_guildhall"), &program).unwrap();
            fs::set_permissions(&program, Permissions::from_mode(0o555)).unwrap();
        }
        let mut command = Command::new(program);
        command.uid(NOBODY).gid(NOBODY);
        command
    } else {
        Command::new(env!("CARGO_BIN_EXE_guildhall"))
    };
    command.current_dir(home.path()).args(["--json", "--database"]);
    command.arg(format!("sqlite://{}", database.display())).args(args);
    command.env_remove("REDIS_URL").env_remove("RUST_LOG");
    command.output().unwrap()
}

#[test]
fn a_file_that_is_read_only_is_told() {
    let home = Home::new();
    home.json("migrate up --database sqlite://sub.db");
    let folder = home.path().join("closed");
    fs::create_dir(&folder).unwrap();
    let database = folder.join("x.db");
    fs::rename(home.path().join("sub.db"), &database).unwrap();
    fs::set_permissions(home.path(), Permissions::from_mode(0o755)).unwrap();
    let before = fs::read(&database).unwrap();
    forbid_writing(&database);
    forbid_writing(&folder);
    for args in [&["points", "award", "1", "1"][..], &["migrate", "up"], &["verify"]] {
        let output = run_reading_only(&home, &database, args);
        assert_eq!(output.status.code(), Some(1), "{args:?}: {output:?}");
        let told: Value = serde_json::from_slice(&output.stderr).unwrap();
        assert_eq!(told["error"]["kind"], "unavailable", "{args:?}: {told}");
        let message = told["error"]["message"].as_str().unwrap().to_owned()
            + told["error"]["hint"].as_str().unwrap_or_default();
        assert!(message.contains("the file is read-only"), "{message}");
    }
    assert_eq!(fs::read(&database).unwrap(), before);
    fs::set_permissions(&folder, Permissions::from_mode(0o755)).unwrap();
}
