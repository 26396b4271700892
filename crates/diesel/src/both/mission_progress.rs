//! Steps of members through missions, compiled once per backend.

use crate::run::RunQueryDsl;
use diesel::prelude::*;
use guildhall_domain::{
    Advance, CommunityZone, CompletedMission, EntryId, MemberMission, MissionAvailability,
    MissionCadence, MissionPeriod, MissionStatus, ObjectiveKind, ObjectiveProgress, Outcome, Rule,
    Slug, Timestamp, UserId, UserMission,
};
use guildhall_repository::{
    ListLimit, MissionProgressRepository, MissionStep, Page, PageRequest, StorageError,
};

use super::lease::{Lease, Mode};
use super::mission_list::{self, member_mission_on, user_mission_on};
use super::mission_open::open_period_on;
use super::{Conn, mission_advance, mission_open, mission_reset};
use crate::fault::{Fault, Worked};
use crate::kept::Keep;
use crate::queries::queries;
use crate::schema::user_missions;
use crate::types::DbTime;

pub(super) const ACTIVE: &str = MissionStatus::Active.as_str();
pub(super) const COMPLETED: &str = MissionStatus::Completed.as_str();
pub(super) const ABANDONED: &str = MissionStatus::Abandoned.as_str();

queries! {
    impl MissionProgressRepository by mission_progress, |lease| {
        Snapshot objectives_for(
            user: UserId,
            kind: ObjectiveKind,
            key: &Slug,
            zone: &CommunityZone,
            now: Timestamp,
        ) -> Vec<MemberMission> => mission_list::objectives_for_on;
        Snapshot member_mission(
            user: UserId,
            mission: &Slug,
            zone: &CommunityZone,
            now: Timestamp,
        ) -> Option<MemberMission> => member_mission_on;
        Snapshot user_mission(user: UserId, mission: &Slug, period: MissionPeriod)
            -> Option<UserMission> => user_mission_on;
        Snapshot user_missions(user: UserId, status: Option<MissionStatus>, page: &PageRequest)
            -> Page<UserMission> => mission_list::user_missions_on;
        Snapshot completed(user: UserId, page: &PageRequest) -> Page<CompletedMission>
            => mission_list::completed_on;
        Snapshot pending(user: UserId, zone: &CommunityZone, now: Timestamp, page: &PageRequest)
            -> Page<MemberMission> => mission_list::pending_on;
        Snapshot available(
            user: UserId,
            cadence: Option<MissionCadence>,
            limit: ListLimit,
            zone: &CommunityZone,
            now: Timestamp,
        ) -> Vec<MemberMission> => mission_list::available_on;
        Snapshot standings(
            user: UserId,
            cadence: Option<MissionCadence>,
            limit: ListLimit,
            zone: &CommunityZone,
            now: Timestamp,
        ) -> Vec<MemberMission> => mission_list::standings_on;
        Transaction start(user: UserId, mission: &Slug, zone: &CommunityZone, now: Timestamp)
            -> Outcome<UserMission> => start_on;
        Statement open_period(
            user: UserId,
            mission: &Slug,
            period: MissionPeriod,
            now: Timestamp,
        ) -> Outcome<UserMission> => open_period_on;
        Statement advance(
            user: UserId,
            mission: &Slug,
            period: MissionPeriod,
            idx: u16,
            change: Advance,
            now: Timestamp,
        ) -> Outcome<Vec<ObjectiveProgress>> {
            change.check()?;
        } => mission_advance::advance_on;
        Transaction step(
            user: UserId,
            mission: &Slug,
            period: MissionPeriod,
            changes: &[(u16, Advance)],
            now: Timestamp,
        ) -> Outcome<MissionStep> {
            if changes.is_empty() {
                return Err(StorageError::invalid("changes", Rule::Empty));
            }
            for (_, change) in changes {
                change.check()?;
            }
        } => mission_advance::step_on;
        Statement close_period(
            user: UserId,
            mission: &Slug,
            period: MissionPeriod,
            now: Timestamp,
        ) -> bool => close_period_on;
        Statement set_rewarded_entry(
            user: UserId,
            mission: &Slug,
            period: MissionPeriod,
            entry: EntryId,
        ) -> bool => set_rewarded_entry_on;
        Transaction abandon(user: UserId, mission: &Slug, zone: &CommunityZone, now: Timestamp)
            -> bool => abandon_on;
        Transaction reset_current(
            user: UserId,
            mission: &Slug,
            zone: &CommunityZone,
            now: Timestamp,
        ) -> bool => mission_reset::reset_current_on;
        Transaction reset_cadence_for_user(
            user: UserId,
            cadence: MissionCadence,
            zone: &CommunityZone,
            now: Timestamp,
        ) -> u64 {
            mission_reset::of_calendar(cadence)?;
        } => mission_reset::reset_cadence_for_user_on;
        Transaction reset_cadence(
            cadence: MissionCadence,
            after: Option<UserId>,
            limit: ListLimit,
            zone: &CommunityZone,
            now: Timestamp,
        ) -> (u64, Option<UserId>) {
            mission_reset::of_calendar(cadence)?;
        } => mission_reset::reset_cadence_on;
        Statement import_completion(
            user: UserId,
            mission: &Slug,
            period: MissionPeriod,
            completed_at: Timestamp,
        ) -> Outcome<UserMission> => mission_open::import_completion_on;
    }
}

