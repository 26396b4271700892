//! Changing members, compiled once per backend.

use crate::run::RunQueryDsl;
use diesel::prelude::*;
use diesel::result::Error as DieselError;
use guildhall_domain::{
    ExternalAccount, MatchId, NewExternal, Patch, Provider, Timestamp, UiState, User, UserId,
    UserPatch, Username,
};
use guildhall_repository::StorageError;

use super::member::lock_user;
use super::user_lookup::{by_id_on, externals_on};
use super::user_register::{GIVEN, taken_account};
use super::{Conn, lock_accounts};
use crate::fault::{Fault, Worked, broken_uniqueness};
use crate::kept::Keep;
use crate::noted::{Note, Woven};
use crate::rows::{ExternalRow, UserRow};
use crate::schema::{external_accounts, point_accounts, users};
use crate::types::DbTime;

/// A change that was asked for.
pub(super) struct Asked {
    pub(super) id: UserId,
    pub(super) patch: UserPatch,
    pub(super) expected_version: i64,
    pub(super) takeover: bool,
    pub(super) now: Timestamp,
}

fn absent(id: UserId) -> StorageError {
    StorageError::not_found("user", id)
}

/// The member for changing, unless deleted.
async fn locked_on(conn: &mut Conn, id: UserId) -> Worked<Option<User>> {
    let user = lock_user(conn, id.0).await?.map(UserRow::into_user).transpose()?;
    Ok(user.filter(|user| user.deleted_at.is_none()))
}

/// Writes the whole row of a member who is locked.
pub(super) async fn write_on(conn: &mut Conn, user: &User) -> QueryResult<usize> {
    diesel::update(users::table.find(user.id.0)).set(UserRow::of(user)).kept().execute(conn).await
}

pub(super) async fn update_on(conn: &mut Conn, change: &Asked) -> Worked<User> {
    let Asked { id, patch, expected_version, takeover, now } = change;
    if patch.is_empty() {
        let user = by_id_on(conn, *id).await?.filter(|user| user.deleted_at.is_none());
        return Ok(user.ok_or_else(|| absent(*id))?);
    }
    if patch.is_active.is_some() {
        // The account comes before the member, as everywhere.
        lock_accounts(conn, &[id.0]).await?;
    }
    let old_holder = match &patch.username {
        Patch::Set(name) if *takeover => other_holder_on(conn, name, *id).await?,
        _ => None,
    };
    // Ascending, so that two who take from each other do not wait for each other.
    if let Some(holder) = old_holder.filter(|holder| *holder < id.0) {
        lock_user(conn, holder).await?;
    }
    let before = locked_on(conn, *id).await?.ok_or_else(|| absent(*id))?;
    if before.version != *expected_version {
        let conflict = StorageError::conflict("user", id, expected_version, before.version);
        return Err(conflict.into());
    }
    let after = patch.clone().applied_to(before, *now);
    if let (Some(holder), Some(name)) = (old_holder, &after.username) {
        free_name_on(conn, holder, name, *now).await?;
    }
    write_on(conn, &after).await.map_err(|error| taken(error, &after, *takeover))?;
    if patch.is_active.is_some() {
        diesel::update(point_accounts::table.find(id.0))
            .set(point_accounts::is_listed.eq(after.is_active))
            .kept()
            .execute(conn)
            .await?;
    }
    Ok(after)
}

/// Who has this name, other than `id`.
async fn other_holder_on(conn: &mut Conn, name: &Username, id: UserId) -> QueryResult<Option<i64>> {
    users::table
        .filter(users::username_key.eq(name.folded()))
        .filter(users::id.ne(id.0))
        .select(users::id)
        .first(conn)
        .await
        .optional()
}

/// Takes a name from its holder, who may have given it up in the meantime.
async fn free_name_on(
    conn: &mut Conn,
    holder: i64,
    name: &Username,
    now: Timestamp,
) -> QueryResult<usize> {
    let held = users::table.find(holder).filter(users::username_key.eq(name.folded()));
    diesel::update(held)
        .set((
            users::username.eq(None::<String>),
            users::username_key.eq(None::<String>),
            users::updated_at.eq(DbTime(now)),
            users::version.eq(users::version + 1),
        ))
        .kept()
        .execute(conn)
        .await
}

/// Tells what of a member's is taken from the name of the constraint.
fn taken(error: DieselError, user: &User, takeover: bool) -> Fault {
    let Some(constraint) = broken_uniqueness(&error) else {
        return error.into();
    };
    if constraint.contains("username") {
        if takeover {
            return Fault::Raced; // Somebody took the name since it was freed: free it again.
        }
        let key = user.username.as_ref().map_or(GIVEN, |name| name.as_str());
        StorageError::already_exists("username", key).into()
    } else if constraint.contains("email") {
        StorageError::already_exists("email", GIVEN).into()
    } else if constraint.contains("phone") {
        StorageError::already_exists("phone", GIVEN).into()
    } else {
        error.into()
    }
}

