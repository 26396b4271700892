//! Movements of points, compiled once per backend. Holds, earning rules and bulk awards have rooms
//! of their own; all of them move points through [`movement_on`].

use async_trait::async_trait;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
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
use super::{Conn, MOVEMENT, apply_movement, columns};
use crate::fault::{Fault, Worked};
use crate::kept::Keep;
use crate::rows::{AccountRow, EntryRow, Moved, Movement, TransferMovement};
use crate::schema::{levels, point_accounts, point_entries};
use crate::types::DbTime;

/// The point repository on this database.
pub(super) struct DieselPoints {
    pub(super) lease: Lease,
}

#[async_trait]
impl PointRepository for DieselPoints {
    async fn account(&self, user: UserId) -> Result<Option<PointAccount>, StorageError> {
        self.lease
            .run("points.account", Mode::Bare, user, |c, user| Box::pin(account_on(c, *user)))
            .await
    }

    async fn award(
        &self,
        award: &Award,
        now: Timestamp,
    ) -> Result<Outcome<PointEntry>, StorageError> {
        let mut movement = Movement::award(award, now)?;
        movement.note = self.lease.woven(MOVEMENT);
        self.lease.run("points.award", MOVEMENT, movement, |c, m| Box::pin(movement_on(c, m))).await
    }

    async fn deduct(
        &self,
        deduct: &Deduct,
        now: Timestamp,
    ) -> Result<Outcome<PointEntry>, StorageError> {
        let mut movement = Movement::deduct(deduct, now);
        movement.note = self.lease.woven(MOVEMENT);
        self.lease
            .run("points.deduct", MOVEMENT, movement, |c, m| Box::pin(movement_on(c, m)))
            .await
    }

    async fn transfer(
        &self,
        transfer: &Transfer,
        now: Timestamp,
    ) -> Result<Outcome<TransferPair>, StorageError> {
        let random = self.lease.random();
        let id = TransferId::from_bits(random.next_u64(), random.next_u64());
        let mut movement = TransferMovement::of(transfer, &id, now);
        movement.note = self.lease.woven(MOVEMENT);
        self.lease
            .run("points.transfer", MOVEMENT, movement, |c, t| Box::pin(transfer_on(c, t)))
            .await
    }

    async fn award_bulk(
        &self,
        awards: &[Award],
        mode: BulkMode,
        now: Timestamp,
    ) -> Result<BulkOutcome, StorageError> {
        if awards.is_empty() || awards.len() > 1000 {
            return Err(StorageError::invalid("awards", Rule::OutOfRange { min: 1, max: 1000 }));
        }
        let args = (awards.to_vec(), mode, now);
        self.lease
            .run("points.award_bulk", Mode::Transaction, args, |c, a| {
                Box::pin(award_bulk_on(c, &a.0, a.1, a.2))
            })
            .await
    }

    async fn adjust(
        &self,
        adjustment: &Adjustment,
        now: Timestamp,
    ) -> Result<Outcome<PointEntry>, StorageError> {
        if adjustment.amount == Points::ZERO {
            let expected = "more or less than zero";
            return Err(StorageError::invalid("amount", Rule::Malformed { expected }));
        }
        let mut movement = Movement::adjust(adjustment, now);
        movement.note = self.lease.woven(MOVEMENT);
        self.lease
            .run("points.adjust", MOVEMENT, movement, |c, m| Box::pin(movement_on(c, m)))
            .await
    }

    async fn grant_xp(
        &self,
        user: UserId,
        xp: Xp,
        now: Timestamp,
    ) -> Result<Outcome<PointAccount>, StorageError> {
        if xp <= Xp::ZERO {
            let rule = Rule::OutOfRange { min: 1, max: Xp::MAX.minor() };
            return Err(StorageError::invalid("xp", rule));
        }
        self.lease
            .run("points.grant_xp", Mode::Transaction, (user, xp, now), |c, a| {
                Box::pin(grant_xp_on(c, a.0, a.1, a.2))
            })
            .await
    }

