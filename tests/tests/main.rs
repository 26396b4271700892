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
mod harness;
mod ledger_breaks;
mod outbox;
mod schema;
