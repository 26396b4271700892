//! Layers of a configuration: a file, the environment, the program; the later ones win.

use std::path::{Path, PathBuf};

use figment::providers::{Format, Serialized, Toml};
use figment::value::{Dict, Map, Value};
use figment::{Figment, Metadata, Profile, Provider};

use super::database::{AddressRefusal, DATABASE_SCHEMES, REDIS_SCHEMES, masked};
use super::setting::{SETTINGS, Setting, find, nearest};
use super::settings::{CacheKind, Settings};
use super::{Config, ConfigError, Origin, Provenance};

/// The variable that names the configuration file.
const FILE_VARIABLE: &str = "GUILDHALL_CONFIG";
const FILE_DEFAULT: &str = "guildhall.toml";

/// Gathers a [`Config`]. A file comes first, then the environment, then what the program sets,
/// whatever the order of the calls; later layers win. Nothing is read before [`build`](Self::build).
#[derive(Default)]
pub struct ConfigBuilder {
    file: Option<PathBuf>,
    default_file: bool,
    variables: Vec<(String, String)>,
    program: Vec<(String, String, String)>,
}

impl ConfigBuilder {
    /// Reads this TOML file, which has to exist.
    #[must_use]
    pub fn file(mut self, path: impl Into<PathBuf>) -> Self {
        self.file = Some(path.into());
        self
    }

    /// Unless another file is named, reads the one that `GUILDHALL_CONFIG` names in the process's
    /// environment, or `guildhall.toml` in the working directory if there is one.
    #[must_use]
    pub const fn default_file(mut self) -> Self {
        self.default_file = true;
        self
    }

    /// Reads the environment of the process. Variables that are not UTF-8 are passed over.
    #[must_use]
    pub fn environment(self) -> Self {
        let utf8 = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        self.variables(std::env::vars_os().filter_map(utf8))
    }

    /// Reads these variables as an environment. Of them `DATABASE_URL`, `REDIS_URL` and whatever
    /// begins with `GUILDHALL_` matter.
    #[must_use]
    pub fn variables(mut self, variables: impl IntoIterator<Item = (String, String)>) -> Self {
        self.variables.extend(variables);
        self
    }

    /// Sets one setting by its key and text.
    #[must_use]
    pub fn set(self, key: &str, value: &str) -> Self {
        self.set_from("builder", key, value)
    }

    /// Sets one setting on behalf of `who`, which provenance and errors name: `--database`.
    #[must_use]
    pub fn set_from(mut self, who: &str, key: &str, value: &str) -> Self {
        self.program.push((who.to_owned(), key.to_owned(), value.to_owned()));
        self
    }

    /// Chooses the database: `sqlite://path` or `postgres://…`.
    #[must_use]
    pub fn database(self, url: &str) -> Self {
        self.set("database.url", url)
    }

    /// Chooses a Redis server for the cache.
    #[must_use]
    pub fn redis(self, url: &str) -> Self {
        self.set("redis.url", url)
    }

    /// Reads and checks every layer.
    pub fn build(self) -> Result<Config, ConfigError> {
        let mut figment = Figment::new();
        for setting in SETTINGS {
            if let Some(default) = setting.default {
                figment = figment.merge(Layer::one(Origin::Default, setting.key, default));
            }
        }
        if let Some(path) = self.file_path() {
            figment = figment.merge(read_file(&path)?);
        }
        for (name, value) in environment(&self.variables)? {
            let (setting, value) = (name.setting, value);
            let origin = Origin::Environment(name.variable);
            figment = figment.merge(Layer::one(origin, setting.key, value));
        }
        for (who, key, value) in &self.program {
            let origin = Origin::Program(who.clone());
            let setting = known(key, &origin)?;
            figment = figment.merge(Layer::one(origin, setting.key, value));
        }
        resolve(&figment)
    }

    fn file_path(&self) -> Option<PathBuf> {
        if self.file.is_some() || !self.default_file {
            return self.file.clone();
        }
        let named = std::env::var_os(FILE_VARIABLE).map(PathBuf::from);
        named.or_else(|| Path::new(FILE_DEFAULT).exists().then(|| FILE_DEFAULT.into()))
    }
}

/// Values of one origin.
struct Layer {
    origin: Origin,
    values: Dict,
}

impl Layer {
    fn one(origin: Origin, key: &str, value: &str) -> Self {
        let nested = Serialized::default(key, value).data().unwrap_or_default();
        let values = nested.into_values().next().unwrap_or_default();
        Self { origin, values }
    }
}

impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        match &self.origin {
            Origin::File(path) => Metadata::from("file", path.as_path()),
            Origin::Environment(name) => Metadata::from("environment", name.clone()),
            Origin::Program(who) => Metadata::from("program", who.clone()),
            Origin::Default => Metadata::named("default"),
        }
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        Ok(Profile::Default.collect(self.values.clone()))
    }
}

fn origin_of(metadata: Option<&Metadata>) -> Origin {
    let Some(metadata) = metadata else { return Origin::Default };
    let custom = || metadata.source.as_ref().and_then(|source| source.custom()).unwrap_or_default();
    match metadata.name.as_ref() {
        "file" => Origin::File(
            metadata
                .source
                .as_ref()
                .and_then(|source| source.file_path())
                .unwrap_or(Path::new(""))
                .into(),
        ),
        "environment" => Origin::Environment(custom().to_owned()),
        "program" => Origin::Program(custom().to_owned()),
        _ => Origin::Default,
    }
}

