use std::sync::Arc;

use guildhall_domain::{BasisPoints, StoreItemId, StoreItemKind, StoreOffer, UserId};
use guildhall_repository::{ErrorKind, Storage};

use super::super::expect::{refused, sound};
use super::super::given;
use super::{ada, offered};
use crate::builder::{award, now, offer, page, points, xp};

async fn owned(
    storage: &Arc<dyn Storage>,
    user: UserId,
    title: &str,
    kind: StoreItemKind,
) -> StoreItemId {
    let offer = StoreOffer { kind, ..offer(title, 1) };
    let item = storage.store().create(&offer, now()).await.unwrap();
    storage.store().own(user, &item, points(1), now()).await.unwrap();
    item.id
}

async fn worn(storage: &Arc<dyn Storage>, user: UserId) -> Vec<StoreItemId> {
    let items = storage.store().user_items(user, &page(50)).await.unwrap().items;
    let mut worn: Vec<_> =
        items.into_iter().filter(|item| item.equipped).map(|item| item.item).collect();
    worn.sort_unstable();
    worn
}

/// Another one takes its place; what is worn already stays on.
pub async fn one_thing_of_each_sort_is_worn(storage: Arc<dyn Storage>) {
    let ada = ada(&storage).await;
    let cat = owned(&storage, ada, "cat", StoreItemKind::Avatar).await;
    let dog = owned(&storage, ada, "dog", StoreItemKind::Avatar).await;
    let red = owned(&storage, ada, "red", StoreItemKind::NameColor).await;
    assert_eq!(worn(&storage, ada).await, []);
    for item in [cat, cat, red, dog] {
        let equipped = storage.store().equip(ada, item).await.unwrap();
        assert!(equipped.equipped && equipped.item == item);
    }
    assert_eq!(worn(&storage, ada).await, [dog, red]);
}

/// However they meet.
pub async fn two_who_equip_at_once_wear_one(storage: Arc<dyn Storage>) {
    let ada = ada(&storage).await;
    let cat = owned(&storage, ada, "cat", StoreItemKind::Avatar).await;
    let dog = owned(&storage, ada, "dog", StoreItemKind::Avatar).await;
    given::at_once(40, &storage, |storage, n| async move {
        storage.store().equip(ada, [cat, dog][n % 2]).await.unwrap();
    })
    .await;
    assert_eq!(worn(&storage, ada).await.len(), 1);
}

/// By somebody who is there.
pub async fn only_what_is_owned_can_be_worn(storage: Arc<dyn Storage>) {
    let ada = ada(&storage).await;
    let bob = given::member(&storage, "bob").await;
    let cat = owned(&storage, bob, "cat", StoreItemKind::Avatar).await;
    let dog = offered(&storage, "dog").await;
    for (user, item) in [(ada, cat), (ada, dog.id), (ada, StoreItemId(999)), (UserId(999), cat)] {
        refused(storage.store().equip(user, item).await, ErrorKind::NotFound);
    }
    assert_eq!(worn(&storage, bob).await, []);
}

/// It counts for later awards alone; the greatest of several counts.
pub async fn a_boost_is_raised_and_never_lowered(storage: Arc<dyn Storage>) {
    let ada = given::funded(&storage, "ada", 10).await;
    let boost = |bp| BasisPoints::new(bp).unwrap();
    for (bp, holds) in [(15_000, 15_000), (12_000, 15_000), (20_000, 20_000), (20_000, 20_000)] {
        let account = storage.points().raise_xp_boost(ada, boost(bp), now()).await.unwrap();
        assert_eq!(account.parts().xp_boost, boost(holds));
        let stored = storage.points().account(ada).await.unwrap().unwrap();
        assert_eq!(stored, account);
    }
    storage.points().award(&award(ada, 10), now()).await.unwrap();
    let account = storage.points().account(ada).await.unwrap().unwrap();
    assert_eq!((account.xp(), account.balance()), (xp(10 + 20), points(20)));
    let refusal = storage.points().raise_xp_boost(UserId(999), boost(15_000), now()).await;
    refused(refusal, ErrorKind::NotFound);
    sound(&*storage, &[ada]).await;
}
