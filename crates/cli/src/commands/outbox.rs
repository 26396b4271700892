//! `outbox status`: what waits to be handed out.

use std::process::ExitCode;

use crate::context::Context;
use crate::error::CliError;
use crate::json::Outbox;
use crate::output::{grouped, right, say, say_json, short, table};

pub(crate) async fn status(context: &Context) -> Result<ExitCode, CliError> {
    let guildhall = context.connect().await?;
    let status = guildhall.outbox().status(guildhall.clock().now()).await?;
    let enabled = guildhall.config().settings().outbox_enabled;
    if context.json {
        say_json(&Outbox::new(enabled, &status))?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut rows = table(&["events", "how many"]);
    for (what, figure) in [
        ("not handed out yet", grouped(status.pending)),
        ("of these taken, or waiting after a failure", grouped(status.leased)),
        ("age of the oldest", status.oldest_age.map_or_else(|| "-".to_owned(), short)),
        ("attempts of the worst", status.attempts_max.to_string()),
        ("handed out, not purged yet", grouped(status.published)),
    ] {
        rows.add_row([what.to_owned(), figure]);
    }
    right(&mut rows, &[1]);
    say(rows.to_string())?;
    if !enabled {
        say("With these settings no events are written: outbox.enabled is off.")?;
    }
    Ok(ExitCode::SUCCESS)
}
