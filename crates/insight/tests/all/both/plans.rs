//! Plans of slow statements.

use std::time::Duration;

use diesel::prelude::*;
use diesel::sql_query;
use diesel_async::RunQueryDsl;
use guildhall_insight::profile::{
    Options, PlanError, PlanRequest, PlanState, Planner, Planning, Profiler,
};

use super::schema::{name, open, users};
use super::{SYSTEM, leave, planner};

fn slow() -> Options {
    Options::new().slow_from(Duration::ZERO)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_statement_gets_its_plan_and_is_not_run_for_it() {
    let profiler = Profiler::new(slow());
    let (place, mut conn) = open(&profiler).await;
    let attached = profiler.attach_planner();
    name(&mut conn, 3).await;
    diesel::delete(users::table.filter(users::team.eq(4))).execute(&mut conn).await.unwrap();
    sql_query("DELETE FROM users WHERE id = 900").execute(&mut conn).await.unwrap();
    sql_query("INSERT INTO users VALUES (900, 'back', 1)").execute(&mut conn).await.unwrap();
    let planner = planner(&place, &profiler);
    let mut fetched = 0;
    while profiler.plan_next(&planner).await {
        fetched += 1;
    }
    assert_eq!(fetched, 4);
    let snapshot = profiler.snapshot().unwrap();
    let plan = |begin: &str| {
        let call = snapshot.slow.iter().find(|call| call.text.starts_with(begin)).unwrap();
        let PlanState::Fetched(plan) = &call.plan else { panic!("{begin}: {:?}", call.plan) };
        plan.clone()
    };
    let select = plan("SELECT users.name");
    let index =
        if SYSTEM == guildhall_insight::System::Postgres { "users_pkey" } else { "PRIMARY KEY" };
    assert!(select.text.contains(index) && select.generic, "{}", select.text);
    let delete = plan("DELETE FROM users WHERE id");
    assert!(delete.text.contains("users") && !delete.generic, "{}", delete.text);
    assert!(!delete.text.contains("900"), "{}", delete.text);
    // The row of the insert was there already, and the plan of the delete did not delete it.
    let left: i64 =
        users::table.filter(users::id.eq(900)).count().get_result(&mut conn).await.unwrap();
    assert_eq!(left, 1);
    drop(attached);
    leave(place).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_runs_nothing_that_stands_behind_it() {
    let profiler = Profiler::new(slow());
    let (place, mut conn) = open(&profiler).await;
    let attached = profiler.attach_planner();
    let planner = planner(&place, &profiler);
    let several = "DELETE FROM users WHERE id = 1; DELETE FROM users WHERE id = 2";
    diesel_async::SimpleAsyncConnection::batch_execute(&mut conn, several).await.unwrap();
    let control = "CREATE TABLE other (id integer)";
    sql_query(control).execute(&mut conn).await.unwrap();
    assert!(!profiler.plan_next(&planner).await);
    for call in &profiler.snapshot().unwrap().slow {
        assert_eq!(call.plan, PlanState::None("only single queries and writes are planned"));
    }
    drop(attached);
    leave(place).await;
}

/// Counts how often it is asked.
#[derive(Default)]
struct Counting(std::sync::atomic::AtomicU32);

impl Counting {
    fn asked(&self) -> u32 {
        // Diesel has a `load` for everything.
        std::sync::atomic::AtomicU32::load(&self.0, std::sync::atomic::Ordering::Relaxed)
    }
}

impl Planner for Counting {
    fn plan<'p>(&'p self, _request: &'p PlanRequest) -> Planning<'p> {
        self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Box::pin(async { Err(PlanError::NoConnection) })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn plans_keep_to_their_budget() {
    let clock = crate::fake::HandClock::default();
    let profiler = Profiler::with_clock(slow().plans_per_minute(3).slow_max(20), clock.clone());
    let (place, mut conn) = open(&profiler).await;
    let planner = Counting::default();
    // Nobody fetches plans: none is asked for.
    name(&mut conn, 1).await;
    assert!(!profiler.plan_next(&planner).await);
    let attached = profiler.attach_planner();
    for minute in 1..=2 {
        for n in 0..10 {
            let select = format!("SELECT id AS a{minute}_{n} FROM users WHERE id = 1");
            sql_query(select).execute(&mut conn).await.unwrap();
        }
        while profiler.plan_next(&planner).await {}
        assert_eq!(planner.asked(), 3 * minute);
        clock.advance(Duration::from_secs(60));
    }
    // The same statement: once in ten minutes.
    for _ in 0..2 {
        for _ in 0..5 {
            sql_query("SELECT id AS a1_0 FROM users WHERE id = 1")
                .execute(&mut conn)
                .await
                .unwrap();
        }
        while profiler.plan_next(&planner).await {}
        assert_eq!(planner.asked(), 6);
    }
    clock.advance(Duration::from_secs(600));
    sql_query("SELECT id AS a1_0 FROM users WHERE id = 1").execute(&mut conn).await.unwrap();
    assert!(profiler.plan_next(&planner).await);
    assert_eq!(planner.asked(), 7);
    // The ring keeps the latest.
    let snapshot = profiler.snapshot().unwrap();
    assert_eq!((snapshot.slow.len(), snapshot.own.slow), (20, 32));
    assert_eq!(snapshot.slow[0].plan, PlanState::None("no connection to plan on"));
    drop(attached);
    leave(place).await;
}

/// Never answers.
struct Stuck;

impl Planner for Stuck {
    fn plan<'p>(&'p self, _request: &'p PlanRequest) -> Planning<'p> {
        Box::pin(std::future::pending())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_is_cut_short_says_so() {
    use futures_util::FutureExt as _;
    let profiler = Profiler::new(slow());
    let (place, mut conn) = open(&profiler).await;
    let attached = profiler.attach_planner();
    name(&mut conn, 3).await;
    assert_eq!(profiler.snapshot().unwrap().slow[0].plan, PlanState::Waiting);
    assert!(profiler.plan_next(&Stuck).now_or_never().is_none());
    let plan = profiler.snapshot().unwrap().slow[0].plan.clone();
    assert_eq!(plan, PlanState::None("fetching the plan was cut short"));
    drop(attached);
    leave(place).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_fetches_plans_by_itself() {
    let profiler = Profiler::new(slow());
    let (place, mut conn) = open(&profiler).await;
    let planner = std::sync::Arc::new(planner(&place, &profiler));
    let worker = tokio::spawn({
        let profiler = profiler.clone();
        async move { profiler.fetch_plans(planner).await }
    });
    loop {
        name(&mut conn, 3).await;
        let slow = profiler.snapshot().unwrap().slow;
        if slow.iter().any(|call| matches!(call.plan, PlanState::Fetched(_))) {
            break;
        }
        tokio::task::yield_now().await;
    }
    worker.abort();
    assert!(worker.await.unwrap_err().is_cancelled());
    leave(place).await;
}
