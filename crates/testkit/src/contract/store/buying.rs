use std::sync::Arc;

use guildhall_domain::{StoreItemId, StoreItemKind, StoreOffer, UserId};
use guildhall_repository::{ErrorKind, Storage, StorageError, conclude};

use super::super::expect::{invalid, refused, sound, walk, winners};
use super::super::given;
use super::{ada, offered, stocked};
use crate::builder::{deduct, now, offer, page, points, seconds};

/// Then it is sold out; what is inactive cannot be bought at all.
pub async fn stock_goes_down_to_nothing(storage: Arc<dyn Storage>) {
    let item = stocked(&storage, "torch", 2).await;
    let taken = storage.store().take_stock(item.id).await.unwrap();
    assert_eq!((taken.offer.stock, taken.version), (Some(1), 2));
    assert_eq!(storage.store().take_stock(item.id).await.unwrap().offer.stock, Some(0));
    let refusal = refused(storage.store().take_stock(item.id).await, ErrorKind::InvalidState);
    assert!(matches!(refusal, StorageError::InvalidState { state, .. } if state == "sold out"));
    assert_eq!(storage.store().by_id(item.id).await.unwrap().unwrap().offer.stock, Some(0));
    let hidden = StoreOffer { is_active: false, ..offer("hidden", 1) };
    let hidden = storage.store().create(&hidden, now()).await.unwrap();
    let refusal = refused(storage.store().take_stock(hidden.id).await, ErrorKind::InvalidState);
    assert!(matches!(refusal, StorageError::InvalidState { state, .. } if state == "inactive"));
    refused(storage.store().take_stock(StoreItemId(999)).await, ErrorKind::NotFound);
}

/// And to nobody else.
pub async fn the_last_pieces_go_to_as_many_buyers(storage: Arc<dyn Storage>) {
    let item = stocked(&storage, "torch", 5).await;
    let outcomes = given::at_once(40, &storage, |storage, _| async move {
        storage.store().take_stock(item.id).await
    })
    .await;
    let (won, lost) = winners(outcomes, ErrorKind::InvalidState);
    assert_eq!((won.len(), lost.len()), (5, 35));
    let mut left: Vec<_> = won.iter().map(|item| item.offer.stock).collect();
    left.sort_unstable();
    assert_eq!(left, [Some(0), Some(1), Some(2), Some(3), Some(4)]);
}

/// And taking one changes nothing.
pub async fn any_number_of_a_thing_never_runs_out(storage: Arc<dyn Storage>) {
    let item = offered(&storage, "torch").await;
    for _ in 0..3 {
        assert_eq!(storage.store().take_stock(item.id).await.unwrap(), item);
    }
    assert_eq!(storage.store().by_id(item.id).await.unwrap(), Some(item));
}

/// For the next buyer.
pub async fn a_roll_back_puts_the_piece_back(storage: Arc<dyn Storage>) {
    let ada = ada(&storage).await;
    let item = stocked(&storage, "torch", 1).await;
    let work = storage.begin().await.unwrap();
    let taken = work.store().take_stock(item.id).await.unwrap();
    work.store().own(ada, &taken, points(10), now()).await.unwrap();
    work.rollback().await.unwrap();
    assert_eq!(storage.store().take_stock(item.id).await.unwrap().offer.stock, Some(0));
    assert_eq!(storage.store().user_items(ada, &page(5)).await.unwrap().items, []);
}

/// By members who exist; a refusal leaves the unit usable.
pub async fn a_thing_is_owned_once(storage: Arc<dyn Storage>) {
    let ada = ada(&storage).await;
    let gone = given::member(&storage, "gone").await;
    storage.users().delete(gone, now()).await.unwrap();
    let avatar = StoreOffer { kind: StoreItemKind::Avatar, ..offer("Cat 🐈", 10) };
    let item = storage.store().create(&avatar, now()).await.unwrap();
    let work = storage.begin().await.unwrap();
    let owned = work.store().own(ada, &item, points(10), now()).await.unwrap();
    assert_eq!((owned.user, owned.item, &owned.title), (ada, item.id, &avatar.title));
    assert_eq!((owned.kind, owned.price_paid), (StoreItemKind::Avatar, points(10)));
    assert_eq!((owned.acquired_at, owned.equipped), (now(), false));
    refused(work.store().own(ada, &item, points(9), now()).await, ErrorKind::AlreadyExists);
    for absent in [UserId(999_999), gone] {
        let refusal = work.store().own(absent, &item, points(1), now()).await;
        refused(refusal, ErrorKind::NotFound);
    }
    work.commit().await.unwrap();
    assert_eq!(storage.store().user_items(ada, &page(5)).await.unwrap().items, [owned]);
}

/// One debit, one piece of the stock.
pub async fn a_hundred_clicks_buy_once(storage: Arc<dyn Storage>) {
    let ada = given::funded(&storage, "ada", 100).await;
    let item = stocked(&storage, "torch", 50).await;
    let outcomes = given::at_once(100, &storage, |storage, _| async move {
        let work = storage.begin().await.unwrap();
        let bought = async {
            let item = work.store().take_stock(item.id).await?;
            work.points().lock(&[ada]).await?;
            work.store().own(ada, &item, item.offer.cost, now()).await?;
            work.points().deduct(&deduct(ada, 10), now()).await.map(drop)
        };
        let bought = bought.await;
        conclude(work, bought).await
    })
    .await;
    let (won, lost) = winners(outcomes, ErrorKind::AlreadyExists);
    assert_eq!((won.len(), lost.len()), (1, 99));
    assert_eq!(given::balance(&storage, ada).await, points(90));
    let left = storage.store().by_id(item.id).await.unwrap().unwrap();
    assert_eq!(left.offer.stock, Some(49));
    sound(&*storage, &[ada]).await;
}

/// Then by descending ids, without gaps and repeats, under the titles they have now.
pub async fn members_things_are_listed_latest_first(storage: Arc<dyn Storage>) {
    let ada = ada(&storage).await;
    let mut expected = Vec::new();
    for n in 0..7_u64 {
        let item = offered(&storage, &format!("thing {n}")).await;
        let acquired_at = now().plus(seconds(n / 3)); // Three at a time.
        let owned = storage.store().own(ada, &item, points(1), acquired_at).await.unwrap();
        expected.push(owned);
    }
    expected.reverse();
    for limit in [1, 2, 7, 50] {
        let store = storage.store();
        let listed = walk(limit, async |page| store.user_items(ada, &page).await).await;
        assert_eq!(listed, expected, "pages of {limit}");
    }
    storage.store().update(expected[0].item, &offer("renamed", 1), 1).await.unwrap();
    let first = storage.store().user_items(ada, &page(1)).await.unwrap().items.remove(0);
    assert_eq!(first.title.as_str(), "renamed");
    let foreign = page(5).after("users.id~1".parse().unwrap());
    invalid(storage.store().user_items(ada, &foreign).await, "cursor");
}
