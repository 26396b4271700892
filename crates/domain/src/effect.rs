//! Effects: what a piece of the story does to a member.

use std::fmt;
use std::str::FromStr;

use crate::ledger::text_enum;
use crate::reward::Reward;
use crate::text::Slug;
use crate::violation::{Rule, Violation};

text_enum! {
    /// When an effect takes place.
    EffectTrigger("trigger") {
        /// On the first visit.
        Visit = "visit",
        /// On completion.
        Complete = "complete",
    }
}

/// What an effect does.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum EffectAction {
    /// Gives points, a piece of lore, an achievement or a badge. Experience alone is not given.
    Reward(Reward),
    /// Counts as an action of the member for every mission that asks for it.
    MissionAction {
        /// Which action, as the objectives of missions name it.
        action: Slug,
        /// How much of it, at least 1.
        amount: u32,
    },
}

/// What a fragment does to a member, once.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Effect {
    /// When.
    pub trigger: EffectTrigger,
    /// What.
    pub action: EffectAction,
}

impl Effect {
    /// The most effects of one fragment.
    pub const COUNT_MAX: usize = 20;

    const MISSION_ACTION: &str = "mission_action";

    /// The stored name of what it does: `points`, `lore`, `achievement`, `badge`,
    /// `mission_action`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match &self.action {
            EffectAction::Reward(reward) => reward.kind(),
            EffectAction::MissionAction { .. } => Self::MISSION_ACTION,
        }
    }

    /// Which one, as text; points have none.
    #[must_use]
    pub fn key(&self) -> Option<String> {
        match &self.action {
            EffectAction::Reward(reward) => reward.key(),
            EffectAction::MissionAction { action, .. } => Some(action.to_string()),
        }
    }

    /// How much: minor units of points, or how often the action counts.
    #[must_use]
    pub fn amount(&self) -> Option<i64> {
        match &self.action {
            EffectAction::Reward(reward) => reward.minor(),
            EffectAction::MissionAction { amount, .. } => Some(i64::from(*amount)),
        }
    }

    /// Puts a stored effect together again. An unknown kind, or a kind with a part too many or too
    /// few, is refused: see [`Reward::from_parts`].
    pub fn from_parts(
        trigger: &str,
        kind: &str,
        key: Option<&str>,
        amount: Option<i64>,
    ) -> Result<Self, Violation> {
        let action = match (kind, key, amount) {
            (Self::MISSION_ACTION, Some(key), Some(amount)) => {
                let amount = u32::try_from(amount).unwrap_or(0);
                EffectAction::MissionAction { action: Slug::parse(key)?, amount }
            }
            _ => EffectAction::Reward(Reward::from_parts(kind, key, amount)?),
        };
        let effect = Self { trigger: trigger.parse()?, action };
        effect.check().map(|()| effect)
    }

    pub(crate) fn check(&self) -> Result<(), Violation> {
        match &self.action {
            EffectAction::Reward(Reward::Xp(_)) => {
                let expected = "points, lore, an achievement, a badge or an action";
                Err(Violation::new("effects", Rule::Malformed { expected }))
            }
            EffectAction::MissionAction { amount: 0, .. } => {
                let rule = Rule::OutOfRange { min: 1, max: i64::from(u32::MAX) };
                Err(Violation::new("amount", rule))
            }
            EffectAction::Reward(_) | EffectAction::MissionAction { .. } => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::amount::Amount;
    use crate::badge::BadgeId;

    fn slug(text: &str) -> Slug {
        Slug::parse(text).unwrap()
    }

    #[test]
    fn parts_make_the_same_effect_again() {
        for action in [
            EffectAction::Reward(Reward::Points(Amount::whole(5).unwrap())),
            EffectAction::Reward(Reward::Lore(slug("map"))),
            EffectAction::Reward(Reward::Achievement(slug("first"))),
            EffectAction::Reward(Reward::Badge(BadgeId(3))),
            EffectAction::MissionAction { action: slug("explore"), amount: 2 },
        ] {
            let effect = Effect { trigger: EffectTrigger::Complete, action };
            let key = effect.key();
            let again =
                Effect::from_parts("complete", effect.kind(), key.as_deref(), effect.amount());
            assert_eq!(again.unwrap(), effect);
        }
        for (trigger, kind, key, amount) in [
            ("leave", "lore", Some("map"), None),
            ("visit", "xp", None, Some(5)),
            ("visit", "mission_action", Some("explore"), Some(0)),
            ("visit", "mission_action", Some("explore"), None),
            ("visit", "karma", None, Some(1)),
        ] {
            assert!(Effect::from_parts(trigger, kind, key, amount).is_err(), "{kind}");
        }
    }
}
