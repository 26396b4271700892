//! Rows of point accounts and holds.

use std::error::Error;

use diesel::prelude::*;
use guildhall_domain::{
    AccountParts, Amount, BasisPoints, HoldId, PointAccount, PointHold, Points, Timestamp, UserId,
    Xp,
};
use guildhall_repository::StorageError;

use super::corrupt;
use crate::schema::{point_accounts, point_holds};
use crate::types::DbTime;

/// A row of `point_accounts`.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = point_accounts, treat_none_as_default_value = false)]
pub(crate) struct AccountRow {
    pub(crate) user_id: i64,
    pub(crate) balance: i64,
    pub(crate) held: i64,
    pub(crate) lifetime_earned: i64,
    pub(crate) lifetime_spent: i64,
    pub(crate) xp: i64,
    pub(crate) level: i64,
    pub(crate) xp_boost_bp: i32,
    pub(crate) next_seq: i64,
    pub(crate) is_listed: bool,
    pub(crate) is_closed: bool,
    pub(crate) updated_at: DbTime,
    pub(crate) version: i64,
}

impl AccountRow {
    /// The account of a member who has just registered: nothing, on level 1.
    pub(crate) fn opened(user: UserId, now: Timestamp) -> Self {
        Self {
            user_id: user.0,
            balance: 0,
            held: 0,
            lifetime_earned: 0,
            lifetime_spent: 0,
            xp: 0,
            level: 1,
            xp_boost_bp: BasisPoints::ONE.get(),
            next_seq: 1,
            is_listed: true,
            is_closed: false,
            updated_at: DbTime(now),
            version: 1,
        }
    }

    /// The account of a row; one that breaks the invariant is an `Integrity` error.
    pub(crate) fn into_account(self) -> Result<PointAccount, StorageError> {
        let user = self.user_id;
        let restored = || -> Result<PointAccount, Box<dyn Error>> {
            Ok(PointAccount::restore(self.parts()?)?)
        };
        restored().map_err(corrupt("point account", user))
    }

    /// The bare columns, which may break the invariant.
    pub(crate) fn into_parts(self) -> Result<AccountParts, StorageError> {
        let user = self.user_id;
        self.parts().map_err(corrupt("point account", user))
    }

    fn parts(&self) -> Result<AccountParts, Box<dyn Error>> {
        Ok(AccountParts {
            user: UserId(self.user_id),
            balance: Points::from_minor(self.balance)?,
            held: Points::from_minor(self.held)?,
            lifetime_earned: Points::from_minor(self.lifetime_earned)?,
            lifetime_spent: Points::from_minor(self.lifetime_spent)?,
            xp: Xp::from_minor(self.xp)?,
            level: u32::try_from(self.level)?,
            xp_boost: BasisPoints::new(self.xp_boost_bp)?,
            next_seq: self.next_seq,
            updated_at: self.updated_at.0,
            version: self.version,
        })
    }
}

/// A row of `point_holds`.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = point_holds)]
pub(crate) struct HoldRow {
    pub(crate) id: i64,
    pub(crate) user_id: i64,
    pub(crate) amount: i64,
    pub(crate) reason: String,
    pub(crate) reference: String,
    pub(crate) status: String,
    pub(crate) expires_at: Option<DbTime>,
    pub(crate) created_at: DbTime,
    pub(crate) settled_at: Option<DbTime>,
}

impl HoldRow {
    /// The hold of a row.
    pub(crate) fn into_hold(self) -> Result<PointHold, StorageError> {
        let key = self.id;
        let restored = || -> Result<PointHold, Box<dyn Error>> {
            Ok(PointHold {
                id: HoldId(self.id),
                user: UserId(self.user_id),
                amount: Amount::from_minor(self.amount)?,
                reason: self.reason.try_into()?,
                reference: self.reference.try_into()?,
                status: self.status.parse()?,
                expires_at: self.expires_at.map(|time| time.0),
                created_at: self.created_at.0,
                settled_at: self.settled_at.map(|time| time.0),
            })
        };
        restored().map_err(corrupt("hold", key))
    }
}
