//! Where the progress of members with missions is kept.

use async_trait::async_trait;
use guildhall_domain::{
    Advance, BasisPoints, CommunityZone, CompletedMission, EntryId, MemberMission, MissionCadence,
    MissionPeriod, MissionStanding, MissionStatus, ObjectiveKind, ObjectiveProgress, Outcome, Slug,
    Timestamp, UserId, UserMission,
};

use crate::{ListLimit, Page, PageRequest, StorageError};

/// Where a step led.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissionStep {
    /// How far each objective is that the mission has.
    pub objectives: Vec<ObjectiveProgress>,
    /// Whether this step completed the period.
    pub completed: bool,
    /// Whether any mission asks for this one, so that its completion counts for others. Only told
    /// of a step that completed the period.
    pub asked_for: bool,
}

/// Where the progress of members with missions is kept. Every implementation passes
/// `guildhall_testkit::contract::mission_progress`.
///
/// The writes are the steps that workflows are made of: each is atomic, and a repeat of it changes
/// nothing or says so. Nothing is paid here. Inside a unit that does several of them for a member,
/// the member's account is locked first.
#[cfg_attr(feature = "mock", mockall::automock)] // Stays above `async_trait`: mockall requires it.
#[async_trait]
pub trait MissionProgressRepository: Send + Sync {
    /// Every mission that is active at `now` and has an objective that counts `key`, with the
    /// member's current period, in ascending order of ids; at most 200.
    /// [`Mission::asking`](guildhall_domain::Mission::asking) tells the objectives. Missions whose
    /// current period is done or abandoned are among them.
    async fn objectives_for(
        &self,
        user: UserId,
        kind: ObjectiveKind,
        key: &Slug,
        zone: &CommunityZone,
        now: Timestamp,
    ) -> Result<Vec<MemberMission>, StorageError>;

    /// A mission and where the member stands in it at `now`; `None` without the mission. Whether
    /// there is such a member is not asked.
    async fn member_mission(
        &self,
        user: UserId,
        mission: &Slug,
        zone: &CommunityZone,
        now: Timestamp,
    ) -> Result<Option<MemberMission>, StorageError>;

    /// What the member has of one period, or `None`.
    async fn user_mission(
        &self,
        user: UserId,
        mission: &Slug,
        period: MissionPeriod,
    ) -> Result<Option<UserMission>, StorageError>;

    /// The member's missions of all periods: completed last first, what is not completed last;
    /// then by mission and period.
    async fn user_missions(
        &self,
        user: UserId,
        status: Option<MissionStatus>,
        page: &PageRequest,
    ) -> Result<Page<UserMission>, StorageError>;

    /// What the member completed, last first, then by mission and period.
    async fn completed(
        &self,
        user: UserId,
        page: &PageRequest,
    ) -> Result<Page<CompletedMission>, StorageError>;

    /// Missions that are active at `now` and that the member has begun in the current period and
    /// not completed; abandoned ones are not among them. By `sort_order`, age and id.
    async fn pending(
        &self,
        user: UserId,
        zone: &CommunityZone,
        now: Timestamp,
        page: &PageRequest,
    ) -> Result<Page<MemberMission>, StorageError>;

    /// Missions that are active at `now` and that the member has not completed in the current
    /// period, begun or not; repeatable ones once their cooldown is over. By `sort_order`, age and
    /// id.
    async fn available(
        &self,
        user: UserId,
        cadence: Option<MissionCadence>,
        limit: ListLimit,
        zone: &CommunityZone,
        now: Timestamp,
    ) -> Result<Vec<MemberMission>, StorageError>;

    /// Every mission that is switched on, be its time to come or over, begun or not, done or not,
    /// with where the member stands in it at `now`. By `sort_order`, age and id.
    async fn standings(
        &self,
        user: UserId,
        cadence: Option<MissionCadence>,
        limit: ListLimit,
        zone: &CommunityZone,
        now: Timestamp,
    ) -> Result<Vec<MemberMission>, StorageError>;

    /// Where the member stands in a mission at `now`: whether it is done, whether anything counts,
    /// why not and from when. `NotFound` without the mission.
    async fn standing(
        &self,
        user: UserId,
        mission: &Slug,
        zone: &CommunityZone,
        now: Timestamp,
    ) -> Result<MissionStanding, StorageError> {
        let found = self.member_mission(user, mission, zone, now).await?;
        Ok(found.ok_or_else(|| StorageError::not_found("mission", mission))?.standing)
    }

    /// How much of the current period is done; 0 before it is begun. `NotFound` without the
    /// mission.
    async fn progress(
        &self,
        user: UserId,
        mission: &Slug,
        zone: &CommunityZone,
        now: Timestamp,
    ) -> Result<BasisPoints, StorageError> {
        let found = self.member_mission(user, mission, zone, now).await?;
        Ok(found.ok_or_else(|| StorageError::not_found("mission", mission))?.progress())
    }

