//! Points: accounts, and the requests that move them.

use crate::amount::{Amount, BasisPoints, Points, Xp};
use crate::ledger::PointEntry;
use crate::text::{Description, EntryReference, IdemKey, Source};
use crate::time::Timestamp;
use crate::user::UserId;
use crate::violation::{Rule, Violation};

/// A member's points. Invariant: `0 <= held <= balance`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "AccountParts", into = "AccountParts"))]
pub struct PointAccount(AccountParts);

/// The columns of a [`PointAccount`], before they are known to agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct AccountParts {
    /// The member.
    pub user: UserId,
    /// All points.
    pub balance: Points,
    /// Those that holds keep back.
    pub held: Points,
    /// Awarded ever.
    pub lifetime_earned: Points,
    /// Spent ever.
    pub lifetime_spent: Points,
    /// Experience.
    pub xp: Xp,
    /// The level reached, at least 1.
    pub level: u32,
    /// How much experience a point awarded gives.
    pub xp_boost: BasisPoints,
    /// The number that the next entry gets.
    pub next_seq: i64,
    /// Last movement.
    pub updated_at: Timestamp,
    /// One more with each movement.
    pub version: i64,
}

/// A stored account that breaks `0 <= held <= balance`, or has no level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("balance {balance}, held {held}, level {level}")]
pub struct AccountCorrupt {
    balance: Points,
    held: Points,
    level: u32,
}

impl PointAccount {
    /// The one door for storage.
    pub fn restore(parts: AccountParts) -> Result<Self, AccountCorrupt> {
        let AccountParts { balance, held, level, .. } = parts;
        if Points::ZERO <= held && held <= balance && level >= 1 {
            Ok(Self(parts))
        } else {
            Err(AccountCorrupt { balance, held, level })
        }
    }

    /// What can be spent: the balance less what is held.
    #[must_use]
    pub fn available(&self) -> Points {
        self.0.balance.minus(self.0.held).unwrap_or(Points::ZERO) // `held <= balance`.
    }

    /// The columns.
    #[must_use]
    pub const fn parts(&self) -> &AccountParts {
        &self.0
    }

    /// The member.
    #[must_use]
    pub const fn user(&self) -> UserId {
        self.0.user
    }

    /// All points, held ones included.
    #[must_use]
    pub const fn balance(&self) -> Points {
        self.0.balance
    }

    /// What holds keep back.
    #[must_use]
    pub const fn held(&self) -> Points {
        self.0.held
    }

    /// Experience.
    #[must_use]
    pub const fn xp(&self) -> Xp {
        self.0.xp
    }

    /// The level reached, at least 1.
    #[must_use]
    pub const fn level(&self) -> u32 {
        self.0.level
    }

    /// Awarded ever.
    #[must_use]
    pub const fn lifetime_earned(&self) -> Points {
        self.0.lifetime_earned
    }

    /// Spent ever.
    #[must_use]
    pub const fn lifetime_spent(&self) -> Points {
        self.0.lifetime_spent
    }
}

impl TryFrom<AccountParts> for PointAccount {
    type Error = AccountCorrupt;
    fn try_from(parts: AccountParts) -> Result<Self, AccountCorrupt> {
        Self::restore(parts)
    }
}

impl From<PointAccount> for AccountParts {
    fn from(account: PointAccount) -> AccountParts {
        account.0
    }
}

/// Points to be given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Award {
    /// To whom.
    pub user: UserId,
    /// How much, before the multiplier.
    pub amount: Amount,
    /// What for.
    pub source: Source,
    /// The thing within the source.
    pub source_ref: Option<EntryReference>,
    /// In words.
    pub description: Option<Description>,
    /// Makes repeats of the request harmless.
    pub idem_key: Option<IdemKey>,
    /// Times this; one unless an event or a role says otherwise.
    pub multiplier: BasisPoints,
}

