//! Registering members, compiled once per backend.

use crate::run::RunQueryDsl;
use diesel::prelude::*;
use guildhall_domain::{
    DomainEvent, NewExternal, NewUser, Outcome, Timestamp, User, UserId, UserStats,
};
use guildhall_repository::StorageError;

use super::Conn;
use super::member::{allocate_user_ids, batch, lock_user};
use super::user_lookup::holder_on;
use super::user_write::write_on;
use crate::fault::{Fault, Worked, broken_uniqueness};
use crate::kept::Keep;
use crate::rows::{AccountRow, ExternalRow, StatsRow, UserRow};
use crate::schema::{external_accounts, point_accounts, user_stats, users};

/// Rows of one statement. With 30 columns they stay below SQLite's 32 766 parameters.
const ROWS: usize = 500;

/// Stands for what is personal in errors.
pub(super) const GIVEN: &str = "(given)";

pub(super) async fn create_on(conn: &mut Conn, new: &NewUser, now: Timestamp) -> Worked<User> {
    let id = allocate_user_id(conn).await?;
    let member = (User::registered(id, new, now), new.externals.clone());
    insert_members_on(conn, std::slice::from_ref(&member), now).await?;
    Ok(member.0)
}

pub(super) async fn create_batch_on(
    conn: &mut Conn,
    new: &[NewUser],
    now: Timestamp,
) -> Worked<Vec<User>> {
    let ids = allocate_user_ids(conn, new.len()).await?;
    let member = |(id, new): (i64, &NewUser)| {
        (User::registered(UserId(id), new, now), new.externals.clone())
    };
    let members: Vec<_> = ids.into_iter().zip(new).map(member).collect();
    insert_members_on(conn, &members, now).await?;
    Ok(members.into_iter().map(|(user, _)| user).collect())
}

async fn allocate_user_id(conn: &mut Conn) -> Worked<UserId> {
    let ids = allocate_user_ids(conn, 1).await?;
    ids.into_iter().next().map(UserId).ok_or(Fault::Database(diesel::result::Error::NotFound))
}

/// Writes new members with everything that begins with them: accounts elsewhere, a point account
/// and statistics. Wants a transaction around it; `AlreadyExists` leaves it half written.
pub(super) async fn insert_members_on(
    conn: &mut Conn,
    members: &[(User, Vec<NewExternal>)],
    now: Timestamp,
) -> Worked<()> {
    let rows: Vec<_> = members.iter().map(|(user, _)| UserRow::of(user)).collect();
    for rows in rows.chunks(ROWS) {
        let given = rows.to_vec();
        let insert = diesel::insert_into(users::table);
        let written = batch!(conn, execute, given, insert.values(given).on_conflict_do_nothing())?;
        if written < rows.len() {
            return Err(taken_name_on(conn, rows).await?);
        }
    }
    let externals: Vec<_> = members
        .iter()
        .flat_map(|(user, new)| new.iter().map(|new| ExternalRow::of(user.id, new, now)))
        .collect();
    for rows in externals.chunks(ROWS) {
        let given = rows.to_vec();
        let insert = diesel::insert_into(external_accounts::table);
        let written = batch!(conn, execute, given, insert.values(given).on_conflict_do_nothing())?;
        if written < rows.len() {
            return Err(taken_account_on(conn, rows).await?);
        }
    }
    for members in members.chunks(ROWS) {
        let accounts: Vec<_> = members
            .iter()
            .map(|(user, _)| AccountRow {
                is_listed: user.is_active,
                ..AccountRow::opened(user.id, now)
            })
            .collect();
        let insert = diesel::insert_into(point_accounts::table);
        batch!(conn, execute, accounts, insert.values(accounts))?;
        let stats: Vec<_> =
            members.iter().map(|(user, _)| StatsRow::of(&UserStats::at_zero(user.id))).collect();
        let insert = diesel::insert_into(user_stats::table);
        batch!(conn, execute, stats, insert.values(stats))?;
    }
    Ok(())
}

