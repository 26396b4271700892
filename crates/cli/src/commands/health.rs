//! `health`: whether everything works.

use std::process::ExitCode;

use guildhall_adapter::{Guildhall, Probe, ProbeState, Status};

use crate::context::{Context, require_file};
use crate::error::{CliError, FAILED};
use crate::json::Healthy;
use crate::output::{say, say_json, short, table};

pub(crate) async fn run(context: &Context) -> Result<ExitCode, CliError> {
    let config = context.config()?;
    require_file(&config)?;
    let health = Guildhall::builder(config).probe().await?;
    if context.json {
        say_json(&Healthy::from(&health))?;
    } else {
        let mut rows = table(&["what", "state", "detail"]);
        for (what, probe) in [("database", &health.database), ("cache", &health.cache)] {
            let (state, detail) = told(probe);
            rows.add_row([what, state, &detail]);
        }
        if let Some(pool) = health.pool {
            let detail =
                format!("{} of {} connections in use, {} open", pool.in_use, pool.max, pool.open);
            rows.add_row(["pool", "up", &detail]);
        }
        say(rows.to_string())?;
        say(match health.status {
            Status::Healthy => "Healthy: everything works.",
            Status::Degraded => "Degraded: reads go to the database until the cache is back.",
            Status::Unhealthy => "Unhealthy: the database cannot be written to.",
        })?;
    }
    let failed = health.status == Status::Unhealthy;
    Ok(if failed { ExitCode::from(FAILED) } else { ExitCode::SUCCESS })
}

pub(super) fn told(probe: &Probe) -> (&'static str, String) {
    match &probe.state {
        ProbeState::Up(took) => ("up", format!("{}, answered in {}", probe.target, short(*took))),
        ProbeState::Down(why) => ("down", why.clone()),
    }
}
