//! Promises of [`OutboxRepository`](guildhall_repository::OutboxRepository).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use guildhall_domain::{CorrelationId, DomainEvent, UserId};
use guildhall_repository::{
    LeaseToken, OutboxBatch, OutboxEvent, OutboxEventId, OutboxStatus, Storage,
};

use super::expect::invalid;
use super::given;
use crate::builder::{badge_awarded, hours, level_up, lore_unlocked, now, seconds};

#[doc(hidden)]
#[macro_export]
macro_rules! outbox_promises {
    ($with:tt => $($stamp:tt)+) => {
        $($stamp)+! { $with, outbox as outbox on MultiThread:
            events_come_back_as_they_were_written
            a_leased_event_is_out_of_sight_until_its_lease_ends
            no_event_is_out_while_an_earlier_one_of_its_member_is
            one_member_does_not_hold_up_another
            what_is_acknowledged_never_comes_again
            who_lost_the_lease_acknowledges_nothing
            what_is_released_comes_at_once_and_was_no_attempt
            what_failed_waits_and_its_successors_with_it
            an_acknowledged_successor_opens_no_gap
            a_claim_has_bounds
            the_outbox_says_how_it_stands
            published_events_are_purged
            a_roll_back_leaves_no_event
            many_workers_deliver_each_event_once_and_in_order
        }
    };
}
#[doc(hidden)]
pub use crate::outbox_promises as promises;

const LEASE: Duration = seconds(30);

async fn append(storage: &Arc<dyn Storage>, events: &[DomainEvent]) {
    storage.outbox().append(events, None, now()).await.unwrap();
}

async fn claim(storage: &Arc<dyn Storage>, limit: u32) -> OutboxBatch {
    storage.outbox().claim(limit, LEASE, now()).await.unwrap()
}

fn facts(events: &[OutboxEvent]) -> Vec<DomainEvent> {
    events.iter().map(|event| event.event().unwrap()).collect()
}

fn ids(events: &[OutboxEvent]) -> Vec<OutboxEventId> {
    events.iter().map(|event| event.id).collect()
}

/// Payload, correlation and time, in their order.
pub async fn events_come_back_as_they_were_written(storage: Arc<dyn Storage>) {
    let (ada, bob) = (UserId(1), UserId(2));
    let events = [level_up(ada, 2), lore_unlocked(bob, "lore:1"), badge_awarded(ada, 7)];
    let correlation = CorrelationId::parse("req-🦀").unwrap();
    storage.outbox().append(&events, Some(correlation.clone()), now()).await.unwrap();
    append(&storage, &[]).await;
    append(&storage, &[level_up(bob, 3)]).await;
    let batch = claim(&storage, 500).await;
    let expected: Vec<_> = events.iter().cloned().chain([level_up(bob, 3)]).collect();
    assert_eq!(facts(&batch.events), expected);
    assert!(batch.events.windows(2).all(|pair| pair[0].id < pair[1].id));
    for (event, expected) in batch.events.iter().zip(&expected) {
        assert_eq!((event.user, event.kind.as_str()), (expected.user(), expected.kind()));
        assert_eq!((event.created_at, event.attempts), (now(), 1));
    }
    let marked: Vec<_> = batch.events.iter().map(|event| event.correlation.clone()).collect();
    let same = Some(correlation);
    assert_eq!(marked, [same.clone(), same.clone(), same, None]);
}

/// Then it comes again, counted.
pub async fn a_leased_event_is_out_of_sight_until_its_lease_ends(storage: Arc<dyn Storage>) {
    append(&storage, &[level_up(UserId(1), 2)]).await;
    let first = claim(&storage, 10).await;
    assert_eq!(first.events.len(), 1);
    assert_eq!(claim(&storage, 10).await.events, []);
    let almost = now().plus(LEASE).minus(Duration::from_micros(1));
    assert_eq!(storage.outbox().claim(10, LEASE, almost).await.unwrap().events, []);
    let again = storage.outbox().claim(10, LEASE, now().plus(LEASE)).await.unwrap();
    assert_eq!((ids(&again.events), again.events[0].attempts), (ids(&first.events), 2));
    assert_ne!(again.token, first.token);
}

