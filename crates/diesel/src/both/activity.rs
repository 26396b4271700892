//! Activity, compiled once per backend: `super::Conn` is what differs.

use std::collections::{BTreeMap, HashMap, HashSet};

use async_trait::async_trait;
use diesel::dsl::{case_when, sql};
use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel::upsert::excluded;
use diesel_async::RunQueryDsl;
use guildhall_domain::{
    ActivityRecord, CommunityZone, Counter, CounterBump, Patch, Rule, StatsPatch, Timestamp,
    UserId, UserStats,
};
use guildhall_repository::{ActivityRepository, StorageError};

use super::lease::{Lease, Mode};
use super::member::{BY_BYTES, batch, record_signs};
use super::user::at_most;
use super::{Conn, columns};
use crate::fault::{Fault, Worked};
use crate::kept::Keep;
use crate::rows::{CounterRow, StatsRow, fold_name};
use crate::schema::{user_counters, user_stats, users};
use crate::types::{DbDay, DbTime};

/// The repository on this database.
pub(super) struct DieselActivity {
    pub(super) lease: Lease,
}

/// Signs of life recorded at once at most.
const SIGNS_MAX: usize = 1000;
/// Counters bumped at once at most.
const BUMPS_MAX: usize = 20;
/// Counters listed at most.
const COUNTERS_MAX: i64 = 500;

/// What one call says of one member.
#[derive(Clone, Debug)]
pub(super) struct Signs {
    pub(super) user: i64,
    pub(super) last: DbTime,
    pub(super) requests: i64,
    /// Each active day once, with its requests.
    pub(super) days: Vec<(DbDay, i64)>,
}

#[async_trait]
impl ActivityRepository for DieselActivity {
    async fn record(
        &self,
        records: &[ActivityRecord],
        zone: &CommunityZone,
    ) -> Result<u64, StorageError> {
        at_most("records", records.len(), SIGNS_MAX)?;
        if records.is_empty() {
            return Ok(0);
        }
        self.lease
            .run("activity.record", Mode::Transaction, added_up(records, zone), |conn, signs| {
                Box::pin(record_on(conn, signs))
            })
            .await
    }

    async fn stats(&self, user: UserId) -> Result<Option<UserStats>, StorageError> {
        self.lease
            .run("activity.stats", Mode::Bare, user, |conn, user| Box::pin(stats_on(conn, *user)))
            .await
    }

    async fn update_stats(
        &self,
        user: UserId,
        patch: &StatsPatch,
        expected_version: i64,
    ) -> Result<UserStats, StorageError> {
        let change = StatsChange::of(patch, expected_version)?;
        let args = (user, change, expected_version);
        self.lease
            .run(
                "activity.update_stats",
                Mode::Statement,
                args,
                |conn, (user, change, expected)| {
                    Box::pin(update_stats_on(conn, *user, change, *expected))
                },
            )
            .await
    }

    async fn bump_counters(
        &self,
        user: UserId,
        bumps: &[CounterBump],
        now: Timestamp,
    ) -> Result<Vec<Counter>, StorageError> {
        if bumps.is_empty() {
            return Err(StorageError::invalid("bumps", Rule::Empty));
        }
        at_most("bumps", bumps.len(), BUMPS_MAX)?;
        let mut seen = HashSet::new();
        if !bumps.iter().all(|bump| seen.insert(&bump.counter)) {
            return Err(StorageError::invalid("counter", Rule::Duplicate));
        }
        let args = (user, bumps.to_vec(), now);
        self.lease
            .run("activity.bump_counters", Mode::Transaction, args, |conn, (user, bumps, now)| {
                Box::pin(bump_on(conn, *user, bumps, *now))
            })
            .await
    }

    async fn counters(&self, user: UserId) -> Result<Vec<Counter>, StorageError> {
        self.lease
            .run("activity.counters", Mode::Bare, user, |conn, user| {
                Box::pin(counters_on(conn, *user))
            })
            .await
    }
}

/// The day and its requests, by the number of the day.
type Days = BTreeMap<i32, (DbDay, i64)>;

/// Adds up what is said of each member; ascending, so that two calls never wait for each other.
fn added_up(records: &[ActivityRecord], zone: &CommunityZone) -> Vec<Signs> {
    let mut members: BTreeMap<UserId, (Timestamp, i64, Days)> = BTreeMap::new();
    for record in records {
        let (day, requests) = (zone.day_of(record.at), i64::from(record.requests));
        let (last, total, days) =
            members.entry(record.user).or_insert_with(|| (record.at, 0, Days::new()));
        *last = record.at.max(*last);
        *total += requests; // A thousand numbers of 32 bits.
        days.entry(day.epoch_days()).or_insert((DbDay(day), 0)).1 += requests;
    }
    let sign = |(user, (last, requests, days)): (UserId, (Timestamp, i64, Days))| Signs {
        user: user.0,
        last: DbTime(last),
        requests,
        days: days.into_values().collect(),
    };
    members.into_iter().map(sign).collect()
}

async fn record_on(conn: &mut Conn, signs: &[Signs]) -> Worked<u64> {
    let touched = record_signs(conn, signs.to_vec()).await?;
    Ok(u64::try_from(touched).unwrap_or(u64::MAX))
}

