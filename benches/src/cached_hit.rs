//! Hits in the in-process cache, through the trait.

use std::hint::black_box;
use std::sync::Arc;

use guildhall_cache::Cache;
use guildhall_cached::{CachedOptions, CachedStorage};
use guildhall_diesel::SqliteDurability;
use guildhall_domain::{Patch, UserId, UserPatch};
use guildhall_repository::Storage;
use guildhall_testkit::builder;

use crate::Bench;
use crate::read_by_id::ByTrait;
use crate::rounds::{Side, Worker, take_turns};
use crate::setup::{Ids, Postgres, Sqlite};
use crate::table::Row;

/// The member whose every field is filled.
const FULL: UserId = UserId(1_500);
const MEMBERS: i64 = 2_000;

/// Reads these members in turn, a thousand a call: the clock is too coarse for one.
struct Hits {
    storage: Arc<dyn Storage>,
    ids: Vec<UserId>,
}

impl Worker for Hits {
    const OPERATIONS: u64 = 1_000;

    async fn call(&mut self) {
        let users = self.storage.users();
        for id in self.ids.iter().cycle().take(1_000) {
            black_box(users.by_id(black_box(*id)).await.unwrap());
        }
    }
}

pub(crate) async fn run(bench: Bench) -> Vec<Row> {
    let postgres = Postgres::with_members(MEMBERS).await;
    let sqlite = Sqlite::with_members(MEMBERS, SqliteDurability::Full).await;
    fill_in(&*postgres.storage).await;
    let cache = Cache::builder().memory().build();
    let cached = CachedStorage::new(Arc::clone(&postgres.storage), cache, CachedOptions::default());
    let cached: Arc<dyn Storage> = Arc::new(cached);
    let hits = |ids: Vec<UserId>| Side::one(Hits { storage: Arc::clone(&cached), ids });
    let uncached = |storage: &Arc<dyn Storage>| {
        Side::one(ByTrait { storage: Arc::clone(storage), ids: Ids::upto(1_000) })
    };
    let rotating = (1..=1_000).map(UserId).collect();
    let [one, turn, full, postgres_read, sqlite_read] = take_turns(
        bench.pace,
        [
            hits(vec![UserId(1)]),
            hits(rotating),
            hits(vec![FULL]),
            uncached(&postgres.storage),
            uncached(&sqlite.storage),
        ],
    )
    .await;
    drop(cached);
    postgres.remove().await;
    let row = |what: &str, series| {
        Row::latency(
            "cached_hit",
            format!("memory hit through `dyn UserRepository`, {what}"),
            series,
        )
    };
    let read = "uncached by_id on PostgreSQL";
    vec![
        row("one member, p50", &one).figure_at_most(300.0),
        row("1000 members in turn, p50", &turn).figure_at_most(300.0),
        row("one member, p50", &one).against(read, &postgres_read).times_faster(200.0),
        row("1000 members in turn, p50", &turn).against(read, &postgres_read).times_faster(200.0),
        row("1000 members in turn, p50", &turn).against("uncached by_id on SQLite", &sqlite_read),
        row("one member with every field filled, p50", &full).against(read, &postgres_read),
    ]
}

async fn fill_in(storage: &dyn Storage) {
    let stored = storage.users().by_id(FULL).await.unwrap().unwrap();
    let patch = UserPatch {
        display_name: Patch::Set(builder::display_name("The Countess")),
        bio: Patch::Set("Writes programs for engines that are not built yet.".parse().unwrap()),
        avatar_url: Patch::Set("https://example.org/ada.png".parse().unwrap()),
        email: Patch::Set(builder::email("ada@example.org")),
        phone: Patch::Set(builder::phone("+441234567890")),
        ..UserPatch::default()
    };
    let users = storage.users();
    users.update(FULL, &patch, stored.version, false, builder::now()).await.unwrap();
}
