//! What can be told of achievements: of one member, of one achievement, of all.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use crate::achievement::Tier;
use crate::amount::{BasisPoints, Points};
use crate::ledger::text_enum;
use crate::month::Month;
use crate::text::{Slug, Url};
use crate::time::{CommunityZone, Day, Timestamp};
use crate::user::UserId;
use crate::user_achievement::HeldAchievement;
use crate::violation::{Rule, Violation};

/// How many of each tier.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct TierCounts {
    /// Of no rank.
    pub none: u64,
    /// Bronze.
    pub bronze: u64,
    /// Silver.
    pub silver: u64,
    /// Gold.
    pub gold: u64,
    /// Platinum.
    pub platinum: u64,
}

impl TierCounts {
    /// Counts `number` more of a tier.
    pub fn add(&mut self, tier: Tier, number: u64) {
        let count = match tier {
            Tier::None => &mut self.none,
            Tier::Bronze => &mut self.bronze,
            Tier::Silver => &mut self.silver,
            Tier::Gold => &mut self.gold,
            Tier::Platinum => &mut self.platinum,
        };
        *count = count.saturating_add(number);
    }

    /// All together.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.none + self.bronze + self.silver + self.gold + self.platinum
    }
}

/// A member's achievements in short.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct AchievementSummary {
    /// Whose.
    pub user: UserId,
    /// How many the member has.
    pub total: u64,
    /// The same by tier.
    pub by_tier: TierCounts,
    /// What all of them paid.
    pub points: Points,
    /// The last five, newest first.
    pub latest: Vec<HeldAchievement>,
    /// How much of the active catalogue the member has.
    pub completion: BasisPoints,
    /// When the last one was unlocked.
    pub last_unlocked_at: Option<Timestamp>,
}

/// How many in a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct MonthCount {
    /// The month.
    pub month: Month,
    /// How many, more than zero.
    pub count: u64,
}

/// A member's achievements over time, in community days.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct AchievementStats {
    /// Whose.
    pub user: UserId,
    /// How many the member has.
    pub total: u64,
    /// Unlocked in the last 30 days, today included.
    pub last_30_days: u64,
    /// Unlocked in the last 7 days, today included.
    pub last_7_days: u64,
    /// Unlocked today.
    pub today: u64,
    /// All by tier.
    pub by_tier: TierCounts,
    /// All by month, ascending; months without any are left out.
    pub by_month: Vec<MonthCount>,
    /// Days in a row with an unlock, up to today or yesterday; 0 when neither had one.
    pub current_streak: u32,
    /// The longest such row ever.
    pub longest_streak: u32,
    /// The place by the number of achievements; `None` without any, or for an inactive member.
    pub rank: Option<u64>,
}

impl AchievementStats {
    /// From all unlocks of the member, in any order. A streak counts days: several unlocks on one
    /// day neither break nor extend it.
    #[must_use]
    pub fn of(
        user: UserId,
        unlocks: &[(Timestamp, Tier)],
        rank: Option<u64>,
        zone: &CommunityZone,
        now: Timestamp,
    ) -> Self {
        let today = zone.day_of(now).epoch_days();
        let mut days: BTreeMap<Day, u64> = BTreeMap::new();
        let mut by_tier = TierCounts::default();
        for (at, tier) in unlocks {
            *days.entry(zone.day_of(*at)).or_default() += 1;
            by_tier.add(*tier, 1);
        }
        let within = |length: i32| {
            let recent = |day: &Day| (today - length + 1..=today).contains(&day.epoch_days());
            days.iter().filter(|(day, _)| recent(day)).map(|(_, count)| count).sum()
        };
        let mut by_month: BTreeMap<Month, u64> = BTreeMap::new();
        for (day, count) in &days {
            *by_month.entry(day.month()).or_default() += count;
        }
        let (current_streak, longest_streak) =
            streaks(days.keys().map(|day| day.epoch_days()), today);
        Self {
            user,
            total: unlocks.len() as u64,
            last_30_days: within(30),
            last_7_days: within(7),
            today: within(1),
            by_tier,
            by_month: by_month
                .into_iter()
                .map(|(month, count)| MonthCount { month, count })
                .collect(),
            current_streak,
            longest_streak,
            rank,
        }
    }
}

/// The current and the longest streak of days, which come once each and ascending.
fn streaks(days: impl Iterator<Item = i32>, today: i32) -> (u32, u32) {
    let (mut current, mut longest, mut last) = (0, 0, None);
    for day in days {
        current = if last == Some(day - 1) { current + 1 } else { 1 };
        longest = longest.max(current);
        last = Some(day);
    }
    let lasts = last.is_some_and(|last| last == today || last == today - 1);
    (if lasts { current } else { 0 }, longest)
}

