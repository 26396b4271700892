//! What `user show` tells beside points: profile, missions, achievements, story.

use guildhall_adapter::domain::{
    AchievementSummary, Engagement, HeldBadge, MemberMission, ProfileStats, StoryProgress,
    StoryState, UserMissionStatistics,
};
use serde::Serialize;

use super::achievements::{Unlocked, Worn};
use super::text;

/// How complete the profile is, and how much the member takes part.
#[derive(Serialize)]
pub(crate) struct Profile {
    completion_bp: i32,
    has_preferences: bool,
    has_accessibility: bool,
    languages: u64,
    interests: u64,
    onboarding_steps: u64,
    days_registered: u64,
    engagement: String,
}

impl Profile {
    pub(crate) fn new(stats: &ProfileStats, engagement: &Engagement) -> Self {
        Self {
            completion_bp: stats.completion().get(),
            has_preferences: stats.has_preferences,
            has_accessibility: stats.has_accessibility,
            languages: stats.languages,
            interests: stats.interests,
            onboarding_steps: stats.onboarding_steps,
            days_registered: engagement.days_registered,
            engagement: score(engagement),
        }
    }
}

/// `4.32`.
pub(crate) fn score(engagement: &Engagement) -> String {
    let hundredths = engagement.score_hundredths();
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

/// What the member made of missions, and the first that are under way.
#[derive(Serialize)]
pub(crate) struct MissionsOf {
    started: u64,
    completed: u64,
    completion_rate_bp: i32,
    points_earned: String,
    open: Vec<Open>,
}

#[derive(Serialize)]
struct Open {
    mission: String,
    title: String,
    period: String,
    progress_bp: i32,
}

impl MissionsOf {
    pub(crate) fn new(figures: &UserMissionStatistics, open: &[MemberMission]) -> Self {
        let open = open.iter().map(|found| Open {
            mission: found.mission.id.to_string(),
            title: found.mission.title.to_string(),
            period: found.standing.period.to_string(),
            progress_bp: found.progress().get(),
        });
        Self {
            started: figures.started,
            completed: figures.completed,
            completion_rate_bp: figures.completion_rate.get(),
            points_earned: figures.points_earned.to_string(),
            open: open.collect(),
        }
    }
}

/// Achievements in short, the latest of them, and the latest badges.
#[derive(Serialize)]
pub(crate) struct Honours {
    total: u64,
    points: String,
    completion_bp: i32,
    latest: Vec<Unlocked>,
    badges: Vec<Worn>,
}

impl Honours {
    pub(crate) fn new(summary: &AchievementSummary, badges: &[HeldBadge]) -> Self {
        Self {
            total: summary.total,
            points: summary.points.to_string(),
            completion_bp: summary.completion.get(),
            latest: summary.latest.iter().map(Unlocked::from).collect(),
            badges: badges.iter().map(Worn::from).collect(),
        }
    }
}

/// Where the member is in the story.
#[derive(Serialize)]
pub(crate) struct StoryOf {
    fragment: Option<String>,
    karma: i64,
    visited: u64,
    completed: u64,
    total: u64,
    progress_bp: i32,
    started_at: String,
    last_activity_at: String,
}

impl StoryOf {
    pub(crate) fn new(state: &StoryState, progress: &StoryProgress) -> Self {
        Self {
            fragment: text(state.current_fragment.as_ref()),
            karma: state.karma,
            visited: progress.visited,
            completed: progress.completed,
            total: progress.total,
            progress_bp: progress.share().get(),
            started_at: state.started_at.to_string(),
            last_activity_at: state.last_activity_at.to_string(),
        }
    }
}
