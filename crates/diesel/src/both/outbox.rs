//! Events on their way to the application, compiled once per backend.

use std::collections::HashSet;
use std::time::Duration;

use crate::run::RunQueryDsl;
use diesel::dsl::{count_star, max, sql};
use diesel::prelude::*;
use diesel::sql_types::Nullable;
use guildhall_domain::{CorrelationId, DomainEvent, Rule, Timestamp};
use guildhall_repository::{
    LeaseToken, OutboxBatch, OutboxEvent, OutboxEventId, OutboxRepository, OutboxStatus,
    StorageError,
};

use super::Conn;
use super::append::{append_events, lock_heads};
use super::lease::{Lease, Mode};
use super::user::{at_most, in_range};
use crate::fault::Worked;
use crate::queries::queries;
use crate::rows::{NewOutboxRow, OutboxRow, count};
use crate::schema::outbox;
use crate::types::{DbTime, UtcTime};

/// Events appended at once at most.
const APPENDED_MAX: usize = 1000;
/// Events claimed, acknowledged or given back at once at most.
const BATCH_MAX: u32 = 500;
/// How long a lease lasts.
const LEASE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(3600));

queries! {
    impl OutboxRepository by outbox, |lease| {
        APPEND append(
            events: &[DomainEvent],
            correlation: Option<CorrelationId>,
            now: Timestamp,
        ) -> () {
            at_most("events", events.len(), APPENDED_MAX)?;
            if events.is_empty() {
                return Ok(());
            }
            let row = |event| NewOutboxRow::of(event, correlation.as_ref(), now);
            let rows = events.iter().map(row).collect::<Result<Vec<_>, _>>()?;
        } => append_on(rows);
        Transaction claim(limit: u32, lease_for: Duration, now: Timestamp) -> OutboxBatch {
            in_range("limit", limit, BATCH_MAX)?;
            let (shortest, longest) = LEASE;
            if !(shortest..=longest).contains(&lease_for) {
                let (min, max) = (shortest.as_secs() as i64, longest.as_secs() as i64);
                return Err(StorageError::invalid("lease", Rule::OutOfRange { min, max }));
            }
            // Without the sign: tokens are never negative.
            let token = LeaseToken((lease.random().next_u64() >> 1) as i64);
            let wanted = Wanted { limit, token, now, until: now.plus(lease_for) };
        } => claim_on(wanted);
        Statement ack(ids: &[OutboxEventId], token: LeaseToken, now: Timestamp) -> u64 {
            in_batch(ids)?;
        } => ack_on;
        Statement release(ids: &[OutboxEventId], token: LeaseToken) -> u64 {
            in_batch(ids)?;
        } => release_on;
        Statement fail(ids: &[OutboxEventId], token: LeaseToken, retry_at: Timestamp) -> u64 {
            in_batch(ids)?;
        } => fail_on;
        Snapshot status(now: Timestamp) -> OutboxStatus => status_on;
        Bare purge(before: Timestamp, limit: u32) -> u64 {
            in_range("limit", limit, 1000)?;
        } => purge_on;
    }
}

fn in_batch(ids: &[OutboxEventId]) -> Result<(), StorageError> {
    at_most("ids", ids.len(), BATCH_MAX as usize) // 500 fits everywhere.
}

async fn append_on(conn: &mut Conn, rows: &[NewOutboxRow]) -> Worked<()> {
    Ok(append_events(conn, rows.to_vec()).await?)
}

/// What was asked to be leased.
#[derive(Clone, Copy)]
struct Wanted {
    limit: u32,
    token: LeaseToken,
    now: Timestamp,
    until: Timestamp,
}

async fn claim_on(conn: &mut Conn, wanted: Wanted) -> Worked<OutboxBatch> {
    let events = lease_on(conn, wanted).await?;
    Ok(OutboxBatch { token: wanted.token, events })
}

