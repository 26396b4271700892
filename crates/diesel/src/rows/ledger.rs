//! Rows of the ledger, and the movement that writes one.

use std::error::Error;
use std::sync::Arc;

use diesel::prelude::*;
use guildhall_domain::{
    Adjustment, Amount, Award, BasisPoints, Deduct, EntryId, EntryKind, PointEntry, Points,
    Timestamp, Transfer, TransferId, UserId, Violation,
};
use guildhall_repository::{InvalidationNote, StorageError};

use super::{corrupt, optional};
use crate::schema::point_entries;
use crate::types::DbTime;

/// A row of `point_entries`.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = point_entries)]
pub(crate) struct EntryRow {
    pub(crate) id: i64,
    pub(crate) user_id: i64,
    pub(crate) seq: i64,
    pub(crate) amount: i64,
    pub(crate) balance_after: i64,
    pub(crate) kind: String,
    pub(crate) source: String,
    pub(crate) source_ref: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) base_amount: Option<i64>,
    pub(crate) multiplier_bp: Option<i32>,
    pub(crate) counterpart_user_id: Option<i64>,
    pub(crate) transfer_id: Option<String>,
    pub(crate) idem_key: Option<String>,
    pub(crate) created_at: DbTime,
}

impl EntryRow {
    /// The entry of a row.
    pub(crate) fn into_entry(self) -> Result<PointEntry, StorageError> {
        let key = self.id;
        let restored = || -> Result<PointEntry, Box<dyn Error>> {
            Ok(PointEntry {
                id: EntryId(self.id),
                user: UserId(self.user_id),
                seq: self.seq,
                amount: Points::from_minor(self.amount)?,
                balance_after: Points::from_minor(self.balance_after)?,
                kind: self.kind.parse()?,
                source: self.source.try_into()?,
                source_ref: optional(self.source_ref)?,
                description: optional(self.description)?,
                base_amount: self.base_amount.map(Amount::from_minor).transpose()?,
                multiplier: self.multiplier_bp.map(BasisPoints::new).transpose()?,
                counterpart: self.counterpart_user_id.map(UserId),
                transfer: self.transfer_id.as_deref().map(TransferId::parse).transpose()?,
                idem_key: optional(self.idem_key)?,
                created_at: self.created_at.0,
            })
        };
        restored().map_err(corrupt("ledger entry", key))
    }
}

/// A new row of `point_entries`, for batches that have computed it under the account's lock.
#[derive(Clone, Debug, Insertable)]
#[diesel(table_name = point_entries, treat_none_as_default_value = false)]
pub(crate) struct NewEntryRow {
    pub(crate) user_id: i64,
    pub(crate) seq: i64,
    pub(crate) amount: i64,
    pub(crate) balance_after: i64,
    pub(crate) kind: &'static str,
    pub(crate) source: String,
    pub(crate) source_ref: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) base_amount: Option<i64>,
    pub(crate) multiplier_bp: Option<i32>,
    pub(crate) counterpart_user_id: Option<i64>,
    pub(crate) transfer_id: Option<String>,
    pub(crate) idem_key: Option<String>,
    pub(crate) created_at: DbTime,
}

impl NewEntryRow {
    /// The row that a movement writes.
    pub(crate) fn of(movement: &Movement, moved: &Moved) -> Self {
        Self {
            user_id: movement.user,
            seq: moved.seq,
            amount: movement.amount,
            balance_after: moved.balance_after,
            kind: movement.kind_text,
            source: movement.source.clone(),
            source_ref: movement.source_ref.clone(),
            description: movement.description.clone(),
            base_amount: movement.base_amount,
            multiplier_bp: movement.multiplier_bp,
            counterpart_user_id: movement.counterpart,
            transfer_id: None,
            idem_key: movement.idem_key.clone(),
            created_at: movement.now,
        }
    }
}

/// One change of one balance, ready for either database. Every kind of movement is made of it.
#[derive(Clone, Debug)]
pub(crate) struct Movement {
    pub(crate) user: i64,
    /// Signed, in minor units, never 0.
    pub(crate) amount: i64,
    /// Taken out of what is held at the same time: the captured hold, else 0.
    pub(crate) unheld: i64,
    pub(crate) kind: EntryKind,
    /// `kind` as it is stored.
    pub(crate) kind_text: &'static str,
    pub(crate) source: String,
    pub(crate) source_ref: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) base_amount: Option<i64>,
    pub(crate) multiplier_bp: Option<i32>,
    pub(crate) counterpart: Option<i64>,
    pub(crate) idem_key: Option<String>,
    /// What it makes wrong in caches, where the statement itself has to store it.
    pub(crate) note: Option<Arc<InvalidationNote>>,
    pub(crate) now: DbTime,
}

/// A change of two balances by the same amount.
#[derive(Clone, Debug)]
pub(crate) struct TransferMovement {
    pub(crate) from: i64,
    pub(crate) to: i64,
    /// In minor units, more than 0.
    pub(crate) amount: i64,
    pub(crate) description: Option<String>,
    pub(crate) transfer_id: String,
    pub(crate) idem_key: Option<String>,
    /// What it makes wrong in caches, where the statement itself has to store it.
    pub(crate) note: Option<Arc<InvalidationNote>>,
    pub(crate) now: DbTime,
}

impl TransferMovement {
    pub(crate) fn of(transfer: &Transfer, id: &TransferId, now: Timestamp) -> Self {
        Self {
            from: transfer.from().0,
            to: transfer.to().0,
            amount: transfer.amount.minor(),
            description: transfer.description.clone().map(String::from),
            transfer_id: id.as_str().to_owned(),
            idem_key: transfer.idem_key.clone().map(String::from),
            note: None,
            now: DbTime(now),
        }
    }

