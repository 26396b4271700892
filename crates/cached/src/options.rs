//! How long what is kept.

use std::time::Duration;

/// Times to live, before jitter. Zero keeps nothing of that kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CachedOptions {
    /// Members by id, and their accounts elsewhere. Default 1 h.
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
    /// Totals. Default 10 min.
    pub totals: Duration,
    /// Ids of administrators and VIPs. Default 5 min.
    pub lists: Duration,
    /// The level table. Default 1 h.
    pub catalogue: Duration,
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
            leaderboard_live: false,
        }
    }
}
