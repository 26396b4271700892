//! Figures about missions.

use crate::amount::{BasisPoints, Points};
use crate::mission::MissionPeriod;
use crate::text::Slug;
use crate::time::Timestamp;
use crate::user::UserId;

/// How one mission is received.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct MissionStatistics {
    /// The mission.
    pub mission: Slug,
    /// How often it was begun, by anybody, in any period.
    pub attempts: u64,
    /// How many of those were completed.
    pub completed: u64,
    /// The share of those completed.
    pub completion_rate: BasisPoints,
    /// The mean progress of all attempts, a completed one counting as whole.
    pub progress_mean: BasisPoints,
    /// The least progress of an attempt; 0 without attempts.
    pub progress_min: BasisPoints,
    /// The greatest progress of an attempt; 0 without attempts.
    pub progress_max: BasisPoints,
}

/// What one member made of missions.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct UserMissionStatistics {
    /// The member.
    pub user: UserId,
    /// How many periods of missions were begun.
    pub started: u64,
    /// How many of those were completed.
    pub completed: u64,
    /// The share of those completed.
    pub completion_rate: BasisPoints,
    /// What the ledger says was paid for missions, less what was taken back.
    pub points_earned: Points,
}

/// Missions as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct MissionTotals {
    /// Missions in the catalogue.
    pub missions: u64,
    /// Those that are switched on.
    pub active: u64,
    /// Members who began any.
    pub users: u64,
    /// How often any was begun.
    pub attempts: u64,
    /// How often any was completed.
    pub completions: u64,
    /// What the ledger says was paid for missions, less what was taken back.
    pub points_paid: Points,
}

/// That a member completed a mission.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct MissionCompletion {
    /// The member.
    pub user: UserId,
    /// The mission.
    pub mission: Slug,
    /// The period.
    pub period: MissionPeriod,
    /// When.
    pub completed_at: Timestamp,
}
