//! Instants and calendar days.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::month::Month;
use crate::violation::{Rule, Violation};

/// An instant in UTC, to the microsecond, between the years -9999 and 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "i64", into = "i64"))]
pub struct Timestamp(jiff::Timestamp);

const INSTANT: Rule =
    Rule::Malformed { expected: "an RFC 3339 time with an offset, such as 2026-01-31T12:00:00Z" };

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(jiff::Timestamp::UNIX_EPOCH);

    /// From microseconds since 1970-01-01T00:00:00Z.
    pub fn from_micros(micros: i64) -> Result<Self, Violation> {
        jiff::Timestamp::from_microsecond(micros)
            .map(Self)
            .map_err(|_| Violation::new("time", Rule::Overflow))
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn micros(self) -> i64 {
        self.0.as_microsecond()
    }

    /// From the operating system's time, truncated to microseconds and held within range.
    #[must_use]
    pub fn from_system_time(time: SystemTime) -> Self {
        let micros = match time.duration_since(UNIX_EPOCH) {
            Ok(after) => i64::try_from(after.as_micros()).unwrap_or(i64::MAX),
            Err(before) => -i64::try_from(before.duration().as_micros()).unwrap_or(i64::MAX),
        };
        Self::saturated(micros)
    }

    /// This instant later by `duration`, held within range.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        let micros = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        Self::saturated(self.micros().saturating_add(micros))
    }

    /// This instant earlier by `duration`, held within range.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        let micros = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        Self::saturated(self.micros().saturating_sub(micros))
    }

    /// How long after `earlier` this is; zero when it is not.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        let micros = self.micros().saturating_sub(earlier.micros());
        Duration::from_micros(u64::try_from(micros).unwrap_or(0))
    }

    fn saturated(micros: i64) -> Self {
        // The last microseconds before its own maximum are beyond what jiff converts, and what is
        // kept must come back from a store unchanged: hence bounds in whole seconds.
        let bound = if micros < 0 { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX };
        let bound = jiff::Timestamp::from_second(bound.as_second()).unwrap_or_default();
        Self(jiff::Timestamp::from_microsecond(micros).unwrap_or(bound))
    }

    /// Reads a time without offset, taking it to be of `zone`: `2025-08-25 16:21:57[.ffffff]`.
    /// Only importers do that; every other input needs an offset.
    pub fn parse_naive(raw: &str, zone: &CommunityZone) -> Result<Self, Violation> {
        let expected = Rule::Malformed { expected: "a time such as 2025-08-25 16:21:57" };
        let fail = |_| Violation::new("time", expected);
        let local: jiff::civil::DateTime = raw.trim().parse().map_err(fail)?;
        let zoned = local.to_zoned(zone.0.clone()).map_err(fail)?;
        Self::from_micros(zoned.timestamp().as_microsecond())
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC with the decimals it has: `2026-01-31T12:00:00Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Timestamp {
    type Err = Violation;
    /// Reads RFC 3339; a time without offset is refused. Nanoseconds are cut to microseconds.
    fn from_str(raw: &str) -> Result<Self, Violation> {
        let instant: jiff::Timestamp =
            raw.trim().parse().map_err(|_| Violation::new("time", INSTANT))?;
        Self::from_micros(instant.as_microsecond())
    }
}

impl TryFrom<i64> for Timestamp {
    type Error = Violation;
    fn try_from(micros: i64) -> Result<Self, Violation> {
        Self::from_micros(micros)
    }
}

impl From<Timestamp> for i64 {
    fn from(time: Timestamp) -> i64 {
        time.micros()
    }
}

/// A calendar day of the community.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "i32", into = "i32"))]
pub struct Day(Date);

impl Day {
    /// From days since 1970-01-01.
    pub fn from_epoch_days(days: i32) -> Result<Self, Violation> {
        let span = jiff::Span::new().try_days(days);
        span.and_then(|span| Date::constant(1970, 1, 1).checked_add(span))
            .map(Self)
            .map_err(|_| Violation::new("day", Rule::Overflow))
    }

    /// Days since 1970-01-01.
    #[must_use]
    pub fn epoch_days(self) -> i32 {
        let seconds = self
            .0
            .to_datetime(jiff::civil::Time::midnight())
            .duration_since(Date::constant(1970, 1, 1).to_datetime(jiff::civil::Time::midnight()));
        // Ten thousand years are under four million days.
        i32::try_from(seconds.as_secs().div_euclid(86_400)).unwrap_or(i32::MAX)
    }

    /// The ISO 8601 week it lies in: the year the week belongs to, and 1 to 53.
    #[must_use]
    pub fn iso_week(self) -> (i16, u8) {
        let week = self.0.iso_week_date();
        (week.year(), week.week().unsigned_abs())
    }

    /// The calendar month it lies in.
    #[must_use]
    pub fn month(self) -> Month {
        Month::of_date(self.0)
    }

    /// The day before, or this day at the beginning of time.
    #[must_use]
    pub fn previous(self) -> Self {
        Self(self.0.yesterday().unwrap_or(self.0))
    }

    /// The day after, or this day at the end of time.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.tomorrow().unwrap_or(self.0))
    }
}

impl fmt::Display for Day {
    /// `2026-01-31`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Day {
    type Err = Violation;
    fn from_str(raw: &str) -> Result<Self, Violation> {
        let expected = Rule::Malformed { expected: "a day such as 2026-01-31" };
        raw.trim().parse().map(Self).map_err(|_| Violation::new("day", expected))
    }
}

impl TryFrom<i32> for Day {
    type Error = Violation;
    fn try_from(days: i32) -> Result<Self, Violation> {
        Self::from_epoch_days(days)
    }
}

impl From<Day> for i32 {
    fn from(day: Day) -> i32 {
        day.epoch_days()
    }
}

/// The zone whose midnight begins a new community day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommunityZone(TimeZone);

impl CommunityZone {
    /// UTC, the default.
    #[must_use]
    pub const fn utc() -> Self {
        Self(TimeZone::UTC)
    }

    /// An IANA zone such as `Europe/Madrid`.
    pub fn parse(name: &str) -> Result<Self, Violation> {
        let expected = Rule::Malformed { expected: "an IANA time zone such as Europe/Madrid" };
        TimeZone::get(name).map(Self).map_err(|_| Violation::new("time.zone", expected))
    }

    /// The community day of `now`.
    #[must_use]
    pub fn day_of(&self, now: Timestamp) -> Day {
        Day(self.0.to_datetime(now.0).date())
    }

    /// The first instant of `day`; at the end of time, its last representable one.
    #[must_use]
    pub fn start_of(&self, day: Day) -> Timestamp {
        match day.0.to_zoned(self.0.clone()) {
            Ok(start) => Timestamp::saturated(start.timestamp().as_microsecond()),
            Err(_) => Timestamp::saturated(i64::MAX),
        }
    }
}

impl Default for CommunityZone {
    fn default() -> Self {
        Self::utc()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_round_trip_to_the_microsecond() {
        let time: Timestamp = "2026-01-31T13:00:00.123456+01:00".parse().unwrap();
        assert_eq!(time.to_string(), "2026-01-31T12:00:00.123456Z");
        assert_eq!(Timestamp::from_micros(time.micros()).unwrap(), time);
        assert!("2026-01-31T13:00:00".parse::<Timestamp>().is_err());
        assert!(Timestamp::from_micros(i64::MAX).is_err());
        let last = time.plus(Duration::MAX);
        assert_eq!(Timestamp::from_micros(last.micros()).unwrap(), last);
        assert!(time.minus(Duration::MAX) < time && last > time);
    }

    #[test]
    fn a_community_day_begins_at_its_own_midnight() {
        let madrid = CommunityZone::parse("Europe/Madrid").unwrap();
        let late: Timestamp = "2026-06-30T22:30:00Z".parse().unwrap();
        assert_eq!(madrid.day_of(late).to_string(), "2026-07-01");
        assert_eq!(CommunityZone::utc().day_of(late).to_string(), "2026-06-30");
        assert_eq!(madrid.start_of(madrid.day_of(late)).to_string(), "2026-06-30T22:00:00Z");
        assert!(CommunityZone::parse("Mars/Olympus").is_err());
    }

    #[test]
    fn days_count_from_the_epoch() {
        for days in [-719_000, -1, 0, 1, 20_000, 2_900_000] {
            assert_eq!(Day::from_epoch_days(days).unwrap().epoch_days(), days);
        }
        assert!(Day::from_epoch_days(i32::MAX).is_err());
    }

    #[test]
    fn naive_times_are_of_the_zone_named() {
        let utc = CommunityZone::utc();
        let time = Timestamp::parse_naive("2025-08-25 16:21:57.954841", &utc).unwrap();
        assert_eq!(time.to_string(), "2025-08-25T16:21:57.954841Z");
        assert!(Timestamp::parse_naive("yesterday", &utc).is_err());
    }
}
