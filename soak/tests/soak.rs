//! The program against real servers, for some seconds each. `just soak-cache` gives it minutes.
#![expect(clippy::unwrap_used, reason = "a failed expectation is a failed test")]

use std::process::Command;
use std::sync::{Mutex, PoisonError};

/// Each run has processes enough for the whole machine.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Runs the program; what it printed is in the message if it complained.
fn cache_soak(arguments: &[&str]) {
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    ends_with(0, arguments);
}

fn ends_with(code: i32, arguments: &[&str]) {
    let output = Command::new(env!("CARGO_BIN_EXE_cache-soak")).args(arguments).output().unwrap();
    let (told, errors) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{}\n{told}\n{errors}", output.status);
}

#[test]
fn no_promise_is_broken_under_any_fault() {
    cache_soak(&["--seconds", "20"]);
}

#[test]
fn nor_is_one_with_redis_alone() {
    cache_soak(&["--seconds", "8", "--cache", "redis"]);
}

#[test]
fn an_outage_fails_no_call_and_leaves_nothing_stale() {
    cache_soak(&["--outage", "5"]);
}

#[test]
fn a_cold_key_is_loaded_once_by_all_processes_together() {
    cache_soak(&["stampede", "--mishap", "none"]);
}

#[test]
fn a_waiter_takes_over_from_a_load_that_is_cancelled() {
    cache_soak(&["stampede", "--mishap", "cancelled"]);
}

#[test]
fn a_waiter_takes_over_from_a_load_that_fails() {
    cache_soak(&["stampede", "--mishap", "failed"]);
}

/// Between the commit and the acknowledgement of the cache, by SIGKILL.
#[test]
fn what_a_killed_writer_committed_is_soon_seen_by_others() {
    ends_with(0, &["killed"]);
}

/// The same without notes: what the run above sees to, it would miss.
#[test]
fn without_notes_it_is_not() {
    ends_with(1, &["killed", "--no-notes"]);
}
