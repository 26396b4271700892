//! How much a call allocates. Alone in its program: the counters are those of the whole process.

#[path = "support/fake.rs"]
mod fake;

use std::alloc::System;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use fake::Fake;
use futures_util::FutureExt;
use guildhall_insight::profile::{Options, Profiled, Profiler};
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

const CALLS: usize = 1_000;

const ROUNDS: usize = 5;
const UNCOUNTED: usize = 10;

/// Allocations of so many calls, after some that are not counted: the least of some rounds, since the
/// program's other threads allocate too, but not in each of them.
fn allocations(conn: &mut Profiled<Fake>, mut call: impl FnMut(&mut Profiled<Fake>)) -> usize {
    for _ in 0..UNCOUNTED {
        call(conn);
    }
    let mut round = || {
        let region = Region::new(ALLOCATOR);
        for _ in 0..CALLS {
            call(conn);
        }
        let change = region.change();
        change.allocations + change.reallocations
    };
    (0..ROUNDS).map(|_| round()).min().unwrap_or(0)
}

fn typed_execute(conn: &mut Profiled<Fake>) {
    let deleted = diesel::delete(users::table.find(7_i64)).execute(conn);
    assert_eq!(deleted.now_or_never(), Some(Ok(1)));
}

fn typed_load(conn: &mut Profiled<Fake>) {
    let loaded = users::table.filter(users::id.gt(7_i64)).load_stream::<(i64, String)>(conn);
    assert!(matches!(loaded.now_or_never(), Some(Ok(_))));
}

fn by_text(conn: &mut Profiled<Fake>) {
    let updated = diesel::sql_query("UPDATE users SET name = 'x'").execute(conn);
    assert_eq!(updated.now_or_never(), Some(Ok(1)));
}

#[test]
fn a_typed_call_allocates_nothing_nor_does_one_that_is_not_recorded() {
    let profiler = Profiler::new(Options::default());
    let mut on = Profiled::new(Fake::default(), profiler.clone());
    let mut off = Profiled::new(Fake::default(), Profiler::off());
    assert_eq!(allocations(&mut on, typed_execute), 0);
    assert_eq!(allocations(&mut on, typed_load), 0);
    assert_eq!(allocations(&mut off, typed_execute), 0);
    assert_eq!(allocations(&mut off, typed_load), 0);
    // A check of the measure itself: a text is built for this one, and only when it is recorded.
    assert!(allocations(&mut on, by_text) >= CALLS);
    assert!(allocations(&mut off, by_text) < allocations(&mut on, by_text));
    let calls: u64 = profiler.snapshot().unwrap().statements.iter().map(|s| s.calls).sum();
    assert_eq!(calls, 4 * (ROUNDS * CALLS + UNCOUNTED) as u64);
}
