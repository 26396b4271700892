//! Members' languages, compiled once per backend. Each write holds the lock on the member's account:
//! of two that make another language the primary one, the later one sees what the earlier did.

use std::cmp::Reverse;

use crate::run::RunQueryDsl;
use diesel::prelude::*;
use guildhall_domain::{LanguageTag, Proficiency, Timestamp, UserId, UserLanguage};
use guildhall_repository::{LanguageRepository, StorageError};

use super::Conn;
use super::lease::{Lease, Mode};
use super::point::lock_member_on;
use crate::fault::{Fault, Worked};
use crate::kept::Keep;
use crate::queries::queries;
use crate::rows::LanguageRow;
use crate::schema::user_languages;

queries! {
    impl LanguageRepository by languages, |lease| {
        Bare of_user(user: UserId) -> Vec<UserLanguage> => of_user_on;
        Transaction add(
            user: UserId,
            language: &LanguageTag,
            proficiency: Option<Proficiency>,
            primary: bool,
            now: Timestamp,
        ) -> UserLanguage {
            let language = language.clone();
            let new = UserLanguage { user, language, is_primary: primary, proficiency, created_at: now };
        } => add_on(new);
        Transaction remove(user: UserId, language: &LanguageTag) -> bool => remove_on;
        Transaction set_primary(user: UserId, language: &LanguageTag) -> UserLanguage
            => set_primary_on;
    }
}

const ENTITY: &str = "language";

pub(super) async fn of_user_on(conn: &mut Conn, user: UserId) -> Worked<Vec<UserLanguage>> {
    let rows: Vec<LanguageRow> = user_languages::table
        .filter(user_languages::user_id.eq(user.0))
        .limit(UserLanguage::PER_USER_MAX as i64)
        .select(LanguageRow::as_select())
        .load(conn)
        .await?;
    let languages: Result<Vec<_>, _> = rows.into_iter().map(LanguageRow::into_language).collect();
    let mut languages = languages?;
    // Here, because databases differ in the order of text.
    languages.sort_by(|a, b| {
        (Reverse(a.is_primary), &a.language).cmp(&(Reverse(b.is_primary), &b.language))
    });
    Ok(languages)
}

fn key(user: UserId, language: &LanguageTag) -> String {
    format!("{language} of user {user}")
}

async fn add_on(conn: &mut Conn, new: &UserLanguage) -> Worked<UserLanguage> {
    lock_member_on(conn, new.user).await?;
    let spoken = of_user_on(conn, new.user).await?;
    if spoken.iter().any(|known| known.language == new.language) {
        let taken = StorageError::already_exists(ENTITY, key(new.user, &new.language));
        return Err(taken.into());
    }
    if spoken.len() >= UserLanguage::PER_USER_MAX {
        let limit = UserLanguage::PER_USER_MAX as u64;
        return Err(StorageError::LimitExceeded { limit, used: limit, retry_at: None }.into());
    }
    if new.is_primary && !spoken.is_empty() {
        unset_primary_on(conn, new.user).await?;
    }
    let added = UserLanguage { is_primary: new.is_primary || spoken.is_empty(), ..new.clone() };
    diesel::insert_into(user_languages::table)
        .values(LanguageRow::of(&added))
        .execute(conn)
        .await?;
    Ok(added)
}

async fn unset_primary_on(conn: &mut Conn, user: UserId) -> QueryResult<usize> {
    let primary = user_languages::table
        .filter(user_languages::user_id.eq(user.0))
        .filter(user_languages::is_primary);
    diesel::update(primary).set(user_languages::is_primary.eq(false)).kept().execute(conn).await
}

async fn make_primary_on(
    conn: &mut Conn,
    user: UserId,
    language: &LanguageTag,
) -> QueryResult<usize> {
    diesel::update(user_languages::table.find((user.0, language.as_str())))
        .set(user_languages::is_primary.eq(true))
        .kept()
        .execute(conn)
        .await
}

async fn remove_on(conn: &mut Conn, user: UserId, language: &LanguageTag) -> Worked<bool> {
    lock_member_on(conn, user).await?;
    let mut left = of_user_on(conn, user).await?;
    let Some(place) = left.iter().position(|known| known.language == *language) else {
        return Ok(false);
    };
    let gone = left.remove(place);
    let oldest =
        left.iter().min_by(|a, b| (a.created_at, &a.language).cmp(&(b.created_at, &b.language)));
    let Some(oldest) = oldest else {
        return Err(Fault::Refused(StorageError::InvalidState {
            entity: ENTITY,
            key: key(user, language),
            state: "the only one".to_owned(),
            attempted: "be removed",
        }));
    };
    diesel::delete(user_languages::table.find((user.0, language.as_str()))).execute(conn).await?;
    if gone.is_primary {
        make_primary_on(conn, user, &oldest.language).await?;
    }
    Ok(true)
}

async fn set_primary_on(
    conn: &mut Conn,
    user: UserId,
    language: &LanguageTag,
) -> Worked<UserLanguage> {
    lock_member_on(conn, user).await?;
    let spoken = of_user_on(conn, user).await?;
    let chosen = spoken.into_iter().find(|known| known.language == *language);
    let chosen = chosen.ok_or_else(|| StorageError::not_found(ENTITY, key(user, language)))?;
    if !chosen.is_primary {
        unset_primary_on(conn, user).await?;
        make_primary_on(conn, user, language).await?;
    }
    Ok(UserLanguage { is_primary: true, ..chosen })
}
