//! What members do: statistics, counters, active days.

use crate::text::Slug;
use crate::time::{Day, Timestamp};
use crate::user::{Patch, UserId};
use crate::violation::{Rule, Violation};

/// A member's statistics. The row exists from registration on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct UserStats {
    /// The member.
    pub user: UserId,
    /// Messages ever recorded.
    pub messages_sent: u64,
    /// When a message last earned points.
    pub last_message_award_at: Option<Timestamp>,
    /// When a reaction last earned points.
    pub last_reaction_award_at: Option<Timestamp>,
    /// Days checked in without a gap, up to the last one.
    pub checkin_streak: u32,
    /// The longest such streak ever.
    pub longest_streak: u32,
    /// The day last checked in.
    pub last_checkin_day: Option<Day>,
    /// When the daily gift was last claimed.
    pub last_gift_at: Option<Timestamp>,
    /// Days with any activity.
    pub days_active: u64,
    /// Pieces of content read.
    pub content_read: u64,
    /// Minutes spent reading.
    pub reading_minutes: u64,
    /// Days read without a gap.
    pub reading_streak: u32,
    /// The day last read.
    pub last_read_day: Option<Day>,
    /// Starts at 1, one more with each update.
    pub version: i64,
}

impl UserStats {
    /// The statistics of a member who has just registered.
    #[must_use]
    pub const fn at_zero(user: UserId) -> Self {
        Self {
            user,
            messages_sent: 0,
            last_message_award_at: None,
            last_reaction_award_at: None,
            checkin_streak: 0,
            longest_streak: 0,
            last_checkin_day: None,
            last_gift_at: None,
            days_active: 0,
            content_read: 0,
            reading_minutes: 0,
            reading_streak: 0,
            last_read_day: None,
            version: 1,
        }
    }
}

/// Changes of a member's statistics that no workflow owns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StatsPatch {
    /// Pieces of content read.
    pub content_read: Option<u64>,
    /// Minutes spent reading.
    pub reading_minutes: Option<u64>,
    /// Days read without a gap.
    pub reading_streak: Option<u32>,
    /// The day last read.
    pub last_read_day: Patch<Day>,
}

/// A sign of life: `requests` made by `user` at `at`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActivityRecord {
    /// The member.
    pub user: UserId,
    /// When.
    pub at: Timestamp,
    /// How many requests; may be 0.
    pub requests: u32,
}

/// How values of one counter combine. Fixed a counter for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum CounterFold {
    /// The value is added.
    Sum,
    /// The greatest value stays.
    Max,
    /// The least value stays.
    Min,
}

/// A counter's value.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Counter {
    /// Its name.
    pub counter: Slug,
    /// Its value.
    pub value: i64,
    /// When it was last bumped.
    pub updated_at: Timestamp,
}

/// A value to be folded into a counter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CounterBump {
    /// The counter's name.
    pub counter: Slug,
    /// The value.
    pub value: i64,
    /// How it is folded in.
    pub fold: CounterFold,
}

impl CounterBump {
    /// A bump of a counter that Guildhall defines; the name decides how it folds.
    pub fn builtin(counter: &str, value: i64) -> Result<Self, Violation> {
        let expected = "the name of a built-in counter, or a bump with a fold of its own";
        let unknown = Violation::new("counter", Rule::Malformed { expected });
        let fold = builtin_fold(counter).ok_or(unknown)?;
        Ok(Self { counter: Slug::parse(counter)?, value, fold })
    }
}

/// How the counters that Guildhall defines fold; `None` for those of applications.
#[must_use]
pub fn builtin_fold(counter: &str) -> Option<CounterFold> {
    match counter {
        "messages" | "reactions" | "checkins" | "invites" | "missions_completed"
        | "tests_completed" | "perfect_tests" | "questions_answered" => Some(CounterFold::Sum),
        "highest_score_bp" | "best_streak" => Some(CounterFold::Max),
        "lowest_score_bp" => Some(CounterFold::Min),
        _ => None,
    }
}
