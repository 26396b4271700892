//! The live half of the advisor: selection, and both databases.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests are tests")]

#[path = "../cases/mod.rs"]
mod cases;
mod fixture;
mod matrix;
mod postgres;
mod select;
mod sqlite;
mod statements;
mod table;
