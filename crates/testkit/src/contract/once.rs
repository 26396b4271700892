//! Promises of [`OnceRepository`](guildhall_repository::OnceRepository).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use guildhall_domain::{Json, UserId};
use guildhall_repository::{Claim, ErrorKind, OnceRequest, Storage};

use super::expect::{invalid, refused};
use super::given;
use crate::builder::{award, hours, json, key, now, points};

#[doc(hidden)]
#[macro_export]
macro_rules! once_promises {
    ($with:tt => $($stamp:tt)+) => {
        $($stamp)+! { $with, once as once on MultiThread:
            a_key_is_claimed_once_and_gives_its_result
            a_key_used_for_another_request_conflicts
            a_claim_without_a_result_is_no_answer
            a_result_is_kept_once
            a_roll_back_gives_the_key_back
            who_comes_second_waits_for_the_first
            who_comes_second_goes_first_after_a_roll_back
            old_keys_are_purged_oldest_first
        }
    };
}
#[doc(hidden)]
pub use crate::once_promises as promises;

fn request(name: &str, user: UserId) -> OnceRequest {
    OnceRequest::new(&key(name), "test", user, "amount=1 🎈 مرحبا").unwrap()
}

/// Claims a key in a unit of its own and keeps a result.
async fn done(storage: &Arc<dyn Storage>, request: &OnceRequest, result: &Json) {
    let work = storage.begin().await.unwrap();
    assert_eq!(work.once().claim(request, now()).await.unwrap(), Claim::Mine);
    work.once().keep(request.key(), result).await.unwrap();
    work.commit().await.unwrap();
}

/// The same as often as it is asked for, whatever is in it.
pub async fn a_key_is_claimed_once_and_gives_its_result(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let request = request("k", ada);
    let result = json(r#"{"entries": [1, -2.5, null], "text": "ünïcode 🦀 \" \\ 中文"}"#);
    done(&storage, &request, &result).await;
    for _ in 0..2 {
        let work = storage.begin().await.unwrap();
        let found = work.once().claim(&request, now()).await.unwrap();
        assert_eq!(found, Claim::Done(result.clone()));
        work.commit().await.unwrap();
    }
    let other = self::request("another", ada);
    assert_eq!(storage.once().claim(&other, now()).await.unwrap(), Claim::Mine);
}

/// Of another operation, member or text; the unit stays usable.
pub async fn a_key_used_for_another_request_conflicts(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let bob = given::member(&storage, "bob").await;
    let first = request("k", ada);
    done(&storage, &first, &json("[]")).await;
    let text = first.request();
    for other in [
        OnceRequest::new(&key("k"), "other", ada, text).unwrap(),
        OnceRequest::new(&key("k"), "test", bob, text).unwrap(),
        OnceRequest::new(&key("k"), "test", ada, "amount=2").unwrap(),
    ] {
        let work = storage.begin().await.unwrap();
        refused(work.once().claim(&other, now()).await, ErrorKind::Conflict);
        assert_eq!(work.once().claim(&first, now()).await.unwrap(), Claim::Done(json("[]")));
        work.commit().await.unwrap();
    }
}

/// Neither to an inner step of the same unit nor to anybody else.
pub async fn a_claim_without_a_result_is_no_answer(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let request = request("k", ada);
    let work = storage.begin().await.unwrap();
    assert_eq!(work.once().claim(&request, now()).await.unwrap(), Claim::Mine);
    refused(work.once().claim(&request, now()).await, ErrorKind::InvalidState);
    work.commit().await.unwrap();
    refused(storage.once().claim(&request, now()).await, ErrorKind::InvalidState);
}

/// Of a key that was claimed.
pub async fn a_result_is_kept_once(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let request = request("k", ada);
    refused(storage.once().keep(request.key(), &json("[1]")).await, ErrorKind::NotFound);
    done(&storage, &request, &json("[1]")).await;
    refused(storage.once().keep(request.key(), &json("[2]")).await, ErrorKind::InvalidState);
    let found = storage.once().claim(&request, now()).await.unwrap();
    assert_eq!(found, Claim::Done(json("[1]")));
}

/// With everything else in the unit.
pub async fn a_roll_back_gives_the_key_back(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let request = request("k", ada);
    let work = storage.begin().await.unwrap();
    assert_eq!(work.once().claim(&request, now()).await.unwrap(), Claim::Mine);
    work.once().keep(request.key(), &json("[1]")).await.unwrap();
    work.rollback().await.unwrap();
    assert_eq!(storage.once().claim(&request, now()).await.unwrap(), Claim::Mine);
}

/// One of many who try the same at once: gives a point unless somebody did. The first who can gives
/// up while `gives_up` is set, and takes that back.
async fn attempt(storage: Arc<dyn Storage>, ada: UserId, gives_up: &AtomicBool) -> Claim {
    let request = request("k", ada);
    let work = storage.begin().await.unwrap();
    let claim = work.once().claim(&request, now()).await.unwrap();
    if claim == Claim::Mine {
        work.points().award(&award(ada, 1), now()).await.unwrap();
        work.once().keep(request.key(), &json("[1]")).await.unwrap();
    }
    if claim == Claim::Mine && gives_up.swap(false, Ordering::SeqCst) {
        work.rollback().await.unwrap();
    } else {
        work.commit().await.unwrap();
    }
    claim
}

/// And gets its result: of twenty at once one does the work.
pub async fn who_comes_second_waits_for_the_first(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let claims = given::at_once(20, &storage, |storage, _| async move {
        attempt(storage, ada, &AtomicBool::new(false)).await
    })
    .await;
    assert_eq!(claims.iter().filter(|claim| **claim == Claim::Mine).count(), 1);
    let done = Claim::Done(json("[1]"));
    assert_eq!(claims.iter().filter(|claim| **claim == done).count(), 19);
    assert_eq!(given::balance(&storage, ada).await, points(1));
}

/// Of the first, whose work is undone with its claim.
pub async fn who_comes_second_goes_first_after_a_roll_back(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let gives_up = Arc::new(AtomicBool::new(true));
    let claims = given::at_once(12, &storage, |storage, _| {
        let gives_up = gives_up.clone();
        async move { attempt(storage, ada, &gives_up).await }
    })
    .await;
    assert_eq!(claims.iter().filter(|claim| **claim == Claim::Mine).count(), 2);
    assert_eq!(given::balance(&storage, ada).await, points(1));
}

/// At most as many as asked for; then they may be used again.
pub async fn old_keys_are_purged_oldest_first(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    for (name, age) in [("c", 1), ("a", 3), ("b", 2)] {
        let claimed = storage.once().claim(&request(name, ada), now().minus(hours(age))).await;
        assert_eq!(claimed.unwrap(), Claim::Mine);
    }
    for limit in [0, 1_001] {
        invalid(storage.once().purge(now(), limit).await, "limit");
    }
    assert_eq!(storage.once().purge(now().minus(hours(1)), 1).await.unwrap(), 1);
    assert_eq!(storage.once().claim(&request("a", ada), now()).await.unwrap(), Claim::Mine);
    assert_eq!(storage.once().purge(now().minus(hours(1)), 1_000).await.unwrap(), 1);
    assert_eq!(storage.once().purge(now().minus(hours(1)), 1_000).await.unwrap(), 0);
    refused(storage.once().claim(&request("c", ada), now()).await, ErrorKind::InvalidState);
}
