//! `badge`: what there is, giving and taking.

use std::process::ExitCode;

use guildhall_adapter::Guildhall;
use guildhall_adapter::domain::{Badge, BadgeId, Description, Label};
use guildhall_adapter::repository::BadgeFilter;

use crate::args::{BadgeCommand, Paging};
use crate::commands::effects::{actor, again, below, check_user, more, page, told};
use crate::context::Context;
use crate::error::CliError;
use crate::json::{Awarded, BadgeItem, Badges, Revoked};
use crate::output::{plain, right, say, say_json, table};
use crate::user_ref::resolve;

pub(crate) async fn run(command: BadgeCommand, context: &Context) -> Result<ExitCode, CliError> {
    match command {
        BadgeCommand::List { all, paging } => list(all, &paging, context).await,
        BadgeCommand::Award { user, badge, by, force } => {
            award((&user, &badge), by.as_deref(), force, context).await
        }
        BadgeCommand::Revoke { user, badge, by, reason } => {
            revoke((&user, &badge), by.as_deref(), reason.as_deref(), context).await
        }
    }
}

async fn list(all: bool, paging: &Paging, context: &Context) -> Result<ExitCode, CliError> {
    let page = page(paging)?;
    let filter = BadgeFilter { is_active: if all { None } else { Some(true) }, vip_only: false };
    let guildhall = context.connect().await?;
    let found = guildhall.storage().badges().list(filter, &page).await?;
    let next_cursor = found.next_cursor.map(|cursor| cursor.as_str().to_owned());
    if context.json {
        let items = found.items.iter().map(BadgeItem::from).collect();
        say_json(&Badges { items, next_cursor })?;
    } else if found.items.is_empty() {
        say("There are no badges.")?;
    } else {
        say(render(&found.items) + &more(next_cursor.as_deref()))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn render(badges: &[Badge]) -> String {
    let mut rows = table(&["id", "badge", "tier", "given for", "makes a VIP"]);
    for badge in badges {
        let off = if badge.is_active { "" } else { " (off)" };
        let rule = badge.rule.as_ref();
        let rule = rule.map(|rule| format!("{} of at least {}", rule.metric, rule.threshold));
        rows.add_row([
            badge.id.to_string(),
            format!("{}{off}", plain(badge.name.as_str())),
            badge.tier.to_string(),
            rule.unwrap_or_else(|| "by hand".to_owned()),
            if badge.vip.is_some() { "yes".to_owned() } else { String::new() },
        ]);
    }
    right(&mut rows, &[0]);
    rows.to_string()
}

/// How a badge is named on the command line: by number, else by name.
enum BadgeRef {
    Id(BadgeId),
    Name(Label),
}

impl BadgeRef {
    fn parse(raw: &str) -> Result<Self, CliError> {
        match raw.trim().parse() {
            Ok(id) => Ok(Self::Id(BadgeId(id))),
            Err(_) => Ok(Self::Name(Label::parse(raw).map_err(|broken| {
                guildhall_adapter::domain::Violation::new("badge", broken.rule)
            })?)),
        }
    }

    async fn resolve(&self, guildhall: &Guildhall) -> Result<Badge, CliError> {
        let badges = guildhall.storage().badges();
        let (found, shown) = match self {
            Self::Id(id) => (badges.by_id(*id).await?, id.to_string()),
            Self::Name(name) => (badges.by_name(name).await?, plain(name.as_str())),
        };
        found.ok_or_else(|| {
            CliError::unknown("badge", format!("there is no badge {shown}"))
                .hint("`guildhall badge list --all` shows every badge")
        })
    }
}

async fn award(
    (user, badge): (&str, &str),
    by: Option<&str>,
    force: bool,
    context: &Context,
) -> Result<ExitCode, CliError> {
    check_user(user)?;
    by.map_or(Ok(()), check_user)?;
    let badge = BadgeRef::parse(badge)?;
    let guildhall = context.connect().await?;
    let member = resolve(&guildhall, user).await?;
    let by = actor(&guildhall, by).await?;
    let badge = badge.resolve(&guildhall).await?;
    let outcome = guildhall.badges().award(member.id, badge.id, by, force).await?;
    if context.json {
        say_json(&Awarded::from(&outcome))?;
        return Ok(ExitCode::SUCCESS);
    }
    let (name, title) = (plain(&member.shown_name()), plain(badge.name.as_str()));
    let sentence = format!("{name} has badge {title}{}.", again(outcome.replayed));
    say(below(&sentence, &told(&outcome.value.effects, &outcome.events)))?;
    Ok(ExitCode::SUCCESS)
}

async fn revoke(
    (user, badge): (&str, &str),
    by: Option<&str>,
    reason: Option<&str>,
    context: &Context,
) -> Result<ExitCode, CliError> {
    check_user(user)?;
    by.map_or(Ok(()), check_user)?;
    let badge = BadgeRef::parse(badge)?;
    let reason = reason.map(Description::parse).transpose()?;
    let guildhall = context.connect().await?;
    let member = resolve(&guildhall, user).await?;
    let by = actor(&guildhall, by).await?;
    let badge = badge.resolve(&guildhall).await?;
    let outcome = guildhall.badges().revoke(member.id, badge.id, by, reason.as_ref()).await?;
    if context.json {
        say_json(&Revoked::new((member.id.0, badge.id.0), &outcome))?;
        return Ok(ExitCode::SUCCESS);
    }
    let (name, title) = (plain(&member.shown_name()), plain(badge.name.as_str()));
    say(match outcome.value.value {
        true => format!("{name} does not have badge {title} any more."),
        false => format!("{name} did not have badge {title}."),
    })?;
    Ok(ExitCode::SUCCESS)
}
