//! The catalogue of missions through the cache.

use guildhall_domain::{
    Mission, MissionCadence, MissionCategory, MissionPatch, NewMission, Slug, Timestamp,
};
use guildhall_repository::{
    Change, ListLimit, MissionFilter, MissionRepository, Page, PageRequest, StorageError,
};

use crate::decorate::decorate;
use crate::keys::{key, tag};

/// Missions kept in one list: a catalogue that has more is asked each time.
pub(crate) const KEPT_MAX: u16 = PageRequest::LIMIT_MAX;

decorate! {
    impl MissionRepository by missions, |link| {
        find by_id(id: &Slug) -> Option<Mission> = (key::mission(id), [tag::missions()], mission);
        many by_ids(ids: &[Slug]) -> Vec<Mission>
            = (
                ids,
                500,
                id => (key::mission(id), [tag::missions()]),
                found => found.id.clone(),
                mission
            );
        pass list(filter: MissionFilter, page: &PageRequest) -> Page<Mission>;
        pass search(text: &str, limit: ListLimit) -> Vec<Mission>;
        write create(new: &NewMission, now: Timestamp) -> Mission = ([tag::missions()]);
        write update(
            id: &Slug,
            patch: &MissionPatch,
            expected_version: i64,
            now: Timestamp,
        ) -> Mission = ([tag::missions()]);
        write set_active(id: &Slug, active: bool, now: Timestamp) -> bool = ([tag::missions()]);
        write delete(id: &Slug, hard: bool, now: Timestamp) -> bool = ([tag::missions()]);
        write create_batch(new: &[NewMission], now: Timestamp) -> Vec<Mission>
            = ([tag::missions()]);
        write update_batch(changes: &[Change<Slug, MissionPatch>], now: Timestamp) -> u64
            = ([tag::missions()]);
        write delete_batch(ids: &[Slug], hard: bool, now: Timestamp) -> u64 = ([tag::missions()]);
        pass count(filter: MissionFilter) -> u64;
        pass exists(id: &Slug) -> bool;
    }
    and {
        /// What is active follows from the time as well as from rows. So what is switched on is
        /// kept, whatever the time, and the question is answered from that.
        async fn active(
            &self,
            category: Option<MissionCategory>,
            cadence: Option<MissionCadence>,
            limit: ListLimit,
            now: Timestamp,
        ) -> Result<Vec<Mission>, StorageError> {
            let inner = || self.inner().missions();
            let Some(cache) = self.cache() else {
                return inner().active(category, cadence, limit, now).await;
            };
            let key = key::missions_on(category, cadence);
            let ttl = self.ttl.missions;
            let entry = cache.entry::<(Vec<Mission>, bool)>(key, [tag::missions()], ttl);
            let (kept, whole) = entry
                .negative_if(|(kept, _)| kept.is_empty())
                .get_or_load(|| async {
                    let on = MissionFilter { category, cadence, is_active: Some(true) };
                    let page = inner().list(on, &PageRequest::first(u32::from(KEPT_MAX))?).await?;
                    Ok::<_, StorageError>((page.items, page.next_cursor.is_none()))
                })
                .await?;
            if !whole {
                return inner().active(category, cadence, limit, now).await;
            }
            let running = kept.into_iter().filter(|mission| mission.is_running(now));
            Ok(running.take(usize::from(limit.get())).collect())
        }
    }
}
