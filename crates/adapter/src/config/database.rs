//! Which database, by the scheme of its address.

use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};
use url::Url;

/// The schemes of database addresses.
pub(crate) const DATABASE_SCHEMES: &str =
    "`sqlite://path/to/file.db` or `postgres://user:password@host:5432/database`";
/// The schemes of Redis addresses.
pub(crate) const REDIS_SCHEMES: &str = "`redis://[user:password@]host[:port][/database]`";

/// A database. `Debug` shows no password.
#[derive(Clone, Debug)]
pub enum Database {
    /// A SQLite file, made when absent.
    Sqlite(PathBuf),
    /// A PostgreSQL server. The address may hold a password.
    Postgres(SecretString),
}

/// Why an address is refused.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum AddressRefusal {
    /// Its scheme is none of ours.
    Scheme(String),
    /// Anything else: what would have been accepted.
    Expected(String),
}

impl Database {
    /// By the scheme of an address. What follows `sqlite://` is a path as it stands, relative to the
    /// working directory unless it begins with `/`.
    pub(crate) fn parse(raw: &str) -> Result<Self, AddressRefusal> {
        let expected = |text: &str| Err(AddressRefusal::Expected(text.to_owned()));
        match split_scheme(raw)? {
            ("sqlite", "") => expected("`sqlite://` followed by the path of a file"),
            ("sqlite", path) if path.contains(":memory:") => expected(
                "a file: in memory, each connection would have a database of its own \
                 (try sqlite:///tmp/guildhall.db)",
            ),
            ("sqlite", path) if path.contains(['?', '\0']) => {
                expected("`sqlite://` followed by the path of a file alone, without parameters")
            }
            ("sqlite", path) => Ok(Self::Sqlite(PathBuf::from(path))),
            ("postgres" | "postgresql", _) if Url::parse(raw).is_ok() => {
                Ok(Self::Postgres(raw.to_owned().into()))
            }
            ("postgres" | "postgresql", _) => expected(
                "an address such as postgres://user:password@host:5432/database (special \
                 characters in the password must be percent-encoded)",
            ),
            (scheme, _) => Err(AddressRefusal::Scheme(scheme.to_owned())),
        }
    }

    /// `SQLite file guildhall.db` or `PostgreSQL at postgres://…`, without secrets.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::Sqlite(path) => format!("SQLite file {}", path.display()),
            Self::Postgres(url) => format!("PostgreSQL at {}", masked(url.expose_secret())),
        }
    }

    /// The address without secrets.
    #[must_use]
    pub fn masked_url(&self) -> String {
        match self {
            Self::Sqlite(path) => format!("sqlite://{}", path.display()),
            Self::Postgres(url) => masked(url.expose_secret()),
        }
    }
}

/// Checks the address of a Redis server.
pub(crate) fn redis(raw: &str) -> Result<SecretString, AddressRefusal> {
    match split_scheme(raw)? {
        ("redis", _) if Url::parse(raw).is_ok_and(|url| url.has_host()) => {
            Ok(raw.to_owned().into())
        }
        ("redis", _) => {
            Err(AddressRefusal::Expected("an address such as redis://localhost:6379/0".to_owned()))
        }
        (scheme, _) => Err(AddressRefusal::Scheme(scheme.to_owned())),
    }
}

fn split_scheme(raw: &str) -> Result<(&str, &str), AddressRefusal> {
    let plain =
        |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'+');
    match raw.split_once("://") {
        Some((scheme, rest)) if plain(scheme) => Ok((scheme, rest)),
        // `user:secret@host` must not come back in a message as a scheme.
        _ => Err(AddressRefusal::Expected(format!("an address with a scheme, {DATABASE_SCHEMES}"))),
    }
}

/// An address with its password, and any other secret in it, replaced.
pub(crate) fn masked(raw: &str) -> String {
    const MASK: &str = "***";
    let scheme = raw.split_once("://").map_or("", |(scheme, _)| scheme);
    if scheme == "sqlite" {
        return raw.to_owned();
    }
    let Ok(mut url) = Url::parse(raw) else { return format!("{scheme}://{MASK}") };
    if url.password().is_some() && url.set_password(Some(MASK)).is_err() {
        return format!("{scheme}://{MASK}");
    }
    if let Some(query) = url.query() {
        let hidden = |name: &str| {
            let name = name.to_ascii_lowercase();
            ["pass", "secret", "token", "key"].iter().any(|word| name.contains(word))
        };
        let query: Vec<String> = query
            .split('&')
            .map(|pair| match pair.split_once('=') {
                Some((name, _)) if hidden(name) => format!("{name}={MASK}"),
                _ => pair.to_owned(),
            })
            .collect();
        url.set_query(Some(&query.join("&")));
    }
    url.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scheme_decides() {
        for (raw, path) in [("sqlite://x.db", "x.db"), ("sqlite:///var/x y.db", "/var/x y.db")] {
            assert!(
                matches!(Database::parse(raw), Ok(Database::Sqlite(p)) if p.as_os_str() == path)
            );
        }
        for raw in ["postgres://u@h/d", "postgresql://u:p@h:5432/d?connect_timeout=3"] {
            assert!(matches!(Database::parse(raw), Ok(Database::Postgres(_))), "{raw}");
        }
        let refused = Database::parse("mysql://u:hunter2@h/d").unwrap_err();
        assert_eq!(refused, AddressRefusal::Scheme("mysql".to_owned()));
        for raw in ["x.db", "sqlite://", "sqlite://:memory:", "sqlite://x.db?mode=ro", "u:p@h://"] {
            let refused = Database::parse(raw).unwrap_err();
            assert!(matches!(refused, AddressRefusal::Expected(_)), "{raw}: {refused:?}");
        }
    }

    #[test]
    fn secrets_are_masked_and_nothing_else() {
        let shown =
            masked("postgres://ada:hunter2@db:5432/app?sslpassword=s3cret&connect_timeout=3");
        assert_eq!(shown, "postgres://ada:***@db:5432/app?sslpassword=***&connect_timeout=3");
        assert_eq!(masked("redis://:hunter2@cache/1"), "redis://:***@cache/1");
        assert_eq!(masked("postgres://ada:hunt er2@:::/"), "postgres://***");
        let shown = format!("{:?}", Database::parse("postgres://ada:hunter2@db/app").unwrap());
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
