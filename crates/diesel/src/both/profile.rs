//! Members in full and counts of them, compiled once per backend. Every function is one fixed number
//! of statements.

use std::time::Duration;

use crate::run::RunQueryDsl;
use diesel::dsl::{count_star, not, sql};
use diesel::prelude::*;
use diesel::sql_types::Text;
use guildhall_domain::{
    Accessibility, Engagement, FullProfile, Onboarding, Points, Preferences, ProfileStats, Role,
    TableStats, Timestamp, UserId, UserTotals,
};
use guildhall_repository::{ProfileRepository, StorageError};

use super::badge_report::held_by_on;
use super::lease::{Lease, Mode};
use super::member::BY_BYTES;
use super::purge::purge_on;
use super::user_lookup::externals_on;
use super::{Conn, columns, interest, language};
use crate::fault::Worked;
use crate::queries::queries;
use crate::rows::{AccessibilityRow, OnboardingRow, PreferencesRow, UserRow, corrupt, count};
use crate::schema::{
    external_accounts, onboarding, point_accounts, user_accessibility, user_badges, user_interests,
    user_languages, user_preferences, user_stats, users,
};
use crate::types::DbTime;

/// Groups counted at most.
const GROUPS_MAX: i64 = 200;

fn absent(user: UserId) -> StorageError {
    StorageError::not_found("user", user)
}

queries! {
    impl ProfileRepository by profiles, |lease| {
        Snapshot full_profile(user: UserId) -> FullProfile => full_on;
        Snapshot profile_stats(user: UserId) -> ProfileStats => stats_on;
        Snapshot engagement(user: UserId, now: Timestamp) -> Engagement => engagement_on;
        Snapshot user_totals(now: Timestamp) -> UserTotals => totals_on;
        Snapshot table_stats(now: Timestamp) -> TableStats => table_stats_on;
        Transaction purge_user(user: UserId) -> bool => purge_on;
    }
}

/// What of a profile has at most one row a member.
type Single = (UserRow, Option<PreferencesRow>, Option<AccessibilityRow>, Option<OnboardingRow>);

/// Six statements: what a member has once, and four lists, of which badges take two.
async fn full_on(conn: &mut Conn, id: UserId) -> Worked<FullProfile> {
    let single: Option<Single> = users::table
        .left_join(user_preferences::table)
        .left_join(user_accessibility::table)
        .left_join(onboarding::table)
        .filter(users::id.eq(id.0))
        .filter(users::deleted_at.is_null())
        .select((
            columns::<UserRow>(),
            Option::<PreferencesRow>::as_select(),
            Option::<AccessibilityRow>::as_select(),
            Option::<OnboardingRow>::as_select(),
        ))
        .first(conn)
        .await
        .optional()?;
    let (user, preferences, accessibility, steps) = single.ok_or_else(|| absent(id))?;
    let preferences = preferences.map(PreferencesRow::into_preferences).transpose()?;
    let accessibility = accessibility.map(AccessibilityRow::into_accessibility).transpose()?;
    Ok(FullProfile {
        user: user.into_user()?,
        preferences: preferences.unwrap_or_else(|| Preferences::defaults(id)),
        languages: language::of_user_on(conn, id).await?,
        accessibility: accessibility.unwrap_or_else(|| Accessibility::defaults(id)),
        interests: interest::of_user_on(conn, id).await?,
        onboarding: steps.map_or_else(|| Onboarding::begun(id), OnboardingRow::into_onboarding),
        externals: externals_on(conn, id).await?,
        badges: held_by_on(conn, id, None, BADGES_MAX).await?.items,
    })
}

/// Four statements.
async fn stats_on(conn: &mut Conn, user: UserId) -> Worked<ProfileStats> {
    let single: Option<(Option<i64>, Option<i64>, Option<OnboardingRow>)> = users::table
        .left_join(user_preferences::table)
        .left_join(user_accessibility::table)
        .left_join(onboarding::table)
        .filter(users::id.eq(user.0))
        .filter(users::deleted_at.is_null())
        .select((
            user_preferences::user_id.nullable(),
            user_accessibility::user_id.nullable(),
            Option::<OnboardingRow>::as_select(),
        ))
        .first(conn)
        .await
        .optional()?;
    let (preferences, accessibility, steps) = single.ok_or_else(|| absent(user))?;
    let steps = steps.map(OnboardingRow::into_onboarding);
    macro_rules! owned {
        ($table:ident) => {
            count($table::table.filter($table::user_id.eq(user.0)).count().get_result(conn).await?)
        };
    }
    Ok(ProfileStats {
        user,
        has_preferences: preferences.is_some(),
        has_accessibility: accessibility.is_some(),
        languages: owned!(user_languages),
        interests: owned!(user_interests),
        onboarding_steps: steps.map_or(0, |steps| steps.taken().count() as u64),
        externals: owned!(external_accounts),
    })
}

