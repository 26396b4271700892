//! The engine from outside, level by level.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests are tests")]

mod ageing;
mod batch;
mod bus;
#[cfg(feature = "conformance")]
mod conformance;
mod fake;
mod flights;
mod levels;
mod loader_tags;
#[cfg(feature = "metrics")]
mod metrics;
mod options;
mod outbox;
mod races;
#[cfg(feature = "redis")]
mod redis_bus;
#[cfg(feature = "redis")]
mod redis_cluster;
#[cfg(feature = "redis")]
mod redis_load;
#[cfg(feature = "redis")]
mod redis_sentinel;
#[cfg(feature = "redis")]
mod redis_server;
#[cfg(feature = "redis")]
mod redis_servers;
#[cfg(feature = "tls")]
mod redis_tls;
mod seeing;
mod stampede;
mod tiers;
mod values;
mod writes;
