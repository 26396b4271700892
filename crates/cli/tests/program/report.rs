//! What the program tells of performance.

use serde_json::Value;

use crate::Home;

#[test]
fn a_report_tells_what_is_known_and_why_the_rest_is_not() {
    let home = Home::new();
    home.json("migrate up");
    let report = home.json("report");
    assert_eq!(report["health"]["status"], "healthy", "{report}");
    assert!(report["size_bytes"].as_u64().unwrap() > 0, "{report}");
    assert_eq!((&report["sessions"], &report["statements"]), (&Value::Null, &Value::Null));
    let why = report["statements_missing"].as_str().unwrap();
    assert!(why.contains("SQLite"), "{why}");
    let shown = home.run("report");
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.contains("database") && shown.contains("SQLite keeps none"), "{shown}");
}

#[test]
fn a_statement_is_planned_and_not_run() {
    let home = Home::new();
    home.json("migrate up");
    let sql = "SELECT * FROM users WHERE username_key = 'planted'";
    let planned = home.run_with(&["explain", "--json", "--sql", sql]);
    let planned: Value = serde_json::from_slice(&planned.stdout).unwrap();
    assert_eq!(planned["text"], "SELECT * FROM users WHERE username_key = ?", "{planned}");
    assert!(planned["plan"].as_str().unwrap().contains("users_username_key"), "{planned}");
    assert_eq!(planned["generic"], false);
    let deleting = home.run_with(&["explain", "--sql", "DELETE FROM levels"]);
    assert!(deleting.status.success(), "{deleting:?}");
    assert_eq!(home.json("verify")["members"].as_u64().unwrap_or(0), 0);
    // What is planned for its placeholders is said to be.
    let shown = home.run_with(&["explain", "--sql", "SELECT id FROM users WHERE id = ?"]);
    assert!(String::from_utf8(shown.stdout).unwrap().contains("without values"));
    for (args, code, kind) in [
        (&["explain", "0123456789abcdef"][..], 2, "not_found"),
        (&["explain", "xyz"], 2, "validation"),
        (&["explain", "--sql", "DELETE FROM users; SELECT 1"], 2, "validation"),
        (&["explain", "--sql", "PRAGMA user_version = 7"], 2, "validation"),
        (&["report", "--seconds", "0"], 2, "validation"),
    ] {
        let (found, error) = home.refused_with(args);
        assert_eq!((found, error["kind"].as_str()), (code, Some(kind)), "{args:?}: {error}");
    }
}

#[test]
fn a_look_makes_and_changes_nothing() {
    let home = Home::new();
    for args in ["report", "explain 0123456789abcdef"] {
        let (code, error) = home.refused(args);
        assert_eq!((code, error["kind"].as_str()), (1, Some("unavailable")), "{args}: {error}");
    }
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0);
}
