//! Leaderboard pages and ranks among 10 thousand, 100 thousand and a million members.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use guildhall_diesel::SqliteDurability;
use guildhall_domain::{LeaderboardMetric, UserId};
use guildhall_repository::{OffsetRequest, Storage};

use crate::Bench;
use crate::movement::now;
use crate::rounds::{Side, Worker, take_turns};
use crate::setup::{Ids, Postgres, Sqlite};
use crate::table::Row;

/// The first ten.
struct FirstPage(Arc<dyn Storage>);

impl Worker for FirstPage {
    async fn call(&mut self) {
        let rows = OffsetRequest::default();
        let page = self.0.rankings().leaderboard(LeaderboardMetric::Balance, rows, now()).await;
        let page = page.unwrap();
        assert_eq!(page.items.len(), 10);
        black_box(page);
    }
}

/// The place of anybody.
struct Rank {
    storage: Arc<dyn Storage>,
    ids: Ids,
}

impl Worker for Rank {
    async fn call(&mut self) {
        let user: UserId = self.ids.next();
        let rank = self.storage.rankings().rank_of(user, LeaderboardMetric::Balance).await;
        black_box(rank.unwrap().unwrap());
    }
}

pub(crate) async fn run(bench: Bench) -> Vec<Row> {
    let sizes: &[i64] = if bench.quick { &[1_000, 10_000] } else { &[10_000, 100_000, 1_000_000] };
    let mut rows = Vec::new();
    let postgres = Postgres::start().await;
    let sqlite = Sqlite::with_members(0, SqliteDurability::Full).await;
    let mut filled = 0;
    for &members in sizes {
        postgres.fill(filled + 1..=members).await;
        sqlite.fill(filled + 1..=members);
        filled = members;
        for (name, storage) in [("PostgreSQL", &postgres.storage), ("SQLite", &sqlite.storage)] {
            rows.extend(measure(bench, name, storage, members).await);
        }
    }
    postgres.remove().await;
    rows
}

async fn measure(bench: Bench, name: &str, storage: &Arc<dyn Storage>, members: i64) -> [Row; 2] {
    let pace = bench.pace.lasting(5, Duration::from_millis(300));
    let rank = Rank { storage: Arc::clone(storage), ids: Ids::upto(members) };
    let sides = [Side::one(FirstPage(Arc::clone(storage))), Side::one(rank)];
    let [page, rank] = take_turns(pace, sides).await;
    let row = |what: &str, series| {
        let what = format!("{name}: {what} among {members} members, p50");
        Row::latency("leaderboard", what, series)
    };
    [row("leaderboard page of 10", &page), row("`rank_of` anybody", &rank)]
}
