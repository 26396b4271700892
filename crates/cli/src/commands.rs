//! One file a command.

mod achievement;
mod advise;
mod badge;
mod cache;
mod config;
mod demo;
mod effects;
mod explain;
mod health;
mod import;
mod leaderboard;
mod load;
mod migrate;
mod mission;
mod narrative;
mod outbox;
mod play;
mod points;
mod report;
mod store;
mod user;
mod verify;
mod warm;

use std::process::ExitCode;

use crate::args::{
    CacheCommand, Command, ConfigCommand, MigrateAction, NarrativeCommand, OutboxCommand,
    PointsCommand, UserCommand,
};
use crate::context::Context;
use crate::error::CliError;

pub(crate) async fn run(command: Command, context: &Context) -> Result<ExitCode, CliError> {
    match command {
        Command::Demo(args) => demo::run(&args, context).await,
        Command::Import(args) => import::run(&args, context).await,
        Command::Migrate { action } => {
            migrate::run(action.unwrap_or(MigrateAction::Status), context).await
        }
        Command::Health => health::run(context).await,
        Command::Advise(args) => advise::run(&args, context).await,
        Command::Report(args) => report::run(&args, context).await,
        Command::Explain(args) => explain::run(&args, context).await,
        Command::User(UserCommand::Show { user }) => user::show(&user, context).await,
        Command::Leaderboard(args) => leaderboard::run(&args, context).await,
        Command::Points(PointsCommand::Award(args)) => points::award(&args, context).await,
        Command::Points(PointsCommand::Deduct(args)) => points::deduct(&args, context).await,
        Command::Points(PointsCommand::Transfer { from, to, amount, key, description }) => {
            let extras = (key.as_deref(), description.as_deref());
            points::transfer((&from, &to), &amount, extras, context).await
        }
        Command::Points(PointsCommand::History { user, limit, after, source }) => {
            let filter = (after.as_deref(), source.as_deref());
            points::history(&user, limit, filter, context).await
        }
        Command::Mission(command) => mission::run(command, context).await,
        Command::Achievement(command) => achievement::run(command, context).await,
        Command::Badge(command) => badge::run(command, context).await,
        Command::Narrative(NarrativeCommand::Check) => narrative::check(context).await,
        Command::Store(command) => store::run(command, context).await,
        Command::Outbox(OutboxCommand::Status) => outbox::status(context).await,
        Command::Verify => verify::run(context).await,
        Command::Warm(args) => warm::run(&args, context).await,
        Command::Cache(CacheCommand::Stats) => cache::stats(context).await,
        Command::Cache(CacheCommand::Clear { namespace, pattern }) => {
            cache::clear(namespace, pattern, context).await
        }
        Command::Cache(CacheCommand::Invalidate { tags }) => {
            cache::invalidate(&tags, context).await
        }
        Command::Cache(CacheCommand::Keys { pattern, limit }) => {
            cache::keys(&pattern, limit, context).await
        }
        Command::Cache(CacheCommand::Audit { sample }) => cache::audit(sample, context).await,
        Command::Config(ConfigCommand::Show) => config::show(context),
        Command::Config(ConfigCommand::Reference) => config::reference(context),
        Command::Load(args) => load::run(&args, context).await,
    }
}
