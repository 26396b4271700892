//! `warm`: loads into the cache what will be asked for.

use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use guildhall_adapter::domain::Violation;
use guildhall_adapter::{CacheKind, WarmPart, WarmPlan, WarmReport, WarmStep};

use crate::args::WarmArgs;
use crate::context::Context;
use crate::error::{CliError, FAILED};
use crate::json::Warmed;
use crate::output::{grouped, plain, right, say, say_json, short, table};
use crate::progress::Progress;

/// How many failures people are shown; JSON has more.
const SHOWN: usize = 20;

pub(crate) async fn run(args: &WarmArgs, context: &Context) -> Result<ExitCode, CliError> {
    let plan = plan(args)?;
    let guildhall = context.connect().await?;
    let kept = match guildhall.config().settings().cache_kind() {
        CacheKind::Redis | CacheKind::Tiered => true,
        CacheKind::Memory => false,
        CacheKind::Disabled => {
            let message = "nothing can be loaded: cache.backend is disabled";
            return Err(CliError::usage("config", message).hint("give --redis URL"));
        }
    };
    let began = Instant::now();
    let report = {
        let bar = Bar::default();
        guildhall.warm(&plan, |step| bar.at(step)).await?
    };
    let took = began.elapsed();
    if context.json {
        say_json(&Warmed::new(kept, took, &report))?;
    } else {
        say(render(&report))?;
        let what = format!("{} loaded in {}.", grouped(report.loaded()), short(took));
        say(what + if kept { "" } else { LOST })?;
    }
    Ok(if report.failed() == 0 { ExitCode::SUCCESS } else { ExitCode::from(FAILED) })
}

const LOST: &str = " Nobody will find it: without --redis the cache is the memory of this process, \
                    which ends now. A program of yours calls Guildhall::warm.";

fn plan(args: &WarmArgs) -> Result<WarmPlan, CliError> {
    let plan = WarmPlan {
        members: args.members,
        entries: args.entries,
        concurrency: args.concurrency,
        ..WarmPlan::default()
    };
    let only: Result<Vec<WarmPart>, Violation> =
        args.only.iter().map(|part| part.parse()).collect();
    let only = only?;
    let plan = if only.is_empty() { plan } else { plan.only(only) };
    plan.check()?;
    Ok(plan)
}

/// One bar a part.
#[derive(Default)]
struct Bar(Mutex<Option<(WarmPart, Progress)>>);

impl Bar {
    fn at(&self, step: WarmStep) {
        let mut current = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if current.as_ref().is_none_or(|(part, _)| *part != step.part) {
            *current = Some((step.part, Progress::new(step.part.as_str(), step.total)));
        }
        if let Some((_, bar)) = current.as_mut() {
            bar.at(step.done);
        }
    }
}

fn render(report: &WarmReport) -> String {
    let mut rows = table(&["part", "loaded", "failed"]);
    for part in report.parts.iter().filter(|part| !part.skipped) {
        rows.add_row([part.part.to_string(), grouped(part.loaded), grouped(part.failed)]);
    }
    right(&mut rows, &[1, 2]);
    let told = report.failures.iter().take(SHOWN);
    let told = told.map(|it| plain(&format!("{} {}: {}", it.part, it.what, it.error)));
    let mut parts = vec![rows.to_string()];
    parts.extend(told);
    let more = report.failed().saturating_sub(SHOWN as u64);
    if more > 0 {
        parts.push(format!("… and {} more (--json)", grouped(more)));
    }
    parts.join("\n")
}
