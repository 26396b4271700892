//! The program as people and scripts meet it, on temporary SQLite files.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

#[path = "program/achievement.rs"]
mod achievement;
#[path = "program/advise.rs"]
mod advise;
#[path = "program/cache.rs"]
mod cache;
#[path = "program/community.rs"]
mod community;
#[path = "program/counting.rs"]
mod counting;
#[path = "program/input.rs"]
mod input;
#[path = "program/kill.rs"]
mod kill;
#[path = "program/migrate.rs"]
mod migrate;
#[path = "program/mission.rs"]
mod mission;
#[path = "program/narrative.rs"]
mod narrative;
#[path = "program/outbox.rs"]
mod outbox;
#[path = "program/read_only.rs"]
mod read_only;
#[path = "program/report.rs"]
mod report;
#[path = "program/store.rs"]
mod store;
#[path = "program/user.rs"]
mod user;
#[path = "program/warm.rs"]
mod warm;

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

struct Home(TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Runs the program in this folder, in an environment without settings.
    fn run(&self, args: &str) -> Output {
        self.run_with(&args.split_whitespace().collect::<Vec<_>>())
    }

    /// The same, where an argument may have spaces.
    fn run_with(&self, args: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_guildhall"));
        command.args(args).current_dir(self.path());
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("GUILDHALL_") {
                command.env_remove(&name);
            }
        }
        command.env_remove("DATABASE_URL").env_remove("REDIS_URL").env_remove("RUST_LOG");
        command.output().unwrap()
    }

    fn json(&self, args: &str) -> Value {
        let output = self.run(&format!("{args} --json"));
        assert!(output.status.success(), "{args}: {output:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Exit code and error of a command that fails.
    fn refused(&self, args: &str) -> (i32, Value) {
        self.refused_with(&args.split_whitespace().collect::<Vec<_>>())
    }

    /// The same, where an argument may have spaces.
    fn refused_with(&self, args: &[&str]) -> (i32, Value) {
        let output = self.run_with(&[args, &["--json"]].concat());
        assert!(output.stdout.is_empty(), "{args:?}: {output:?}");
        let told: Value = serde_json::from_slice(&output.stderr)
            .unwrap_or_else(|error| panic!("{args:?}: {error}: {output:?}"));
        assert!(told["error"]["message"].as_str().is_some_and(|text| !text.is_empty()), "{told}");
        (output.status.code().unwrap(), told["error"].clone())
    }
}

#[test]
fn bad_usage_configuration_and_input_end_with_two_and_touch_nothing() {
    let home = Home::new();
    for (args, kind) in [
        ("frob", "usage"),
        ("leaderboard --limit many", "usage"),
        ("load", "usage"),
        ("leaderboard --limit 0", "validation"),
        ("leaderboard --limit 10000", "validation"),
        ("leaderboard --metric charm", "validation"),
        ("points award 1 0", "validation"),
        ("points award 1 -1", "validation"),
        ("points award 1 1e400", "validation"),
        ("points award 1 NaN", "validation"),
        ("points award ada 1", "validation"),
        ("points award 1 1 --source Quiz!", "validation"),
        (&format!("points award 1 1 --source {}", "q".repeat(100_000)), "validation"),
        (&format!("user show @{}", "a".repeat(100_000)), "validation"),
        ("points history 1 --limit 0", "validation"),
        ("points history 1 --limit 10000", "validation"),
        ("demo --members 1", "validation"),
        ("mission advance @ada Dig!", "validation"),
        ("mission advance @ada dig 0", "validation"),
        ("mission list --limit 0", "validation"),
        ("achievement unlock @ada first --source Quiz!", "validation"),
        ("achievement list --category A", "validation"),
        ("badge award ada founder", "validation"),
        ("store list --kind gold", "validation"),
        ("store buy @ada lamp", "validation"),
        ("warm --only weather", "validation"),
        ("warm --concurrency 0", "validation"),
        ("health --database mysql://u:hunter2@h/d", "config"),
        ("health --database sqlite://:memory:", "config"),
        ("health --config nowhere.toml", "config"),
    ] {
        let (code, error) = home.refused(args);
        assert_eq!((code, error["kind"].as_str()), (2, Some(kind)), "{args}: {error}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0);
}

#[test]
fn an_unknown_setting_stops_with_its_name_and_origin() {
    let home = Home::new();
    std::fs::write(home.path().join("guildhall.toml"), "[pool]\nmaximum = 3\n").unwrap();
    let (code, error) = home.refused("config show");
    assert_eq!(code, 2);
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("`pool.maximum` (file guildhall.toml)"), "{message}");
}

#[test]
fn reading_makes_no_database() {
    let home = Home::new();
    for args in [
        "leaderboard",
        "verify",
        "health",
        "user show 1",
        "migrate",
        "points history 1",
        "mission list",
        "achievement list",
        "badge list",
        "narrative check",
        "store list",
        "outbox status",
        "warm",
    ] {
        let (code, error) = home.refused(args);
        assert_eq!((code, error["kind"].as_str()), (1, Some("unavailable")), "{args}: {error}");
    }
    let (code, error) = home.refused("import nothing.json");
    assert_eq!((code, error["kind"].as_str()), (1, Some("file_not_found")));
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0);
}

#[test]
fn a_file_that_is_no_database_is_told() {
    let home = Home::new();
    std::fs::write(home.path().join("diary.db"), "dear diary, ".repeat(1000)).unwrap();
    let (code, error) = home.refused("leaderboard --database sqlite://diary.db");
    assert_eq!((code, error["kind"].as_str()), (1, Some("integrity")), "{error}");
}

#[test]
fn migrations_are_listed_applied_once_and_then_up_to_date() {
    let home = Home::new();
    let up = home.json("migrate up");
    assert!(!up["applied_now"].as_array().unwrap().is_empty(), "{up}");
    let status = home.json("migrate status");
    assert_eq!(status["applied_now"], Value::Array(vec![]));
    let migrations = status["migrations"].as_array().unwrap();
    assert!(migrations.iter().all(|migration| migration["applied"] == true), "{status}");
    let health = home.json("health");
    assert_eq!(health["status"], "healthy", "{health}");
}

#[test]
fn what_is_acknowledged_is_kept_and_checked() {
    let home = Home::new();
    let load = home.json("load --acks acks.txt --seconds 1 --tasks 4");
    let acknowledged = load["acknowledged"].as_u64().unwrap();
    assert!(acknowledged > 0 && load["failed"] == 0, "{load}");
    let checked = home.json("load --check acks.txt");
    assert_eq!(checked["acknowledged"], acknowledged);
    assert_eq!(home.json("verify")["clean"], true);

    let acks = home.path().join("acks.txt");
    let written = std::fs::read_to_string(&acks).unwrap();
    std::fs::write(&acks, written + "load:never:0:0 1.00 1\n").unwrap();
    let output = home.run("load --check acks.txt --json");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
}

#[test]
fn points_are_given_taken_sent_and_listed_in_the_documented_schema() {
    let home = Home::new();
    home.json("load --acks acks.txt --seconds 1 --tasks 2"); // Makes two members.
    let before = home.json("user show other:load:task-0");
    let user = before["user"]["id"].as_i64().unwrap();
    let key = "--source quiz --key quiz-7 --ref q7";
    let first = home.json(&format!("points award {user} 12.5 {key}"));
    assert_eq!((&first["replayed"], &first["entry"]["amount"]), (&false.into(), &"12.50".into()));
    let again = home.json(&format!("points award other:load:task-0 12.50 {key}"));
    assert_eq!((&again["replayed"], &again["entry"]["id"]), (&true.into(), &first["entry"]["id"]));
    let (code, error) = home.refused(&format!("points award {user} 13 {key}"));
    assert_eq!((code, error["kind"].as_str()), (1, Some("conflict")), "{error}");

    home.json(&format!("points deduct {user} 2.25"));
    let sent = home.json(&format!("points transfer {user} other:load:task-1 1"));
    assert_eq!(sent["received"]["counterpart_user_id"], user);
    let (code, error) = home.refused(&format!("points deduct {user} 90000000000"));
    assert_eq!((code, error["kind"].as_str()), (1, Some("insufficient_balance")), "{error}");
    let (code, error) = home.refused("points award @nobody 1");
    assert_eq!((code, error["kind"].as_str()), (2, Some("not_found")), "{error}");
    assert_eq!((&error["field"], &error["rule"]), (&"user".into(), &"unknown".into()), "{error}");

    let page = home.json(&format!("points history {user} --limit 2"));
    let amounts: Vec<&Value> =
        page["items"].as_array().unwrap().iter().map(|entry| &entry["amount"]).collect();
    assert_eq!(amounts, ["-1.00", "-2.25"]);
    let cursor = page["next_cursor"].as_str().unwrap();
    let older = home.json(&format!("points history {user} --limit 1 --after {cursor}"));
    assert_eq!(older["items"][0]["ref"], "q7");

    let board = home.json("leaderboard --limit 1");
    let place = &board["items"][0];
    assert_eq!(board["metric"], "balance");
    assert!(board["computed_at"].as_str().is_some_and(|at| at.ends_with('Z')), "{board}");
    assert_eq!((board["total"].as_u64(), place["rank"].as_u64()), (Some(2), Some(1)), "{board}");
    assert_eq!(place["external"]["other:load"].as_str().map(|id| &id[..5]), Some("task-"));
    assert_eq!(home.json("verify")["clean"], true);
}

#[test]
fn the_demo_measures_verifies_and_cleans_up() {
    let home = Home::new();
    let report = home.json("demo --members 200 --seconds 1 --tasks 8");
    assert_eq!(report["members"], 200);
    assert_eq!(report["entries"], 800);
    assert_eq!(report["ledger"]["clean"], true, "{report}");
    assert_eq!(report["load"]["failed"], 0, "{report}");
    assert_eq!(report["leaderboard"]["items"].as_array().unwrap().len(), 10);
    assert!(report["cache"]["hits"].as_u64() > Some(0), "{report}");
    let play = &report["play"];
    assert_eq!((&play["players"], &play["failed"]), (&40.into(), &0.into()), "{play}");
    for fact in ["missions_completed", "decisions", "achievements", "badges", "purchases"] {
        assert!(play[fact].as_u64() > Some(0), "{fact}: {play}");
    }
    let steps = report["journey"]["steps"].as_array().unwrap();
    assert!(steps.len() > 5, "{}", report["journey"]);
    let set_off = |step: &&Value| !step["set_off"].as_array().unwrap().is_empty();
    assert!(steps.iter().filter(set_off).count() > 2, "{}", report["journey"]);
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0);
    let on_file = home.run("demo --members 20 --seconds 1 --database sqlite://mine.db");
    assert!(on_file.status.success(), "{on_file:?}");
    let (code, error) = home.refused("demo --members 20 --database sqlite://mine.db");
    assert_eq!((code, error["kind"].as_str()), (1, Some("database_in_use")), "{error}");
}

#[test]
fn health_tells_a_database_without_tables() {
    let home = Home::new();
    std::fs::write(home.path().join("empty.db"), "").unwrap();
    let output = home.run("health --database sqlite://empty.db --json");
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), &told["status"]), (Some(1), &"unhealthy".into()));
    let detail = told["database"]["detail"].as_str().unwrap();
    assert!(detail.contains("migration"), "{detail}");
}
