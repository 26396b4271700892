//! Layers, provenance and refusals.

use std::time::Duration;

use guildhall_service::CreditingRules;

use super::*;

fn env(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn file(text: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    file
}

fn origin(config: &Config, key: &str) -> Origin {
    config.provenance().iter().find(|shown| shown.key == key).unwrap().origin.clone()
}

#[test]
fn without_anything_the_embedded_defaults_hold() {
    let config = Config::builder().build().unwrap();
    let settings = config.settings();
    assert_eq!(settings.rules, CreditingRules::default());
    assert_eq!(settings.database.describe(), "SQLite file guildhall.db");
    assert_eq!(settings.cache_kind(), CacheKind::Memory);
    assert_eq!((settings.cache.max_entries, settings.cache.max_bytes), (10_000, 64 << 20));
    assert_eq!(settings.pool_max, 20);
    assert!(settings.migrate && !config.names_database());
    assert!(config.provenance().iter().all(|shown| shown.origin == Origin::Default));
}

#[test]
fn program_beats_environment_beats_file_beats_default() {
    let file =
        file("[cache]\nuser_ttl = '2h'\nleaderboard_ttl = 60\nrecent_ttl = 1.5\n[pool]\nmax = 5\n");
    let config = Config::builder()
        .set_from("--test", "pool.max", "7")
        .variables(env(&[("GUILDHALL_CACHE_LEADERBOARD_TTL", "2m"), ("GUILDHALL_POOL_MAX", "6")]))
        .file(file.path())
        .build()
        .unwrap();
    let settings = config.settings();
    assert_eq!(settings.pool_max, 7);
    assert_eq!(settings.cache.leaderboard_ttl, Duration::from_secs(120));
    assert_eq!(settings.cache.user_ttl, Duration::from_secs(7200));
    assert_eq!(settings.cache.recent_ttl, Duration::from_millis(1500));
    assert_eq!(origin(&config, "pool.max"), Origin::Program("--test".into()));
    assert_eq!(origin(&config, "cache.user_ttl"), Origin::File(file.path().into()));
    let variable = "GUILDHALL_CACHE_LEADERBOARD_TTL".to_owned();
    assert_eq!(origin(&config, "cache.leaderboard_ttl"), Origin::Environment(variable));
    assert_eq!(origin(&config, "time.zone"), Origin::Default);
}

#[test]
fn redis_and_what_is_kept_there_have_limits() {
    let config = Config::builder().build().unwrap();
    assert_eq!(config.settings().cache.stampede_lock, Some(Duration::from_secs(5)));
    assert_eq!(config.settings().cache.codec, CodecKind::MessagePack);
    let toml = file(
        "[redis]\nconnections = 4\ntimeout = '100ms'\nbreaker_failures = 3\nbreaker_pause = 2\n\
         [cache]\nstampede_lock = 0\ncodec = 'json'\n",
    );
    let config = Config::builder().file(toml.path()).build().unwrap();
    let expected = RedisSettings {
        connections: 4,
        timeout: Duration::from_millis(100),
        breaker_failures: 3,
        breaker_pause: Duration::from_secs(2),
    };
    assert_eq!(config.settings().redis_limits, expected);
    assert_eq!(config.settings().cache.stampede_lock, None);
    assert_eq!(config.settings().cache.codec, CodecKind::Json);
}

#[test]
fn events_rewards_and_their_caches_are_set_from_every_layer() {
    let defaults = Config::builder().build().unwrap();
    let settings = defaults.settings();
    assert!(!settings.outbox_enabled && settings.multiply_rewards);
    let seconds = |cache: &CacheSettings| {
        let ttls = [cache.achievement_ttl, cache.mission_ttl, cache.narrative_ttl];
        ttls.map(|ttl| ttl.as_secs())
    };
    assert_eq!(seconds(&settings.cache), [1_800, 900, 900]);

    let toml = file(
        "[outbox]\nenabled = true\n[rewards]\nuse_multiplier = true\n\
         [cache]\nachievement_ttl = '10m'\nmission_ttl = 7\nnarrative_ttl = 8\n",
    );
    let config = Config::builder()
        .file(toml.path())
        .variables(env(&[
            ("GUILDHALL_REWARDS_USE_MULTIPLIER", "off"),
            ("GUILDHALL_CACHE_MISSION_TTL", "0"),
        ]))
        .set("cache.narrative_ttl", "2h")
        .build()
        .unwrap();
    assert!(config.settings().outbox_enabled && !config.settings().multiply_rewards);
    assert_eq!(seconds(&config.settings().cache), [600, 0, 7_200]);
    assert_eq!(origin(&config, "outbox.enabled"), Origin::File(toml.path().into()));
}

#[test]
fn the_full_name_of_a_variable_counts_more_than_its_alias() {
    for order in [[0, 1], [1, 0]] {
        let pairs =
            [("GUILDHALL_DATABASE_URL", "sqlite://full.db"), ("DATABASE_URL", "sqlite://short.db")];
        let config = Config::builder().variables(env(&order.map(|at| pairs[at]))).build().unwrap();
        assert_eq!(config.settings().database.describe(), "SQLite file full.db");
    }
}

#[test]
fn every_default_is_documented_and_every_variable_is_its_own() {
    let mut seen = std::collections::BTreeSet::new();
    for setting in SETTINGS {
        assert!(setting.doc.ends_with('.'), "{}", setting.key);
        assert!(seen.insert(setting.variable()), "{}", setting.key);
    }
}

#[test]
fn unknown_keys_stop_with_their_name_and_origin() {
    let toml = file("[cache]\nuser_tll = 5\n");
    let error = Config::builder().file(toml.path()).build().unwrap_err().to_string();
    assert!(error.starts_with("there is no setting `cache.user_tll` (file "), "{error}");
    assert!(error.ends_with("did you mean `cache.user_ttl`?"), "{error}");
    let variables = env(&[("GUILDHALL_COLOUR", "red")]);
    let error = Config::builder().variables(variables).build().unwrap_err().to_string();
    assert_eq!(error, "there is no setting `colour` (environment variable GUILDHALL_COLOUR)");
    assert!(Config::builder().set("pool.maximum", "3").build().is_err());
}

#[test]
fn bad_values_stop_with_key_origin_and_what_would_do() {
    let toml = file("[pool]\nmax = 0\n");
    let error = Config::builder().file(toml.path()).build().unwrap_err().to_string();
    assert!(error.contains("`pool.max` (file "), "{error}");
    assert!(error.ends_with("must be a whole number from 1 to 10000, not `0`"), "{error}");
    for (key, value) in [
        ("points.message", "0"),
        ("points.message", "-1"),
        ("points.message", "1e400"),
        ("points.message", "NaN"),
        ("time.zone", "Mars/Olympus"),
        ("cache.backend", "floppy"),
        ("cache.codec", "xml"),
        ("cache.stampede_lock", "soon"),
        ("redis.connections", "0"),
        ("redis.timeout", "0"),
        ("redis.breaker_failures", "0"),
        ("redis.breaker_pause", "0s"),
        ("outbox.enabled", "maybe"),
        ("rewards.use_multiplier", "2"),
        ("cache.achievement_ttl", "soon"),
        ("cache.mission_ttl", "-1"),
        ("cache.narrative_ttl", ""),
        ("pool.acquire_timeout", "0s"),
        ("database.url", "guildhall.db"),
    ] {
        let error = Config::builder().set(key, value).build().unwrap_err();
        assert!(error.to_string().contains(key), "{error}");
    }
    let nested = file("[pool]\nmax = [1, 2]\n");
    assert!(Config::builder().file(nested.path()).build().is_err());
}

#[test]
fn an_unknown_scheme_names_those_that_are_known() {
    let error = Config::builder().database("mysql://u:hunter2@h/d").build().unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, ConfigError::UnknownScheme { .. }), "{error:?}");
    assert!(text.contains("sqlite://") && text.contains("postgres://"), "{text}");
    assert!(!text.contains("hunter2"), "{text}");
}

