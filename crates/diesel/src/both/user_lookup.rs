//! Finding members one by one, compiled once per backend.

use std::collections::{HashMap, HashSet};

use crate::run::RunQueryDsl;
use diesel::prelude::*;
use guildhall_domain::{
    ExternalAccount, ExternalId, LeaderboardMetric, Provider, Timestamp, UiState, User, UserId,
    UserOverview,
};
use guildhall_repository::StorageError;

use super::ranking::rank_on;
use super::{Conn, columns};
use crate::fault::Worked;
use crate::rows::{AccountRow, ExternalRow, UserRow, corrupt};
use crate::schema::{external_accounts, point_accounts, users};

/// Members with one nickname at most.
const NICKNAMED_MAX: i64 = 20;

/// The members of rows.
pub(super) fn restored(rows: Vec<UserRow>) -> Worked<Vec<User>> {
    rows.into_iter().map(|row| Ok(row.into_user()?)).collect()
}

/// The member, deleted or not.
pub(super) async fn by_id_on(conn: &mut Conn, id: UserId) -> Worked<Option<User>> {
    let row =
        users::table.find(id.0).select(columns::<UserRow>()).get_result(conn).await.optional()?;
    Ok(row.map(UserRow::into_user).transpose()?)
}

/// The members that exist, in the order of `ids`, each once.
pub(super) async fn by_ids_on(conn: &mut Conn, ids: &[UserId]) -> Worked<Vec<User>> {
    let mut seen = HashSet::new();
    let ids: Vec<i64> = ids.iter().map(|id| id.0).filter(|id| seen.insert(*id)).collect();
    let wanted = users::table.filter(users::id.eq_any(ids.clone())).select(columns::<UserRow>());
    let rows: Vec<UserRow> = wanted.load(conn).await?;
    let mut rows: HashMap<i64, UserRow> = rows.into_iter().map(|row| (row.id, row)).collect();
    restored(ids.iter().filter_map(|id| rows.remove(id)).collect())
}

pub(super) async fn by_username_on(conn: &mut Conn, key: &str) -> Worked<Option<User>> {
    let wanted = users::table.filter(users::username_key.eq(key)).select(columns::<UserRow>());
    let row = wanted.first(conn).await.optional()?;
    Ok(row.map(UserRow::into_user).transpose()?)
}

pub(super) async fn by_email_on(conn: &mut Conn, key: &str) -> Worked<Option<User>> {
    let wanted = users::table.filter(users::email_key.eq(key)).select(columns::<UserRow>());
    let row = wanted.first(conn).await.optional()?;
    Ok(row.map(UserRow::into_user).transpose()?)
}

pub(super) async fn by_external_on(
    conn: &mut Conn,
    provider: &Provider,
    external_id: &ExternalId,
) -> Worked<Option<User>> {
    let found = holder_on(conn, provider, external_id).await?;
    Ok(found.map(|(user, _)| user.into_user()).transpose()?)
}

/// The member with this account elsewhere, and the account.
pub(super) async fn holder_on(
    conn: &mut Conn,
    provider: &Provider,
    external_id: &ExternalId,
) -> QueryResult<Option<(UserRow, ExternalRow)>> {
    external_accounts::table
        .inner_join(users::table)
        .filter(external_accounts::provider.eq(provider.to_string()))
        .filter(external_accounts::external_id.eq(external_id.as_str()))
        .select((columns::<UserRow>(), columns::<ExternalRow>()))
        .first(conn)
        .await
        .optional()
}

pub(super) async fn by_nickname_on(
    conn: &mut Conn,
    provider: &str,
    key: &str,
) -> Worked<Vec<User>> {
    let rows = external_accounts::table
        .inner_join(users::table)
        .filter(external_accounts::provider.eq(provider))
        .filter(external_accounts::nickname_key.eq(key))
        .order_by((external_accounts::linked_at.desc(), external_accounts::user_id))
        .limit(NICKNAMED_MAX)
        .select(columns::<UserRow>())
        .load(conn)
        .await?;
    restored(rows)
}

/// The member's accounts elsewhere, by the text of the provider.
pub(super) async fn externals_on(conn: &mut Conn, id: UserId) -> Worked<Vec<ExternalAccount>> {
    let mut externals = externals_of_on(conn, &[id.0]).await?;
    Ok(externals.remove(&id.0).unwrap_or_default())
}

/// The accounts elsewhere of several members, each member's by the text of the provider.
pub(super) async fn externals_of_on(
    conn: &mut Conn,
    ids: &[i64],
) -> Worked<HashMap<i64, Vec<ExternalAccount>>> {
    let mut rows: Vec<ExternalRow> = external_accounts::table
        .filter(external_accounts::user_id.eq_any(ids.to_vec()))
        .select(columns::<ExternalRow>())
        .load(conn)
        .await?;
    // Here rather than there: databases differ on the order of text.
    rows.sort_unstable_by(|a, b| a.provider.cmp(&b.provider));
    let mut externals: HashMap<i64, Vec<ExternalAccount>> = HashMap::new();
    for row in rows {
        externals.entry(row.user_id).or_default().push(row.into_account()?);
    }
    Ok(externals)
}

/// `NotFound` without the member.
pub(super) async fn member_on(conn: &mut Conn, user: UserId) -> Worked<()> {
    let member = users::table.find(user.0).filter(users::deleted_at.is_null());
    if diesel::select(diesel::dsl::exists(member)).get_result(conn).await? {
        return Ok(());
    }
    Err(StorageError::not_found("user", user).into())
}

pub(super) async fn ui_state_on(conn: &mut Conn, id: UserId) -> Worked<Option<UiState>> {
    let present = users::table.find(id.0).filter(users::deleted_at.is_null());
    let state: Option<String> = present.select(users::ui_state).first(conn).await.optional()?;
    let state = state.map(UiState::try_from).transpose();
    Ok(state.map_err(|error| corrupt("user", id)(error.into()))?)
}

pub(super) async fn overview_on(
    conn: &mut Conn,
    id: UserId,
    now: Timestamp,
) -> Worked<Option<UserOverview>> {
    let Some(user) = by_id_on(conn, id).await?.filter(|user| user.deleted_at.is_none()) else {
        return Ok(None);
    };
    let account = point_accounts::table.find(id.0).select(columns::<AccountRow>());
    let account: Option<AccountRow> = account.first(conn).await.optional()?;
    let missing = || StorageError::integrity("user", id, "has no point account");
    let account = account.ok_or_else(missing)?.into_account()?;
    let externals = externals_on(conn, id).await?;
    let rank = rank_on(conn, id, LeaderboardMetric::Balance).await?;
    let role = user.role(now);
    Ok(Some(UserOverview { user, externals, account, rank, role }))
}
