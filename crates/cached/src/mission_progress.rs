//! How far members are with missions, through the cache.

use guildhall_cache::Tag;
use guildhall_domain::{
    Advance, CommunityZone, CompletedMission, EntryId, MemberMission, MissionAvailability,
    MissionCadence, MissionPeriod, MissionStatus, ObjectiveKind, ObjectiveProgress, Outcome, Slug,
    Timestamp, UserId, UserMission,
};
use guildhall_repository::{
    ListLimit, MissionProgressRepository, MissionStep, Page, PageRequest, StorageError,
};

use crate::decorate::decorate;
use crate::keys::{key, tag};
use crate::mission::KEPT_MAX;

/// What a step of a member changes.
fn step(user: UserId) -> [Tag; 2] {
    [tag::mission_progress(user), tag::mission_stats()]
}

decorate! {
    impl MissionProgressRepository by mission_progress, |link| {
        pass objectives_for(
            user: UserId,
            kind: ObjectiveKind,
            key: &Slug,
            zone: &CommunityZone,
            now: Timestamp,
        ) -> Vec<MemberMission>;
        pass member_mission(
            user: UserId,
            mission: &Slug,
            zone: &CommunityZone,
            now: Timestamp,
        ) -> Option<MemberMission>;
        pass user_mission(user: UserId, mission: &Slug, period: MissionPeriod)
            -> Option<UserMission>;
        page user_missions(user: UserId, status: Option<MissionStatus>, page: &PageRequest)
            -> Page<UserMission> = (
                page,
                key::user_missions(user, status, page),
                [tag::mission_progress(user), tag::missions()],
                mission_progress
            );
        pass completed(user: UserId, page: &PageRequest) -> Page<CompletedMission>;
        pass pending(user: UserId, zone: &CommunityZone, now: Timestamp, page: &PageRequest)
            -> Page<MemberMission>;
        pass standings(
            user: UserId,
            cadence: Option<MissionCadence>,
            limit: ListLimit,
            zone: &CommunityZone,
            now: Timestamp,
        ) -> Vec<MemberMission>;
        write start(user: UserId, mission: &Slug, zone: &CommunityZone, now: Timestamp)
            -> Outcome<UserMission> = (step(user));
        write open_period(
            user: UserId,
            mission: &Slug,
            period: MissionPeriod,
            now: Timestamp,
        ) -> Outcome<UserMission> = (step(user));
        write advance(
            user: UserId,
            mission: &Slug,
            period: MissionPeriod,
            idx: u16,
            change: Advance,
            now: Timestamp,
        ) -> Outcome<Vec<ObjectiveProgress>> = (step(user));
        write step(
            user: UserId,
            mission: &Slug,
            period: MissionPeriod,
            changes: &[(u16, Advance)],
            now: Timestamp,
        ) -> Outcome<MissionStep> = (step(user));
        write close_period(
            user: UserId,
            mission: &Slug,
            period: MissionPeriod,
            now: Timestamp,
        ) -> bool = (step(user));
        write set_rewarded_entry(
            user: UserId,
            mission: &Slug,
            period: MissionPeriod,
            entry: EntryId,
        ) -> bool = (step(user));
        write abandon(user: UserId, mission: &Slug, zone: &CommunityZone, now: Timestamp)
            -> bool = (step(user));
        write reset_current(
            user: UserId,
            mission: &Slug,
            zone: &CommunityZone,
            now: Timestamp,
        ) -> bool = (step(user));
        write reset_cadence_for_user(
            user: UserId,
            cadence: MissionCadence,
            zone: &CommunityZone,
            now: Timestamp,
        ) -> u64 = (step(user));
        write_all reset_cadence(
            cadence: MissionCadence,
            after: Option<UserId>,
            limit: ListLimit,
            zone: &CommunityZone,
            now: Timestamp,
        ) -> (u64, Option<UserId>) = (&["mission"]);
        write import_completion(
            user: UserId,
            mission: &Slug,
            period: MissionPeriod,
            completed_at: Timestamp,
        ) -> Outcome<UserMission> = (step(user));
    }
    and {
        /// What is available follows from the time as well as from rows. So it is kept where the
        /// member stands in all that is switched on, and the question is answered from that.
        async fn available(
            &self,
            user: UserId,
            cadence: Option<MissionCadence>,
            limit: ListLimit,
            zone: &CommunityZone,
            now: Timestamp,
        ) -> Result<Vec<MemberMission>, StorageError> {
            let inner = || self.inner().mission_progress();
            let Some(cache) = self.cache() else {
                return inner().available(user, cadence, limit, zone, now).await;
            };
            let day = zone.day_of(now);
            let key = key::standings(user, cadence, day, zone.start_of(day).micros());
            let tags = [tag::mission_progress(user), tag::missions()];
            let entry = cache.entry::<Vec<MemberMission>>(key, tags, self.ttl.mission_progress);
            let kept = entry
                .negative_if(|kept| kept.is_empty())
                .get_or_load(|| async {
                    let most = ListLimit::new(u32::from(KEPT_MAX))?;
                    inner().standings(user, cadence, most, zone, now).await
                })
                .await?;
            if kept.len() >= usize::from(KEPT_MAX) {
                return inner().available(user, cadence, limit, zone, now).await;
            }
            let later = kept.into_iter().map(|found| found.later(zone, now));
            let counting = later.filter(|found| {
                use MissionAvailability::{Abandoned, Open};
                matches!(found.standing.availability, Open | Abandoned)
            });
            Ok(counting.take(usize::from(limit.get())).collect())
        }
    }
}
