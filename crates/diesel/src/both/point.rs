//! Movements of points, compiled once per backend. Holds, earning rules and bulk awards have rooms
//! of their own; all of them move points through [`movement_on`].

use std::collections::BTreeSet;

use crate::run::RunQueryDsl;
use diesel::prelude::*;
use guildhall_domain::{
    Adjustment, Award, BasisPoints, CheckIn, Deduct, Description, DomainEvent, EarningRules,
    EntryId, EntryKind, EntryReference, HoldId, HoldRequest, IdemKey, Outcome, Participation,
    PointAccount, PointEntry, PointHold, Points, Rule, Source, Timestamp, Transfer, TransferId,
    TransferPair, UserId, Xp,
};
use guildhall_repository::{BulkMode, BulkOutcome, PointRepository, StorageError};

use super::bulk::award_bulk_on;
use super::earning::{check_in_on, gift_on, message_on, participation_on};
use super::hold::{active_on, capture_on, expire_on, hold_by_id_on, hold_on, release_on};
use super::lease::{Lease, Mode};
use super::transfer::transfer_on;
use super::user::at_most;
use super::{Conn, MOVEMENT, apply_movement, columns, lock_accounts};
use crate::fault::{Fault, Worked};
use crate::kept::Keep;
use crate::queries::queries;
use crate::rows::{AccountRow, EntryRow, Moved, Movement, TransferMovement};
use crate::schema::{levels, point_accounts, point_entries};
use crate::types::DbTime;

/// Accounts locked at once at most.
const LOCKED_MAX: usize = 100;

queries! {
    impl PointRepository by points, |lease| {
        // No savepoint: nothing is written, and a refusal leaves the locks to the unit.
        Bare lock(users: &[UserId]) -> () {
            at_most("users", users.len(), LOCKED_MAX)?;
            let users: BTreeSet<i64> = users.iter().map(|user| user.0).collect();
            if users.is_empty() {
                return Err(StorageError::invalid("users", Rule::Empty));
            }
        } => lock_on(users);
        Bare account(user: UserId) -> Option<PointAccount> => account_on;
        MOVEMENT award(award: &Award, now: Timestamp) -> Outcome<PointEntry> {
            let note = lease.woven(MOVEMENT);
            let movement = Movement { note, ..Movement::award(award, now)? };
        } => movement_on(movement);
        MOVEMENT deduct(deduct: &Deduct, now: Timestamp) -> Outcome<PointEntry> {
            let note = lease.woven(MOVEMENT);
            let movement = Movement { note, ..Movement::deduct(deduct, now) };
        } => movement_on(movement);
        MOVEMENT transfer(transfer: &Transfer, now: Timestamp) -> Outcome<TransferPair> {
            let (random, note) = (lease.random(), lease.woven(MOVEMENT));
            let id = TransferId::from_bits(random.next_u64(), random.next_u64());
            let movement = TransferMovement { note, ..TransferMovement::of(transfer, &id, now) };
        } => transfer_on(movement);
        Transaction award_bulk(awards: &[Award], mode: BulkMode, now: Timestamp) -> BulkOutcome {
            if awards.is_empty() || awards.len() > 1000 {
                return Err(StorageError::invalid("awards", Rule::OutOfRange { min: 1, max: 1000 }));
            }
        } => award_bulk_on;
        MOVEMENT adjust(adjustment: &Adjustment, now: Timestamp) -> Outcome<PointEntry> {
            if adjustment.amount == Points::ZERO {
                let expected = "more or less than zero";
                return Err(StorageError::invalid("amount", Rule::Malformed { expected }));
            }
            let note = lease.woven(MOVEMENT);
            let movement = Movement { note, ..Movement::adjust(adjustment, now) };
        } => movement_on(movement);
        Transaction grant_xp(user: UserId, xp: Xp, now: Timestamp) -> Outcome<PointAccount> {
            if xp <= Xp::ZERO {
                let rule = Rule::OutOfRange { min: 1, max: Xp::MAX.minor() };
                return Err(StorageError::invalid("xp", rule));
            }
        } => grant_xp_on;
        Statement raise_xp_boost(user: UserId, boost: BasisPoints, now: Timestamp)
            -> PointAccount => raise_xp_boost_on;
        Transaction hold(request: &HoldRequest, now: Timestamp) -> PointHold {
            if request.expires_at.is_some_and(|end| end <= now) {
                let expected = "later than now";
                return Err(StorageError::invalid("expires_at", Rule::Malformed { expected }));
            }
        } => hold_on;
        Transaction capture_hold(id: HoldId, now: Timestamp) -> Outcome<PointEntry> => capture_on;
        Transaction release_hold(id: HoldId, now: Timestamp) -> PointHold => release_on;
        Transaction expire_holds(now: Timestamp, limit: u32) -> Vec<PointHold> {
            if !(1..=500).contains(&limit) {
                return Err(StorageError::invalid("limit", Rule::OutOfRange { min: 1, max: 500 }));
            }
        } => expire_on;
        Bare hold_by_id(id: HoldId) -> Option<PointHold> => hold_by_id_on;
        Bare active_holds(user: UserId) -> Vec<PointHold> => active_on;
        Transaction reverse_entry(id: EntryId, reason: &Description, now: Timestamp)
            -> Outcome<PointEntry> => reverse_on;
        Transaction record_message(
            user: UserId,
            rules: &EarningRules,
            multiplier: BasisPoints,
            now: Timestamp,
        ) -> Outcome<Option<PointEntry>> => message_on;
        Transaction check_in(
            user: UserId,
            rules: &EarningRules,
            multiplier: BasisPoints,
            now: Timestamp,
        ) -> Outcome<CheckIn> => check_in_on;
        Transaction claim_daily_gift(user: UserId, rules: &EarningRules, now: Timestamp)
            -> Outcome<PointEntry> => gift_on;
        Bare entry_by_key(key: &IdemKey) -> Option<PointEntry> => entry_by_key_on;
    }
    and {
        async fn award_participation(
            &self,
            user: UserId,
            kind: Participation,
            reference: &EntryReference,
            rules: &EarningRules,
            multiplier: BasisPoints,
            now: Timestamp,
        ) -> Result<Outcome<PointEntry>, StorageError> {
            let award = participation_on(user, kind, reference, rules, multiplier)?;
            self.award(&award, now).await
        }
    }
}

