//! Earning rules: messages, check-ins, gifts and participation, each one transaction.

use crate::run::RunQueryDsl;
use diesel::prelude::*;
use guildhall_domain::{
    Amount, Award, BasisPoints, CheckIn, DomainEvent, EarningRules, EntryReference, IdemKey,
    Outcome, Participation, PointEntry, Source, Timestamp, UserId, UserStats, Violation,
    check_in_streak,
};
use guildhall_repository::StorageError;

use super::point::movement_on;
use super::{Conn, columns, lock_accounts};
use crate::fault::Worked;
use crate::kept::Keep;
use crate::rows::{Movement, StatsRow};
use crate::schema::user_stats;
use crate::types::{DbDay, DbTime};

/// A bonus comes on every seventh day of a streak.
const BONUS_EVERY_DAYS: u32 = 7;

pub(super) async fn message_on(
    conn: &mut Conn,
    user: UserId,
    rules: &EarningRules,
    multiplier: BasisPoints,
    now: Timestamp,
) -> Worked<Outcome<Option<PointEntry>>> {
    let stats = locked_stats_on(conn, user).await?;
    let due =
        stats.last_message_award_at.is_none_or(|last| now.since(last) >= rules.message_interval);
    let paid_at = if due { Some(now) } else { stats.last_message_award_at };
    diesel::update(user_stats::table.find(user.0))
        .set((
            user_stats::messages_sent.eq(user_stats::messages_sent + 1),
            user_stats::last_message_award_at.eq(paid_at.map(DbTime)),
            user_stats::version.eq(user_stats::version + 1),
        ))
        .kept()
        .execute(conn)
        .await?;
    if !due {
        return Ok(Outcome::new(None, Vec::new()));
    }
    let award = award(user, rules.message, "message", multiplier)?;
    Ok(movement_on(conn, &Movement::award(&award, now)?).await?.map(Some))
}

pub(super) async fn check_in_on(
    conn: &mut Conn,
    user: UserId,
    rules: &EarningRules,
    multiplier: BasisPoints,
    now: Timestamp,
) -> Worked<Outcome<CheckIn>> {
    let today = rules.zone.day_of(now);
    let stats = locked_stats_on(conn, user).await?;
    if let Some(last) = stats.last_checkin_day.filter(|last| *last >= today) {
        return Err(once(rules.zone.start_of(last.next())).into());
    }
    let streak = check_in_streak(stats.last_checkin_day, stats.checkin_streak, today);
    diesel::update(user_stats::table.find(user.0))
        .set((
            user_stats::checkin_streak.eq(i64::from(streak)),
            user_stats::longest_streak.eq(i64::from(stats.longest_streak.max(streak))),
            user_stats::last_checkin_day.eq(Some(DbDay(today))),
            user_stats::version.eq(user_stats::version + 1),
        ))
        .kept()
        .execute(conn)
        .await?;
    let day = award(user, rules.check_in, "checkin", multiplier)?
        .key(IdemKey::parse(&format!("checkin:{user}:{today}"))?);
    let mut outcome = movement_on(conn, &Movement::award(&day, now)?).await?;
    let mut bonus = None;
    if streak.is_multiple_of(BONUS_EVERY_DAYS) {
        let week = award(user, rules.weekly_bonus, "checkin_bonus", multiplier)?
            .key(IdemKey::parse(&format!("checkin:{user}:{today}:bonus"))?);
        let paid = movement_on(conn, &Movement::award(&week, now)?).await?;
        outcome.events.extend(paid.events);
        bonus = Some(paid.value);
    }
    outcome.events.push(DomainEvent::CheckedIn { user, day: today, streak });
    Ok(outcome.map(|entry| CheckIn { day: today, streak, entry, bonus }))
}

pub(super) async fn gift_on(
    conn: &mut Conn,
    user: UserId,
    rules: &EarningRules,
    now: Timestamp,
) -> Worked<Outcome<PointEntry>> {
    let stats = locked_stats_on(conn, user).await?;
    if let Some(last) = stats.last_gift_at {
        let next = last.plus(rules.gift_cooldown);
        if next > now {
            return Err(once(next).into());
        }
    }
    diesel::update(user_stats::table.find(user.0))
        .set((
            user_stats::last_gift_at.eq(Some(DbTime(now))),
            user_stats::version.eq(user_stats::version + 1),
        ))
        .kept()
        .execute(conn)
        .await?;
    let gift = award(user, rules.daily_gift, "daily_gift", BasisPoints::ONE)?;
    movement_on(conn, &Movement::award(&gift, now)?).await
}

/// The award for taking part, whose key makes it payable once.
pub(super) fn participation_on(
    user: UserId,
    kind: Participation,
    reference: &EntryReference,
    rules: &EarningRules,
    multiplier: BasisPoints,
) -> Result<Award, Violation> {
    let key = IdemKey::parse(&format!("part:{kind}:{reference}:{user}"))?;
    let award = award(user, rules.participation(kind), kind.as_str(), multiplier)?;
    Ok(award.reference(reference.clone()).key(key))
}

fn award(
    user: UserId,
    amount: Amount,
    source: &'static str,
    multiplier: BasisPoints,
) -> Result<Award, Violation> {
    Ok(Award { multiplier, ..Award::new(user, amount, Source::parse(source)?) })
}

fn once(retry_at: Timestamp) -> StorageError {
    StorageError::LimitExceeded { limit: 1, used: 1, retry_at: Some(retry_at) }
}

/// The member's statistics, under the lock of the member's account: whoever changes both takes
/// the account first.
async fn locked_stats_on(conn: &mut Conn, user: UserId) -> Worked<UserStats> {
    let locked = lock_accounts(conn, &[user.0]).await?;
    if !locked.iter().any(|account| !account.is_closed) {
        return Err(StorageError::not_found("user", user).into());
    }
    let row = user_stats::table.find(user.0).select(columns::<StatsRow>()).first(conn).await;
    let row: StatsRow = row.optional()?.ok_or_else(|| StorageError::not_found("user", user))?;
    Ok(row.into_stats())
}
