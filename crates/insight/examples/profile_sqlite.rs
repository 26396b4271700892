//! An operation with an N+1, and what the profiler says of it.
//!
//! `cargo run -p guildhall-insight --example profile_sqlite`

use std::error::Error;

use diesel::SqliteConnection;
use diesel::prelude::*;
use diesel_async::sync_connection_wrapper::SyncConnectionWrapper;
use diesel_async::{AsyncConnection, RunQueryDsl, SimpleAsyncConnection};
use guildhall_insight::profile::{Options, Profiled, Profiler, operation};
use schema::users;

mod schema {
    diesel::table! {
        users (id) {
            id -> BigInt,
            name -> Text,
        }
    }
}

type Conn = Profiled<SyncConnectionWrapper<SqliteConnection>>;

/// One query for the ids, and one more for each of them.
async fn leaderboard(conn: &mut Conn) -> QueryResult<Vec<String>> {
    let ids: Vec<i64> = users::table.select(users::id).order(users::id).load(conn).await?;
    let mut names = Vec::new();
    for id in ids {
        names.push(users::table.find(id).select(users::name).first(conn).await?);
    }
    Ok(names)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let profiler = Profiler::new(Options::default());
    let conn = SyncConnectionWrapper::<SqliteConnection>::establish(":memory:").await?;
    let mut conn = Profiled::new(conn, profiler.clone());
    conn.batch_execute("CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL)").await?;
    conn.batch_execute(
        "INSERT INTO users (name) VALUES ('Ada'), ('Grace'), ('Edsger'), ('Barbara'), ('Donald'), ('Tony')",
    )
    .await?;

    let names = operation("leaderboard", leaderboard(&mut conn)).await?;
    println!("{}\n", names.join(", "));

    let Some(snapshot) = profiler.snapshot() else { return Ok(()) };
    for found in &snapshot.findings {
        println!("{} in \"{}\", {} calls:", found.kind.name(), found.operation, found.calls);
        println!("    {}", found.text);
        if let Some(parent) = &found.parent_text {
            println!("for each row of:\n    {parent}");
        }
        println!(
            "at most {} us of {} us could be saved",
            found.wasted_ns / 1_000,
            found.total_ns / 1_000
        );
        println!("advice: {}\n", found.advice);
    }
    println!("{}", serde_json::to_string_pretty(&snapshot)?);
    Ok(())
}