/// What is counted of a member: registration, balance, level, messages, streak.
type Counted = (DbTime, i64, i64, i64, i64);

/// Two statements.
async fn engagement_on(conn: &mut Conn, user: UserId, now: Timestamp) -> Worked<Engagement> {
    let counted: Option<Counted> = users::table
        .inner_join(point_accounts::table)
        .inner_join(user_stats::table)
        .filter(users::id.eq(user.0))
        .filter(users::deleted_at.is_null())
        .select((
            users::created_at,
            point_accounts::balance,
            point_accounts::level,
            user_stats::messages_sent,
            user_stats::checkin_streak,
        ))
        .first(conn)
        .await
        .optional()?;
    let (registered, balance, level, messages, streak) = counted.ok_or_else(|| absent(user))?;
    let badges = user_badges::table.filter(user_badges::user_id.eq(user.0)).count();
    let badges: i64 = badges.get_result(conn).await?;
    Ok(Engagement {
        user,
        points: Points::from_minor(balance)?,
        level: u32::try_from(level).unwrap_or(1),
        days_registered: now.since(registered.0).as_secs() / DAY.as_secs(),
        messages: count(messages),
        streak: u32::try_from(streak).unwrap_or(0),
        badges: count(badges),
    })
}

/// The most badges of a full profile.
const BADGES_MAX: u16 = 200;

const DAY: Duration = Duration::from_secs(86_400);

/// Seven statements.
async fn totals_on(conn: &mut Conn, now: Timestamp) -> Worked<UserTotals> {
    let active = || users::table.filter(users::is_active);
    let since = |days: u32| DbTime(now.minus(DAY * days));
    let total = count(active().count().get_result(conn).await?);
    let recent = active().filter(users::last_active_at.gt(since(7)));
    let active_7d = count(recent.count().get_result(conn).await?);
    let fresh = active().filter(users::created_at.gt(since(1)));
    let new_24h = count(fresh.count().get_result(conn).await?);
    let admins = count(active().filter(users::is_admin).count().get_result(conn).await?);
    let limited = users::vip_kind.eq("until").and(users::vip_expires_at.gt(DbTime(now)));
    let standing = users::vip_kind.eq("lifetime").or(limited);
    let vips = active().filter(not(users::is_admin)).filter(standing);
    let vips = count(vips.count().get_result(conn).await?);
    let providers: Vec<(String, i64)> = external_accounts::table
        .inner_join(users::table)
        .filter(users::is_active)
        .group_by(external_accounts::provider)
        // The query builder knows no collations.
        .order((count_star().desc(), sql::<Text>("external_accounts.provider").sql(BY_BYTES)))
        .limit(GROUPS_MAX)
        .select((external_accounts::provider, count_star()))
        .load(conn)
        .await?;
    let languages: Vec<(String, i64)> = active()
        .group_by(users::language)
        .order((count_star().desc(), sql::<Text>("users.language").sql(BY_BYTES)))
        .limit(GROUPS_MAX)
        .select((users::language, count_star()))
        .load(conn)
        .await?;
    let by_provider = providers.into_iter().map(|(name, members)| {
        let provider = name.parse().map_err(|error| corrupt("provider", name)(Box::from(error)))?;
        Ok::<_, StorageError>((provider, count(members)))
    });
    let by_language = languages.into_iter().map(|(tag, members)| {
        let language = tag.parse().map_err(|error| corrupt("language", tag)(Box::from(error)))?;
        Ok::<_, StorageError>((language, count(members)))
    });
    let free = total.saturating_sub(admins + vips);
    Ok(UserTotals {
        total,
        active_7d,
        new_24h,
        by_provider: by_provider.collect::<Result<_, _>>()?,
        by_language: by_language.collect::<Result<_, _>>()?,
        by_role: vec![(Role::Free, free), (Role::Vip, vips), (Role::Admin, admins)],
    })
}

async fn table_stats_on(conn: &mut Conn, now: Timestamp) -> Worked<TableStats> {
    let total = users::table.count().get_result(conn).await?;
    let fresh = users::table.filter(users::created_at.gt(DbTime(now.minus(DAY))));
    let created_24h = fresh.count().get_result(conn).await?;
    Ok(TableStats { total: count(total), created_24h: count(created_24h) })
}
