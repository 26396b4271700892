//! Many members, many tasks, calls dropped anywhere and statements that fail: afterwards every
//! reward has its fact, and every fact its reward.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use guildhall_diesel::Faults;
use guildhall_domain::{
    IdemKey, MissionCadence, MissionStatus, NewMission, ObjectiveKind, Random, UserId,
};
use guildhall_repository::{Storage, StorageError};
use guildhall_service::Outbox;
use guildhall_testkit::SeededRandom;
use guildhall_testkit::builder::{page, slug};
use guildhall_testkit::poll::Cut;

use super::ground::{Ground, earned, errand, mission, reward};

/// So long on either database.
const LASTS: Duration = Duration::from_secs(10);
const TASKS: usize = 64;
const MEMBERS: usize = 20;
const MISSIONS: usize = 12;

/// Fails one in fifty operations, half of them before they run and half after they did, once it is
/// switched on.
#[derive(Default)]
struct OneInFifty {
    random: Option<SeededRandom>,
    is_on: AtomicBool,
    failed: AtomicU64,
}

impl OneInFifty {
    fn strikes(&self) -> Result<(), StorageError> {
        let chance = self.random.as_ref().map_or(1, Random::next_u64);
        // Asked twice an operation.
        if !self.is_on.load(Ordering::Relaxed) || !chance.is_multiple_of(100) {
            return Ok(());
        }
        self.failed.fetch_add(1, Ordering::Relaxed);
        Err(StorageError::Unavailable { resource: "a fault on cue", source: None })
    }
}

impl Faults for OneInFifty {
    fn before(&self, _operation: &'static str) -> Result<(), StorageError> {
        self.strikes()
    }

    fn after(&self, _operation: &'static str) -> Result<(), StorageError> {
        self.strikes()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_keeps_its_books() {
    let faults = faults();
    let (storage, _file) = crate::harness::faulty_sqlite(Arc::clone(&faults) as _).await;
    keep_books(storage, &faults).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_keeps_its_books() {
    let faults = faults();
    let (storage, _schema) = crate::harness::faulty_postgres(Arc::clone(&faults) as _).await;
    keep_books(storage, &faults).await;
}

fn faults() -> Arc<OneInFifty> {
    Arc::new(OneInFifty { random: Some(SeededRandom::new(11)), ..OneInFifty::default() })
}

/// Missions that pay, one of which needs another, one a day; two achievements by rule.
async fn set_the_stage(ground: &Ground) -> Vec<UserId> {
    for n in 0..MISSIONS {
        let id = format!("errand{n:02}");
        let new = errand(&id, &format!("act{}", n % 4), 3 + n as u64 * 7, 1 + n as i64);
        let cadence = if n % 3 == 0 { MissionCadence::Daily } else { MissionCadence::OneTime };
        ground.mission(NewMission { cadence, ..new }).await;
    }
    let first = guildhall_domain::Objective::once(ObjectiveKind::Mission, slug("errand01"));
    ground.mission(mission("after").objective(first).reward(reward(9))).await;
    ground.achievement(earned("rich", "points_earned", 2_000, 5)).await;
    ground.achievement(earned("busy", "missions", 3, 2)).await;
    ground.members(MEMBERS).await
}

async fn keep_books(storage: Arc<dyn Storage>, faults: &OneInFifty) {
    let ground = Arc::new(Ground::with(&storage, Outbox::on()));
    let members = Arc::new(set_the_stage(&ground).await);
    faults.is_on.store(true, Ordering::Relaxed);
    let until = Instant::now() + LASTS;
    let (done, cut, failed) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    let counts = Arc::new((done, cut, failed));
    let tasks = (0..TASKS).map(|task| {
        let (ground, members) = (Arc::clone(&ground), Arc::clone(&members));
        let counts = Arc::clone(&counts);
        tokio::spawn(async move {
            let random = SeededRandom::new(100 + task as u64);
            let mut number = 0;
            while Instant::now() < until {
                number += 1;
                let key = format!("{task}:{number}");
                let call = act(&ground, &members, &random, &key);
                let outcome = match random.index(20) {
                    0 => Cut::Turns(random.index(60) as u32).apply(call).await,
                    _ => Some(call.await),
                };
                match outcome {
                    Some(Ok(())) => counts.0.fetch_add(1, Ordering::Relaxed),
                    Some(Err(_)) => counts.2.fetch_add(1, Ordering::Relaxed),
                    None => counts.1.fetch_add(1, Ordering::Relaxed),
                };
            }
        })
    });
    for task in futures_util::future::join_all(tasks).await {
        task.unwrap();
    }
    faults.is_on.store(false, Ordering::Relaxed);
    let [done, cut, failed] =
        [&counts.0, &counts.1, &counts.2].map(|count| count.load(Ordering::Relaxed));
    assert!(done > 100 && cut > 0 && failed > 0, "{done} done, {cut} cut, {failed} failed");
    assert!(faults.failed.load(Ordering::Relaxed) > 0);
    ground.verify().await;
    let mut periods = 0;
    for member in members.iter() {
        periods += paid_once(&ground, *member).await;
    }
    assert!(periods > 0, "no mission was completed");
}

/// One act, repeated under its key once it has failed: it may have been done.
async fn act(
    ground: &Ground,
    members: &[UserId],
    random: &SeededRandom,
    key: &str,
) -> Result<(), StorageError> {
    let member = members[random.index(members.len())];
    let key = IdemKey::parse(key).unwrap();
    let action = slug(&format!("act{}", random.index(4)));
    let missions = &ground.missions;
    let call = async || match random.index(3) {
        0 => {
            let id = slug(&format!("errand{:02}", random.index(MISSIONS)));
            missions.advance(member, &id, 0, 1, None).await.map(drop)
        }
        _ => missions
            .record_action(member, ObjectiveKind::Action, &action, 1, Some(&key))
            .await
            .map(drop),
    };
    match call().await {
        Err(StorageError::Unavailable { .. }) => call().await,
        outcome => outcome,
    }
}

/// Every completed period of the member has its one entry, every such entry its period, and every
/// achievement what it pays. Gives the number of periods.
async fn paid_once(ground: &Ground, member: UserId) -> usize {
    let progress = ground.storage.mission_progress();
    let all = page(200);
    let completed = progress.user_missions(member, Some(MissionStatus::Completed), &all);
    let completed = completed.await.unwrap().items;
    let points = ground.storage.points();
    for row in &completed {
        let key = format!("mission:{}:{member}:{}", row.mission, row.period);
        let entry = points.entry_by_key(&IdemKey::parse(&key).unwrap()).await.unwrap();
        assert_eq!(entry.map(|entry| entry.id), row.rewarded_entry, "{key}");
        assert!(row.rewarded_entry.is_some() && row.is_met(), "{row:?}");
    }
    let sources = ground.sources(member).await;
    let count = |source: &str| sources.iter().filter(|it| *it == source).count();
    assert_eq!(count("mission"), completed.len());
    let held = ground.storage.user_achievements();
    let held = held.list(member, &Default::default(), &page(200)).await.unwrap().items;
    assert_eq!(count("achievement"), held.len());
    let log = ground.storage.rewards().of_user(member, &page(200)).await.unwrap().items;
    assert_eq!(log.len(), completed.len());
    completed.len()
}
