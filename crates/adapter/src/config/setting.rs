//! The table of settings: keys, defaults, what they mean and how they are read. Names of
//! environment variables, provenance and the documentation all come from here.

use std::time::Duration;

use guildhall_domain::CommunityZone;

use super::database::{AddressRefusal, Database, redis};
use super::settings::Settings;
use super::value::{
    amount, basis_points, boolean, bytes, count, duration, key_part, number, small, timeout,
};

/// A setting.
pub struct Setting {
    /// Its key: `cache.user_ttl`.
    pub key: &'static str,
    /// What it is when nobody says; `None` when it then is absent.
    pub default: Option<&'static str>,
    /// What it does.
    pub doc: &'static str,
    /// Another environment variable that sets it.
    pub alias: Option<&'static str>,
    /// Whether its value may hold a password.
    pub is_secret: bool,
    pub(crate) apply: fn(&mut Settings, &str) -> Result<(), AddressRefusal>,
}

impl Setting {
    /// The environment variable that sets it: `GUILDHALL_CACHE_USER_TTL`.
    #[must_use]
    pub fn variable(&self) -> String {
        format!("GUILDHALL_{}", self.key.replace('.', "_").to_ascii_uppercase())
    }
}

impl From<String> for AddressRefusal {
    fn from(expected: String) -> Self {
        Self::Expected(expected)
    }
}

macro_rules! settings {
    ($($key:literal = $default:expr, $doc:literal, |$s:ident, $raw:ident| $apply:expr;)+) => {
        /// Every setting there is.
        pub static SETTINGS: &[Setting] = &[$(Setting {
            key: $key,
            default: $default,
            doc: $doc,
            alias: alias($key),
            is_secret: matches!($key.as_bytes(), b"database.url" | b"redis.url"),
            apply: |$s, $raw| { $apply; Ok(()) },
        }),+];
    };
}

const fn alias(key: &str) -> Option<&'static str> {
    match key.as_bytes() {
        b"database.url" => Some("DATABASE_URL"),
        b"redis.url" => Some("REDIS_URL"),
        _ => None,
    }
}

