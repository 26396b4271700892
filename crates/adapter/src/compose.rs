//! From a configuration, and whatever the caller brings along, to a connected whole.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use guildhall_cache::{Cache, Json, RedisBackend, RedisOptions, RelayOptions};
use guildhall_cached::{CachedOptions, CachedStorage};
use guildhall_domain::{Clock, Random, SystemClock, SystemRandom};
use guildhall_insight::Profiler;
use guildhall_insight::profile::Options as ProfilerOptions;
use guildhall_repository::{RetryPolicy, Storage};
use guildhall_service::{EventMultiplier, NoEvents};
use secrecy::ExposeSecret;

use crate::guildhall::Parts;
use crate::plans::Fetching;
use crate::services::{Ground, Services};
use crate::store::Store;
use crate::{CacheKind, CodecKind, Config, ConnectError, Guildhall, Health, Settings, health};

/// Connects a [`Guildhall`], with parts of the caller's own in place of the configured ones.
pub struct GuildhallBuilder {
    config: Config,
    storage: Option<Arc<dyn Storage>>,
    cache: Option<Cache>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    events: Arc<dyn EventMultiplier>,
    outdated: bool,
    profiler: Option<Profiler>,
}

impl GuildhallBuilder {
    pub(crate) fn new(config: Config) -> Self {
        Self {
            config,
            storage: None,
            cache: None,
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
            events: Arc::new(NoEvents),
            outdated: false,
            profiler: None,
        }
    }

    /// Uses this storage; no database is opened and nothing is migrated. The cache still stands in
    /// front of it: set `cache.backend = "disabled"` if that is not wanted.
    #[must_use]
    pub fn storage(mut self, storage: Arc<dyn Storage>) -> Self {
        self.storage = Some(storage);
        self
    }

    /// Uses this cache; the settings `cache.backend`, `prefix`, `schema`, `local_ttl`,
    /// `stampede_lock`, `codec`, `jitter`, `default_ttl`, `max_entries` and `max_bytes`, and all of
    /// Redis, are then without effect.
    #[must_use]
    pub fn cache(mut self, cache: Cache) -> Self {
        self.cache = Some(cache);
        self
    }

    /// Tells the time.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Draws identifiers and waits.
    #[must_use]
    pub fn random(mut self, random: Arc<dyn Random>) -> Self {
        self.random = random;
        self
    }

    /// Multiplies credits by what events say.
    #[must_use]
    pub fn events(mut self, events: Arc<dyn EventMultiplier>) -> Self {
        self.events = events;
        self
    }

    /// Records what the database is asked; the settings of the profiler are then without effect. A
    /// profiler may serve several storages, and clocks of one's own. A storage of the caller's own
    /// is recorded by whoever opened it.
    #[must_use]
    pub fn profiler(mut self, profiler: Profiler) -> Self {
        self.profiler = Some(profiler);
        self
    }

    /// Connects to a database whose tables lack migrations even though `database.migrate` is off.
    #[must_use]
    pub const fn allow_outdated(mut self) -> Self {
        self.outdated = true;
        self
    }

    /// Probes database and cache as [`Guildhall::health`] does, changing no tables. A database that
    /// cannot be connected to is `Unhealthy` rather than an error.
    pub async fn probe(self) -> Result<Health, ConnectError> {
        let settings = self.config.settings().clone();
        let cache = match self.cache {
            Some(cache) => cache,
            None => cache_of(&settings)?,
        };
        let now = self.clock.now();
        match self.storage {
            Some(storage) => Ok(health::probe(&*storage, &cache, now).await),
            None => match Store::open(&settings, &self.random, &Profiler::off()).await {
                Ok(store) => match up_to_date(&store, &settings).await {
                    Ok(()) => Ok(health::probe(&*store.storage(), &cache, now).await),
                    Err(error) => Ok(health::without_database(&error, &cache).await),
                },
                Err(error) => Ok(health::without_database(&error, &cache).await),
            },
        }
    }

