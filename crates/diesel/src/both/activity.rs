//! Activity, compiled once per backend: `super::Conn` is what differs.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::run::RunQueryDsl;
use diesel::dsl::{case_when, sql};
use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel::upsert::excluded;
use guildhall_domain::{
    ActivityRecord, CommunityZone, Counter, CounterBump, CounterFold, Patch, Rule, StatsPatch,
    Timestamp, UserId, UserStats,
};
use guildhall_repository::{ActivityRepository, StorageError};

use super::lease::{Lease, Mode};
use super::member::{BY_BYTES, record_signs};
use super::together::together_with_batch;
use super::user::at_most;
use super::{Conn, columns};
use crate::fault::{Fault, Worked};
use crate::noted::{Note, Woven};
use crate::queries::queries;
use crate::rows::{CounterRow, StatsRow, fold_name};
use crate::schema::{user_counters, user_stats, users};
use crate::types::{DbDay, DbTime};

/// Signs of life recorded at once at most.
const SIGNS_MAX: usize = 1000;
/// Counters bumped at once at most.
const BUMPS_MAX: usize = 20;
/// The counter that is 1 once a result of at least [`GOOD_BP`] follows one of at most [`BAD_BP`].
const REDEMPTION: &str = "redemption";
const GOOD_BP: i64 = 9_000;
const BAD_BP: i64 = 4_000;
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

queries! {
    impl ActivityRepository by activity, |lease| {
        Transaction record(records: &[ActivityRecord], zone: &CommunityZone) -> u64 {
            at_most("records", records.len(), SIGNS_MAX)?;
            if records.is_empty() {
                return Ok(0);
            }
            let signs = added_up(records, zone);
        } => record_on(signs);
        Bare stats(user: UserId) -> Option<UserStats> => stats_on;
        Woven update_stats(user: UserId, patch: &StatsPatch, expected_version: i64) -> UserStats {
            let change = StatsChange::of(patch, expected_version)?;
            let note = lease.woven(Mode::Woven);
        } => update_stats_on(user, change, expected_version, note);
        Transaction bump_counters(user: UserId, bumps: &[CounterBump], now: Timestamp)
            -> Vec<Counter> {
            if bumps.is_empty() {
                return Err(StorageError::invalid("bumps", Rule::Empty));
            }
            at_most("bumps", bumps.len(), BUMPS_MAX)?;
            let mut seen = HashSet::new();
            if !bumps.iter().all(|bump| seen.insert(&bump.counter)) {
                return Err(StorageError::invalid("counter", Rule::Duplicate));
            }
        } => bump_on;
        Bare counters(user: UserId) -> Vec<Counter> => counters_on;
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
    note: &Woven,
) -> Worked<UserStats> {
    if change.version.is_some() {
        let current = user_stats::table.find(user.0).filter(user_stats::version.eq(expected));
        let changed: Option<StatsRow> = diesel::update(current)
            .set(change)
            .returning(StatsRow::as_returning())
            .noted_rows(note)
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
    if redeemed_on(conn, user, bumps).await? {
        rows.push(CounterRow {
            user_id: user.0,
            counter: REDEMPTION.to_owned(),
            value: 1,
            fold: fold_name(CounterFold::Max).to_owned(),
            updated_at: DbTime(now),
        });
    }
    // Always the same order, so that two calls never wait for each other.
    rows.sort_unstable_by(|a, b| a.counter.cmp(&b.counter));
    let folded = || {
        let (kept, given) = (user_counters::value, excluded(user_counters::value));
        let (is_max, is_min) = (user_counters::fold.eq("max"), user_counters::fold.eq("min"));
        let stays = is_max.and(kept.gt(given)).or(is_min.and(kept.lt(given)));
        let sum = kept + given;
        case_when(user_counters::fold.eq("sum"), sum).when(stays, kept).otherwise(given)
    };
    let (known, changed) = together_with_batch!(
        conn,
        on => diesel::select(diesel::dsl::exists(member)).get_result::<bool>(on),
        // The filter of the conflict: that of queries has the same name.
        rows => diesel::query_dsl::methods::FilterDsl::filter(
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
        .returning(CounterRow::as_returning()),
    );
    if !known? {
        return Err(StorageError::not_found("user", user).into());
    }
    let changed: Vec<CounterRow> = changed?;
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

/// Whether a good result follows a bad one. Asked only where there is a good one.
async fn redeemed_on(conn: &mut Conn, user: UserId, bumps: &[CounterBump]) -> QueryResult<bool> {
    let good =
        |bump: &CounterBump| bump.counter.as_str() == "highest_score_bp" && bump.value >= GOOD_BP;
    let named = |bump: &CounterBump| bump.counter.as_str() == REDEMPTION;
    if !bumps.iter().any(good) || bumps.iter().any(named) {
        return Ok(false);
    }
    let lowest = user_counters::table.find((user.0, "lowest_score_bp"));
    let bad = lowest.filter(user_counters::value.le(BAD_BP));
    diesel::select(diesel::dsl::exists(bad)).get_result(conn).await
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