settings! {
    "database.url" = Some("sqlite://guildhall.db"),
        "The database: sqlite://path or postgres://user:password@host/database. A SQLite file is made when absent.",
        |s, raw| s.database = Database::parse(raw)?;
    "database.migrate" = Some("true"),
        "Whether connecting brings the tables up to date. Turn it off where another step of the deployment does it.",
        |s, raw| s.migrate = boolean(raw)?;
    "redis.url" = None,
        "A Redis server for the cache: redis://[user:password@]host[:port][/database].",
        |s, raw| s.redis = Some(redis(raw)?);
    "redis.connections" = Some("2"),
        "Connections to each Redis server at most; each carries any number of commands at once.",
        |s, raw| s.redis_limits.connections = small(raw, 1, 1_000)?;
    "redis.timeout" = Some("250ms"),
        "How long one command may take on one Redis server, connecting included; four times as long on all it is about. Then it counts as a miss.",
        |s, raw| s.redis_limits.timeout = timeout(raw)?;
    "redis.breaker_failures" = Some("5"),
        "So many commands that fail one after the other take a Redis server out of use.",
        |s, raw| s.redis_limits.breaker_failures = small(raw, 1, 1_000)?;
    "redis.breaker_pause" = Some("500ms"),
        "How long a Redis server is out of use before it is tried again.",
        |s, raw| s.redis_limits.breaker_pause = timeout(raw)?;
    "time.zone" = Some("UTC"),
        "The zone whose midnight begins a community day, by its IANA name: Europe/Madrid.",
        |s, raw| s.rules.earning.zone = CommunityZone::parse(raw)
            .map_err(|_| "an IANA time zone such as Europe/Madrid".to_owned())?;
    "points.message" = Some("1"), "Points for a message.",
        |s, raw| s.rules.earning.message = amount(raw)?;
    "points.message_interval" = Some("30s"), "The least time between messages that pay.",
        |s, raw| s.rules.earning.message_interval = duration(raw)?;
    "points.checkin" = Some("10"), "Points for the check-in of the day.",
        |s, raw| s.rules.earning.check_in = amount(raw)?;
    "points.weekly_bonus" = Some("25"), "Points on top on every seventh day of a streak.",
        |s, raw| s.rules.earning.weekly_bonus = amount(raw)?;
    "points.daily_gift" = Some("5"), "Points of the daily gift.",
        |s, raw| s.rules.earning.daily_gift = amount(raw)?;
    "points.gift_cooldown" = Some("24h"), "The least time between daily gifts.",
        |s, raw| s.rules.earning.gift_cooldown = duration(raw)?;
    "points.post" = Some("5"), "Points for a post.",
        |s, raw| s.rules.earning.post = amount(raw)?;
    "points.comment" = Some("2"), "Points for a comment.",
        |s, raw| s.rules.earning.comment = amount(raw)?;
    "points.poll" = Some("2"), "Points for answering a poll.",
        |s, raw| s.rules.earning.poll = amount(raw)?;
    "points.other" = Some("1"), "Points for taking part otherwise.",
        |s, raw| s.rules.earning.other = amount(raw)?;
    "points.vip_multiplier_bp" = Some("10000"),
        "What VIPs and administrators earn, in basis points: 15000 is one and a half times.",
        |s, raw| s.rules.vip_multiplier = basis_points(raw)?;
    "points.max_multiplier_bp" = Some("100000"), "No product of multipliers is greater.",
        |s, raw| s.rules.max_multiplier = basis_points(raw)?;
    "rewards.use_multiplier" = Some("true"),
        "Whether points of missions, stories, achievements and choices are multiplied by events and roles, as other credits are.",
        |s, raw| s.multiply_rewards = boolean(raw)?;
    "outbox.enabled" = Some("false"),
        "Whether every event is written to the outbox, in the transaction of what it tells of, to be handed out by a dispatcher.",
        |s, raw| s.outbox_enabled = boolean(raw)?;
    "leaderboard.live" = Some("false"),
        "Whether every movement of points makes cached leaderboards void, rather than their age.",
        |s, raw| s.leaderboard_live = boolean(raw)?;
    "cache.backend" = None,
        "Where cached values are kept: memory, redis, tiered (memory over redis) or disabled. Redis when redis.url is set, else memory.",
        |s, raw| s.cache.backend = Some(raw.parse()?);
    "cache.prefix" = Some("gh"), "First part of every key; processes with the same prefix share.",
        |s, raw| s.cache.prefix = key_part(raw)?;
    "cache.schema" = Some("v1"), "Second part of every key; change it to leave old values behind.",
        |s, raw| s.cache.schema = key_part(raw)?;
    "cache.durable_invalidation" = Some("true"),
        "Whether writes leave a note of what they change, for a cache in Redis. Without it a process that dies between its commit and Redis, or a Redis that is down, leaves old values to other processes until their life times end.",
        |s, raw| s.cache.durable_invalidation = boolean(raw)?;
    "cache.local_ttl" = Some("30s"), "With tiered: how long a copy lives in memory at most, also when messages of other processes are lost.",
        |s, raw| s.cache.local_ttl = duration(raw)?;
    "cache.stampede_lock" = Some("5s"),
        "With Redis: of all processes one loads a missing value, for this long at most, while the others wait for it; 0 lets each load.",
        |s, raw| s.cache.stampede_lock = Some(duration(raw)?).filter(|ttl| !ttl.is_zero());
    "cache.codec" = Some("messagepack"),
        "How values are written in Redis: messagepack, the smaller and faster, or json, which people can read. Values of the other kind are misses.",
        |s, raw| s.cache.codec = raw.parse()?;
    "cache.default_ttl" = Some("300s"), "How long values live that have no setting of their own.",
        |s, raw| s.cache.default_ttl = duration(raw)?;
    "cache.jitter" = Some("true"), "Whether life times vary by up to a tenth, so that values made together do not end together.",
        |s, raw| s.cache.jitter = boolean(raw)?;
    "cache.user_ttl" = Some("3600s"), "How long members are cached; 0 does not cache them.",
        |s, raw| s.cache.user_ttl = duration(raw)?;
    "cache.leaderboard_ttl" = Some("900s"), "How long leaderboards are cached: so old may they be.",
        |s, raw| s.cache.leaderboard_ttl = duration(raw)?;
    "cache.recent_ttl" = Some("300s"), "How long look-ups by name or account, lists of members, and what was unlocked lately are cached.",
        |s, raw| s.cache.recent_ttl = duration(raw)?;
    "cache.stats_ttl" = Some("600s"), "How long totals and figures about missions and the story are cached: so old may they be.",
        |s, raw| s.cache.stats_ttl = duration(raw)?;
    "cache.catalogue_ttl" = Some("3600s"), "How long the level table, the store, achievements and badges, as they are defined, are cached.",
        |s, raw| s.cache.catalogue_ttl = duration(raw)?;
    "cache.achievement_ttl" = Some("1800s"), "How long a member's achievements and badges are cached.",
        |s, raw| s.cache.achievement_ttl = duration(raw)?;
    "cache.mission_ttl" = Some("900s"), "How long missions, as they are defined, are cached.",
        |s, raw| s.cache.mission_ttl = duration(raw)?;
    "cache.narrative_ttl" = Some("900s"), "How long fragments of the story and pieces of lore are cached.",
        |s, raw| s.cache.narrative_ttl = duration(raw)?;
    "cache.max_entries" = Some("10000"), "Values in memory at most.",
        |s, raw| s.cache.max_entries = number(raw, 1, 1_000_000_000)?;
    "cache.max_bytes" = Some("64MiB"), "Bytes in memory at most, estimated.",
        |s, raw| s.cache.max_bytes = bytes(raw)?;
    "pool.max" = Some("20"), "Connections to the database at most.",
        |s, raw| s.pool_max = small(raw, 1, 10_000)?;
    "pool.acquire_timeout" = Some("5s"),
        "How long a call waits for a connection, and how long connecting is tried at start.",
        |s, raw| s.acquire_timeout = timeout(raw)?;
    "store.statement_timeout" = Some("10s"), "How long one call may take once it has a connection.",
        |s, raw| s.statement_timeout = timeout(raw)?;
    "store.sqlite_durability" = Some("full"),
        "What a commit on SQLite survives: `full` the loss of power, `process` the end of the program.",
        |s, raw| s.sqlite_full_durability = durability(raw)?;
    "retry.attempts" = Some("3"), "How often a unit of work is tried while other writers win.",
        |s, raw| s.retry_attempts = small(raw, 1, 100)?;
    "profiler.enabled" = Some("true"),
        "Whether statements and operations are counted and timed, for reports and index advice. No value is kept.",
        |s, raw| s.profiler.enabled = boolean(raw)?;
    "profiler.slow_ms" = Some("1000"), "From how many milliseconds on a call is slow.",
        |s, raw| s.profiler.slow_from = Duration::from_millis(number(raw, 1, 3_600_000)?);
    "profiler.ring" = Some("100"), "How many slow calls are kept, the latest.",
        |s, raw| s.profiler.slow_max = count(raw, 0, 10_000)?;
    "profiler.plans" = Some("true"),
        "Whether the database is asked how it runs slow statements: EXPLAIN, which runs nothing, at most six a minute, each on a connection of its own.",
        |s, raw| s.profiler.plans = boolean(raw)?;
    "profiler.statements_max" = Some("1000"),
        "How many statements are told apart, at some 3 kB each; the rest are counted as one.",
        |s, raw| s.profiler.statements_max = count(raw, 1, 100_000)?;
    "profiler.keep_binds" = Some("false"),
        "Whether some bind values of each statement are kept in memory, for sharper index advice. They may be personal data; no report shows them.",
        |s, raw| s.profiler.keep_binds = boolean(raw)?;
}

