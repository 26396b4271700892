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
