//! Rankings and totals.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use crate::amount::Points;
use crate::external::ExternalAccount;
use crate::ledger::text_enum;
use crate::time::Day;
use crate::user::{UserId, shown_name};
use crate::violation::{Rule, Violation};

text_enum! {
    /// What a leaderboard ranks by.
    LeaderboardMetric("metric") {
        /// Points now.
        Balance = "balance",
        /// Points awarded ever.
        LifetimeEarned = "lifetime_earned",
        /// Experience.
        Xp = "xp",
        /// Achievements unlocked.
        Achievements = "achievements",
    }
}

/// A line of a leaderboard.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct LeaderboardRow {
    /// 1 + the number of members with a greater value: equals share a rank.
    pub rank: u64,
    /// The member.
    pub user: UserId,
    /// The member's shown name.
    pub name: String,
    /// Accounts in other systems, by provider.
    pub externals: Vec<ExternalAccount>,
    /// The ranked value, more than zero, in minor units on the scale of points: an achievement counts
    /// as one point.
    pub value: Points,
    /// The level reached.
    pub level: u32,
}

impl LeaderboardRow {
    /// The shown name of whoever has these columns: see [`User::shown_name`](crate::User).
    #[must_use]
    pub fn name_of(
        user: UserId,
        display: Option<&str>,
        first: Option<&str>,
        last: Option<&str>,
        username: Option<&str>,
    ) -> String {
        shown_name(user, display, first, last, username)
    }
}

/// A member's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct RankInfo {
    /// 1 + the number of members with a greater value.
    pub rank: u64,
    /// Members with a value at all.
    pub total: u64,
    /// The share of ranked members that are not above, in basis points: the first has 10 000.
    pub percentile_bp: u32,
}

impl RankInfo {
    /// From a rank of at least 1 among `total`.
    #[must_use]
    pub fn new(rank: u64, total: u64) -> Self {
        let below = (total + 1).saturating_sub(rank);
        let bp = u128::from(below) * 10_000 / u128::from(total.max(1));
        Self { rank, total, percentile_bp: u32::try_from(bp.min(10_000)).unwrap_or(10_000) }
    }
}

/// How a member moved between two leaderboards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LeaderboardChange {
    /// To a better rank.
    Up {
        /// The member.
        user: UserId,
        /// Rank before.
        from: u64,
        /// Rank now.
        to: u64,
    },
    /// To a worse rank.
    Down {
        /// The member.
        user: UserId,
        /// Rank before.
        from: u64,
        /// Rank now.
        to: u64,
    },
    /// Was not listed before.
    Entered {
        /// The member.
        user: UserId,
        /// Rank now.
        rank: u64,
    },
    /// Is listed no more.
    Left {
        /// The member.
        user: UserId,
        /// Rank before.
        rank: u64,
    },
}

/// What changed from one snapshot of a leaderboard to the next, by rank now, then by rank before.
#[must_use]
pub fn leaderboard_changes(
    before: &[LeaderboardRow],
    now: &[LeaderboardRow],
) -> Vec<LeaderboardChange> {
    let old: HashMap<UserId, u64> = before.iter().map(|row| (row.user, row.rank)).collect();
    let new: HashMap<UserId, u64> = now.iter().map(|row| (row.user, row.rank)).collect();
    let moved = now.iter().filter_map(|row| {
        let (user, to) = (row.user, row.rank);
        match old.get(&user) {
            None => Some(LeaderboardChange::Entered { user, rank: to }),
            Some(&from) if to < from => Some(LeaderboardChange::Up { user, from, to }),
            Some(&from) if to > from => Some(LeaderboardChange::Down { user, from, to }),
            Some(_) => None,
        }
    });
    let left = before
        .iter()
        .filter(|row| !new.contains_key(&row.user))
        .map(|row| LeaderboardChange::Left { user: row.user, rank: row.rank });
    moved.chain(left).collect()
}

/// Totals over all members. Balances and ledger are summed apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct PointTotals {
    /// Members with an account.
    pub members: u64,
    /// Members with a balance above zero.
    pub with_points: u64,
    /// Sum of the balances: points in circulation.
    pub sum: Points,
    /// Mean balance, truncated; zero without members.
    pub average: Points,
    /// The greatest balance.
    pub greatest: Points,
    /// The least balance.
    pub least: Points,
    /// Ledger entries.
    pub entries: u64,
    /// Awarded ever.
    pub earned: Points,
    /// Spent ever.
    pub spent: Points,
}

/// One community day of the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct DailyActivity {
    /// The day.
    pub day: Day,
    /// Entries written.
    pub entries: u64,
    /// Members with an entry.
    pub members: u64,
    /// Sum of what balances grew by.
    pub earned: Points,
    /// Sum of what balances shrank by.
    pub spent: Points,
    /// `earned` less `spent`.
    pub net: Points,
}

/// One member's ledger over some days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ActivitySummary {
    /// The member.
    pub user: UserId,
    /// Days looked back.
    pub days: u32,
    /// Entries written.
    pub entries: u64,
    /// Sum of what the balance grew by.
    pub earned: Points,
    /// Sum of what it shrank by.
    pub spent: Points,
    /// Mean award, truncated; zero without awards.
    pub average_award: Points,
    /// Days with an entry.
    pub active_days: u64,
    /// `earned` less `spent`.
    pub net: Points,
    /// The balance now.
    pub balance: Points,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(user: i64, rank: u64) -> LeaderboardRow {
        LeaderboardRow {
            rank,
            user: UserId(user),
            name: String::new(),
            externals: Vec::new(),
            value: Points::MAX,
            level: 1,
        }
    }

    #[test]
    fn changes_name_who_moved_entered_and_left() {
        let changes = leaderboard_changes(
            &[row(1, 1), row(2, 2), row(3, 3), row(4, 4)],
            &[row(2, 1), row(1, 2), row(4, 4), row(5, 5)],
        );
        assert_eq!(
            changes,
            [
                LeaderboardChange::Up { user: UserId(2), from: 2, to: 1 },
                LeaderboardChange::Down { user: UserId(1), from: 1, to: 2 },
                LeaderboardChange::Entered { user: UserId(5), rank: 5 },
                LeaderboardChange::Left { user: UserId(3), rank: 3 },
            ]
        );
    }

    #[test]
    fn the_first_of_any_number_is_at_the_top() {
        assert_eq!(RankInfo::new(1, 1).percentile_bp, 10_000);
        assert_eq!(RankInfo::new(1, 200).percentile_bp, 10_000);
        assert_eq!(RankInfo::new(200, 200).percentile_bp, 50);
    }
}