/// A member's id and what is unique about it.
type Names = (i64, Option<String>, Option<String>, Option<String>);

/// The members who have a username, address or number of these rows.
async fn holders_on(conn: &mut Conn, rows: &[UserRow]) -> QueryResult<Vec<Names>> {
    let all = |column: fn(&UserRow) -> &Option<String>| -> Vec<String> {
        rows.iter().filter_map(|row| column(row).clone()).collect()
    };
    let held = users::username_key
        .eq_any(all(|row| &row.username_key))
        .or(users::email_key.eq_any(all(|row| &row.email_key)))
        .or(users::phone.eq_any(all(|row| &row.phone)));
    users::table
        .filter(held)
        .select((users::id, users::username_key, users::email_key, users::phone))
        .load(conn)
        .await
}

/// Which of the row's username, address and number somebody else has.
fn taken_of(row: &UserRow, holders: &[Names]) -> (bool, bool, bool) {
    let others = || holders.iter().filter(|holder| holder.0 != row.id);
    (
        row.username_key.is_some() && others().any(|holder| holder.1 == row.username_key),
        row.email_key.is_some() && others().any(|holder| holder.2 == row.email_key),
        row.phone.is_some() && others().any(|holder| holder.3 == row.phone),
    )
}

/// Why not all of these rows could be written.
async fn taken_name_on(conn: &mut Conn, rows: &[UserRow]) -> Worked<Fault> {
    let holders = holders_on(conn, rows).await?;
    for row in rows {
        let (entity, key) = match taken_of(row, &holders) {
            (true, _, _) => ("username", row.username.as_deref().unwrap_or(GIVEN)),
            (_, true, _) => ("email", GIVEN),
            (_, _, true) => ("phone", GIVEN),
            (false, false, false) => continue,
        };
        return Ok(StorageError::already_exists(entity, key).into());
    }
    Ok(Fault::Raced) // Whoever had it has just given it up.
}

/// Why not all of these rows could be written.
async fn taken_account_on(conn: &mut Conn, rows: &[ExternalRow]) -> Worked<Fault> {
    let ids: Vec<String> = rows.iter().map(|row| row.external_id.clone()).collect();
    let held: Vec<(i64, String, String)> = external_accounts::table
        .filter(external_accounts::external_id.eq_any(ids))
        .select((
            external_accounts::user_id,
            external_accounts::provider,
            external_accounts::external_id,
        ))
        .load(conn)
        .await?;
    for row in rows {
        let same = |(user, provider, id): &&(i64, String, String)| {
            *user != row.user_id && *provider == row.provider && *id == row.external_id
        };
        if held.iter().find(same).is_some() {
            return Ok(taken_account(&row.provider, &row.external_id).into());
        }
    }
    Ok(Fault::Raced)
}

/// An account elsewhere is somebody else's.
pub(super) fn taken_account(
    provider: impl std::fmt::Display,
    external_id: impl std::fmt::Display,
) -> StorageError {
    StorageError::already_exists("external account", format!("{provider} {external_id}"))
}

/// The member with this account, if there is nothing to write.
pub(super) async fn ensured_on(
    conn: &mut Conn,
    external: &NewExternal,
    seed: &NewUser,
) -> Worked<Option<User>> {
    let found = holder_on(conn, &external.provider, &external.external_id).await?;
    let Some((user, account)) = found else {
        return Ok(None);
    };
    let user = user.into_user()?;
    let filled = filled_on(conn, user.clone(), seed).await?;
    Ok((filled == user && is_known(external, &account)).then_some(user))
}