    /// The rows that it wrote: the sender's, the receiver's.
    pub(crate) fn into_rows(self, sent: &Moved, received: &Moved) -> (EntryRow, EntryRow) {
        let row = |user, counterpart, moved: &Moved, amount, kind: EntryKind, idem_key| EntryRow {
            id: moved.entry,
            user_id: user,
            seq: moved.seq,
            amount,
            balance_after: moved.balance_after,
            kind: kind.as_str().to_owned(),
            source: "transfer".to_owned(),
            source_ref: None,
            description: self.description.clone(),
            base_amount: None,
            multiplier_bp: None,
            counterpart_user_id: Some(counterpart),
            transfer_id: Some(self.transfer_id.clone()),
            idem_key,
            created_at: self.now,
        };
        let key = self.idem_key.clone();
        (
            row(self.from, self.to, sent, -self.amount, EntryKind::TransferOut, key),
            row(self.to, self.from, received, self.amount, EntryKind::TransferIn, None),
        )
    }
}

/// What a movement did.
#[derive(Clone, Debug)]
pub(crate) struct Moved {
    pub(crate) entry: i64,
    pub(crate) seq: i64,
    pub(crate) balance_after: i64,
    /// Levels whose beginning the experience has passed, ascending.
    pub(crate) levels: Vec<i64>,
}

impl Movement {
    pub(crate) fn award(award: &Award, now: Timestamp) -> Result<Self, Violation> {
        Ok(Self {
            user: award.user.0,
            amount: award.credited()?.minor(),
            unheld: 0,
            kind: EntryKind::Award,
            kind_text: EntryKind::Award.as_str(),
            source: award.source.as_str().to_owned(),
            source_ref: award.source_ref.clone().map(String::from),
            description: award.description.clone().map(String::from),
            base_amount: Some(award.amount.minor()),
            multiplier_bp: Some(award.multiplier.get()),
            counterpart: None,
            idem_key: award.idem_key.clone().map(String::from),
            note: None,
            now: DbTime(now),
        })
    }

    pub(crate) fn deduct(deduct: &Deduct, now: Timestamp) -> Self {
        Self {
            user: deduct.user.0,
            amount: -deduct.amount.minor(),
            unheld: 0,
            kind: EntryKind::Spend,
            kind_text: EntryKind::Spend.as_str(),
            source: deduct.source.as_str().to_owned(),
            source_ref: deduct.source_ref.clone().map(String::from),
            description: deduct.description.clone().map(String::from),
            base_amount: None,
            multiplier_bp: None,
            counterpart: None,
            idem_key: deduct.idem_key.clone().map(String::from),
            note: None,
            now: DbTime(now),
        }
    }

    pub(crate) fn adjust(adjustment: &Adjustment, now: Timestamp) -> Self {
        Self {
            user: adjustment.user.0,
            amount: adjustment.amount.minor(),
            unheld: 0,
            kind: EntryKind::Adjustment,
            kind_text: EntryKind::Adjustment.as_str(),
            source: "adjustment".to_owned(),
            source_ref: None,
            description: Some(adjustment.reason.as_str().to_owned()),
            base_amount: None,
            multiplier_bp: None,
            counterpart: Some(adjustment.actor.0),
            idem_key: adjustment.idem_key.clone().map(String::from),
            note: None,
            now: DbTime(now),
        }
    }

    /// What it adds to the lifetime's earnings: rule L5 of the ledger.
    pub(crate) fn earned(&self) -> i64 {
        if self.kind == EntryKind::Award { self.amount } else { 0 }
    }

    /// What it adds to the lifetime's spending: rule L5 of the ledger.
    pub(crate) fn spent(&self) -> i64 {
        match self.kind {
            EntryKind::Spend | EntryKind::HoldCapture => -self.amount,
            _ => 0,
        }
    }

    /// Whether it gives experience.
    pub(crate) fn gives_xp(&self) -> bool {
        self.kind == EntryKind::Award
    }

    /// Whether an entry was written by a request like this one: what the caller chose agrees.
    pub(crate) fn asked_for(&self, row: &EntryRow) -> bool {
        let same_amount = match (self.base_amount, row.base_amount) {
            (Some(asked), Some(stored)) => asked == stored,
            _ => self.amount == row.amount,
        };
        same_amount
            && self.user == row.user_id
            && self.kind.as_str() == row.kind
            && self.source == row.source
            && self.source_ref == row.source_ref
            && self.counterpart == row.counterpart_user_id
    }

    /// Whether two requests ask for the same.
    pub(crate) fn same_request(&self, other: &Self) -> bool {
        (self.user, self.kind, self.base_amount.unwrap_or(self.amount), self.counterpart)
            == (
                other.user,
                other.kind,
                other.base_amount.unwrap_or(other.amount),
                other.counterpart,
            )
            && (&self.source, &self.source_ref) == (&other.source, &other.source_ref)
    }

    /// The row that it wrote.
    pub(crate) fn into_row(self, moved: &Moved) -> EntryRow {
        EntryRow {
            id: moved.entry,
            user_id: self.user,
            seq: moved.seq,
            amount: self.amount,
            balance_after: moved.balance_after,
            kind: self.kind.as_str().to_owned(),
            source: self.source,
            source_ref: self.source_ref,
            description: self.description,
            base_amount: self.base_amount,
            multiplier_bp: self.multiplier_bp,
            counterpart_user_id: self.counterpart,
            transfer_id: None,
            idem_key: self.idem_key,
            created_at: self.now,
        }
    }
}
