//! What operators do to the shared cache.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::Home;

const READS: usize = 20;

/// The program on a database and a Redis server, with a prefix of its own.
struct Operator<'a> {
    home: &'a Path,
    redis: String,
    prefix: String,
}

impl Operator<'_> {
    fn run(&self, args: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_guildhall"));
        command.current_dir(self.home).args(["--json", "--database", "sqlite://x.db", "--redis"]);
        command.arg(&self.redis).args(args).env("GUILDHALL_CACHE_PREFIX", &self.prefix);
        command.env_remove("RUST_LOG").output().unwrap()
    }

    fn json(&self, args: &[&str]) -> Value {
        let output = self.run(args);
        assert!(output.status.success(), "{args:?}: {output:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// A read that finds Redis slow goes on without it, which a crowded machine may cause: it is
    /// repeated, for no answer is owed to a first try.
    fn show_until_cached(&self) {
        for _ in 0..READS {
            self.json(&["user", "show", "1"]);
            if self.json(&["cache", "keys", "user:1:*"])["keys"] != Value::Array(vec![]) {
                return;
            }
        }
        panic!("{READS} reads left nothing in Redis");
    }

    fn entries(&self) -> u64 {
        self.json(&["cache", "stats"])["total"].as_u64().unwrap()
    }
}

#[test]
fn an_operator_sees_invalidates_and_audits_what_is_cached() {
    let redis = guildhall_testkit::server::redis_url();
    let home = tempfile::tempdir().unwrap();
    let prefix = format!("cli-{}", std::process::id());
    let operator = Operator { home: home.path(), redis, prefix };
    operator.json(&["load", "--acks", "acks", "--seconds", "1", "--tasks", "2"]);
    operator.show_until_cached();
    assert!(operator.entries() > 0);
    assert_eq!(operator.json(&["cache", "audit", "--sample", "10"])["stale"], Value::Array(vec![]));
    assert_eq!(operator.json(&["cache", "invalidate", "user:1"])["freed"], Value::Null);
    let freed = operator.json(&["cache", "clear", "--pattern", "user:1:*"]);
    assert!(freed["freed"].as_u64().unwrap() > 0, "{freed}");
    let keys = operator.json(&["cache", "keys", "user:1:*"]);
    assert_eq!(keys["keys"], Value::Array(vec![]));
    operator.json(&["cache", "clear", "--namespace", "points"]);
    operator.json(&["cache", "clear"]);
    for args in [&["cache", "keys", "--limit", "0"][..], &["cache", "audit", "--sample", "0"]] {
        assert_eq!(operator.run(args).status.code(), Some(2), "{args:?}");
    }
}

#[test]
fn without_redis_there_is_nothing_to_look_into() {
    let home = Home::new();
    home.json("migrate up");
    for args in
        ["cache stats", "cache clear", "cache keys", "cache invalidate user:1", "cache audit"]
    {
        let (code, error) = home.refused(args);
        assert_eq!((code, error["kind"].as_str()), (2, Some("config")), "{args}: {error}");
    }
}
