//! Levels, compiled once per backend: `super::Conn` is what differs.

use std::collections::BTreeMap;

use crate::run::RunQueryDsl;
use diesel::prelude::*;
use guildhall_domain::{Level, LevelTable, Rule, Timestamp, UserId};
use guildhall_repository::{LevelRepository, ListLimit, StorageError};

use super::lease::{Lease, Mode};
use super::member::{batch, lock_levels};
use super::user::at_most;
use super::{Conn, lock_accounts};
use crate::fault::Worked;
use crate::noted::{Note, Woven};
use crate::queries::queries;
use crate::rows::LevelRow;
use crate::schema::{levels, point_accounts};
use crate::types::DbTime;

/// The highest level, and so the most levels there can be.
const LEVEL_MAX: u32 = 1000;

queries! {
    impl LevelRepository by levels, |lease| {
        Bare list() -> Vec<Level> => list_on;
        Transaction save(level: &Level) -> Level {
            bounded(level)?;
            level.check()?;
        } => save_on;
        Transaction replace_all(levels: &[Level]) -> () {
            at_most("levels", levels.len(), LEVEL_MAX as usize)?; // 1000 fits everywhere.
            levels.iter().try_for_each(bounded)?;
            let table = LevelTable::new(levels.to_vec())?;
        } => replace_on(table);
        Woven delete(level: u32) -> bool {
            if level == 1 {
                return Err(StorageError::InvalidState {
                    entity: "level",
                    key: level.to_string(),
                    state: "everybody's first".to_owned(),
                    attempted: "be removed",
                });
            }
            let note = lease.woven(Mode::Woven);
        } => delete_on(level, note);
        Transaction recompute(after: Option<UserId>, limit: ListLimit, now: Timestamp)
            -> (u64, Option<UserId>) => recompute_on;
    }
}

fn bounded(level: &Level) -> Result<(), StorageError> {
    if (1..=LEVEL_MAX).contains(&level.level) {
        return Ok(());
    }
    Err(StorageError::invalid("level", Rule::OutOfRange { min: 1, max: i64::from(LEVEL_MAX) }))
}

async fn rows_on(conn: &mut Conn) -> QueryResult<Vec<LevelRow>> {
    let rows = levels::table.order_by(levels::level).limit(i64::from(LEVEL_MAX));
    rows.select(LevelRow::as_select()).load(conn).await
}

async fn list_on(conn: &mut Conn) -> Worked<Vec<Level>> {
    rows_on(conn).await?.into_iter().map(|row| Ok(row.into_level()?)).collect()
}

async fn save_on(conn: &mut Conn, level: &Level) -> Worked<Level> {
    lock_levels(conn).await?;
    let row = LevelRow::of(level);
    let below: Option<i64> = levels::table
        .filter(levels::level.lt(row.level))
        .order_by(levels::level.desc())
        .select(levels::min_xp)
        .first(conn)
        .await
        .optional()?;
    let above: Option<i64> = levels::table
        .filter(levels::level.gt(row.level))
        .order_by(levels::level)
        .select(levels::min_xp)
        .first(conn)
        .await
        .optional()?;
    if below.is_some_and(|below| below >= row.min_xp)
        || above.is_some_and(|above| above <= row.min_xp)
    {
        return Err(StorageError::invalid("min_xp", Rule::NotIncreasing).into());
    }
    diesel::insert_into(levels::table)
        .values(&row)
        .on_conflict(levels::level)
        .do_update()
        .set(&row)
        .execute(conn)
        .await?;
    Ok(level.clone())
}

async fn replace_on(conn: &mut Conn, table: &LevelTable) -> Worked<()> {
    lock_levels(conn).await?;
    diesel::delete(levels::table).execute(conn).await?;
    let rows: Vec<_> = table.levels().iter().map(LevelRow::of).collect();
    batch!(conn, execute, rows, diesel::insert_into(levels::table).values(rows))?;
    Ok(())
}

async fn delete_on(conn: &mut Conn, level: u32, note: &Woven) -> Worked<bool> {
    let doomed = diesel::delete(levels::table.find(i64::from(level)));
    Ok(doomed.noted(note).execute(conn).await? > 0)
}

async fn recompute_on(
    conn: &mut Conn,
    after: Option<UserId>,
    limit: ListLimit,
    now: Timestamp,
) -> Worked<(u64, Option<UserId>)> {
    let levels = rows_on(conn).await?;
    let limit = usize::from(limit.get());
    let mut ids: Vec<i64> = point_accounts::table
        .filter(point_accounts::user_id.gt(after.map_or(i64::MIN, |after| after.0)))
        .order_by(point_accounts::user_id)
        .limit(i64::try_from(limit + 1).unwrap_or(i64::MAX))
        .select(point_accounts::user_id)
        .load(conn)
        .await?;
    let more = ids.len() > limit;
    ids.truncate(limit);
    // One statement for each new level, not for each member.
    let mut moved: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
    for account in lock_accounts(conn, &ids).await? {
        let reached = levels.partition_point(|level| level.min_xp <= account.xp);
        let level = reached.checked_sub(1).and_then(|last| levels.get(last));
        if let Some(level) = level.filter(|level| level.level != account.level) {
            moved.entry(level.level).or_default().push(account.user_id);
        }
    }
    let mut changed = 0;
    for (level, members) in moved {
        let accounts = point_accounts::table.filter(point_accounts::user_id.eq_any(members));
        changed += diesel::update(accounts)
            .set((
                point_accounts::level.eq(level),
                point_accounts::updated_at.eq(DbTime(now)),
                point_accounts::version.eq(point_accounts::version + 1),
            ))
            .execute(conn)
            .await?;
    }
    let next = if more { ids.last().map(|id| UserId(*id)) } else { None };
    Ok((u64::try_from(changed).unwrap_or(u64::MAX), next))
}
