//! `explain`: how the database runs a statement.

use std::process::ExitCode;

use guildhall_adapter::insight::Fingerprint;
use guildhall_adapter::{ExplainError, Explained};

use crate::args::ExplainArgs;
use crate::context::Context;
use crate::error::CliError;
use crate::json::Planned;
use crate::output::{plain, plain_lines, say, say_json};

pub(crate) async fn run(args: &ExplainArgs, context: &Context) -> Result<ExitCode, CliError> {
    let wanted = args.fingerprint.as_deref().map(str::parse::<Fingerprint>).transpose();
    let wanted = wanted.map_err(|error| CliError::usage("validation", error.to_string()))?;
    let guildhall = context.look().await?;
    let explained = match (wanted, &args.sql) {
        (Some(fingerprint), _) => guildhall.explain(fingerprint).await,
        (None, Some(sql)) => guildhall.explain_sql(sql).await,
        // One of them is required.
        (None, None) => return Err(CliError::usage("usage", "name a statement")),
    };
    let Explained { fingerprint, text, plan, .. } = explained.map_err(refused)?;
    if context.json {
        let fingerprint = fingerprint.to_string();
        say_json(&Planned { fingerprint, text, plan: plan.text, generic: plan.generic })?;
        return Ok(ExitCode::SUCCESS);
    }
    say(format!("{fingerprint}  {}\n\n{}", plain(&text), plain_lines(&plan.text)))?;
    if plan.generic {
        say("\nPlanned without values: for some of them the database may do otherwise.")?;
    }
    Ok(ExitCode::SUCCESS)
}

fn refused(error: ExplainError) -> CliError {
    match error {
        ExplainError::Unknown(_) => CliError::unknown("fingerprint", error.to_string()).hint(
            "`guildhall report` lists those that a PostgreSQL server has seen; \
             any other statement is planned by --sql TEXT",
        ),
        ExplainError::NotPlannable => CliError::usage("validation", error.to_string()),
        ExplainError::Storage(error) => error.into(),
        error => CliError::failed("unavailable", error.to_string()),
    }
}
