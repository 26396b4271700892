//! Measures Guildhall against the barest way to do the same, and prints one table.
//!
//! Every row is a ratio against a baseline of the same run: the two take turns, so that whatever
//! else the machine does hits both alike.
#![expect(clippy::unwrap_used, reason = "a measurement that cannot be taken ends the program")]

mod award_points;
mod bulk;
mod cached_hit;
mod host;
mod import;
mod leaderboard;
mod machine;
mod movement;
mod movements_postgres;
mod movements_sqlite;
mod proxy;
mod raw_postgres;
mod raw_sqlite;
mod raw_user;
mod read_64_tasks;
mod read_by_id;
mod redis_hit;
mod rounds;
mod setup;
#[expect(dead_code, reason = "the benchmarks of the cache show the rest")]
mod table;
mod wire;
mod workflows;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;

use crate::rounds::Pace;
use crate::table::Row;

/// Measures Guildhall against the barest way to do the same, and prints one Markdown table.
#[derive(Parser)]
#[command(name = "guildhall-benches")]
struct Args {
    /// Only the measurements whose name contains one of these.
    filter: Vec<String>,
    /// Short rounds and small data: shows that everything runs; its figures mean little.
    #[arg(long)]
    quick: bool,
    /// Writes the table to this file too, as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Lists the measurements.
    #[arg(long)]
    list: bool,
}

/// What every measurement is told.
#[derive(Clone, Copy)]
struct Bench {
    pace: Pace,
    quick: bool,
}

type Measurement = (&'static str, fn(Bench) -> LocalBoxFuture<'static, Vec<Row>>);

const MEASUREMENTS: [Measurement; 13] = [
    ("read_by_id", |bench| read_by_id::run(bench).boxed_local()),
    ("read_64_tasks", |bench| read_64_tasks::run(bench).boxed_local()),
    ("cached_hit", |bench| cached_hit::run(bench).boxed_local()),
    ("redis_hit", |bench| redis_hit::run(bench).boxed_local()),
    ("award_points", |bench| award_points::run(bench).boxed_local()),
    ("movements_postgres", |bench| movements_postgres::run(bench).boxed_local()),
    ("movements_sqlite", |bench| movements_sqlite::run(bench).boxed_local()),
    ("bulk", |bench| bulk::run(bench).boxed_local()),
    ("import", |bench| import::run(bench).boxed_local()),
    ("leaderboard", |bench| leaderboard::run(bench).boxed_local()),
    ("record_action", |bench| workflows::record_action(bench).boxed_local()),
    ("full_profile", |bench| workflows::full_profile(bench).boxed_local()),
    ("evaluate", |bench| workflows::evaluate(bench).boxed_local()),
];

fn main() -> ExitCode {
    let args = Args::parse();
    let wanted = |name: &str| {
        args.filter.is_empty() || args.filter.iter().any(|part| name.contains(part.as_str()))
    };
    let chosen: Vec<Measurement> =
        MEASUREMENTS.into_iter().filter(|(name, _)| wanted(name)).collect();
    if args.list || chosen.is_empty() {
        MEASUREMENTS.iter().for_each(|(name, _)| println!("{name}"));
        return if args.list { ExitCode::SUCCESS } else { ExitCode::from(2) };
    }
    if let Some(missing) = ["TEST_DATABASE_URL", "TEST_REDIS_URL"]
        .into_iter()
        .find(|name| std::env::var_os(name).is_none_or(|url| url.is_empty()))
    {
        eprintln!("{missing} is not set: run `just bench`, which starts servers of its own.");
        return ExitCode::from(2);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(measure(&args, chosen));
    ExitCode::SUCCESS
}

async fn measure(args: &Args, chosen: Vec<Measurement>) {
    let pace = if args.quick {
        Pace { rounds: 3, length: Duration::from_millis(60) }
    } else {
        Pace { rounds: 15, length: Duration::from_millis(250) }
    };
    let bench = Bench { pace, quick: args.quick };
    let began = Instant::now();
    let machine = machine::describe().await;
    let mut rows = Vec::new();
    for (name, run) in chosen {
        let since = Instant::now();
        eprint!("{name} .. ");
        rows.extend(run(bench).await);
        eprintln!("{:.0} s", since.elapsed().as_secs_f64());
    }
    println!("{machine}\n");
    print!("{}", table::markdown(&rows));
    let pace = pace.describe(args.quick);
    println!("\n{pace} The whole took {:.0} s.", began.elapsed().as_secs_f64());
    if let Some(file) = &args.json {
        let json =
            serde_json::json!({ "machine": machine, "pace": pace, "rows": table::json(&rows) });
        let text = serde_json::to_string_pretty(&json).unwrap();
        if let Err(error) = std::fs::write(file, text + "\n") {
            eprintln!("{} cannot be written: {error}", file.display());
        }
    }
}
