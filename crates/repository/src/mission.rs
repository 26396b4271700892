//! Where the catalogue of missions is kept.

use async_trait::async_trait;
use guildhall_domain::{
    Mission, MissionCadence, MissionCategory, MissionPatch, NewMission, Slug, Timestamp,
};

use crate::{Change, ListLimit, Page, PageRequest, StorageError};

/// Which missions a list holds. The default: all of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MissionFilter {
    /// Of this category only.
    pub category: Option<MissionCategory>,
    /// Of this cadence only.
    pub cadence: Option<MissionCadence>,
    /// Switched on only, or switched off only.
    pub is_active: Option<bool>,
}

/// Where the catalogue of missions is kept. Every implementation passes
/// `guildhall_testkit::contract::mission`. Missions come with their objectives and rewards.
#[cfg_attr(feature = "mock", mockall::automock)] // Stays above `async_trait`: mockall requires it.
#[async_trait]
pub trait MissionRepository: Send + Sync {
    /// The mission, or `None`.
    async fn by_id(&self, id: &Slug) -> Result<Option<Mission>, StorageError>;

    /// The missions that exist, in the order of `ids`, each once. At most 500 ids.
    async fn by_ids(&self, ids: &[Slug]) -> Result<Vec<Mission>, StorageError>;

    /// Missions by filter: least `sort_order` first, then oldest, then by id.
    async fn list(
        &self,
        filter: MissionFilter,
        page: &PageRequest,
    ) -> Result<Page<Mission>, StorageError>;

    /// Missions that are switched on, have started and have not ended at `now`: least `sort_order`
    /// first, then oldest, then by id.
    async fn active(
        &self,
        category: Option<MissionCategory>,
        cadence: Option<MissionCadence>,
        limit: ListLimit,
        now: Timestamp,
    ) -> Result<Vec<Mission>, StorageError>;

    /// Missions in whose title or description the text occurs, without regard to case, by title,
    /// then by id. `text` has 2 to 200 characters and no wildcards; at most 50 are found.
    async fn search(&self, text: &str, limit: ListLimit) -> Result<Vec<Mission>, StorageError>;

    /// Stores a new mission. `AlreadyExists` when its id is taken; `NotFound` for a mission it asks
    /// for that does not exist; `Validation` for what [`Mission::check`] refuses.
    async fn create(&self, new: &NewMission, now: Timestamp) -> Result<Mission, StorageError>;

    /// Changes a mission. An empty patch changes nothing and gives the stored mission. `NotFound`
    /// also for a mission it would ask for, `Conflict` when the version has moved, `Validation` on
    /// `objectives` when missions would need each other in a circle. Whatever becomes of a target,
    /// nobody completes the mission by it: only the next progress decides.
    async fn update(
        &self,
        id: &Slug,
        patch: &MissionPatch,
        expected_version: i64,
        now: Timestamp,
    ) -> Result<Mission, StorageError>;

    /// Switches a mission on or off; `false` when it was so already. `NotFound` without the
    /// mission.
    async fn set_active(
        &self,
        id: &Slug,
        active: bool,
        now: Timestamp,
    ) -> Result<bool, StorageError>;

    /// Switches a mission off for good, or, with `hard`, removes it. `false` when there was nothing
    /// to do. `InvalidState` for the removal of a mission that anybody has begun, or that another
    /// mission asks for.
    async fn delete(&self, id: &Slug, hard: bool, now: Timestamp) -> Result<bool, StorageError>;

    /// Stores at most 1000 missions, all or none, in the order given; they may ask for each other.
    /// `AlreadyExists` names the first id that is taken, or given twice.
    async fn create_batch(
        &self,
        new: &[NewMission],
        now: Timestamp,
    ) -> Result<Vec<Mission>, StorageError>;

    /// Changes at most 1000 missions, all or none, each as [`Self::update`] does, by ascending ids.
    /// How many.
    async fn update_batch(
        &self,
        changes: &[Change<Slug, MissionPatch>],
        now: Timestamp,
    ) -> Result<u64, StorageError>;

    /// Switches off or removes at most 1000 missions, all or none, each as [`Self::delete`] does,
    /// except that those which go together may ask for each other. How many there were.
    async fn delete_batch(
        &self,
        ids: &[Slug],
        hard: bool,
        now: Timestamp,
    ) -> Result<u64, StorageError>;

    /// How many missions [`Self::list`] would give over all pages.
    async fn count(&self, filter: MissionFilter) -> Result<u64, StorageError>;

    /// Whether there is such a mission, active or not.
    async fn exists(&self, id: &Slug) -> Result<bool, StorageError>;
}
