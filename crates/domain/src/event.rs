//! What happened, for whoever wants to react to it.

use crate::amount::{BasisPoints, Points};
use crate::badge::BadgeId;
#[cfg(feature = "serde")]
use crate::json::Json;
use crate::mission::MissionPeriod;
use crate::narrative::ChoiceId;
use crate::store::StoreItemId;
use crate::text::{Slug, Source};
use crate::time::Day;
use crate::user::{EntryId, UserId};
#[cfg(feature = "serde")]
use crate::violation::{Rule, Violation};

/// A fact that a workflow established. Returned to the caller, once for each fact, and written to
/// the outbox where that is enabled.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum DomainEvent {
    /// A member registered.
    UserCreated {
        /// The member.
        user: UserId,
    },
    /// A member's row changed.
    UserUpdated {
        /// The member.
        user: UserId,
    },
    /// A member was deleted.
    UserDeleted {
        /// The member.
        user: UserId,
    },
    /// A balance grew.
    PointsCredited {
        /// The member.
        user: UserId,
        /// The ledger entry.
        entry: EntryId,
        /// By how much, more than zero.
        amount: Points,
        /// What for.
        source: Source,
    },
    /// A balance shrank.
    PointsDebited {
        /// The member.
        user: UserId,
        /// The ledger entry.
        entry: EntryId,
        /// By how much, more than zero.
        amount: Points,
        /// What for.
        source: Source,
    },
    /// A member reached a level; passing several gives one event each.
    LevelUp {
        /// The member.
        user: UserId,
        /// The level reached.
        level: u32,
    },
    /// A member checked in for the day.
    CheckedIn {
        /// The member.
        user: UserId,
        /// The community day.
        day: Day,
        /// Days without a gap, this one included.
        streak: u32,
    },
    /// A member came closer to completing a mission.
    MissionProgressed {
        /// The member.
        user: UserId,
        /// The mission.
        mission: Slug,
        /// The period it counts for.
        period: MissionPeriod,
        /// How much of the mission is done.
        progress: BasisPoints,
    },
    /// A member completed a mission, for this period once.
    MissionCompleted {
        /// The member.
        user: UserId,
        /// The mission.
        mission: Slug,
        /// The period it counts for.
        period: MissionPeriod,
    },
    /// A member completed a fragment of the story.
    FragmentCompleted {
        /// The member.
        user: UserId,
        /// The fragment.
        fragment: Slug,
    },
    /// A member chose how the story goes on.
    DecisionMade {
        /// The member.
        user: UserId,
        /// Where the choice was made.
        fragment: Slug,
        /// The choice.
        choice: ChoiceId,
    },
    /// A member found a piece of lore.
    LoreUnlocked {
        /// The member.
        user: UserId,
        /// Its code.
        lore: Slug,
    },
    /// A member unlocked an achievement.
    AchievementUnlocked {
        /// The member.
        user: UserId,
        /// The achievement.
        achievement: Slug,
    },
    /// A member was given a badge.
    BadgeAwarded {
        /// The member.
        user: UserId,
        /// The badge.
        badge: BadgeId,
    },
    /// A badge was taken from a member.
    BadgeRevoked {
        /// The member.
        user: UserId,
        /// The badge.
        badge: BadgeId,
    },
    /// A member became a VIP, or stays one for longer.
    VipGranted {
        /// The member.
        user: UserId,
    },
    /// What made a member a VIP was taken back.
    VipRevoked {
        /// The member.
        user: UserId,
    },
    /// A member bought something in the store.
    ItemPurchased {
        /// The member.
        user: UserId,
        /// The thing.
        item: StoreItemId,
    },
}