    /// Begins the current period of a mission, or takes up one that was abandoned. The value is a
    /// replay when it was under way. `NotFound` without mission or member; `InvalidState` when the
    /// mission is inactive, over or not begun; `LimitExceeded` when this period is done, with the
    /// time at which the next one opens, if one will.
    async fn start(
        &self,
        user: UserId,
        mission: &Slug,
        zone: &CommunityZone,
        now: Timestamp,
    ) -> Result<Outcome<UserMission>, StorageError>;

    /// Begins a period, whatever the mission says of it; one that is there, in any status, is given
    /// back as a replay. `NotFound` without mission or member.
    async fn open_period(
        &self,
        user: UserId,
        mission: &Slug,
        period: MissionPeriod,
        now: Timestamp,
    ) -> Result<Outcome<UserMission>, StorageError>;

    /// Changes how much of one objective is done, and gives all objectives of the mission as they
    /// are after it. Concurrent calls lose nothing. A completed period stays as it is, and the
    /// value is a replay. `NotFound` without the period or the objective; `InvalidState` for an
    /// abandoned period.
    async fn advance(
        &self,
        user: UserId,
        mission: &Slug,
        period: MissionPeriod,
        idx: u16,
        change: Advance,
        now: Timestamp,
    ) -> Result<Outcome<Vec<ObjectiveProgress>>, StorageError>;

    /// All of a member's step with a mission at once: begins the period unless it was begun, makes
    /// the changes to objectives in their order, and completes the period when all objectives that
    /// the mission has are met. Who gets `completed` pays, unless `paid_elsewhere`. On a completed
    /// period it is a replay that changes nothing.
    ///
    /// `NotFound` without the member, the mission or an objective; `InvalidState` when the period
    /// was abandoned; `Validation` without changes, or for an amount of 0. Nothing is written then.
    async fn step(
        &self,
        user: UserId,
        mission: &Slug,
        period: MissionPeriod,
        changes: &[(u16, Advance)],
        now: Timestamp,
    ) -> Result<Outcome<MissionStep>, StorageError>;

    /// Completes a period that is under way, whether or not its objectives are met. `true` once a
    /// period: who gets it pays, unless `paid_elsewhere`. `NotFound` without the period.
    async fn close_period(
        &self,
        user: UserId,
        mission: &Slug,
        period: MissionPeriod,
        now: Timestamp,
    ) -> Result<bool, StorageError>;

    /// Notes the ledger entry of the first reward; `false` when one is noted already, or there is
    /// no such period.
    async fn set_rewarded_entry(
        &self,
        user: UserId,
        mission: &Slug,
        period: MissionPeriod,
        entry: EntryId,
    ) -> Result<bool, StorageError>;

    /// Gives the current period up. `false` when it was not under way; `InvalidState` when it is
    /// completed; `NotFound` without the mission.
    async fn abandon(
        &self,
        user: UserId,
        mission: &Slug,
        zone: &CommunityZone,
        now: Timestamp,
    ) -> Result<bool, StorageError>;

    /// Takes the current period back to nothing, completed or not; `false` when there was nothing.
    /// What was paid for it stays paid, and is not paid again: of a period that was paid elsewhere
    /// the row stays, under way and without progress, as it knows that. `NotFound` without the
    /// mission.
    async fn reset_current(
        &self,
        user: UserId,
        mission: &Slug,
        zone: &CommunityZone,
        now: Timestamp,
    ) -> Result<bool, StorageError>;

    /// Does as [`Self::reset_current`] for all of the member's missions of a cadence. Gives their
    /// number. `Validation` for a cadence that is not of the calendar.
    async fn reset_cadence_for_user(
        &self,
        user: UserId,
        cadence: MissionCadence,
        zone: &CommunityZone,
        now: Timestamp,
    ) -> Result<u64, StorageError>;

    /// Does the same for the next `limit` members from just past `after`, in ascending order. Gives
    /// the number of periods, and where to go on.
    async fn reset_cadence(
        &self,
        cadence: MissionCadence,
        after: Option<UserId>,
        limit: ListLimit,
        zone: &CommunityZone,
        now: Timestamp,
    ) -> Result<(u64, Option<UserId>), StorageError>;

    /// Writes that another system completed and paid for a period. One that is under way here
    /// becomes completed; one that is completed stays as it is, and the value is a replay.
    /// `NotFound` without mission or member.
    async fn import_completion(
        &self,
        user: UserId,
        mission: &Slug,
        period: MissionPeriod,
        completed_at: Timestamp,
    ) -> Result<Outcome<UserMission>, StorageError>;
}
