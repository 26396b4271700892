//! What two cores make of hits in memory, and what they make of less.

use std::convert::Infallible;
use std::hint::black_box;
use std::sync::Arc;

use guildhall_cache::{Key, Tag};

use crate::Bench;
use crate::memory_hit::{All, Hits, MEMBERS, tasks};
use crate::peers::{CachedMacro, Ours, Profile, Profiles, TTL};
use crate::rounds::{Side, Worker, take_turns};
use crate::table::Row;

/// The values alone, without a cache: whoever gets one counts a reference of it.
#[derive(Clone)]
struct Slice(Arc<[Arc<Profile>]>);

impl Slice {
    fn new() -> Self {
        Self((0..MEMBERS).map(Profile::of).collect())
    }
}

impl Profiles for Slice {
    #[inline]
    async fn profile(&self, id: i64) -> Arc<Profile> {
        Arc::clone(&self.0[usize::try_from(id).unwrap()])
    }
}

/// Values that are copied: a hit writes to no line of memory that another task reads.
struct Balances(Ours);

impl Worker for Balances {
    const OPERATIONS: u64 = 1_000;

    async fn call(&mut self) {
        for id in 0..MEMBERS {
            let id = black_box(id);
            let key = Key::new("balance").id(id);
            let entry = (self.0.0).entry::<i64>(key, [Tag::new("member").id(id)], TTL);
            let Ok(balance) = entry.get_or_load(async || Ok::<_, Infallible>(id * 100)).await;
            black_box(balance);
        }
        tokio::task::yield_now().await;
    }
}

fn balances(count: usize, ours: &Ours) -> Side {
    Side::new((0..count).map(|_| Balances(ours.clone())))
}

/// Tasks that share nothing at all.
fn strangers(count: usize) -> Side {
    Side::new((0..count).map(|_| Hits { profiles: Slice::new(), members: MEMBERS }))
}

pub(crate) async fn run(bench: Bench) -> Vec<Row> {
    let all = All::new();
    let shared = Slice::new();
    let sides = [
        balances(8, &all.ours),
        balances(1, &all.ours),
        tasks(8, &all.ours),
        tasks(1, &all.ours),
        strangers(8),
        strangers(1),
        tasks(8, &shared),
        tasks(1, &shared),
        tasks(8, &all.quick),
        tasks(1, &all.quick),
        tasks(8, &all.moka_sync),
        tasks(1, &all.moka_sync),
        tasks(8, &CachedMacro),
        tasks(1, &CachedMacro),
    ];
    let series = take_turns(bench.pace, sides).await;
    let row = |what: &str, at: usize| {
        let what = format!("{what}, 8 tasks");
        Row::rate("two_cores", what, &series[at]).against("one task", &series[at + 1])
    };
    vec![
        row("get_or_load of a number", 0).at_least(1.7),
        row("get_or_load of an `Arc`", 2).at_least(1.7),
        row("no cache: clones of `Arc`s, own ones each", 4),
        row("no cache: clones of the same `Arc`s", 6),
        row("quick_cache, `get` of an `Arc`", 8),
        row("moka, `sync` `get` of an `Arc`", 10),
        row("`#[cached]`, async, sized, of an `Arc`", 12),
    ]
}
