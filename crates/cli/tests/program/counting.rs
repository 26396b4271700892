//! What a PostgreSQL server counts itself, through the program, on a server of its own: the
//! extension counts for a whole server.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use guildhall_adapter::domain::{NewUser, Nickname, Provider};
use guildhall_adapter::{Config, Guildhall};
use guildhall_testkit::builder::user;
use guildhall_testkit::server::PrivatePostgres;
use serde_json::Value;

use crate::Home;

/// Accounts elsewhere, each with a nickname of its own.
const ACCOUNTS: i64 = 5_000;
/// Look-ups by a nickname.
const LOOKUPS: i64 = 300;

struct Program {
    home: Home,
    url: String,
}

impl Program {
    /// On a thread of its own, so that the test's runtime goes on.
    async fn run(&self, args: &[&str]) -> (Option<i32>, Value) {
        let args = [args, &["--json", "--database", &self.url]].concat();
        let output = tokio::task::block_in_place(|| self.home.run_with(&args));
        let told = if output.status.success() { &output.stdout } else { &output.stderr };
        let told = serde_json::from_slice(told).unwrap_or_else(|_| panic!("{args:?}: {output:?}"));
        (output.status.code(), told)
    }

    async fn told(&self, args: &[&str]) -> Value {
        let (code, told) = self.run(args).await;
        assert_eq!(code, Some(0), "{args:?}: {told}");
        told
    }

    /// Neither `report` nor `advise` has statements, and both say what the server lacks.
    async fn lacks(&self, what: &str) {
        let report = self.told(&["report"]).await;
        assert_eq!(report["statements"], Value::Null, "{report}");
        assert!(report["statements_missing"].as_str().unwrap().contains(what), "{report}");
        let (code, refused) = self.run(&["advise"]).await;
        let error = &refused["error"];
        assert_eq!((code, &error["kind"]), (Some(1), &"not_supported".into()), "{error}");
        assert!(error["message"].as_str().unwrap().contains(what), "{error}");
        assert!(error["hint"].as_str().unwrap().contains("--workload"), "{error}");
    }
}

async fn connect(url: &str) -> Guildhall {
    let config = Config::builder().database(url).set("cache.backend", "disabled");
    Guildhall::connect(config.build().unwrap()).await.unwrap()
}

/// Many accounts elsewhere, no index to find one by its nickname, and nothing counted of it.
async fn fill(guildhall: &Guildhall) {
    let now = guildhall.clock().now();
    for first in (0..ACCOUNTS).step_by(1_000) {
        let members: Vec<NewUser> = (first..first + 1_000)
            .map(|n| {
                let mut member = user(&format!("member{n}"));
                member.externals[0].nickname = Some(nickname(n));
                member
            })
            .collect();
        guildhall.users().create_batch(&members, now).await.unwrap();
    }
    for sql in
        ["DROP INDEX external_accounts_nickname", "ANALYZE", "SELECT pg_stat_statements_reset()"]
    {
        guildhall.run_sql(sql).await.unwrap();
    }
}

fn nickname(n: i64) -> Nickname {
    Nickname::parse(&format!("planted{n}")).unwrap()
}

/// Looks members up until it is told to end, and `LOOKUPS` times at least.
async fn look_up(guildhall: Guildhall, enough: Arc<AtomicBool>) {
    for n in 0.. {
        if n >= LOOKUPS && enough.load(Ordering::Relaxed) {
            return;
        }
        let wanted = nickname(n * 7 % ACCOUNTS);
        let found = guildhall.users().by_external_nickname(&Provider::Telegram, &wanted).await;
        assert_eq!(found.unwrap().len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_server_counts_is_reported_explained_and_advised_on() {
    let mut server = PrivatePostgres::start().await;
    let program = Program { home: Home::new(), url: server.url() };
    program.told(&["migrate", "up"]).await;
    program.lacks("CREATE EXTENSION").await;
    {
        let guildhall = connect(&program.url).await;
        guildhall.run_sql("CREATE EXTENSION pg_stat_statements").await.unwrap();
        program.lacks("shared_preload_libraries").await;
        let preload = "ALTER SYSTEM SET shared_preload_libraries = 'pg_stat_statements'";
        guildhall.run_sql(preload).await.unwrap();
    }
    server.stop();
    server.restart().await;

    let guildhall = connect(&program.url).await;
    fill(&guildhall).await;
    let enough = Arc::new(AtomicBool::new(false));
    let looking = tokio::spawn(look_up(guildhall.clone(), Arc::clone(&enough)));
    let report = program.told(&["report", "--seconds", "1", "--limit", "1000"]).await;
    enough.store(true, Ordering::Relaxed);
    looking.await.unwrap();
    let of_look_ups = |one: &&Value| one["text"].as_str().unwrap().contains("nickname_key");
    let seen = report["statements"].as_array().unwrap().iter().find(of_look_ups);
    let seen = seen.unwrap_or_else(|| panic!("{report}"));
    assert!(seen["calls"].as_u64().unwrap() > 0 && report["complete"] == true, "{report}");

    let fingerprint = seen["fingerprint"].as_str().unwrap();
    let planned = program.told(&["explain", fingerprint]).await;
    assert_eq!(planned["fingerprint"], fingerprint);
    assert!(planned["plan"].as_str().unwrap().contains("Seq Scan"), "{planned}");
    let sql = "SELECT provider FROM external_accounts WHERE user_id = 7";
    let planned = program.told(&["explain", "--sql", sql]).await;
    assert!(planned["plan"].as_str().unwrap().contains("Index"), "{planned}");
    assert_eq!(planned["generic"], false);

    let advised = program.told(&["advise", "--min-calls", "100"]).await;
    let proposed = advised["report"]["recommendations"].as_array().unwrap();
    assert_eq!(proposed.len(), 1, "{advised}");
    assert!(proposed[0]["ddl"].as_str().unwrap().contains("nickname_key"), "{advised}");
    assert!(!format!("{report}{advised}").contains("planted"), "a value is shown");

    let built = program.told(&["advise", "--min-calls", "100", "--apply"]).await;
    assert_eq!(built["built"][0]["outcome"]["state"], "created", "{built}");
    let planned = program.told(&["explain", fingerprint]).await;
    assert!(!planned["plan"].as_str().unwrap().contains("Seq Scan"), "{planned}");
    let again = program.told(&["advise", "--min-calls", "100"]).await;
    assert_eq!(again["report"]["recommendations"], Value::Array(vec![]), "{again}");
}
