//! `demo`: a made-up community under load, and what came of it. Every figure is measured.

mod advice;
mod catalogue;
mod generate;
mod load;
mod people;
mod playing;
mod report;

use std::process::ExitCode;

use guildhall_adapter::domain::LeaderboardMetric;
use guildhall_adapter::repository::{OffsetRequest, UserFilter};
use guildhall_adapter::{Config, Guildhall};
use tempfile::TempDir;

use crate::args::DemoArgs;
use crate::commands::load::within;
use crate::commands::user::glance;
use crate::commands::verify::audited;
use crate::context::Context;
use crate::error::{CliError, FAILED};
use crate::output::{grouped, say, say_json, short};

use report::Report;

pub(crate) async fn run(args: &DemoArgs, context: &Context) -> Result<ExitCode, CliError> {
    within("members", args.members, 10, 1_000_000)?;
    within("seconds", args.seconds, 1, 3_600)?;
    within("tasks", args.tasks, 1, 1_024)?;
    let place = Place::choose(args, context)?;
    let guildhall = Guildhall::connect(place.config.clone()).await?;
    refuse_used(&guildhall).await?;
    let database = place.config.settings().database.describe();
    let kind = place.config.settings().cache_kind();
    let tell = |text: String| if context.json { Ok(()) } else { say(text) };
    tell(format!("Guildhall on {database}, cached in {kind}."))?;

    let community = generate::generate(&guildhall, args).await?;
    tell(format!(
        "Made up {} members with {} ledger entries in {}.",
        grouped(community.members.len() as u64),
        grouped(community.entries),
        short(community.took),
    ))?;
    let items = catalogue::define(&guildhall).await?;
    let played = playing::run(&guildhall, &community, items, args).await?;
    tell(played.render())?;
    guildhall.cache().reset_stats();
    let load = load::run(&guildhall, &community, args).await?;
    let cache = guildhall.cache_stats();

    let now = guildhall.clock().now();
    let board = LeaderboardMetric::Balance;
    let top = guildhall.uncached().rankings();
    let top = top.leaderboard(board, OffsetRequest::new(10, 0)?, now).await?;
    let Some(leader) = top.items.first() else {
        return Err(CliError::failed("internal", "the made-up community has no points"));
    };
    let leader = glance(&guildhall, leader.user).await?;
    let player = match &played.journey {
        Some(journey) => guildhall.users().by_id(journey.user).await?,
        None => None,
    };
    let player = player.map(|user| user.shown_name());
    let audit = audited(&guildhall).await?;
    // A database that stays keeps the indexes that its migrations gave it.
    let advice = match place.folder {
        Some(_) => advice::run(&guildhall, &community).await?,
        None => None,
    };
    let report =
        Report { database, community, played, player, load, cache, top, leader, audit, advice };
    if context.json {
        say_json(&report.to_json())?;
    } else {
        say(report.render())?;
        say(place.farewell())?;
    }
    let broken = report.load.failed + report.played.failed;
    let failed = !report.audit.is_clean() || broken > 0;
    drop(guildhall);
    Ok(if failed { ExitCode::from(FAILED) } else { ExitCode::SUCCESS })
}

/// Where the demo takes place. A temporary folder goes with it.
struct Place {
    config: Config,
    folder: Option<TempDir>,
    kept: Option<std::path::PathBuf>,
}

impl Place {
    fn choose(args: &DemoArgs, context: &Context) -> Result<Self, CliError> {
        let no_folder = |error: std::io::Error| {
            let message = format!("there is no room for a temporary database: {error}");
            CliError::failed("temporary_file", message).hint("name a place with --database")
        };
        let (url, folder, kept) = match &context.database {
            Some(url) => (url.clone(), None, None),
            None => {
                let folder = tempfile::Builder::new().prefix("guildhall-demo-").tempdir();
                let folder = folder.map_err(no_folder)?;
                let file = folder.path().join("demo.db");
                let url = format!("sqlite://{}", file.display());
                if args.keep {
                    // Without an owner, nobody removes it.
                    let _path = folder.keep();
                    (url, None, Some(file))
                } else {
                    (url, Some(folder), None)
                }
            }
        };
        let backend = if context.redis.is_some() { "redis" } else { "memory" };
        // Names of its own: nothing is shared with a cache that is in use.
        let prefix = format!("gh-demo-{:08x}", fastrand::u32(..));
        let who = if context.database.is_some() { "--database" } else { "the demo" };
        let config = context
            .layers()
            .set_from(who, "database.url", &url)
            .set_from("the demo", "database.migrate", "true")
            .set_from("the demo", "cache.backend", backend)
            .set_from("the demo", "cache.prefix", &prefix)
            .build()?;
        Ok(Self { config, folder, kept })
    }

    fn farewell(&self) -> String {
        let next = "\
What next?
  guildhall import FILE            bring the members of your bot along
  guildhall leaderboard --help     every command explains itself
  https://docs.rs/guildhall-adapter  the same from your own program, in 20 lines";
        let database = self.config.settings().database.masked_url();
        match (&self.folder, &self.kept) {
            (Some(_), _) => format!("The temporary database is removed (--keep keeps it).\n{next}"),
            (None, Some(file)) => format!(
                "The database is kept: guildhall leaderboard --database sqlite://{}\n{next}",
                file.display()
            ),
            (None, None) => format!("The made-up community stays in {database}.\n{next}"),
        }
    }
}

/// A demo must not add made-up members to real ones.
async fn refuse_used(guildhall: &Guildhall) -> Result<(), CliError> {
    let everybody = UserFilter { include_inactive: true, ..UserFilter::default() };
    let count = guildhall.users().count(&everybody, guildhall.clock().now()).await?;
    if count == 0 {
        return Ok(());
    }
    let message = format!("the database has {} member(s) already", grouped(count));
    Err(CliError::failed("database_in_use", message)
        .hint("the demo makes up members: give it an empty database, or leave --database out"))
}
