//! Holds: points kept back for a purpose.

use std::fmt;
use std::str::FromStr;

use crate::amount::Amount;
use crate::ledger::text_enum;
use crate::text::{EntryReference, HoldReason};
use crate::time::Timestamp;
use crate::user::{HoldId, UserId};
use crate::violation::{Rule, Violation};

/// Points to be kept back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HoldRequest {
    /// Whose.
    pub user: UserId,
    /// How much.
    pub amount: Amount,
    /// What for.
    pub reason: HoldReason,
    /// The thing within the reason. One active hold a member, reason and thing.
    pub reference: EntryReference,
    /// When it lapses, if ever.
    pub expires_at: Option<Timestamp>,
}

text_enum! {
    /// Where a hold stands.
    HoldStatus("status") {
        /// Keeping points back.
        Active = "active",
        /// Taken for good.
        Captured = "captured",
        /// Given back.
        Released = "released",
        /// Given back because its time was over.
        Expired = "expired",
    }
}

/// Points kept back until captured, released or expired.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct PointHold {
    /// The id.
    pub id: HoldId,
    /// Whose points.
    pub user: UserId,
    /// How many.
    pub amount: Amount,
    /// What for.
    pub reason: HoldReason,
    /// The thing within the reason.
    pub reference: EntryReference,
    /// Where it stands.
    pub status: HoldStatus,
    /// When it lapses.
    pub expires_at: Option<Timestamp>,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was captured, released or expired.
    pub settled_at: Option<Timestamp>,
}
