//! One task reads members by id, pooled, and by the same query with nothing around it.

use std::hint::black_box;
use std::sync::Arc;

use diesel_async::{AsyncConnection, AsyncPgConnection};
use guildhall_repository::Storage;
use tokio_postgres::{Client, Statement};

use crate::Bench;
use crate::raw_user;
use crate::rounds::{Side, Worker, take_turns};
use crate::setup::{Ids, Postgres, postgres_storage, recorded_storage};
use crate::table::Row;
use crate::wire::Proxy;

/// Reads members through the trait.
pub(crate) struct ByTrait {
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) ids: Ids,
}

impl Worker for ByTrait {
    async fn call(&mut self) {
        black_box(self.storage.users().by_id(self.ids.next()).await.unwrap().unwrap());
    }
}

struct Held {
    conn: AsyncPgConnection,
    ids: Ids,
}

impl Worker for Held {
    async fn call(&mut self) {
        black_box(raw_user::by_diesel(&mut self.conn, self.ids.next()).await);
    }
}

struct Prepared {
    client: Client,
    statement: Statement,
    ids: Ids,
}

impl Worker for Prepared {
    async fn call(&mut self) {
        black_box(raw_user::by_statement(&self.client, &self.statement, self.ids.next()).await);
    }
}

pub(crate) async fn run(bench: Bench) -> Vec<Row> {
    const MEMBERS: i64 = 10_000;
    let postgres = Postgres::with_members(MEMBERS).await;
    let cost = {
        let proxy = Proxy::before(&postgres.url()).await;
        let storage = postgres_storage(proxy.url()).await;
        let mut one = ByTrait { storage: Arc::new(storage), ids: Ids::upto(MEMBERS) };
        proxy.cost(async || one.call().await).await
    };
    let client = postgres.client().await;
    let statement = raw_user::prepare(&client).await;
    let conn = AsyncPgConnection::establish(&postgres.url()).await.unwrap();
    let storage = Arc::clone(&postgres.storage);
    let recorded: Arc<dyn Storage> = Arc::new(recorded_storage(&postgres.url()).await);
    let [ours, watched, held, prepared] = take_turns(
        bench.pace,
        [
            Side::one(ByTrait { storage, ids: Ids::upto(MEMBERS) }),
            Side::one(ByTrait { storage: recorded, ids: Ids::upto(MEMBERS) }),
            Side::one(Held { conn, ids: Ids::upto(MEMBERS) }),
            Side::one(Prepared { client, statement, ids: Ids::upto(MEMBERS) }),
        ],
    )
    .await;
    postgres.remove().await;
    let row = || {
        let what = format!("PostgreSQL `dyn UserRepository::by_id`, pooled, p50 ({cost})");
        Row::latency("read_by_id", what, &ours)
    };
    vec![
        row().against("the same Diesel query on a held connection", &held).at_most(1.15),
        row().against("prepared tokio-postgres query, same columns", &prepared).at_most(1.5),
        Row::latency("read_by_id", "the same with the profiler on, p50", &watched)
            .against("with the profiler off", &ours)
            .at_most(1.02),
    ]
}
