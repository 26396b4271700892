//! `report`: how the database, the cache and what is asked of them are doing, once or live.

use std::io::IsTerminal;
use std::process::ExitCode;
use std::time::Duration;

use guildhall_adapter::insight::profile::server::{Difference, Reading};
use guildhall_adapter::{Health, ServerReading, ServerWatch, Status};

use super::health::told;
use crate::args::ReportArgs;
use crate::context::Context;
use crate::error::{CliError, FAILED};
use crate::json::Reported;
use crate::output::{grouped, plain, right, say, say_json, short, table};

/// As much of a statement as fits a line.
const TEXT_CHARS_MAX: usize = 120;

pub(crate) async fn run(args: &ReportArgs, context: &Context) -> Result<ExitCode, CliError> {
    let span = Duration::from_secs(u64::from(args.seconds));
    if !(1..=3_600).contains(&args.seconds) || !(1..=1_000).contains(&args.limit) {
        let message = "--seconds is 1 to 3600, --limit 1 to 1000";
        return Err(CliError::usage("validation", message));
    }
    let guildhall = context.look().await?;
    let mut watch = ServerWatch::new();
    let mut reading = watch.read(&guildhall).await;
    loop {
        let health = guildhall.health().await;
        // A server tells what happened since it was asked before: the first time it is asked twice.
        let counts = matches!(reading.statements.value(), Some(Reading::First { .. }));
        if counts {
            tokio::time::sleep(span).await;
            reading = watch.read(&guildhall).await;
        }
        show(&health, &reading, args, context)?;
        if !args.watch {
            let failed = health.status == Status::Unhealthy;
            return Ok(if failed { ExitCode::from(FAILED) } else { ExitCode::SUCCESS });
        }
        tokio::time::sleep(span).await;
        reading = watch.read(&guildhall).await;
    }
}

fn show(
    health: &Health,
    reading: &ServerReading,
    args: &ReportArgs,
    context: &Context,
) -> Result<(), CliError> {
    if context.json {
        return say_json(&Reported::new(health, reading, args.seconds, args.limit));
    }
    if args.watch && std::io::stdout().is_terminal() {
        say("\u{1b}[2J\u{1b}[H")?; // Clears the screen.
    }
    say(overview(health, reading))?;
    match (reading.statements.value(), reading.statements.reason()) {
        (Some(Reading::Since(seen)), _) => statements(seen, args),
        (Some(Reading::Absent { reason }), _) => say(format!("\nStatements: {reason}.")),
        (Some(Reading::First { .. }), _) | (None, None) => Ok(()),
        (None, Some(why)) => say(format!(
            "\nStatements: {why}.\nWhat your application asks is known to itself: \
             `Guildhall::performance_report`."
        )),
    }
}

fn overview(health: &Health, reading: &ServerReading) -> String {
    let mut rows = table(&["what", "state", "detail"]);
    for (what, probe) in [("database", &health.database), ("cache", &health.cache)] {
        let (state, detail) = told(probe);
        rows.add_row([what, state, &detail]);
    }
    match reading.state.value() {
        None => {
            let why = reading.state.reason().unwrap_or_default().to_owned();
            rows.add_row(["size", "unknown", &why]);
        }
        Some(state) => {
            let kib = format!("{} KiB", grouped(state.bytes / 1_024));
            rows.add_row(["size", "known", &kib]);
            if let Some(sessions) = state.sessions {
                let oldest = sessions.oldest_transaction.map_or_else(
                    || "no open transaction".to_owned(),
                    |age| format!("oldest transaction {}", short(age)),
                );
                let detail = format!(
                    "{} active, {} of them waiting for locks, {} idle, {} idle in a transaction, {oldest}",
                    sessions.active, sessions.waiting, sessions.idle, sessions.idle_in_transaction
                );
                let state = if sessions.waiting > 0 { "waiting" } else { "free" };
                rows.add_row(["sessions", state, &detail]);
            }
        }
    }
    rows.to_string()
}

fn statements(seen: &Difference, args: &ReportArgs) -> Result<(), CliError> {
    let calls: u64 = seen.statements.iter().map(|one| one.calls).sum();
    let total_ms: f64 = seen.statements.iter().map(|one| one.total_ms).sum();
    say(format!(
        "\nStatements of {} s, of all programs: {} calls, {total_ms:.1} ms in the server.",
        args.seconds,
        grouped(calls)
    ))?;
    if !seen.is_complete() {
        say("The server lost some of what happened: its counters were reset or made room.")?;
    }
    let mut rows = table(&["fingerprint", "share", "calls", "mean", "rows", "statement"]);
    right(&mut rows, &[1, 2, 3, 4]);
    for one in seen.statements.iter().take(args.limit as usize) {
        let fingerprint = one.fingerprint.map_or_else(|| "-".to_owned(), |it| it.to_string());
        let share = format!("{:.1} %", 100.0 * one.total_ms / total_ms.max(f64::MIN_POSITIVE));
        let mean = Duration::try_from_secs_f64(one.total_ms / one.calls.max(1) as f64 / 1e3);
        let text: String = plain(&one.text).chars().take(TEXT_CHARS_MAX).collect();
        rows.add_row([
            fingerprint,
            share,
            grouped(one.calls),
            short(mean.unwrap_or_default()),
            grouped(one.rows),
            text,
        ]);
    }
    say(rows.to_string())
}
