//! Rows of members and their accounts elsewhere.

use std::error::Error;

use diesel::prelude::*;
use guildhall_domain::{
    ExternalAccount, LanguageTag, LeaderboardRow, NewExternal, Timestamp, UiState, Url, User,
    UserId, Violation, Vip, fold,
};
use guildhall_repository::StorageError;

use super::{column, corrupt, count, optional};
use crate::schema::{external_accounts, users};
use crate::types::{DbJson, DbTime};

/// What others are shown of a member, on boards and in lists of what happened.
#[derive(Queryable, Selectable)]
#[diesel(table_name = users)]
pub(crate) struct ShownRow {
    id: i64,
    display_name: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
    username: Option<String>,
    avatar_url: Option<String>,
}

impl ShownRow {
    pub(crate) const fn user(&self) -> UserId {
        UserId(self.id)
    }

    pub(crate) fn name(&self) -> String {
        LeaderboardRow::name_of(
            self.user(),
            self.display_name.as_deref(),
            self.first_name.as_deref(),
            self.last_name.as_deref(),
            self.username.as_deref(),
        )
    }

    pub(crate) fn avatar_url(self) -> Result<Option<Url>, Violation> {
        optional(self.avatar_url)
    }
}

/// A row of `users`. Inserted with its id, which every batch draws beforehand.
#[derive(Clone, Debug, Queryable, Selectable, Identifiable, Insertable, AsChangeset)]
#[diesel(table_name = users, treat_none_as_null = true, treat_none_as_default_value = false)]
pub(crate) struct UserRow {
    pub(crate) id: i64,
    pub(crate) username: Option<String>,
    pub(crate) username_key: Option<String>,
    pub(crate) first_name: Option<String>,
    pub(crate) last_name: Option<String>,
    pub(crate) display_name: Option<String>,
    pub(crate) name_key: String,
    pub(crate) bio: Option<String>,
    pub(crate) avatar_url: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) email_key: Option<String>,
    pub(crate) email_verified: bool,
    pub(crate) phone: Option<String>,
    pub(crate) phone_verified: bool,
    pub(crate) language: String,
    pub(crate) is_admin: bool,
    pub(crate) is_active: bool,
    pub(crate) notifications_enabled: bool,
    pub(crate) vip_kind: String,
    pub(crate) vip_expires_at: Option<DbTime>,
    pub(crate) ui_state: String,
    pub(crate) last_checked_match_id: Option<String>,
    pub(crate) total_requests: i64,
    pub(crate) last_active_at: Option<DbTime>,
    pub(crate) last_login_at: Option<DbTime>,
    pub(crate) last_reminder_sent_at: Option<DbTime>,
    pub(crate) created_at: DbTime,
    pub(crate) updated_at: DbTime,
    pub(crate) deleted_at: Option<DbTime>,
    pub(crate) version: i64,
}

impl UserRow {
    /// The row of a member.
    pub(crate) fn of(user: &User) -> Self {
        let text = |text: Option<&str>| text.map(str::to_owned);
        let (vip_kind, vip_expires_at) = vip_columns(user.vip);
        Self {
            id: user.id.0,
            username: user.username.clone().map(String::from),
            username_key: user.username.as_ref().map(|name| name.folded()),
            first_name: user.first_name.clone().map(String::from),
            last_name: user.last_name.clone().map(String::from),
            display_name: user.display_name.clone().map(String::from),
            name_key: name_key(user),
            bio: user.bio.clone().map(String::from),
            avatar_url: user.avatar_url.clone().map(String::from),
            email: user.email.clone().map(String::from),
            email_key: user.email.as_ref().map(|email| email.folded()),
            email_verified: user.email_verified,
            phone: text(user.phone.as_ref().map(|phone| phone.as_str())),
            phone_verified: user.phone_verified,
            language: user.language.as_str().to_owned(),
            is_admin: user.is_admin,
            is_active: user.is_active,
            notifications_enabled: user.notifications_enabled,
            vip_kind: vip_kind.to_owned(),
            vip_expires_at,
            ui_state: user.ui_state.as_str().to_owned(),
            last_checked_match_id: text(user.last_checked_match_id.as_ref().map(|id| id.as_str())),
            total_requests: column(user.total_requests),
            last_active_at: user.last_active_at.map(DbTime),
            last_login_at: user.last_login_at.map(DbTime),
            last_reminder_sent_at: user.last_reminder_sent_at.map(DbTime),
            created_at: DbTime(user.created_at),
            updated_at: DbTime(user.updated_at),
            deleted_at: user.deleted_at.map(DbTime),
            version: user.version,
        }
    }

