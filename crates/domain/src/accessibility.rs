//! How a member can read what is shown.

use std::fmt;
use std::str::FromStr;

use crate::ledger::text_enum;
use crate::text::FontFamily;
use crate::time::Timestamp;
use crate::user::{Patch, UserId};
use crate::violation::{Rule, Violation};

text_enum! {
    /// Which colours a member cannot tell apart.
    ColorBlindMode("color_blind_mode") {
        /// All can be told apart.
        None = "none",
        /// No green.
        Deuteranopia = "deuteranopia",
        /// No red.
        Protanopia = "protanopia",
        /// No blue.
        Tritanopia = "tritanopia",
    }
}

/// How a member can read what is shown. A member who never said has the defaults, at version 0.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Accessibility {
    /// Whose.
    pub user: UserId,
    /// In points: 8 to 72.
    pub font_size: u16,
    /// The application's own when `None`.
    pub font_family: Option<FontFamily>,
    /// In hundredths of the font size: 100 to 300.
    pub line_height: u16,
    /// Strong contrast.
    pub high_contrast: bool,
    /// Larger text everywhere.
    pub large_text: bool,
    /// A screen reader is used.
    pub screen_reader: bool,
    /// Text is read aloud.
    pub text_to_speech: bool,
    /// Less movement.
    pub reduce_motion: bool,
    /// No pointing device.
    pub keyboard_navigation: bool,
    /// Which colours cannot be told apart.
    pub color_blind_mode: ColorBlindMode,
    /// When the member last said; `None` for the defaults.
    pub updated_at: Option<Timestamp>,
    /// 0 for the defaults, then one more with each change.
    pub version: i64,
}

impl Accessibility {
    /// Those of a member who never said.
    #[must_use]
    pub const fn defaults(user: UserId) -> Self {
        Self {
            user,
            font_size: 16,
            font_family: None,
            line_height: 150,
            high_contrast: false,
            large_text: false,
            screen_reader: false,
            text_to_speech: false,
            reduce_motion: false,
            keyboard_navigation: false,
            color_blind_mode: ColorBlindMode::None,
            updated_at: None,
            version: 0,
        }
    }

    /// Refuses sizes out of range.
    pub fn check(&self) -> Result<(), Violation> {
        for (field, value, min, max) in
            [("font_size", self.font_size, 8, 72), ("line_height", self.line_height, 100, 300)]
        {
            if !(min..=max).contains(&value) {
                let rule = Rule::OutOfRange { min: i64::from(min), max: i64::from(max) };
                return Err(Violation::new(field, rule));
            }
        }
        Ok(())
    }
}

/// Changes of how a member can read. The default changes nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the field of `Accessibility` of the same name")]
pub struct AccessibilityPatch {
    pub font_size: Option<u16>,
    pub font_family: Patch<FontFamily>,
    pub line_height: Option<u16>,
    pub high_contrast: Option<bool>,
    pub large_text: Option<bool>,
    pub screen_reader: Option<bool>,
    pub text_to_speech: Option<bool>,
    pub reduce_motion: Option<bool>,
    pub keyboard_navigation: Option<bool>,
    pub color_blind_mode: Option<ColorBlindMode>,
}

impl AccessibilityPatch {
    /// Whether it changes nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The settings after this change at `now`, one version on; or why they cannot be so.
    pub fn applied_to(
        self,
        mut settings: Accessibility,
        now: Timestamp,
    ) -> Result<Accessibility, Violation> {
        macro_rules! apply {
            ($($field:ident)+) => {$(
                settings.$field = self.$field.unwrap_or(settings.$field);
            )+};
        }
        apply! {
            font_size line_height high_contrast large_text screen_reader text_to_speech
            reduce_motion keyboard_navigation color_blind_mode
        }
        self.font_family.apply(&mut settings.font_family);
        settings.updated_at = Some(now);
        settings.version += 1;
        settings.check()?;
        Ok(settings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_ranges_and_the_rest_stays() {
        let now = Timestamp::from_micros(1).unwrap();
        let defaults = || Accessibility::defaults(UserId(1));
        let patch = AccessibilityPatch { font_size: Some(72), ..Default::default() };
        let changed = patch.applied_to(defaults(), now).unwrap();
        let expected =
            Accessibility { font_size: 72, updated_at: Some(now), version: 1, ..defaults() };
        assert_eq!(changed, expected);
        for (size, height, field) in [
            (Some(7), None, "font_size"),
            (Some(73), None, "font_size"),
            (None, Some(99), "line_height"),
            (None, Some(301), "line_height"),
        ] {
            let patch =
                AccessibilityPatch { font_size: size, line_height: height, ..Default::default() };
            assert_eq!(patch.applied_to(defaults(), now).unwrap_err().field, field);
        }
    }
}
