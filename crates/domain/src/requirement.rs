//! Requirements: what a member must have or be before a piece of the story opens.

use std::collections::BTreeSet;
use std::fmt;

use crate::amount::{Amount, Points};
use crate::badge::BadgeId;
use crate::text::Slug;
use crate::time::Timestamp;
use crate::user::{Role, UserId, Vip};
use crate::violation::{Rule, Violation};

/// One condition on a member. Of several, all must hold.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Requirement {
    /// Has found this piece of lore, by its code.
    Lore(Slug),
    /// Has at least this role: an administrator also counts as a VIP.
    Role(Role),
    /// Has a VIP standing of their own at that instant; being an administrator is not enough.
    Vip,
    /// Has this balance, held points included. Nothing is spent.
    Points(Amount),
    /// Has reached this level, at least 1.
    Level(u32),
    /// Has completed this mission, in whatever period.
    Mission(Slug),
    /// Has completed this fragment.
    Fragment(Slug),
    /// Holds this badge.
    Badge(BadgeId),
    /// Has unlocked this achievement.
    Achievement(Slug),
}

impl Requirement {
    /// The most requirements of one thing.
    pub const COUNT_MAX: usize = 20;

    /// The stored name of the kind: `lore`, `role`, `vip`, `points`, `level`, `mission`,
    /// `fragment`, `badge`, `achievement`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Lore(_) => "lore",
            Self::Role(_) => "role",
            Self::Vip => "vip",
            Self::Points(_) => "points",
            Self::Level(_) => "level",
            Self::Mission(_) => "mission",
            Self::Fragment(_) => "fragment",
            Self::Badge(_) => "badge",
            Self::Achievement(_) => "achievement",
        }
    }

    /// Which one, as text; a VIP standing, points and levels have none.
    #[must_use]
    pub fn key(&self) -> Option<String> {
        match self {
            Self::Lore(slug)
            | Self::Mission(slug)
            | Self::Fragment(slug)
            | Self::Achievement(slug) => Some(slug.to_string()),
            Self::Role(role) => Some(role.to_string()),
            Self::Badge(id) => Some(id.to_string()),
            Self::Vip | Self::Points(_) | Self::Level(_) => None,
        }
    }

    /// How much: minor units of points, or the number of the level.
    #[must_use]
    pub fn amount(&self) -> Option<i64> {
        match self {
            Self::Points(amount) => Some(amount.minor()),
            Self::Level(level) => Some(i64::from(*level)),
            _ => None,
        }
    }

    /// Puts a stored requirement together again. An unknown kind, or a kind with a part too many
    /// or too few, is refused: a condition that nobody can check must never count as met.
    pub fn from_parts(
        kind: &str,
        key: Option<&str>,
        amount: Option<i64>,
    ) -> Result<Self, Violation> {
        let refused = |expected| Violation::new("requirement", Rule::Malformed { expected });
        match (kind, key, amount) {
            ("lore", Some(key), None) => Slug::parse(key).map(Self::Lore),
            ("role", Some(key), None) => key.parse().map(Self::Role),
            ("vip", None, None) => Ok(Self::Vip),
            ("points", None, Some(minor)) => Amount::from_minor(minor).map(Self::Points),
            ("level", None, Some(level)) => u32::try_from(level)
                .ok()
                .filter(|level| *level > 0)
                .map(Self::Level)
                .ok_or_else(|| refused("a level of at least 1")),
            ("mission", Some(key), None) => Slug::parse(key).map(Self::Mission),
            ("fragment", Some(key), None) => Slug::parse(key).map(Self::Fragment),
            ("badge", Some(key), None) => {
                let id = key.parse().ok().filter(|id| *id > 0).map(|id| Self::Badge(BadgeId(id)));
                id.ok_or_else(|| refused("the id of a badge"))
            }
            ("achievement", Some(key), None) => Slug::parse(key).map(Self::Achievement),
            _ => Err(refused(
                "lore, role, mission, fragment, badge or achievement by key; points or level with \
                 an amount; or vip alone",
            )),
        }
    }

    /// Refuses more than [`Self::COUNT_MAX`] of them, one that stands twice, and level 0.
    pub fn check(requirements: &[Self]) -> Result<(), Violation> {
        const FIELD: &str = "requirements";
        if requirements.len() > Self::COUNT_MAX {
            return Err(Violation::new(FIELD, Rule::TooLong { max: Self::COUNT_MAX }));
        }
        if requirements.contains(&Self::Level(0)) {
            let rule = Rule::OutOfRange { min: 1, max: i64::from(u32::MAX) };
            return Err(Violation::new("level", rule));
        }
        for (index, requirement) in requirements.iter().enumerate() {
            if requirements[..index].contains(requirement) {
                return Err(Violation::new(FIELD, Rule::Duplicate));
            }
        }
        Ok(())
    }

    /// Several in words, for the error that names what is missing: `level 5, lore map`.
    #[must_use]
    pub fn describe(requirements: &[Self]) -> String {
        let words: Vec<String> = requirements.iter().map(ToString::to_string).collect();
        words.join(", ")
    }
}

