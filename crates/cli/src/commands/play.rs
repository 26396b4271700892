//! What a member plays: profile, missions, achievements, story, as `user show` tells it.

use guildhall_adapter::Guildhall;
use guildhall_adapter::domain::{
    AchievementSummary, Engagement, HeldBadge, MemberMission, ProfileStats, StoryProgress,
    StoryState, Timestamp, UserId, UserMissionStatistics,
};
use guildhall_adapter::repository::PageRequest;

use crate::commands::effects::percent;
use crate::error::CliError;
use crate::json::{Honours, MissionsOf, Profile, StoryOf, score};
use crate::output::plain;

/// How many missions that are under way, and badges, are shown.
const SHOWN: u32 = 5;

/// What a member plays.
pub(crate) struct Play {
    stats: ProfileStats,
    engagement: Engagement,
    missions: UserMissionStatistics,
    open: Vec<MemberMission>,
    achievements: AchievementSummary,
    badges: Vec<HeldBadge>,
    story: Option<(StoryState, StoryProgress)>,
}

/// Looks at it. `not_found` for a member who was deleted.
pub(crate) async fn look(
    guildhall: &Guildhall,
    user: UserId,
    now: Timestamp,
) -> Result<Play, CliError> {
    let (on, page) = (guildhall.storage(), PageRequest::first(SHOWN)?);
    let zone = &guildhall.config().settings().rules.earning.zone;
    let story = match on.story().state(user).await? {
        Some(state) => Some((state, on.story().progress(user).await?)),
        None => None,
    };
    Ok(Play {
        stats: on.profiles().profile_stats(user).await?,
        engagement: on.profiles().engagement(user, now).await?,
        missions: on.mission_reports().user_statistics(user).await?,
        open: on.mission_progress().pending(user, zone, now, &page).await?.items,
        achievements: on.user_achievements().summary(user).await?,
        badges: on.badges().held_by(user, &page).await?.items,
        story,
    })
}

impl Play {
    pub(crate) fn profile(&self) -> Profile {
        Profile::new(&self.stats, &self.engagement)
    }

    pub(crate) fn missions(&self) -> MissionsOf {
        MissionsOf::new(&self.missions, &self.open)
    }

    pub(crate) fn honours(&self) -> Honours {
        Honours::new(&self.achievements, &self.badges)
    }

    pub(crate) fn story(&self) -> Option<StoryOf> {
        self.story.as_ref().map(|(state, progress)| StoryOf::new(state, progress))
    }

    /// As rows of a table.
    pub(crate) fn rows(&self, row: &mut impl FnMut(&str, String)) {
        let (completion, engagement) = (self.stats.completion().get(), score(&self.engagement));
        row("profile", format!("{} complete; engagement {engagement}", percent(completion)));
        let missions = &self.missions;
        let mut told = vec![format!(
            "{} of {} completed, {} points",
            missions.completed, missions.started, missions.points_earned
        )];
        told.extend(self.open.iter().map(|found| {
            let title = plain(found.mission.title.as_str());
            format!("{title}: {}", percent(found.progress().get()))
        }));
        row("missions", told.join("\n"));
        let achievements = &self.achievements;
        let mut told = vec![format!(
            "{} ({} of all), {} points",
            achievements.total,
            percent(achievements.completion.get()),
            achievements.points
        )];
        let latest = achievements.latest.iter();
        told.extend(latest.map(|held| plain(held.achievement.title.as_str())));
        row("achievements", told.join("\n"));
        if !self.badges.is_empty() {
            let names = self.badges.iter().map(|held| plain(held.badge.name.as_str()));
            row("badges", names.collect::<Vec<_>>().join(", "));
        }
        let Some((state, progress)) = &self.story else {
            return row("story", "not begun".to_owned());
        };
        let here = state.current_fragment.as_ref().map_or("nowhere", |here| here.as_str());
        let (done, all) = (progress.completed, progress.total);
        row("story", format!("at {here}; {done} of {all} completed, karma {}", state.karma));
    }
}