/// Appended before or after the claim.
pub async fn no_event_is_out_while_an_earlier_one_of_its_member_is(storage: Arc<dyn Storage>) {
    let ada = UserId(1);
    append(&storage, &[level_up(ada, 2), level_up(ada, 3), level_up(ada, 4)]).await;
    let first = claim(&storage, 2).await;
    assert_eq!(facts(&first.events), [level_up(ada, 2), level_up(ada, 3)]);
    append(&storage, &[level_up(ada, 5)]).await;
    assert_eq!(claim(&storage, 10).await.events, []);
    let acknowledged = storage.outbox().ack(&ids(&first.events)[..1], first.token, now()).await;
    assert_eq!(acknowledged.unwrap(), 1);
    assert_eq!(claim(&storage, 10).await.events, [], "the second is still out");
    storage.outbox().ack(&ids(&first.events), first.token, now()).await.unwrap();
    assert_eq!(facts(&claim(&storage, 10).await.events), [level_up(ada, 4), level_up(ada, 5)]);
}

/// Oldest first among those that are free.
pub async fn one_member_does_not_hold_up_another(storage: Arc<dyn Storage>) {
    let (ada, bob) = (UserId(1), UserId(2));
    append(&storage, &[level_up(ada, 2), level_up(bob, 2), level_up(ada, 3), level_up(bob, 3)])
        .await;
    assert_eq!(facts(&claim(&storage, 1).await.events), [level_up(ada, 2)]);
    assert_eq!(facts(&claim(&storage, 1).await.events), [level_up(bob, 2)]);
    assert_eq!(claim(&storage, 10).await.events, []);
}

/// Not even when its lease is over.
pub async fn what_is_acknowledged_never_comes_again(storage: Arc<dyn Storage>) {
    append(&storage, &[level_up(UserId(1), 2)]).await;
    let batch = claim(&storage, 10).await;
    let ack = || storage.outbox();
    assert_eq!(ack().ack(&ids(&batch.events), batch.token, now()).await.unwrap(), 1);
    assert_eq!(ack().ack(&ids(&batch.events), batch.token, now()).await.unwrap(), 0);
    let later = now().plus(hours(1));
    assert_eq!(storage.outbox().claim(10, LEASE, later).await.unwrap().events, []);
}

/// Nor gives back what somebody else holds. An event that nobody took meanwhile is still its own.
pub async fn who_lost_the_lease_acknowledges_nothing(storage: Arc<dyn Storage>) {
    append(&storage, &[level_up(UserId(1), 2)]).await;
    let slow = claim(&storage, 10).await;
    let later = now().plus(LEASE);
    let quick = storage.outbox().claim(10, LEASE, later).await.unwrap();
    let lost = ids(&slow.events);
    assert_eq!(storage.outbox().ack(&lost, slow.token, later).await.unwrap(), 0);
    assert_eq!(storage.outbox().release(&lost, slow.token).await.unwrap(), 0);
    assert_eq!(storage.outbox().fail(&lost, slow.token, later).await.unwrap(), 0);
    assert_eq!(storage.outbox().ack(&lost, LeaseToken(i64::MAX), later).await.unwrap(), 0);
    let much_later = later.plus(hours(1));
    assert_eq!(storage.outbox().ack(&lost, quick.token, much_later).await.unwrap(), 1);
}

/// To whoever asks.
pub async fn what_is_released_comes_at_once_and_was_no_attempt(storage: Arc<dyn Storage>) {
    let ada = UserId(1);
    append(&storage, &[level_up(ada, 2), level_up(ada, 3)]).await;
    let first = claim(&storage, 10).await;
    assert_eq!(storage.outbox().release(&ids(&first.events), first.token).await.unwrap(), 2);
    let again = claim(&storage, 10).await;
    assert_eq!(facts(&again.events), [level_up(ada, 2), level_up(ada, 3)]);
    assert!(again.events.iter().all(|event| event.attempts == 1));
}