pub(super) async fn ensure_on(
    conn: &mut Conn,
    external: &NewExternal,
    seed: &NewUser,
    now: Timestamp,
) -> Worked<Outcome<User>> {
    match holder_on(conn, &external.provider, &external.external_id).await? {
        Some((user, account)) => {
            // Deleted or unlinked between the two looks: the account is free again.
            let user = lock_user(conn, user.id).await?.ok_or(Fault::Raced)?.into_user()?;
            if user.deleted_at.is_some() {
                return Err(Fault::Raced);
            }
            if !is_known(external, &account) {
                refresh_on(conn, user.id, external).await?;
            }
            let filled = filled_on(conn, user.clone(), seed).await?;
            if filled == user {
                return Ok(Outcome::replayed(user));
            }
            let filled = User { updated_at: now, version: user.version + 1, ..filled };
            write_on(conn, &filled).await.map_err(lost_name)?;
            let events = vec![DomainEvent::UserUpdated { user: filled.id }];
            Ok(Outcome { events, ..Outcome::replayed(filled) })
        }
        None => {
            let id = allocate_user_id(conn).await?;
            let kept = NewUser {
                language: seed.language.clone(),
                is_admin: seed.is_admin,
                ..NewUser::default()
            };
            let user = filled_on(conn, User::registered(id, &kept, now), seed).await?;
            let member = (user, vec![external.clone()]);
            match insert_members_on(conn, std::slice::from_ref(&member), now).await {
                // Somebody came in at the same moment: look again, without what is theirs.
                Err(Fault::Refused(StorageError::AlreadyExists { .. })) => Err(Fault::Raced),
                outcome => {
                    outcome?;
                    let created = DomainEvent::UserCreated { user: id };
                    Ok(Outcome::new(member.0, vec![created]))
                }
            }
        }
    }
}

/// Somebody took a name between the look and the write: look again.
fn lost_name(error: diesel::result::Error) -> Fault {
    if broken_uniqueness(&error).is_some() { Fault::Raced } else { error.into() }
}

/// Whether the account says already what is given of it.
fn is_known(given: &NewExternal, account: &ExternalRow) -> bool {
    let nickname = given.nickname.as_ref().map(|name| name.as_str());
    nickname.is_none() || nickname == account.nickname.as_deref()
}

/// Takes the given nickname over.
async fn refresh_on(conn: &mut Conn, user: UserId, given: &NewExternal) -> Worked<()> {
    let account = external_accounts::table.find((user.0, given.provider.to_string()));
    let nickname = given.nickname.as_ref();
    let written = diesel::update(account)
        .filter(external_accounts::external_id.eq(given.external_id.as_str()))
        .set((
            external_accounts::nickname.eq(nickname.map(|name| name.as_str())),
            external_accounts::nickname_key.eq(nickname.map(|name| name.folded())),
        ))
        .kept()
        .execute(conn)
        .await?;
    if written == 0 { Err(Fault::Raced) } else { Ok(()) }
}

/// The member with what was empty taken from the seed, but for what somebody else has.
async fn filled_on(conn: &mut Conn, user: User, seed: &NewUser) -> Worked<User> {
    let mut filled = user.clone();
    fill(&mut filled.first_name, &seed.first_name);
    fill(&mut filled.last_name, &seed.last_name);
    fill(&mut filled.display_name, &seed.display_name);
    fill(&mut filled.bio, &seed.bio);
    fill(&mut filled.avatar_url, &seed.avatar_url);
    fill(&mut filled.username, &seed.username);
    fill(&mut filled.email, &seed.email);
    fill(&mut filled.phone, &seed.phone);
    let is_same = |filled: &User| {
        (&filled.username, &filled.email, &filled.phone)
            == (&user.username, &user.email, &user.phone)
    };
    if is_same(&filled) {
        return Ok(filled);
    }
    let row = UserRow::of(&filled);
    let holders = holders_on(conn, std::slice::from_ref(&row)).await?;
    let (username, email, phone) = taken_of(&row, &holders);
    if username {
        filled.username = user.username;
    }
    if email {
        filled.email = user.email;
    }
    if phone {
        filled.phone = user.phone;
    }
    Ok(filled)
}

fn fill<T: Clone>(field: &mut Option<T>, seed: &Option<T>) {
    if field.is_none() {
        field.clone_from(seed);
    }
}
