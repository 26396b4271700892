//! Hits in memory: how long one takes, and what it allocates.

use std::hint::black_box;
use std::sync::Arc;

use stats_alloc::Region;

use crate::Bench;
use crate::peers::{
    CachedMacro, ConcurrentCachedMacro, Foyer, MokaFuture, MokaSync, Ours, Profiles, Quick,
};
use crate::rounds::{Side, Worker, take_turns};
use crate::table::{Row, Unit};

const CAPACITY: usize = 10_000;
pub(crate) const MEMBERS: i64 = 1_000;

/// Reads members in turn, a thousand a call: the clock is too coarse for one.
pub(crate) struct Hits<P> {
    pub(crate) profiles: P,
    pub(crate) members: i64,
}

impl<P: Profiles> Worker for Hits<P> {
    const OPERATIONS: u64 = 1_000;

    async fn call(&mut self) {
        let mut id = 0;
        for _ in 0..Self::OPERATIONS {
            id = if id + 1 < self.members { id + 1 } else { 0 };
            black_box(self.profiles.profile(black_box(id)).await);
        }
        // Lets tasks that outnumber the cores take turns.
        tokio::task::yield_now().await;
    }
}

pub(crate) fn tasks<P: Profiles>(count: usize, profiles: &P) -> Side {
    Side::new((0..count).map(|_| Hits { profiles: profiles.clone(), members: MEMBERS }))
}

/// Everybody's cache.
pub(crate) struct All {
    pub(crate) ours: Ours,
    pub(crate) quick: Quick,
    pub(crate) moka_sync: MokaSync,
    moka_future: MokaFuture,
    foyer: Foyer,
}

impl All {
    pub(crate) fn new() -> Self {
        Self {
            ours: Ours::in_memory(),
            quick: Quick(Arc::new(quick_cache::sync::Cache::new(CAPACITY))),
            moka_sync: MokaSync(moka::sync::Cache::new(CAPACITY as u64)),
            moka_future: MokaFuture(moka::future::Cache::new(CAPACITY as u64)),
            foyer: Foyer(foyer_memory::CacheBuilder::new(CAPACITY).build()),
        }
    }
}

pub(crate) async fn run(bench: Bench) -> Vec<Row> {
    let all = All::new();
    let one_member = Side::one(Hits { profiles: all.ours.clone(), members: 1 });
    let sides = [
        one_member,
        tasks(1, &all.ours),
        tasks(1, &all.quick),
        tasks(1, &all.moka_sync),
        tasks(1, &all.moka_future),
        tasks(1, &all.foyer),
        tasks(1, &CachedMacro),
        tasks(1, &ConcurrentCachedMacro),
    ];
    let [one, ours, quick, moka_sync, moka_future, foyer, cached, concurrent] =
        take_turns(bench.pace, sides).await;
    let total = all.ours.0.stats().total;
    assert!(total.misses <= MEMBERS as u64 && total.errors == 0, "measured hits only: {total:?}");
    let turn = || Row::latency("memory_hit", "get_or_load, 1000 members in turn, p50", &ours);
    let mut rows = vec![
        turn().figure_at_most(120.0),
        Row::latency("memory_hit", "get_or_load, one member, p50", &one).figure_at_most(120.0),
        turn().against("quick_cache, `get`", &quick).at_most(4.0),
        turn().against("moka, `sync` `get`", &moka_sync).at_most(1.0),
        turn().against("moka, `future` `get`", &moka_future).at_most(1.0),
        turn().against("foyer, in memory, `get`", &foyer),
        turn().against("`#[cached]`, async, sized", &cached).at_most(1.0),
        turn().against("`#[concurrent_cached]`, async, sized", &concurrent).at_most(1.0),
    ];
    rows.extend(allocations(&all).await);
    rows
}

async fn allocations(all: &All) -> Vec<Row> {
    let row = |what: &str, count: f64| {
        Row::once(
            "memory_hit_allocations",
            format!("{what}, allocations a hit"),
            count,
            Unit::Count,
        )
    };
    vec![
        row("get_or_load", allocated(&all.ours).await).figure_at_most(0.0),
        row("quick_cache, `get`", allocated(&all.quick).await),
        row("moka, `future` `get`", allocated(&all.moka_future).await),
        row("foyer, in memory, `get`", allocated(&all.foyer).await),
        row("`#[cached]`, async, sized", allocated(&CachedMacro).await),
    ]
}

/// Allocations of this process a hit, while nothing else runs in it.
async fn allocated(profiles: &impl Profiles) -> f64 {
    const HITS: u32 = 100_000;
    let hits = async || {
        for at in 0..HITS {
            black_box(profiles.profile(i64::from(at) % MEMBERS).await);
        }
    };
    hits().await;
    let region = Region::new(crate::ALLOCATOR);
    hits().await;
    let change = region.change();
    (change.allocations + change.reallocations) as f64 / f64::from(HITS)
}