/// Until its time; other members' events do not wait.
pub async fn what_failed_waits_and_its_successors_with_it(storage: Arc<dyn Storage>) {
    let (ada, bob) = (UserId(1), UserId(2));
    append(&storage, &[level_up(ada, 2), level_up(ada, 3), level_up(bob, 2)]).await;
    let batch = claim(&storage, 2).await;
    let (failed, later) = (ids(&batch.events)[..1].to_vec(), ids(&batch.events)[1..].to_vec());
    let retry_at = now().plus(seconds(5));
    assert_eq!(storage.outbox().fail(&failed, batch.token, retry_at).await.unwrap(), 1);
    assert_eq!(storage.outbox().release(&later, batch.token).await.unwrap(), 1);
    assert_eq!(facts(&claim(&storage, 10).await.events), [level_up(bob, 2)]);
    let again = storage.outbox().claim(10, LEASE, retry_at).await.unwrap();
    assert_eq!(facts(&again.events), [level_up(ada, 2), level_up(ada, 3)]);
    let attempts: Vec<_> = again.events.iter().map(|event| event.attempts).collect();
    assert_eq!(attempts, [2, 1]);
}

/// What was acknowledged out of order is published; what is still held ends the stretch of those
/// before it.
pub async fn an_acknowledged_successor_opens_no_gap(storage: Arc<dyn Storage>) {
    let ada = UserId(1);
    append(&storage, &(2..=5).map(|level| level_up(ada, level)).collect::<Vec<_>>()).await;
    let batch = claim(&storage, 3).await;
    let held = ids(&batch.events);
    assert_eq!(storage.outbox().ack(&held[1..2], batch.token, now()).await.unwrap(), 1);
    assert_eq!(claim(&storage, 10).await.events, [], "the first is still out");
    assert_eq!(storage.outbox().release(&held[..1], batch.token).await.unwrap(), 1);
    // The third is out with the earlier batch, and what comes after it waits.
    assert_eq!(facts(&claim(&storage, 10).await.events), [level_up(ada, 2)]);
    assert_eq!(claim(&storage, 10).await.events, []);
}

/// Of events and of time.
pub async fn a_claim_has_bounds(storage: Arc<dyn Storage>) {
    for limit in [0, 501] {
        invalid(storage.outbox().claim(limit, LEASE, now()).await, "limit");
    }
    for lease in [Duration::ZERO, Duration::from_millis(999), hours(1) + Duration::from_nanos(1)] {
        invalid(storage.outbox().claim(1, lease, now()).await, "lease");
    }
    let events: Vec<_> = (0..1001).map(|n| level_up(UserId(n), 2)).collect();
    invalid(storage.outbox().append(&events, None, now()).await, "events");
    append(&storage, &events[..1000]).await;
    let batch = claim(&storage, 500).await;
    assert_eq!(facts(&batch.events), events[..500]);
    let too_many: Vec<_> = (0..501).map(OutboxEventId).collect();
    invalid(storage.outbox().ack(&too_many, batch.token, now()).await, "ids");
    invalid(storage.outbox().release(&too_many, batch.token).await, "ids");
    invalid(storage.outbox().fail(&too_many, batch.token, now()).await, "ids");
    assert_eq!(storage.outbox().ack(&[], batch.token, now()).await.unwrap(), 0);
    assert_eq!(storage.outbox().ack(&ids(&batch.events), batch.token, now()).await.unwrap(), 500);
}