/// A mission and where the member stands, for what acts on the current period.
pub(super) async fn found_on(
    conn: &mut Conn,
    user: UserId,
    mission: &Slug,
    zone: &CommunityZone,
    now: Timestamp,
) -> Worked<MemberMission> {
    let found = member_mission_on(conn, user, mission, zone, now).await?;
    Ok(found.ok_or_else(|| StorageError::not_found("mission", mission))?)
}

pub(super) async fn start_on(
    conn: &mut Conn,
    user: UserId,
    mission: &Slug,
    zone: &CommunityZone,
    now: Timestamp,
) -> Worked<Outcome<UserMission>> {
    let standing = found_on(conn, user, mission, zone, now).await?.standing;
    let period = standing.period;
    match standing.availability {
        MissionAvailability::Open => open_period_on(conn, user, mission, period, now).await,
        MissionAvailability::Abandoned => {
            let resumed = turn_on(conn, user, mission, period, ABANDONED, ACTIVE).await?;
            let row = user_mission_on(conn, user, mission, period).await?;
            let row = row.ok_or(Fault::Raced)?;
            Ok(if resumed { Outcome::new(row, Vec::new()) } else { Outcome::replayed(row) })
        }
        MissionAvailability::Done | MissionAvailability::Cooldown => {
            let retry_at = standing.next_at;
            Err(StorageError::LimitExceeded { limit: 1, used: 1, retry_at }.into())
        }
        why @ (MissionAvailability::NotStarted
        | MissionAvailability::Ended
        | MissionAvailability::Inactive) => Err(StorageError::InvalidState {
            entity: "mission",
            key: mission.to_string(),
            state: why.to_string(),
            attempted: "start it",
        }
        .into()),
    }
}

/// Moves a period from one status to another, neither of them completed. `false` when it was not
/// in the first.
async fn turn_on(
    conn: &mut Conn,
    user: UserId,
    mission: &Slug,
    period: MissionPeriod,
    from: &str,
    to: &str,
) -> QueryResult<bool> {
    use user_missions as u;
    let row = u::table.find((user.0, mission.as_str(), period.to_string()));
    let turned = diesel::update(row.filter(u::status.eq(from)))
        .set((u::status.eq(to), u::version.eq(u::version + 1)))
        .kept()
        .execute(conn)
        .await?;
    Ok(turned > 0)
}

pub(super) async fn close_period_on(
    conn: &mut Conn,
    user: UserId,
    mission: &Slug,
    period: MissionPeriod,
    now: Timestamp,
) -> Worked<bool> {
    use user_missions as u;
    let row = u::table.find((user.0, mission.as_str(), period.to_string()));
    let closed = diesel::update(row.filter(u::status.eq(ACTIVE)))
        .set((
            u::status.eq(COMPLETED),
            u::completed_at.eq(Some(DbTime(now))),
            u::version.eq(u::version + 1),
        ))
        .kept()
        .execute(conn)
        .await?;
    if closed > 0 {
        return Ok(true);
    }
    match status_on(conn, user, mission, period).await? {
        Some(_) => Ok(false),
        None => Err(no_period(user, mission, period).into()),
    }
}

pub(super) async fn status_on(
    conn: &mut Conn,
    user: UserId,
    mission: &Slug,
    period: MissionPeriod,
) -> QueryResult<Option<String>> {
    let row = user_missions::table.find((user.0, mission.as_str(), period.to_string()));
    row.select(user_missions::status).first(conn).await.optional()
}

pub(super) fn no_period(user: UserId, mission: &Slug, period: MissionPeriod) -> StorageError {
    StorageError::not_found("mission of a member", format!("{mission} of user {user} in {period}"))
}

pub(super) async fn set_rewarded_entry_on(
    conn: &mut Conn,
    user: UserId,
    mission: &Slug,
    period: MissionPeriod,
    entry: EntryId,
) -> Worked<bool> {
    use user_missions as u;
    let row = u::table.find((user.0, mission.as_str(), period.to_string()));
    let noted = diesel::update(row.filter(u::rewarded_entry_id.is_null()))
        .set(u::rewarded_entry_id.eq(Some(entry.0)))
        .kept()
        .execute(conn)
        .await?;
    Ok(noted > 0)
}

pub(super) async fn abandon_on(
    conn: &mut Conn,
    user: UserId,
    mission: &Slug,
    zone: &CommunityZone,
    now: Timestamp,
) -> Worked<bool> {
    let standing = found_on(conn, user, mission, zone, now).await?.standing;
    if standing.is_done() {
        return Err(StorageError::InvalidState {
            entity: "mission",
            key: mission.to_string(),
            state: "completed".to_owned(),
            attempted: "abandon it",
        }
        .into());
    }
    Ok(turn_on(conn, user, mission, standing.period, ACTIVE, ABANDONED).await?)
}
