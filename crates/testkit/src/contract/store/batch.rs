use std::sync::Arc;

use guildhall_domain::{StoreItemId, StoreOffer};
use guildhall_repository::{BATCH_MAX, Change, ErrorKind, Storage, StoreFilter};

use super::super::expect::{invalid, refused};
use crate::builder::{now, offer};

fn numbered(count: usize) -> Vec<StoreOffer> {
    (0..count).map(|n| offer(&format!("Thing {n}"), 10)).collect()
}

async fn counted(storage: &Arc<dyn Storage>, include_inactive: bool) -> u64 {
    let filter = StoreFilter { include_inactive, ..StoreFilter::default() };
    storage.store().count(&filter).await.unwrap()
}

fn changed(
    key: StoreItemId,
    title: &str,
    expected_version: i64,
) -> Change<StoreItemId, StoreOffer> {
    let change = StoreOffer { is_active: false, ..offer(title, 7) };
    Change { key, change, expected_version }
}

/// In the order given; as many as fit.
pub async fn many_things_are_offered_at_once(storage: Arc<dyn Storage>) {
    let store = storage.store();
    assert_eq!(store.create_batch(&[], now()).await.unwrap(), []);
    let offers = numbered(BATCH_MAX);
    let made = store.create_batch(&offers, now()).await.unwrap();
    assert!(made.iter().map(|item| &item.offer).eq(&offers));
    let ids: Vec<StoreItemId> = made[500..].iter().map(|item| item.id).collect();
    assert_eq!(store.by_ids(&ids).await.unwrap(), made[500..]);
    assert_eq!(counted(&storage, false).await, 1000);
    assert!(store.exists(ids[0]).await.unwrap());
    assert!(!store.exists(StoreItemId(i64::MAX)).await.unwrap());
}

/// A title that is taken, or given twice, or too many of them.
pub async fn a_batch_of_things_is_offered_wholly_or_not(storage: Arc<dyn Storage>) {
    storage.store().create(&offer("Äpfel", 1), now()).await.unwrap();
    let work = storage.begin().await.unwrap();
    let create = async |offers: &[StoreOffer]| work.store().create_batch(offers, now()).await;
    refused(create(&[offer("a", 1), offer("äPFEL", 1)]).await, ErrorKind::AlreadyExists);
    refused(create(&[offer("a", 1), offer("A", 1)]).await, ErrorKind::AlreadyExists);
    invalid(create(&numbered(BATCH_MAX + 1)).await, "offers");
    assert_eq!(create(&[offer("a", 1)]).await.unwrap().len(), 1);
    work.commit().await.unwrap();
    assert_eq!(counted(&storage, true).await, 2);
}

/// And every read of them is fresh.
pub async fn many_things_are_changed_at_once_or_none(storage: Arc<dyn Storage>) {
    let store = storage.store();
    let made = store.create_batch(&numbered(3), now()).await.unwrap();
    let title =
        async |at: usize| store.by_id(made[at].id).await.unwrap().unwrap().offer.title.to_string();
    assert_eq!(title(2).await, "Thing 2");
    let changes =
        [changed(made[2].id, "c", 1), changed(made[0].id, "a", 1), changed(made[0].id, "b", 2)];
    assert_eq!(store.update_batch(&changes).await.unwrap(), 3);
    assert_eq!((title(0).await, title(2).await), ("b".into(), "c".into()));
    assert_eq!((counted(&storage, false).await, counted(&storage, true).await), (1, 3));
    let stale = [changed(made[1].id, "x", 1), changed(made[2].id, "y", 1)];
    refused(store.update_batch(&stale).await, ErrorKind::Conflict);
    let absent = [changed(made[1].id, "x", 1), changed(StoreItemId(i64::MAX), "y", 1)];
    refused(store.update_batch(&absent).await, ErrorKind::NotFound);
    let taken = [changed(made[1].id, "x", 1), changed(made[2].id, "B", 2)];
    refused(store.update_batch(&taken).await, ErrorKind::AlreadyExists);
    assert_eq!((title(1).await, title(2).await), ("Thing 1".into(), "c".into()));
}
