//! What cannot work is said at once, as a typed error that gives no secret away.

use std::sync::Arc;

use guildhall_diesel::{PostgresStorage, SqliteStorage, StoreOptions};
use guildhall_repository::{ErrorKind, Repositories, Storage, StorageError};
use guildhall_testkit::SeededRandom;
use guildhall_testkit::builder::now;
use guildhall_testkit::server::{PrivatePostgres, sqlite_file};

use crate::harness;

/// Stands in for every secret; no error may repeat it.
const CANARY: &str = "hunter2canary";

/// What a person and a log may get to see of an error.
fn shown(error: &StorageError) -> String {
    let mut text = format!("{error:?}\n{error}");
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text.push_str(&format!("\n{error:?}\n{error}"));
        cause = error.source();
    }
    text
}

/// The error of opening a storage that cannot be opened, or of the first call on it.
async fn refusal_at(url: &str) -> StorageError {
    let random = Arc::new(SeededRandom::new(1));
    let refusal = match PostgresStorage::connect(&url.into(), harness::options(), random).await {
        Ok(storage) => storage.health(now()).await.unwrap_err(),
        Err(error) => error,
    };
    assert!(!shown(&refusal).contains(CANARY), "{}", shown(&refusal));
    refusal
}

async fn refusal_of(path: &std::path::Path) -> StorageError {
    let random = Arc::new(SeededRandom::new(1));
    match SqliteStorage::connect(path, StoreOptions::default(), random).await {
        Ok(storage) => storage.migrate().await.unwrap_err(),
        Err(error) => error,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_not_there_is_unavailable() {
    // A port that was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("postgres://guildhall:{CANARY}@127.0.0.1:{port}/guildhall");
    assert_eq!(refusal_at(&url).await.kind(), ErrorKind::Unavailable);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_is_denied_and_not_repeated() {
    let server = PrivatePostgres::start().await;
    let refusal = refusal_at(&server.url_with_password(CANARY)).await;
    assert_eq!(refusal.kind(), ErrorKind::AccessDenied);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_cannot_be_read_is_refused() {
    for url in
        [format!("postgres://{CANARY}@[::1"), format!("mysql://a:{CANARY}@h/x"), String::new()]
    {
        let refusal = refusal_at(&url).await;
        let kinds = [ErrorKind::Validation, ErrorKind::Unavailable];
        assert!(kinds.contains(&refusal.kind()), "{url}: {refusal:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_without_tables_is_a_typed_error() {
    let file = sqlite_file();
    let random = Arc::new(SeededRandom::new(1));
    let storage = SqliteStorage::connect(file.path(), harness::options(), random).await.unwrap();
    let refusal = storage.users().by_id(guildhall_domain::UserId(1)).await.unwrap_err();
    assert!(!shown(&refusal).to_lowercase().contains("select"), "{}", shown(&refusal));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_where_no_file_can_be_is_unavailable() {
    let file = sqlite_file();
    let nowhere = file.directory().join("no/such/folder/x.db");
    assert_eq!(refusal_of(&nowhere).await.kind(), ErrorKind::Unavailable);
    assert_eq!(refusal_of(file.directory()).await.kind(), ErrorKind::Unavailable);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_is_no_database_is_named_so_and_left_alone() {
    let file = sqlite_file();
    let text = "This is not a database. ".repeat(400);
    std::fs::write(file.path(), &text).unwrap();
    assert_eq!(refusal_of(file.path()).await.kind(), ErrorKind::Integrity);
    assert_eq!(std::fs::read_to_string(file.path()).unwrap(), text);
}
