//! A member in full, and what can be counted about members.

use crate::accessibility::Accessibility;
use crate::amount::{BasisPoints, Points};
use crate::badge::HeldBadge;
use crate::external::{ExternalAccount, Provider};
use crate::interest::UserInterest;
use crate::language::UserLanguage;
use crate::onboarding::Onboarding;
use crate::preferences::Preferences;
use crate::text::LanguageTag;
use crate::user::{Role, User, UserId};

/// A member in full, read in one snapshot.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct FullProfile {
    /// The member.
    pub user: User,
    /// What the member prefers.
    pub preferences: Preferences,
    /// Primary first, then by tag.
    pub languages: Vec<UserLanguage>,
    /// How the member can read.
    pub accessibility: Accessibility,
    /// By name of the category.
    pub interests: Vec<UserInterest>,
    /// First steps.
    pub onboarding: Onboarding,
    /// Accounts elsewhere, by provider.
    pub externals: Vec<ExternalAccount>,
    /// Badges, the newest first; at most 200 of them.
    pub badges: Vec<HeldBadge>,
}

/// How complete a member's profile is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ProfileStats {
    /// The member.
    pub user: UserId,
    /// Whether preferences were ever set.
    pub has_preferences: bool,
    /// Whether accessibility was ever set.
    pub has_accessibility: bool,
    /// Languages.
    pub languages: u64,
    /// Interests.
    pub interests: u64,
    /// Steps of onboarding taken, 0 to 6.
    pub onboarding_steps: u64,
    /// Accounts elsewhere.
    pub externals: u64,
}

impl ProfileStats {
    /// How much of these four is there: preferences, a language, accessibility, an interest.
    #[must_use]
    pub fn completion(&self) -> BasisPoints {
        let parts =
            [self.has_preferences, self.languages > 0, self.has_accessibility, self.interests > 0];
        BasisPoints::share(parts.iter().filter(|there| **there).count() as u64, 4)
    }
}

/// How much a member takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Engagement {
    /// The member.
    pub user: UserId,
    /// Points now.
    pub points: Points,
    /// The level reached.
    pub level: u32,
    /// Whole days since registration.
    pub days_registered: u64,
    /// Messages ever recorded.
    pub messages: u64,
    /// Days checked in without a gap, up to the last one.
    pub streak: u32,
    /// Badges held.
    pub badges: u64,
}

impl Engagement {
    /// One number for all of it, in hundredths: a thousandth of the points, at most 10; half the
    /// level; a hundredth of the messages, at most 5; a tenth of the streak; a fifth of the badges.
    #[must_use]
    pub fn score_hundredths(&self) -> u64 {
        let points = u64::try_from(self.points.minor()).unwrap_or(0);
        (points / 1_000).min(1_000)
            + 50 * u64::from(self.level)
            + self.messages.min(500)
            + 10 * u64::from(self.streak)
            + self.badges.saturating_mul(20)
    }
}

/// What can be counted about all active members.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct UserTotals {
    /// Active members.
    pub total: u64,
    /// Those last active within seven days.
    pub active_7d: u64,
    /// Those who registered within 24 hours.
    pub new_24h: u64,
    /// Those with an account of each provider, most first, then by name; at most 200.
    pub by_provider: Vec<(Provider, u64)>,
    /// Those who prefer each language, most first, then by tag; at most 200.
    pub by_language: Vec<(LanguageTag, u64)>,
    /// Those of each role at the time of the read, ascending.
    pub by_role: Vec<(Role, u64)>,
}

impl UserTotals {
    /// The share of members last active within seven days.
    #[must_use]
    pub fn active_rate(&self) -> BasisPoints {
        BasisPoints::share(self.active_7d, self.total)
    }

    /// The share of members who registered within 24 hours.
    #[must_use]
    pub fn new_rate(&self) -> BasisPoints {
        BasisPoints::share(self.new_24h, self.total)
    }

    /// The share of members with an account of this provider.
    #[must_use]
    pub fn linked_rate(&self, provider: &Provider) -> BasisPoints {
        let linked = self.by_provider.iter().find(|(known, _)| known == provider);
        BasisPoints::share(linked.map_or(0, |(_, count)| *count), self.total)
    }
}

/// How many rows a table has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct TableStats {
    /// All of them.
    pub total: u64,
    /// Those of the last 24 hours.
    pub created_24h: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_score_is_made_of_bounded_parts() {
        let nobody = Engagement {
            user: UserId(1),
            points: Points::ZERO,
            level: 1,
            days_registered: 0,
            messages: 0,
            streak: 0,
            badges: 0,
        };
        assert_eq!(nobody.score_hundredths(), 50);
        let points = Points::whole(2_500).unwrap();
        let some = Engagement { points, level: 4, messages: 230, streak: 3, badges: 2, ..nobody };
        assert_eq!(some.score_hundredths(), 250 + 200 + 230 + 30 + 40);
        let much = Engagement { points: Points::MAX, messages: u64::MAX, ..nobody };
        assert_eq!(much.score_hundredths(), 1_000 + 50 + 500);
    }

    #[test]
    fn a_profile_has_four_parts() {
        let bare = ProfileStats {
            user: UserId(1),
            has_preferences: false,
            has_accessibility: false,
            languages: 0,
            interests: 0,
            onboarding_steps: 6,
            externals: 9,
        };
        assert_eq!(bare.completion().get(), 0);
        let half = ProfileStats { languages: 7, has_preferences: true, ..bare };
        assert_eq!(half.completion().get(), 5_000);
    }
}
