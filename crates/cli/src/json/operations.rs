//! What operators are told: cache, health, tables, configuration, outbox, warming.

use std::collections::BTreeMap;

use guildhall_adapter::repository::OutboxStatus;
use guildhall_adapter::{Health, PoolUse, Probe, ProbeState, WarmReport};
use serde::Serialize;

/// `cache stats`. `complete` is false when there were more entries than were counted.
#[derive(Serialize)]
pub(crate) struct CacheEntries<'a> {
    pub(crate) namespaces: BTreeMap<&'a str, u64>,
    pub(crate) total: u64,
    pub(crate) complete: bool,
}

/// `cache clear` and `cache invalidate`. `freed` is known where a pattern was given.
#[derive(Serialize)]
pub(crate) struct CacheCleared {
    pub(crate) freed: Option<u64>,
}

/// `cache keys`.
#[derive(Serialize)]
pub(crate) struct CacheKeys {
    pub(crate) keys: Vec<String>,
}

/// `cache audit`: how many members were compared, and who was older in the cache.
#[derive(Serialize)]
pub(crate) struct CacheAudit {
    pub(crate) compared: u64,
    pub(crate) stale: Vec<i64>,
}

/// `health`.
#[derive(Serialize)]
pub(crate) struct Healthy {
    pub(crate) status: String,
    pub(crate) database: Probed,
    pub(crate) cache: Probed,
    pub(crate) pool: Option<Pool>,
}

#[derive(Serialize)]
pub(crate) struct Probed {
    pub(crate) target: String,
    pub(crate) up: bool,
    pub(crate) latency_us: Option<u64>,
    pub(crate) detail: Option<String>,
}

#[derive(Serialize)]
pub(crate) struct Pool {
    pub(crate) in_use: u32,
    pub(crate) open: u32,
    pub(crate) max: u32,
}

impl From<&Probe> for Probed {
    fn from(probe: &Probe) -> Self {
        let (latency_us, detail) = match &probe.state {
            ProbeState::Up(took) => (u64::try_from(took.as_micros()).ok(), None),
            ProbeState::Down(why) => (None, Some(why.clone())),
        };
        Self { target: probe.target.clone(), up: probe.is_up(), latency_us, detail }
    }
}

impl From<&Health> for Healthy {
    fn from(health: &Health) -> Self {
        let pool = |PoolUse { in_use, open, max }: PoolUse| Pool { in_use, open, max };
        Self {
            status: health.status.to_string(),
            database: (&health.database).into(),
            cache: (&health.cache).into(),
            pool: health.pool.map(pool),
        }
    }
}

/// `migrate`.
#[derive(Serialize)]
pub(crate) struct Migrations {
    pub(crate) migrations: Vec<Migration>,
    pub(crate) applied_now: Vec<String>,
}

#[derive(Serialize)]
pub(crate) struct Migration {
    pub(crate) name: String,
    pub(crate) applied: bool,
}

/// `config show`.
#[derive(Serialize)]
pub(crate) struct Configuration {
    pub(crate) settings: Vec<Setting>,
}

#[derive(Serialize)]
pub(crate) struct Setting {
    pub(crate) key: &'static str,
    pub(crate) value: Option<String>,
    pub(crate) origin: String,
    pub(crate) doc: &'static str,
}

/// `outbox status`.
#[derive(Serialize)]
pub(crate) struct Outbox {
    pub(crate) enabled: bool,
    pub(crate) pending: u64,
    pub(crate) leased: u64,
    pub(crate) oldest_age_ms: Option<u64>,
    pub(crate) attempts_max: u32,
    pub(crate) published: u64,
}

impl Outbox {
    pub(crate) fn new(enabled: bool, status: &OutboxStatus) -> Self {
        let ms = |age: std::time::Duration| u64::try_from(age.as_millis()).unwrap_or(u64::MAX);
        Self {
            enabled,
            pending: status.pending,
            leased: status.leased,
            oldest_age_ms: status.oldest_age.map(ms),
            attempts_max: status.attempts_max,
            published: status.published,
        }
    }
}

/// `warm`.
#[derive(Serialize)]
pub(crate) struct Warmed {
    pub(crate) kept: bool,
    pub(crate) loaded: u64,
    pub(crate) failed: u64,
    pub(crate) duration_ms: u64,
    pub(crate) parts: Vec<WarmedPart>,
    pub(crate) failures: Vec<WarmFailure>,
}

#[derive(Serialize)]
pub(crate) struct WarmedPart {
    pub(crate) part: &'static str,
    pub(crate) loaded: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: bool,
}

#[derive(Serialize)]
pub(crate) struct WarmFailure {
    pub(crate) part: &'static str,
    pub(crate) what: String,
    pub(crate) kind: &'static str,
    pub(crate) message: String,
}

impl Warmed {
    pub(crate) fn new(kept: bool, took: std::time::Duration, report: &WarmReport) -> Self {
        let part = |it: &guildhall_adapter::WarmedPart| WarmedPart {
            part: it.part.as_str(),
            loaded: it.loaded,
            failed: it.failed,
            skipped: it.skipped,
        };
        let failure = |it: &guildhall_adapter::WarmFailure| WarmFailure {
            part: it.part.as_str(),
            what: it.what.clone(),
            kind: it.error.kind().code(),
            message: it.error.to_string(),
        };
        Self {
            kept,
            loaded: report.loaded(),
            failed: report.failed(),
            duration_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            parts: report.parts.iter().map(part).collect(),
            failures: report.failures.iter().map(failure).collect(),
        }
    }
}
