//! How a member is named on the command line.

use std::str::FromStr;

use guildhall_adapter::Guildhall;
use guildhall_adapter::domain::{ExternalId, Provider, Rule, User, UserId, Username, Violation};

use crate::error::CliError;
use crate::output::plain;

/// A member by id, account elsewhere or name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum UserRef {
    Id(UserId),
    External(Provider, ExternalId),
    Name(Username),
}

impl FromStr for UserRef {
    type Err = Violation;

    /// `42`, `telegram:700000001`, `other:forum:17`, `@ada`.
    fn from_str(raw: &str) -> Result<Self, Violation> {
        let raw = raw.trim();
        if let Some(name) = raw.strip_prefix('@') {
            return Username::parse(name).map(Self::Name);
        }
        // The name of a provider may itself hold a colon, its id rarely does: `other:forum:17`.
        let cut = match raw.strip_prefix("other:") {
            Some(rest) => rest.find(':').map(|at| at + "other:".len()),
            None => raw.find(':'),
        };
        if let Some(at) = cut {
            let (provider, id) = (&raw[..at], &raw[at + 1..]);
            return Ok(Self::External(provider.parse()?, ExternalId::parse(id)?));
        }
        let expected = "an id such as 42, an account such as telegram:700000001, or @username";
        let malformed = Violation::new("user", Rule::Malformed { expected });
        match raw.parse() {
            Ok(id) if id > 0 => Ok(Self::Id(UserId(id))),
            _ => Err(malformed),
        }
    }
}

/// The member that this text names.
pub(crate) async fn resolve(guildhall: &Guildhall, raw: &str) -> Result<User, CliError> {
    let users = guildhall.users();
    let found = match raw.parse()? {
        UserRef::Id(id) => users.by_id(id).await?,
        UserRef::Name(name) => users.by_username(&name).await?,
        UserRef::External(provider, id) => users.by_external(&provider, &id).await?,
    };
    found.ok_or_else(|| {
        CliError::unknown("user", format!("there is no member {}", plain(raw)))
            .hint("a member is named by id (42), account (telegram:700000001) or @username")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_ways_to_name_a_member() {
        let external = |provider, id| UserRef::External(provider, ExternalId::parse(id).unwrap());
        let other = Provider::other("forum").unwrap();
        for (raw, expected) in [
            ("42", UserRef::Id(UserId(42))),
            ("@Ada", UserRef::Name(Username::parse("Ada").unwrap())),
            ("telegram:700000001", external(Provider::Telegram, "700000001")),
            ("other:forum:17", external(other, "17")),
        ] {
            assert_eq!(raw.parse(), Ok(expected), "{raw}");
        }
        for raw in ["", "0", "-1", "ada", "@", "myspace:1", "telegram:", "1e400", "other:forum"] {
            assert!(raw.parse::<UserRef>().is_err(), "{raw}");
        }
    }
}
