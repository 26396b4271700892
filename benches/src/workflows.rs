//! One act and all that it sets off, and what members are shown, on PostgreSQL.

use std::hint::black_box;
use std::sync::Arc;

use guildhall_cache::{Cache, RedisBackend, RedisOptions};
use guildhall_cached::{CachedOptions, CachedStorage};
use guildhall_domain::{
    Criterion, Metric, MissionCadence, NewAchievement, NewMission, Objective, ObjectiveKind,
    Reward, Slug, SystemClock, SystemRandom, UserId,
};
use guildhall_repository::Storage;
use guildhall_service::{
    Achievements, Crediting, CreditingRules, Missions, WorkflowRules, Workflows,
};
use guildhall_testkit::builder::{amount, award, label, now, slug, title};
use guildhall_testkit::server;

use crate::Bench;
use crate::movement::{ByTrait as Bare, Kind, OWN_MEMBERS, Picks};
use crate::read_by_id::ByTrait as ById;
use crate::rounds::{Side, Worker, take_turns};
use crate::setup::{Ids, Postgres, postgres_storage};
use crate::table::{Row, Unit};
use crate::wire::{Cost, Proxy};

fn workflows(storage: &Arc<dyn Storage>) -> Workflows {
    let (clock, random) = (Arc::new(SystemClock), Arc::new(SystemRandom));
    let rules = CreditingRules::default();
    let crediting = Crediting::new(Arc::clone(storage), clock, random, rules);
    Workflows::new(crediting, WorkflowRules::default())
}

/// Counts on one thread: there what is sent together leaves together, and round trips are a number.
async fn counted<F>(url: String, count: impl FnOnce(String) -> F + Send + 'static) -> Cost
where
    F: Future<Output = Cost>,
{
    let count = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(count(url))
    };
    tokio::task::spawn_blocking(count).await.unwrap()
}

/// An action that completes a mission of a member who has none yet; it pays, and unlocks an
/// achievement. Each call is another member's.
struct Completion {
    missions: Missions,
    dig: Slug,
    ids: std::ops::RangeInclusive<i64>,
}

impl Completion {
    fn on(storage: &Arc<dyn Storage>, ids: std::ops::RangeInclusive<i64>) -> Self {
        Self { missions: Missions::new(workflows(storage)), dig: slug("dig"), ids }
    }
}

impl Worker for Completion {
    async fn call(&mut self) {
        let user = UserId(self.ids.next().unwrap());
        let action = ObjectiveKind::Action;
        let done = self.missions.record_action(user, action, &self.dig, 1, None).await.unwrap();
        assert_eq!(done.value.effects.achievements.len(), 1);
        black_box(done);
    }
}

/// Tables that a completion writes; a test sees to it that these are they.
const WRITTEN: [&str; 7] = [
    "point_accounts",
    "point_entries",
    "reward_log",
    "user_achievements",
    "user_counters",
    "user_missions",
    "user_objective_progress",
];

pub(crate) async fn record_action(bench: Bench) -> Vec<Row> {
    const MEMBERS: i64 = 40_000;
    let postgres = Postgres::with_members(MEMBERS).await;
    let storage = &postgres.storage;
    let mission = NewMission::new(slug("dig"), title("Dig"), MissionCadence::OneTime)
        .objective(Objective::action(slug("dig"), 1))
        .reward(Reward::Points(amount(5)));
    storage.missions().create(&mission, now()).await.unwrap();
    let digger = NewAchievement {
        criteria: vec![Criterion::at_least(Metric::parse("missions").unwrap(), 1)],
        ..NewAchievement::new(slug("digger"), label("Digger"))
    };
    storage.achievements().create(&digger, now()).await.unwrap();
    let cost = counted(postgres.url(), |url| async move {
        let proxy = Proxy::before(&url).await;
        let counted: Arc<dyn Storage> = Arc::new(postgres_storage(proxy.url()).await);
        let mut one = Completion::on(&counted, MEMBERS - 999..=MEMBERS);
        proxy.cost(async || one.call().await).await
    })
    .await;
    let ours = Completion::on(storage, OWN_MEMBERS + 1..=MEMBERS - 1_000);
    let bare = Bare::new(storage, Kind::Award, Picks::own(0));
    let [ours, bare] = take_turns(bench.pace, [Side::one(ours), Side::one(bare)]).await;
    let tables = WRITTEN.len();
    let what = format!(
        "PostgreSQL `record_action`: completes a mission that pays, unlocks an achievement, p50 \
         ({cost}, {tables} tables written)"
    );
    let rows = vec![
        Row::latency("record_action", what, &ours)
            .against("`dyn PointRepository::award`, one task", &bare)
            .at_most(15.0),
        Row::once("record_action", "the same: round trips", cost.trips, Unit::Count)
            .against_once("tables written", tables as f64)
            .at_most(2.0),
    ];
    postgres.remove().await;
    rows
}

/// Reads full profiles in turn.
struct Profiles {
    storage: Arc<dyn Storage>,
    ids: Ids,
}

