//! 64 tasks read members by id over 20 connections.

use std::hint::black_box;
use std::sync::Arc;

use bb8::Pool;
use diesel_async::AsyncPgConnection;
use diesel_async::pooled_connection::AsyncDieselConnectionManager;

use crate::Bench;
use crate::raw_user;
use crate::read_by_id::ByTrait;
use crate::rounds::{Side, Worker, take_turns};
use crate::setup::{Ids, Postgres};
use crate::table::Row;

const TASKS: usize = 64;
const MEMBERS: i64 = 10_000;

struct RawPool {
    pool: Pool<AsyncDieselConnectionManager<AsyncPgConnection>>,
    ids: Ids,
}

impl Worker for RawPool {
    async fn call(&mut self) {
        let mut conn = self.pool.get().await.unwrap();
        black_box(raw_user::by_diesel(&mut conn, self.ids.next()).await);
    }
}

pub(crate) async fn run(bench: Bench) -> Vec<Row> {
    let postgres = Postgres::with_members(MEMBERS).await;
    let manager = AsyncDieselConnectionManager::new(postgres.url());
    let pool = Pool::builder().max_size(20).test_on_check_out(false).build(manager).await.unwrap();
    let ours = || ByTrait { storage: Arc::clone(&postgres.storage), ids: Ids::upto(MEMBERS) };
    let raw = || RawPool { pool: pool.clone(), ids: Ids::upto(MEMBERS) };
    let [ours, raw] = take_turns(
        bench.pace,
        [
            Side::new(std::iter::repeat_with(ours).take(TASKS)),
            Side::new(std::iter::repeat_with(raw).take(TASKS)),
        ],
    )
    .await;
    drop(pool);
    postgres.remove().await;
    let what = "the same at 64 tasks over 20 connections";
    vec![
        Row::rate("read_64_tasks", what, &ours)
            .against("raw diesel-async bb8 pool of 20, no test at check-out", &raw)
            .at_least(0.9),
    ]
}
