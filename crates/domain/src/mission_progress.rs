//! How far members are with missions.

use std::fmt;
use std::str::FromStr;

use crate::amount::BasisPoints;
use crate::ledger::text_enum;
use crate::mission::MissionPeriod;
use crate::mission_catalogue::{Mission, Objective, ObjectiveMode};
use crate::mission_standing::MissionStanding;
use crate::text::Slug;
use crate::time::{CommunityZone, Timestamp};
use crate::user::{EntryId, UserId};
use crate::violation::{Rule, Violation};

text_enum! {
    /// What became of a mission in one period.
    MissionStatus("status") {
        /// Under way.
        Active = "active",
        /// Done; for this period that stays so.
        Completed = "completed",
        /// Given up, until it is started again.
        Abandoned = "abandoned",
    }
}

/// How much of one objective is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ObjectiveProgress {
    /// The place of the objective in its mission, from 0.
    pub idx: u16,
    /// How much was done: 0 to [`Objective::VALUE_MAX`], and it may pass the target.
    pub value: u64,
    /// How much is asked for today.
    pub target: u64,
    /// When something was last counted; `None` while nothing was.
    pub updated_at: Option<Timestamp>,
}

impl ObjectiveProgress {
    /// Whether as much was done as is asked for.
    #[must_use]
    pub const fn is_met(&self) -> bool {
        self.value >= self.target
    }
}

/// Whether every objective is met. Of no objectives, none is.
#[must_use]
pub fn objectives_met(objectives: &[ObjectiveProgress]) -> bool {
    !objectives.is_empty() && objectives.iter().all(ObjectiveProgress::is_met)
}

/// The mean of what is done of each objective, none counting more than whole; 0 without any.
#[must_use]
pub fn objectives_progress(objectives: &[ObjectiveProgress]) -> BasisPoints {
    let whole = u64::try_from(BasisPoints::ONE.get()).unwrap_or(0);
    // Values are at most 10^12: times 10 000 they fit. A target of 0 would be met.
    let share = |o: &ObjectiveProgress| match o.target {
        target if o.value < target => o.value * whole / target,
        _ => whole,
    };
    let sum: u64 = objectives.iter().map(share).sum();
    BasisPoints::share(sum, whole * objectives.len() as u64)
}

/// A mission in a member's hands, for one period.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct UserMission {
    /// The member.
    pub user: UserId,
    /// The mission.
    pub mission: Slug,
    /// The period it counts for.
    pub period: MissionPeriod,
    /// What became of it.
    pub status: MissionStatus,
    /// When it was begun.
    pub started_at: Timestamp,
    /// When it was completed.
    pub completed_at: Option<Timestamp>,
    /// The ledger entry of its first reward of points.
    pub rewarded_entry: Option<EntryId>,
    /// Whether another system paid for it, from which it was imported: it is never paid here,
    /// whatever is reset.
    pub paid_elsewhere: bool,
    /// How far each objective is that the mission has today, in their order.
    pub objectives: Vec<ObjectiveProgress>,
    /// Starts at 1, one more with each change of the status.
    pub version: i64,
}

impl UserMission {
    /// How much of the mission is done: all of it once completed, else [`objectives_progress`].
    #[must_use]
    pub fn progress(&self) -> BasisPoints {
        match self.status {
            MissionStatus::Completed => BasisPoints::ONE,
            MissionStatus::Active | MissionStatus::Abandoned => {
                objectives_progress(&self.objectives)
            }
        }
    }

    /// Whether every objective is met, so that the period may be closed.
    #[must_use]
    pub fn is_met(&self) -> bool {
        objectives_met(&self.objectives)
    }
}

/// A mission, and where a member stands in it.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct MemberMission {
    /// The mission.
    pub mission: Mission,
    /// Where the member stands.
    pub standing: MissionStanding,
}

impl MemberMission {
    /// How much of the current period is done; 0 before it is begun.
    #[must_use]
    pub fn progress(&self) -> BasisPoints {
        self.standing.current.as_ref().map_or(BasisPoints::share(0, 1), UserMission::progress)
    }

    /// The same at a later instant, if nothing was written since.
    #[must_use]
    pub fn later(self, zone: &CommunityZone, now: Timestamp) -> Self {
        let standing = self.mission.standing_later(self.standing, zone, now);
        Self { mission: self.mission, standing }
    }
}

/// A mission that a member completed.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct CompletedMission {
    /// The mission, as it is today.
    pub mission: Mission,
    /// The period it was completed in.
    pub period: MissionPeriod,
    /// When.
    pub completed_at: Timestamp,
}

/// A change of how much of an objective is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advance {
    /// So much more, at least 1.
    Add(u64),
    /// At least so much, which is at least 1.
    Max(u64),
    /// Exactly so much, be it more or less than before.
    Set(u64),
}

impl Advance {
    /// What an amount means to an objective of this mode.
    #[must_use]
    pub const fn of(mode: ObjectiveMode, amount: u64) -> Self {
        match mode {
            ObjectiveMode::Add => Self::Add(amount),
            ObjectiveMode::Max => Self::Max(amount),
        }
    }

    /// The number in it.
    #[must_use]
    pub const fn amount(self) -> u64 {
        match self {
            Self::Add(amount) | Self::Max(amount) | Self::Set(amount) => amount,
        }
    }

    /// Refuses an amount out of range.
    pub fn check(self) -> Result<(), Violation> {
        let min = u64::from(!matches!(self, Self::Set(_)));
        if (min..=Objective::VALUE_MAX).contains(&self.amount()) {
            return Ok(());
        }
        let column = |value| i64::try_from(value).unwrap_or(i64::MAX);
        let rule = Rule::OutOfRange { min: column(min), max: column(Objective::VALUE_MAX) };
        Err(Violation::new("amount", rule))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn done(parts: &[(u64, u64)]) -> Vec<ObjectiveProgress> {
        let part =
            |(idx, &(value, target))| ObjectiveProgress { idx, value, target, updated_at: None };
        (0..).zip(parts).map(part).collect()
    }

    #[test]
    fn progress_is_the_mean_and_no_part_counts_more_than_whole() {
        for (parts, bp) in [
            (&[][..], 0),
            (&[(0, 3)][..], 0),
            (&[(1, 3)], 3_333),
            (&[(3, 3)], 10_000),
            (&[(9, 3), (0, 1)], 5_000),
            (&[(1, 3), (1, 3), (1, 3)], 3_333),
            (&[(Objective::VALUE_MAX - 1, Objective::VALUE_MAX)], 9_999),
        ] {
            assert_eq!(objectives_progress(&done(parts)).get(), bp, "{parts:?}");
        }
        let crowd = vec![(Objective::VALUE_MAX, Objective::VALUE_MAX); Mission::OBJECTIVES_MAX];
        assert_eq!(objectives_progress(&done(&crowd)), BasisPoints::ONE);
    }

    #[test]
    fn a_mission_is_met_when_every_objective_is() {
        assert!(!objectives_met(&done(&[])));
        assert!(!objectives_met(&done(&[(3, 3), (0, 1)])));
        assert!(objectives_met(&done(&[(3, 3), (5, 1)])));
    }

    #[test]
    fn amounts_are_bounded() {
        for (advance, valid) in [
            (Advance::Add(0), false),
            (Advance::Max(0), false),
            (Advance::Set(0), true),
            (Advance::Add(1), true),
            (Advance::Max(Objective::VALUE_MAX), true),
            (Advance::Set(Objective::VALUE_MAX + 1), false),
            (Advance::Add(u64::MAX), false),
        ] {
            assert_eq!(advance.check().is_ok(), valid, "{advance:?}");
        }
    }
}
