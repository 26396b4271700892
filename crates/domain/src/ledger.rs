//! The ledger: every movement of points, for ever, and the rules that prove it whole.

use std::fmt;
use std::str::FromStr;

use crate::amount::{Amount, BasisPoints, Points};
use crate::text::{Description, EntryReference, IdemKey, Source};
use crate::time::Timestamp;
use crate::user::{EntryId, UserId};
use crate::violation::{Rule, Violation};

macro_rules! text_enum {
    ($(#[$doc:meta])* $name:ident($field:literal) {
        $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)+
    }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
        #[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)+
        }

        impl $name {
            /// Every variant.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The stored and shown text.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = Violation;
            fn from_str(raw: &str) -> Result<Self, Violation> {
                match raw {
                    $($text => Ok(Self::$variant),)+
                    _ => {
                        let expected = concat!("one of" $(, " ", $text)+);
                        Err(Violation::new($field, Rule::Malformed { expected }))
                    }
                }
            }
        }
    };
}
pub(crate) use text_enum;

text_enum! {
    /// Why a balance moved.
    EntryKind("kind") {
        /// Earned; the only kind that gives experience.
        Award = "award",
        /// Spent.
        Spend = "spend",
        /// Received from another member.
        TransferIn = "transfer_in",
        /// Sent to another member.
        TransferOut = "transfer_out",
        /// A hold taken for good; counts as spent.
        HoldCapture = "hold_capture",
        /// An earlier entry taken back.
        Refund = "refund",
        /// Set right by an administrator.
        Adjustment = "adjustment",
        /// Brought from another system where its own ledger did not explain the balance.
        Import = "import",
    }
}

/// Joins the two entries of a transfer: a random UUID.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(transparent))]
pub struct TransferId(String);

impl TransferId {
    /// A version 4 UUID (RFC 9562) of 128 random bits.
    #[must_use]
    pub fn from_bits(high: u64, low: u64) -> Self {
        let bits = (u128::from(high) << 64 | u128::from(low))
            & 0xffff_ffff_ffff_0fff_3fff_ffff_ffff_ffff
            | 0x0000_0000_0000_4000_8000_0000_0000_0000;
        let hex = format!("{bits:032x}");
        let (a, b, c, d, e) = (&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]);
        Self(format!("{a}-{b}-{c}-{d}-{e}"))
    }

    /// Reads the 36 characters of a stored id.
    pub fn parse(raw: &str) -> Result<Self, Violation> {
        let hyphens = raw.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        });
        if raw.len() == 36 && hyphens {
            Ok(Self(raw.to_ascii_lowercase()))
        } else {
            Err(Violation::new("transfer_id", Rule::Malformed { expected: "a UUID" }))
        }
    }

    /// The 36 characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One movement of one balance. Never changed and never deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct PointEntry {
    /// Ascending in order of writing, over all members.
    pub id: EntryId,
    /// Whose balance.
    pub user: UserId,
    /// 1, 2, 3 … without a gap within the member.
    pub seq: i64,
    /// By how much; never zero.
    pub amount: Points,
    /// The balance from then on.
    pub balance_after: Points,
    /// Why.
    pub kind: EntryKind,
    /// What for.
    pub source: Source,
    /// The thing within the source.
    pub source_ref: Option<EntryReference>,
    /// In words.
    pub description: Option<Description>,
    /// Before the multiplier, where there was one to apply.
    pub base_amount: Option<Amount>,
    /// The multiplier applied.
    pub multiplier: Option<BasisPoints>,
    /// The other member of a transfer.
    pub counterpart: Option<UserId>,
    /// Joins the two entries of a transfer.
    pub transfer: Option<TransferId>,
    /// The caller's once-only key.
    pub idem_key: Option<IdemKey>,
    /// When.
    pub created_at: Timestamp,
}

/// The rules of the ledger, as [`LedgerBreak`] names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum LedgerRule {
    /// The balance is the sum of the entries.
    L1,
    /// Entries are numbered 1, 2, 3 … and each balance follows from the one before.
    L2,
    /// No balance is negative or less than what is held.
    L3,
    /// What is held is the sum of the active holds.
    L4,
    /// Lifetime earned and spent are the sums of their entries.
    L5,
    /// No balance, entry or hold stands without its counterpart, unless the counterpart's member was
    /// purged.
    L6,
}

impl fmt::Display for LedgerRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

/// A broken rule and whose ledger breaks it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct LedgerBreak {
    /// The member.
    pub user: UserId,
    /// The rule.
    pub rule: LedgerRule,
    /// What was found and what should be, in minor units.
    pub detail: String,
}

/// What an audit of some ledgers found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LedgerReport {
    /// Members audited.
    pub members: u64,
    /// Entries read.
    pub entries: u64,
    /// What is broken, by member and rule.
    pub breaks: Vec<LedgerBreak>,
    /// Where the next page begins; `None` when all are done.
    pub next: Option<UserId>,
}

impl LedgerReport {
    /// Whether nothing is broken.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.breaks.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transfer_ids_are_version_4_uuids() {
        let id = TransferId::from_bits(u64::MAX, 0);
        assert_eq!(id.as_str(), "ffffffff-ffff-4fff-8000-000000000000");
        assert_eq!(TransferId::parse(id.as_str()).unwrap(), id);
        assert!(TransferId::parse("ffffffff-ffff-4fff-8000-00000000000g").is_err());
    }

    #[test]
    fn kinds_round_trip_as_text() {
        for kind in EntryKind::ALL {
            assert_eq!(kind.as_str().parse::<EntryKind>().unwrap(), *kind);
        }
        assert!("gift".parse::<EntryKind>().is_err());
    }
}