impl fmt::Display for Requirement {
    /// `lore map`, `level 5`, `points 12.50`, `vip`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind())?;
        match self {
            Self::Points(amount) => write!(f, " {amount}"),
            Self::Level(level) => write!(f, " {level}"),
            _ => self.key().map_or(Ok(()), |key| write!(f, " {key}")),
        }
    }
}

/// What requirements look at in a member. A set holds what the member has of those that were asked
/// for, which need not be all that the member has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The member.
    pub user: UserId,
    /// Whether the member administers the community.
    pub is_admin: bool,
    /// The VIP standing.
    pub vip: Vip,
    /// All points, held ones included.
    pub balance: Points,
    /// What holds keep back: only the rest can be spent.
    pub held: Points,
    /// The level reached.
    pub level: u32,
    /// Codes of lore found.
    pub lore: BTreeSet<Slug>,
    /// Missions completed.
    pub missions: BTreeSet<Slug>,
    /// Fragments completed.
    pub fragments: BTreeSet<Slug>,
    /// Badges held.
    pub badges: BTreeSet<BadgeId>,
    /// Achievements unlocked.
    pub achievements: BTreeSet<Slug>,
}

impl Standing {
    /// The role at `now`.
    #[must_use]
    pub fn role(&self, now: Timestamp) -> Role {
        match (self.is_admin, self.vip.is_active(now)) {
            (true, _) => Role::Admin,
            (false, true) => Role::Vip,
            (false, false) => Role::Free,
        }
    }

    /// Whether one requirement holds at `now`.
    #[must_use]
    pub fn meets(&self, requirement: &Requirement, now: Timestamp) -> bool {
        match requirement {
            Requirement::Lore(code) => self.lore.contains(code),
            Requirement::Role(role) => self.role(now) >= *role,
            Requirement::Vip => self.vip.is_active(now),
            Requirement::Points(amount) => self.balance >= amount.points(),
            Requirement::Level(level) => self.level >= *level,
            Requirement::Mission(id) => self.missions.contains(id),
            Requirement::Fragment(id) => self.fragments.contains(id),
            Requirement::Badge(id) => self.badges.contains(id),
            Requirement::Achievement(id) => self.achievements.contains(id),
        }
    }
}

/// Those of `requirements` that do not hold at `now`, in their order.
#[must_use]
pub fn unmet(
    requirements: &[Requirement],
    standing: &Standing,
    now: Timestamp,
) -> Vec<Requirement> {
    requirements.iter().filter(|wanted| !standing.meets(wanted, now)).cloned().collect()
}

