//! The store: what members buy with points.

use std::fmt;
use std::str::FromStr;

use crate::amount::{BasisPoints, Points};
use crate::id::row_ids;
use crate::json::Json;
use crate::ledger::text_enum;
use crate::point::PointAccount;
use crate::text::{Label, Summary, Url};
use crate::time::Timestamp;
use crate::user::UserId;
use crate::violation::{Rule, Violation};

row_ids! {
    /// Identifies a thing in the store. The store assigns it, ascending.
    StoreItemId;
}

text_enum! {
    /// What sort of thing it is. A member wears at most one of each sort.
    StoreItemKind("kind") {
        /// Something given outside this program.
        Reward = "reward",
        /// A picture.
        Avatar = "avatar",
        /// More experience for every award; see [`StoreOffer::xp_boost`].
        XpBoost = "xp_boost",
        /// A colour for the name.
        NameColor = "name_color",
        /// What the application makes of it.
        Custom = "custom",
    }
}

/// What is offered, and to whom.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct StoreOffer {
    /// What it is called; unique without regard to case.
    pub title: Label,
    /// What it does.
    pub description: Option<Summary>,
    /// What sort of thing it is.
    pub kind: StoreItemKind,
    /// What it costs; nothing is a price, too.
    pub cost: Points,
    /// The balance that a buyer must have, whatever the price.
    pub required_points: Points,
    /// The level that a buyer must have reached, from 1.
    pub required_level: u32,
    /// How many are left; `None` for any number.
    pub stock: Option<u32>,
    /// A picture of it.
    pub image_url: Option<Url>,
    /// What it does, for machines. Of an [`StoreItemKind::XpBoost`] `{"xp_boost_bp": 15000}`.
    pub effect: Option<Json>,
    /// Whether it can be bought.
    pub is_active: bool,
}

impl StoreOffer {
    /// The greatest level that can be required.
    pub const LEVEL_MAX: u32 = 1_000;
    /// The greatest boost of experience: ten times.
    pub const BOOST_BP_MAX: i32 = 100_000;

    /// Something that costs `cost` and is there for everybody, in any number.
    #[must_use]
    pub const fn new(title: Label, kind: StoreItemKind, cost: Points) -> Self {
        Self {
            title,
            description: None,
            kind,
            cost,
            required_points: Points::ZERO,
            required_level: 1,
            stock: None,
            image_url: None,
            effect: None,
            is_active: true,
        }
    }

    /// Refuses negative prices and conditions, level 0, and a boost that does not say how much.
    pub fn check(&self) -> Result<(), Violation> {
        let range = |field, min, max| Err(Violation::new(field, Rule::OutOfRange { min, max }));
        if self.cost < Points::ZERO {
            return range("cost", 0, Points::MAX.minor());
        }
        if self.required_points < Points::ZERO {
            return range("required_points", 0, Points::MAX.minor());
        }
        if !(1..=Self::LEVEL_MAX).contains(&self.required_level) {
            return range("required_level", 1, i64::from(Self::LEVEL_MAX));
        }
        if self.kind == StoreItemKind::XpBoost && self.xp_boost().is_none() {
            let expected = "{\"xp_boost_bp\": n} with n from 10001 to 100000";
            return Err(Violation::new("effect", Rule::Malformed { expected }));
        }
        Ok(())
    }

    /// What experience is multiplied by from the purchase on: more than 10 000 and at most
    /// [`Self::BOOST_BP_MAX`]. Of several boosts of a member the greatest counts.
    #[must_use]
    pub fn xp_boost(&self) -> Option<BasisPoints> {
        if self.kind != StoreItemKind::XpBoost {
            return None;
        }
        let bp = self.effect.as_ref()?.value().get("xp_boost_bp")?.as_i64()?;
        let bp = i32::try_from(bp).ok().filter(|bp| (10_001..=Self::BOOST_BP_MAX).contains(bp))?;
        BasisPoints::new(bp).ok()
    }

