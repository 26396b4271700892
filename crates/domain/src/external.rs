//! Accounts in other systems: Telegram, Discord, FACEIT and the like.

use std::fmt;
use std::str::FromStr;

use crate::json::Json;
use crate::text::{Email, ExternalId, Nickname};
use crate::time::Timestamp;
use crate::user::UserId;
use crate::violation::{Rule, Violation};

/// A system that knows members by an id of its own.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "String", into = "String"))]
pub enum Provider {
    /// Telegram.
    Telegram,
    /// FACEIT.
    Faceit,
    /// Google.
    Google,
    /// GitHub.
    Github,
    /// Apple.
    Apple,
    /// Discord.
    Discord,
    /// Any other, by a name of 1 to 30 characters of `[a-z0-9_-]`. Written `other:name`.
    Other(ProviderName),
}

/// The name of a provider that has no variant of its own.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProviderName(String);

impl Provider {
    /// A provider of the application's own.
    pub fn other(name: &str) -> Result<Self, Violation> {
        let valid = (1..=30).contains(&name.len())
            && name
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-".contains(&b));
        if valid { Ok(Self::Other(ProviderName(name.to_owned()))) } else { Err(UNKNOWN) }
    }
}

const UNKNOWN: Violation = Violation::new(
    "provider",
    Rule::Malformed {
        expected: "telegram, faceit, google, github, apple, discord or other:<name of a-z 0-9 _ ->",
    },
);

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Telegram => f.pad("telegram"),
            Self::Faceit => f.pad("faceit"),
            Self::Google => f.pad("google"),
            Self::Github => f.pad("github"),
            Self::Apple => f.pad("apple"),
            Self::Discord => f.pad("discord"),
            Self::Other(name) => f.pad(&format!("other:{}", name.0)),
        }
    }
}

impl FromStr for Provider {
    type Err = Violation;
    fn from_str(raw: &str) -> Result<Self, Violation> {
        match raw {
            "telegram" => Ok(Self::Telegram),
            "faceit" => Ok(Self::Faceit),
            "google" => Ok(Self::Google),
            "github" => Ok(Self::Github),
            "apple" => Ok(Self::Apple),
            "discord" => Ok(Self::Discord),
            _ => raw.strip_prefix("other:").ok_or(UNKNOWN).and_then(Self::other),
        }
    }
}

impl TryFrom<String> for Provider {
    type Error = Violation;
    fn try_from(raw: String) -> Result<Self, Violation> {
        raw.parse()
    }
}

impl From<Provider> for String {
    fn from(provider: Provider) -> String {
        provider.to_string()
    }
}

/// An account of a member in another system. A member has at most one a provider, and an account
/// belongs to at most one member.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ExternalAccount {
    /// The member.
    pub user: UserId,
    /// The other system.
    pub provider: Provider,
    /// The id there.
    pub external_id: ExternalId,
    /// The name there; not unique.
    pub nickname: Option<Nickname>,
    /// The address there.
    pub email: Option<Email>,
    /// When it was linked.
    pub linked_at: Timestamp,
    /// What else the other system said.
    pub data: Option<Json>,
}

/// An external account to be linked.
#[derive(Clone, Debug, PartialEq)]
pub struct NewExternal {
    /// The other system.
    pub provider: Provider,
    /// The id there.
    pub external_id: ExternalId,
    /// The name there.
    pub nickname: Option<Nickname>,
    /// The address there.
    pub email: Option<Email>,
    /// What else the other system said.
    pub data: Option<Json>,
}

impl NewExternal {
    /// An account known by its id alone.
    #[must_use]
    pub const fn new(provider: Provider, external_id: ExternalId) -> Self {
        Self { provider, external_id, nickname: None, email: None, data: None }
    }

    /// A Telegram account, from the number that Telegram gives.
    #[must_use]
    pub fn telegram(id: u64) -> Self {
        let id = ExternalId::parse(&id.to_string());
        // A number has 1 to 20 digits, which every rule of `ExternalId` admits.
        #[expect(clippy::expect_used, reason = "digits are a valid external id")]
        Self::new(Provider::Telegram, id.expect("digits"))
    }

    /// With a nickname.
    #[must_use]
    pub fn nickname(mut self, nickname: Nickname) -> Self {
        self.nickname = Some(nickname);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn providers_round_trip_as_text() {
        for raw in ["telegram", "faceit", "google", "github", "apple", "discord", "other:steam"] {
            assert_eq!(raw.parse::<Provider>().unwrap().to_string(), raw);
        }
        for raw in ["", "Telegram", "steam", "other:", "other:A b"] {
            assert!(raw.parse::<Provider>().is_err(), "{raw}");
        }
    }
}
