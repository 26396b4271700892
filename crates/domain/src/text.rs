//! Text with a rule: every kind trims its input, counts characters and refuses NUL. Copies share the
//! characters, because members are copied out of caches far more often than they are made.

use std::sync::Arc;

use crate::violation::{Rule, Violation};

/// Folds text for comparison: Unicode lower case, so that both databases agree on what is equal.
#[must_use]
pub fn fold(raw: &str) -> String {
    raw.trim().to_lowercase()
}

fn checked<'r>(
    raw: &'r str,
    field: &'static str,
    chars_max: usize,
    rule: impl FnOnce(&str) -> Option<Rule>,
) -> Result<&'r str, Violation> {
    let text = raw.trim();
    // Four bytes a character at most: ten megabytes are refused without being counted.
    let broken = if text.is_empty() {
        Some(Rule::Empty)
    } else if text.len() > chars_max * 4 || text.chars().count() > chars_max {
        Some(Rule::TooLong { max: chars_max })
    } else if text.contains('\0') {
        Some(Rule::ContainsNul)
    } else {
        rule(text)
    };
    match broken {
        Some(rule) => Err(Violation::new(field, rule)),
        None => Ok(text),
    }
}

macro_rules! text_types {
    ($($(#[$doc:meta])* $name:ident($field:literal, $max:literal, $rule:expr);)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
        #[cfg_attr(feature = "serde", serde(try_from = "String", into = "String"))]
        pub struct $name(Arc<str>);

        impl $name {
            /// The greatest number of characters.
            pub const CHARS_MAX: usize = $max;

            /// Trims and checks `raw`.
            pub fn parse(raw: &str) -> Result<Self, Violation> {
                checked(raw, $field, Self::CHARS_MAX, $rule).map(|text| Self(text.into()))
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The text, owned.
            #[must_use]
            pub fn into_string(self) -> String {
                String::from(&*self.0)
            }

            /// The text as look-ups compare it: see [`fold`].
            #[must_use]
            pub fn folded(&self) -> String {
                fold(&self.0)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(&self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = Violation;
            fn from_str(raw: &str) -> Result<Self, Violation> {
                Self::parse(raw)
            }
        }

        impl TryFrom<String> for $name {
            type Error = Violation;
            fn try_from(raw: String) -> Result<Self, Violation> {
                Self::parse(&raw)
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> String {
                text.into_string()
            }
        }
    )+};
}

fn any(_: &str) -> Option<Rule> {
    None
}

fn slug(text: &str) -> Option<Rule> {
    let valid =
        text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_.:-".contains(&b));
    (!valid).then_some(Rule::Malformed { expected: "made of a-z, 0-9, _ . : and -" })
}

fn email(text: &str) -> Option<Rule> {
    let valid = text
        .split_once('@')
        .is_some_and(|(local, host)| !local.is_empty() && !host.is_empty() && !host.contains('@'))
        && !text.contains(char::is_whitespace);
    (!valid).then_some(Rule::Malformed { expected: "an address such as name@example.org" })
}

fn phone(text: &str) -> Option<Rule> {
    let valid = text.strip_prefix('+').is_some_and(|digits| {
        (2..=15).contains(&digits.len())
            && !digits.starts_with('0')
            && digits.bytes().all(|b| b.is_ascii_digit())
    });
    (!valid).then_some(Rule::Malformed { expected: "an E.164 number such as +4915112345678" })
}

fn language(text: &str) -> Option<Rule> {
    let valid = text.split('-').all(|part| {
        !part.is_empty() && part.len() <= 8 && part.bytes().all(|b| b.is_ascii_alphanumeric())
    });
    (!valid).then_some(Rule::Malformed { expected: "a BCP 47 tag such as en or pt-BR" })
}

fn no_white_space(text: &str) -> Option<Rule> {
    text.contains(char::is_whitespace)
        .then_some(Rule::Malformed { expected: "without white space" })
}

fn color(text: &str) -> Option<Rule> {
    let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6);
    let valid = digits.is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
    (!valid).then_some(Rule::Malformed { expected: "a colour such as #a0b1c2" })
}

text_types! {
    /// A login or chat name, unique without regard to case.
    Username("username", 64, no_white_space);
    /// A first or last name.
    PersonName("name", 128, any);
    /// The name a member chose to be shown by.
    DisplayName("display_name", 100, any);
    /// A few words about oneself.
    Bio("bio", 500, any);
    /// An address of a picture or page. Only its length is checked.
    Url("url", 500, no_white_space);
    /// An e-mail address, unique without regard to case.
    Email("email", 255, email);
    /// A telephone number in E.164 form, unique.
    Phone("phone", 16, phone);
    /// A language as a BCP 47 tag.
    LanguageTag("language", 10, language);
    /// Where the member stands in an application's menus.
    UiState("ui_state", 64, any);
    /// The identifier of a match in a foreign system.
    MatchId("match_id", 255, any);
    /// An identifier in a foreign system. Always text: some are numbers beyond 32 bits.
    ExternalId("external_id", 255, any);
    /// A name in a foreign system; not unique.
    Nickname("nickname", 255, any);
    /// A catalogue key chosen by the application.
    Slug("slug", 100, slug);
    /// What a movement of points is for: `message`, `auction`, `gift`.
    Source("source", 50, slug);
    /// The thing within its source that a movement is for: a message id, an order number.
    EntryReference("source_ref", 100, any);
    /// A sentence beside a movement of points.
    Description("description", 500, any);
    /// What a hold is for: `auction`.
    HoldReason("reason", 50, slug);
    /// A caller's key that makes a request take effect once.
    IdemKey("idem_key", 200, any);
    /// What makes a reward be given once: the thing that gives it, the member, and which reward.
    RewardKey("reward_key", 400, any);
    /// What a mission or a piece of a story is called.
    Title("title", 200, any);
    /// What an achievement, a badge, a category or a thing in the store is called.
    Label("name", 100, any);
    /// What a mission asks for, an achievement honours, or a thing in the store does.
    Summary("description", 2_000, any);
    /// The text of a story or a piece of lore, or the address of its picture or sound.
    Content("content", 20_000, any);
    /// What a choice says.
    ChoiceText("choice", 500, any);
    /// Who speaks in a piece of a story.
    CharacterName("character", 100, any);
    /// What is promised in words beside a reward.
    RewardText("reward_text", 500, any);
    /// A symbol: an emoji, or a short name that the application knows.
    Icon("icon", 100, any);
    /// The key a row had in the system it was imported from.
    LegacyKey("legacy_key", 255, any);
    /// What an application remembers of a member under a name of its own.
    PreferenceValue("value", 200, any);
    /// A font, or a list of them as style sheets have it.
    FontFamily("font_family", 50, any);
    /// A colour as `#rrggbb`.
    Color("color", 7, color);
    /// What ties together everything that one request caused, in logs and in the outbox.
    CorrelationId("correlation_id", 100, no_white_space);
}

/// Lower-cases `raw` and replaces what a slug may not hold by `_`, at most `chars_max` characters.
fn slug_from_legacy(raw: &str, chars_max: usize) -> String {
    let slug: String = raw
        .trim()
        .to_lowercase()
        .chars()
        .take(chars_max)
        .map(|c| if c.is_ascii_alphanumeric() || "_.:-".contains(c) { c } else { '_' })
        .collect();
    if slug.is_empty() { "unknown".to_owned() } else { slug }
}

impl Slug {
    /// Makes a slug of a foreign key; an empty one becomes `unknown`.
    #[must_use]
    pub fn from_legacy(raw: &str) -> Self {
        Self(slug_from_legacy(raw, Self::CHARS_MAX).into())
    }
}

impl Source {
    /// Makes a source of foreign text; an empty one becomes `unknown`.
    #[must_use]
    pub fn from_legacy(raw: &str) -> Self {
        Self(slug_from_legacy(raw, Self::CHARS_MAX).into())
    }
}

impl LanguageTag {
    /// English, the default.
    #[must_use]
    pub fn english() -> Self {
        Self("en".into())
    }
}

impl UiState {
    /// The state a new member is in: `root`.
    #[must_use]
    pub fn root() -> Self {
        Self("root".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_trimmed_counted_in_characters_and_free_of_nul() {
        assert_eq!(DisplayName::parse(" Zoë 🦀 ").unwrap().as_str(), "Zoë 🦀");
        assert!(DisplayName::parse(&"é".repeat(100)).is_ok());
        assert_eq!(
            DisplayName::parse(&"é".repeat(101)).unwrap_err(),
            Violation::new("display_name", Rule::TooLong { max: 100 })
        );
        assert_eq!(Bio::parse(&"x".repeat(10 << 20)).unwrap_err().rule.code(), "too_long");
        assert_eq!(Bio::parse("a\0b").unwrap_err().rule, Rule::ContainsNul);
        assert_eq!(Bio::parse(" \n ").unwrap_err().rule, Rule::Empty);
    }

    #[test]
    fn forms_are_checked() {
        assert!(Slug::parse("daily.check-in:1").is_ok());
        assert!(Slug::parse("Ünï").is_err() && Slug::parse("a b").is_err());
        assert!(Email::parse("a@b.example").is_ok());
        assert!(Email::parse("a@").is_err() && Email::parse("a b@c").is_err());
        assert!(Phone::parse("+4915112345678").is_ok());
        assert!(Phone::parse("0151").is_err() && Phone::parse("+0151").is_err());
        assert!(LanguageTag::parse("pt-BR").is_ok() && LanguageTag::parse("p_t").is_err());
    }

    #[test]
    fn foreign_keys_become_slugs() {
        assert_eq!(Source::from_legacy("reaction_💯_message_61").as_str(), "reaction___message_61");
        assert_eq!(Slug::from_legacy("  ").as_str(), "unknown");
    }
}
