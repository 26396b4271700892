//! Totals over the ledger: of everybody, of a day, of a member. Compiled once per backend.
//!
//! PostgreSQL sums 64-bit integers to `numeric`, hence the casts, which the query builder does not
//! have. What does not fit afterwards is an overflow on both databases.

use std::collections::BTreeSet;

use crate::run::RunQueryDsl;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use guildhall_domain::{
    ActivitySummary, CommunityZone, DailyActivity, Day, PointTotals, Points, Timestamp, UserId,
    Violation,
};
use guildhall_repository::StorageError;

use super::{Conn, ENTRY_HALF_DAY};
use crate::fault::Worked;
use crate::rows::count;
use crate::schema::{point_accounts, point_entries};
use crate::types::{DbTime, UtcTime};

const BALANCES: &str = "CAST(COALESCE(SUM(balance), 0) AS BIGINT)";
const WITH_POINTS: &str = "COUNT(CASE WHEN balance > 0 THEN 1 END)";
const GREATEST: &str = "COALESCE(MAX(balance), 0)";
const LEAST: &str = "COALESCE(MIN(balance), 0)";

const AWARDED: &str =
    "CAST(COALESCE(SUM(CASE WHEN kind = 'award' THEN amount ELSE 0 END), 0) AS BIGINT)";
const AWARDS: &str = "COUNT(CASE WHEN kind = 'award' THEN 1 END)";
const SPENT: &str = "CAST(COALESCE(SUM(CASE WHEN kind IN ('spend', 'hold_capture') THEN -amount \
                     ELSE 0 END), 0) AS BIGINT)";
const GROWN: &str = "CAST(COALESCE(SUM(CASE WHEN amount > 0 THEN amount ELSE 0 END), 0) AS BIGINT)";
const SHRUNK: &str =
    "CAST(COALESCE(SUM(CASE WHEN amount < 0 THEN -amount ELSE 0 END), 0) AS BIGINT)";
const MEMBERS: &str = "COUNT(DISTINCT user_id)";

pub(super) async fn circulation_on(conn: &mut Conn) -> Worked<Points> {
    let sum: i64 = point_accounts::table.select(sql::<BigInt>(BALANCES)).get_result(conn).await?;
    Ok(Points::from_minor(sum)?)
}

/// Balances and entries are summed apart: joined, each balance would count once an entry.
pub(super) async fn totals_on(conn: &mut Conn) -> Worked<PointTotals> {
    let (members, with_points, balances, greatest, least): (i64, i64, i64, i64, i64) =
        point_accounts::table
            .select((
                diesel::dsl::count_star(),
                sql::<BigInt>(WITH_POINTS),
                sql::<BigInt>(BALANCES),
                sql::<BigInt>(GREATEST),
                sql::<BigInt>(LEAST),
            ))
            .get_result(conn)
            .await?;
    let (entries, earned, spent): (i64, i64, i64) = point_entries::table
        .select((diesel::dsl::count_star(), sql::<BigInt>(AWARDED), sql::<BigInt>(SPENT)))
        .get_result(conn)
        .await?;
    Ok(PointTotals {
        members: count(members),
        with_points: count(with_points),
        sum: Points::from_minor(balances)?,
        average: Points::from_minor(balances / members.max(1))?,
        greatest: Points::from_minor(greatest)?,
        least: Points::from_minor(least)?,
        entries: count(entries),
        earned: Points::from_minor(earned)?,
        spent: Points::from_minor(spent)?,
    })
}

pub(super) async fn day_on(
    conn: &mut Conn,
    day: Day,
    zone: &CommunityZone,
) -> Worked<DailyActivity> {
    use point_entries::dsl as e;
    let (from, before) = (zone.start_of(day), zone.start_of(day.next()));
    let (entries, members, grown, shrunk): (i64, i64, i64, i64) = e::point_entries
        .filter(e::created_at.ge(DbTime(from)).and(e::created_at.lt(DbTime(before))))
        .select((
            diesel::dsl::count_star(),
            sql::<BigInt>(MEMBERS),
            sql::<BigInt>(GROWN),
            sql::<BigInt>(SHRUNK),
        ))
        .get_result(conn)
        .await?;
    let (earned, spent) = (Points::from_minor(grown)?, Points::from_minor(shrunk)?);
    Ok(DailyActivity {
        day,
        entries: count(entries),
        members: count(members),
        earned,
        spent,
        net: earned.minus(spent)?,
    })
}

/// A member's entries of half a day in UTC. SQLite knows no zones, but half a day meets at most
/// one midnight of any zone: its first and last entry tell all the community days in it.
#[derive(Queryable)]
struct HalfDay {
    entries: i64,
    grown: i64,
    shrunk: i64,
    awards: i64,
    awarded: i64,
    first: DbTime,
    last: DbTime,
}

/// The last `days` community days, today included.
pub(super) async fn activity_on(
    conn: &mut Conn,
    user: UserId,
    days: u32,
    zone: &CommunityZone,
    now: Timestamp,
) -> Worked<ActivitySummary> {
    use point_entries::dsl as e;
    let balance: Option<i64> = point_accounts::table
        .find(user.0)
        .select(point_accounts::balance)
        .first(conn)
        .await
        .optional()?;
    let balance = balance.ok_or_else(|| StorageError::not_found("user", user))?;
    let first_day = (1..days).fold(zone.day_of(now), |day, _| day.previous());
    let half_days: Vec<HalfDay> = e::point_entries
        .filter(e::user_id.eq(user.0))
        .filter(e::created_at.ge(DbTime(zone.start_of(first_day))))
        .filter(e::created_at.le(DbTime(now)))
        .group_by(sql::<BigInt>(ENTRY_HALF_DAY))
        .select((
            diesel::dsl::count_star(),
            sql::<BigInt>(GROWN),
            sql::<BigInt>(SHRUNK),
            sql::<BigInt>(AWARDS),
            sql::<BigInt>(AWARDED),
            sql::<UtcTime>("MIN(created_at)"),
            sql::<UtcTime>("MAX(created_at)"),
        ))
        .load(conn)
        .await?;
    let instants = half_days.iter().flat_map(|half| [half.first.0, half.last.0]);
    let active: BTreeSet<Day> = instants.map(|instant| zone.day_of(instant)).collect();
    let earned = added_up(&half_days, |half| half.grown)?;
    let spent = added_up(&half_days, |half| half.shrunk)?;
    let awarded = added_up(&half_days, |half| half.awarded)?.minor();
    let awards: i64 = half_days.iter().map(|half| half.awards).sum();
    Ok(ActivitySummary {
        user,
        days,
        entries: half_days.iter().map(|half| count(half.entries)).sum(),
        earned,
        spent,
        average_award: Points::from_minor(awarded / awards.max(1))?,
        active_days: active.len() as u64,
        net: earned.minus(spent)?,
        balance: Points::from_minor(balance)?,
    })
}

fn added_up(halves: &[HalfDay], column: impl Fn(&HalfDay) -> i64) -> Result<Points, Violation> {
    halves.iter().try_fold(Points::ZERO, |sum, half| sum.plus(Points::from_minor(column(half))?))
}