#[test]
fn no_secret_is_ever_shown() {
    let config = Config::builder()
        .database("postgres://ada:hunter2@db/app")
        .redis("redis://:hunter2@cache/0")
        .build()
        .unwrap();
    assert!(!format!("{config:?}").contains("hunter2"));
    let shown = config.provenance().iter().find(|shown| shown.key == "redis.url").unwrap();
    assert_eq!(shown.value.as_deref(), Some("redis://:***@cache/0"));
    assert_eq!(config.settings().cache_kind(), CacheKind::Redis);
    for (key, url) in [
        ("database.url", "postgres://ada:hunter2 @:::"),
        ("redis.url", "hunter2"),
        ("database.url", "ada:hunter2@db"),
    ] {
        let error = Config::builder().set(key, url).build().unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
    }
    let toml = file("[database]\nurl = \"postgres://ada:hunter2@db\n");
    let error = Config::builder().file(toml.path()).build().unwrap_err();
    assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
    assert!(error.to_string().contains("line 2"), "{error}");
}

#[test]
fn redis_without_an_address_and_a_missing_file_are_refused() {
    let error = Config::builder().set("cache.backend", "redis").build().unwrap_err();
    assert_eq!(
        error.to_string(),
        "setting `redis.url` is needed because `cache.backend` is `redis`"
    );
    let error = Config::builder().file("/nowhere/guildhall.toml").build().unwrap_err();
    assert!(error.to_string().contains("/nowhere/guildhall.toml"), "{error}");
}

#[test]
fn the_profiler_is_on_and_keeps_no_value_unless_it_is_told_to() {
    let defaults = Config::builder().build().unwrap();
    let expected = ProfilerSettings {
        enabled: true,
        slow_from: Duration::from_secs(1),
        slow_max: 100,
        statements_max: 1_000,
        plans: true,
        keep_binds: false,
    };
    assert_eq!(defaults.settings().profiler, expected);
    let toml = file("[profiler]\nslow_ms = 250\nring = 7\nkeep_binds = true\n");
    let config = Config::builder()
        .file(toml.path())
        .variables(env(&[("GUILDHALL_PROFILER_ENABLED", "off")]))
        .set("profiler.statements_max", "50")
        .set("profiler.plans", "false")
        .build()
        .unwrap();
    let expected = ProfilerSettings {
        enabled: false,
        slow_from: Duration::from_millis(250),
        slow_max: 7,
        statements_max: 50,
        plans: false,
        keep_binds: true,
    };
    assert_eq!(config.settings().profiler, expected);
    for (key, value) in [("profiler.slow_ms", "0"), ("profiler.statements_max", "0")] {
        assert!(Config::builder().set(key, value).build().is_err(), "{key}");
    }
}