impl Worker for Profiles {
    async fn call(&mut self) {
        let id = self.ids.next();
        black_box(self.storage.profiles().full_profile(id).await.unwrap());
    }
}

async fn profile_cost(url: &str) -> Cost {
    let proxy = Proxy::before(url).await;
    let storage: Arc<dyn Storage> = Arc::new(postgres_storage(proxy.url()).await);
    let mut one = Profiles { storage, ids: Ids::upto(1) };
    proxy.cost(async || one.call().await).await
}

pub(crate) async fn full_profile(bench: Bench) -> Vec<Row> {
    const MEMBERS: i64 = 1_000;
    let postgres = Postgres::with_members(MEMBERS).await;
    let cost = profile_cost(&postgres.url()).await;
    let behind = |cache: Cache| -> Arc<dyn Storage> {
        let inner = Arc::clone(&postgres.storage);
        Arc::new(CachedStorage::new(inner, cache, CachedOptions::default()))
    };
    let memory = behind(Cache::builder().memory().build());
    let backend = RedisBackend::new(&server::redis_url(), RedisOptions::default()).unwrap();
    let redis = Cache::builder().shared(Arc::new(backend)).prefix(&server::redis_prefix()).build();
    let redis = behind(redis);
    let profiles = |storage: &Arc<dyn Storage>, count| {
        Side::one(Profiles { storage: Arc::clone(storage), ids: Ids::upto(count) })
    };
    let storage = Arc::clone(&postgres.storage);
    let [cold, by_id, in_memory, in_redis] = take_turns(
        bench.pace,
        [
            profiles(&postgres.storage, MEMBERS),
            Side::one(ById { storage, ids: Ids::upto(MEMBERS) }),
            profiles(&memory, 1),
            profiles(&redis, 1),
        ],
    )
    .await;
    drop((memory, redis));
    postgres.remove().await;
    let row = |what: String, series| Row::latency("full_profile", what, series);
    let uncached = "the same, uncached";
    vec![
        row(format!("PostgreSQL `full_profile`, uncached, p50 ({cost})"), &cold)
            .against("uncached by_id on PostgreSQL", &by_id),
        Row::once("full_profile", "the same: statements", cost.statements, Unit::Count)
            .figure_at_most(8.0),
        row("memory hit of `full_profile`, p50".to_owned(), &in_memory).against(uncached, &cold),
        row("Redis hit of `full_profile`, p50".to_owned(), &in_redis).against(uncached, &cold),
    ]
}

/// Looks at the rules for a member who has earned nothing new.
struct Evaluation {
    achievements: Achievements,
    user: UserId,
}

impl Worker for Evaluation {
    async fn call(&mut self) {
        black_box(self.achievements.evaluate(self.user).await.unwrap());
    }
}

pub(crate) async fn evaluate(bench: Bench) -> Vec<Row> {
    const HELD: [i64; 3] = [0, 250, 499];
    let postgres = Postgres::with_members(HELD.len() as i64).await;
    // Above what members have when they are made.
    let opening = 2_000_000_i64;
    let definition = |n: i64| NewAchievement {
        criteria: vec![Criterion::at_least(
            Metric::parse("points_earned").unwrap(),
            (opening + n) * 100,
        )],
        ..NewAchievement::new(slug(&format!("rich{n:03}")), label("Rich"))
    };
    let definitions: Vec<_> = (1..=500).map(definition).collect();
    postgres.storage.achievements().seed(&definitions, now()).await.unwrap();
    let mut members = Vec::new();
    for (user, held) in (1..).map(UserId).zip(HELD) {
        let account = postgres.storage.points().account(user).await.unwrap().unwrap();
        let more = opening + held - account.lifetime_earned().minor() / 100;
        postgres.storage.points().award(&award(user, more), now()).await.unwrap();
        let on = Achievements::new(workflows(&postgres.storage));
        let first = on.evaluate(user).await.unwrap().value.effects.achievements.len();
        assert_eq!(first as i64, held);
        let proxy = Proxy::before(&postgres.url()).await;
        let counted: Arc<dyn Storage> = Arc::new(postgres_storage(proxy.url()).await);
        let mut one = Evaluation { achievements: Achievements::new(workflows(&counted)), user };
        let cost = proxy.cost(async || one.call().await).await;
        members.push((user, held, cost));
    }
    postgres.tidy().await;
    let side = |n: usize| {
        let achievements = Achievements::new(workflows(&postgres.storage));
        Side::one(Evaluation { achievements, user: members[n].0 })
    };
    let series = take_turns(bench.pace, [side(0), side(1), side(2)]).await;
    let rows = members.iter().zip(&series).map(|((_, held, cost), ours)| {
        let what = format!("PostgreSQL `evaluate`, {held} of 500 held, p50 ({cost})");
        Row::latency("evaluate", what, ours).against("the same with 0 of 500 held", &series[0])
    });
    let rows = rows.collect();
    postgres.remove().await;
    rows
}
