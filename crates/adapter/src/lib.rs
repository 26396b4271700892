#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

mod advice;
mod compose;
mod config;
mod error;
mod explain;
mod fact;
mod guildhall;
mod health;
mod optimize;
mod performance;
mod plans;
mod server;
mod services;
mod store;
mod warm;

pub use advice::AdviceError;
pub use compose::GuildhallBuilder;
pub use config::{
    CacheKind, CacheSettings, CodecKind, Config, ConfigBuilder, ConfigError, Database, Origin,
    ProfilerSettings, Provenance, RedisSettings, SETTINGS, Setting, Settings, settings_markdown,
};
pub use error::ConnectError;
pub use explain::{ExplainError, Explained};
pub use fact::Fact;
pub use guildhall::{Guildhall, UnitFuture};
pub use guildhall_diesel::{ServerState, Sessions};
pub use health::{Health, PoolUse, Probe, ProbeState, Status};
pub use optimize::{
    IndexOutcome, IndexResult, IndexVerdict, OptimizeOptions, OptimizeReport, Refreshed, Verdict,
};
pub use performance::PerformanceReport;
pub use server::{ServerReading, ServerWatch};
pub use warm::{WarmFailure, WarmPart, WarmPlan, WarmReport, WarmStep, WarmedPart};

/// The cache engine, for what the adapter's own words do not cover.
pub use guildhall_cache as cache;
/// Members, points, levels: the words of the domain.
pub use guildhall_domain as domain;
/// Bringing members from other systems.
pub use guildhall_import as import;
/// The profiler and the index advisor.
pub use guildhall_insight as insight;
/// The traits of storages, repositories and units of work, and their error.
pub use guildhall_repository as repository;
/// Workflows that span repositories.
pub use guildhall_service as service;
