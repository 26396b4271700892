//! How long what is kept.

use std::time::Duration;

/// Times to live, before jitter. Zero keeps nothing of that kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CachedOptions {
    /// Members by id, their accounts elsewhere, and what belongs to their profiles. Default 1 h.
    pub user: Duration,
    /// Ids by name, address or account elsewhere. Default 5 min.
    pub lookup: Duration,
    /// Statistics and counters. Default 1 min.
    pub activity: Duration,
    /// Point accounts. Default 30 s.
    pub account: Duration,
    /// First pages of a member's ledger. Default 1 min.
    pub history: Duration,
    /// Leaderboards. Default 15 min.
    pub leaderboard: Duration,
    /// A member's place. Default 5 min.
    pub rank: Duration,
    /// Totals of points and of members. Default 10 min.
    pub totals: Duration,
    /// Ids of administrators and VIPs. Default 5 min.
    pub lists: Duration,
    /// The level table, achievements and badges as they are defined. Default 1 h.
    /// The level table, the store, and categories of interests. Default 1 h.
    pub catalogue: Duration,
    /// Missions of the catalogue. Default 15 min.
    pub mission: Duration,
    /// Lists of missions. Default 5 min.
    pub missions: Duration,
    /// Where members stand in missions. Default 1 min.
    pub mission_progress: Duration,
    /// Figures about missions. Default 10 min.
    pub mission_reports: Duration,
    /// Fragments of the story and pieces of lore. Default 15 min.
    pub narrative: Duration,
    /// Members' ways through the story, and the lore they have found. Default 1 min.
    pub story: Duration,
    /// Sums over the story and its readers. Default 10 min.
    pub story_totals: Duration,
    /// A member's achievements and badges. Default 30 min.
    pub honours: Duration,
    /// What was unlocked lately. Default 5 min.
    pub recent: Duration,
    /// Invalidate leaderboards and ranks with every movement of points. Default off.
    pub leaderboard_live: bool,
}

impl Default for CachedOptions {
    fn default() -> Self {
        Self {
            user: Duration::from_secs(3600),
            lookup: Duration::from_secs(300),
            activity: Duration::from_secs(60),
            account: Duration::from_secs(30),
            history: Duration::from_secs(60),
            leaderboard: Duration::from_secs(900),
            rank: Duration::from_secs(300),
            totals: Duration::from_secs(600),
            lists: Duration::from_secs(300),
            catalogue: Duration::from_secs(3600),
            mission: Duration::from_secs(900),
            missions: Duration::from_secs(300),
            mission_progress: Duration::from_secs(60),
            mission_reports: Duration::from_secs(600),
            narrative: Duration::from_secs(900),
            story: Duration::from_secs(60),
            story_totals: Duration::from_secs(600),
            honours: Duration::from_secs(1800),
            recent: Duration::from_secs(300),
            leaderboard_live: false,
        }
    }
}
