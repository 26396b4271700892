//! `advise`: which indexes are missing, as a report, a script, migrations, or built.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::process::ExitCode;

use guildhall_adapter::insight::create::render::{migrations, script};
use guildhall_adapter::insight::workload::{FILE_BYTES_MAX, Workload, read_workload};
use guildhall_adapter::insight::{AdvisorOptions, Report, System};
use guildhall_adapter::repository::ErrorKind as StorageErrorKind;
use guildhall_adapter::{AdviceError, Guildhall, IndexOutcome, IndexResult};

use crate::args::AdviseArgs;
use crate::context::Context;
use crate::error::{CliError, FAILED};
use crate::json::Advised;
use crate::output::{moment, plain_lines, say, say_json};

/// Where Diesel looks for migrations.
const MIGRATIONS: &str = "migrations";

pub(crate) async fn run(args: &AdviseArgs, context: &Context) -> Result<ExitCode, CliError> {
    let options = budget(&args.budget)?;
    if let Some(name) = &args.migration {
        check_name(name)?;
    }
    let text = args.workload.as_deref().map(read).transpose()?;
    let guildhall = context.look().await?;
    let mut workload = match text {
        Some(text) => parsed(&text, guildhall.system()?)?,
        None => guildhall.server_workload().await.map_err(uncounted)?,
    };
    workload.statements.retain(|statement| statement.calls >= args.min_calls);
    if workload.statements.is_empty() {
        let message = "there is no statement to advise on";
        return Err(CliError::usage("validation", message).input("workload", "empty"));
    }
    let snapshot = options.snapshot.clone();
    let report = guildhall.advise(workload, options).await?;
    let mut files = Vec::new();
    if args.script.is_some() || args.migration.is_some() {
        let catalog = guildhall.catalog(snapshot).await?;
        let spelled =
            |error: &dyn std::error::Error| CliError::failed("internal", error.to_string());
        if let Some(file) = &args.script {
            let text = script(&catalog, &report.shapes()).map_err(|error| spelled(&error))?;
            write_new(file, &text)?;
            files.push(file.clone());
        }
        if let Some(name) = &args.migration {
            let today: String = moment(guildhall.clock().now()).chars().take(10).collect();
            let made = migrations(&catalog, &report.shapes(), &today);
            let first = next_number(Path::new(MIGRATIONS), &today)?;
            for (number, one) in made.map_err(|error| spelled(&error))?.iter().enumerate() {
                let number = first + number;
                let folder = Path::new(MIGRATIONS).join(format!("{today}-{number:06}_{name}"));
                fs::create_dir_all(&folder).map_err(|error| unwritten(&folder, &error))?;
                write_new(&folder.join("up.sql"), &one.up)?;
                write_new(&folder.join("down.sql"), &one.down)?;
                if let Some(metadata) = &one.metadata {
                    write_new(&folder.join("metadata.toml"), metadata)?;
                }
                files.push(folder);
            }
        }
    }
    let built = if args.apply { build(&guildhall, &report).await? } else { Vec::new() };
    let failed = built
        .iter()
        .any(|one| matches!(one.outcome, IndexOutcome::Failed(_) | IndexOutcome::NotBegun(_)));
    if context.json {
        say_json(&Advised { report: &report, built: &built, files: &files })?;
    } else {
        say(plain_lines(&report.to_string()))?;
        for file in &files {
            say(format!("Written: {}", file.display()))?;
        }
        for one in &built {
            say(format!("{}: {}", one.name, told(&one.outcome)))?;
        }
    }
    Ok(if failed { ExitCode::from(FAILED) } else { ExitCode::SUCCESS })
}

async fn build(guildhall: &Guildhall, report: &Report) -> Result<Vec<IndexResult>, CliError> {
    guildhall.build_indexes(report).await.map_err(|why| CliError::failed("unavailable", why))
}

fn told(outcome: &IndexOutcome) -> String {
    match outcome {
        IndexOutcome::Created => "built".to_owned(),
        IndexOutcome::AlreadyThere(name) => format!("{name} does the same"),
        IndexOutcome::NotBegun(why) => format!("not begun: {why}"),
        IndexOutcome::Failed(why) => format!("failed: {why}"),
    }
}