text_enum! {
    /// What a leaderboard of achievements ranks by.
    AchievementRanking("by") {
        /// How many a member has.
        Count = "count",
        /// What they paid.
        Points = "points",
    }
}

/// A line of a leaderboard of achievements.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct AchievementLeader {
    /// 1 + the number of members with a greater value: equals share a rank.
    pub rank: u64,
    /// The member.
    pub user: UserId,
    /// The member's shown name.
    pub name: String,
    /// Address of the member's picture.
    pub avatar_url: Option<Url>,
    /// How many achievements the member has.
    pub count: u64,
    /// What they paid.
    pub points: Points,
    /// When the last one was unlocked: of equals, who was there first comes first.
    pub last_unlocked_at: Timestamp,
}

/// One achievement among active members.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct AchievementStatistics {
    /// Which.
    pub achievement: Slug,
    /// Active members who have it.
    pub holders: u64,
    /// Their share of all active members.
    pub rate: BasisPoints,
    /// When it was first unlocked.
    pub first_unlocked_at: Option<Timestamp>,
    /// When it was last unlocked.
    pub last_unlocked_at: Option<Timestamp>,
    /// Unlocks by month of UTC, ascending; months without any are left out.
    pub by_month: Vec<MonthCount>,
}

/// All achievements, and the badges beside them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct AchievementTotals {
    /// Defined.
    pub defined: u64,
    /// Defined and active.
    pub active: u64,
    /// Unlocks by all active members.
    pub unlocks: u64,
    /// Active members with at least one.
    pub holders: u64,
    /// Their share of all active members.
    pub holder_rate: BasisPoints,
    /// What all unlocks paid.
    pub points: Points,
    /// Unlocks by tier.
    pub by_tier: TierCounts,
    /// Unlocks by month of UTC, ascending; months without any are left out.
    pub by_month: Vec<MonthCount>,
    /// Badges defined.
    pub badges: u64,
    /// Badges in the hands of active members.
    pub badges_held: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn stats(unlocks: &[&str], zone: &CommunityZone, now: &str) -> AchievementStats {
        let unlocks: Vec<_> = unlocks.iter().map(|text| (at(text), Tier::Bronze)).collect();
        AchievementStats::of(UserId(1), &unlocks, Some(1), zone, at(now))
    }

    #[test]
    fn a_streak_counts_days_and_not_unlocks() {
        let days = [
            "2026-01-01T08:00:00Z",
            "2026-01-02T08:00:00Z",
            "2026-01-03T08:00:00Z",
            "2026-01-09T23:59:59Z",
            "2026-01-09T00:00:00Z",
            "2026-01-09T12:00:00Z",
            "2026-01-10T00:00:00Z",
        ];
        let utc = CommunityZone::utc();
        let streaks = |now| {
            let stats = stats(&days, &utc, now);
            (stats.current_streak, stats.longest_streak)
        };
        assert_eq!(streaks("2026-01-10T12:00:00Z"), (2, 3));
        assert_eq!(streaks("2026-01-11T23:59:59Z"), (2, 3), "yesterday still counts");
        assert_eq!(streaks("2026-01-12T00:00:00Z"), (0, 3));
        assert_eq!(stats(&[], &utc, "2026-01-12T00:00:00Z").longest_streak, 0);
    }

    #[test]
    fn days_are_those_of_the_community() {
        let unlocks = ["2026-06-29T22:30:00Z", "2026-06-30T22:30:00Z"];
        let madrid = CommunityZone::parse("Europe/Madrid").unwrap();
        let there = stats(&unlocks, &madrid, "2026-07-01T10:00:00Z");
        assert_eq!((there.today, there.current_streak, there.by_month.len()), (1, 2, 2));
        let utc = stats(&unlocks, &CommunityZone::utc(), "2026-07-01T10:00:00Z");
        assert_eq!((utc.today, utc.current_streak, utc.by_month.len()), (0, 2, 1));
        assert_eq!(utc.by_month[0], MonthCount { month: Month::new(2026, 6).unwrap(), count: 2 });
    }

    #[test]
    fn windows_end_today_and_include_their_first_day() {
        let days = ["2026-03-31T00:00:00Z", "2026-03-25T00:00:00Z", "2026-03-02T00:00:00Z"];
        let utc = CommunityZone::utc();
        let march = stats(&days, &utc, "2026-03-31T23:00:00Z");
        assert_eq!((march.today, march.last_7_days, march.last_30_days), (1, 2, 3));
        let april = stats(&days, &utc, "2026-04-01T00:00:00Z");
        assert_eq!((april.today, april.last_7_days, april.last_30_days), (0, 1, 2));
        assert_eq!((april.total, april.by_tier.bronze, april.by_tier.total()), (3, 3, 3));
    }
}