/// Whether a member may go somewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// Whether it is there, is active, and every requirement holds.
    pub allowed: bool,
    /// The requirements that do not hold; empty also for what is absent or inactive.
    pub unmet: Vec<Requirement>,
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn slug(text: &str) -> Slug {
        Slug::parse(text).unwrap()
    }

    fn points(whole: i64) -> Amount {
        Amount::whole(whole).unwrap()
    }

    fn nobody() -> Standing {
        Standing {
            user: UserId(1),
            is_admin: false,
            vip: Vip::None,
            balance: Points::ZERO,
            held: Points::ZERO,
            level: 1,
            lore: BTreeSet::new(),
            missions: BTreeSet::new(),
            fragments: BTreeSet::new(),
            badges: BTreeSet::new(),
            achievements: BTreeSet::new(),
        }
    }

    fn every_kind() -> Vec<Requirement> {
        vec![
            Requirement::Lore(slug("map")),
            Requirement::Role(Role::Vip),
            Requirement::Vip,
            Requirement::Points(points(10)),
            Requirement::Level(3),
            Requirement::Mission(slug("scout")),
            Requirement::Fragment(slug("gate")),
            Requirement::Badge(BadgeId(7)),
            Requirement::Achievement(slug("first")),
        ]
    }

    #[test]
    fn parts_make_the_same_requirement_again() {
        for wanted in every_kind() {
            let key = wanted.key();
            let again = Requirement::from_parts(wanted.kind(), key.as_deref(), wanted.amount());
            assert_eq!(again.unwrap(), wanted);
        }
        for (kind, key, amount) in [
            ("luck", None, None),
            ("vip", Some("x"), None),
            ("points", None, None),
            ("points", None, Some(0)),
            ("level", None, Some(0)),
            ("level", None, Some(1 << 33)),
            ("role", Some("king"), None),
            ("badge", Some("-1"), None),
            ("lore", Some("A map"), None),
            ("lore", Some("map"), Some(1)),
        ] {
            assert!(Requirement::from_parts(kind, key, amount).is_err(), "{kind}");
        }
    }

    #[test]
    fn what_is_not_met_is_named_in_order() {
        let now = Timestamp::EPOCH;
        let standing = nobody();
        assert_eq!(unmet(&every_kind(), &standing, now), every_kind());
        let everything = Standing {
            vip: Vip::Until(now.plus(Duration::from_micros(1))),
            balance: points(10).points(),
            held: points(10).points(),
            level: 3,
            lore: BTreeSet::from([slug("map")]),
            missions: BTreeSet::from([slug("scout")]),
            fragments: BTreeSet::from([slug("gate")]),
            badges: BTreeSet::from([BadgeId(7)]),
            achievements: BTreeSet::from([slug("first")]),
            ..standing
        };
        assert_eq!(unmet(&every_kind(), &everything, now), []);
        let later = now.plus(Duration::from_micros(1));
        let lapsed = [Requirement::Role(Role::Vip), Requirement::Vip];
        assert_eq!(unmet(&every_kind(), &everything, later), lapsed);
        assert_eq!(Requirement::describe(&lapsed), "role vip, vip");
    }

    #[test]
    fn an_administrator_has_every_role_but_no_vip_standing() {
        let admin = Standing { is_admin: true, ..nobody() };
        let role = |role| Requirement::Role(role);
        let wanted = [role(Role::Free), role(Role::Vip), role(Role::Admin), Requirement::Vip];
        assert_eq!(unmet(&wanted, &admin, Timestamp::EPOCH), [Requirement::Vip]);
    }

    #[test]
    fn a_list_is_bounded_and_holds_nothing_twice() {
        assert!(Requirement::check(&every_kind()).is_ok());
        let twice = vec![Requirement::Vip, Requirement::Vip];
        assert_eq!(Requirement::check(&twice).unwrap_err().rule, Rule::Duplicate);
        let many: Vec<_> = (1..=21).map(Requirement::Level).collect();
        assert_eq!(Requirement::check(&many).unwrap_err().rule, Rule::TooLong { max: 20 });
        assert!(Requirement::check(&[Requirement::Level(0)]).is_err());
    }
}
