//! `mission`: the catalogue, and members' progress with it.

use std::process::ExitCode;

use guildhall_adapter::Guildhall;
use guildhall_adapter::domain::{
    Advance, MemberMission, Mission, Objective, ObjectiveProgress, Outcome, Rule, Slug, Violation,
};
use guildhall_adapter::repository::{ListLimit, MissionFilter};
use guildhall_adapter::service::{Done, MissionAdvance};

use crate::args::{MissionCommand, Paging};
use crate::commands::effects::{again, below, check_user, key, more, page, percent, slug, told};
use crate::context::Context;
use crate::error::CliError;
use crate::json::{Advanced, MissionItem, Missions};
use crate::output::{moment, plain, right, say, say_json, table};
use crate::user_ref::resolve;

pub(crate) async fn run(command: MissionCommand, context: &Context) -> Result<ExitCode, CliError> {
    match command {
        MissionCommand::List { user: Some(user), paging, .. } => {
            standings(&user, &paging, context).await
        }
        MissionCommand::List { user: None, all, paging } => list(all, &paging, context).await,
        MissionCommand::Advance { user, mission, amount, objective, key } => {
            let step = (objective, parse_amount(&amount)?);
            advance((&user, &mission), step, key.as_deref(), context).await
        }
        MissionCommand::Complete { user, mission, key } => {
            complete((&user, &mission), key.as_deref(), context).await
        }
    }
}

async fn list(all: bool, paging: &Paging, context: &Context) -> Result<ExitCode, CliError> {
    let page = page(paging)?;
    let guildhall = context.connect().await?;
    let is_active = if all { None } else { Some(true) };
    let filter = MissionFilter { is_active, ..MissionFilter::default() };
    let found = guildhall.storage().missions().list(filter, &page).await?;
    let next_cursor = found.next_cursor.map(|cursor| cursor.as_str().to_owned());
    if context.json {
        say_json(&Missions {
            items: found.items.iter().map(MissionItem::from).collect(),
            next_cursor,
        })?;
    } else if found.items.is_empty() {
        say("There are no missions.")?;
    } else {
        say(render(&found.items) + &more(next_cursor.as_deref()))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn render(missions: &[Mission]) -> String {
    let mut rows = table(&["mission", "title", "cadence", "asks for", "gives"]);
    for mission in missions {
        let off = if mission.is_active { "" } else { " (off)" };
        let asks: Vec<String> = mission
            .objectives
            .iter()
            .map(|it| format!("{} {} x {}", it.kind, it.key, it.target))
            .collect();
        let gives = mission.rewards.iter().map(|reward| {
            let which = reward.key().or_else(|| reward.minor().map(whole)).unwrap_or_default();
            format!("{} {which}", reward.kind())
        });
        rows.add_row([
            format!("{}{off}", mission.id),
            plain(mission.title.as_str()),
            mission.cadence.to_string(),
            asks.join("\n"),
            gives.collect::<Vec<_>>().join("\n"),
        ]);
    }
    rows.to_string()
}

/// Hundredths as points are shown.
fn whole(minor: i64) -> String {
    format!("{}.{:02}", minor / 100, minor % 100)
}

async fn standings(user: &str, paging: &Paging, context: &Context) -> Result<ExitCode, CliError> {
    check_user(user)?;
    let limit = ListLimit::new(paging.limit)?;
    let guildhall = context.connect().await?;
    let member = resolve(&guildhall, user).await?.id;
    let zone = &guildhall.config().settings().rules.earning.zone;
    let progress = guildhall.storage().mission_progress();
    let now = guildhall.clock().now();
    let found = progress.standings(member, None, limit, zone, now).await?;
    if context.json {
        let items = found.iter().map(MissionItem::from).collect();
        say_json(&Missions { items, next_cursor: None })?;
    } else if found.is_empty() {
        say("There are no missions.")?;
    } else {
        say(render_standings(&found))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn render_standings(found: &[MemberMission]) -> String {
    let mut rows = table(&["mission", "title", "period", "state", "progress", "objectives"]);
    for MemberMission { mission, standing } in found {
        let until = standing.next_at.map(|at| format!(", until {}", moment(at)));
        let counted = |it: &ObjectiveProgress| format!("{}/{}", it.value, it.target);
        let objectives = standing.current.as_ref().map_or_else(String::new, |row| {
            row.objectives.iter().map(counted).collect::<Vec<_>>().join(" ")
        });
        let progress = standing.current.as_ref().map_or(0, |row| row.progress().get());
        rows.add_row([
            mission.id.to_string(),
            plain(mission.title.as_str()),
            standing.period.to_string(),
            format!("{}{}", standing.availability, until.unwrap_or_default()),
            percent(progress),
            objectives,
        ]);
    }
    right(&mut rows, &[4]);
    rows.to_string()
}

/// A number above zero. What is not even a number breaks the same rule.
fn parse_amount(raw: &str) -> Result<u64, CliError> {
    let max = i64::try_from(Objective::VALUE_MAX).unwrap_or(i64::MAX);
    let refused = Violation::new("amount", Rule::OutOfRange { min: 1, max });
    let amount: u64 = raw.parse().map_err(|_| refused)?;
    Advance::Add(amount).check()?;
    Ok(amount)
}

async fn advance(
    (user, mission): (&str, &str),
    (objective, amount): (u16, u64),
    once: Option<&str>,
    context: &Context,
) -> Result<ExitCode, CliError> {
    check_user(user)?;
    let (mission, once) = (slug("mission", mission)?, key(once)?);
    let guildhall = context.connect().await?;
    let member = resolve(&guildhall, user).await?;
    let found = named(&guildhall, &mission).await?;
    if usize::from(objective) >= found.objectives.len() {
        let message = format!("mission {mission} has no objective {objective}");
        return Err(CliError::unknown("objective", message)
            .hint(format!("it has {}, counted from 0", found.objectives.len())));
    }
    let missions = guildhall.missions();
    let outcome = missions.advance(member.id, &mission, objective, amount, once.as_ref()).await?;
    acknowledge(&outcome, &member.shown_name(), context)
}

async fn complete(
    (user, mission): (&str, &str),
    once: Option<&str>,
    context: &Context,
) -> Result<ExitCode, CliError> {
    check_user(user)?;
    let (mission, once) = (slug("mission", mission)?, key(once)?);
    let guildhall = context.connect().await?;
    let member = resolve(&guildhall, user).await?;
    named(&guildhall, &mission).await?;
    let outcome = guildhall.missions().complete(member.id, &mission, once.as_ref()).await?;
    acknowledge(&outcome, &member.shown_name(), context)
}

async fn named(guildhall: &Guildhall, mission: &Slug) -> Result<Mission, CliError> {
    let found = guildhall.storage().missions().by_id(mission).await?;
    found.ok_or_else(|| {
        CliError::unknown("mission", format!("there is no mission {mission}"))
            .hint("`guildhall mission list --all` shows every mission")
    })
}

/// Says that it was done. Only called once the database has committed.
fn acknowledge(
    outcome: &Outcome<Done<MissionAdvance>>,
    name: &str,
    context: &Context,
) -> Result<ExitCode, CliError> {
    if context.json {
        say_json(&Advanced::from(outcome))?;
        return Ok(ExitCode::SUCCESS);
    }
    let Done { value, effects } = &outcome.value;
    let sentence = format!(
        "{} is at {} of mission {} ({}){}.",
        plain(name),
        percent(value.progress.get()),
        value.mission,
        value.period,
        again(outcome.replayed),
    );
    say(below(&sentence, &told(effects, &outcome.events)))?;
    Ok(ExitCode::SUCCESS)
}
