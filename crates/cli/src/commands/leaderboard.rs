//! `leaderboard`: who leads.

use std::process::ExitCode;

use guildhall_adapter::domain::{LeaderboardMetric, LeaderboardRow};
use guildhall_adapter::repository::{OffsetRequest, Ranked};

use crate::args::LeaderboardArgs;
use crate::context::Context;
use crate::error::CliError;
use crate::json::{Leaderboard, external};
use crate::output::{grouped, plain, right, say, say_json, table};

pub(crate) async fn run(args: &LeaderboardArgs, context: &Context) -> Result<ExitCode, CliError> {
    let metric: LeaderboardMetric = args.metric.parse()?;
    let request = OffsetRequest::new(args.limit, args.offset)?;
    let guildhall = context.connect().await?;
    let now = guildhall.clock().now();
    let found = guildhall.rankings().leaderboard(metric, request, now).await?;
    if context.json {
        say_json(&Leaderboard::new(metric, &found))?;
    } else if found.items.is_empty() {
        say(format!("Nobody is ranked here: {} member(s) have a value above zero.", found.total))?;
    } else {
        say(render(metric, &found))?;
        say(format!("{} member(s) are ranked.", grouped(found.total)))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The rows as a table.
pub(crate) fn render(metric: LeaderboardMetric, found: &Ranked<LeaderboardRow>) -> String {
    let mut rows = table(&["rank", "id", "member", "elsewhere", metric.as_str(), "level"]);
    for row in &found.items {
        let elsewhere: Vec<String> = external(&row.externals)
            .into_iter()
            .map(|(provider, id)| format!("{provider}:{}", plain(&id)))
            .collect();
        rows.add_row([
            row.rank.to_string(),
            row.user.to_string(),
            plain(&row.name),
            elsewhere.join(" "),
            row.value.to_string(),
            row.level.to_string(),
        ]);
    }
    right(&mut rows, &[0, 1, 4, 5]);
    rows.to_string()
}
