use std::sync::Arc;

use guildhall_domain::{Amount, Award, DomainEvent, Points, UserId};
use guildhall_repository::{BulkMode, ErrorKind, Storage};

use super::super::expect::{all_sound, refused, sound};
use super::super::given;
use crate::builder::{award, key, now, points, source};

const MODES: [BulkMode; 2] = [BulkMode::Atomic, BulkMode::BestEffort];

/// Several requests of one member follow each other; each outcome stands in its request's place.
pub async fn a_bulk_takes_effect_in_order(storage: Arc<dyn Storage>) {
    for (mode, names) in MODES.into_iter().zip([["ada", "bob"], ["eve", "max"]]) {
        let first = given::funded(&storage, names[0], 1).await;
        let second = given::member(&storage, names[1]).await;
        let requests = [award(second, 500), award(first, 2), award(second, 3), award(first, 4)];
        let outcomes = storage.points().award_bulk(&requests, mode, now()).await.unwrap();
        let found: Vec<_> = outcomes
            .iter()
            .map(|outcome| outcome.as_ref().unwrap().value.clone())
            .map(|entry| (entry.user, entry.seq, entry.amount, entry.balance_after))
            .collect();
        assert_eq!(
            found,
            [
                (second, 1, points(500), points(500)),
                (first, 2, points(2), points(3)),
                (second, 2, points(3), points(503)),
                (first, 3, points(4), points(7)),
            ]
        );
        let raised = &outcomes[0].as_ref().unwrap().events;
        assert!(raised.contains(&DomainEvent::LevelUp { user: second, level: 2 }), "{raised:?}");
        for outcome in outcomes {
            let entry = outcome.unwrap().value;
            assert_eq!(storage.ledger().entry(entry.id).await.unwrap(), Some(entry));
        }
        sound(&*storage, &[first, second]).await;
    }
}

/// The error is that of the item that failed.
pub async fn an_atomic_bulk_is_all_or_nothing(storage: Arc<dyn Storage>) {
    let ids = given::crowd(&storage, 2, 1).await;
    let most = Award::new(ids[1], Amount::new(Points::MAX).unwrap(), source("test"));
    for (failing, kind) in
        [(award(UserId(999_999), 1), ErrorKind::NotFound), (most, ErrorKind::Validation)]
    {
        let requests = [award(ids[0], 5), failing, award(ids[1], 5)];
        let outcome = storage.points().award_bulk(&requests, BulkMode::Atomic, now()).await;
        refused(outcome, kind);
    }
    for &id in &ids {
        assert_eq!(given::balance(&storage, id).await, points(1));
    }
    sound(&*storage, &ids).await;
}

/// Each error stands in its own place.
pub async fn a_best_effort_bulk_goes_on(storage: Arc<dyn Storage>) {
    let ids = given::crowd(&storage, 2, 1).await;
    let most = Award::new(ids[1], Amount::new(Points::MAX).unwrap(), source("test"));
    let requests = [award(ids[0], 5), award(UserId(999_999), 1), most, award(ids[1], 5)];
    let outcomes =
        storage.points().award_bulk(&requests, BulkMode::BestEffort, now()).await.unwrap();
    let kinds: Vec<_> =
        outcomes.iter().map(|outcome| outcome.as_ref().err().map(|error| error.kind())).collect();
    assert_eq!(kinds, [None, Some(ErrorKind::NotFound), Some(ErrorKind::Validation), None]);
    for &id in &ids {
        assert_eq!(given::balance(&storage, id).await, points(6));
    }
    sound(&*storage, &ids).await;
}

/// Keys used before, used twice in the bulk, or used for something else.
pub async fn a_bulk_replays_by_key(storage: Arc<dyn Storage>) {
    let ada = given::member(&storage, "ada").await;
    let old = award(ada, 1).key(key("old"));
    storage.points().award(&old, now()).await.unwrap();
    let new = award(ada, 2).key(key("new"));
    let requests = [old.clone(), new.clone(), new];
    for (mode, replayed) in MODES.into_iter().zip([[true, false, true], [true, true, true]]) {
        let outcomes = storage.points().award_bulk(&requests, mode, now()).await.unwrap();
        let found: Vec<_> =
            outcomes.iter().map(|outcome| outcome.as_ref().unwrap().replayed).collect();
        assert_eq!(found, replayed);
        let entry = |n: usize| outcomes[n].as_ref().unwrap().value.clone();
        assert_eq!(entry(1), entry(2));
    }
    assert_eq!(given::balance(&storage, ada).await, points(3));
    let requests = [award(ada, 9), award(ada, 9).key(key("old"))];
    let outcome = storage.points().award_bulk(&requests, BulkMode::Atomic, now()).await;
    refused(outcome, ErrorKind::Conflict);
    assert_eq!(given::balance(&storage, ada).await, points(3));
    let mut outcomes =
        storage.points().award_bulk(&requests, BulkMode::BestEffort, now()).await.unwrap();
    refused(outcomes.remove(1), ErrorKind::Conflict);
    assert_eq!(given::balance(&storage, ada).await, points(12));
    sound(&*storage, &[ada]).await;
}

/// Neither none nor 1001.
pub async fn a_bulk_has_one_to_1000_requests(storage: Arc<dyn Storage>) {
    let ids = given::crowd(&storage, 10, 0).await;
    let requests: Vec<_> = (0..1001).map(|n| award(ids[n * 7 % 10], 1)).collect();
    for mode in MODES {
        for refusal in [&requests[..0], &requests[..]] {
            let outcome = storage.points().award_bulk(refusal, mode, now()).await;
            refused(outcome, ErrorKind::Validation);
        }
        let outcomes = storage.points().award_bulk(&requests[..1000], mode, now()).await.unwrap();
        assert!(outcomes.len() == 1000 && outcomes.iter().all(Result::is_ok));
    }
    for id in ids {
        assert_eq!(given::balance(&storage, id).await, points(200));
    }
    assert_eq!(all_sound(&*storage).await, (10, 2000));
}

/// Nor lose anything.
pub async fn bulks_in_opposite_order_do_not_stop_each_other(storage: Arc<dyn Storage>) {
    let ids = given::crowd(&storage, 20, 0).await;
    let requests: Vec<_> = ids.iter().map(|&id| award(id, 1)).collect();
    given::at_once(20, &storage, |storage, n| {
        let mut requests = requests.clone();
        if n % 2 == 0 {
            requests.reverse();
        }
        async move {
            let mode = MODES[n / 2 % 2];
            let outcomes = storage.points().award_bulk(&requests, mode, now()).await.unwrap();
            for outcome in outcomes {
                outcome.unwrap();
            }
        }
    })
    .await;
    for &id in &ids {
        assert_eq!(given::balance(&storage, id).await, points(20));
    }
    sound(&*storage, &ids).await;
}
