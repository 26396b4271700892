//! One task and 16 tasks move points on SQLite, at either durability.

use std::time::Duration;

use guildhall_diesel::SqliteDurability;

use crate::Bench;
use crate::movement::{ByTrait, Kind, OWN_MEMBERS, Picks};
use crate::raw_sqlite::Synchronous;
use crate::rounds::{Side, take_turns};
use crate::setup::Sqlite;
use crate::table::Row;

const TASKS: usize = 16;

pub(crate) async fn run(bench: Bench) -> Vec<Row> {
    let pace = bench.pace.lasting(9, Duration::from_millis(200));
    let mut rows = Vec::new();
    let levels = [("Full", SqliteDurability::Full), ("Process", SqliteDurability::Process)];
    for (name, durability) in levels {
        let sqlite = Sqlite::with_members(OWN_MEMBERS * TASKS as i64, durability).await;
        for kind in Kind::ALL {
            let ours = |task| ByTrait::new(&sqlite.storage, kind, Picks::own(task));
            let raw = Synchronous { conn: sqlite.connection(), kind, picks: Picks::own(0) };
            let [one, many, raw] = take_turns(
                pace,
                [Side::one(ours(0)), Side::new((0..TASKS).map(ours)), Side::one(raw)],
            )
            .await;
            for (tasks, series) in [("one writer", &one), ("16 tasks", &many)] {
                let what = format!("SQLite {}, durability {name}, {tasks}", kind.name());
                let row = Row::rate("movements_sqlite", what, series);
                rows.push(row.against("synchronous Diesel on one connection", &raw));
            }
        }
    }
    rows
}