    async fn hold(&self, request: &HoldRequest, now: Timestamp) -> Result<PointHold, StorageError> {
        if request.expires_at.is_some_and(|end| end <= now) {
            let expected = "later than now";
            return Err(StorageError::invalid("expires_at", Rule::Malformed { expected }));
        }
        self.lease
            .run("points.hold", Mode::Transaction, (request.clone(), now), |c, a| {
                Box::pin(hold_on(c, &a.0, a.1))
            })
            .await
    }

    async fn capture_hold(
        &self,
        id: HoldId,
        now: Timestamp,
    ) -> Result<Outcome<PointEntry>, StorageError> {
        self.lease
            .run("points.capture_hold", Mode::Transaction, (id, now), |c, a| {
                Box::pin(capture_on(c, a.0, a.1))
            })
            .await
    }

    async fn release_hold(&self, id: HoldId, now: Timestamp) -> Result<PointHold, StorageError> {
        self.lease
            .run("points.release_hold", Mode::Transaction, (id, now), |c, a| {
                Box::pin(release_on(c, a.0, a.1))
            })
            .await
    }

    async fn expire_holds(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<PointHold>, StorageError> {
        if !(1..=500).contains(&limit) {
            return Err(StorageError::invalid("limit", Rule::OutOfRange { min: 1, max: 500 }));
        }
        self.lease
            .run("points.expire_holds", Mode::Transaction, (now, limit), |c, a| {
                Box::pin(expire_on(c, a.0, a.1))
            })
            .await
    }

    async fn hold_by_id(&self, id: HoldId) -> Result<Option<PointHold>, StorageError> {
        self.lease
            .run("points.hold_by_id", Mode::Bare, id, |c, id| Box::pin(hold_by_id_on(c, *id)))
            .await
    }

    async fn active_holds(&self, user: UserId) -> Result<Vec<PointHold>, StorageError> {
        self.lease
            .run("points.active_holds", Mode::Bare, user, |c, user| Box::pin(active_on(c, *user)))
            .await
    }

    async fn reverse_entry(
        &self,
        id: EntryId,
        reason: &Description,
        now: Timestamp,
    ) -> Result<Outcome<PointEntry>, StorageError> {
        self.lease
            .run("points.reverse_entry", Mode::Transaction, (id, reason.clone(), now), |c, a| {
                Box::pin(reverse_on(c, a.0, &a.1, a.2))
            })
            .await
    }

    async fn record_message(
        &self,
        user: UserId,
        rules: &EarningRules,
        multiplier: BasisPoints,
        now: Timestamp,
    ) -> Result<Outcome<Option<PointEntry>>, StorageError> {
        let args = (user, rules.clone(), multiplier, now);
        self.lease
            .run("points.record_message", Mode::Transaction, args, |c, a| {
                Box::pin(message_on(c, a.0, &a.1, a.2, a.3))
            })
            .await
    }

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

    async fn check_in(
        &self,
        user: UserId,
        rules: &EarningRules,
        multiplier: BasisPoints,
        now: Timestamp,
    ) -> Result<Outcome<CheckIn>, StorageError> {
        let args = (user, rules.clone(), multiplier, now);
        self.lease
            .run("points.check_in", Mode::Transaction, args, |c, a| {
                Box::pin(check_in_on(c, a.0, &a.1, a.2, a.3))
            })
            .await
    }

    async fn claim_daily_gift(
        &self,
        user: UserId,
        rules: &EarningRules,
        now: Timestamp,
    ) -> Result<Outcome<PointEntry>, StorageError> {
        self.lease
            .run(
                "points.claim_daily_gift",
                Mode::Transaction,
                (user, rules.clone(), now),
                |c, a| Box::pin(gift_on(c, a.0, &a.1, a.2)),
            )
            .await
    }

    async fn entry_by_key(&self, key: &IdemKey) -> Result<Option<PointEntry>, StorageError> {
        self.lease
            .run("points.entry_by_key", Mode::Bare, key.clone(), |c, key| {
                Box::pin(async move {
                    let row = keyed_on(c, key.as_str()).await?;
                    Ok(row.map(EntryRow::into_entry).transpose()?)
                })
            })
            .await
    }
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
