//! SQLite, and its compilation of `both/`.

use diesel::SqliteConnection;
use diesel_async::sync_connection_wrapper::SyncConnectionWrapper;
use diesel_async::{AsyncConnection, SimpleAsyncConnection};
use guildhall_insight::System;
use guildhall_insight::profile::{Profiled, Profiler, SqlitePlanner};
use guildhall_testkit::server::{TempSqlite, sqlite_file};

#[path = "both/calls.rs"]
mod calls;
#[path = "both/named.rs"]
mod named;
#[path = "both/operations.rs"]
mod operations;
#[path = "both/plans.rs"]
mod plans;
#[path = "both/schema.rs"]
mod schema;
#[path = "both/secrets.rs"]
mod secrets;

pub(crate) type Inner = SyncConnectionWrapper<SqliteConnection>;
pub(crate) type Conn = Profiled<Inner>;
pub(crate) type Place = TempSqlite;

pub(crate) const SYSTEM: System = System::Sqlite;
pub(crate) const BEGINS_WHEN_BUILT: bool = true;
pub(crate) const BEGIN: &str = "BEGIN IMMEDIATE";
pub(crate) const MANY: &str = "WITH RECURSIVE g(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM g WHERE id < 200000) SELECT id, 'a name' AS name FROM g";
pub(crate) const SLEEPY: &str = "WITH RECURSIVE g(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM g WHERE id < 4000000) SELECT count(*) FROM g";
pub(crate) const USERS: &str = "CREATE TABLE users (id INTEGER PRIMARY KEY NOT NULL, name TEXT NOT NULL UNIQUE, team BIGINT NOT NULL)";

pub(crate) async fn place() -> Place {
    sqlite_file()
}

pub(crate) async fn leave(place: Place) {
    drop(place);
}

pub(crate) async fn inner(place: &Place) -> Inner {
    let path = place.path().to_str().unwrap();
    let mut conn = Inner::establish(path).await.unwrap();
    conn.batch_execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;").await.unwrap();
    conn
}

pub(crate) async fn settle(_conn: &mut Inner) {}

pub(crate) fn url(place: &Place) -> String {
    place.path().to_str().unwrap().to_owned()
}

pub(crate) fn planner(place: &Place, _profiler: &Profiler) -> SqlitePlanner {
    let path = place.path().to_str().unwrap().to_owned();
    SqlitePlanner::new(move || {
        let path = path.clone();
        async move { Inner::establish(&path).await }
    })
}
