//! 16 tasks move points on PostgreSQL, each those of members of its own, or all of one member.

use std::sync::Arc;

use crate::Bench;
use crate::movement::{ByTrait, Kind, OWN_MEMBERS, Picks};
use crate::raw_postgres::ByStatement;
use crate::rounds::{Side, Worker as _, take_turns};
use crate::setup::{Postgres, postgres_storage};
use crate::table::Row;
use crate::wire::{Cost, Proxy};

const TASKS: usize = 16;

pub(crate) async fn run(bench: Bench) -> Vec<Row> {
    let postgres = Postgres::with_members(OWN_MEMBERS * TASKS as i64).await;
    let mut rows = Vec::new();
    for kind in Kind::ALL {
        let cost = cost(&postgres, kind).await;
        let hot = if kind == Kind::Transfer { "one hot pair" } else { "one hot member" };
        for (whose, is_hot) in [("distinct members", false), (hot, true)] {
            let picks = |task| if is_hot { Picks::hot(kind, task) } else { Picks::own(task) };
            let ours = (0..TASKS).map(|task| ByTrait::new(&postgres.storage, kind, picks(task)));
            let mut raw = Vec::with_capacity(TASKS);
            for (task, client) in postgres.clients(TASKS).await.into_iter().enumerate() {
                raw.push(ByStatement::new(client, kind, picks(task)).await);
            }
            postgres.tidy().await;
            let what = format!("PostgreSQL {}, {whose}, 16 tasks ({cost})", kind.name());
            let (ours, raw) = (Side::new(ours), Side::new(raw));
            let row = |series| Row::rate("movements_postgres", what.as_str(), series);
            let beside = "the best raw statement, 16 connections";
            if kind != Kind::Transfer {
                let [ours, raw] = take_turns(bench.pace, [ours, raw]).await;
                rows.push(row(&ours).against(beside, &raw).at_least(0.8));
                continue;
            }
            let mut function = Vec::with_capacity(TASKS);
            for (task, client) in postgres.clients(TASKS).await.into_iter().enumerate() {
                function.push(ByStatement::function(client, picks(task)).await);
            }
            let [ours, raw, function] =
                take_turns(bench.pace, [ours, raw, Side::new(function)]).await;
            rows.push(row(&ours).against(beside, &raw).at_least(0.8));
            rows.push(
                row(&ours).against("`transfer_points` called raw, 16 connections", &function),
            );
        }
    }
    postgres.remove().await;
    rows
}

async fn cost(postgres: &Postgres, kind: Kind) -> Cost {
    let proxy = Proxy::before(&postgres.url()).await;
    let storage = Arc::new(postgres_storage(proxy.url()).await);
    let mut one = ByTrait::new(&(storage as _), kind, Picks::own(0));
    proxy.cost(async || one.call().await).await
}
