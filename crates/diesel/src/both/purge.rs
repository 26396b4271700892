//! Removing members without a trace, compiled once per backend.

use crate::run::RunQueryDsl;
use diesel::prelude::*;
use guildhall_domain::UserId;
use guildhall_repository::StorageError;

use super::member::lock_user;
use super::{Conn, lock_accounts};
use crate::fault::{Fault, Worked};
use crate::schema::{
    badge_events, external_accounts, imported_members, ledger_purges, onboarding, once_keys,
    outbox, point_accounts, point_entries, point_holds, reward_log, user_accessibility,
    user_achievements, user_activity_days, user_badges, user_counters, user_decisions,
    user_fragments, user_interests, user_items, user_languages, user_lore, user_missions,
    user_narrative, user_objective_progress, user_preferences, user_stats, users, vip_events,
    vip_grants,
};

pub(super) async fn purge_on(conn: &mut Conn, id: UserId) -> Worked<bool> {
    // The account first: no hold begins or ends while it is locked.
    lock_accounts(conn, &[id.0]).await?;
    if lock_user(conn, id.0).await?.is_none() {
        return Ok(false);
    }
    let active = point_holds::table
        .filter(point_holds::user_id.eq(id.0))
        .filter(point_holds::status.eq("active"));
    if diesel::select(diesel::dsl::exists(active)).get_result(conn).await? {
        return Err(Fault::Refused(StorageError::InvalidState {
            entity: "user",
            key: id.to_string(),
            state: "the owner of active holds".to_owned(),
            attempted: "be purged",
        }));
    }
    forget_on(conn, &[id.0]).await?;
    Ok(true)
}

/// Deletes everything of these members. A table that refers to members belongs in this list, before
/// the tables that it refers to.
pub(super) async fn forget_on(conn: &mut Conn, gone: &[i64]) -> QueryResult<()> {
    // What is append-only lets go only of those who are named there.
    users::table
        .filter(users::id.eq_any(gone.to_vec()))
        .select(users::id)
        .insert_into(ledger_purges::table)
        .into_columns(ledger_purges::user_id)
        .execute(conn)
        .await?;
    macro_rules! delete {
        ($($table:ident.$column:ident,)+) => {$(
            let rows = $table::table.filter($table::$column.eq_any(gone.to_vec()));
            diesel::delete(rows).execute(conn).await?;
        )+};
    }
    delete! {
        outbox.user_id,
        once_keys.user_id,
        reward_log.user_id,
        user_items.user_id,
        user_objective_progress.user_id,
        user_missions.user_id,
        user_lore.user_id,
        user_decisions.user_id,
        user_fragments.user_id,
        user_narrative.user_id,
        badge_events.user_id,
        user_badges.user_id,
        vip_events.user_id,
        vip_grants.user_id,
        user_achievements.user_id,
        user_preferences.user_id,
        user_languages.user_id,
        user_accessibility.user_id,
        user_interests.user_id,
        onboarding.user_id,
        point_entries.user_id,
        point_holds.user_id,
        point_accounts.user_id,
        user_stats.user_id,
        user_counters.user_id,
        user_activity_days.user_id,
        external_accounts.user_id,
        imported_members.user_id,
        users.id,
        ledger_purges.user_id,
    }
    Ok(())
}