impl Award {
    /// An award without extras.
    #[must_use]
    pub const fn new(user: UserId, amount: Amount, source: Source) -> Self {
        Self {
            user,
            amount,
            source,
            source_ref: None,
            description: None,
            idem_key: None,
            multiplier: BasisPoints::ONE,
        }
    }

    /// With a once-only key.
    #[must_use]
    pub fn key(mut self, key: IdemKey) -> Self {
        self.idem_key = Some(key);
        self
    }

    /// For this thing within the source.
    #[must_use]
    pub fn reference(mut self, reference: EntryReference) -> Self {
        self.source_ref = Some(reference);
        self
    }

    /// What is credited: the amount at the multiplier, truncated, at least a minor unit.
    pub fn credited(&self) -> Result<Amount, Violation> {
        self.amount.times(self.multiplier)
    }
}

/// Points to be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deduct {
    /// From whom.
    pub user: UserId,
    /// How much.
    pub amount: Amount,
    /// What for.
    pub source: Source,
    /// The thing within the source.
    pub source_ref: Option<EntryReference>,
    /// In words.
    pub description: Option<Description>,
    /// Makes repeats of the request harmless.
    pub idem_key: Option<IdemKey>,
}

impl Deduct {
    /// A deduction without extras.
    #[must_use]
    pub const fn new(user: UserId, amount: Amount, source: Source) -> Self {
        Self { user, amount, source, source_ref: None, description: None, idem_key: None }
    }

    /// With a once-only key.
    #[must_use]
    pub fn key(mut self, key: IdemKey) -> Self {
        self.idem_key = Some(key);
        self
    }
}

/// Points to be sent from one member to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer {
    from: UserId,
    to: UserId,
    /// How much.
    pub amount: Amount,
    /// In words.
    pub description: Option<Description>,
    /// Makes repeats of the request harmless.
    pub idem_key: Option<IdemKey>,
}

impl Transfer {
    /// Refuses a transfer to oneself.
    pub fn new(from: UserId, to: UserId, amount: Amount) -> Result<Self, Violation> {
        if from == to {
            return Err(Violation::new("to", Rule::SelfTarget));
        }
        Ok(Self { from, to, amount, description: None, idem_key: None })
    }

    /// With a once-only key.
    #[must_use]
    pub fn key(mut self, key: IdemKey) -> Self {
        self.idem_key = Some(key);
        self
    }

    /// The sender.
    #[must_use]
    pub const fn from(&self) -> UserId {
        self.from
    }

    /// The receiver; never the sender.
    #[must_use]
    pub const fn to(&self) -> UserId {
        self.to
    }
}

/// The two entries of a transfer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransferPair {
    /// The sender's.
    pub sent: PointEntry,
    /// The receiver's.
    pub received: PointEntry,
}

/// A correction by an administrator: no multiplier and no experience.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adjustment {
    /// Whose balance.
    pub user: UserId,
    /// By how much; not zero.
    pub amount: Points,
    /// Which administrator.
    pub actor: UserId,
    /// Why.
    pub reason: Description,
    /// Makes repeats of the request harmless.
    pub idem_key: Option<IdemKey>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_sends_points_to_oneself() {
        let refused = Transfer::new(UserId(1), UserId(1), Amount::whole(1).unwrap());
        assert_eq!(refused.unwrap_err().rule, Rule::SelfTarget);
    }

    #[test]
    fn an_account_that_holds_more_than_it_has_is_corrupt() {
        let mut parts = AccountParts {
            user: UserId(1),
            balance: Points::whole(5).unwrap(),
            held: Points::whole(5).unwrap(),
            lifetime_earned: Points::ZERO,
            lifetime_spent: Points::ZERO,
            xp: Xp::ZERO,
            level: 1,
            xp_boost: BasisPoints::ONE,
            next_seq: 1,
            updated_at: Timestamp::EPOCH,
            version: 1,
        };
        assert_eq!(PointAccount::restore(parts).unwrap().available(), Points::ZERO);
        parts.held = Points::whole(6).unwrap();
        assert!(PointAccount::restore(parts).is_err());
    }
}
