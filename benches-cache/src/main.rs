//! Measures the cache against others of its kind, and prints one table.
//!
//! What is timed takes turns with its baseline, so that whatever else the machine does hits both
//! alike. Hit ratios, allocations, bytes and round trips are counted, and the same in every run.
#![expect(clippy::unwrap_used, reason = "a measurement that cannot be taken ends the program")]

mod entry_bytes;
mod hit_ratio;
#[path = "../../benches/src/host.rs"]
mod host;
mod memory_hit;
mod peers;
mod policies;
#[path = "../../benches/src/proxy.rs"]
mod proxy;
mod redis_hit;
#[expect(dead_code, reason = "the benchmarks of the whole use the rest")]
#[path = "../../benches/src/rounds.rs"]
mod rounds;
mod s3_fifo;
#[expect(dead_code, reason = "the benchmarks of the whole show the rest")]
#[path = "../../benches/src/table.rs"]
mod table;
mod traces;
mod two_cores;

use std::alloc::System;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

use crate::rounds::Pace;
use crate::table::Row;
use crate::traces::Trace;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const MEASUREMENTS: [&str; 5] =
    ["memory_hit", "two_cores", "redis_hit", "hit_ratio", "entry_bytes"];

/// Measures the cache against others of its kind, and prints one Markdown table.
#[derive(Parser)]
#[command(name = "guildhall-benches-cache")]
struct Args {
    /// Only the measurements whose name contains one of these.
    filter: Vec<String>,
    /// Short rounds and short traces: shows that everything runs; its figures mean little.
    #[arg(long)]
    quick: bool,
    /// Writes the table to this file too, as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Where recorded traces are: files `*.trace.xz`, xz over 32-bit big-endian keys. Without it
    /// hit ratios are of two generated traces.
    #[arg(long, value_name = "DIR", env = "GUILDHALL_TRACES")]
    traces: Option<PathBuf>,
    /// Lists the measurements.
    #[arg(long)]
    list: bool,
}

/// What every measurement is told.
#[derive(Clone, Copy)]
struct Bench {
    pace: Pace,
    cores: usize,
}

fn main() -> ExitCode {
    let args = Args::parse();
    if args.list {
        MEASUREMENTS.iter().for_each(|name| println!("{name}"));
        return ExitCode::SUCCESS;
    }
    let Ok(redis_url) = std::env::var("TEST_REDIS_URL") else {
        eprintln!(
            "TEST_REDIS_URL is not set: run `just bench-cache`, which starts its own server."
        );
        return ExitCode::from(2);
    };
    let length_max = if args.quick { 200_000 } else { usize::MAX };
    let traces = match &args.traces {
        Some(directory) => Trace::recorded(directory, length_max),
        None => Ok(Trace::generated(length_max)),
    };
    let traces = match traces {
        Ok(traces) if !traces.is_empty() => traces,
        Ok(_) => {
            eprintln!("the directory of --traces holds no file *.trace.xz");
            return ExitCode::from(2);
        }
        Err(error) => {
            eprintln!("the traces cannot be read: {error}");
            return ExitCode::from(2);
        }
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(measure(&args, &redis_url, &traces));
    ExitCode::SUCCESS
}

async fn measure(args: &Args, redis_url: &str, traces: &[Trace]) {
    let pace = if args.quick {
        Pace { rounds: 3, length: Duration::from_millis(60) }
    } else {
        Pace { rounds: 15, length: Duration::from_millis(250) }
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let bench = Bench { pace, cores };
    let began = Instant::now();
    let redis = host::redis(redis_url).await;
    let machine = format!("{}; Redis {redis}; {}", host::hardware(), host::compiler());
    let (mut rows, mut ratios): (Vec<Row>, _) = (Vec::new(), String::new());
    for name in MEASUREMENTS {
        let wanted = args.filter.is_empty() || args.filter.iter().any(|part| name.contains(part));
        if !wanted {
            continue;
        }
        let since = Instant::now();
        eprint!("{name} .. ");
        match name {
            "memory_hit" => rows.extend(memory_hit::run(bench).await),
            "two_cores" => rows.extend(two_cores::run(bench).await),
            "redis_hit" => rows.extend(redis_hit::run(bench, redis_url).await),
            "hit_ratio" => {
                let measured = hit_ratio::run(bench, traces).await;
                rows.extend(measured.rows);
                ratios = measured.table;
            }
            _ => rows.extend(entry_bytes::run().await),
        }
        eprintln!("{:.0} s", since.elapsed().as_secs_f64());
    }
    let pace = pace.describe(args.quick);
    println!("{machine}\n\n{}\n{ratios}", table::markdown(&rows));
    println!("{pace} The whole took {:.0} s.", began.elapsed().as_secs_f64());
    if let Some(file) = &args.json {
        let json =
            serde_json::json!({ "machine": machine, "pace": pace, "rows": table::json(&rows) });
        let text = serde_json::to_string_pretty(&json).unwrap();
        if let Err(error) = std::fs::write(file, text + "\n") {
            eprintln!("{} cannot be written: {error}", file.display());
        }
    }
}
