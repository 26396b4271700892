//! One task awards points: what a single award costs, layer by layer.

use std::hint::black_box;
use std::sync::Arc;

use guildhall_cache::Cache;
use guildhall_cached::{CachedOptions, CachedStorage};
use guildhall_diesel::SqliteDurability;
use guildhall_domain::{Amount, Award, Source, SystemClock, SystemRandom, UserId};
use guildhall_repository::Storage;
use guildhall_service::{Crediting, CreditingRules};

use crate::Bench;
use crate::movement::{AMOUNT, ByTrait, Kind, OWN_MEMBERS, Picks, SOURCE};
use crate::raw_postgres::ByStatement;
use crate::raw_sqlite::Synchronous;
use crate::rounds::{Side, Worker, take_turns};
use crate::setup::{Postgres, Sqlite};
use crate::table::Row;

/// Awards through the service, over a cache.
struct ByService {
    crediting: Crediting,
    picks: Picks,
}

impl ByService {
    fn over(storage: &Arc<dyn Storage>) -> Self {
        let cache = Cache::builder().memory().build();
        let cached = CachedStorage::new(Arc::clone(storage), cache, CachedOptions::default());
        let (clock, random) = (Arc::new(SystemClock), Arc::new(SystemRandom));
        let rules = CreditingRules::default();
        let crediting = Crediting::new(Arc::new(cached), clock, random, rules);
        Self { crediting, picks: Picks::own(0) }
    }
}

impl Worker for ByService {
    async fn call(&mut self) {
        let (user, _) = self.picks.pair();
        let amount = Amount::from_minor(AMOUNT).unwrap();
        let award = Award::new(UserId(user), amount, Source::parse(SOURCE).unwrap());
        black_box(self.crediting.award(&award).await.unwrap());
    }
}

pub(crate) async fn run(bench: Bench) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut tell = |what: &str, series, baseline: &str, base| {
        rows.push(Row::latency("award_points", what, series).against(baseline, base));
    };

    let postgres = Postgres::with_members(OWN_MEMBERS).await;
    let raw = ByStatement::new(postgres.client().await, Kind::Award, Picks::own(0)).await;
    let [bare, service, raw] = take_turns(
        bench.pace,
        [
            Side::one(ByTrait::new(&postgres.storage, Kind::Award, Picks::own(0))),
            Side::one(ByService::over(&postgres.storage)),
            Side::one(raw),
        ],
    )
    .await;
    let baseline = "the best raw statement";
    tell("PostgreSQL `dyn PointRepository::award`, one task, p50", &bare, baseline, &raw);
    let what = "PostgreSQL `Crediting::award` over memory cache, one task, p50";
    tell(what, &service, baseline, &raw);
    postgres.remove().await;

    let sqlite = Sqlite::with_members(OWN_MEMBERS, SqliteDurability::Full).await;
    let raw = Synchronous { conn: sqlite.connection(), kind: Kind::Award, picks: Picks::own(0) };
    let [bare, service, raw] = take_turns(
        bench.pace,
        [
            Side::one(ByTrait::new(&sqlite.storage, Kind::Award, Picks::own(0))),
            Side::one(ByService::over(&sqlite.storage)),
            Side::one(raw),
        ],
    )
    .await;
    let baseline = "synchronous Diesel on one connection";
    tell("SQLite `dyn PointRepository::award`, one task, p50", &bare, baseline, &raw);
    let what = "SQLite `Crediting::award` over memory cache, one task, p50";
    tell(what, &service, baseline, &raw);
    rows
}
