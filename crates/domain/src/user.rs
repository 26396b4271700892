//! Members: who they are.

use std::fmt;
use std::str::FromStr;

use crate::external::{ExternalAccount, NewExternal};
use crate::id::row_ids;
use crate::point::PointAccount;
use crate::ranking::RankInfo;
use crate::text::{
    Bio, DisplayName, Email, LanguageTag, MatchId, PersonName, Phone, UiState, Url, Username,
};
use crate::time::Timestamp;
use crate::violation::{Rule, Violation};

row_ids! {
    /// Identifies a [`User`]. The store assigns it, ascending; ids of other systems are external
    /// accounts.
    UserId;
    /// Identifies a [`PointEntry`](crate::PointEntry). The store assigns it, ascending.
    EntryId;
    /// Identifies a [`PointHold`](crate::PointHold). The store assigns it, ascending.
    HoldId;
}

/// Whether and how long a member is a VIP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Vip {
    /// Not, and never was or no record of it is kept here.
    #[default]
    None,
    /// Until this instant, exclusively. It may be past.
    Until(Timestamp),
    /// For ever.
    Lifetime,
}

impl Vip {
    /// Whether it holds at `now`.
    #[must_use]
    pub fn is_active(self, now: Timestamp) -> bool {
        match self {
            Self::None => false,
            Self::Until(end) => end > now,
            Self::Lifetime => true,
        }
    }

    /// The longer of two.
    #[must_use]
    pub fn longest(self, other: Self) -> Self {
        match (self, other) {
            (Self::Lifetime, _) | (_, Self::Lifetime) => Self::Lifetime,
            (Self::Until(a), Self::Until(b)) => Self::Until(a.max(b)),
            (Self::None, vip) | (vip, Self::None) => vip,
        }
    }
}

/// What a member may do, derived at an instant and never stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Role {
    /// Everybody.
    Free,
    /// VIP at that instant.
    Vip,
    /// Administrator; outranks VIP.
    Admin,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Free => "free",
            Self::Vip => "vip",
            Self::Admin => "admin",
        })
    }
}

impl FromStr for Role {
    type Err = Violation;
    fn from_str(raw: &str) -> Result<Self, Violation> {
        match raw {
            "free" => Ok(Self::Free),
            "vip" => Ok(Self::Vip),
            "admin" => Ok(Self::Admin),
            _ => {
                let expected = "one of free, vip, admin";
                Err(Violation::new("role", Rule::Malformed { expected }))
            }
        }
    }
}

/// A member of the community.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct User {
    /// The internal id.
    pub id: UserId,
    /// Unique without regard to case.
    pub username: Option<Username>,
    /// First name.
    pub first_name: Option<PersonName>,
    /// Last name.
    pub last_name: Option<PersonName>,
    /// The name the member chose.
    pub display_name: Option<DisplayName>,
    /// A few words about the member.
    pub bio: Option<Bio>,
    /// Address of a picture.
    pub avatar_url: Option<Url>,
    /// Unique without regard to case.
    pub email: Option<Email>,
    /// Whether the address was proved.
    pub email_verified: bool,
    /// Unique.
    pub phone: Option<Phone>,
    /// Whether the number was proved.
    pub phone_verified: bool,
    /// Preferred language.
    pub language: LanguageTag,
    /// Whether the member administers the community.
    pub is_admin: bool,
    /// Inactive members are left out of every list unless asked for.
    pub is_active: bool,
    /// Whether notices may be sent.
    pub notifications_enabled: bool,
    /// VIP standing.
    pub vip: Vip,
    /// Where the member stands in the application's menus.
    pub ui_state: UiState,
    /// The match last looked at.
    pub last_checked_match_id: Option<MatchId>,
    /// Requests ever made.
    pub total_requests: u64,
    /// Last sign of life.
    pub last_active_at: Option<Timestamp>,
    /// Last login.
    pub last_login_at: Option<Timestamp>,
    /// When a reminder last went out.
    pub last_reminder_sent_at: Option<Timestamp>,
    /// Registration.
    pub created_at: Timestamp,
    /// Last change of this row.
    pub updated_at: Timestamp,
    /// When the member was deleted; the row stays, without anything personal.
    pub deleted_at: Option<Timestamp>,
    /// Starts at 1, one more with each update.
    pub version: i64,
}

impl User {
    /// The role at `now`: administrator, else VIP while it lasts, else free.
    #[must_use]
    pub fn role(&self, now: Timestamp) -> Role {
        if self.is_admin {
            Role::Admin
        } else if self.vip.is_active(now) {
            Role::Vip
        } else {
            Role::Free
        }
    }

    /// A member who registers at `now` under an id that the store has drawn.
    #[must_use]
    pub fn registered(id: UserId, new: &NewUser, now: Timestamp) -> Self {
        Self {
            id,
            username: new.username.clone(),
            first_name: new.first_name.clone(),
            last_name: new.last_name.clone(),
            display_name: new.display_name.clone(),
            bio: new.bio.clone(),
            avatar_url: new.avatar_url.clone(),
            email: new.email.clone(),
            email_verified: false,
            phone: new.phone.clone(),
            phone_verified: false,
            language: new.language.clone().unwrap_or_else(LanguageTag::english),
            is_admin: new.is_admin,
            is_active: true,
            notifications_enabled: true,
            vip: Vip::None,
            ui_state: UiState::root(),
            last_checked_match_id: None,
            total_requests: 0,
            last_active_at: None,
            last_login_at: None,
            last_reminder_sent_at: None,
            created_at: now,
            updated_at: now,
            deleted_at: None,
            version: 1,
        }
    }

