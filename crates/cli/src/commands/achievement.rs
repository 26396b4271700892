//! `achievement`: the catalogue, and what members have of it.

use std::process::ExitCode;

use guildhall_adapter::domain::{
    Achievement, HeldAchievement, HeldBadge, PendingAchievement, Source,
};
use guildhall_adapter::repository::{AchievementFilter, HeldFilter, PageRequest};

use crate::args::{AchievementCommand, Paging};
use crate::commands::effects::{again, below, check_user, more, page, percent, slug, told};
use crate::context::Context;
use crate::error::CliError;
use crate::json::{Achieved, AchievementItem, Achievements, Evaluated, MemberHonours};
use crate::output::{moment, plain, right, say, say_json, table};
use crate::user_ref::resolve;

pub(crate) async fn run(
    command: AchievementCommand,
    context: &Context,
) -> Result<ExitCode, CliError> {
    match command {
        AchievementCommand::List { user: Some(user), paging, .. } => {
            of_member(&user, &paging, context).await
        }
        AchievementCommand::List { user: None, category, all, paging } => {
            list(category.as_deref(), all, &paging, context).await
        }
        AchievementCommand::Evaluate { user } => evaluate(&user, context).await,
        AchievementCommand::Unlock { user, achievement, source } => {
            unlock(&user, &achievement, &source, context).await
        }
    }
}

async fn list(
    category: Option<&str>,
    all: bool,
    paging: &Paging,
    context: &Context,
) -> Result<ExitCode, CliError> {
    let page = page(paging)?;
    let category = category.map(|raw| slug("category", raw)).transpose()?;
    let filter = AchievementFilter { is_active: if all { None } else { Some(true) }, category };
    let guildhall = context.connect().await?;
    let found = guildhall.storage().achievements().list(&filter, &page).await?;
    let next_cursor = found.next_cursor.map(|cursor| cursor.as_str().to_owned());
    if context.json {
        let items = found.items.iter().map(AchievementItem::from).collect();
        say_json(&Achievements { items, next_cursor })?;
    } else if found.items.is_empty() {
        say("There are no such achievements.")?;
    } else {
        say(render(&found.items) + &more(next_cursor.as_deref()))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn render(achievements: &[Achievement]) -> String {
    let mut rows = table(&["achievement", "title", "category", "tier", "asks for", "points"]);
    for achievement in achievements {
        let off = if achievement.is_active { "" } else { " (off)" };
        let asks: Vec<String> = achievement
            .criteria
            .iter()
            .map(|it| format!("{} {} {}", it.metric, it.comparison, it.threshold))
            .collect();
        rows.add_row([
            format!("{}{off}", achievement.id),
            plain(achievement.title.as_str()),
            achievement.category.to_string(),
            achievement.tier.to_string(),
            if asks.is_empty() { "by hand".to_owned() } else { asks.join("\n") },
            achievement.reward_points.to_string(),
        ]);
    }
    right(&mut rows, &[5]);
    rows.to_string()
}

async fn of_member(user: &str, paging: &Paging, context: &Context) -> Result<ExitCode, CliError> {
    check_user(user)?;
    let page = PageRequest::first(paging.limit)?;
    let guildhall = context.connect().await?;
    let member = resolve(&guildhall, user).await?.id;
    let (on, now) = (guildhall.storage(), guildhall.clock().now());
    let held = on.user_achievements().list(member, &HeldFilter::default(), &page).await?.items;
    let pending = on.user_achievements().pending(member, now, &page).await?.items;
    let badges = on.badges().held_by(member, &page).await?.items;
    if context.json {
        say_json(&MemberHonours {
            held: held.iter().map(Into::into).collect(),
            pending: pending.iter().map(Into::into).collect(),
            badges: badges.iter().map(Into::into).collect(),
        })?;
    } else {
        say(render_member(&held, &pending, &badges))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn render_member(
    held: &[HeldAchievement],
    pending: &[PendingAchievement],
    badges: &[HeldBadge],
) -> String {
    let mut rows = table(&["what", "title", "state", "points"]);
    for HeldAchievement { achievement, unlocked } in held {
        rows.add_row([
            achievement.id.to_string(),
            plain(achievement.title.as_str()),
            moment(unlocked.unlocked_at),
            unlocked.points_awarded.to_string(),
        ]);
    }
    for HeldBadge { badge, held } in badges {
        let (what, when) = (format!("badge {}", badge.id), moment(held.awarded_at));
        rows.add_row([what, plain(badge.name.as_str()), when, String::new()]);
    }
    for left in pending {
        let title = left
            .text
            .as_ref()
            .map_or_else(|| "(hidden)".to_owned(), |text| plain(text.title.as_str()));
        rows.add_row([
            left.id.to_string(),
            title,
            percent(left.progress.get()),
            left.reward_points.to_string(),
        ]);
    }
    right(&mut rows, &[3]);
    rows.to_string()
}

async fn evaluate(user: &str, context: &Context) -> Result<ExitCode, CliError> {
    check_user(user)?;
    let guildhall = context.connect().await?;
    let member = resolve(&guildhall, user).await?;
    let outcome = guildhall.achievements().evaluate(member.id).await?;
    if context.json {
        say_json(&Evaluated::from(&outcome))?;
        return Ok(ExitCode::SUCCESS);
    }
    let name = plain(&member.shown_name());
    let sentence = if outcome.replayed {
        format!("{name} has everything that is earned by now.")
    } else {
        format!("{name} had earned:")
    };
    say(below(&sentence, &told(&outcome.value.effects, &outcome.events)))?;
    Ok(ExitCode::SUCCESS)
}

async fn unlock(
    user: &str,
    achievement: &str,
    source: &str,
    context: &Context,
) -> Result<ExitCode, CliError> {
    check_user(user)?;
    let (achievement, source) = (slug("achievement", achievement)?, Source::parse(source)?);
    let guildhall = context.connect().await?;
    let member = resolve(&guildhall, user).await?;
    if guildhall.storage().achievements().by_id(&achievement).await?.is_none() {
        let message = format!("there is no achievement {achievement}");
        return Err(CliError::unknown("achievement", message)
            .hint("`guildhall achievement list --all` shows every achievement"));
    }
    let service = guildhall.achievements();
    let outcome = service.unlock(member.id, &achievement, &source, None).await?;
    if context.json {
        say_json(&Achieved::from(&outcome))?;
        return Ok(ExitCode::SUCCESS);
    }
    let name = plain(&member.shown_name());
    let sentence = format!("{name} has achievement {achievement}{}.", again(outcome.replayed));
    say(below(&sentence, &told(&outcome.value.effects, &outcome.events)))?;
    Ok(ExitCode::SUCCESS)
}