impl DomainEvent {
    /// The stable name of the kind: `LevelUp`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::UserCreated { .. } => "UserCreated",
            Self::UserUpdated { .. } => "UserUpdated",
            Self::UserDeleted { .. } => "UserDeleted",
            Self::PointsCredited { .. } => "PointsCredited",
            Self::PointsDebited { .. } => "PointsDebited",
            Self::LevelUp { .. } => "LevelUp",
            Self::CheckedIn { .. } => "CheckedIn",
            Self::MissionProgressed { .. } => "MissionProgressed",
            Self::MissionCompleted { .. } => "MissionCompleted",
            Self::FragmentCompleted { .. } => "FragmentCompleted",
            Self::DecisionMade { .. } => "DecisionMade",
            Self::LoreUnlocked { .. } => "LoreUnlocked",
            Self::AchievementUnlocked { .. } => "AchievementUnlocked",
            Self::BadgeAwarded { .. } => "BadgeAwarded",
            Self::BadgeRevoked { .. } => "BadgeRevoked",
            Self::VipGranted { .. } => "VipGranted",
            Self::VipRevoked { .. } => "VipRevoked",
            Self::ItemPurchased { .. } => "ItemPurchased",
        }
    }

    /// The event as JSON, as the outbox keeps it: an object with the kind as its one key.
    #[cfg(feature = "serde")]
    pub fn to_json(&self) -> Result<Json, Violation> {
        const UNFIT: Violation =
            Violation::new("event", Rule::Malformed { expected: "what JSON can express" });
        Json::new(serde_json::to_value(self).map_err(|_| UNFIT)?)
    }

    /// The event that [`DomainEvent::to_json`] gave. Refuses a kind or a part it does not know.
    #[cfg(feature = "serde")]
    pub fn from_json(json: &Json) -> Result<Self, Violation> {
        const FOREIGN: Violation =
            Violation::new("event", Rule::Malformed { expected: "an event of this release" });
        serde::Deserialize::deserialize(json.value()).map_err(|_| FOREIGN)
    }

    /// The member it is about.
    #[must_use]
    pub const fn user(&self) -> UserId {
        match self {
            Self::UserCreated { user, .. }
            | Self::UserUpdated { user, .. }
            | Self::UserDeleted { user, .. }
            | Self::PointsCredited { user, .. }
            | Self::PointsDebited { user, .. }
            | Self::LevelUp { user, .. }
            | Self::CheckedIn { user, .. }
            | Self::MissionProgressed { user, .. }
            | Self::MissionCompleted { user, .. }
            | Self::FragmentCompleted { user, .. }
            | Self::DecisionMade { user, .. }
            | Self::LoreUnlocked { user, .. }
            | Self::AchievementUnlocked { user, .. }
            | Self::BadgeAwarded { user, .. }
            | Self::BadgeRevoked { user, .. }
            | Self::VipGranted { user, .. }
            | Self::VipRevoked { user, .. }
            | Self::ItemPurchased { user, .. } => *user,
        }
    }
}

/// The result of an operation that takes effect once.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome<T> {
    /// The result, the same on every repeat.
    pub value: T,
    /// Whether an earlier call had done it; then nothing was written and `events` is empty.
    pub replayed: bool,
    /// What happened, in order.
    pub events: Vec<DomainEvent>,
}

impl<T> Outcome<T> {
    /// Done now.
    #[must_use]
    pub const fn new(value: T, events: Vec<DomainEvent>) -> Self {
        Self { value, replayed: false, events }
    }

    /// Done earlier.
    #[must_use]
    pub const fn replayed(value: T) -> Self {
        Self { value, replayed: true, events: Vec::new() }
    }

    /// The same outcome with another value.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Outcome<U> {
        Outcome { value: change(self.value), replayed: self.replayed, events: self.events }
    }
}

#[cfg(all(test, feature = "serde"))]
mod tests {
    use super::*;

    #[test]
    fn json_brings_an_event_back() {
        let user = UserId(7);
        let slug = || Slug::parse("first_steps").unwrap();
        for event in [
            DomainEvent::LevelUp { user, level: 3 },
            DomainEvent::MissionCompleted {
                user,
                mission: slug(),
                period: "2025-W34".parse().unwrap(),
            },
            DomainEvent::CheckedIn { user, day: "2025-08-24".parse().unwrap(), streak: 2 },
            DomainEvent::BadgeRevoked { user, badge: BadgeId(1) },
        ] {
            let json = event.to_json().unwrap();
            assert!(json.value().get(event.kind()).is_some(), "{json:?}");
            assert_eq!(DomainEvent::from_json(&json).unwrap(), event);
        }
    }

    #[test]
    fn an_event_of_another_release_is_refused() {
        let foreign = Json::new(serde_json::json!({"MoonLanding": {"user": 7}})).unwrap();
        assert_eq!(DomainEvent::from_json(&foreign).unwrap_err().field, "event");
    }
}
