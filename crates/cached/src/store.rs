//! The store through the cache. What members own is not cached.

use guildhall_domain::{Points, StoreItem, StoreItemId, StoreOffer, Timestamp, UserId, UserItem};
use guildhall_repository::{Change, Page, PageRequest, StoreFilter, StoreRepository};

use crate::decorate::decorate;
use crate::keys::{key, tag};

decorate! {
    impl StoreRepository by store, |link| {
        find by_id(id: StoreItemId) -> Option<StoreItem>
            = (key::store_item(id), [tag::catalogue(), tag::stock()], catalogue);
        many by_ids(ids: &[StoreItemId]) -> Vec<StoreItem>
            = (ids, 500, id => (key::store_item(*id), [tag::catalogue(), tag::stock()]),
                item => item.id, catalogue);
        page items(filter: &StoreFilter, page: &PageRequest) -> Page<StoreItem>
            = (page, key::store_items(filter, page), [tag::catalogue(), tag::stock()], catalogue);
        write create(offer: &StoreOffer, now: Timestamp) -> StoreItem = ([tag::catalogue()]);
        write update(id: StoreItemId, offer: &StoreOffer, expected_version: i64) -> StoreItem
            = ([tag::catalogue()]);
        write create_batch(offers: &[StoreOffer], now: Timestamp) -> Vec<StoreItem>
            = ([tag::catalogue()]);
        write update_batch(changes: &[Change<StoreItemId, StoreOffer>]) -> u64
            = ([tag::catalogue()]);
        pass count(filter: &StoreFilter) -> u64;
        pass exists(id: StoreItemId) -> bool;
        write take_stock(id: StoreItemId) -> StoreItem = ([tag::stock()]);
        pass own(user: UserId, item: &StoreItem, price_paid: Points, now: Timestamp) -> UserItem;
        pass user_items(user: UserId, page: &PageRequest) -> Page<UserItem>;
        pass equip(user: UserId, item: StoreItemId) -> UserItem;
    }
}
