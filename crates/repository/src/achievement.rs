//! Where the catalogue of achievements is kept.

use async_trait::async_trait;
use guildhall_domain::{Achievement, AchievementPatch, Metric, NewAchievement, Slug, Timestamp};

use crate::{Change, ListLimit, Page, PageRequest, StorageError};

/// Which achievements a list holds. The default: all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct AchievementFilter {
    /// Active ones only, or inactive ones only.
    pub is_active: Option<bool>,
    /// Those of exactly this category.
    pub category: Option<Slug>,
}

/// What seeding a catalogue did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SeedReport {
    /// Definitions that were new.
    pub inserted: u64,
    /// Definitions that differed from what was stored.
    pub updated: u64,
    /// Definitions that were stored already.
    pub unchanged: u64,
}

/// Where the catalogue of achievements is kept. Every implementation passes
/// `guildhall_testkit::contract::achievement`. A catalogue holds at most
/// [`ACHIEVEMENTS_MAX`] achievements.
#[cfg_attr(feature = "mock", mockall::automock)] // Stays above `async_trait`: mockall requires it.
#[async_trait]
pub trait AchievementRepository: Send + Sync {
    /// The achievement with its criteria, or `None`.
    async fn by_id(&self, id: &Slug) -> Result<Option<Achievement>, StorageError>;

    /// The achievements that exist, in the order of `ids`, each once. At most 500 ids.
    async fn by_ids(&self, ids: &[Slug]) -> Result<Vec<Achievement>, StorageError>;

    /// Achievements by category, then by place in it, then by id.
    async fn list(
        &self,
        filter: &AchievementFilter,
        page: &PageRequest,
    ) -> Result<Page<Achievement>, StorageError>;

    /// How many achievements [`Self::list`] would give over all pages.
    async fn count(&self, filter: &AchievementFilter) -> Result<u64, StorageError>;

    /// Whether there is such an achievement, active or not.
    async fn exists(&self, id: &Slug) -> Result<bool, StorageError>;

    /// Achievements with a criterion on `metric`: the least threshold first, then by id.
    async fn by_metric(
        &self,
        metric: &Metric,
        limit: ListLimit,
    ) -> Result<Vec<Achievement>, StorageError>;

    /// Defines an achievement. `AlreadyExists` when its id is taken, `LimitExceeded` when the
    /// catalogue is full.
    async fn create(
        &self,
        new: &NewAchievement,
        now: Timestamp,
    ) -> Result<Achievement, StorageError>;

    /// Changes an achievement. An empty patch changes nothing and gives the stored one. `Conflict`
    /// when the version has moved. Who has it keeps it, whatever the criteria become.
    async fn update(
        &self,
        id: &Slug,
        patch: &AchievementPatch,
        expected_version: i64,
    ) -> Result<Achievement, StorageError>;

    /// Deactivates an achievement; `false` when there was nothing active. With `hard` it is removed
    /// with its criteria instead, and `InvalidState` is the answer while somebody has it.
    async fn delete(&self, id: &Slug, hard: bool) -> Result<bool, StorageError>;

    /// Defines at most 1000 achievements, all or none, in the order given. `AlreadyExists` names the
    /// first id that is taken, or given twice; `LimitExceeded` when the catalogue would overflow.
    async fn create_batch(
        &self,
        new: &[NewAchievement],
        now: Timestamp,
    ) -> Result<Vec<Achievement>, StorageError>;

    /// Changes at most 1000 achievements, all or none, each as [`Self::update`] does. How many.
    async fn update_batch(
        &self,
        changes: &[Change<Slug, AchievementPatch>],
    ) -> Result<u64, StorageError>;

    /// Deactivates or removes at most 1000 achievements, all or none, each as [`Self::delete`] does.
    /// How many there were.
    async fn delete_batch(&self, ids: &[Slug], hard: bool) -> Result<u64, StorageError>;

    /// Defines what is missing and redefines what differs, all or nothing; repeating it changes
    /// nothing. Whether an achievement is active stays as it is. At most 500 definitions, each
    /// once. `LimitExceeded` when the catalogue would overflow.
    async fn seed(
        &self,
        definitions: &[NewAchievement],
        now: Timestamp,
    ) -> Result<SeedReport, StorageError>;
}

/// The most achievements in a catalogue.
pub const ACHIEVEMENTS_MAX: u32 = 1000;
