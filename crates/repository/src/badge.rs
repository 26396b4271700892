//! Where badges are kept, and who has them.

use async_trait::async_trait;
use guildhall_domain::{
    Badge, BadgeAward, BadgeEvent, BadgeHolder, BadgeId, BadgePatch, BadgeStatistics, Description,
    HeldBadge, Label, MetricSnapshot, NewBadge, Outcome, RecentBadge, Timestamp, UserBadge,
    UserBadgeStatistics, UserId, Vip,
};

use crate::{Change, Page, PageRequest, StorageError};

/// Which badges a list holds. The default: all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct BadgeFilter {
    /// Active ones only, or inactive ones only.
    pub is_active: Option<bool>,
    /// Those that make their holder a VIP.
    pub vip_only: bool,
}

/// Where badges are kept, and who has them. Every implementation passes
/// `guildhall_testkit::contract::badge`.
#[cfg_attr(feature = "mock", mockall::automock)] // Stays above `async_trait`: mockall requires it.
#[async_trait]
pub trait BadgeRepository: Send + Sync {
    /// The badge, or `None`.
    async fn by_id(&self, id: BadgeId) -> Result<Option<Badge>, StorageError>;

    /// The badges that exist, in the order of `ids`, each once. At most 500 ids.
    async fn by_ids(&self, ids: &[BadgeId]) -> Result<Vec<Badge>, StorageError>;

    /// The badge of this name, without regard to case.
    async fn by_name(&self, name: &Label) -> Result<Option<Badge>, StorageError>;

    /// Badges in ascending order of ids.
    async fn list(
        &self,
        filter: BadgeFilter,
        page: &PageRequest,
    ) -> Result<Page<Badge>, StorageError>;

    /// Defines a badge. `AlreadyExists` when its name is taken.
    async fn create(&self, new: &NewBadge, now: Timestamp) -> Result<Badge, StorageError>;

    /// Changes a badge. An empty patch changes nothing and gives the stored one. `Conflict` when
    /// the version has moved, `AlreadyExists` when the name is taken. Who has it keeps it.
    async fn update(
        &self,
        id: BadgeId,
        patch: &BadgePatch,
        expected_version: i64,
    ) -> Result<Badge, StorageError>;

    /// Deactivates a badge; `false` when there was nothing active. With `hard` it is removed
    /// instead, and `InvalidState` is the answer once it was given to anybody.
    async fn delete(&self, id: BadgeId, hard: bool) -> Result<bool, StorageError>;

    /// Defines at most 1000 badges, all or none, in the order given. `AlreadyExists` names the first
    /// name that is taken, or given twice.
    async fn create_batch(
        &self,
        new: &[NewBadge],
        now: Timestamp,
    ) -> Result<Vec<Badge>, StorageError>;

    /// Changes at most 1000 badges, all or none, each as [`Self::update`] does. How many.
    async fn update_batch(
        &self,
        changes: &[Change<BadgeId, BadgePatch>],
    ) -> Result<u64, StorageError>;

    /// Deactivates or removes at most 1000 badges, all or none, each as [`Self::delete`] does. How
    /// many there were.
    async fn delete_batch(&self, ids: &[BadgeId], hard: bool) -> Result<u64, StorageError>;

    /// How many badges [`Self::list`] would give over all pages.
    async fn count(&self, filter: BadgeFilter) -> Result<u64, StorageError>;

    /// Whether there is such a badge, active or not.
    async fn exists(&self, id: BadgeId) -> Result<bool, StorageError>;

    /// The active badges whose rule these metrics fulfil and that the member does not have, by id.
    /// A badge that was taken from the member is not earned again: it is only given by hand. One
    /// statement, however many there are; at most 500.
    async fn candidates(&self, metrics: &MetricSnapshot) -> Result<Vec<Badge>, StorageError>;

    /// Gives a member a badge, once, whatever its rule says: the row, the event and, for a badge
    /// that makes a VIP, the grant and the member's standing, all or nothing. Repeated, it gives
    /// the first row with `replayed` and grants nothing. A member who is a VIP until some day
    /// becomes one from there on. `NotFound` without the member or the badge, `InvalidState` for
    /// an inactive badge that the member does not have.
    async fn give(
        &self,
        award: &BadgeAward,
        now: Timestamp,
    ) -> Result<Outcome<UserBadge>, StorageError>;

    /// Takes a badge from a member: the row goes, an event is written, and the grant that came with
    /// it is revoked; the standing becomes what remains. `false`, and no event, when the member
    /// does not have it. `InvalidState` for a badge that cannot be taken back.
    async fn take(
        &self,
        user: UserId,
        badge: BadgeId,
        actor: Option<UserId>,
        reason: Option<Description>,
        now: Timestamp,
    ) -> Result<Outcome<bool>, StorageError>;

    /// Whether the member has the badge.
    async fn has(&self, user: UserId, badge: BadgeId) -> Result<bool, StorageError>;

    /// The member's badges, the newest first.
    async fn held_by(
        &self,
        user: UserId,
        page: &PageRequest,
    ) -> Result<Page<HeldBadge>, StorageError>;

    /// Active members who have the badge: the first one first, then ascending ids.
    async fn holders(
        &self,
        badge: BadgeId,
        page: &PageRequest,
    ) -> Result<Page<BadgeHolder>, StorageError>;

    /// Active members whom a badge makes VIPs at `now`, ascending ids.
    async fn vip_holders(
        &self,
        now: Timestamp,
        page: &PageRequest,
    ) -> Result<Page<UserId>, StorageError>;

    /// How long badges alone make the member a VIP at `now`.
    async fn vip_standing(&self, user: UserId, now: Timestamp) -> Result<Vip, StorageError>;

    /// What active members were given, and still have, in the last `days` (1 to 90) up to `now`:
    /// newest first, then by member, then by badge. At most `limit` (1 to 50) of them.
    async fn recent(
        &self,
        days: u32,
        limit: u32,
        now: Timestamp,
    ) -> Result<Vec<RecentBadge>, StorageError>;

    /// What was given to and taken from the member, the newest first.
    async fn events(
        &self,
        user: UserId,
        page: &PageRequest,
    ) -> Result<Page<BadgeEvent>, StorageError>;

    /// One badge among active members, in one snapshot. `NotFound` without the badge.
    async fn statistics(&self, id: BadgeId) -> Result<BadgeStatistics, StorageError>;

    /// The member's badges in short, in one snapshot. `NotFound` without the member.
    async fn user_statistics(&self, user: UserId) -> Result<UserBadgeStatistics, StorageError>;
}
