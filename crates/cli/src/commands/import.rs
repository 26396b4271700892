//! `import`: members, catalogues and what members have of them, from a legacy system.

use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use guildhall_adapter::Guildhall;
use guildhall_adapter::domain::CommunityZone;
use guildhall_adapter::import::{
    ImportOptions, ImportReport, Importer, Phase, Progress as Step, UndoReport,
};

use tempfile::TempDir;

use crate::args::ImportArgs;
use crate::context::Context;
use crate::error::{CliError, FAILED};
use crate::output::{grouped, plain, right, say, say_json, table};
use crate::progress::Progress;

/// How many warnings and skipped rows people are shown; JSON has more.
const SHOWN: usize = 20;

pub(crate) async fn run(args: &ImportArgs, context: &Context) -> Result<ExitCode, CliError> {
    // A file that is not there must not leave an empty database behind.
    if let Err(error) = std::fs::metadata(&args.file) {
        let message = format!("{} cannot be read: {error}", args.file.display());
        return Err(CliError::failed("file_not_found", message).hint("check the path"));
    }
    let zone = CommunityZone::parse(&args.zone).map_err(|_| {
        let message = format!("`{}` is not a time zone", args.zone);
        CliError::usage("zone", message).hint("use an IANA name such as Europe/Madrid")
    })?;
    // The folder of an empty database for a dry run goes when the run is over.
    let (guildhall, _folder) =
        if args.dry_run { dry(context).await? } else { (context.connect_or_create().await?, None) };
    let options = ImportOptions {
        dry_run: args.dry_run,
        source_name: args.source.clone(),
        zone,
        ..ImportOptions::default()
    };
    let storage = Arc::clone(guildhall.storage());
    let importer = Importer::new(storage, Arc::clone(guildhall.clock()), options);
    if args.undo {
        return undo(&importer, args, context).await;
    }
    let report = {
        let bar = Bar::default();
        importer.run(&args.file, |step| bar.at(step)).await?
    };
    if context.json {
        say_json(&report)?;
    } else {
        say(render(&report))?;
    }
    Ok(if report.matches { ExitCode::SUCCESS } else { ExitCode::from(FAILED) })
}

/// A dry run looks up what earlier runs left; where there is no database, in an empty one.
async fn dry(context: &Context) -> Result<(Guildhall, Option<TempDir>), CliError> {
    let config = context.config()?;
    if crate::context::require_file(&config).is_ok() {
        return Ok((Guildhall::connect(config).await?, None));
    }
    let nowhere = tempfile::tempdir().map_err(|error| {
        CliError::failed("temporary_file", format!("no temporary folder: {error}"))
    })?;
    let url = format!("sqlite://{}", nowhere.path().join("empty.db").display());
    let guildhall = Guildhall::connect(context.config_with("database.url", &url)?).await?;
    Ok((guildhall, Some(nowhere)))
}

async fn undo(
    importer: &Importer,
    args: &ImportArgs,
    context: &Context,
) -> Result<ExitCode, CliError> {
    let source = importer.inspect(&args.file).await?.source;
    let report = {
        let bar = Bar::default();
        importer.undo(&source, |step| bar.at(step)).await?
    };
    if context.json {
        say_json(&report)?;
    } else {
        say(undone(&report))?;
    }
    Ok(if report.complete { ExitCode::SUCCESS } else { ExitCode::from(FAILED) })
}

/// One bar a phase.
#[derive(Default)]
struct Bar(Mutex<Option<(Phase, Progress)>>);

impl Bar {
    fn at(&self, step: Step) {
        let mut current = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if current.as_ref().is_none_or(|(phase, _)| *phase != step.phase) {
            let what = match step.phase {
                Phase::Inspect => "looking at the file",
                Phase::Validate => "checking members",
                Phase::Wait => "waiting for another import",
                Phase::Write => "writing members",
                Phase::Verify => "auditing ledgers",
            };
            *current = Some((step.phase, Progress::new(what, step.total)));
        }
        if let Some((_, bar)) = current.as_mut() {
            if let Some(total) = step.total {
                bar.total(total);
            }
            bar.at(step.done);
        }
    }
}

