//! Badges: marks of honour that may make a member a VIP.

use std::fmt;
use std::str::FromStr;

use crate::achievement::Tier;
use crate::amount::BasisPoints;
use crate::id::row_ids;
use crate::ledger::text_enum;
use crate::metric::{Metric, MetricSnapshot};
use crate::text::{Description, Icon, Label, Source, Summary, Url};
use crate::time::Timestamp;
use crate::user::{Patch, UserId};
use crate::violation::{Rule, Violation};
use crate::vip::{VipGrantId, VipTerm};

row_ids! {
    /// Identifies a badge. The store assigns it, ascending.
    BadgeId;
    /// Identifies a badge in a member's hands. The store assigns it, ascending.
    UserBadgeId;
    /// Identifies that a badge was given or taken. The store assigns it, ascending.
    BadgeEventId;
}

/// What earns a badge by itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct BadgeRule {
    /// What is looked at.
    pub metric: Metric,
    /// From where on, in units of the metric: points and experience in minor units.
    pub threshold: i64,
}

impl BadgeRule {
    /// Whether these metrics earn the badge; never one that was not measured.
    #[must_use]
    pub fn holds(&self, metrics: &MetricSnapshot) -> bool {
        metrics.value(&self.metric).is_some_and(|value| value >= self.threshold)
    }
}

/// A badge that is to be defined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewBadge {
    /// What it is called; unique without regard to case.
    pub name: Label,
    /// What it honours.
    pub description: Option<Summary>,
    /// A symbol that the application knows.
    pub icon: Option<Icon>,
    /// An emoji.
    pub emoji: Option<Icon>,
    /// Its rank.
    pub tier: Tier,
    /// What earns it; without a rule it is only given by hand.
    pub rule: Option<BadgeRule>,
    /// How long it makes its holder a VIP; `None` for not at all.
    pub vip: Option<VipTerm>,
    /// Whether the application grants its holder permissions by itself.
    pub auto_permissions: bool,
    /// Whether it can be taken back.
    pub revocable: bool,
    /// Whether it can be given.
    pub is_active: bool,
}

impl NewBadge {
    /// A badge of no rank that is given by hand, can be taken back, and makes nobody a VIP.
    #[must_use]
    pub const fn new(name: Label) -> Self {
        Self {
            name,
            description: None,
            icon: None,
            emoji: None,
            tier: Tier::None,
            rule: None,
            vip: None,
            auto_permissions: false,
            revocable: true,
            is_active: true,
        }
    }

    /// Refuses a VIP term out of range.
    pub fn check(&self) -> Result<(), Violation> {
        self.vip.map_or(Ok(()), VipTerm::check)
    }
}

/// A badge.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Badge {
    /// The id.
    pub id: BadgeId,
    /// What it is called; unique without regard to case.
    pub name: Label,
    /// What it honours.
    pub description: Option<Summary>,
    /// A symbol that the application knows.
    pub icon: Option<Icon>,
    /// An emoji.
    pub emoji: Option<Icon>,
    /// Its rank.
    pub tier: Tier,
    /// What earns it; without a rule it is only given by hand.
    pub rule: Option<BadgeRule>,
    /// How long it makes its holder a VIP; `None` for not at all.
    pub vip: Option<VipTerm>,
    /// Whether the application grants its holder permissions by itself.
    pub auto_permissions: bool,
    /// Whether it can be taken back.
    pub revocable: bool,
    /// Whether it can be given. Who has it keeps it.
    pub is_active: bool,
    /// When it was defined.
    pub created_at: Timestamp,
    /// Starts at 1, one more with each update.
    pub version: i64,
}

impl Badge {
    /// Whether these metrics earn it. A badge without a rule is never earned.
    #[must_use]
    pub fn qualifies(&self, metrics: &MetricSnapshot) -> bool {
        self.rule.as_ref().is_some_and(|rule| rule.holds(metrics))
    }
}

/// Changes of a badge. The default changes nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BadgePatch {
    /// What it is called.
    pub name: Option<Label>,
    /// What it honours.
    pub description: Patch<Summary>,
    /// A symbol that the application knows.
    pub icon: Patch<Icon>,
    /// An emoji.
    pub emoji: Patch<Icon>,
    /// Its rank.
    pub tier: Option<Tier>,
    /// What earns it. Who has it keeps it.
    pub rule: Patch<BadgeRule>,
    /// How long it makes its holders a VIP from now on; grants that were given stay.
    pub vip: Patch<VipTerm>,
    /// Whether the application grants its holder permissions by itself.
    pub auto_permissions: Option<bool>,
    /// Whether it can be taken back.
    pub revocable: Option<bool>,
    /// Whether it can be given.
    pub is_active: Option<bool>,
}

