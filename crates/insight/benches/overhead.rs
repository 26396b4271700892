//! What the profiler adds to a call: `cargo bench -p guildhall-insight`.
//!
//! The connection answers at once and without a database, so that what is left is the profiler. The
//! best of several rounds counts: other programs only ever add time.

#[path = "../tests/support/fake.rs"]
mod fake;

use std::alloc::System;
use std::hint::black_box;
use std::time::Instant;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use fake::Fake;
use futures_util::FutureExt;
use guildhall_insight::fingerprint::normalise;
use guildhall_insight::profile::{Options, Profiled, Profiler, operation};
use schema::users;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

mod schema {
    diesel::table! {
        users (id) {
            id -> BigInt,
            name -> Text,
        }
    }
}

/// Short rounds and many: some of them are not interrupted, even on a busy machine.
const ROUNDS: usize = 2_000;
const CALLS: u32 = 500;

/// Nanoseconds and allocations of a call.
#[derive(Clone, Copy)]
struct Cost {
    ns: f64,
    allocations: f64,
}

fn measure(mut call: impl FnMut()) -> Cost {
    for _ in 0..CALLS {
        call();
    }
    let mut best = f64::INFINITY;
    let region = Region::new(ALLOCATOR);
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        for _ in 0..CALLS {
            call();
        }
        best = best.min(begun.elapsed().as_secs_f64());
    }
    let change = region.change();
    let calls = f64::from(CALLS);
    Cost {
        ns: best * 1e9 / calls,
        allocations: (change.allocations + change.reallocations) as f64 / calls / ROUNDS as f64,
    }
}

fn typed<C>(conn: &mut C) -> bool
where
    C: diesel_async::AsyncConnectionCore<Backend = diesel::sqlite::Sqlite> + Send,
{
    let deleted = diesel::delete(users::table.find(black_box(7_i64))).execute(conn);
    deleted.now_or_never().is_some_and(|outcome| outcome.is_ok())
}

fn by_text<C>(conn: &mut C) -> bool
where
    C: diesel_async::AsyncConnectionCore<Backend = diesel::sqlite::Sqlite> + Send,
{
    let updated = diesel::update(users::table.find(black_box(7_i64))).set(users::name.eq("x"));
    updated.execute(conn).now_or_never().is_some_and(|outcome| outcome.is_ok())
}

fn row(what: &str, cost: Cost, bare: Cost, goal: &str) {
    println!(
        "| {what:<46} | {:>9.1} | {:>9.1} | {:>6.1} | {goal:<9} |",
        cost.ns,
        cost.ns - bare.ns,
        cost.allocations,
    );
}

fn main() {
    let profiler = Profiler::new(Options::default());
    let mut bare = Fake::default();
    let mut off = Profiled::new(Fake::default(), Profiler::off());
    let mut on = Profiled::new(Fake::default(), profiler.clone());

    let begun = Instant::now();
    let clock = measure(|| {
        black_box(begun.elapsed());
    });
    let bare_typed = measure(|| assert!(typed(&mut bare)));
    let bare_text = measure(|| assert!(by_text(&mut bare)));

    println!(
        "| call                                           |   ns/call |  added ns | allocs | goal      |"
    );
    println!(
        "|------------------------------------------------|-----------|-----------|--------|-----------|"
    );
    row("reading the clock (a typed call does it twice)", clock, Cost { ns: 0.0, ..clock }, "");
    row("typed, bare", bare_typed, bare_typed, "");
    row("typed, off", measure(|| assert!(typed(&mut off))), bare_typed, "nothing");
    row("typed", measure(|| assert!(typed(&mut on))), bare_typed, "< 100 ns");
    let in_operation = measure_in_operation(&mut on);
    row("typed, once in an operation, with the operation", in_operation, bare_typed, "");
    row("by text, bare", bare_text, bare_text, "");
    row("by text, off", measure(|| assert!(by_text(&mut off))), bare_text, "nothing");
    row("by text", measure(|| assert!(by_text(&mut on))), bare_text, "< 1 us");
    let sql = "SELECT `users`.`id`, `users`.`name` FROM `users` WHERE (`users`.`id` = ?) LIMIT ?";
    let reading = measure(|| {
        black_box(normalise(black_box(sql), guildhall_insight::System::Sqlite));
    });
    row("reading a new text", reading, Cost { ns: 0.0, ..reading }, "once each");
    if let Some(snapshot) = profiler.snapshot() {
        println!("the profiler's own measure of itself: {:?} ns", snapshot.own.overhead_median_ns);
    }
}

fn measure_in_operation(conn: &mut Profiled<Fake>) -> Cost {
    measure(|| {
        let run = operation("bench", async { typed(conn) });
        assert_eq!(run.now_or_never(), Some(true));
    })
}
