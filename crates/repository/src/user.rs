//! Where members are kept.

use async_trait::async_trait;
use guildhall_domain::{
    Email, ExternalAccount, ExternalId, MatchId, NewExternal, NewUser, Nickname, Outcome, Provider,
    Role, Timestamp, UiState, User, UserId, UserOverview, UserPatch, Username,
};

use crate::{Change, ListLimit, Page, PageRequest, StorageError};

/// Which members a list holds. The default: every active one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UserFilter {
    /// Administrators only, or everybody else only.
    pub is_admin: Option<bool>,
    /// Those whose role, at the time of the call, is exactly this.
    pub role: Option<Role>,
    /// Those with a VIP standing at the time of the call, administrators among them.
    pub vip_only: bool,
    /// Those last active strictly after this.
    pub active_since: Option<Timestamp>,
    /// Those with an account of this provider.
    pub has_provider: Option<Provider>,
    /// Those who prefer exactly this language.
    pub language: Option<guildhall_domain::LanguageTag>,
    /// Those registered at or after this.
    pub created_from: Option<Timestamp>,
    /// Those registered before this.
    pub created_before: Option<Timestamp>,
    /// Inactive and deleted members too.
    pub include_inactive: bool,
}

/// The order of a list of members. The id breaks ties.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum UserOrder {
    /// Last active first, never active last; then greater ids first.
    #[default]
    LastActive,
    /// Ascending ids.
    Id,
    /// VIP standings that end sooner first, lifetime and none last; then ascending ids.
    VipExpiry,
}

/// What a search looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SearchField {
    /// First, last and display name.
    Name,
    /// Username.
    Username,
    /// Names in other systems.
    Nickname,
}

/// Where members are kept. Every implementation passes `guildhall_testkit::contract::user`.
#[cfg_attr(feature = "mock", mockall::automock)] // Stays above `async_trait`: mockall requires it.
#[async_trait]
pub trait UserRepository: Send + Sync {
    /// The member, deleted or not, or `None`: absence is an answer, not an error.
    async fn by_id(&self, id: UserId) -> Result<Option<User>, StorageError>;

    /// The members that exist, in the order of `ids`, each once. At most 500 ids.
    async fn by_ids(&self, ids: &[UserId]) -> Result<Vec<User>, StorageError>;

    /// The member of this name, without regard to case.
    async fn by_username(&self, name: &Username) -> Result<Option<User>, StorageError>;

    /// The member of this address, without regard to case.
    async fn by_email(&self, email: &Email) -> Result<Option<User>, StorageError>;

    /// The member with this account elsewhere.
    async fn by_external(
        &self,
        provider: &Provider,
        external_id: &ExternalId,
    ) -> Result<Option<User>, StorageError>;

    /// At most 20 members with this nickname elsewhere, without regard to case; linked last first,
    /// then ascending ids.
    async fn by_external_nickname(
        &self,
        provider: &Provider,
        nickname: &Nickname,
    ) -> Result<Vec<User>, StorageError>;

    /// Active members in whose `fields` the text occurs, without regard to case: exact matches
    /// first, then prefixes, then the rest; last active first within each, then ascending ids.
    /// `text` has 2 to 200 characters and no wildcards; at most 50 members are found.
    async fn search(
        &self,
        text: &str,
        fields: &[SearchField],
        limit: ListLimit,
    ) -> Result<Vec<User>, StorageError>;

    /// Registers a member: the row, its external accounts, a point account at zero on level 1 and
    /// statistics at zero, all or nothing. `AlreadyExists` names the taken username, address,
    /// number or account.
    async fn create(&self, new: &NewUser, now: Timestamp) -> Result<User, StorageError>;

    /// Registers at most 1000 members, all or none, in the order given.
    async fn create_batch(
        &self,
        new: &[NewUser],
        now: Timestamp,
    ) -> Result<Vec<User>, StorageError>;

    /// The member with `external`, registered with `seed` if there is none. Concurrent callers get
    /// the same member and one of them `replayed = false`. For a member who exists, the seed fills
    /// empty fields only, and the outcome says `UserUpdated` when it filled any; a username or
    /// address in it that somebody else has is left out. The seed's own externals are ignored.
    async fn ensure(
        &self,
        external: &NewExternal,
        seed: &NewUser,
        now: Timestamp,
    ) -> Result<Outcome<User>, StorageError>;

