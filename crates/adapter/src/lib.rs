#![doc = include_str!("../README.md")]
#![deny(missing_docs)]

mod compose;
mod config;
mod error;
mod guildhall;
mod health;
mod store;

pub use compose::GuildhallBuilder;
pub use config::{
    CacheKind, CacheSettings, Config, ConfigBuilder, ConfigError, Database, Origin, Provenance,
    SETTINGS, Setting, Settings, settings_markdown,
};
pub use error::ConnectError;
pub use guildhall::{Guildhall, UnitFuture};
pub use health::{Health, PoolUse, Probe, ProbeState, Status};

/// The cache engine, for what the adapter's own words do not cover.
pub use guildhall_cache as cache;
/// Members, points, levels: the words of the domain.
pub use guildhall_domain as domain;
/// Bringing members from other systems.
pub use guildhall_import as import;
/// The traits of storages, repositories and units of work, and their error.
pub use guildhall_repository as repository;
/// Workflows that span repositories.
pub use guildhall_service as service;
