//! Why connecting failed.

use std::time::Duration;

use guildhall_cache::BackendError;
use guildhall_repository::StorageError;

use crate::ConfigError;

/// Why connecting failed. No message repeats a secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The configuration is refused.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The database cannot be used.
    #[error("cannot connect to {database}{}", tried(.tried_for))]
    Database {
        /// Which, without secrets.
        database: String,
        /// How long it was tried, where trying again made sense.
        tried_for: Option<Duration>,
        /// Why the last attempt failed.
        source: Box<StorageError>,
    },
    /// The tables cannot be brought up to date.
    #[error("cannot bring the tables of {database} up to date")]
    Migrate {
        /// Which, without secrets.
        database: String,
        /// Why.
        source: Box<StorageError>,
    },
    /// The tables are older than this version, and were not to be brought up to date.
    #[error("the tables of {database} lack {pending} migration(s)")]
    Outdated {
        /// Which, without secrets.
        database: String,
        /// How many migrations it lacks.
        pending: usize,
    },
    /// The cache cannot be set up. One that is merely down does not stop the start.
    #[error("the cache cannot be set up")]
    Cache(#[source] BackendError),
}

fn tried(tried_for: &Option<Duration>) -> String {
    tried_for.map(|time| format!(" (tried for {:.1} s)", time.as_secs_f64())).unwrap_or_default()
}

impl ConnectError {
    /// The storage's own error, if it is the cause.
    #[must_use]
    pub fn storage(&self) -> Option<&StorageError> {
        match self {
            Self::Database { source, .. } | Self::Migrate { source, .. } => Some(source),
            _ => None,
        }
    }
}
