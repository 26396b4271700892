//! Awards a thousand at a time, and one by one.

use std::hint::black_box;
use std::sync::Arc;

use guildhall_diesel::SqliteDurability;
use guildhall_domain::{Amount, Award, Source, UserId};
use guildhall_repository::{BulkMode, Storage};

use crate::Bench;
use crate::movement::{AMOUNT, ByTrait, Kind, Picks, SOURCE, now};
use crate::rounds::{Series, Side, Worker, take_turns};
use crate::setup::{Postgres, Sqlite};
use crate::table::Row;

const MEMBERS: i64 = 10_000;

/// Awards all members, a thousand a request.
struct Bulk {
    storage: Arc<dyn Storage>,
    requests: Vec<Vec<Award>>,
}

impl Bulk {
    fn new(storage: &Arc<dyn Storage>) -> Self {
        let amount = Amount::from_minor(AMOUNT).unwrap();
        let source = Source::parse(SOURCE).unwrap();
        let award = |user| Award::new(UserId(user), amount, source.clone());
        let awards: Vec<Award> = (1..=MEMBERS).map(award).collect();
        let requests = awards.chunks(1_000).map(<[Award]>::to_vec).collect();
        Self { storage: Arc::clone(storage), requests }
    }
}

impl Worker for Bulk {
    const OPERATIONS: u64 = MEMBERS as u64;

    async fn call(&mut self) {
        for awards in &self.requests {
            let outcomes = self.storage.points().award_bulk(awards, BulkMode::Atomic, now()).await;
            let outcomes = outcomes.unwrap();
            assert!(outcomes.len() == 1_000 && outcomes.iter().all(Result::is_ok));
            black_box(outcomes);
        }
    }
}

pub(crate) async fn run(bench: Bench) -> Vec<Row> {
    let postgres = Postgres::with_members(MEMBERS).await;
    let [bulk, single] = compare(bench, &postgres.storage).await;
    postgres.remove().await;
    let mut rows = vec![row("PostgreSQL", &bulk, &single)];
    for (name, durability) in [
        ("SQLite, durability Full", SqliteDurability::Full),
        ("SQLite, durability Process", SqliteDurability::Process),
    ] {
        let sqlite = Sqlite::with_members(MEMBERS, durability).await;
        let [bulk, single] = compare(bench, &sqlite.storage).await;
        rows.push(row(name, &bulk, &single));
    }
    rows
}

async fn compare(bench: Bench, storage: &Arc<dyn Storage>) -> [Series; 2] {
    let single = ByTrait::new(storage, Kind::Award, Picks::own(0));
    take_turns(bench.pace, [Side::one(Bulk::new(storage)), Side::one(single)]).await
}

fn row(database: &str, bulk: &Series, single: &Series) -> Row {
    let what = format!("{database}: 10 000 awards by `award_bulk`, 1000 a call");
    Row::rate("bulk", what, bulk).against("awards one by one, one task", single).at_least(20.0)
}
