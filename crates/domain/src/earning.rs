//! Earning rules: what taking part pays.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::amount::Amount;
use crate::ledger::{PointEntry, text_enum};
use crate::time::{CommunityZone, Day};
use crate::violation::{Rule, Violation};

text_enum! {
    /// What a member took part in.
    Participation("participation") {
        /// Wrote a post.
        Post = "post",
        /// Wrote a comment.
        Comment = "comment",
        /// Answered a poll.
        Poll = "poll",
        /// Anything else.
        Other = "other",
    }
}

/// What earning rules pay; the defaults are those of the reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EarningRules {
    /// Whose midnight begins a new day.
    pub zone: CommunityZone,
    /// For a message: 1.
    pub message: Amount,
    /// Between messages that pay: 30 s.
    pub message_interval: Duration,
    /// For a check-in: 10.
    pub check_in: Amount,
    /// On top on every seventh day of a streak: 25.
    pub weekly_bonus: Amount,
    /// The daily gift: 5.
    pub daily_gift: Amount,
    /// Between gifts: 24 h.
    pub gift_cooldown: Duration,
    /// For a post: 5.
    pub post: Amount,
    /// For a comment: 2.
    pub comment: Amount,
    /// For a poll: 2.
    pub poll: Amount,
    /// For other participation: 1.
    pub other: Amount,
}

impl EarningRules {
    /// What this participation pays.
    #[must_use]
    pub const fn participation(&self, kind: Participation) -> Amount {
        match kind {
            Participation::Post => self.post,
            Participation::Comment => self.comment,
            Participation::Poll => self.poll,
            Participation::Other => self.other,
        }
    }
}

impl Default for EarningRules {
    fn default() -> Self {
        const fn points(whole: i64) -> Amount {
            match Amount::whole(whole) {
                Ok(amount) => amount,
                Err(_) => panic!("evaluated when compiling"),
            }
        }
        const ONE: Amount = points(1);
        const TWO: Amount = points(2);
        const FIVE: Amount = points(5);
        const TEN: Amount = points(10);
        const TWENTY_FIVE: Amount = points(25);
        Self {
            zone: CommunityZone::utc(),
            message: ONE,
            message_interval: Duration::from_secs(30),
            check_in: TEN,
            weekly_bonus: TWENTY_FIVE,
            daily_gift: FIVE,
            gift_cooldown: Duration::from_secs(24 * 3600),
            post: FIVE,
            comment: TWO,
            poll: TWO,
            other: ONE,
        }
    }
}

/// A successful check-in.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct CheckIn {
    /// The community day.
    pub day: Day,
    /// Days without a gap, this one included.
    pub streak: u32,
    /// The entry of the day.
    pub entry: PointEntry,
    /// The entry of the weekly bonus, on every seventh day of a streak.
    pub bonus: Option<PointEntry>,
}

/// The streak after checking in on `today`, having been at `streak` on `last`.
#[must_use]
pub fn check_in_streak(last: Option<Day>, streak: u32, today: Day) -> u32 {
    if last == Some(today.previous()) { streak.saturating_add(1) } else { 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_streak_goes_on_from_yesterday_only() {
        let today: Day = "2026-03-01".parse().unwrap();
        let yesterday: Day = "2026-02-28".parse().unwrap();
        assert_eq!(check_in_streak(Some(yesterday), 6, today), 7);
        assert_eq!(check_in_streak(Some(yesterday.previous()), 6, today), 1);
        assert_eq!(check_in_streak(None, 0, today), 1);
    }
}
