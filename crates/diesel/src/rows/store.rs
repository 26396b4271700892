//! Rows of the store and of what members bought there.

use std::error::Error;

use diesel::prelude::*;
use guildhall_domain::{Points, StoreItem, StoreItemId, StoreOffer, UserId, UserItem};
use guildhall_repository::StorageError;

use super::{corrupt, optional};
use crate::schema::{store_items, user_items};
use crate::types::{DbJson, DbTime};

/// A row of `store_items`.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = store_items)]
pub(crate) struct StoreRow {
    pub(crate) id: i64,
    #[diesel(embed)]
    pub(crate) offer: OfferRow,
    pub(crate) created_at: DbTime,
    pub(crate) version: i64,
}

/// The columns of a thing that an editor decides.
#[derive(Clone, Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = store_items)]
#[diesel(treat_none_as_null = true, treat_none_as_default_value = false)]
pub(crate) struct OfferRow {
    pub(crate) title: String,
    pub(crate) title_key: String,
    pub(crate) description: Option<String>,
    pub(crate) kind: String,
    pub(crate) cost: i64,
    pub(crate) required_points: i64,
    pub(crate) required_level: i64,
    pub(crate) stock: Option<i64>,
    pub(crate) image_url: Option<String>,
    pub(crate) effect: Option<DbJson>,
    pub(crate) is_active: bool,
}

impl OfferRow {
    /// The columns of an offer.
    pub(crate) fn of(offer: &StoreOffer) -> Self {
        Self {
            title: offer.title.to_string(),
            title_key: offer.title.folded(),
            description: offer.description.as_ref().map(ToString::to_string),
            kind: offer.kind.as_str().to_owned(),
            cost: offer.cost.minor(),
            required_points: offer.required_points.minor(),
            required_level: i64::from(offer.required_level),
            stock: offer.stock.map(i64::from),
            image_url: offer.image_url.as_ref().map(ToString::to_string),
            effect: offer.effect.clone().map(DbJson),
            is_active: offer.is_active,
        }
    }

    fn restored(self) -> Result<StoreOffer, Box<dyn Error>> {
        let offer = StoreOffer {
            title: self.title.try_into()?,
            description: optional(self.description)?,
            kind: self.kind.parse()?,
            cost: Points::from_minor(self.cost)?,
            required_points: Points::from_minor(self.required_points)?,
            required_level: u32::try_from(self.required_level)?,
            stock: self.stock.map(u32::try_from).transpose()?,
            image_url: optional(self.image_url)?,
            effect: self.effect.map(|effect| effect.0),
            is_active: self.is_active,
        };
        offer.check()?;
        Ok(offer)
    }
}

impl StoreRow {
    /// The thing of a row.
    pub(crate) fn into_item(self) -> Result<StoreItem, StorageError> {
        let id = StoreItemId(self.id);
        let (created_at, version) = (self.created_at.0, self.version);
        let offer = self.offer.restored().map_err(corrupt("store item", id))?;
        Ok(StoreItem { id, offer, created_at, version })
    }
}

/// A row of `user_items`.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = user_items)]
pub(crate) struct OwnedRow {
    pub(crate) user_id: i64,
    pub(crate) item_id: i64,
    pub(crate) kind: String,
    pub(crate) acquired_at: DbTime,
    pub(crate) price_paid: i64,
    pub(crate) equipped: bool,
}

impl OwnedRow {
    /// The thing in a member's hands, of a row and the thing's title.
    pub(crate) fn into_owned_item(self, title: String) -> Result<UserItem, StorageError> {
        let key = format!("{} of user {}", self.item_id, self.user_id);
        let restored = || -> Result<UserItem, Box<dyn Error>> {
            Ok(UserItem {
                user: UserId(self.user_id),
                item: StoreItemId(self.item_id),
                title: title.try_into()?,
                kind: self.kind.parse()?,
                acquired_at: self.acquired_at.0,
                price_paid: Points::from_minor(self.price_paid)?,
                equipped: self.equipped,
            })
        };
        restored().map_err(corrupt("item", key))
    }
}
