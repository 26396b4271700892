//! What the commands of workflows share: reading what was typed, telling what was set off.

use guildhall_adapter::Guildhall;
use guildhall_adapter::domain::{DomainEvent, IdemKey, Slug, UserId, Violation};
use guildhall_adapter::repository::{Cursor, PageRequest};
use guildhall_adapter::service::Effects;

use crate::args::Paging;
use crate::error::CliError;
use crate::json::levels_reached;
use crate::output::plain;
use crate::user_ref::{UserRef, resolve};

/// A slug, refused under the name of the argument it was given for.
pub(crate) fn slug(field: &'static str, raw: &str) -> Result<Slug, CliError> {
    Ok(Slug::parse(raw).map_err(|broken| Violation::new(field, broken.rule))?)
}

/// The page that was asked for.
pub(crate) fn page(paging: &Paging) -> Result<PageRequest, CliError> {
    let page = PageRequest::first(paging.limit)?;
    let cursor = paging.after.as_deref().map(str::parse::<Cursor>).transpose()?;
    Ok(cursor.map_or(page.clone(), |cursor| page.after(cursor)))
}

/// Where a list goes on, for people.
pub(crate) fn more(next: Option<&str>) -> String {
    next.map_or_else(String::new, |next| format!("\nThere are more: go on with --after {next}"))
}

pub(crate) fn key(raw: Option<&str>) -> Result<Option<IdemKey>, CliError> {
    Ok(raw.map(IdemKey::parse).transpose()?)
}

/// Refuses what names no member in form, before anything is connected to.
pub(crate) fn check_user(raw: &str) -> Result<(), CliError> {
    let _member: UserRef = raw.parse()?;
    Ok(())
}

/// The member who is said to act, if any is.
pub(crate) async fn actor(
    guildhall: &Guildhall,
    raw: Option<&str>,
) -> Result<Option<UserId>, CliError> {
    match raw {
        Some(raw) => Ok(Some(resolve(guildhall, raw).await?.id)),
        None => Ok(None),
    }
}

/// ` (earlier)`, for what was done before this command.
pub(crate) const fn again(replayed: bool) -> &'static str {
    if replayed { " (earlier; nothing was done now)" } else { "" }
}

/// One line for each thing that was set off.
pub(crate) fn told(effects: &Effects, events: &[DomainEvent]) -> Vec<String> {
    let mut lines = Vec::new();
    for mission in &effects.missions {
        let state = if mission.completed {
            "is complete".to_owned()
        } else {
            format!("is at {}", percent(mission.progress.get()))
        };
        lines.push(format!("mission {} ({}) {state}", mission.mission, mission.period));
    }
    lines.extend(effects.achievements.iter().map(|id| format!("achievement {id} is unlocked")));
    lines.extend(effects.badges.iter().map(|id| format!("badge {id} is given")));
    lines.extend(effects.lore.iter().map(|code| format!("lore {code} is found")));
    lines.extend(levels_reached(events).iter().map(|level| format!("level {level} is reached")));
    if effects.points.minor() > 0 {
        lines.push(format!("{} points are received", effects.points));
    }
    lines
}

/// `told`, set in below a sentence.
pub(crate) fn below(sentence: &str, lines: &[String]) -> String {
    let lines = lines.iter().map(|line| format!("\n  {}", plain(line)));
    sentence.to_owned() + &lines.collect::<String>()
}

/// `33.3 %`.
pub(crate) fn percent(bp: i32) -> String {
    format!("{:.1} %", f64::from(bp) / 100.0)
}
