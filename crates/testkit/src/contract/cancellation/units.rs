use std::sync::Arc;

use guildhall_repository::Storage;

use super::super::expect::sound;
use super::super::given;
use super::nothing_is_missing;
use crate::builder::{award, deduct, key, now, points};
use crate::poll::Cut;

/// And keeps no connection.
pub async fn a_dropped_begin_leaves_no_unit(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    Cut::at_each(async |cut| {
        let done = cut.apply(storage.begin()).await.is_some();
        storage.points().award(&award(ada, 1), now()).await.unwrap();
        done
    })
    .await;
    nothing_is_missing(&storage).await;
}

/// As when a whole use case is dropped.
pub async fn a_unit_dropped_in_a_call_leaves_nothing(storage: Arc<dyn Storage>) {
    let ada = given::funded(&storage, "ada", 10).await;
    Cut::at_each(async |cut| {
        let work = storage.begin().await.unwrap();
        work.points().award(&award(ada, 5), now()).await.unwrap();
        let request = deduct(ada, 7);
        let done = cut.apply(work.points().deduct(&request, now())).await.is_some();
        drop(work);
        assert_eq!(given::balance(&storage, ada).await, points(10), "{cut:?}");
        // The row is locked no longer.
        storage.points().award(&award(ada, 1), now()).await.unwrap();
        storage.points().deduct(&deduct(ada, 1), now()).await.unwrap();
        done
    })
    .await;
    sound(&*storage, &[ada]).await;
    nothing_is_missing(&storage).await;
}

/// Nobody knows whether it did: the repetition with the same key does.
pub async fn a_dropped_commit_happens_once(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let mut total = 0;
    Cut::at_each(async |cut| {
        let request = award(ada, 1).key(key(&format!("{cut:?}")));
        let work = storage.begin().await.unwrap();
        work.points().award(&request, now()).await.unwrap();
        let done = cut.apply(work.commit()).await.is_some();
        let work = storage.begin().await.unwrap();
        work.points().award(&request, now()).await.unwrap();
        work.commit().await.unwrap();
        total += 1;
        assert_eq!(given::balance(&storage, ada).await, points(total), "{cut:?}");
        done
    })
    .await;
    sound(&*storage, &[ada]).await;
    nothing_is_missing(&storage).await;
}

/// All the same.
pub async fn a_dropped_roll_back_rolls_back(storage: Arc<dyn Storage>) {
    let ada = given::funded(&storage, "ada", 10).await;
    Cut::at_each(async |cut| {
        let work = storage.begin().await.unwrap();
        work.points().deduct(&deduct(ada, 10), now()).await.unwrap();
        let done = cut.apply(work.rollback()).await.is_some();
        storage.points().deduct(&deduct(ada, 1), now()).await.unwrap();
        storage.points().award(&award(ada, 1), now()).await.unwrap();
        assert_eq!(given::balance(&storage, ada).await, points(10), "{cut:?}");
        done
    })
    .await;
    sound(&*storage, &[ada]).await;
    nothing_is_missing(&storage).await;
}
