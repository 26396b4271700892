//! Many members at once, compiled once per backend. Deleting one is deleting many, of which there
//! is one.

use crate::run::RunQueryDsl;
use diesel::dsl::exists;
use diesel::prelude::*;
use guildhall_domain::{Timestamp, UiState, UserId, UserPatch};
use guildhall_repository::{Change, StorageError};

use super::member::lock_users;
use super::user_write::{Asked, update_on};
use super::{Conn, lock_accounts};
use crate::batch::in_order;
use crate::fault::{Fault, Worked};
use crate::rows::NAMELESS;
use crate::schema::{
    external_accounts, onboarding, point_accounts, point_holds, user_accessibility, user_interests,
    user_languages, user_preferences, users,
};
use crate::types::DbTime;

pub(super) async fn update_batch_on(
    conn: &mut Conn,
    changes: &[Change<UserId, UserPatch>],
    now: Timestamp,
) -> Worked<u64> {
    // All accounts come before all members, as everywhere.
    let listed = changes.iter().filter(|it| it.change.is_active.is_some());
    let listed: Vec<i64> = listed.map(|it| it.key.0).collect();
    if !listed.is_empty() {
        lock_accounts(conn, &listed).await?;
    }
    for Change { key, change, expected_version } in in_order(changes) {
        let (id, patch, expected_version) = (*key, change.clone(), *expected_version);
        let asked = Asked { id, patch, expected_version, takeover: false, now };
        update_on(conn, &asked).await?;
    }
    Ok(changes.len() as u64)
}

pub(super) async fn delete_on(conn: &mut Conn, id: UserId, now: Timestamp) -> Worked<bool> {
    Ok(delete_batch_on(conn, &[id], now).await? > 0)
}

pub(super) async fn delete_batch_on(
    conn: &mut Conn,
    ids: &[UserId],
    now: Timestamp,
) -> Worked<u64> {
    let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
    // The accounts first: no hold begins or ends while they are locked.
    lock_accounts(conn, &ids).await?;
    let gone = lock_users(conn, &ids).await?;
    if gone.is_empty() {
        return Ok(0);
    }
    let holding: Option<i64> = point_holds::table
        .filter(point_holds::user_id.eq_any(gone.clone()))
        .filter(point_holds::status.eq("active"))
        .order(point_holds::user_id)
        .select(point_holds::user_id)
        .first(conn)
        .await
        .optional()?;
    if let Some(id) = holding {
        return Err(Fault::Refused(StorageError::InvalidState {
            entity: "user",
            key: id.to_string(),
            state: "the owner of active holds".to_owned(),
            attempted: "be deleted",
        }));
    }
    empty_on(conn, &gone, now).await?;
    macro_rules! delete {
        ($($table:ident,)+) => {$(
            let rows = $table::table.filter($table::user_id.eq_any(gone.clone()));
            diesel::delete(rows).execute(conn).await?;
        )+};
    }
    // What members say of themselves is as personal as their names.
    delete! {
        external_accounts, user_preferences, user_languages, user_accessibility, user_interests,
        onboarding,
    }
    diesel::update(point_accounts::table.filter(point_accounts::user_id.eq_any(gone.clone())))
        .set((point_accounts::is_listed.eq(false), point_accounts::is_closed.eq(true)))
        .execute(conn)
        .await?;
    Ok(gone.len() as u64)
}

/// Takes away what is personal.
async fn empty_on(conn: &mut Conn, gone: &[i64], now: Timestamp) -> QueryResult<usize> {
    const NOTHING: Option<&str> = None;
    let names = (
        users::username.eq(NOTHING),
        users::username_key.eq(NOTHING),
        users::first_name.eq(NOTHING),
        users::last_name.eq(NOTHING),
        users::display_name.eq(NOTHING),
        users::name_key.eq(NAMELESS),
        users::bio.eq(NOTHING),
        users::avatar_url.eq(NOTHING),
    );
    let addresses = (
        users::email.eq(NOTHING),
        users::email_key.eq(NOTHING),
        users::email_verified.eq(false),
        users::phone.eq(NOTHING),
        users::phone_verified.eq(false),
    );
    let standing = (
        users::is_admin.eq(false),
        users::is_active.eq(false),
        users::vip_kind.eq("none"),
        users::vip_expires_at.eq(None::<DbTime>),
        users::ui_state.eq(UiState::root().as_str().to_owned()),
        users::last_checked_match_id.eq(NOTHING),
    );
    let stamps = (
        users::updated_at.eq(DbTime(now)),
        users::deleted_at.eq(Some(DbTime(now))),
        users::version.eq(users::version + 1),
    );
    diesel::update(users::table.filter(users::id.eq_any(gone.to_vec())))
        .set((names, addresses, standing, stamps))
        .execute(conn)
        .await
}

pub(super) async fn exists_on(conn: &mut Conn, id: UserId) -> Worked<bool> {
    let present = users::table.find(id.0).filter(users::deleted_at.is_null());
    Ok(diesel::select(exists(present)).get_result(conn).await?)
}
