//! PostgreSQL, and its compilation of `both/`.

use diesel_async::{AsyncConnection, AsyncPgConnection, SimpleAsyncConnection};
use guildhall_insight::System;
use guildhall_insight::profile::{PostgresPlanner, Profiled, Profiler};
use guildhall_testkit::server::{TestSchema, postgres_schema};

#[path = "both/calls.rs"]
mod calls;
#[path = "both/named.rs"]
mod named;
#[path = "both/operations.rs"]
mod operations;
#[path = "pipelined.rs"]
mod pipelined;
#[path = "both/plans.rs"]
mod plans;
#[path = "both/schema.rs"]
mod schema;
#[path = "both/secrets.rs"]
mod secrets;

pub(crate) type Inner = AsyncPgConnection;
pub(crate) type Conn = Profiled<Inner>;
pub(crate) type Place = TestSchema;

pub(crate) const SYSTEM: System = System::Postgres;
pub(crate) const BEGINS_WHEN_BUILT: bool = false;
pub(crate) const BEGIN: &str = "BEGIN ISOLATION LEVEL SERIALIZABLE";
pub(crate) const MANY: &str =
    "SELECT g::bigint AS id, 'a name'::text AS name FROM generate_series(1, 200000) g";
pub(crate) const SLEEPY: &str = "SELECT pg_sleep(30)";
pub(crate) const USERS: &str =
    "CREATE TABLE users (id bigint PRIMARY KEY, name text NOT NULL UNIQUE, team bigint NOT NULL)";

pub(crate) async fn place() -> Place {
    postgres_schema().await
}

pub(crate) async fn leave(place: Place) {
    place.remove().await;
}

pub(crate) async fn inner(place: &Place) -> Inner {
    Inner::establish(&place.url()).await.unwrap()
}

pub(crate) async fn settle(conn: &mut Inner) {
    conn.batch_execute("SET lc_messages TO 'C'").await.unwrap();
}

pub(crate) fn url(place: &Place) -> String {
    place.url()
}

pub(crate) fn planner(place: &Place, _profiler: &Profiler) -> PostgresPlanner {
    let url = place.url();
    PostgresPlanner::new(move || {
        let url = url.clone();
        async move { Inner::establish(&url).await }
    })
}
