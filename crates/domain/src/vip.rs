//! Grants: what makes a member a VIP. The member's standing is their projection.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::id::row_ids;
use crate::ledger::text_enum;
use crate::text::{Description, EntryReference};
use crate::time::Timestamp;
use crate::user::{UserId, Vip};
use crate::violation::{Rule, Violation};

row_ids! {
    /// Identifies a [`VipGrant`]. The store assigns it, ascending.
    VipGrantId;
    /// Identifies what happened to a member's grants. The store assigns it, ascending.
    VipEventId;
}

text_enum! {
    /// Where a grant comes from.
    VipSource("source") {
        /// A subscription.
        Subscription = "subscription",
        /// A badge.
        Badge = "badge",
        /// A token.
        Token = "token",
        /// A promotion.
        Promotion = "promotion",
        /// An administrator.
        Admin = "admin",
        /// Another system.
        Import = "import",
    }
}

text_enum! {
    /// What happened to a member's grants.
    VipEventKind("kind") {
        /// A member became a VIP.
        Grant = "grant",
        /// A VIP stays one for longer, or has one more reason.
        Extend = "extend",
        /// A grant was taken back.
        Revoke = "revoke",
        /// A grant came to its end.
        Expire = "expire",
    }
}

/// How long a badge makes its holder a VIP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum VipTerm {
    /// So many days, 1 to [`VipTerm::DAYS_MAX`].
    Days(u32),
    /// For ever.
    Lifetime,
}

impl VipTerm {
    /// The most days: a hundred years.
    pub const DAYS_MAX: u32 = 36_525;

    /// Days, or lifetime for `None`.
    pub fn of_days(days: Option<u32>) -> Result<Self, Violation> {
        let term = days.map_or(Self::Lifetime, Self::Days);
        term.check()?;
        Ok(term)
    }

    /// Refuses no day at all, and more than [`Self::DAYS_MAX`].
    pub fn check(self) -> Result<(), Violation> {
        match self {
            Self::Days(0) | Self::Days(Self::DAYS_BEYOND..) => {
                let rule = Rule::OutOfRange { min: 1, max: i64::from(Self::DAYS_MAX) };
                Err(Violation::new("vip_duration_days", rule))
            }
            Self::Days(_) | Self::Lifetime => Ok(()),
        }
    }

    const DAYS_BEYOND: u32 = Self::DAYS_MAX + 1;

    /// The number of days; `None` for ever.
    #[must_use]
    pub const fn days(self) -> Option<u32> {
        match self {
            Self::Days(days) => Some(days),
            Self::Lifetime => None,
        }
    }

    /// The end of a grant that is given at `now` to a member of this standing: it begins where the
    /// standing ends. `None` for ever.
    #[must_use]
    pub fn end(self, standing: Vip, now: Timestamp) -> Option<Timestamp> {
        let from = match standing {
            Vip::Until(end) => end.max(now),
            Vip::None | Vip::Lifetime => now,
        };
        self.days().map(|days| from.plus(Duration::from_secs(u64::from(days) * 86_400)))
    }
}

/// What makes a member a VIP.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct VipGrant {
    /// The id.
    pub id: VipGrantId,
    /// Whose.
    pub user: UserId,
    /// Where it comes from.
    pub source: VipSource,
    /// The thing within its source: unique in it while the grant is not revoked.
    pub source_ref: Option<EntryReference>,
    /// Since when.
    pub granted_at: Timestamp,
    /// Until when, exclusively; `None` for ever.
    pub expires_at: Option<Timestamp>,
    /// When it was taken back.
    pub revoked_at: Option<Timestamp>,
    /// Why it was taken back.
    pub revoked_reason: Option<Description>,
    /// What else is remembered.
    pub notes: Option<Description>,
}

impl VipGrant {
    /// The standing that it gives by itself at `now`: none when it is revoked or over.
    #[must_use]
    pub fn standing(&self, now: Timestamp) -> Vip {
        match (self.revoked_at, self.expires_at) {
            (Some(_), _) => Vip::None,
            (None, None) => Vip::Lifetime,
            (None, Some(end)) if end > now => Vip::Until(end),
            (None, Some(_)) => Vip::None,
        }
    }
}

impl Vip {
    /// The longest standing that any of the grants gives at `now`.
    #[must_use]
    pub fn granted(grants: &[VipGrant], now: Timestamp) -> Self {
        grants.iter().fold(Self::None, |longest, grant| longest.longest(grant.standing(now)))
    }

    /// The standing after the grants of a member changed from giving `before` to giving `after`.
    /// What goes beyond `before` was never granted but brought along from elsewhere, and stays.
    #[must_use]
    pub fn regranted(self, before: Self, after: Self) -> Self {
        if self.longest(before) == before { after } else { self.longest(after) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn grant(expires_at: Option<Timestamp>) -> VipGrant {
        VipGrant {
            id: VipGrantId(1),
            user: UserId(1),
            source: VipSource::Badge,
            source_ref: None,
            granted_at: Timestamp::EPOCH,
            expires_at,
            revoked_at: None,
            revoked_reason: None,
            notes: None,
        }
    }

    #[test]
    fn a_term_begins_where_the_standing_ends() {
        let (now, later) = (at("2026-01-01T00:00:00Z"), at("2026-02-01T00:00:00Z"));
        let ten = VipTerm::Days(10);
        assert_eq!(ten.end(Vip::None, now), Some(at("2026-01-11T00:00:00Z")));
        assert_eq!(ten.end(Vip::Until(later), now), Some(at("2026-02-11T00:00:00Z")));
        assert_eq!(ten.end(Vip::Until(now), later), Some(at("2026-02-11T00:00:00Z")));
        assert_eq!(VipTerm::Lifetime.end(Vip::Until(later), now), None);
        assert!(VipTerm::of_days(Some(0)).is_err() && VipTerm::of_days(Some(36_526)).is_err());
        assert_eq!(VipTerm::of_days(None), Ok(VipTerm::Lifetime));
    }

    #[test]
    fn the_standing_is_the_longest_active_grant() {
        let (now, end) = (at("2026-01-01T00:00:00Z"), at("2026-02-01T00:00:00Z"));
        let limited = grant(Some(end));
        let over = grant(Some(now));
        let revoked = VipGrant { revoked_at: Some(now), ..grant(None) };
        let grants = [over, limited, revoked];
        assert_eq!(Vip::granted(&grants, now), Vip::Until(end));
        assert_eq!(Vip::granted(&grants, end), Vip::None);
        assert_eq!(Vip::granted(&[grant(None)], end), Vip::Lifetime);
    }

    #[test]
    fn what_no_grant_explains_stays() {
        let until = |text| Vip::Until(at(text));
        let (short, long) = (until("2026-01-01T00:00:00Z"), until("2026-02-01T00:00:00Z"));
        assert_eq!(long.regranted(long, short), short);
        assert_eq!(long.regranted(short, Vip::None), long);
        assert_eq!(Vip::Lifetime.regranted(long, Vip::None), Vip::Lifetime);
        assert_eq!(short.regranted(Vip::None, long), long);
        assert_eq!(Vip::None.regranted(Vip::None, Vip::None), Vip::None);
    }
}
