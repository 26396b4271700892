//! What a member prefers.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use crate::ledger::text_enum;
use crate::text::{Label, PreferenceValue};
use crate::time::Timestamp;
use crate::user::UserId;
use crate::violation::{Rule, Violation};

text_enum! {
    /// How hard what a member reads may be.
    ReadingLevel("reading_level") {
        /// Plain words.
        Basic = "basic",
        /// The default.
        Intermediate = "intermediate",
        /// Anything.
        Advanced = "advanced",
    }
}

text_enum! {
    /// The colours of the application.
    Theme("theme") {
        /// The default.
        Green = "green",
        /// Blue.
        Blue = "blue",
        /// Purple.
        Purple = "purple",
        /// Light on dark.
        Dark = "dark",
    }
}

/// What a member prefers. A member who never said has the defaults, at version 0. The primary
/// language is the primary one of the member's languages, not a second copy here.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Preferences {
    /// Whose.
    pub user: UserId,
    /// How hard what the member reads may be.
    pub reading_level: ReadingLevel,
    /// Colours.
    pub theme: Theme,
    /// Whether mail may be sent.
    pub notify_email: bool,
    /// Whether text messages may be sent.
    pub notify_sms: bool,
    /// What may be kept on the device, in megabytes: 0 to [`Self::OFFLINE_MB_MAX`].
    pub offline_limit_mb: u32,
    /// Whether content is fetched before it is asked for.
    pub auto_download: bool,
    /// What else the application remembers, at most [`Self::EXTRA_MAX`] entries.
    pub extra: BTreeMap<Label, PreferenceValue>,
    /// When the member last said; `None` for the defaults.
    pub updated_at: Option<Timestamp>,
    /// 0 for the defaults, then one more with each change.
    pub version: i64,
}

impl Preferences {
    /// The greatest limit of what is kept on the device, in megabytes.
    pub const OFFLINE_MB_MAX: u32 = 10_000;
    /// The most entries of the application's own.
    pub const EXTRA_MAX: usize = 50;

    /// Those of a member who never said.
    #[must_use]
    pub const fn defaults(user: UserId) -> Self {
        Self {
            user,
            reading_level: ReadingLevel::Intermediate,
            theme: Theme::Green,
            notify_email: true,
            notify_sms: false,
            offline_limit_mb: 100,
            auto_download: false,
            extra: BTreeMap::new(),
            updated_at: None,
            version: 0,
        }
    }

    /// Refuses a limit out of range and too many entries.
    pub fn check(&self) -> Result<(), Violation> {
        if self.offline_limit_mb > Self::OFFLINE_MB_MAX {
            let rule = Rule::OutOfRange { min: 0, max: i64::from(Self::OFFLINE_MB_MAX) };
            return Err(Violation::new("offline_limit_mb", rule));
        }
        if self.extra.len() > Self::EXTRA_MAX {
            return Err(Violation::new("extra", Rule::TooLong { max: Self::EXTRA_MAX }));
        }
        Ok(())
    }
}

/// Changes of a member's preferences. The default changes nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PreferencesPatch {
    /// How hard what the member reads may be.
    pub reading_level: Option<ReadingLevel>,
    /// Colours.
    pub theme: Option<Theme>,
    /// Whether mail may be sent.
    pub notify_email: Option<bool>,
    /// Whether text messages may be sent.
    pub notify_sms: Option<bool>,
    /// What may be kept on the device, in megabytes.
    pub offline_limit_mb: Option<u32>,
    /// Whether content is fetched before it is asked for.
    pub auto_download: Option<bool>,
    /// Entries to be set, or with `None` to be removed; the others stay.
    pub extra: BTreeMap<Label, Option<PreferenceValue>>,
}

impl PreferencesPatch {
    /// Whether it changes nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The preferences after this change at `now`, one version on; or why they cannot be so.
    pub fn applied_to(self, old: Preferences, now: Timestamp) -> Result<Preferences, Violation> {
        let mut extra = old.extra;
        for (name, value) in self.extra {
            match value {
                Some(value) => extra.insert(name, value),
                None => extra.remove(&name),
            };
        }
        let new = Preferences {
            user: old.user,
            reading_level: self.reading_level.unwrap_or(old.reading_level),
            theme: self.theme.unwrap_or(old.theme),
            notify_email: self.notify_email.unwrap_or(old.notify_email),
            notify_sms: self.notify_sms.unwrap_or(old.notify_sms),
            offline_limit_mb: self.offline_limit_mb.unwrap_or(old.offline_limit_mb),
            auto_download: self.auto_download.unwrap_or(old.auto_download),
            extra,
            updated_at: Some(now),
            version: old.version + 1,
        };
        new.check()?;
        Ok(new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(n: usize) -> Label {
        Label::parse(&format!("key {n:02}")).unwrap()
    }

    fn value(text: &str) -> Option<PreferenceValue> {
        Some(PreferenceValue::parse(text).unwrap())
    }

    #[test]
    fn entries_are_set_and_removed_and_the_others_stay() {
        let now = Timestamp::from_micros(1).unwrap();
        let old = Preferences::defaults(UserId(1));
        let extra = BTreeMap::from([(name(1), value("one")), (name(2), value("two"))]);
        let old = PreferencesPatch { extra, ..Default::default() }.applied_to(old, now).unwrap();
        let extra = BTreeMap::from([(name(1), None), (name(3), value("ثلاثة 🎈"))]);
        let patch = PreferencesPatch { extra, theme: Some(Theme::Dark), ..Default::default() };
        let new = patch.applied_to(old, now).unwrap();
        assert_eq!(new.extra.keys().cloned().collect::<Vec<_>>(), [name(2), name(3)]);
        assert_eq!((new.theme, new.version, new.notify_email), (Theme::Dark, 2, true));
    }

    #[test]
    fn there_are_fifty_entries_and_ten_gigabytes_at_most() {
        let now = Timestamp::from_micros(1).unwrap();
        let many = |count| PreferencesPatch {
            extra: (0..count).map(|n| (name(n), value("x"))).collect(),
            ..Default::default()
        };
        let defaults = || Preferences::defaults(UserId(1));
        assert!(many(50).applied_to(defaults(), now).is_ok());
        assert_eq!(many(51).applied_to(defaults(), now).unwrap_err().field, "extra");
        let patch = PreferencesPatch { offline_limit_mb: Some(10_001), ..Default::default() };
        assert_eq!(patch.applied_to(defaults(), now).unwrap_err().field, "offline_limit_mb");
    }
}
