//! A member in the story: where they stand, what they have seen and decided.

use crate::amount::BasisPoints;
use crate::narrative::{ChoiceId, DecisionId, FragmentKind};
use crate::text::{Slug, Title};
use crate::time::Timestamp;
use crate::user::{Patch, UserId};

/// Where a member stands in the story.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct StoryState {
    /// The member.
    pub user: UserId,
    /// The fragment the member is at; it may have become inactive since.
    pub current_fragment: Option<Slug>,
    /// The sum of what the choices taken were worth.
    pub karma: i64,
    /// When the member began.
    pub started_at: Timestamp,
    /// When the member last moved or decided.
    pub last_activity_at: Timestamp,
    /// One more with each change.
    pub version: i64,
}

/// Changes of a member's state. The default changes nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoryStatePatch {
    /// The fragment the member is at.
    pub current_fragment: Patch<Slug>,
    /// The karma as it shall be.
    pub karma: Option<i64>,
}

impl StoryStatePatch {
    /// The greatest karma that can be set, up or down.
    pub const KARMA_MAX: i64 = 1_000_000_000_000;

    /// Whether it changes nothing.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.current_fragment.is_keep() && self.karma.is_none()
    }
}

/// A fragment that a member has seen.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct UserFragment {
    /// The member.
    pub user: UserId,
    /// The fragment.
    pub fragment: Slug,
    /// When it was seen first.
    pub first_visited_at: Timestamp,
    /// When it was seen last.
    pub last_visited_at: Timestamp,
    /// How often, at least 1.
    pub visits: u64,
    /// When it was completed, once and for all.
    pub completed_at: Option<Timestamp>,
}

/// A decision of a member. It is never changed or removed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Decision {
    /// The id.
    pub id: DecisionId,
    /// The member.
    pub user: UserId,
    /// Where it was made.
    pub fragment: Slug,
    /// What was chosen.
    pub choice: ChoiceId,
    /// When.
    pub made_at: Timestamp,
}

/// How far a member is, counted over active fragments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct StoryProgress {
    /// How many the member has seen.
    pub visited: u64,
    /// How many the member has completed.
    pub completed: u64,
    /// How many there are.
    pub total: u64,
}

impl StoryProgress {
    /// The share of all active fragments that is completed.
    #[must_use]
    pub fn share(&self) -> BasisPoints {
        BasisPoints::share(self.completed, self.total)
    }
}

/// A fragment on a member's way, active or not.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct JourneyStep {
    /// The fragment.
    pub fragment: Slug,
    /// What it is called now.
    pub title: Title,
    /// What it asks of its reader.
    pub kind: FragmentKind,
    /// When it was seen first.
    pub first_visited_at: Timestamp,
    /// How often, at least 1.
    pub visits: u64,
    /// When it was completed.
    pub completed_at: Option<Timestamp>,
}

/// How many visit a fragment.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct FragmentPopularity {
    /// The fragment.
    pub fragment: Slug,
    /// What it is called.
    pub title: Title,
    /// Members who have seen it.
    pub visitors: u64,
    /// Members who have completed it.
    pub completions: u64,
}

/// The story as a whole, and its readers.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct StoryTotals {
    /// Active fragments of each kind that has any, in the order of [`FragmentKind::ALL`].
    pub fragments: Vec<(FragmentKind, u64)>,
    /// Members who have begun.
    pub started: u64,
    /// Fragments completed, over all members.
    pub completions: u64,
    /// Active pieces of lore.
    pub lore: u64,
    /// How many of them each category has, by name; those without one are not among them. At most
    /// 200 categories.
    pub categories: Vec<(Slug, u64)>,
}

impl StoryTotals {
    /// Fragments completed for each member who has begun; 10 000 is one.
    #[must_use]
    pub fn mean_completed(&self) -> BasisPoints {
        BasisPoints::share(self.completions, self.started)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_of_active_fragments() {
        let progress = StoryProgress { visited: 3, completed: 2, total: 3 };
        assert_eq!(progress.share().get(), 6_666);
        assert_eq!(StoryProgress { visited: 0, completed: 0, total: 0 }.share().get(), 0);
        let totals = StoryTotals {
            fragments: Vec::new(),
            started: 2,
            completions: 3,
            lore: 0,
            categories: Vec::new(),
        };
        assert_eq!(totals.mean_completed().get(), 15_000);
    }
}