    /// What the member lacks to be let in, in words; `None` for who may buy. Whether the price can
    /// be paid is decided by the debit.
    #[must_use]
    pub fn unmet_by(&self, account: &PointAccount) -> Option<String> {
        let mut unmet = Vec::new();
        if account.level() < self.required_level {
            unmet.push(format!("level {}", self.required_level));
        }
        if account.balance() < self.required_points {
            unmet.push(format!("a balance of {} points", self.required_points));
        }
        (!unmet.is_empty()).then(|| unmet.join(" and "))
    }
}

/// A thing in the store.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct StoreItem {
    /// The id.
    pub id: StoreItemId,
    /// What is offered.
    pub offer: StoreOffer,
    /// When it was put into the store.
    pub created_at: Timestamp,
    /// Starts at 1, one more with each change and with each piece that is taken from a stock.
    pub version: i64,
}

/// A thing in a member's hands.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct UserItem {
    /// Whose.
    pub user: UserId,
    /// Which thing.
    pub item: StoreItemId,
    /// What it is called now.
    pub title: Label,
    /// What sort of thing it was when it was bought.
    pub kind: StoreItemKind,
    /// When it was bought.
    pub acquired_at: Timestamp,
    /// What was paid for it.
    pub price_paid: Points,
    /// Whether the member wears it: at most one of each sort.
    pub equipped: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::amount::Xp;
    use crate::point::AccountParts;

    fn offer(kind: StoreItemKind) -> StoreOffer {
        StoreOffer::new(Label::parse("Torch 🔥").unwrap(), kind, Points::whole(5).unwrap())
    }

    fn boost(bp: i64) -> StoreOffer {
        let effect = Json::new(serde_json::json!({ "xp_boost_bp": bp })).unwrap();
        StoreOffer { effect: Some(effect), ..offer(StoreItemKind::XpBoost) }
    }

    #[test]
    fn a_boost_says_how_much() {
        assert_eq!(boost(15_000).xp_boost().unwrap().get(), 15_000);
        assert!(boost(15_000).check().is_ok());
        for refused in [boost(10_000), boost(100_001), boost(-1), offer(StoreItemKind::XpBoost)] {
            assert_eq!(refused.check().unwrap_err().field, "effect");
        }
        // The same words on another sort of thing mean nothing here.
        let custom = StoreOffer { kind: StoreItemKind::Custom, ..boost(15_000) };
        assert!(custom.check().is_ok() && custom.xp_boost().is_none());
    }

    #[test]
    fn prices_and_conditions_have_ranges() {
        let negative = Points::from_minor(-1).unwrap();
        let avatar = || offer(StoreItemKind::Avatar);
        assert!(StoreOffer { cost: Points::ZERO, ..avatar() }.check().is_ok());
        for (refused, field) in [
            (StoreOffer { cost: negative, ..avatar() }, "cost"),
            (StoreOffer { required_points: negative, ..avatar() }, "required_points"),
            (StoreOffer { required_level: 0, ..avatar() }, "required_level"),
            (StoreOffer { required_level: 1_001, ..avatar() }, "required_level"),
        ] {
            assert_eq!(refused.check().unwrap_err().field, field);
        }
    }

    #[test]
    fn everything_that_is_missing_is_named() {
        let account = PointAccount::restore(AccountParts {
            user: UserId(1),
            balance: Points::whole(10).unwrap(),
            held: Points::ZERO,
            lifetime_earned: Points::ZERO,
            lifetime_spent: Points::ZERO,
            xp: Xp::ZERO,
            level: 2,
            xp_boost: BasisPoints::ONE,
            next_seq: 1,
            updated_at: Timestamp::from_micros(0).unwrap(),
            version: 1,
        })
        .unwrap();
        let asking = |level, points| StoreOffer {
            required_level: level,
            required_points: Points::whole(points).unwrap(),
            ..offer(StoreItemKind::Avatar)
        };
        assert_eq!(asking(2, 10).unmet_by(&account), None);
        let unmet = asking(3, 11).unmet_by(&account).unwrap();
        assert_eq!(unmet, "level 3 and a balance of 11.00 points");
    }
}