fn render(report: &ImportReport) -> String {
    let mut parts = vec![headline(report)];
    let mut rows = table(&["table", "read", "written", "unchanged", "merged", "skipped"]);
    for found in &report.tables {
        let figures =
            [found.read, found.written, found.unchanged, found.merged, found.skipped_total];
        rows.add_row(std::iter::once(plain(&found.table)).chain(figures.map(grouped)));
    }
    right(&mut rows, &[1, 2, 3, 4, 5]);
    parts.push(rows.to_string());
    parts.extend(listed(report));
    let totals = &report.totals;
    let mut rows = table(&["compared", "source", "here"]);
    let entries_source = format!("{} (+{} added)", totals.entries_source, totals.entries_added);
    for row in [
        ["members".to_owned(), grouped(totals.members_source), grouped(totals.members_target)],
        ["entries".to_owned(), entries_source, grouped(totals.entries_target)],
        [
            "sum of balances".to_owned(),
            totals.source_balance.to_string(),
            totals.target_balance.to_string(),
        ],
    ] {
        rows.add_row(row);
    }
    right(&mut rows, &[1, 2]);
    if !report.dry_run {
        parts.push(rows.to_string());
    }
    if let Some(audit) = &report.ledger {
        parts.push(if audit.breaks_total == 0 {
            format!("All {} ledgers are whole.", grouped(audit.members))
        } else {
            let shown: Vec<&str> = audit.breaks.iter().take(SHOWN).map(String::as_str).collect();
            format!("{} rule(s) are broken:\n{}", audit.breaks_total, shown.join("\n"))
        });
    }
    parts.push(conclusion(report).to_owned());
    parts.join("\n")
}

fn headline(report: &ImportReport) -> String {
    let what = if report.dry_run { "Dry run of" } else { "Import of" };
    let source = plain(&report.source);
    format!("{what} {source} ({}), {:.1} s.", report.kind, report.duration.as_secs_f64())
}

/// Warnings, skipped rows, and what was left alone.
fn listed(report: &ImportReport) -> Vec<String> {
    let mut parts = Vec::new();
    let skipped = report.tables.iter().flat_map(|found| {
        found.skipped.iter().map(|row| format!("  {} {}: {}", found.table, row.key, row.reason))
    });
    let total = report.tables.iter().map(|found| found.skipped_total).sum();
    parts.extend(list("Skipped", total, skipped));
    let warnings = report.warnings.iter().map(|warning| {
        let field = warning.field.as_ref().map(|field| format!(".{field}")).unwrap_or_default();
        format!("  {}{field} {}: {}", warning.table, warning.key, warning.message)
    });
    parts.extend(list("Warnings", report.warnings_total, warnings));
    let (filled, empty): (Vec<_>, Vec<_>) = report.not_read.iter().partition(|left| left.rows > 0);
    if !filled.is_empty() {
        let filled: Vec<String> =
            filled.iter().map(|left| plain(&format!("{} {}", left.table, left.rows))).collect();
        let text = filled.join(", ");
        parts.push(format!("Tables that no importer reads yet, with their rows: {text}."));
    }
    if !empty.is_empty() {
        let empty: Vec<String> = empty.iter().map(|left| plain(&left.table)).collect();
        parts.push(format!("Not read yet either, but empty: {}.", empty.join(", ")));
    }
    let columns =
        report.columns_not_read.iter().map(|c| format!("{}.{} {}", c.table, c.column, c.rows));
    let columns: Vec<String> = columns.map(|text| plain(&text)).collect();
    if !columns.is_empty() {
        parts.push(format!(
            "Columns not read, with the rows that have them: {}.",
            columns.join(", ")
        ));
    }
    parts
}

fn list(what: &str, total: u64, lines: impl Iterator<Item = String>) -> Option<String> {
    if total == 0 {
        return None;
    }
    let lines: Vec<String> = lines.take(SHOWN).map(|line| plain(&line)).collect();
    let more = total.saturating_sub(lines.len() as u64);
    let more = if more > 0 { format!("\n  … and {more} more (--json)") } else { String::new() };
    Some(format!("{what} ({total}):\n{}{more}", lines.join("\n")))
}

fn conclusion(report: &ImportReport) -> &'static str {
    match (report.dry_run, report.matches) {
        (true, true) => "Nothing was written; nothing would be skipped.",
        (true, false) => "Nothing was written; the rows listed above would be skipped.",
        (false, true) if report.nothing_written() => {
            "Nothing had changed: everything was imported before."
        }
        (false, true) => "Both sides agree.",
        (false, false) => "The two sides differ: see the rows listed above.",
    }
}

fn undone(report: &UndoReport) -> String {
    let kept: Vec<String> = report.kept.iter().take(SHOWN).map(i64::to_string).collect();
    let kept = if kept.is_empty() {
        String::new()
    } else {
        let total = report.kept_total;
        format!(" {total} were kept, having registered or moved since: {}.", kept.join(", "))
    };
    let (undone, source) = (grouped(report.undone), plain(&report.source));
    let stays = report.stays.join(", ");
    let more = if report.complete { "" } else { "\nNot all could be taken back: run it again." };
    format!(
        "{undone} member(s) of {source} were taken back, with all that was theirs: points, \
         missions, achievements, badges, story, lore and purchases.{kept}\n\
         What was defined for everybody stays: {stays}.{more}"
    )
}
