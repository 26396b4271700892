//! The values of a configuration, typed.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use guildhall_service::CreditingRules;
use secrecy::SecretString;

use super::database::Database;

/// Every effective value. Secrets are not shown by `Debug`.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Which database.
    pub database: Database,
    /// Whether connecting brings the database up to date.
    pub migrate: bool,
    /// The Redis server, if any.
    pub redis: Option<SecretString>,
    /// What members earn and when.
    pub rules: CreditingRules,
    /// Whether every movement of points makes cached leaderboards void.
    pub leaderboard_live: bool,
    /// The cache.
    pub cache: CacheSettings,
    /// Connections to the database at most.
    pub pool_max: u32,
    /// How long a call waits for a connection, and how long connecting is tried at start.
    pub acquire_timeout: Duration,
    /// How long one statement may take.
    pub statement_timeout: Duration,
    /// How often a unit is tried while other writers win.
    pub retry_attempts: u32,
    /// Whether commits on SQLite survive the loss of power, not only of the process.
    pub sqlite_full_durability: bool,
}

/// The values of the cache.
#[derive(Clone, Debug)]
pub struct CacheSettings {
    /// What was asked for; `None` when nobody did.
    pub backend: Option<CacheKind>,
    /// First part of every key.
    pub prefix: String,
    /// Second part of every key.
    pub schema: String,
    /// Whether writes leave a note of what they change, for a cache in Redis.
    pub durable_invalidation: bool,
    /// How long a copy in memory lives at most where Redis has it too.
    pub local_ttl: Duration,
    /// How long entries live that have no setting of their own.
    pub default_ttl: Duration,
    /// Whether life times vary by up to a tenth.
    pub jitter: bool,
    /// Members.
    pub user_ttl: Duration,
    /// Leaderboards.
    pub leaderboard_ttl: Duration,
    /// Look-ups of members by name or account, and lists of members.
    pub recent_ttl: Duration,
    /// Totals.
    pub stats_ttl: Duration,
    /// Catalogues such as the level table.
    pub catalogue_ttl: Duration,
    /// Entries in memory at most.
    pub max_entries: u64,
    /// Bytes in memory at most.
    pub max_bytes: u64,
}

/// Where cached values are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CacheKind {
    /// In this process.
    Memory,
    /// In Redis, shared with other processes.
    Redis,
    /// In this process, over Redis: the fastest, and the one where another process's write may be
    /// seen some milliseconds late, at most `cache.local_ttl` when messages are lost unnoticed.
    Tiered,
    /// Nowhere: every read goes to the database.
    Disabled,
}

impl fmt::Display for CacheKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Memory => "memory",
            Self::Redis => "redis",
            Self::Tiered => "tiered",
            Self::Disabled => "disabled",
        })
    }
}

impl FromStr for CacheKind {
    type Err = String;
    fn from_str(raw: &str) -> Result<Self, String> {
        match raw {
            "memory" => Ok(Self::Memory),
            "redis" => Ok(Self::Redis),
            "tiered" => Ok(Self::Tiered),
            "disabled" => Ok(Self::Disabled),
            _ => Err("one of memory, redis, tiered and disabled".to_owned()),
        }
    }
}

impl Settings {
    /// Where cached values are kept: what was asked for, else Redis when there is one, else memory.
    #[must_use]
    pub fn cache_kind(&self) -> CacheKind {
        let found = if self.redis.is_some() { CacheKind::Redis } else { CacheKind::Memory };
        self.cache.backend.unwrap_or(found)
    }

    /// What stands before any value was read. The table of settings then fills in every default.
    pub(crate) fn blank() -> Self {
        Self {
            database: Database::Sqlite(PathBuf::new()),
            migrate: true,
            redis: None,
            rules: CreditingRules::default(),
            leaderboard_live: false,
            cache: CacheSettings {
                backend: None,
                prefix: String::new(),
                schema: String::new(),
                durable_invalidation: true,
                local_ttl: Duration::from_secs(30),
                default_ttl: Duration::ZERO,
                jitter: true,
                user_ttl: Duration::ZERO,
                leaderboard_ttl: Duration::ZERO,
                recent_ttl: Duration::ZERO,
                stats_ttl: Duration::ZERO,
                catalogue_ttl: Duration::ZERO,
                max_entries: 0,
                max_bytes: 0,
            },
            pool_max: 1,
            acquire_timeout: Duration::ZERO,
            statement_timeout: Duration::ZERO,
            retry_attempts: 1,
            sqlite_full_durability: true,
        }
    }
}
