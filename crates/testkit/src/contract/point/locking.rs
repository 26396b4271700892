use std::sync::Arc;

use guildhall_domain::UserId;
use guildhall_repository::{ErrorKind, Storage, StorageError};

use super::super::expect::{invalid, refused, sound};
use super::super::given;
use crate::builder::{award, deduct, now, points};

/// 1 to 100 of them, each of whom may be named twice. The refusal names the first who is absent or
/// deleted, and the unit goes on.
pub async fn only_members_who_exist_are_locked(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let gone = given::member(&storage, "gone").await;
    storage.users().delete(gone, now()).await.unwrap();
    let work = storage.begin().await.unwrap();
    let refusal = refused(work.points().lock(&[UserId(999), ada, gone]).await, ErrorKind::NotFound);
    assert!(matches!(refusal, StorageError::NotFound { key, .. } if key == gone.to_string()));
    invalid(work.points().lock(&[]).await, "users");
    let many: Vec<_> = (1..=101).map(UserId).collect();
    invalid(work.points().lock(&many).await, "users");
    work.points().lock(&[ada, ada]).await.unwrap();
    work.points().award(&award(ada, 1), now()).await.unwrap();
    work.points().lock(&[ada]).await.unwrap();
    work.commit().await.unwrap();
    storage.points().lock(&[ada]).await.unwrap();
    refused(storage.points().lock(&[gone]).await, ErrorKind::NotFound);
    assert_eq!(given::balance(&storage, ada).await, points(1));
}

/// So that what it read is still true when it writes.
pub async fn who_locks_second_sees_what_the_first_did(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    given::at_once(30, &storage, |storage, _| async move {
        let work = storage.begin().await.unwrap();
        work.points().lock(&[ada]).await.unwrap();
        if work.points().balance(ada).await.unwrap() < points(10) {
            work.points().award(&award(ada, 1), now()).await.unwrap();
        }
        work.commit().await.unwrap();
    })
    .await;
    assert_eq!(given::balance(&storage, ada).await, points(10));
    sound(&*storage, &[ada]).await;
}

/// They are taken in one order, whatever order they are named in.
pub async fn locks_named_in_opposite_orders_all_succeed(storage: Arc<dyn Storage>) {
    let ids = given::crowd(&storage, 3, 100).await;
    given::at_once(40, &storage, |storage, n| {
        let mut named = ids.clone();
        named.rotate_left(n % 3);
        if n % 2 == 0 {
            named.reverse();
        }
        async move {
            let work = storage.begin().await.unwrap();
            work.points().lock(&named).await.unwrap();
            work.points().deduct(&deduct(named[0], 1), now()).await.unwrap();
            work.points().award(&award(named[2], 1), now()).await.unwrap();
            work.commit().await.unwrap();
        }
    })
    .await;
    assert_eq!(storage.rankings().points_in_circulation().await.unwrap(), points(300));
    sound(&*storage, &ids).await;
}
