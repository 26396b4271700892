//! Index advice from the command line, on databases of anybody.

use std::fs;

use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};
use serde_json::Value;

use crate::Home;

const TABLES: &str = "\
CREATE TABLE letters (id INTEGER PRIMARY KEY, reader INTEGER NOT NULL, sent INTEGER NOT NULL, text TEXT NOT NULL);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
INSERT INTO letters SELECT i, i * 7919 % 2000, i, hex(zeroblob(60)) FROM n;
CREATE INDEX of_another_reader ON letters (reader) WHERE reader < 0;
ANALYZE;";

const WORKLOAD: &str = "\
-- calls: 5000, mean_ms: 4
SELECT id, text FROM letters WHERE reader = 17 ORDER BY sent DESC LIMIT 20;
-- calls: 9000, mean_ms: 0.02
SELECT text FROM letters WHERE id = 4;";

/// A database that Guildhall knows nothing of, and what it is asked.
fn stranger() -> Home {
    let home = Home::new();
    let file = home.path().join("other.db");
    let mut conn = SqliteConnection::establish(file.to_str().unwrap()).unwrap();
    conn.batch_execute(TABLES).unwrap();
    fs::write(home.path().join("asked.sql"), WORKLOAD).unwrap();
    home
}

#[test]
fn a_script_a_migration_or_the_index_itself_comes_of_the_same_advice() {
    let home = stranger();
    let args = ["advise", "--database", "sqlite://other.db", "--workload", "asked.sql"];
    let told = home.run_with(&[&args[..], &["--json"]].concat());
    assert!(told.status.success(), "{told:?}");
    let told: Value = serde_json::from_slice(&told.stdout).unwrap();
    let proposed = told["report"]["recommendations"].as_array().unwrap();
    assert_eq!(proposed.len(), 1, "{told}");
    assert!(proposed[0]["ddl"].as_str().unwrap().contains("reader"), "{told}");

    let script = home.run_with(&[&args[..], &["--script", "new.sql"]].concat());
    assert!(script.status.success(), "{script:?}");
    assert!(fs::read_to_string(home.path().join("new.sql")).unwrap().contains("CREATE INDEX"));
    // What is there is never written over.
    assert_eq!(
        home.run_with(&[&args[..], &["--script", "new.sql"]].concat()).status.code(),
        Some(1)
    );

    let migration = home.run_with(&[&args[..], &["--migration", "inbox"]].concat());
    assert!(migration.status.success(), "{migration:?}");
    let folders: Vec<_> = fs::read_dir(home.path().join("migrations")).unwrap().collect();
    assert_eq!(folders.len(), 1);
    let folder = folders[0].as_ref().unwrap().path();
    assert!(folder.to_str().unwrap().ends_with("-000000_inbox"), "{folder:?}");
    assert!(fs::read_to_string(folder.join("up.sql")).unwrap().contains("CREATE INDEX"));
    assert!(fs::read_to_string(folder.join("down.sql")).unwrap().contains("DROP INDEX"));

    // Another one of the same day gets a number of its own.
    let second = home.run_with(&[&args[..], &["--migration", "outbox"]].concat());
    assert!(second.status.success(), "{second:?}");
    let names = fs::read_dir(home.path().join("migrations")).unwrap();
    let names: Vec<_> = names.map(|one| one.unwrap().file_name().into_string().unwrap()).collect();
    assert!(names.iter().any(|name| name.ends_with("-000001_outbox")), "{names:?}");

    // People read lines.
    let shown = home.run_with(&args);
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.lines().count() > 5 && !shown.contains('\u{fffd}'), "{shown}");

    let applied = home.run_with(&[&args[..], &["--apply"]].concat());
    assert!(applied.status.success(), "{applied:?}");
    let again = home.run_with(&[&args[..], &["--json"]].concat());
    let again: Value = serde_json::from_slice(&again.stdout).unwrap();
    assert_eq!(again["report"]["recommendations"].as_array().map(Vec::len), Some(0), "{again}");
}

#[test]
fn what_cannot_be_advised_on_is_refused_in_one_sentence() {
    let home = stranger();
    fs::write(home.path().join("empty.sql"), "-- nothing").unwrap();
    fs::write(home.path().join("open.sql"), "SELECT 'never ends").unwrap();
    let cases: &[(&[&str], &str)] = &[
        (&["--workload", "absent.sql"], "workload"),
        (&["--workload", "empty.sql"], "workload"),
        (&["--workload", "open.sql"], "workload"),
        (&["--workload", "asked.sql", "--budget", "a lot"], "budget"),
        (&["--workload", "asked.sql", "--budget=-5%"], "budget"),
        (&["--workload", "asked.sql", "--migration", "../up"], "migration"),
    ];
    for (more, field) in cases {
        let args = [&["advise", "--json", "--database", "sqlite://other.db"], *more].concat();
        let refused = home.run_with(&args);
        assert_eq!(refused.status.code(), Some(2), "{more:?} {refused:?}");
        let error: Value = serde_json::from_slice(&refused.stderr).unwrap();
        assert_eq!(error["error"]["field"], *field, "{error}");
    }
    // SQLite counts nothing itself.
    let (code, error) = home.refused_with(&["advise", "--database", "sqlite://other.db"]);
    assert_eq!((code, &error["kind"]), (1, &"not_supported".into()), "{error}");
    assert!(error["hint"].as_str().unwrap().contains("--workload"), "{error}");
}
