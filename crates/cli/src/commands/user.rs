//! `user show`: one member at a glance.

use std::process::ExitCode;

use guildhall_adapter::Guildhall;
use guildhall_adapter::domain::{PointEntry, UserId, UserOverview, UserStats};
use guildhall_adapter::repository::{EntryFilter, PageRequest};

use crate::commands::{play, points};
use crate::context::Context;
use crate::error::CliError;
use crate::json::{Entry, Member, Shown, Stats, external};
use crate::output::{moment, plain, say, say_json, table};
use crate::user_ref::{UserRef, resolve};

/// How many recent entries are shown.
const RECENT: u32 = 5;

/// Everything that is shown of a member.
pub(crate) struct Glance {
    pub(crate) overview: UserOverview,
    pub(crate) stats: Option<UserStats>,
    pub(crate) recent: Vec<PointEntry>,
    pub(crate) play: Option<play::Play>,
}

pub(crate) async fn show(user: &str, context: &Context) -> Result<ExitCode, CliError> {
    let _member: UserRef = user.parse()?;
    let guildhall = context.connect().await?;
    let found = glance(&guildhall, resolve(&guildhall, user).await?.id).await?;
    if context.json {
        say_json(&found.to_json())?;
    } else {
        say(found.render())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Looks at a member.
pub(crate) async fn glance(guildhall: &Guildhall, user: UserId) -> Result<Glance, CliError> {
    let now = guildhall.clock().now();
    let overview = guildhall.users().overview(user, now).await?;
    let overview = overview
        .ok_or_else(|| CliError::failed("not_found", format!("there is no member {user}")))?;
    let page = PageRequest::first(RECENT)?;
    let recent = guildhall.ledger().transactions(user, &EntryFilter::default(), &page).await?.items;
    let stats = guildhall.activity().stats(user).await?;
    let play = match overview.user.deleted_at {
        // Nobody is left who could have a profile.
        Some(_) => None,
        None => Some(play::look(guildhall, user, now).await?),
    };
    Ok(Glance { overview, stats, recent, play })
}

impl Glance {
    pub(crate) fn to_json(&self) -> Shown {
        let UserOverview { user, externals, account, rank, role } = &self.overview;
        Shown {
            user: Member::new(user, externals, *role),
            points: account.into(),
            rank: rank.map(Into::into),
            stats: self.stats.as_ref().map(Stats::from),
            recent: self.recent.iter().map(Entry::from).collect(),
            profile: self.play.as_ref().map(play::Play::profile),
            missions: self.play.as_ref().map(play::Play::missions),
            achievements: self.play.as_ref().map(play::Play::honours),
            story: self.play.as_ref().and_then(play::Play::story),
        }
    }

    pub(crate) fn render(&self) -> String {
        let UserOverview { user, externals, account, rank, role } = &self.overview;
        let mut rows = table(&["member", &plain(&user.shown_name())]);
        let mut row = |what: &str, value: String| {
            rows.add_row([what.to_owned(), value]);
        };
        row("id", user.id.to_string());
        if let Some(username) = &user.username {
            row("username", format!("@{}", plain(username.as_str())));
        }
        for (provider, id) in external(externals) {
            row(&provider, plain(&id));
        }
        let state = if user.deleted_at.is_some() {
            " (deleted)"
        } else if user.is_active {
            ""
        } else {
            " (inactive)"
        };
        row("role", format!("{role}{state}"));
        row("balance", format!("{} ({} available)", account.balance(), account.available()));
        row("level", format!("{} ({} xp)", account.level(), account.xp()));
        row(
            "earned / spent",
            format!("{} / {}", account.lifetime_earned(), account.lifetime_spent()),
        );
        row(
            "rank",
            match rank {
                Some(rank) => format!("{} of {}", rank.rank, rank.total),
                None => "not ranked".to_owned(),
            },
        );
        if let Some(stats) = &self.stats {
            row("messages", stats.messages_sent.to_string());
            row(
                "check-in streak",
                format!("{} (longest {})", stats.checkin_streak, stats.longest_streak),
            );
        }
        if let Some(play) = &self.play {
            play.rows(&mut row);
        }
        row("member since", moment(user.created_at));
        if self.recent.is_empty() {
            return format!("{rows}\nNo entries yet.");
        }
        format!("{rows}\nRecent entries, newest first:\n{}", points::render(&self.recent))
    }
}