pub(super) async fn lock_on(conn: &mut Conn, users: &BTreeSet<i64>) -> Worked<()> {
    let asked: Vec<i64> = users.iter().copied().collect();
    let accounts = lock_accounts(conn, &asked).await?;
    let open = |user: &i64| accounts.iter().any(|a| a.user_id == *user && !a.is_closed);
    match asked.into_iter().find(|user| !open(user)) {
        Some(absent) => Err(StorageError::not_found("user", absent).into()),
        None => Ok(()),
    }
}

/// The same for one member: the first step of whoever writes more than one row of a member.
pub(super) async fn lock_member_on(conn: &mut Conn, user: UserId) -> Worked<()> {
    lock_on(conn, &BTreeSet::from([user.0])).await
}

pub(super) async fn account_on(conn: &mut Conn, user: UserId) -> Worked<Option<PointAccount>> {
    let row = point_accounts::table
        .find(user.0)
        .select(columns::<AccountRow>())
        .first(conn)
        .await
        .optional()?;
    Ok(row.map(AccountRow::into_account).transpose()?)
}

/// Applies a movement, finds what an earlier request under its key did, or says why not.
pub(super) async fn movement_on(
    conn: &mut Conn,
    movement: &Movement,
) -> Worked<Outcome<PointEntry>> {
    let Some(moved) = apply_movement(conn, movement).await? else {
        let row = replay_on(conn, movement).await?;
        return Ok(Outcome::replayed(row.into_entry()?));
    };
    let entry = movement.clone().into_row(&moved).into_entry()?;
    let events = events_of(&entry, &moved);
    Ok(Outcome::new(entry, events))
}

/// The row of an earlier request under the same key, or why the movement was refused.
async fn replay_on(conn: &mut Conn, movement: &Movement) -> Worked<EntryRow> {
    if let Some(key) = &movement.idem_key
        && let Some(row) = keyed_on(conn, key).await?
    {
        return if movement.asked_for(&row) { Ok(row) } else { Err(other_request(key)) };
    }
    let short_by = -(movement.amount + movement.unheld);
    Err(refusal_on(conn, movement.user, short_by).await?)
}

pub(super) fn other_request(key: &str) -> Fault {
    let (expected, actual) = ("the request it was first used for", "another request");
    StorageError::conflict("once-only key", key, expected, actual).into()
}

/// Why a movement that needs `required` available points found no account.
pub(super) async fn refusal_on(conn: &mut Conn, user: i64, required: i64) -> Worked<Fault> {
    let Some(account) = open_account_on(conn, user).await? else {
        return Ok(StorageError::not_found("user", user).into());
    };
    let available = account.balance - account.held;
    if available < required {
        let (available, required) = (Points::from_minor(available)?, Points::from_minor(required)?);
        return Ok(StorageError::InsufficientBalance { available, required }.into());
    }
    // It changed since the movement looked: look again.
    Ok(Fault::Raced)
}

/// The account unless its member was deleted.
pub(super) async fn open_account_on(conn: &mut Conn, user: i64) -> Worked<Option<AccountRow>> {
    let row = point_accounts::table
        .find(user)
        .filter(point_accounts::is_closed.eq(false))
        .select(columns::<AccountRow>())
        .first(conn)
        .await
        .optional()?;
    Ok(row)
}

pub(super) async fn keyed_on(conn: &mut Conn, key: &str) -> Worked<Option<EntryRow>> {
    let row = point_entries::table
        .filter(point_entries::idem_key.eq(key))
        .select(columns::<EntryRow>())
        .first(conn)
        .await
        .optional()?;
    Ok(row)
}