    /// Opens the database, brings its tables up to date unless `database.migrate` is off, and puts
    /// the cache in front. A Redis server that is down does not stop it: reads go to the database
    /// until it is back, and [`Guildhall::health`] says `Degraded`.
    pub async fn connect(self) -> Result<Guildhall, ConnectError> {
        let settings = self.config.settings().clone();
        let cache = match self.cache {
            Some(cache) => cache,
            None => cache_of(&settings)?,
        };
        let profiler = self.profiler.unwrap_or_else(|| profiler_of(&settings));
        let (store, migrated, uncached) = match self.storage {
            Some(storage) => (None, Vec::new(), storage),
            None => {
                let store = Store::open(&settings, &self.random, &profiler).await?;
                let migrated = migrate(&store, &settings, self.outdated).await?;
                let storage = store.storage();
                (Some(store), migrated, storage)
            }
        };
        let mut cached =
            CachedStorage::new(Arc::clone(&uncached), cache.clone(), cached_options(&settings));
        if settings.cache.durable_invalidation && has_notes(store.as_ref()).await {
            cached = cached.durable(RelayOptions::default());
        }
        let storage: Arc<dyn Storage> = Arc::new(cached);
        let planned = store.as_ref().filter(|_| profiler.is_on() && settings.profiler.plans);
        let fetching = planned.map(|store| Fetching::start(&profiler, store.planner()));
        let (clock, random) = (self.clock, self.random);
        let retry = RetryPolicy { attempts: settings.retry_attempts, ..RetryPolicy::default() };
        let ground = Ground { storage: &storage, clock: &clock, random: &random, retry };
        let services = Services::new(ground, self.events, &settings);
        Ok(Guildhall::from(Parts {
            config: self.config,
            store,
            migrated,
            uncached,
            storage,
            cache,
            clock,
            random,
            retry,
            services,
            profiler,
            begun: Instant::now(),
            _fetching: fetching,
            built: Mutex::default(),
        }))
    }
}

fn profiler_of(settings: &Settings) -> Profiler {
    let asked = settings.profiler;
    if !asked.enabled {
        return Profiler::off();
    }
    let options = ProfilerOptions::new()
        .slow_from(asked.slow_from)
        .slow_max(asked.slow_max)
        .statements_max(asked.statements_max)
        .keep_binds(asked.keep_binds);
    Profiler::new(options)
}

async fn migrate(
    store: &Store,
    settings: &Settings,
    outdated: bool,
) -> Result<Vec<String>, ConnectError> {
    let database = settings.database.describe();
    if settings.migrate {
        let applied = store.migrate().await;
        let applied =
            applied.map_err(|error| ConnectError::Migrate { database, source: error.into() })?;
        if !applied.is_empty() {
            tracing::info!(applied = applied.len(), "the tables were brought up to date");
        }
        return Ok(applied);
    }
    if !outdated {
        up_to_date(store, settings).await?;
    }
    Ok(Vec::new())
}

/// Refuses a database that lacks migrations.
async fn up_to_date(store: &Store, settings: &Settings) -> Result<(), ConnectError> {
    let database = settings.database.describe();
    let status = match store.migrations().await {
        Ok(status) => status,
        Err(error) => {
            let source = error.into();
            return Err(ConnectError::Database { database, tried_for: None, source });
        }
    };
    match status.iter().filter(|(_, applied)| !applied).count() {
        0 => Ok(()),
        pending => Err(ConnectError::Outdated { database, pending }),
    }
}

/// Whether writes can leave notes. Only a database that was connected to in spite of missing
/// migrations cannot: its writes must not fail for want of a table.
async fn has_notes(store: Option<&Store>) -> bool {
    let Some(store) = store else { return true };
    match store.migrations().await {
        Ok(status) => status.iter().all(|(_, applied)| *applied),
        Err(error) => {
            tracing::warn!(%error, "whether notes can be kept is unknown; none are");
            false
        }
    }
}

