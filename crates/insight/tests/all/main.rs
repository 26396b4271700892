//! The profiler on both databases.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests are tests")]
#![allow(clippy::duplicate_mod, reason = "both/ is compiled once per backend on purpose")]

#[path = "../support/fake.rs"]
mod fake;
mod findings;
mod grafana;
#[cfg(feature = "metrics")]
mod metrics;
mod postgres;
mod registry;
mod server;
mod sqlite;