fn known(key: &str, origin: &Origin) -> Result<&'static Setting, ConfigError> {
    find(key).ok_or_else(|| ConfigError::UnknownKey {
        key: key.chars().take(100).collect(),
        origin: origin.clone(),
        nearest: nearest(key),
    })
}

/// A file's values. A message about it never quotes it: the line may hold a password.
fn read_file(path: &Path) -> Result<Layer, ConfigError> {
    let refuse = |detail: String| ConfigError::File { path: path.to_owned(), detail };
    let text = std::fs::read_to_string(path).map_err(|error| refuse(error.to_string()))?;
    let data = Toml::string(&text).data().map_err(|error| {
        let message = error.to_string();
        let quoted = |line: &&str| line.contains('|') || line.trim().is_empty();
        let lines: Vec<&str> = message.lines().filter(|line| !quoted(line)).collect();
        refuse(lines.first().map_or_else(|| "not TOML".to_owned(), |line| (*line).to_owned()))
    })?;
    let values = data.into_values().next().unwrap_or_default();
    let origin = Origin::File(path.to_owned());
    let mut keys = Vec::new();
    flatten("", &values, &mut keys);
    for (key, value) in keys {
        let setting = known(&key, &origin)?;
        if text_of(value).is_none() {
            let (expected, found) = ("a single value".to_owned(), None);
            return Err(ConfigError::Invalid { key: setting.key, origin, expected, found });
        }
    }
    Ok(Layer { origin, values })
}

fn flatten<'a>(prefix: &str, values: &'a Dict, keys: &mut Vec<(String, &'a Value)>) {
    for (name, value) in values {
        let key = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        match value {
            Value::Dict(_, inner) => flatten(&key, inner, keys),
            _ => keys.push((key, value)),
        }
    }
}

struct Named {
    variable: String,
    setting: &'static Setting,
}

/// The variables that matter. An alias counts less than the full name.
fn environment(variables: &[(String, String)]) -> Result<Vec<(Named, &String)>, ConfigError> {
    let mut found = Vec::new();
    for (name, value) in variables {
        let aliased = SETTINGS.iter().find(|setting| setting.alias == Some(name.as_str()));
        if let Some(setting) = aliased.filter(|_| !value.is_empty()) {
            found.insert(0, (Named { variable: name.clone(), setting }, value));
        }
        if !name.starts_with("GUILDHALL_") || name == FILE_VARIABLE {
            continue;
        }
        let setting = SETTINGS.iter().find(|setting| setting.variable() == *name);
        let setting = setting.ok_or_else(|| ConfigError::UnknownKey {
            key: name.trim_start_matches("GUILDHALL_").replace('_', ".").to_ascii_lowercase(),
            origin: Origin::Environment(name.clone()),
            nearest: nearest(name.trim_start_matches("GUILDHALL_")),
        })?;
        found.push((Named { variable: name.clone(), setting }, value));
    }
    Ok(found)
}

fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(_, text) => Some(text.clone()),
        Value::Bool(_, on) => Some(on.to_string()),
        Value::Num(_, number) => number
            .to_i128()
            .map(|n| n.to_string())
            .or_else(|| number.to_u128().map(|n| n.to_string()))
            .or_else(|| number.to_f64().map(|n| n.to_string())),
        _ => None,
    }
}

fn resolve(figment: &Figment) -> Result<Config, ConfigError> {
    let mut settings = Settings::blank();
    let mut provenance = Vec::with_capacity(SETTINGS.len());
    for setting in SETTINGS {
        let value = figment.find_value(setting.key).ok();
        let origin = origin_of(value.as_ref().and_then(|v| figment.get_metadata(v.tag())));
        let text = value.as_ref().and_then(text_of);
        if let Some(raw) = &text {
            let raw = raw.trim();
            (setting.apply)(&mut settings, raw).map_err(|no| refuse(setting, &origin, raw, no))?;
        }
        let shown = text.map(|raw| if setting.is_secret { masked(raw.trim()) } else { raw });
        provenance.push(Provenance { key: setting.key, value: shown, origin, doc: setting.doc });
    }
    if let Some(kind @ (CacheKind::Redis | CacheKind::Tiered)) = settings.cache.backend
        && settings.redis.is_none()
    {
        let because = format!("`cache.backend` is `{kind}`");
        return Err(ConfigError::Missing { key: "redis.url", because });
    }
    let kind = settings.cache_kind().to_string();
    for shown in provenance.iter_mut().filter(|shown| shown.key == "cache.backend") {
        shown.value.get_or_insert(kind.clone());
    }
    Ok(Config { settings, provenance })
}

fn refuse(setting: &Setting, origin: &Origin, raw: &str, why: AddressRefusal) -> ConfigError {
    let (key, origin) = (setting.key, origin.clone());
    match why {
        AddressRefusal::Scheme(scheme) => {
            let schemes = if key == "redis.url" { REDIS_SCHEMES } else { DATABASE_SCHEMES };
            ConfigError::UnknownScheme { key, origin, scheme, schemes }
        }
        AddressRefusal::Expected(expected) => {
            let short = || raw.chars().take(60).collect();
            let found = (!setting.is_secret).then(short);
            ConfigError::Invalid { key, origin, expected, found }
        }
    }
}
