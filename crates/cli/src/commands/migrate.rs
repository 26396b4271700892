//! `migrate`: the tables and their versions.

use std::process::ExitCode;

use guildhall_adapter::Guildhall;

use crate::args::MigrateAction;
use crate::context::{Context, require_file};
use crate::error::CliError;
use crate::json::{Migration, Migrations};
use crate::output::{say, say_json, table};

pub(crate) async fn run(action: MigrateAction, context: &Context) -> Result<ExitCode, CliError> {
    let config = context.config_with("database.migrate", "false")?;
    if matches!(action, MigrateAction::Status) {
        require_file(&config)?;
    }
    let guildhall = Guildhall::builder(config).allow_outdated().connect().await?;
    let applied_now = match action {
        MigrateAction::Status => Vec::new(),
        MigrateAction::Up => guildhall.migrate().await?,
    };
    let migrations = guildhall.migrations().await?;
    if context.json {
        let migrations =
            migrations.into_iter().map(|(name, applied)| Migration { name, applied }).collect();
        say_json(&Migrations { migrations, applied_now })?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut rows = table(&["migration", "applied"]);
    for (name, applied) in &migrations {
        let now = applied_now.contains(name);
        let applied = if now {
            "now"
        } else if *applied {
            "yes"
        } else {
            "no"
        };
        rows.add_row([name.as_str(), applied]);
    }
    say(rows.to_string())?;
    let pending = migrations.iter().filter(|(_, applied)| !applied).count();
    say(match (pending, applied_now.len()) {
        (0, 0) => "The tables are up to date.".to_owned(),
        (0, count) => format!("{count} migration(s) applied; the tables are up to date."),
        (count, _) => format!("{count} migration(s) pending: `guildhall migrate up` applies them."),
    })?;
    Ok(ExitCode::SUCCESS)
}
