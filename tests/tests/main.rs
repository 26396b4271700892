//! Every integration test of the workspace, in one program to link.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failed expectation is a failed test"
)]

mod bad_input;
mod cached_reads;
mod contracts;
mod faults;
mod fresh_reads;
mod harness;
mod ledger_breaks;
mod legacy_import;
mod optimized;
mod outbox;
mod profiled;
#[path = "../../benches/src/proxy.rs"]
mod proxy;
mod round_trips;
mod schema;
// It knows no database: its own tests run here, where they have no backend compiled again.
#[path = "../../crates/diesel/src/search.rs"]
mod search;
#[path = "../../benches/src/wire.rs"]
mod wire;
mod workflows;