    /// The member of a row; a row that no member can have is an `Integrity` error.
    pub(crate) fn into_user(self) -> Result<User, StorageError> {
        let id = self.id;
        self.restored().map_err(corrupt("user", id))
    }

    fn restored(self) -> Result<User, Box<dyn Error>> {
        let time = |time: Option<DbTime>| time.map(|time| time.0);
        Ok(User {
            id: UserId(self.id),
            username: optional(self.username)?,
            first_name: optional(self.first_name)?,
            last_name: optional(self.last_name)?,
            display_name: optional(self.display_name)?,
            bio: optional(self.bio)?,
            avatar_url: optional(self.avatar_url)?,
            email: optional(self.email)?,
            email_verified: self.email_verified,
            phone: optional(self.phone)?,
            phone_verified: self.phone_verified,
            language: LanguageTag::parse(&self.language)?,
            is_admin: self.is_admin,
            is_active: self.is_active,
            notifications_enabled: self.notifications_enabled,
            vip: vip(&self.vip_kind, time(self.vip_expires_at))?,
            ui_state: UiState::parse(&self.ui_state)?,
            last_checked_match_id: optional(self.last_checked_match_id)?,
            total_requests: count(self.total_requests),
            last_active_at: time(self.last_active_at),
            last_login_at: time(self.last_login_at),
            last_reminder_sent_at: time(self.last_reminder_sent_at),
            created_at: self.created_at.0,
            updated_at: self.updated_at.0,
            deleted_at: time(self.deleted_at),
            version: self.version,
        })
    }
}

/// What a search by name looks at where there is no name.
pub(crate) const NAMELESS: &str = "\n";

/// What a search by name looks at: every name on a line of its own, folded, so that a line's
/// beginning and end can be told.
fn name_key(user: &User) -> String {
    let full: Vec<&str> = [&user.first_name, &user.last_name]
        .into_iter()
        .flatten()
        .map(|name| name.as_str())
        .collect();
    let display = user.display_name.as_ref().map_or("", |name| name.as_str());
    let mut key = String::from(NAMELESS);
    for name in [full.join(" ").as_str(), display] {
        if !name.is_empty() {
            key.push_str(&fold(&name.replace('\n', " ")));
            key.push('\n');
        }
    }
    key
}

/// The two columns of a VIP standing.
pub(crate) fn vip_columns(vip: Vip) -> (&'static str, Option<DbTime>) {
    match vip {
        Vip::None => ("none", None),
        Vip::Until(end) => ("until", Some(DbTime(end))),
        Vip::Lifetime => ("lifetime", None),
    }
}

/// The VIP standing of two columns.
pub(crate) fn vip(kind: &str, end: Option<Timestamp>) -> Result<Vip, Box<dyn Error>> {
    match (kind, end) {
        ("none", None) => Ok(Vip::None),
        ("until", Some(end)) => Ok(Vip::Until(end)),
        ("lifetime", None) => Ok(Vip::Lifetime),
        _ => Err(format!("vip_kind {kind} does not go with its end").into()),
    }
}

/// A row of `external_accounts`.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = external_accounts, treat_none_as_default_value = false)]
pub(crate) struct ExternalRow {
    pub(crate) user_id: i64,
    pub(crate) provider: String,
    pub(crate) external_id: String,
    pub(crate) nickname: Option<String>,
    pub(crate) nickname_key: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) linked_at: DbTime,
    pub(crate) data: Option<DbJson>,
}

impl ExternalRow {
    /// The row of an account that is being linked.
    pub(crate) fn of(user: UserId, new: &NewExternal, now: Timestamp) -> Self {
        Self {
            user_id: user.0,
            provider: new.provider.to_string(),
            external_id: new.external_id.as_str().to_owned(),
            nickname: new.nickname.clone().map(String::from),
            nickname_key: new.nickname.as_ref().map(|name| name.folded()),
            email: new.email.clone().map(String::from),
            linked_at: DbTime(now),
            data: new.data.clone().map(DbJson),
        }
    }

    /// The account of a row.
    pub(crate) fn into_account(self) -> Result<ExternalAccount, StorageError> {
        let key = format!("{} of user {}", self.provider, self.user_id);
        self.restored().map_err(corrupt("external account", key))
    }

    fn restored(self) -> Result<ExternalAccount, Box<dyn Error>> {
        Ok(ExternalAccount {
            user: UserId(self.user_id),
            provider: self.provider.parse()?,
            external_id: self.external_id.try_into()?,
            nickname: optional(self.nickname)?,
            email: optional(self.email)?,
            linked_at: self.linked_at.0,
            data: self.data.map(|data| data.0),
        })
    }
}
