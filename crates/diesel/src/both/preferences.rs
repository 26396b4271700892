//! What members prefer and their first steps, compiled once per backend. Each write holds the lock
//! on the member's account, so that what it read is still so when it writes.

use crate::run::RunQueryDsl;
use diesel::prelude::*;
use guildhall_domain::{
    Accessibility, AccessibilityPatch, Onboarding, OnboardingStep, Outcome, Preferences,
    PreferencesPatch, Timestamp, UserId,
};
use guildhall_repository::{PreferenceRepository, StorageError};

use super::Conn;
use super::lease::{Lease, Mode};
use super::point::lock_member_on;
use crate::fault::Worked;
use crate::queries::queries;
use crate::rows::{AccessibilityRow, OnboardingRow, PreferencesRow};
use crate::schema::{onboarding, user_accessibility, user_preferences, users};

queries! {
    impl PreferenceRepository by preferences, |lease| {
        Bare preferences(user: UserId) -> Option<Preferences> => preferences_on;
        Transaction update_preferences(
            user: UserId,
            patch: &PreferencesPatch,
            expected_version: i64,
            now: Timestamp,
        ) -> Preferences => update_preferences_on;
        Bare accessibility(user: UserId) -> Option<Accessibility> => accessibility_on;
        Transaction update_accessibility(
            user: UserId,
            patch: &AccessibilityPatch,
            expected_version: i64,
            now: Timestamp,
        ) -> Accessibility => update_accessibility_on;
        Bare onboarding(user: UserId) -> Option<Onboarding> => onboarding_on;
        Transaction complete_onboarding_step(user: UserId, step: OnboardingStep, now: Timestamp)
            -> Outcome<Onboarding> => complete_step_on;
    }
}

/// What a table with one row a member has of one: `None` without the member, `Some(None)` before
/// the first write.
macro_rules! of_member {
    ($conn:expr, $user:expr, $table:ident, $row:ty) => {
        users::table
            .left_join($table::table)
            .filter(users::id.eq($user.0))
            .filter(users::deleted_at.is_null())
            .select(Option::<$row>::as_select())
            .first::<Option<$row>>($conn)
            .await
            .optional()
    };
}

/// Writes a row whether or not there was one. Its writer holds the member's lock.
macro_rules! put {
    ($conn:expr, $table:ident, $row:expr) => {
        diesel::insert_into($table::table)
            .values($row)
            .on_conflict($table::user_id)
            .do_update()
            .set($row)
            .execute($conn)
            .await
    };
}

fn absent(user: UserId) -> StorageError {
    StorageError::not_found("user", user)
}

async fn preferences_on(conn: &mut Conn, user: UserId) -> Worked<Option<Preferences>> {
    let Some(row) = of_member!(conn, user, user_preferences, PreferencesRow)? else {
        return Ok(None);
    };
    let said = row.map(PreferencesRow::into_preferences).transpose()?;
    Ok(Some(said.unwrap_or_else(|| Preferences::defaults(user))))
}

async fn update_preferences_on(
    conn: &mut Conn,
    user: UserId,
    patch: &PreferencesPatch,
    expected: i64,
    now: Timestamp,
) -> Worked<Preferences> {
    if !patch.is_empty() {
        lock_member_on(conn, user).await?;
    }
    let before = preferences_on(conn, user).await?.ok_or_else(|| absent(user))?;
    if patch.is_empty() {
        return Ok(before);
    }
    if before.version != expected {
        let conflict = StorageError::conflict("preferences", user, expected, before.version);
        return Err(conflict.into());
    }
    let after = patch.clone().applied_to(before, now)?;
    if let Some(row) = PreferencesRow::of(&after)? {
        put!(conn, user_preferences, &row)?;
    }
    Ok(after)
}

async fn accessibility_on(conn: &mut Conn, user: UserId) -> Worked<Option<Accessibility>> {
    let Some(row) = of_member!(conn, user, user_accessibility, AccessibilityRow)? else {
        return Ok(None);
    };
    let said = row.map(AccessibilityRow::into_accessibility).transpose()?;
    Ok(Some(said.unwrap_or_else(|| Accessibility::defaults(user))))
}

async fn update_accessibility_on(
    conn: &mut Conn,
    user: UserId,
    patch: &AccessibilityPatch,
    expected: i64,
    now: Timestamp,
) -> Worked<Accessibility> {
    if !patch.is_empty() {
        lock_member_on(conn, user).await?;
    }
    let before = accessibility_on(conn, user).await?.ok_or_else(|| absent(user))?;
    if patch.is_empty() {
        return Ok(before);
    }
    if before.version != expected {
        let entity = "accessibility settings";
        let conflict = StorageError::conflict(entity, user, expected, before.version);
        return Err(conflict.into());
    }
    let after = patch.clone().applied_to(before, now)?;
    if let Some(row) = AccessibilityRow::of(&after) {
        put!(conn, user_accessibility, &row)?;
    }
    Ok(after)
}

async fn onboarding_on(conn: &mut Conn, user: UserId) -> Worked<Option<Onboarding>> {
    let row = of_member!(conn, user, onboarding, OnboardingRow)?;
    let begun = || Onboarding::begun(user);
    Ok(row.map(|row| row.map_or_else(begun, OnboardingRow::into_onboarding)))
}

async fn complete_step_on(
    conn: &mut Conn,
    user: UserId,
    step: OnboardingStep,
    now: Timestamp,
) -> Worked<Outcome<Onboarding>> {
    lock_member_on(conn, user).await?;
    let mut state = onboarding_on(conn, user).await?.ok_or_else(|| absent(user))?;
    if !state.take(step, now) {
        return Ok(Outcome::replayed(state));
    }
    if let Some(row) = OnboardingRow::of(&state) {
        put!(conn, onboarding, &row)?;
    }
    Ok(Outcome::new(state, Vec::new()))
}
