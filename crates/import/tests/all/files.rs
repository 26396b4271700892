//! Files that are no source: one typed error each, and nothing is written.

use std::path::{Path, PathBuf};

use guildhall_import::{ImportError, ImportOptions, Importer, SourceKind, detect};

use crate::fake::{FakeStorage, FixedClock, options, run};
use crate::legacy;

async fn refused(path: &Path) -> ImportError {
    let storage = FakeStorage::new();
    let error = run(&storage, path, options()).await.unwrap_err();
    let state = storage.state.lock().unwrap();
    assert!(state.writes == 0 && state.phase.is_none(), "something was written");
    error
}

fn write(dir: &Path, content: impl AsRef<[u8]>) -> PathBuf {
    let path = dir.join("data.json");
    std::fs::write(&path, content).unwrap();
    path
}

#[tokio::test]
async fn what_is_no_source_is_said_to_be_none() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    for (path, code) in [
        (dir.join("absent.db"), "file_not_found"),
        (dir.to_owned(), "not_a_file"),
        (dir.join("bot.db/x"), "file_not_found"),
    ] {
        assert_eq!(refused(&path).await.code(), code, "{}", path.display());
    }
    for (content, code) in [
        (&b""[..], "file_empty"),
        (b" \n\t", "file_empty"),
        (b"hello", "unknown_kind"),
        (b"\xff\xfe{\0}\0", "unknown_kind"),
        (b"PK\x03\x04", "unknown_kind"),
        (b"SQLite format 3\0", "truncated_sqlite"),
        (b"{}", "foreign_json"),
        (b"{\"name\": \"package\", \"files\": [1]}", "foreign_json"),
        (b"[1, 2]", "invalid_json"),
        (b"{\"users\": 5}", "invalid_json"),
        (b"{\"users\": [], \"users\": []}", "invalid_json"),
    ] {
        let path = write(dir, content);
        let error = refused(&path).await;
        assert_eq!(error.code(), code, "{error}");
    }
}

#[test]
fn the_content_decides_on_the_kind() {
    let dir = tempfile::tempdir().unwrap();
    let json = dir.path().join("store.sqlite");
    std::fs::write(&json, b"\xEF\xBB\xBF \n {\"users\": []}").unwrap();
    assert_eq!(detect(&json).unwrap(), SourceKind::JsonStore);
    let sqlite = legacy::file(dir.path(), "bot.json", "CREATE TABLE t (x);");
    assert_eq!(detect(&sqlite).unwrap(), SourceKind::SqliteBot);
}

#[tokio::test]
async fn a_foreign_database_is_told_what_it_lacks() {
    let dir = tempfile::tempdir().unwrap();
    let path = legacy::file(dir.path(), "a b%?#.db", "CREATE TABLE customers (id INTEGER);");
    let error = refused(&path).await;
    let ImportError::ForeignSqlite { missing, .. } = &error else { panic!("{error:?}") };
    assert_eq!(missing, &["table users", "table user_stats", "table levels"]);
    let path = legacy::file(dir.path(), "web.db", "CREATE TABLE users (id INTEGER, email TEXT);");
    assert!(refused(&path).await.to_string().contains("column users.points, table user_stats"));
}

#[tokio::test]
async fn a_database_that_is_cut_off_or_damaged_is_never_half_imported() {
    let dir = tempfile::tempdir().unwrap();
    let path = legacy::crowd(dir.path(), 500, 10);
    let whole = std::fs::read(&path).unwrap();
    let cut = dir.path().join("cut.sqlite");
    for part in [17, 99, 100, 4096, whole.len() / 2, whole.len() - 1] {
        std::fs::write(&cut, &whole[..part]).unwrap();
        let error = refused(&cut).await;
        let ImportError::TruncatedSqlite { actual, .. } = error else { panic!("{error:?}") };
        assert_eq!(actual, part as u64);
    }
    // The root page of each table in turn.
    for (table, root) in roots(&path) {
        let mut bytes = whole.clone();
        bytes[(root - 1) * 4096..root * 4096].fill(0xA5);
        std::fs::write(&cut, bytes).unwrap();
        let error = refused(&cut).await;
        let ImportError::CorruptSqlite { part, .. } = &error else { panic!("{table}: {error:?}") };
        assert_eq!(part, &format!("table {table}"), "{error}");
    }
}

