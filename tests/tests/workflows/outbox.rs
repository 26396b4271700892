//! The outbox: every event at least once, in order for each member, whoever hands it out.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use guildhall_domain::{Clock, NewExternal, NewUser, UserId};
use guildhall_repository::OutboxEvent;
use guildhall_service::{
    DispatchOptions, Dispatched, Dispatcher, HandlerError, Outbox, OutboxHandler,
};
use guildhall_testkit::SeededRandom;
use guildhall_testkit::builder::{award, seconds, user};

use super::ground::Ground;

super::on_storages! {
    two_dispatchers_hand_out_everything_in_order
    what_fails_comes_again_and_holds_its_member_up
    a_dispatcher_that_dies_loses_nothing
    a_newcomer_is_told_of_once_and_a_refused_one_never
    registration_without_the_outbox_writes_no_event
}

/// Writes down what it is given, and fails as often as it is told to.
#[derive(Default)]
struct Diary {
    seen: Mutex<Vec<(UserId, i64)>>,
    failures_left: AtomicU32,
    stuck: Option<UserId>,
}

impl Diary {
    fn of(&self, user: UserId) -> Vec<i64> {
        let seen = self.seen.lock().unwrap();
        seen.iter().filter(|(of, _)| *of == user).map(|(_, id)| *id).collect()
    }
}

#[async_trait]
impl OutboxHandler for Diary {
    async fn handle(&self, event: &OutboxEvent) -> Result<(), HandlerError> {
        event.event()?;
        if self.stuck == Some(event.user) {
            let left = self.failures_left.load(Ordering::SeqCst);
            if left > 0 {
                self.failures_left.store(left - 1, Ordering::SeqCst);
                return Err("the chat is down".into());
            }
        }
        tokio::task::yield_now().await;
        self.seen.lock().unwrap().push((event.user, event.id.0));
        Ok(())
    }
}

fn dispatcher(ground: &Ground, diary: &Arc<Diary>) -> Dispatcher {
    let options = DispatchOptions {
        batch: 7,
        lease: seconds(60),
        handler_timeout: seconds(20),
        retry_pause: seconds(1),
        ..DispatchOptions::default()
    };
    let (storage, clock) = (Arc::clone(&ground.storage), Arc::clone(&ground.clock));
    let random = Arc::new(SeededRandom::new(5));
    Dispatcher::new(storage, clock, random, Arc::clone(diary) as _, options).unwrap()
}

async fn earn(ground: &Ground, members: &[UserId], times: usize) {
    for _ in 0..times {
        for member in members {
            ground.crediting.award(&award(*member, 1)).await.unwrap();
        }
    }
}

async fn two_dispatchers_hand_out_everything_in_order(ground: Ground) {
    let members = ground.members(5).await;
    earn(&ground, &members, 12).await;
    let diary = Arc::new(Diary::default());
    let drain = async || {
        let dispatcher = dispatcher(&ground, &diary);
        let mut idle = 0;
        while idle < 20 {
            let done = dispatcher.run_once().await.unwrap();
            assert_eq!((done.failed, done.released), (0, 0));
            idle = if done.handled == 0 { idle + 1 } else { 0 };
            tokio::task::yield_now().await;
        }
    };
    tokio::join!(drain(), drain());
    for member in members {
        let seen = diary.of(member);
        assert_eq!(seen.len(), 12);
        assert!(seen.is_sorted_by(|a, b| a < b), "{seen:?}");
    }
    let status = ground.storage.outbox().status(ground.clock.now()).await.unwrap();
    assert_eq!((status.pending, status.published), (0, 60));
}

async fn what_fails_comes_again_and_holds_its_member_up(ground: Ground) {
    let members = ground.members(2).await;
    earn(&ground, &members, 3).await;
    let diary = Diary { stuck: Some(members[0]), ..Diary::default() };
    diary.failures_left.store(2, Ordering::SeqCst);
    let diary = Arc::new(diary);
    let dispatcher = dispatcher(&ground, &diary);
    let first = dispatcher.run_once().await.unwrap();
    assert_eq!(first, Dispatched { handled: 3, failed: 1, released: 2 });
    assert_eq!(dispatcher.run_once().await.unwrap(), Dispatched::default(), "it waits");
    ground.clock.advance(seconds(2));
    assert_eq!(dispatcher.run_once().await.unwrap().failed, 1);
    let status = ground.storage.outbox().status(ground.clock.now()).await.unwrap();
    assert_eq!((status.pending, status.attempts_max), (3, 2));
    ground.clock.advance(seconds(3));
    assert_eq!(dispatcher.run_once().await.unwrap().handled, 3);
    assert!(diary.of(members[0]).is_sorted_by(|a, b| a < b));
}

async fn a_dispatcher_that_dies_loses_nothing(ground: Ground) {
    let members = ground.members(3).await;
    earn(&ground, &members, 4).await;
    let diary = Arc::new(Diary::default());
    // Claimed, and never heard of again.
    let lost = ground.storage.outbox().claim(500, seconds(60), ground.clock.now()).await.unwrap();
    assert_eq!(lost.events.len(), 12);
    let dispatcher = dispatcher(&ground, &diary);
    assert_eq!(dispatcher.run_once().await.unwrap(), Dispatched::default());
    ground.clock.advance(Duration::from_secs(61));
    while dispatcher.run_once().await.unwrap().handled > 0 {}
    let seen: BTreeSet<i64> = diary.seen.lock().unwrap().iter().map(|(_, id)| *id).collect();
    let wanted: BTreeSet<i64> = lost.events.iter().map(|event| event.id.0).collect();
    assert_eq!(seen, wanted);
    // Whoever held them comes back: what it says counts no more.
    let ids: Vec<_> = lost.events.iter().map(|event| event.id).collect();
    let late = ground.storage.outbox().ack(&ids, lost.token, ground.clock.now()).await.unwrap();
    assert_eq!(late, 0);
    let by_member: BTreeMap<_, _> = members.iter().map(|it| (*it, diary.of(*it))).collect();
    assert!(by_member.values().all(|ids| ids.len() == 4 && ids.is_sorted_by(|a, b| a < b)));
}

async fn a_newcomer_is_told_of_once_and_a_refused_one_never(ground: Ground) {
    let ada = ground.registration.register(&user("ada")).await.unwrap().value.id;
    ground.registration.register(&user("ADA")).await.unwrap_err();
    let (who, seed) = (NewExternal::telegram(700_000_001), NewUser::default());
    let ensure = || ground.registration.ensure(&who, &seed);
    let all = tokio::join!(ensure(), ensure(), ensure(), ensure());
    let all = [all.0.unwrap(), all.1.unwrap(), all.2.unwrap(), all.3.unwrap()];
    assert_eq!(all.iter().filter(|outcome| !outcome.replayed).count(), 1);
    ground.registration.ensure(&who, &user("bob")).await.unwrap(); // Fills in the name.
    let lease = seconds(60);
    let told = ground.storage.outbox().claim(500, lease, ground.clock.now()).await.unwrap().events;
    let told: Vec<_> = told.iter().map(|event| (event.kind.as_str(), event.user)).collect();
    let newcomer = all[0].value.id;
    let expected = [("UserCreated", ada), ("UserCreated", newcomer), ("UserUpdated", newcomer)];
    assert_eq!(told, expected);
}

async fn registration_without_the_outbox_writes_no_event(ground: Ground) {
    let quiet = Ground::with(&ground.storage, Outbox::off());
    let outcome = quiet.registration.register(&user("ada")).await.unwrap();
    assert_eq!(outcome.events.len(), 1, "who registered is told");
    assert!(ground.outbox().await.is_empty());
}