pub(super) async fn set_admin_on(
    conn: &mut Conn,
    id: UserId,
    is_admin: bool,
    now: Timestamp,
    note: &Woven,
) -> Worked<User> {
    let other = users::table
        .find(id.0)
        .filter(users::deleted_at.is_null())
        .filter(users::is_admin.ne(is_admin));
    let changed: Option<UserRow> = diesel::update(other)
        .set((
            users::is_admin.eq(is_admin),
            users::updated_at.eq(DbTime(now)),
            users::version.eq(users::version + 1),
        ))
        .returning(UserRow::as_returning())
        .noted_rows(note)
        .get_result(conn)
        .await
        .optional()?;
    if let Some(row) = changed {
        return Ok(row.into_user()?);
    }
    let user = by_id_on(conn, id).await?.filter(|user| user.deleted_at.is_none());
    Ok(user.ok_or_else(|| absent(id))?)
}

pub(super) async fn link_on(
    conn: &mut Conn,
    id: UserId,
    external: &NewExternal,
    now: Timestamp,
) -> Worked<ExternalAccount> {
    // Locked, so that the member is not deleted meanwhile and leaves the account behind.
    locked_on(conn, id).await?.ok_or_else(|| absent(id))?;
    let row = ExternalRow::of(id, external, now);
    let new: Option<ExternalRow> = diesel::insert_into(external_accounts::table)
        .values(&row)
        .on_conflict_do_nothing()
        .returning(ExternalRow::as_returning())
        .get_result(conn)
        .await
        .optional()?;
    if let Some(new) = new {
        return Ok(new.into_account()?);
    }
    let same = external_accounts::table
        .find((id.0, row.provider.as_str()))
        .filter(external_accounts::external_id.eq(row.external_id.as_str()));
    let refreshed: Option<ExternalRow> = diesel::update(same)
        .set((
            external_accounts::nickname.eq(row.nickname.as_deref()),
            external_accounts::nickname_key.eq(row.nickname_key.as_deref()),
            external_accounts::email.eq(row.email.as_deref()),
            external_accounts::data.eq(row.data.clone()),
        ))
        .returning(ExternalRow::as_returning())
        .kept()
        .get_result(conn)
        .await
        .optional()?;
    if let Some(refreshed) = refreshed {
        return Ok(refreshed.into_account()?);
    }
    let linked = externals_on(conn, id).await?;
    if linked.iter().any(|account| account.provider == external.provider) {
        let key = format!("{} of user {id}", external.provider);
        return Err(StorageError::already_exists("external account", key).into());
    }
    let held = external_accounts::table
        .filter(external_accounts::provider.eq(row.provider.as_str()))
        .filter(external_accounts::external_id.eq(row.external_id.as_str()));
    if diesel::select(diesel::dsl::exists(held)).get_result(conn).await? {
        return Err(taken_account(&external.provider, &external.external_id).into());
    }
    Err(Fault::Raced) // Whoever had it has just given it up.
}

pub(super) async fn unlink_on(
    conn: &mut Conn,
    id: UserId,
    provider: &Provider,
    now: Timestamp,
) -> Worked<bool> {
    // Locked, so that the last two accounts are not unlinked at the same moment.
    let Some(user) = locked_on(conn, id).await? else {
        return Ok(false);
    };
    let linked = externals_on(conn, id).await?;
    if linked.iter().all(|account| account.provider != *provider) {
        return Ok(false);
    }
    if linked.len() == 1 && user.email.is_none() {
        return Err(Fault::Refused(StorageError::InvalidState {
            entity: "external account",
            key: format!("{provider} of user {id}"),
            state: "the last way to log in".to_owned(),
            attempted: "be unlinked",
        }));
    }
    diesel::delete(external_accounts::table.find((id.0, provider.to_string())))
        .execute(conn)
        .await?;
    if *provider == Provider::Faceit {
        diesel::update(users::table.find(id.0))
            .set((
                users::last_checked_match_id.eq(None::<String>),
                users::updated_at.eq(DbTime(now)),
            ))
            .kept()
            .execute(conn)
            .await?;
    }
    Ok(true)
}

pub(super) async fn set_ui_state_on(
    conn: &mut Conn,
    id: UserId,
    state: &UiState,
    note: &Woven,
) -> Worked<()> {
    let present = users::table.find(id.0).filter(users::deleted_at.is_null());
    let state = users::ui_state.eq(state.as_str());
    match diesel::update(present).set(state).noted(note).execute(conn).await? {
        0 => Err(absent(id).into()),
        _ => Ok(()),
    }
}

pub(super) async fn set_last_checked_match_on(
    conn: &mut Conn,
    id: UserId,
    found: &MatchId,
    note: &Woven,
) -> Worked<()> {
    let present = users::table.find(id.0).filter(users::deleted_at.is_null());
    let found = users::last_checked_match_id.eq(found.as_str());
    match diesel::update(present).set(found).noted(note).execute(conn).await? {
        0 => Err(absent(id).into()),
        _ => Ok(()),
    }
}

pub(super) async fn touch_login_on(
    conn: &mut Conn,
    id: UserId,
    at: Timestamp,
    note: &Woven,
) -> Worked<()> {
    let present = users::table.find(id.0).filter(users::deleted_at.is_null());
    let earlier = users::last_login_at.is_null().or(users::last_login_at.lt(DbTime(at)));
    let touched = diesel::update(present.filter(earlier))
        .set(users::last_login_at.eq(DbTime(at)))
        .noted(note)
        .execute(conn)
        .await?;
    if touched == 0 && !diesel::select(diesel::dsl::exists(present)).get_result(conn).await? {
        return Err(absent(id).into());
    }
    Ok(())
}