    /// What to call the member: display name, else first and last, else username, else `user 42`.
    #[must_use]
    pub fn shown_name(&self) -> String {
        shown_name(
            self.id,
            self.display_name.as_ref().map(DisplayName::as_str),
            self.first_name.as_ref().map(PersonName::as_str),
            self.last_name.as_ref().map(PersonName::as_str),
            self.username.as_ref().map(Username::as_str),
        )
    }

    /// The first two characters of the shown name and three asterisks.
    #[must_use]
    pub fn anonymised_name(&self) -> String {
        self.shown_name().chars().take(2).chain("***".chars()).collect()
    }
}

/// The rule of [`User::shown_name`] for whoever holds only the columns.
#[must_use]
pub(crate) fn shown_name(
    id: UserId,
    display: Option<&str>,
    first: Option<&str>,
    last: Option<&str>,
    username: Option<&str>,
) -> String {
    if let Some(display) = display {
        return display.to_owned();
    }
    let full: Vec<&str> = first.into_iter().chain(last).collect();
    if !full.is_empty() {
        return full.join(" ");
    }
    username.map_or_else(|| format!("user {id}"), str::to_owned)
}

/// What is known of a member who registers. Everything has a default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NewUser {
    /// Unique without regard to case.
    pub username: Option<Username>,
    /// First name.
    pub first_name: Option<PersonName>,
    /// Last name.
    pub last_name: Option<PersonName>,
    /// The name the member chose.
    pub display_name: Option<DisplayName>,
    /// A few words about the member.
    pub bio: Option<Bio>,
    /// Address of a picture.
    pub avatar_url: Option<Url>,
    /// Unique without regard to case; unverified.
    pub email: Option<Email>,
    /// Unique; unverified.
    pub phone: Option<Phone>,
    /// English unless said.
    pub language: Option<LanguageTag>,
    /// Whether the member administers the community.
    pub is_admin: bool,
    /// Accounts in other systems, at most one a provider.
    pub externals: Vec<NewExternal>,
}

impl NewUser {
    /// Refuses two external accounts of one provider.
    pub fn check(&self) -> Result<(), Violation> {
        for (index, external) in self.externals.iter().enumerate() {
            if self.externals[..index].iter().any(|other| other.provider == external.provider) {
                return Err(Violation::new("externals", Rule::Duplicate));
            }
        }
        Ok(())
    }
}

/// A change of one optional field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Patch<T> {
    /// Leave it.
    #[default]
    Keep,
    /// Give it this value.
    Set(T),
    /// Empty it.
    Clear,
}

impl<T> Patch<T> {
    /// Whether the field stays as it is.
    #[must_use]
    pub const fn is_keep(&self) -> bool {
        matches!(self, Self::Keep)
    }

    /// Applies the change to `field`.
    pub fn apply(self, field: &mut Option<T>) {
        match self {
            Self::Keep => {}
            Self::Set(value) => *field = Some(value),
            Self::Clear => *field = None,
        }
    }
}

/// Changes of a member. The default changes nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UserPatch {
    /// Unique without regard to case.
    pub username: Patch<Username>,
    /// First name.
    pub first_name: Patch<PersonName>,
    /// Last name.
    pub last_name: Patch<PersonName>,
    /// The name the member chose.
    pub display_name: Patch<DisplayName>,
    /// A few words about the member.
    pub bio: Patch<Bio>,
    /// Address of a picture.
    pub avatar_url: Patch<Url>,
    /// A change resets `email_verified`, unless that is set in the same patch.
    pub email: Patch<Email>,
    /// Whether the address was proved.
    pub email_verified: Option<bool>,
    /// A change resets `phone_verified`, unless that is set in the same patch.
    pub phone: Patch<Phone>,
    /// Whether the number was proved.
    pub phone_verified: Option<bool>,
    /// Preferred language.
    pub language: Option<LanguageTag>,
    /// Whether lists show the member.
    pub is_active: Option<bool>,
    /// Whether notices may be sent.
    pub notifications_enabled: Option<bool>,
    /// When a reminder last went out.
    pub last_reminder_sent_at: Patch<Timestamp>,
}

impl UserPatch {
    /// Whether it changes nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The member after this change at `now`, one version on. Proofs of a changed address or
    /// number are void.
    #[must_use]
    pub fn applied_to(self, mut user: User, now: Timestamp) -> User {
        let (email, phone) = (user.email.clone(), user.phone.clone());
        self.username.apply(&mut user.username);
        self.first_name.apply(&mut user.first_name);
        self.last_name.apply(&mut user.last_name);
        self.display_name.apply(&mut user.display_name);
        self.bio.apply(&mut user.bio);
        self.avatar_url.apply(&mut user.avatar_url);
        self.email.apply(&mut user.email);
        self.phone.apply(&mut user.phone);
        self.last_reminder_sent_at.apply(&mut user.last_reminder_sent_at);
        user.email_verified =
            self.email_verified.unwrap_or(user.email_verified && user.email == email);
        user.phone_verified =
            self.phone_verified.unwrap_or(user.phone_verified && user.phone == phone);
        user.language = self.language.unwrap_or(user.language);
        user.is_active = self.is_active.unwrap_or(user.is_active);
        user.notifications_enabled =
            self.notifications_enabled.unwrap_or(user.notifications_enabled);
        user.updated_at = now;
        user.version += 1;
        user
    }
}

/// One member at a glance, read in one snapshot.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct UserOverview {
    /// The member.
    pub user: User,
    /// Accounts in other systems, by provider.
    pub externals: Vec<ExternalAccount>,
    /// Points, experience and level.
    pub account: PointAccount,
    /// Place by balance; `None` without points.
    pub rank: Option<RankInfo>,
    /// Role at the time of the read.
    pub role: Role,
}