/// Also when it is empty.
pub async fn the_outbox_says_how_it_stands(storage: Arc<dyn Storage>) {
    assert_eq!(storage.outbox().status(now()).await.unwrap(), OutboxStatus::default());
    let oldest = now().minus(seconds(90));
    storage.outbox().append(&[level_up(UserId(1), 2)], None, oldest).await.unwrap();
    append(&storage, &[level_up(UserId(2), 2), level_up(UserId(3), 2)]).await;
    let batch = claim(&storage, 2).await;
    let status = storage.outbox().status(now()).await.unwrap();
    let expected = OutboxStatus {
        pending: 3,
        leased: 2,
        oldest_age: Some(seconds(90)),
        attempts_max: 1,
        published: 0,
    };
    assert_eq!(status, expected);
    storage.outbox().ack(&ids(&batch.events)[..1], batch.token, now()).await.unwrap();
    storage.outbox().fail(&ids(&batch.events), batch.token, now()).await.unwrap();
    let status = storage.outbox().status(oldest).await.unwrap();
    let oldest_age = Some(Duration::ZERO); // A clock that was set back.
    assert_eq!((status.pending, status.published, status.oldest_age), (2, 1, oldest_age));
    assert_eq!(storage.outbox().status(now()).await.unwrap().leased, 0);
}

/// Those published first go first; what is pending stays.
pub async fn published_events_are_purged(storage: Arc<dyn Storage>) {
    append(&storage, &(1..=4).map(|n| level_up(UserId(n), 2)).collect::<Vec<_>>()).await;
    let batch = claim(&storage, 3).await;
    for (hour, id) in (1..).zip(ids(&batch.events)) {
        storage.outbox().ack(&[id], batch.token, now().plus(hours(hour))).await.unwrap();
    }
    for limit in [0, 1_001] {
        invalid(storage.outbox().purge(now(), limit).await, "limit");
    }
    let third = now().plus(hours(3));
    assert_eq!(storage.outbox().purge(third, 1).await.unwrap(), 1);
    assert_eq!(storage.outbox().purge(third, 1_000).await.unwrap(), 1);
    assert_eq!(storage.outbox().purge(third, 1_000).await.unwrap(), 0);
    let status = storage.outbox().status(now()).await.unwrap();
    assert_eq!((status.pending, status.published), (1, 1));
}

/// Of those in the unit.
pub async fn a_roll_back_leaves_no_event(storage: Arc<dyn Storage>) {
    let work = storage.begin().await.unwrap();
    work.outbox().append(&[level_up(UserId(1), 2)], None, now()).await.unwrap();
    work.rollback().await.unwrap();
    assert_eq!(claim(&storage, 10).await.events, []);
    let work = storage.begin().await.unwrap();
    work.outbox().append(&[level_up(UserId(1), 3)], None, now()).await.unwrap();
    work.commit().await.unwrap();
    assert_eq!(facts(&claim(&storage, 10).await.events), [level_up(UserId(1), 3)]);
}

/// Eight workers, twenty members of twenty-five events each, and some who append meanwhile.
pub async fn many_workers_deliver_each_event_once_and_in_order(storage: Arc<dyn Storage>) {
    const MEMBERS: i64 = 20;
    const EACH: u32 = 25;
    for level in 0..EACH - 5 {
        append(&storage, &(0..MEMBERS).map(|n| level_up(UserId(n), level)).collect::<Vec<_>>())
            .await;
    }
    let seen: Arc<Mutex<BTreeMap<UserId, Vec<u32>>>> = Arc::default();
    given::at_once(9, &storage, |storage, worker| {
        let seen = seen.clone();
        async move {
            if worker == 0 {
                for level in EACH - 5..EACH {
                    let events: Vec<_> = (0..MEMBERS).map(|n| level_up(UserId(n), level)).collect();
                    append(&storage, &events).await;
                }
                return;
            }
            let total = MEMBERS as usize * EACH as usize;
            while seen.lock().unwrap().values().map(Vec::len).sum::<usize>() < total {
                let batch = claim(&storage, 7).await;
                for event in &batch.events {
                    let DomainEvent::LevelUp { user, level } = event.event().unwrap() else {
                        panic!("{event:?}");
                    };
                    seen.lock().unwrap().entry(user).or_default().push(level);
                }
                let outbox = storage.outbox();
                let published = outbox.ack(&ids(&batch.events), batch.token, now()).await.unwrap();
                assert_eq!(published, batch.events.len() as u64);
                tokio::task::yield_now().await;
            }
        }
    })
    .await;
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), 20);
    for (user, levels) in &*seen {
        assert!(levels.iter().copied().eq(0..EACH), "{user}: {levels:?}");
    }
}