impl BadgePatch {
    /// Whether it changes nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The badge after this change, one version on. Refuses what [`NewBadge::check`] refuses.
    pub fn applied_to(self, mut badge: Badge) -> Result<Badge, Violation> {
        badge.name = self.name.unwrap_or(badge.name);
        self.description.apply(&mut badge.description);
        self.icon.apply(&mut badge.icon);
        self.emoji.apply(&mut badge.emoji);
        badge.tier = self.tier.unwrap_or(badge.tier);
        self.rule.apply(&mut badge.rule);
        self.vip.apply(&mut badge.vip);
        badge.auto_permissions = self.auto_permissions.unwrap_or(badge.auto_permissions);
        badge.revocable = self.revocable.unwrap_or(badge.revocable);
        badge.is_active = self.is_active.unwrap_or(badge.is_active);
        badge.version += 1;
        badge.vip.map_or(Ok(()), VipTerm::check)?;
        Ok(badge)
    }
}

/// That a member is given a badge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadgeAward {
    /// To whom.
    pub user: UserId,
    /// Which.
    pub badge: BadgeId,
    /// By whom; `None` for a rule or a reward.
    pub by: Option<UserId>,
    /// What for: `rule`, `mission`, `admin`.
    pub source: Source,
    /// Why, in words.
    pub reason: Option<Description>,
}

/// That a member has a badge.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct UserBadge {
    /// The id.
    pub id: UserBadgeId,
    /// Who has it.
    pub user: UserId,
    /// Which.
    pub badge: BadgeId,
    /// Since when.
    pub awarded_at: Timestamp,
    /// By whom; `None` for a rule or a reward.
    pub awarded_by: Option<UserId>,
    /// What for.
    pub source: Source,
    /// The grant that came with it.
    pub vip_grant: Option<VipGrantId>,
}

/// A badge that a member has.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct HeldBadge {
    /// The badge as it is defined now.
    pub badge: Badge,
    /// How the member came by it.
    pub held: UserBadge,
}

/// Who has a badge, and since when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct BadgeHolder {
    /// The member.
    pub user: UserId,
    /// Since when.
    pub awarded_at: Timestamp,
}

text_enum! {
    /// What happened to a badge in a member's hands.
    BadgeEventKind("kind") {
        /// It was given.
        Awarded = "awarded",
        /// It was taken.
        Revoked = "revoked",
    }
}

/// That a badge was given or taken: written once, kept for ever.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct BadgeEvent {
    /// The id.
    pub id: BadgeEventId,
    /// The member.
    pub user: UserId,
    /// The badge.
    pub badge: BadgeId,
    /// What happened.
    pub kind: BadgeEventKind,
    /// Who did it; `None` for a rule or a reward.
    pub actor: Option<UserId>,
    /// Why, in words.
    pub reason: Option<Description>,
    /// When.
    pub at: Timestamp,
}

/// A badge that somebody was given lately.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct RecentBadge {
    /// How the member came by it.
    pub held: UserBadge,
    /// The member's shown name.
    pub user_name: String,
    /// Address of the member's picture.
    pub avatar_url: Option<Url>,
    /// What the badge is called.
    pub name: Label,
    /// The badge's emoji.
    pub emoji: Option<Icon>,
}

/// One badge among active members.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct BadgeStatistics {
    /// Which.
    pub badge: BadgeId,
    /// Active members who have it.
    pub holders: u64,
    /// Their share of all active members.
    pub rate: BasisPoints,
    /// How often it was given, to anybody.
    pub awarded: u64,
    /// How often it was taken, from anybody.
    pub revoked: u64,
    /// When the first of today's holders was given it.
    pub first_awarded_at: Option<Timestamp>,
    /// When the last of today's holders was given it.
    pub last_awarded_at: Option<Timestamp>,
}

/// A member's badges in short.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct UserBadgeStatistics {
    /// Whose.
    pub user: UserId,
    /// How many the member has.
    pub total: u64,
    /// Those that were given by hand.
    pub by_hand: u64,
    /// Those that came with a VIP grant.
    pub with_vip: u64,
    /// The same as `total` by tier.
    pub by_tier: crate::TierCounts,
    /// How often one was taken.
    pub revoked: u64,
    /// When the last one was given that the member has.
    pub last_awarded_at: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn badge() -> Badge {
        let new = NewBadge::new(Label::parse("Helper").unwrap());
        Badge {
            id: BadgeId(1),
            name: new.name,
            description: None,
            icon: None,
            emoji: None,
            tier: new.tier,
            rule: None,
            vip: None,
            auto_permissions: false,
            revocable: true,
            is_active: true,
            created_at: Timestamp::EPOCH,
            version: 1,
        }
    }

    #[test]
    fn a_patch_changes_what_it_names_and_checks_the_rest() {
        let rule = BadgeRule { metric: Metric::parse("level").unwrap(), threshold: 5 };
        let patch = BadgePatch {
            rule: Patch::Set(rule.clone()),
            vip: Patch::Set(VipTerm::Lifetime),
            ..BadgePatch::default()
        };
        let changed = patch.applied_to(badge()).unwrap();
        assert_eq!((changed.rule, changed.vip), (Some(rule), Some(VipTerm::Lifetime)));
        assert_eq!((changed.version, changed.revocable), (2, true));
        let wrong = BadgePatch { vip: Patch::Set(VipTerm::Days(0)), ..BadgePatch::default() };
        assert_eq!(wrong.applied_to(badge()).unwrap_err().field, "vip_duration_days");
        assert!(BadgePatch::default().is_empty());
    }
}
