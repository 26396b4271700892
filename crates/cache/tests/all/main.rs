//! The engine from outside, level by level.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests are tests")]

mod batch;
mod fake;
mod flights;
mod levels;
mod outbox;
mod races;
#[cfg(feature = "redis")]
mod redis_server;
mod values;
mod writes;