fn roots(path: &Path) -> Vec<(String, usize)> {
    use diesel::connection::Connection;
    use diesel::prelude::*;
    use diesel::sql_types::{BigInt, Text};
    #[derive(QueryableByName)]
    struct Root {
        #[diesel(sql_type = Text)]
        name: String,
        #[diesel(sql_type = BigInt)]
        rootpage: i64,
    }
    let mut conn = diesel::sqlite::SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    let query = "SELECT name, rootpage FROM sqlite_master WHERE type = 'table'";
    let rows: Vec<Root> = diesel::sql_query(query).load(&mut conn).unwrap();
    rows.into_iter().map(|row| (row.name, row.rootpage as usize)).collect()
}

#[tokio::test]
async fn json_that_is_cut_off_names_the_byte_wherever_it_is_cut() {
    let dir = tempfile::tempdir().unwrap();
    let text = "{\n  \"users\": [\n    {\"user_id\": 1, \"faceit_nickname\": \"Ж\"},\n    {\"user_id\": 2}\n  ],\n  \"analytics\": {}\n}";
    for end in 1..text.len() {
        let path = write(dir.path(), &text.as_bytes()[..end]);
        let error = refused(&path).await;
        let ImportError::InvalidJson { offset, truncated, .. } = error else {
            panic!("{end}: {error:?}")
        };
        assert_eq!((offset, truncated), (end as u64, true), "{end}");
    }
    let path = write(dir.path(), text.replace("\"user_id\": 2", "\"user_id\": NaN"));
    let error = refused(&path).await;
    assert_eq!(error.code(), "invalid_json");
    assert!(error.to_string().contains("line 4, column 17"), "{error}");
    let path = write(dir.path(), format!("{text} x"));
    assert_eq!(refused(&path).await.code(), "invalid_json");
}

#[tokio::test]
async fn a_record_without_an_end_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path =
        write(dir.path(), format!("{{\"users\": [{{\"a\": \"{}\"}}]}}", "x".repeat(17 << 20)));
    assert_eq!(refused(&path).await.code(), "record_too_long");
    let deep = format!("{{\"users\": [{}{}]}}", "[".repeat(100_000), "]".repeat(100_000));
    let path = write(dir.path(), deep);
    let report = run(&FakeStorage::new(), &path, options()).await.unwrap();
    assert_eq!(report.table("users").unwrap().skipped_total, 1);
}

#[tokio::test]
async fn names_and_owners_are_checked() {
    let dir = tempfile::tempdir().unwrap();
    let path = write(dir.path(), "{\"users\": [{\"user_id\": 1}]}");
    let named = |name: String| ImportOptions { source_name: Some(name), ..options() };
    for name in [String::new(), "x".repeat(201)] {
        let error = run(&FakeStorage::new(), &path, named(name)).await.unwrap_err();
        assert_eq!(error.code(), "source_name");
    }
    let storage = FakeStorage::new();
    storage.state.lock().unwrap().fail_at = Some((0, false));
    run(&storage, &path, options()).await.unwrap_err();
    let other = ImportOptions { owner: "another".into(), ..options() };
    let error = run(&storage, &path, other).await.unwrap_err();
    assert_eq!(error.code(), "import_busy");
    let importer = Importer::new(storage, std::sync::Arc::new(FixedClock), options());
    let error = importer.undo("nowhere", |_| {}).await.unwrap_err();
    assert_eq!(error.code(), "never_imported");
}

#[tokio::test]
async fn whatever_the_damage_an_error_means_that_nothing_was_written() {
    let dir = tempfile::tempdir().unwrap();
    let sqlite = std::fs::read(legacy::crowd(dir.path(), 30, 5)).unwrap();
    let users: Vec<String> = (1..=30)
        .map(|id| format!("{{\"user_id\": {id}, \"language\": \"ru\", \"total_requests\": 7}}"))
        .collect();
    let json = format!("{{\"users\": [{}], \"analytics\": {{}}}}", users.join(",")).into_bytes();
    let path = dir.path().join("damaged");
    let mut random = fastrand::Rng::with_seed(11);
    let mut refusals = 0;
    for (round, whole) in std::iter::repeat_n([&sqlite, &json], 80).flatten().enumerate() {
        let mut bytes = whole.clone();
        for _ in 0..random.usize(1..9) {
            // The header and the first rows are hit more often than the rest.
            let end = if random.bool() { bytes.len() } else { bytes.len().min(200) };
            bytes[random.usize(..end)] = random.u8(..);
        }
        std::fs::write(&path, &bytes).unwrap();
        let storage = FakeStorage::new();
        if let Err(error) = run(&storage, &path, options()).await {
            refusals += 1;
            assert_ne!(error.code(), "internal", "round {round}: {error}");
            assert_eq!(storage.state.lock().unwrap().writes, 0, "round {round}: {error}");
        }
    }
    assert!((20..160).contains(&refusals), "{refusals}");
}
