//! Where a member stands in a mission: which period counts now, and whether anything counts.

use std::fmt;
use std::str::FromStr;

use crate::ledger::text_enum;
use crate::mission::{MissionCadence, MissionPeriod};
use crate::mission_catalogue::Mission;
use crate::mission_progress::{MissionStatus, UserMission};
use crate::time::{CommunityZone, Timestamp};
use crate::violation::{Rule, Violation};

text_enum! {
    /// Whether what a member does counts for a mission now, and if not, why.
    MissionAvailability("availability") {
        /// It counts, whether or not the member has begun.
        Open = "open",
        /// The member gave it up for this period; starting it takes it up again.
        Abandoned = "abandoned",
        /// Completed in this period.
        Done = "done",
        /// Completed, and the next period has not opened yet.
        Cooldown = "cooldown",
        /// The mission starts later.
        NotStarted = "not_started",
        /// The mission is over.
        Ended = "ended",
        /// The mission is switched off.
        Inactive = "inactive",
    }
}

/// Where a member stands in a mission.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct MissionStanding {
    /// The period that counts now.
    pub period: MissionPeriod,
    /// Whether anything counts.
    pub availability: MissionAvailability,
    /// When that which does not count now will count; `None` when it counts, or never will.
    pub next_at: Option<Timestamp>,
    /// What the member has of the current period; `None` before it is begun.
    pub current: Option<UserMission>,
}

impl MissionStanding {
    /// Whether the mission was completed in the period that counts now.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.current.as_ref().is_some_and(|row| row.status == MissionStatus::Completed)
    }
}

impl Mission {
    /// Where a member stands at `now`. `latest` is what the member has of the period that the
    /// calendar says, or, of a repeatable mission, of the last time.
    #[must_use]
    pub fn standing(
        &self,
        latest: Option<UserMission>,
        zone: &CommunityZone,
        now: Timestamp,
    ) -> MissionStanding {
        let done = latest.as_ref().filter(|row| row.status == MissionStatus::Completed);
        let (period, opens_at) = match (self.cadence, &latest, done) {
            (MissionCadence::Repeatable, _, Some(done)) => self.after(done),
            (MissionCadence::Repeatable, Some(row), None) => (row.period, None),
            (cadence, _, _) => {
                let period = MissionPeriod::current(cadence, zone.day_of(now), 0);
                (period, done.and_then(|_| period.ends_at(zone)))
            }
        };
        let cooling = opens_at.is_some_and(|at| at > now);
        // Of a repeatable mission whose next time has come, nothing is there yet.
        let current = if self.cadence == MissionCadence::Repeatable && done.is_some() && !cooling {
            None
        } else {
            latest
        };
        let period = current.as_ref().map_or(period, |row| row.period);
        let (availability, next_at) = self.availability(current.as_ref(), opens_at, now);
        // What opens after the end of the mission never will.
        let next_at = next_at.filter(|at| self.ends_at.is_none_or(|end| *at < end));
        MissionStanding { period, availability, next_at, current }
    }

    pub(crate) fn standing_later(
        &self,
        before: MissionStanding,
        zone: &CommunityZone,
        now: Timestamp,
    ) -> MissionStanding {
        if self.cadence == MissionCadence::Repeatable && before.current.is_none() {
            // Which time it is follows from earlier ones, and they are not at hand.
            let (availability, next_at) = self.availability(None, None, now);
            return MissionStanding { availability, next_at, ..before };
        }
        let period = MissionPeriod::current(self.cadence, zone.day_of(now), 0);
        let repeatable = self.cadence == MissionCadence::Repeatable;
        let latest = before.current.filter(|row| repeatable || row.period == period);
        self.standing(latest, zone, now)
    }

    fn availability(
        &self,
        current: Option<&UserMission>,
        opens_at: Option<Timestamp>,
        now: Timestamp,
    ) -> (MissionAvailability, Option<Timestamp>) {
        if !self.is_active {
            return (MissionAvailability::Inactive, None);
        }
        if let Some(start) = self.starts_at.filter(|start| now < *start) {
            return (MissionAvailability::NotStarted, Some(start));
        }
        if self.ends_at.is_some_and(|end| end <= now) {
            return (MissionAvailability::Ended, None);
        }
        match current.map(|row| row.status) {
            None | Some(MissionStatus::Active) => (MissionAvailability::Open, None),
            Some(MissionStatus::Abandoned) => (MissionAvailability::Abandoned, None),
            Some(MissionStatus::Completed) if self.cadence == MissionCadence::Repeatable => {
                (MissionAvailability::Cooldown, opens_at)
            }
            Some(MissionStatus::Completed) => (MissionAvailability::Done, opens_at),
        }
    }

    /// The time after a completed one, and when it opens.
    fn after(&self, done: &UserMission) -> (MissionPeriod, Option<Timestamp>) {
        let times = done.period.nth().unwrap_or(0);
        let completed_at = done.completed_at.unwrap_or(done.started_at);
        (MissionPeriod::Time(times.saturating_add(1)), Some(completed_at.plus(self.cooldown())))
    }
}

impl MissionPeriod {
    /// Which time of a repeatable mission; `None` for a period of the calendar.
    #[must_use]
    pub const fn nth(self) -> Option<u32> {
        match self {
            Self::Time(n) => Some(n),
            Self::Once | Self::Day(_) | Self::Week { .. } => None,
        }
    }

    /// The first instant after a day or a week of the calendar; `None` for what the calendar does
    /// not end.
    #[must_use]
    pub fn ends_at(self, zone: &CommunityZone) -> Option<Timestamp> {
        match self {
            Self::Day(day) => Some(zone.start_of(day.next())),
            Self::Week { year, week } => {
                // The fourth of January lies in the first week of its year.
                let first = format!("{year:04}-01-04").parse().ok()?;
                let mut day: crate::time::Day = first;
                while day.iso_week() == (year, 1) {
                    day = day.next();
                }
                for _ in 7..u32::from(week) * 7 {
                    day = day.next();
                }
                Some(zone.start_of(day))
            }
            Self::Once | Self::Time(_) => None,
        }
    }
}

#[cfg(test)]
#[path = "mission_standing_tests.rs"]
mod tests;
