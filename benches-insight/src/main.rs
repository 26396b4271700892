//! The index advisor on TPC-H's tables: what its advice makes of statements that have primary keys
//! only. `just bench-tpch` starts a server for it and prints a table.

mod queries;
mod tables;

use std::error::Error;

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Text};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use guildhall_insight::create::postgres::{CreateOptions, Outcome, create};
use guildhall_insight::report::spell;
use guildhall_insight::workload::{Statement, Workload};
use guildhall_insight::{Advisor, AdvisorOptions};

use queries::QUERIES;

/// Of the data: 600 000 lines.
const SCALE: f64 = 0.1;
/// A statement that runs longer is ended, and counts as long.
const LIMIT_MS: f64 = 20_000.0;
/// What the indexes may take together.
const BYTES_MAX: u64 = 10_000_000;
const RUNS: usize = 3;

#[derive(QueryableByName)]
struct PlanRow {
    #[diesel(sql_type = Text, column_name = "QUERY PLAN")]
    plan: String,
}

#[derive(QueryableByName)]
struct BytesRow {
    #[diesel(sql_type = BigInt)]
    bytes: i64,
}

#[derive(QueryableByName)]
struct VersionRow {
    #[diesel(sql_type = Text)]
    version: String,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let url = std::env::var("TEST_DATABASE_URL").map_err(|_| "set TEST_DATABASE_URL")?;
    let (server, _) = url.rsplit_once('/').ok_or("a URL with a database")?;
    let name = format!("tpch_{}", std::process::id());
    AsyncPgConnection::establish(&url)
        .await?
        .batch_execute(&format!("CREATE DATABASE {name}"))
        .await?;
    let mut conn = AsyncPgConnection::establish(&format!("{server}/{name}")).await?;
    let outcome = measure(&mut conn).await;
    drop(conn);
    AsyncPgConnection::establish(&url)
        .await?
        .batch_execute(&format!("DROP DATABASE {name} WITH (FORCE)"))
        .await?;
    outcome
}

async fn measure(conn: &mut AsyncPgConnection) -> Result<(), Box<dyn Error>> {
    tables::fill(conn, SCALE).await?;
    let hypopg = conn.batch_execute("CREATE EXTENSION IF NOT EXISTS hypopg").await.is_ok();
    let version: Vec<VersionRow> =
        diesel::sql_query("SELECT split_part(version(), ' on ', 1) AS version").load(conn).await?;
    let version = version.as_slice().first().map_or("", |row| row.version.as_str());

    let mut workload = Workload::default();
    let mut before = Vec::new();
    for (_, sql) in QUERIES {
        let ms = time(conn, sql).await?;
        before.push(ms);
        workload.statements.push(Statement::new(*sql).took_ms(ms));
    }
    let options = AdvisorOptions { bytes_max: Some(BYTES_MAX), ..AdvisorOptions::default() };
    let report = Advisor::new(options).postgres(conn, &workload).await?;
    eprintln!("{report}");
    let built = create(conn, &report.shapes(), &CreateOptions::default()).await?;
    for index in &built.indexes {
        if index.outcome != Outcome::Created {
            return Err(format!("{}: {:?}", index.name, index.outcome).into());
        }
    }
    conn.batch_execute("VACUUM ANALYZE").await?;
    let sql = "SELECT coalesce(sum(pg_relation_size(indexrelid)), 0)::bigint AS bytes \
               FROM pg_stat_user_indexes WHERE indexrelname LIKE 'gix\\_%'";
    let bytes: Vec<BytesRow> = diesel::sql_query(sql).load(conn).await?;
    let bytes = bytes.as_slice().first().map_or(0, |row| row.bytes);

    println!("{version}, HypoPG: {hypopg}, scale {SCALE}, {LIMIT_MS:.0} ms at most each\n");
    println!("| statement | primary keys only, ms | with the advice, ms |\n|---|---:|---:|");
    let mut after = Vec::new();
    for ((name, sql), was) in QUERIES.iter().zip(&before) {
        let is = time(conn, sql).await?;
        println!("| {name} | {was:.0} | {is:.0} |");
        after.push(is);
    }
    let sum = |all: &[f64]| all.iter().sum::<f64>();
    println!("| **all** | **{:.0}** | **{:.0}** |\n", sum(&before), sum(&after));
    println!("{} indexes, {:.1} MB:", report.shapes().len(), bytes as f64 / 1e6);
    for shape in report.shapes() {
        println!("- `{}`", spell(&shape));
    }
    Ok(())
}

/// The shortest of some runs in milliseconds. One that reaches the limit is not run again.
async fn time(conn: &mut AsyncPgConnection, sql: &str) -> Result<f64, Box<dyn Error>> {
    conn.batch_execute(&format!("SET statement_timeout = {LIMIT_MS}; SET jit = off")).await?;
    let mut best = LIMIT_MS;
    for _ in 0..RUNS {
        let explain = format!("EXPLAIN (ANALYZE, TIMING OFF) {sql}");
        match diesel::sql_query(explain).load::<PlanRow>(conn).await {
            Ok(rows) => {
                let line = rows.iter().rev().find(|row| row.plan.starts_with("Execution Time"));
                let ms = line.and_then(|row| row.plan.split_whitespace().nth(2));
                best = best.min(ms.ok_or("no execution time")?.parse()?);
            }
            Err(error) if error.to_string().contains("statement timeout") => break,
            Err(error) => return Err(error.into()),
        }
    }
    conn.batch_execute("RESET statement_timeout").await?;
    Ok(best)
}
