//! Every integration test of the workspace, in one program to link.

mod bad_input;
mod cached_reads;
mod contracts;
mod faults;
mod harness;
mod ledger_breaks;
mod schema;
