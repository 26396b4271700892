//! Rows of statistics and counters.

use std::error::Error;

use diesel::prelude::*;
use guildhall_domain::{Counter, CounterFold, UserId, UserStats};
use guildhall_repository::StorageError;

use super::{column, corrupt, count};
use crate::schema::{user_counters, user_stats};
use crate::types::{DbDay, DbTime};

/// A row of `user_stats`.
#[derive(Clone, Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = user_stats, treat_none_as_null = true, treat_none_as_default_value = false)]
pub(crate) struct StatsRow {
    pub(crate) user_id: i64,
    pub(crate) messages_sent: i64,
    pub(crate) last_message_award_at: Option<DbTime>,
    pub(crate) last_reaction_award_at: Option<DbTime>,
    pub(crate) checkin_streak: i64,
    pub(crate) longest_streak: i64,
    pub(crate) last_checkin_day: Option<DbDay>,
    pub(crate) last_gift_at: Option<DbTime>,
    pub(crate) days_active: i64,
    pub(crate) content_read: i64,
    pub(crate) reading_minutes: i64,
    pub(crate) reading_streak: i64,
    pub(crate) last_read_day: Option<DbDay>,
    pub(crate) version: i64,
}

impl StatsRow {
    /// The row of a member's statistics.
    pub(crate) fn of(stats: &UserStats) -> Self {
        Self {
            user_id: stats.user.0,
            messages_sent: column(stats.messages_sent),
            last_message_award_at: stats.last_message_award_at.map(DbTime),
            last_reaction_award_at: stats.last_reaction_award_at.map(DbTime),
            checkin_streak: i64::from(stats.checkin_streak),
            longest_streak: i64::from(stats.longest_streak),
            last_checkin_day: stats.last_checkin_day.map(DbDay),
            last_gift_at: stats.last_gift_at.map(DbTime),
            days_active: column(stats.days_active),
            content_read: column(stats.content_read),
            reading_minutes: column(stats.reading_minutes),
            reading_streak: i64::from(stats.reading_streak),
            last_read_day: stats.last_read_day.map(DbDay),
            version: stats.version,
        }
    }

    /// The statistics of a row.
    pub(crate) fn into_stats(self) -> UserStats {
        let streak = |days: i64| u32::try_from(days).unwrap_or(0);
        UserStats {
            user: UserId(self.user_id),
            messages_sent: count(self.messages_sent),
            last_message_award_at: self.last_message_award_at.map(|time| time.0),
            last_reaction_award_at: self.last_reaction_award_at.map(|time| time.0),
            checkin_streak: streak(self.checkin_streak),
            longest_streak: streak(self.longest_streak),
            last_checkin_day: self.last_checkin_day.map(|day| day.0),
            last_gift_at: self.last_gift_at.map(|time| time.0),
            days_active: count(self.days_active),
            content_read: count(self.content_read),
            reading_minutes: count(self.reading_minutes),
            reading_streak: streak(self.reading_streak),
            last_read_day: self.last_read_day.map(|day| day.0),
            version: self.version,
        }
    }
}

/// A row of `user_counters`.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = user_counters, treat_none_as_default_value = false)]
pub(crate) struct CounterRow {
    pub(crate) user_id: i64,
    pub(crate) counter: String,
    pub(crate) value: i64,
    pub(crate) fold: String,
    pub(crate) updated_at: DbTime,
}

impl CounterRow {
    /// The counter of a row.
    pub(crate) fn into_counter(self) -> Result<Counter, StorageError> {
        let key = format!("{} of user {}", self.counter, self.user_id);
        let restored = || -> Result<Counter, Box<dyn Error>> {
            let (counter, updated_at) = (self.counter.try_into()?, self.updated_at.0);
            Ok(Counter { counter, value: self.value, updated_at })
        };
        restored().map_err(corrupt("counter", key))
    }
}

/// How a fold is stored.
pub(crate) const fn fold_name(fold: CounterFold) -> &'static str {
    match fold {
        CounterFold::Sum => "sum",
        CounterFold::Max => "max",
        CounterFold::Min => "min",
    }
}
