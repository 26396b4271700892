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
    /// What is asked of Redis at most.
    pub redis_limits: RedisSettings,
    /// What members earn and when.
    pub rules: CreditingRules,
    /// Whether points of missions, stories and achievements are multiplied as other credits are.
    pub multiply_rewards: bool,
    /// Whether events are written to the outbox.
    pub outbox_enabled: bool,
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
    /// What is recorded of statements.
    pub profiler: ProfilerSettings,
}

/// What is recorded of statements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProfilerSettings {
    /// Whether anything is.
    pub enabled: bool,
    /// From how long on a call is slow.
    pub slow_from: Duration,
    /// How many slow calls are kept.
    pub slow_max: usize,
    /// How many statements are told apart.
    pub statements_max: usize,
    /// Whether plans of slow calls are fetched.
    pub plans: bool,
    /// Whether bind values are kept.
    pub keep_binds: bool,
}

/// What is asked of Redis at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RedisSettings {
    /// Connections to each server, at least 1.
    pub connections: u32,
    /// How long one command may take on one server, connecting included.
    pub timeout: Duration,
    /// So many failures in a row take a server out of use, at least 1.
    pub breaker_failures: u32,
    /// How long it then is.
    pub breaker_pause: Duration,
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
    /// How long one process has to load a value for which the others wait; `None`: each loads.
    pub stampede_lock: Option<Duration>,
    /// How values are written in Redis.
    pub codec: CodecKind,
    /// How long entries live that have no setting of their own.
    pub default_ttl: Duration,
    /// Whether life times vary by up to a tenth.
    pub jitter: bool,
    /// Members.
    pub user_ttl: Duration,
    /// Leaderboards.
    pub leaderboard_ttl: Duration,
    /// Look-ups of members by name or account, lists of members, and what was unlocked lately.
    pub recent_ttl: Duration,
    /// Totals, and figures about missions and the story.
    pub stats_ttl: Duration,
    /// The level table, the store, achievements and badges as they are defined.
    pub catalogue_ttl: Duration,
    /// A member's achievements and badges.
    pub achievement_ttl: Duration,
    /// Missions as they are defined.
    pub mission_ttl: Duration,
    /// Fragments of the story and pieces of lore.
    pub narrative_ttl: Duration,
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

/// How cached values are written in Redis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodecKind {
    /// The smaller and faster.
    MessagePack,
    /// Which people can read.
    Json,
}

impl FromStr for CodecKind {
    type Err = String;
    fn from_str(raw: &str) -> Result<Self, String> {
        match raw {
            "messagepack" => Ok(Self::MessagePack),
            "json" => Ok(Self::Json),
            _ => Err("messagepack or json".to_owned()),
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
            redis_limits: RedisSettings {
                connections: 1,
                timeout: Duration::ZERO,
                breaker_failures: 1,
                breaker_pause: Duration::ZERO,
            },
            rules: CreditingRules::default(),
            multiply_rewards: true,
            outbox_enabled: false,
            leaderboard_live: false,
            cache: CacheSettings {
                backend: None,
                prefix: String::new(),
                schema: String::new(),
                durable_invalidation: true,
                local_ttl: Duration::from_secs(30),
                stampede_lock: None,
                codec: CodecKind::MessagePack,
                default_ttl: Duration::ZERO,
                jitter: true,
                user_ttl: Duration::ZERO,
                leaderboard_ttl: Duration::ZERO,
                recent_ttl: Duration::ZERO,
                stats_ttl: Duration::ZERO,
                catalogue_ttl: Duration::ZERO,
                achievement_ttl: Duration::ZERO,
                mission_ttl: Duration::ZERO,
                narrative_ttl: Duration::ZERO,
                max_entries: 0,
                max_bytes: 0,
            },
            pool_max: 1,
            acquire_timeout: Duration::ZERO,
            statement_timeout: Duration::ZERO,
            retry_attempts: 1,
            sqlite_full_durability: true,
            profiler: ProfilerSettings {
                enabled: false,
                slow_from: Duration::ZERO,
                slow_max: 0,
                statements_max: 1,
                plans: false,
                keep_binds: false,
            },
        }
    }
}
