//! Configuration: what it holds, and where each value came from.

mod builder;
mod database;
mod error;
mod setting;
mod settings;
mod value;

use std::fmt;
use std::path::PathBuf;

pub use builder::ConfigBuilder;
pub use database::Database;
pub use error::ConfigError;
pub use setting::{SETTINGS, Setting, settings_markdown};
pub use settings::{
    CacheKind, CacheSettings, CodecKind, ProfilerSettings, RedisSettings, Settings,
};

/// A checked configuration. No secret of it is shown by `Debug`, `provenance` or any error.
#[derive(Clone, Debug)]
pub struct Config {
    settings: Settings,
    provenance: Vec<Provenance>,
}

impl Config {
    /// From what the caller names: nothing is read that was not asked for.
    #[must_use]
    pub fn builder() -> ConfigBuilder {
        ConfigBuilder::default()
    }

    /// From the file that `GUILDHALL_CONFIG` names, or `guildhall.toml` in the working directory if
    /// there is one, then from the environment.
    pub fn load() -> Result<Self, ConfigError> {
        Self::builder().default_file().environment().build()
    }

    /// The values.
    #[must_use]
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Every setting in the order of [`SETTINGS`], with its value and origin. Secrets are masked.
    #[must_use]
    pub fn provenance(&self) -> &[Provenance] {
        &self.provenance
    }

    /// Whether the caller named a database, rather than relying on the embedded default.
    #[must_use]
    pub fn names_database(&self) -> bool {
        self.provenance.iter().any(|p| p.key == "database.url" && p.origin != Origin::Default)
    }
}

/// An effective value and where it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provenance {
    /// The key: `cache.user_ttl`.
    pub key: &'static str,
    /// The value as it was written, secrets masked; `None` when there is none.
    pub value: Option<String>,
    /// Where it came from.
    pub origin: Origin,
    /// What it does.
    pub doc: &'static str,
}

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nobody said anything.
    Default,
    /// A file.
    File(PathBuf),
    /// An environment variable.
    Environment(String),
    /// The program itself: `builder`, `--database`.
    Program(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::Environment(name) => write!(f, "environment variable {name}"),
            Self::Program(what) => f.write_str(what),
        }
    }
}

#[cfg(test)]
#[path = "config/tests.rs"]
mod tests;