/// Whoever holds the lock on a member's earliest event holds all that member's events: every claim
/// begins there, so none of the later ones can be on its way to somebody else.
async fn lease_on(conn: &mut Conn, wanted: Wanted) -> Worked<Vec<OutboxEvent>> {
    let (now, limit) = (DbTime(wanted.now), i64::from(wanted.limit));
    let members = lock_heads(conn, now, limit).await?;
    if members.is_empty() {
        return Ok(Vec::new());
    }
    let open: Vec<(i64, i64, Option<DbTime>)> = outbox::table
        .filter(outbox::published_at.is_null())
        .filter(outbox::user_id.eq_any(members))
        .order(outbox::id)
        .limit(limit)
        .select((outbox::id, outbox::user_id, outbox::leased_until))
        .load(conn)
        .await?;
    // An event that an earlier claim still holds, its predecessors given back, ends the stretch.
    let mut ended: HashSet<i64> = HashSet::new();
    let mut free = Vec::with_capacity(open.len());
    for (id, user, leased_until) in open {
        if leased_until.is_some_and(|until| until.0 > wanted.now) {
            ended.insert(user);
        }
        if !ended.contains(&user) {
            free.push(id);
        }
    }
    // Whose lease ran out may acknowledge at this very moment: that stays published.
    let free = outbox::table.filter(outbox::id.eq_any(free)).filter(outbox::published_at.is_null());
    let mut leased: Vec<OutboxRow> = diesel::update(free)
        .set((
            outbox::leased_until.eq(Some(DbTime(wanted.until))),
            outbox::lease_token.eq(Some(wanted.token.0)),
            outbox::attempts.eq(outbox::attempts + 1),
        ))
        .returning(OutboxRow::as_returning())
        .get_results(conn)
        .await?;
    leased.sort_unstable_by_key(|row| row.id);
    Ok(leased.into_iter().map(OutboxRow::into_event).collect::<Result<_, _>>()?)
}

/// Those of the events that are still leased under the token.
macro_rules! held {
    ($ids:expr, $token:expr) => {
        outbox::table
            .filter(outbox::id.eq_any($ids.iter().map(|id| id.0).collect::<Vec<i64>>()))
            .filter(outbox::lease_token.eq($token.0))
            .filter(outbox::published_at.is_null())
    };
}

async fn ack_on(
    conn: &mut Conn,
    ids: &[OutboxEventId],
    token: LeaseToken,
    now: Timestamp,
) -> Worked<u64> {
    let published = diesel::update(held!(ids, token))
        .set((
            outbox::published_at.eq(Some(DbTime(now))),
            outbox::leased_until.eq(None::<DbTime>),
            outbox::lease_token.eq(None::<i64>),
        ))
        .execute(conn)
        .await?;
    Ok(published as u64)
}

async fn release_on(conn: &mut Conn, ids: &[OutboxEventId], token: LeaseToken) -> Worked<u64> {
    let released = diesel::update(held!(ids, token))
        .set((
            outbox::leased_until.eq(None::<DbTime>),
            outbox::lease_token.eq(None::<i64>),
            outbox::attempts.eq(outbox::attempts - 1),
        ))
        .execute(conn)
        .await?;
    Ok(released as u64)
}

async fn fail_on(
    conn: &mut Conn,
    ids: &[OutboxEventId],
    token: LeaseToken,
    retry_at: Timestamp,
) -> Worked<u64> {
    let failed = diesel::update(held!(ids, token))
        .set((outbox::leased_until.eq(Some(DbTime(retry_at))), outbox::lease_token.eq(None::<i64>)))
        .execute(conn)
        .await?;
    Ok(failed as u64)
}

async fn status_on(conn: &mut Conn, now: Timestamp) -> Worked<OutboxStatus> {
    let unpublished = || outbox::table.filter(outbox::published_at.is_null());
    // The query builder has no minimum of our type of time.
    let oldest = sql::<Nullable<UtcTime>>("MIN(outbox.created_at)");
    let (pending, oldest, attempts_max): (i64, Option<DbTime>, Option<i64>) =
        unpublished().select((count_star(), oldest, max(outbox::attempts))).first(conn).await?;
    let leased: i64 = unpublished()
        .filter(outbox::leased_until.gt(DbTime(now)))
        .select(count_star())
        .first(conn)
        .await?;
    let published: i64 = outbox::table
        .filter(outbox::published_at.is_not_null())
        .select(count_star())
        .first(conn)
        .await?;
    let age = |oldest: DbTime| {
        // A clock that was set back makes no negative age.
        Duration::from_micros(count(now.micros().saturating_sub(oldest.0.micros())))
    };
    Ok(OutboxStatus {
        pending: count(pending),
        leased: count(leased),
        oldest_age: oldest.map(age),
        attempts_max: u32::try_from(attempts_max.unwrap_or(0)).unwrap_or(u32::MAX),
        published: count(published),
    })
}

async fn purge_on(conn: &mut Conn, before: Timestamp, limit: u32) -> Worked<u64> {
    let doomed: Vec<i64> = outbox::table
        .filter(outbox::published_at.lt(DbTime(before)))
        .order((outbox::published_at, outbox::id))
        .limit(i64::from(limit))
        .select(outbox::id)
        .load(conn)
        .await?;
    let doomed = outbox::table.filter(outbox::id.eq_any(doomed));
    Ok(diesel::delete(doomed).execute(conn).await? as u64)
}
