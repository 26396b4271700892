//! Why a configuration is refused.

use std::path::PathBuf;

use super::Origin;

/// Why a configuration is refused. Every message names the key and where it came from; none
/// repeats a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// No such setting.
    #[error("there is no setting `{key}` ({origin}){}", .nearest.map(|key| format!("; did you mean `{key}`?")).unwrap_or_default())]
    UnknownKey {
        /// What was written.
        key: String,
        /// Where.
        origin: Origin,
        /// The setting that looks most like it.
        nearest: Option<&'static str>,
    },
    /// A value that does not fit its setting.
    #[error("setting `{key}` ({origin}) must be {expected}{}", .found.as_ref().map(|found| format!(", not `{found}`")).unwrap_or_default())]
    Invalid {
        /// The setting.
        key: &'static str,
        /// Where the value came from.
        origin: Origin,
        /// What would have been accepted.
        expected: String,
        /// What was found; `None` for secrets.
        found: Option<String>,
    },
    /// An address of a database or cache of a kind that is not supported.
    #[error("setting `{key}` ({origin}) has the unknown scheme `{scheme}`; use {schemes}")]
    UnknownScheme {
        /// The setting.
        key: &'static str,
        /// Where the address came from.
        origin: Origin,
        /// The scheme found.
        scheme: String,
        /// The schemes that are supported.
        schemes: &'static str,
    },
    /// A setting that another one needs is absent.
    #[error("setting `{key}` is needed because {because}")]
    Missing {
        /// The absent setting.
        key: &'static str,
        /// What needs it.
        because: String,
    },
    /// A file that cannot be read, or is not TOML.
    #[error("the configuration file {} cannot be used: {detail}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why, without any of its content.
        detail: String,
    },
}
