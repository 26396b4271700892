//! Rewards: what a mission, a story or an achievement gives.

use crate::amount::{Amount, Xp};
use crate::badge::BadgeId;
use crate::text::{RewardKey, Slug, Source};
use crate::time::Timestamp;
use crate::user::UserId;
use crate::violation::{Rule, Violation};

/// One thing that is given. What is written about how it is given: `docs/design/rewards.md`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Reward {
    /// Points, multiplied as every credit is.
    Points(Amount),
    /// Experience alone, more than zero.
    Xp(Xp),
    /// A piece of lore, by its code.
    Lore(Slug),
    /// A badge, whatever its own rule says.
    Badge(BadgeId),
    /// An achievement, with the points it pays itself.
    Achievement(Slug),
}

impl Reward {
    /// The stored name of the kind: `points`, `xp`, `lore`, `badge`, `achievement`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Points(_) => "points",
            Self::Xp(_) => "xp",
            Self::Lore(_) => "lore",
            Self::Badge(_) => "badge",
            Self::Achievement(_) => "achievement",
        }
    }

    /// Which one, as text; points and experience have none.
    #[must_use]
    pub fn key(&self) -> Option<String> {
        match self {
            Self::Points(_) | Self::Xp(_) => None,
            Self::Lore(slug) | Self::Achievement(slug) => Some(slug.to_string()),
            Self::Badge(id) => Some(id.to_string()),
        }
    }

    /// How much, in minor units; only points and experience have an amount.
    #[must_use]
    pub const fn minor(&self) -> Option<i64> {
        match self {
            Self::Points(amount) => Some(amount.minor()),
            Self::Xp(xp) => Some(xp.minor()),
            Self::Lore(_) | Self::Badge(_) | Self::Achievement(_) => None,
        }
    }

    /// Puts a stored reward together again. An unknown kind, or a kind with a part too many or too
    /// few, is refused: nothing is ever recorded as given that nobody knows how to give.
    pub fn from_parts(
        kind: &str,
        key: Option<&str>,
        minor: Option<i64>,
    ) -> Result<Self, Violation> {
        match (kind, key, minor) {
            ("points", None, Some(minor)) => Amount::from_minor(minor).map(Self::Points),
            ("xp", None, Some(minor)) if minor > 0 => Xp::from_minor(minor).map(Self::Xp),
            ("lore", Some(key), None) => Slug::parse(key).map(Self::Lore),
            ("achievement", Some(key), None) => Slug::parse(key).map(Self::Achievement),
            ("badge", Some(key), None) => {
                let expected = "the id of a badge";
                let id = key.parse().ok().filter(|id| *id > 0).map(|id| Self::Badge(BadgeId(id)));
                id.ok_or(Violation::new("reward", Rule::Malformed { expected }))
            }
            _ => {
                let expected = "points or xp with an amount; or lore, badge or achievement by key";
                Err(Violation::new("reward", Rule::Malformed { expected }))
            }
        }
    }
}

/// A reward that was given: a row that is written once and never changes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct GrantedReward {
    /// To whom.
    pub user: UserId,
    /// What, as it was defined: of points, before any multiplier.
    pub reward: Reward,
    /// What for: `mission`, `fragment`, `choice`, `achievement`.
    pub source: Source,
    /// What makes it be given once: no other reward has the same.
    pub once_key: RewardKey,
    /// When.
    pub granted_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_make_the_same_reward_again() {
        let slug = Slug::parse("first_steps").unwrap();
        for reward in [
            Reward::Points(Amount::from_minor(1_250).unwrap()),
            Reward::Xp(Xp::from_minor(1).unwrap()),
            Reward::Lore(slug.clone()),
            Reward::Badge(BadgeId(7)),
            Reward::Achievement(slug),
        ] {
            let key = reward.key();
            let again = Reward::from_parts(reward.kind(), key.as_deref(), reward.minor());
            assert_eq!(again.unwrap(), reward);
        }
    }

    #[test]
    fn what_nobody_can_give_is_refused() {
        for (kind, key, minor) in [
            ("gold", None, Some(1)),
            ("points", None, None),
            ("points", None, Some(0)),
            ("points", Some("x"), Some(1)),
            ("xp", None, Some(-1)),
            ("lore", None, None),
            ("lore", Some("a b"), None),
            ("badge", Some("0"), None),
            ("badge", Some("gold"), None),
        ] {
            assert!(Reward::from_parts(kind, key, minor).is_err(), "{kind} {key:?} {minor:?}");
        }
    }
}
