//! Awards ten thousand at a time, and one by one.

use std::hint::black_box;
use std::sync::Arc;

use guildhall_diesel::SqliteDurability;
use guildhall_domain::{Amount, Award, Source, SystemClock, SystemRandom, UserId};
use guildhall_repository::{BulkMode, Storage};
use guildhall_service::{Crediting, CreditingRules};

use crate::Bench;
use crate::movement::{AMOUNT, ByTrait, Kind, Picks, SOURCE};
use crate::rounds::{Side, Worker, take_turns};
use crate::setup::{Postgres, Sqlite};
use crate::table::Row;

const MEMBERS: i64 = 10_000;
/// What `Crediting` does unless told otherwise.
const DEFAULT_LANES: usize = 2;

/// Awards all members, a thousand a transaction.
struct Bulk {
    crediting: Crediting,
    awards: Vec<Award>,
}

impl Bulk {
    fn new(storage: &Arc<dyn Storage>, lanes: usize) -> Self {
        let amount = Amount::from_minor(AMOUNT).unwrap();
        let source = Source::parse(SOURCE).unwrap();
        let award = |user| Award::new(UserId(user), amount, source.clone());
        let (clock, random) = (Arc::new(SystemClock), Arc::new(SystemRandom));
        let crediting =
            Crediting::new(Arc::clone(storage), clock, random, CreditingRules::default());
        let awards = (1..=MEMBERS).map(award).collect();
        Self { crediting: crediting.bulk_lanes(lanes), awards }
    }
}

impl Worker for Bulk {
    const OPERATIONS: u64 = MEMBERS as u64;

    async fn call(&mut self) {
        let outcomes = self.crediting.award_all(&self.awards, BulkMode::Atomic).await.unwrap();
        assert!(outcomes.len() == self.awards.len() && outcomes.iter().all(Result::is_ok));
        black_box(outcomes);
    }
}

pub(crate) async fn run(bench: Bench) -> Vec<Row> {
    let postgres = Postgres::with_members(MEMBERS).await;
    let mut rows = compare(bench, "PostgreSQL", &postgres.storage, &[1, DEFAULT_LANES]).await;
    postgres.remove().await;
    // The goal is that of the defaults: without waiting for the disk a single award is cheap.
    for (name, durability) in [
        ("SQLite, durability Full", SqliteDurability::Full),
        ("SQLite, durability Process", SqliteDurability::Process),
    ] {
        let sqlite = Sqlite::with_members(MEMBERS, durability).await;
        rows.extend(compare(bench, name, &sqlite.storage, &[DEFAULT_LANES]).await);
    }
    rows
}

/// One row a number of lanes. The goal is that of the default.
async fn compare(
    bench: Bench,
    database: &str,
    storage: &Arc<dyn Storage>,
    lanes: &[usize],
) -> Vec<Row> {
    let mut rows = Vec::new();
    for &lanes in lanes {
        let single = ByTrait::new(storage, Kind::Award, Picks::own(0));
        let sides = [Side::one(Bulk::new(storage, lanes)), Side::one(single)];
        let [bulk, single] = take_turns(bench.pace, sides).await;
        let many = lanes > 1 && storage.writes_concurrently();
        let transactions = if many { "two transactions" } else { "one transaction" };
        let what = format!("{database}: 10 000 awards by `award_all`, {transactions} at a time");
        let row = Row::rate("bulk", what, &bulk).against("awards one by one, one task", &single);
        let is_default = lanes == DEFAULT_LANES && !database.contains("Process");
        rows.push(if is_default { row.at_least(20.0) } else { row });
    }
    rows
}
