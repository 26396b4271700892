//! The end of the demo: an index is left out on purpose. Does Guildhall miss it?

use std::time::{Duration, Instant};

use guildhall_adapter::domain::Provider;
use guildhall_adapter::{Guildhall, IndexOutcome};
use hdrhistogram::Histogram;
use serde::Serialize;

use super::generate::Community;
use crate::error::CliError;
use crate::output::{grouped, short};

/// What look-ups by a nickname elsewhere stand on.
const LEFT_OUT: &str = "external_accounts_nickname";
/// Look-ups before and after.
const LOOKUPS: usize = 400;
/// Statements called less often are not worth an index.
const CALLS_MIN: u64 = 100;

/// What was advised, built and measured.
#[derive(Serialize)]
pub(crate) struct Advice {
    left_out: &'static str,
    lookups: usize,
    before_p50_ns: u64,
    after_p50_ns: Option<u64>,
    considered: usize,
    built: Vec<String>,
    not_built: Vec<String>,
    saved_at_most_ms: Option<f64>,
}

/// Only for a database that goes away afterwards: the index that comes back has another name.
pub(crate) async fn run(
    guildhall: &Guildhall,
    community: &Community,
) -> Result<Option<Advice>, CliError> {
    if community.nicknames.is_empty() {
        return Ok(None);
    }
    guildhall.run_sql(&format!("DROP INDEX IF EXISTS {LEFT_OUT}")).await?;
    let before = lookups(guildhall, community).await?;
    let considered = guildhall.workload(CALLS_MIN)?.statements.len();
    let report = guildhall.recommendations(CALLS_MIN).await?;
    let results = guildhall.build_indexes(&report).await;
    let results = results.map_err(|why| CliError::failed("unavailable", why))?;
    let (mut built, mut not_built) = (Vec::new(), Vec::new());
    for one in results {
        match one.outcome {
            IndexOutcome::Created => built.push(one.ddl),
            other => not_built.push(format!("{}: {other:?}", one.name)),
        }
    }
    let after = match built.is_empty() {
        true => None,
        false => Some(lookups(guildhall, community).await?.value_at_quantile(0.5)),
    };
    Ok(Some(Advice {
        left_out: LEFT_OUT,
        lookups: LOOKUPS,
        before_p50_ns: before.value_at_quantile(0.5),
        after_p50_ns: after,
        considered,
        built,
        not_built,
        saved_at_most_ms: report.saved.map(|saved| saved.high),
    }))
}

/// The same members are looked up by their nicknames, past the cache.
async fn lookups(guildhall: &Guildhall, community: &Community) -> Result<Histogram<u64>, CliError> {
    let users = guildhall.uncached().users();
    let mut took = Histogram::new_with_bounds(1, 60_000_000_000, 3)
        .map_err(|error| CliError::failed("internal", error.to_string()))?;
    for nickname in community.nicknames.iter().cycle().take(LOOKUPS) {
        let begun = Instant::now();
        users.by_external_nickname(&Provider::Discord, nickname).await?;
        took.saturating_record(u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX));
    }
    Ok(took)
}

impl Advice {
    pub(crate) fn render(&self) -> String {
        let time = |ns| short(Duration::from_nanos(ns));
        let mut text = format!(
            "\nThe index {} was left out on purpose: {} look-ups by nickname took {} each (p50).\n\
             The advisor looked at {} statements that this demo sent at least {CALLS_MIN} times",
            self.left_out,
            grouped(self.lookups as u64),
            time(self.before_p50_ns),
            grouped(self.considered as u64),
        );
        match self.built.as_slice() {
            [] => text.push_str(" and proposed nothing."),
            built => {
                text.push_str(", and this was built:\n");
                built.iter().for_each(|ddl| text.push_str(&format!("  {ddl}\n")));
            }
        }
        for one in &self.not_built {
            text.push_str(&format!("  not built: {one}\n"));
        }
        if let Some(after) = self.after_p50_ns {
            let factor = self.before_p50_ns as f64 / after.max(1) as f64;
            text.push_str(&format!(
                "The same look-ups take {} now: {factor:.1} times as fast.\n",
                time(after)
            ));
        }
        text.trim_end().to_owned()
    }
}