fn cache_of(settings: &Settings) -> Result<Cache, ConnectError> {
    let builder = Cache::builder()
        .prefix(&settings.cache.prefix)
        .schema(&settings.cache.schema)
        .default_ttl(settings.cache.default_ttl)
        .jitter(settings.cache.jitter)
        .max_entries(settings.cache.max_entries)
        .max_bytes(settings.cache.max_bytes)
        .stampede_lock(settings.cache.stampede_lock)
        .shared_deadline(settings.redis_limits.timeout.saturating_mul(4))
        .unknown_grace(unknown_grace(settings));
    let builder = match settings.cache.codec {
        CodecKind::MessagePack => builder,
        CodecKind::Json => builder.codec(Json),
    };
    let builder = match (settings.cache_kind(), &settings.redis) {
        (kind @ (CacheKind::Redis | CacheKind::Tiered), Some(url)) => {
            let redis = RedisBackend::new(url.expose_secret(), redis_options(settings));
            let redis = Arc::new(redis.map_err(ConnectError::Cache)?);
            match kind {
                CacheKind::Tiered => builder.tiered(redis).local_ttl(settings.cache.local_ttl),
                _ => builder.shared(redis),
            }
        }
        // Without an address the configuration would have been refused.
        (CacheKind::Disabled | CacheKind::Redis | CacheKind::Tiered, _) => builder.disabled(),
        (CacheKind::Memory, _) => builder.memory(),
    };
    Ok(builder.build())
}

fn redis_options(settings: &Settings) -> RedisOptions {
    let limits = settings.redis_limits;
    RedisOptions {
        connections_max: limits.connections,
        deadline: limits.timeout,
        failures_max: limits.breaker_failures,
        breaker_pause: limits.breaker_pause,
        ..RedisOptions::default()
    }
}

/// How long a write whose caller went away may still commit: every attempt may wait for its turn and
/// a connection, and then run until the statement times out.
fn unknown_grace(settings: &Settings) -> Duration {
    let attempt = settings.acquire_timeout * 2 + settings.statement_timeout;
    attempt * settings.retry_attempts
}

fn cached_options(settings: &Settings) -> CachedOptions {
    let cache = &settings.cache;
    CachedOptions {
        user: cache.user_ttl,
        lookup: cache.recent_ttl,
        lists: cache.recent_ttl,
        leaderboard: cache.leaderboard_ttl,
        totals: cache.stats_ttl,
        catalogue: cache.catalogue_ttl,
        mission: cache.mission_ttl,
        mission_reports: cache.stats_ttl,
        narrative: cache.narrative_ttl,
        story_totals: cache.stats_ttl,
        honours: cache.achievement_ttl,
        recent: cache.recent_ttl,
        leaderboard_live: settings.leaderboard_live,
        ..CachedOptions::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_those_of_the_libraries() {
        let config = Config::builder().build().unwrap();
        let (ours, theirs) = (redis_options(config.settings()), RedisOptions::default());
        assert_eq!(format!("{ours:?}"), format!("{theirs:?}"));
        assert_eq!(cached_options(config.settings()), CachedOptions::default());
    }

    #[test]
    fn every_time_to_live_of_the_settings_reaches_the_cache() {
        let keys = ["achievement", "mission", "narrative", "stats", "recent", "catalogue"];
        let config = keys.iter().zip(1..).fold(Config::builder(), |config, (key, seconds)| {
            config.set(&format!("cache.{key}_ttl"), &format!("{seconds}s"))
        });
        let options = cached_options(config.build().unwrap().settings());
        let expected = CachedOptions {
            honours: Duration::from_secs(1),
            mission: Duration::from_secs(2),
            narrative: Duration::from_secs(3),
            totals: Duration::from_secs(4),
            mission_reports: Duration::from_secs(4),
            story_totals: Duration::from_secs(4),
            lookup: Duration::from_secs(5),
            lists: Duration::from_secs(5),
            recent: Duration::from_secs(5),
            catalogue: Duration::from_secs(6),
            ..CachedOptions::default()
        };
        assert_eq!(options, expected);
    }
}