fn durability(raw: &str) -> Result<bool, String> {
    match raw {
        "full" => Ok(true),
        "process" => Ok(false),
        _ => Err("full or process".to_owned()),
    }
}

/// The table of all settings in Markdown, for documentation.
#[must_use]
pub fn settings_markdown() -> String {
    let mut text = "| Key | Variable | Default | Meaning |\n|---|---|---|---|\n".to_owned();
    for setting in SETTINGS {
        let variable = setting.variable();
        let alias = setting.alias.map(|alias| format!(" or `{alias}`")).unwrap_or_default();
        let default = setting.default.map_or_else(|| "–".to_owned(), |value| format!("`{value}`"));
        let (key, doc) = (setting.key, setting.doc);
        text.push_str(&format!("| `{key}` | `{variable}`{alias} | {default} | {doc} |\n"));
    }
    text
}

/// The setting of this key.
pub(crate) fn find(key: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.key == key)
}

/// The setting whose key looks most like `key`, if any does.
pub(crate) fn nearest(key: &str) -> Option<&'static str> {
    let plain = |text: &str| text.to_ascii_lowercase().replace(['-', '.'], "_");
    let wanted = plain(key.get(..100).unwrap_or(key));
    let distances =
        SETTINGS.iter().map(|setting| (distance(&wanted, &plain(setting.key)), setting));
    let (edits, setting) = distances.min_by_key(|(edits, _)| *edits)?;
    (edits <= 1 + wanted.len() / 4).then_some(setting.key)
}

/// Edits from one text to the other, by Levenshtein.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.bytes().enumerate() {
            let replaced = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