pub(super) async fn stats_on(conn: &mut Conn, user: UserId) -> Worked<Option<UserStats>> {
    let row = user_stats::table.find(user.0).select(columns::<StatsRow>());
    let row: Option<StatsRow> = row.first(conn).await.optional()?;
    Ok(row.map(StatsRow::into_stats))
}

/// The columns of a patch; those it keeps are absent.
#[derive(Clone, Debug, AsChangeset)]
#[diesel(table_name = user_stats)]
struct StatsChange {
    content_read: Option<i64>,
    reading_minutes: Option<i64>,
    reading_streak: Option<i64>,
    last_read_day: Option<Option<DbDay>>,
    version: Option<i64>,
}

impl StatsChange {
    /// An empty patch leaves the version, too.
    fn of(patch: &StatsPatch, version: i64) -> Result<Self, StorageError> {
        let number = |field, value: Option<u64>| {
            let overflow = |_| StorageError::invalid(field, Rule::Overflow);
            value.map(|value| i64::try_from(value).map_err(overflow)).transpose()
        };
        Ok(Self {
            content_read: number("content_read", patch.content_read)?,
            reading_minutes: number("reading_minutes", patch.reading_minutes)?,
            reading_streak: patch.reading_streak.map(i64::from),
            last_read_day: match &patch.last_read_day {
                Patch::Keep => None,
                Patch::Set(day) => Some(Some(DbDay(*day))),
                Patch::Clear => Some(None),
            },
            version: (*patch != StatsPatch::default()).then(|| version.saturating_add(1)),
        })
    }
}

async fn update_stats_on(
    conn: &mut Conn,
    user: UserId,
    change: &StatsChange,
    expected: i64,
) -> Worked<UserStats> {
    if change.version.is_some() {
        let current = user_stats::table.find(user.0).filter(user_stats::version.eq(expected));
        let changed: Option<StatsRow> = diesel::update(current)
            .set(change)
            .returning(StatsRow::as_returning())
            .kept()
            .get_result(conn)
            .await
            .optional()?;
        if let Some(changed) = changed {
            return Ok(changed.into_stats());
        }
    }
    match stats_on(conn, user).await? {
        None => Err(StorageError::not_found("user", user).into()),
        Some(stats) if change.version.is_none() => Ok(stats),
        Some(stats) => {
            Err(StorageError::conflict("statistics", user, expected, stats.version).into())
        }
    }
}

/// Folds values in by one statement: between two calls no value is lost.
pub(super) async fn bump_on(
    conn: &mut Conn,
    user: UserId,
    bumps: &[CounterBump],
    now: Timestamp,
) -> Worked<Vec<Counter>> {
    let member = users::table.find(user.0).filter(users::deleted_at.is_null());
    if !diesel::select(diesel::dsl::exists(member)).get_result(conn).await? {
        return Err(StorageError::not_found("user", user).into());
    }
    let mut rows: Vec<CounterRow> = bumps
        .iter()
        .map(|bump| CounterRow {
            user_id: user.0,
            counter: bump.counter.as_str().to_owned(),
            value: bump.value,
            fold: fold_name(bump.fold).to_owned(),
            updated_at: DbTime(now),
        })
        .collect();
    // Always the same order, so that two calls never wait for each other.
    rows.sort_unstable_by(|a, b| a.counter.cmp(&b.counter));
    let folded = || {
        let (kept, given) = (user_counters::value, excluded(user_counters::value));
        let (is_max, is_min) = (user_counters::fold.eq("max"), user_counters::fold.eq("min"));
        let stays = is_max.and(kept.gt(given)).or(is_min.and(kept.lt(given)));
        let sum = kept + given;
        case_when(user_counters::fold.eq("sum"), sum).when(stays, kept).otherwise(given)
    };
    let changed: Vec<CounterRow> = batch!(
        conn,
        get_results,
        rows,
        // The filter of the conflict: that of queries has the same name.
        diesel::query_dsl::methods::FilterDsl::filter(
            diesel::insert_into(user_counters::table)
                .values(rows)
                .on_conflict((user_counters::user_id, user_counters::counter))
                .do_update()
                .set((
                    user_counters::value.eq(folded()),
                    user_counters::updated_at.eq(excluded(user_counters::updated_at)),
                )),
            user_counters::fold.eq(excluded(user_counters::fold)),
        )
        .returning(CounterRow::as_returning())
    )?;
    let mut changed: HashMap<String, CounterRow> =
        changed.into_iter().map(|row| (row.counter.clone(), row)).collect();
    let mut counters = Vec::with_capacity(bumps.len());
    for bump in bumps {
        let Some(row) = changed.remove(bump.counter.as_str()) else {
            return Err(Fault::Refused(StorageError::InvalidState {
                entity: "counter",
                key: format!("{} of user {user}", bump.counter),
                state: "folded in another way".to_owned(),
                attempted: "fold it in this one",
            }));
        };
        counters.push(row.into_counter()?);
    }
    Ok(counters)
}

async fn counters_on(conn: &mut Conn, user: UserId) -> Worked<Vec<Counter>> {
    let rows: Vec<CounterRow> = user_counters::table
        .filter(user_counters::user_id.eq(user.0))
        // The query builder knows no collations.
        .order_by(sql::<Text>("counter").sql(BY_BYTES))
        .limit(COUNTERS_MAX)
        .select(CounterRow::as_select())
        .load(conn)
        .await?;
    rows.into_iter().map(|row| Ok(row.into_counter()?)).collect()
}