async fn entry_by_key_on(conn: &mut Conn, key: &IdemKey) -> Worked<Option<PointEntry>> {
    let row = keyed_on(conn, key.as_str()).await?;
    Ok(row.map(EntryRow::into_entry).transpose()?)
}

/// What a movement means to the rest of the world.
pub(super) fn events_of(entry: &PointEntry, moved: &Moved) -> Vec<DomainEvent> {
    let (user, id, source) = (entry.user, entry.id, entry.source.clone());
    let mut events = Vec::with_capacity(1 + moved.levels.len());
    events.push(if entry.amount > Points::ZERO {
        DomainEvent::PointsCredited { user, entry: id, amount: entry.amount, source }
    } else {
        // The range of points is symmetric: a negation stays inside.
        let amount = Points::ZERO.minus(entry.amount).unwrap_or(Points::MAX);
        DomainEvent::PointsDebited { user, entry: id, amount, source }
    });
    events.extend(level_ups(user, &moved.levels));
    events
}

fn level_ups(user: UserId, levels: &[i64]) -> impl Iterator<Item = DomainEvent> {
    levels
        .iter()
        .filter_map(|&level| u32::try_from(level).ok())
        .map(move |level| DomainEvent::LevelUp { user, level })
}

async fn grant_xp_on(
    conn: &mut Conn,
    user: UserId,
    xp: Xp,
    now: Timestamp,
) -> Worked<Outcome<PointAccount>> {
    use point_accounts::dsl as a;
    let granted: Option<i64> = diesel::update(a::point_accounts.find(user.0))
        .filter(a::is_closed.eq(false))
        .set((
            a::xp.eq(a::xp + xp.minor()),
            a::version.eq(a::version + 1),
            a::updated_at.eq(DbTime(now)),
        ))
        .returning(a::xp)
        .kept()
        .get_result(conn)
        .await
        .optional()?;
    let after = granted.ok_or_else(|| StorageError::not_found("user", user))?;
    let passed: Vec<i64> = levels::table
        .filter(levels::min_xp.gt(after - xp.minor()).and(levels::min_xp.le(after)))
        .order(levels::level)
        .select(levels::level)
        .load(conn)
        .await?;
    if let Some(&reached) = passed.last() {
        diesel::update(a::point_accounts.find(user.0).filter(a::level.lt(reached)))
            .set(a::level.eq(reached))
            .kept()
            .execute(conn)
            .await?;
    }
    let account = account_on(conn, user).await?;
    let account = account.ok_or_else(|| StorageError::not_found("user", user))?;
    Ok(Outcome::new(account, level_ups(user, &passed).collect()))
}

async fn raise_xp_boost_on(
    conn: &mut Conn,
    user: UserId,
    boost: BasisPoints,
    now: Timestamp,
) -> Worked<PointAccount> {
    use point_accounts::dsl as a;
    let raised: Option<AccountRow> = diesel::update(a::point_accounts.find(user.0))
        .filter(a::is_closed.eq(false).and(a::xp_boost_bp.lt(boost.get())))
        .set((
            a::xp_boost_bp.eq(boost.get()),
            a::version.eq(a::version + 1),
            a::updated_at.eq(DbTime(now)),
        ))
        .returning(AccountRow::as_returning())
        .kept()
        .get_result(conn)
        .await
        .optional()?;
    let account = match raised {
        Some(account) => Some(account),
        None => open_account_on(conn, user.0).await?,
    };
    Ok(account.ok_or_else(|| StorageError::not_found("user", user))?.into_account()?)
}

async fn reverse_on(
    conn: &mut Conn,
    id: EntryId,
    reason: &Description,
    now: Timestamp,
) -> Worked<Outcome<PointEntry>> {
    let entry: Option<EntryRow> = point_entries::table
        .find(id.0)
        .select(columns::<EntryRow>())
        .first(conn)
        .await
        .optional()?;
    let entry = entry.ok_or_else(|| StorageError::not_found("ledger entry", id))?;
    let kind: EntryKind = entry.kind.parse()?;
    if matches!(kind, EntryKind::Refund | EntryKind::TransferIn | EntryKind::TransferOut) {
        return Err(StorageError::InvalidState {
            entity: "ledger entry",
            key: id.to_string(),
            state: format!("a {kind}"),
            attempted: "reverse it",
        }
        .into());
    }
    let movement = Movement {
        user: entry.user_id,
        amount: -entry.amount,
        unheld: 0,
        kind: EntryKind::Refund,
        kind_text: EntryKind::Refund.as_str(),
        source: Source::parse(&entry.source)?.into_string(),
        source_ref: Some(id.to_string()),
        description: Some(reason.as_str().to_owned()),
        base_amount: None,
        multiplier_bp: None,
        counterpart: None,
        idem_key: Some(format!("reverse:{id}")),
        note: None,
        now: DbTime(now),
    };
    movement_on(conn, &movement).await
}
