//! A pool of recorded connections to PostgreSQL, with plans of slow statements.
//!
//! `DATABASE_URL=postgres://.. cargo run -p guildhall-insight --example profile_pool`

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use diesel::sql_query;
use diesel_async::pooled_connection::bb8::Pool;
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use guildhall_insight::profile::server::ServerStatements;
use guildhall_insight::profile::{
    Options, PlanState, PostgresPlanner, Profiler, checkout, manager, operation,
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let url = std::env::var("DATABASE_URL")?;
    let profiler = Profiler::new(Options::new().slow_from(Duration::from_millis(50)));
    let pool =
        Pool::builder().max_size(4).build(manager::<AsyncPgConnection>(&url, &profiler)).await?;

    // Plans are fetched on connections of their own.
    let planner = PostgresPlanner::new({
        let url = url.clone();
        move || {
            let url = url.clone();
            async move { AsyncPgConnection::establish(&url).await }
        }
    });
    let fetching = tokio::spawn({
        let profiler = profiler.clone();
        async move { profiler.fetch_plans(Arc::new(planner)).await }
    });
    tokio::task::yield_now().await;

    for _ in 0..3 {
        let mut conn = checkout(pool.get()).await?;
        let slow = "SELECT count(*) FROM generate_series(1, 1000000) g WHERE g % 7 = 3";
        operation("report", sql_query(slow).execute(&mut conn)).await?;
    }

    // Waits for the plan, a second at most.
    for _ in 0..100 {
        let waits = |plan: &PlanState| *plan == PlanState::Waiting;
        if !profiler.snapshot().is_some_and(|s| s.slow.iter().any(|call| waits(&call.plan))) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    fetching.abort();
    if let Some(snapshot) = profiler.snapshot() {
        println!("{}", serde_json::to_string_pretty(&snapshot)?);
    }
    let mut conn = AsyncPgConnection::establish(&url).await?;
    println!("{:?}", ServerStatements::new().read(&mut conn).await?);
    Ok(())
}
