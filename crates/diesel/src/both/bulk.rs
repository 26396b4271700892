//! Awards in bulk: locked once, computed here, written in two statements.

use std::collections::{HashMap, HashSet};

use crate::run::RunQueryDsl;
use diesel::prelude::*;
use guildhall_domain::{Award, Outcome, PointEntry, Points, Rule, Timestamp};
use guildhall_repository::{BulkMode, BulkOutcome, StorageError};

use super::point::events_of;
use super::{Conn, columns, insert_entries, lock_accounts, store_accounts};
use crate::fault::{Fault, Worked};
use crate::rows::{AccountRow, EntryRow, Moved, Movement, NewEntryRow};
use crate::schema::{levels, point_entries};
use crate::types::DbTime;

/// What became of one item before anything was written.
enum Planned {
    /// To be written, at this place in the list of new entries.
    Entry { movement: Movement, moved: Moved },
    /// An earlier call wrote it.
    Replay(EntryRow),
    /// An earlier item of this call, the one at this place, has the same key and request.
    Repeat(usize),
}

pub(super) async fn award_bulk_on(
    conn: &mut Conn,
    awards: &[Award],
    mode: BulkMode,
    now: Timestamp,
) -> Worked<BulkOutcome> {
    let mut users: Vec<i64> = awards.iter().map(|award| award.user.0).collect();
    users.sort_unstable();
    users.dedup();
    let accounts = lock_accounts(conn, &users).await?;
    let mut plan = Plan {
        accounts: accounts
            .into_iter()
            .filter(|account| !account.is_closed)
            .map(|account| (account.user_id, account))
            .collect(),
        used: used_keys_on(conn, awards).await?,
        levels: level_table_on(conn).await?,
        first_use: HashMap::new(),
        entries: Vec::with_capacity(awards.len()),
        now,
    };
    let mut planned = Vec::with_capacity(awards.len());
    for (place, award) in awards.iter().enumerate() {
        match plan.item(place, award) {
            Err(error) if mode == BulkMode::Atomic => return Err(Fault::Refused(error)),
            outcome => planned.push(outcome),
        }
    }
    let touched: HashSet<i64> = plan.entries.iter().map(|entry| entry.user_id).collect();
    let changed = plan.accounts.into_values().filter(|account| touched.contains(&account.user_id));
    let mut changed: Vec<AccountRow> = changed.collect();
    changed.sort_unstable_by_key(|account| account.user_id);
    if !changed.is_empty() {
        store_accounts(conn, changed).await?;
    }
    let ids = if plan.entries.is_empty() {
        Vec::new()
    } else {
        insert_entries(conn, plan.entries).await?
    };
    outcomes(planned, &ids)
}

struct Plan {
    accounts: HashMap<i64, AccountRow>,
    used: HashMap<String, EntryRow>,
    /// Beginnings and numbers of the levels, ascending.
    levels: Vec<(i64, i64)>,
    first_use: HashMap<String, (usize, Movement)>,
    entries: Vec<NewEntryRow>,
    now: Timestamp,
}

impl Plan {
    /// Applies one award to the locked accounts, in memory.
    fn item(&mut self, place: usize, award: &Award) -> Result<Planned, StorageError> {
        let movement = Movement::award(award, self.now)?;
        if let Some(key) = &movement.idem_key {
            let conflict = || {
                let (expected, actual) = ("the request it was first used for", "another request");
                StorageError::conflict("once-only key", key, expected, actual)
            };
            if let Some(row) = self.used.get(key) {
                let same = movement.asked_for(row);
                return same.then(|| Planned::Replay(row.clone())).ok_or_else(conflict);
            }
            if let Some((first, other)) = self.first_use.get(key) {
                let same = movement.same_request(other);
                return same.then_some(Planned::Repeat(*first)).ok_or_else(conflict);
            }
        }
        let account = self
            .accounts
            .get_mut(&movement.user)
            .ok_or_else(|| StorageError::not_found("user", movement.user))?;
        let boost = i64::from(account.xp_boost_bp);
        let gain = movement.amount / 10_000 * boost + movement.amount % 10_000 * boost / 10_000;
        let in_range = |sum: i64| {
            Points::from_minor(sum)
                .map(Points::minor)
                .map_err(|_| StorageError::invalid("amount", Rule::Overflow))
        };
        // All three are checked before any is stored: a refused item leaves the account alone.
        let balance = in_range(account.balance + movement.amount)?;
        let earned = in_range(account.lifetime_earned + movement.amount)?;
        let xp = in_range(account.xp + gain)?;
        let passed = levels_between(&self.levels, account.xp, xp);
        let moved =
            Moved { entry: 0, seq: account.next_seq, balance_after: balance, levels: passed };
        account.balance = balance;
        account.lifetime_earned = earned;
        account.xp = xp;
        account.level = moved.levels.last().map_or(account.level, |top| account.level.max(*top));
        account.next_seq += 1;
        account.version += 1;
        account.updated_at = DbTime(self.now);
        self.entries.push(NewEntryRow::of(&movement, &moved));
        if let Some(key) = &movement.idem_key {
            self.first_use.insert(key.clone(), (place, movement.clone()));
        }
        Ok(Planned::Entry { movement, moved })
    }
}

/// The levels that begin in `(before, after]`, ascending.
pub(super) fn levels_between(levels: &[(i64, i64)], before: i64, after: i64) -> Vec<i64> {
    let begun = |xp: i64| levels.partition_point(|(begins, _)| *begins <= xp);
    levels[begun(before).min(begun(after))..begun(after)].iter().map(|(_, level)| *level).collect()
}

/// Beginnings and numbers of all levels, ascending.
pub(super) async fn level_table_on(conn: &mut Conn) -> Worked<Vec<(i64, i64)>> {
    let table = levels::table.order(levels::min_xp).select((levels::min_xp, levels::level));
    Ok(table.load(conn).await?)
}

async fn used_keys_on(conn: &mut Conn, awards: &[Award]) -> Worked<HashMap<String, EntryRow>> {
    let keys = awards.iter().filter_map(|award| award.idem_key.as_ref());
    let keys: Vec<&str> = keys.map(|key| key.as_str()).collect();
    if keys.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<EntryRow> = point_entries::table
        .filter(point_entries::idem_key.eq_any(keys))
        .select(columns::<EntryRow>())
        .load(conn)
        .await?;
    let keyed = rows.into_iter().filter_map(|row| row.idem_key.clone().map(|key| (key, row)));
    Ok(keyed.collect())
}

/// Puts the ids of the written entries into the outcomes.
fn outcomes(planned: Vec<Result<Planned, StorageError>>, ids: &[i64]) -> Worked<BulkOutcome> {
    let mut ids = ids.iter();
    let mut outcomes: BulkOutcome = Vec::with_capacity(planned.len());
    for item in planned {
        let outcome = match item {
            Err(error) => Err(error),
            Ok(Planned::Replay(row)) => row.into_entry().map(Outcome::replayed),
            Ok(Planned::Repeat(place)) => outcomes[place]
                .clone()
                .map(|first: Outcome<PointEntry>| Outcome::replayed(first.value)),
            Ok(Planned::Entry { movement, mut moved }) => {
                moved.entry = ids.next().copied().ok_or(diesel::result::Error::NotFound)?;
                movement.into_row(&moved).into_entry().map(|entry| {
                    let events = events_of(&entry, &moved);
                    Outcome::new(entry, events)
                })
            }
        };
        outcomes.push(outcome);
    }
    Ok(outcomes)
}
