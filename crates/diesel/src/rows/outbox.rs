//! Rows of the outbox.

use std::error::Error;

use diesel::prelude::*;
use guildhall_domain::{CorrelationId, DomainEvent, Timestamp, UserId};
use guildhall_repository::{OutboxEvent, OutboxEventId, StorageError};

use super::{corrupt, optional};
use crate::schema::outbox;
use crate::types::{DbJson, DbTime};

/// A row of `outbox` that was leased.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = outbox)]
pub(crate) struct OutboxRow {
    pub(crate) id: i64,
    pub(crate) kind: String,
    pub(crate) user_id: i64,
    pub(crate) payload: DbJson,
    pub(crate) correlation_id: Option<String>,
    pub(crate) created_at: DbTime,
    pub(crate) attempts: i64,
}

impl OutboxRow {
    /// The event of a row.
    pub(crate) fn into_event(self) -> Result<OutboxEvent, StorageError> {
        let key = self.id;
        let restored = || -> Result<OutboxEvent, Box<dyn Error>> {
            Ok(OutboxEvent {
                id: OutboxEventId(self.id),
                user: UserId(self.user_id),
                kind: self.kind,
                payload: self.payload.0,
                correlation: optional(self.correlation_id)?,
                created_at: self.created_at.0,
                attempts: u32::try_from(self.attempts)?,
            })
        };
        restored().map_err(corrupt("outbox event", key))
    }
}

/// An event to be appended.
#[derive(Clone, Debug, Insertable)]
#[diesel(table_name = outbox, treat_none_as_default_value = false)]
pub(crate) struct NewOutboxRow {
    pub(crate) kind: &'static str,
    pub(crate) user_id: i64,
    pub(crate) payload: DbJson,
    pub(crate) correlation_id: Option<String>,
    pub(crate) created_at: DbTime,
    pub(crate) attempts: i64,
}

impl NewOutboxRow {
    /// The row of an event.
    pub(crate) fn of(
        event: &DomainEvent,
        correlation: Option<&CorrelationId>,
        now: Timestamp,
    ) -> Result<Self, StorageError> {
        Ok(Self {
            kind: event.kind(),
            user_id: event.user().0,
            payload: DbJson(event.to_json()?),
            correlation_id: correlation.map(ToString::to_string),
            created_at: DbTime(now),
            attempts: 0,
        })
    }
}
