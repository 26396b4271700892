//! The program `guildhall`: everything the data layer does, without writing any code.

mod args;
mod commands;
mod context;
mod error;
mod json;
mod output;
mod progress;
mod user_ref;

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind as ClapErrorKind;
use tracing_subscriber::EnvFilter;

use crate::args::Cli;
use crate::context::Context;
use crate::error::CliError;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(refused) => return usage(&refused),
    };
    let as_json = cli.json;
    // Standard error is JSON then: a log is had by asking for it.
    let quiet = if as_json { "off" } else { "warn" };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(quiet));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    log.with_ansi(std::io::stderr().is_terminal()).init();
    match run(cli) {
        Ok(code) => code,
        Err(error) => error.report(as_json),
    }
}

fn run(cli: Cli) -> Result<ExitCode, CliError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| CliError::failed("runtime", format!("cannot start: {error}")))?;
    let outcome = runtime.block_on(async {
        let context = Context::new(&cli);
        let stop = context.stop.clone();
        tokio::select! {
            outcome = commands::run(cli.command, &context) => outcome,
            () = stop.interrupted() => Err(CliError::interrupted()),
        }
    });
    // Statements that an interrupted command left running end by themselves, but not for ever.
    runtime.shutdown_timeout(std::time::Duration::from_secs(2));
    outcome
}

/// Help and version are answers; everything else is bad usage.
fn usage(refused: &clap::Error) -> ExitCode {
    let answer = matches!(
        refused.kind(),
        ClapErrorKind::DisplayHelp
            | ClapErrorKind::DisplayVersion
            | ClapErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
    );
    let as_json = std::env::args_os().any(|arg| arg == "--json");
    if as_json && !answer {
        return CliError::from_clap(refused).report(true);
    }
    // Nobody is left to be told when standard output is closed.
    let _printed = refused.print();
    let shown =
        matches!(refused.kind(), ClapErrorKind::DisplayHelp | ClapErrorKind::DisplayVersion);
    if shown { ExitCode::SUCCESS } else { ExitCode::from(error::USAGE) }
}
