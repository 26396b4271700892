//! The store, and what members bought there.

use async_trait::async_trait;
use guildhall_domain::{
    Points, StoreItem, StoreItemId, StoreItemKind, StoreOffer, Timestamp, UserId, UserItem,
};

use crate::{Change, Page, PageRequest, StorageError};

/// Which things of the store. The default: everything that can be bought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct StoreFilter {
    /// Of this sort only.
    pub kind: Option<StoreItemKind>,
    /// What cannot be bought, too.
    pub include_inactive: bool,
}

/// The store, and what members bought there. Every implementation passes
/// `guildhall_testkit::contract::store`.
///
/// A purchase is a workflow of several repositories, of which [`take_stock`](Self::take_stock) and
/// [`own`](Self::own) are steps; the thing's row is locked before any member's. Nothing is ever
/// deleted from the store, because members own it: it is made inactive.
#[cfg_attr(feature = "mock", mockall::automock)] // Stays above `async_trait`: mockall requires it.
#[async_trait]
pub trait StoreRepository: Send + Sync {
    /// The thing, whether it can be bought or not, or `None`.
    async fn by_id(&self, id: StoreItemId) -> Result<Option<StoreItem>, StorageError>;

    /// The things that exist, in the order of `ids`, each once. At most 500 ids.
    async fn by_ids(&self, ids: &[StoreItemId]) -> Result<Vec<StoreItem>, StorageError>;

    /// Things by title without regard to case, then ascending ids.
    async fn items(
        &self,
        filter: &StoreFilter,
        page: &PageRequest,
    ) -> Result<Page<StoreItem>, StorageError>;

    /// Puts a thing into the store. `AlreadyExists` when its title is taken.
    async fn create(&self, offer: &StoreOffer, now: Timestamp) -> Result<StoreItem, StorageError>;

    /// Changes a thing. `NotFound`, `Conflict` when the version has moved, as it does with every
    /// piece taken from a stock, and `AlreadyExists` when the new title is taken.
    async fn update(
        &self,
        id: StoreItemId,
        offer: &StoreOffer,
        expected_version: i64,
    ) -> Result<StoreItem, StorageError>;

    /// Puts at most 1000 things into the store, all or none, in the order given. `AlreadyExists`
    /// names the first title that is taken, or given twice.
    async fn create_batch(
        &self,
        offers: &[StoreOffer],
        now: Timestamp,
    ) -> Result<Vec<StoreItem>, StorageError>;

    /// Changes at most 1000 things, all or none, each as [`Self::update`] does. How many.
    async fn update_batch(
        &self,
        changes: &[Change<StoreItemId, StoreOffer>],
    ) -> Result<u64, StorageError>;

    /// How many things [`Self::items`] would give over all pages.
    async fn count(&self, filter: &StoreFilter) -> Result<u64, StorageError>;

    /// Whether there is such a thing, active or not.
    async fn exists(&self, id: StoreItemId) -> Result<bool, StorageError>;

    /// Takes one piece of a thing out of stock, and gives the thing as it then is. In a unit the
    /// row stays locked, unless there is any number of it. `NotFound`; `InvalidState` for one that
    /// is inactive or sold out.
    async fn take_stock(&self, id: StoreItemId) -> Result<StoreItem, StorageError>;

    /// Puts a thing into a member's hands, once: `AlreadyExists` for who has it. Moves no points.
    /// `NotFound` names a member who does not exist or was deleted.
    async fn own(
        &self,
        user: UserId,
        item: &StoreItem,
        price_paid: Points,
        now: Timestamp,
    ) -> Result<UserItem, StorageError>;

    /// The member's things, bought last first, then descending ids.
    async fn user_items(
        &self,
        user: UserId,
        page: &PageRequest,
    ) -> Result<Page<UserItem>, StorageError>;

    /// Lets a member wear a thing instead of any other of its sort. `NotFound` for what the member
    /// does not have.
    async fn equip(&self, user: UserId, item: StoreItemId) -> Result<UserItem, StorageError>;
}
