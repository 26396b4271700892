//! A soak of the cache: real processes against a real PostgreSQL and a real Redis that is flushed,
//! paused, killed, restored and starved meanwhile, and a checker of what they saw.
//!
//! The program is `cache-soak`. This library is its inside; [`check`] is the part worth testing by
//! itself: pure functions from a history to what is wrong with it.
#![deny(missing_docs)]

mod check;
mod clock;
mod delay;
mod driver;
mod fault;
mod gate;
mod history;
mod journal;
mod killed;
mod process;
mod report;
mod stampede;
mod truth;
mod wire;
mod worker;

use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};

pub use check::{Bounds, Excerpt, Findings, Found, Kind, Staleness, check};
pub use history::{Aspect, Committed, History, Outage, Outcome, Read, State, Subject, Write};

/// Whatever ended a run early.
pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Soaks the cache: several processes, PostgreSQL, Redis and faults; then checks what they saw.
/// Starts servers of its own. Ends with 1 when a promise was broken, with 2 when it could not run.
#[derive(Parser)]
#[command(name = "cache-soak", args_conflicts_with_subcommands = true)]
struct Args {
    #[command(flatten)]
    soak: driver::SoakArgs,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Processes that all want one cold key at once: how often is it loaded?
    Stampede(stampede::StampedeArgs),
    /// A writer that is killed between its commit and its word to Redis: how old do others read?
    Killed(killed::KilledArgs),
    /// Not for people: a process of the soak.
    #[command(hide = true)]
    Worker(worker::WorkerArgs),
    /// Not for people: a process of the stampede.
    #[command(hide = true)]
    Herd(stampede::HerdArgs),
    /// Not for people: the process that is killed.
    #[command(hide = true)]
    Writer(killed::ActorArgs),
    /// Not for people: the process that reads meanwhile.
    #[command(hide = true)]
    Reader(killed::ActorArgs),
}

/// The program.
#[must_use]
pub fn main() -> ExitCode {
    let args = Args::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error.into()),
    };
    let outcome = runtime.block_on(async {
        match args.command {
            None => driver::run(args.soak).await,
            Some(Command::Stampede(args)) => stampede::run(args).await,
            Some(Command::Killed(args)) => killed::run(args).await,
            Some(Command::Worker(args)) => worker::run(args).await.map(|()| true),
            Some(Command::Herd(args)) => stampede::herd(args).await.map(|()| true),
            Some(Command::Writer(args)) => killed::writer(args).await.map(|()| true),
            Some(Command::Reader(args)) => killed::reader(args).await.map(|()| true),
        }
    });
    // Statements whose callers were dropped end by themselves, but not for ever.
    runtime.shutdown_timeout(Duration::from_secs(2));
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => failed(&error),
    }
}

fn failed(error: &BoxError) -> ExitCode {
    eprintln!("cache-soak: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        eprintln!("  because: {error}");
        cause = error.source();
    }
    ExitCode::from(2)
}
