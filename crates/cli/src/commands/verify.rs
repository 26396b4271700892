//! `verify`: the audit of every ledger.

use std::process::ExitCode;

use guildhall_adapter::Guildhall;
use guildhall_adapter::service::{Audit, audit};

use crate::context::Context;
use crate::error::{CliError, FAILED};
use crate::json::Verified;
use crate::output::{grouped, say, say_json, table};
use crate::progress::Progress;

/// How many broken rules the table lists; JSON has them all.
const SHOWN: usize = 50;

pub(crate) async fn run(context: &Context) -> Result<ExitCode, CliError> {
    let guildhall = context.connect().await?;
    let found = audited(&guildhall).await?;
    if context.json {
        say_json(&Verified::from(&found))?;
    } else {
        say(render(&found))?;
    }
    Ok(if found.is_clean() { ExitCode::SUCCESS } else { ExitCode::from(FAILED) })
}

/// Audits all members, past the cache, with a bar.
pub(crate) async fn audited(guildhall: &Guildhall) -> Result<Audit, CliError> {
    let storage = guildhall.uncached();
    let mut progress = Progress::new("auditing ledgers", None);
    Ok(audit(&**storage, |found| progress.at(found.members)).await?)
}

/// What the audit found, in words.
pub(crate) fn render(found: &Audit) -> String {
    let (members, entries) = (grouped(found.members), grouped(found.entries));
    if found.is_clean() {
        return format!(
            "All ledgers are whole: {members} member(s), {entries} entries, rules L1 to L6."
        );
    }
    let mut rows = table(&["member", "rule", "found"]);
    for broken in found.breaks.iter().take(SHOWN) {
        rows.add_row([broken.user.to_string(), broken.rule.to_string(), broken.detail.clone()]);
    }
    let more = found.breaks_total.saturating_sub(found.breaks.len().min(SHOWN) as u64);
    let more = if more > 0 { format!("\n… and {} more.", grouped(more)) } else { String::new() };
    format!(
        "{rows}{more}\n{} rule(s) are broken among {members} member(s) with {entries} entries.",
        grouped(found.breaks_total)
    )
}