    /// Changes a member. An empty patch changes nothing and gives the stored row. With `takeover`
    /// a username that a platform proved is first taken from its old holder. `NotFound` also for
    /// deleted members, `Conflict` when the version has moved, `AlreadyExists` for what is taken.
    async fn update(
        &self,
        id: UserId,
        patch: &UserPatch,
        expected_version: i64,
        takeover: bool,
        now: Timestamp,
    ) -> Result<User, StorageError>;

    /// Empties what is personal, frees the external accounts, and hides the member everywhere; the
    /// ledger stays. `false` when there was nothing to delete. `InvalidState` while holds are
    /// active.
    async fn delete(&self, id: UserId, now: Timestamp) -> Result<bool, StorageError>;

    /// Changes at most 1000 members, all or none, each as [`Self::update`] does without a takeover,
    /// by ascending ids. How many.
    async fn update_batch(
        &self,
        changes: &[Change<UserId, UserPatch>],
        now: Timestamp,
    ) -> Result<u64, StorageError>;

    /// Deletes at most 1000 members, all or none, each as [`Self::delete`] does. How many there
    /// were.
    async fn delete_batch(&self, ids: &[UserId], now: Timestamp) -> Result<u64, StorageError>;

    /// Whether there is such a member, active or not; `false` for deleted ones.
    async fn exists(&self, id: UserId) -> Result<bool, StorageError>;

    /// Members by filter and order. `now` decides roles and VIP standings.
    async fn list(
        &self,
        filter: &UserFilter,
        order: UserOrder,
        now: Timestamp,
        page: &PageRequest,
    ) -> Result<Page<User>, StorageError>;

    /// How many members [`Self::list`] would give over all pages.
    async fn count(&self, filter: &UserFilter, now: Timestamp) -> Result<u64, StorageError>;

    /// The active members with the most requests, most first, then ascending ids.
    async fn top_active(&self, limit: ListLimit) -> Result<Vec<User>, StorageError>;

    /// Makes or unmakes an administrator. Idempotent. `NotFound` for who does not exist.
    async fn set_admin(
        &self,
        id: UserId,
        is_admin: bool,
        now: Timestamp,
    ) -> Result<User, StorageError>;

    /// Links an account elsewhere. The same pair again refreshes nickname, address and data. `AlreadyExists`
    /// when the account is somebody else's, or the member has another of this provider.
    async fn link_external(
        &self,
        id: UserId,
        external: &NewExternal,
        now: Timestamp,
    ) -> Result<ExternalAccount, StorageError>;

    /// Unlinks an account elsewhere; `false` when there was none. `InvalidState` for the last one of a
    /// member without an e-mail address, who could never log in again. Unlinking FACEIT forgets
    /// the match last looked at.
    async fn unlink_external(
        &self,
        id: UserId,
        provider: &Provider,
        now: Timestamp,
    ) -> Result<bool, StorageError>;

    /// The member's accounts elsewhere, by provider.
    async fn external_accounts(&self, id: UserId) -> Result<Vec<ExternalAccount>, StorageError>;

    /// Where the member stands in the application's menus; `None` without the member, or for a
    /// deleted one.
    async fn ui_state(&self, id: UserId) -> Result<Option<UiState>, StorageError>;

    /// Moves the member in the application's menus. `NotFound` without the member.
    async fn set_ui_state(&self, id: UserId, state: &UiState) -> Result<(), StorageError>;

    /// Remembers the match last looked at. `NotFound` without the member.
    async fn set_last_checked_match(&self, id: UserId, found: &MatchId)
    -> Result<(), StorageError>;

    /// Records a login; an earlier time than the stored one changes nothing.
    async fn touch_login(&self, id: UserId, at: Timestamp) -> Result<(), StorageError>;

    /// The member at a glance, in one snapshot; `None` without the member.
    async fn overview(
        &self,
        id: UserId,
        now: Timestamp,
    ) -> Result<Option<UserOverview>, StorageError>;

    /// Active administrators, ascending ids.
    async fn admins(&self, now: Timestamp, page: &PageRequest) -> Result<Page<User>, StorageError> {
        let filter = UserFilter { is_admin: Some(true), ..UserFilter::default() };
        self.list(&filter, UserOrder::Id, now, page).await
    }

    /// Active members whose VIP standing holds at `now`, ending sooner first, lifetime last.
    async fn vip_users(
        &self,
        now: Timestamp,
        page: &PageRequest,
    ) -> Result<Page<User>, StorageError> {
        let filter = UserFilter { vip_only: true, ..UserFilter::default() };
        self.list(&filter, UserOrder::VipExpiry, now, page).await
    }
}