/// `20%` of the tables' bytes, or `50MB`.
fn budget(text: &str) -> Result<AdvisorOptions, CliError> {
    let options = AdvisorOptions::default();
    let bad = || {
        let message =
            format!("--budget is a share such as 20%, or a size such as 50MB, not {text:?}");
        CliError::usage("validation", message).input("budget", "malformed")
    };
    let number = |text: &str| {
        let number = text.trim().parse::<f64>().ok();
        number.filter(|number| number.is_finite() && *number >= 0.0).ok_or_else(bad)
    };
    if let Some(percent) = text.strip_suffix('%') {
        return Ok(AdvisorOptions { bytes_share: number(percent)? / 100.0, ..options });
    }
    let units = [("KB", 1e3), ("MB", 1e6), ("GB", 1e9), ("B", 1.0), ("", 1.0)];
    let found = units.iter().find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, *factor)));
    let (text, factor) = found.ok_or_else(bad)?;
    Ok(AdvisorOptions { bytes_max: Some((number(text)? * factor) as u64), ..options })
}

fn check_name(name: &str) -> Result<(), CliError> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if (1..=60).contains(&name.len()) && name.chars().all(fits) {
        return Ok(());
    }
    let message = "--migration takes a name of 1 to 60 letters, digits and _";
    Err(CliError::usage("validation", message).input("migration", "malformed"))
}

fn read(file: &Path) -> Result<String, CliError> {
    let unread = |why: &dyn std::fmt::Display| {
        let message = format!("the workload {} cannot be read: {why}", file.display());
        CliError::usage("validation", message).input("workload", "unreadable")
    };
    let size = fs::metadata(file).map_err(|error| unread(&error))?.len();
    if size > FILE_BYTES_MAX as u64 {
        return Err(unread(&format!("it has {size} bytes, at most {FILE_BYTES_MAX} are read")));
    }
    fs::read_to_string(file).map_err(|error| unread(&error))
}

fn parsed(text: &str, system: System) -> Result<Workload, CliError> {
    read_workload(text, system).map_err(|error| {
        CliError::usage("validation", error.to_string()).input("workload", "malformed")
    })
}

/// Diesel knows a migration by date and number alone, and runs one of two that share them.
fn next_number(folder: &Path, today: &str) -> Result<usize, CliError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(unread(folder, &error)),
    };
    let mut next = 0;
    for entry in entries {
        let name = entry.map_err(|error| unread(folder, &error))?.file_name();
        let name = name.to_string_lossy();
        let rest = name.strip_prefix(today).and_then(|rest| rest.strip_prefix('-'));
        let number = rest.and_then(|rest| rest.split('_').next()?.parse::<usize>().ok());
        next = next.max(number.map_or(0, |number| number.saturating_add(1)));
    }
    Ok(next)
}

fn unread(folder: &Path, error: &std::io::Error) -> CliError {
    CliError::failed("output", format!("{} cannot be read: {error}", folder.display()))
}

/// Never over a file that is there.
fn write_new(file: &Path, text: &str) -> Result<(), CliError> {
    let made = fs::File::create_new(file);
    let written = made.and_then(|mut made| std::io::Write::write_all(&mut made, text.as_bytes()));
    written.map_err(|error| unwritten(file, &error))
}

fn unwritten(file: &Path, error: &std::io::Error) -> CliError {
    CliError::failed("output", format!("{} cannot be written: {error}", file.display()))
}

/// Without counters the statements can be named.
fn uncounted(error: AdviceError) -> CliError {
    let can_be_named = match &error {
        AdviceError::Uncounted(_) => true,
        AdviceError::Storage(error) => error.kind() == StorageErrorKind::NotSupported,
        _ => false,
    };
    let told = CliError::from(error);
    if can_be_named {
        told.hint("or name the statements in a file: --workload FILE.sql")
    } else {
        told
    }
}
