//! Events on their way to the application.

use std::time::Duration;

use async_trait::async_trait;
use guildhall_domain::{CorrelationId, DomainEvent, Json, Timestamp, UserId};

use crate::StorageError;

/// Identifies an event in the outbox. The store assigns it, ascending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OutboxEventId(pub i64);

impl std::fmt::Display for OutboxEventId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// Tells one claim from every other. Random, never negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LeaseToken(pub i64);

/// An event in the outbox.
#[derive(Clone, Debug, PartialEq)]
pub struct OutboxEvent {
    /// Ascending in the order in which one member's events happened.
    pub id: OutboxEventId,
    /// The member it is about.
    pub user: UserId,
    /// The stable name of its kind: `LevelUp`.
    pub kind: String,
    /// The event as it was written, by whichever release.
    pub payload: Json,
    /// What ties it to the request that caused it.
    pub correlation: Option<CorrelationId>,
    /// When it was written.
    pub created_at: Timestamp,
    /// How often it was claimed, this time included and times it was released left out.
    pub attempts: u32,
}

impl OutboxEvent {
    /// The event. `Serialization` for a payload that this release cannot read, such as one of a
    /// kind that only a newer one knows.
    pub fn event(&self) -> Result<DomainEvent, StorageError> {
        DomainEvent::from_json(&self.payload).map_err(|error| StorageError::Serialization {
            what: "an event of the outbox",
            source: Some(std::sync::Arc::new(error)),
        })
    }
}

/// Events that one claim leased.
#[derive(Clone, Debug, PartialEq)]
pub struct OutboxBatch {
    /// To be shown when the events are given back or acknowledged.
    pub token: LeaseToken,
    /// Ascending ids.
    pub events: Vec<OutboxEvent>,
}

/// How the outbox stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutboxStatus {
    /// Events not yet acknowledged.
    pub pending: u64,
    /// Those of them that somebody holds a lease on, or that wait to be tried again.
    pub leased: u64,
    /// How long the oldest of them has waited.
    pub oldest_age: Option<Duration>,
    /// The most attempts that any of them has seen.
    pub attempts_max: u32,
    /// Acknowledged events that were not purged yet.
    pub published: u64,
}

/// Events on their way to the application. Every implementation passes
/// `guildhall_testkit::contract::outbox`.
///
/// Delivery is at least once, and in order for each member: no event is out while an earlier one
/// of the same member is. What establishes a fact appends its events in the same unit, under the
/// member's lock ([`PointRepository::lock`](crate::PointRepository::lock)), which makes the order of
/// ids the order of events.
#[cfg_attr(feature = "mock", mockall::automock)] // Stays above `async_trait`: mockall requires it.
#[async_trait]
pub trait OutboxRepository: Send + Sync {
    /// Appends events in their order, all or none; at most 1000.
    async fn append(
        &self,
        events: &[DomainEvent],
        correlation: Option<CorrelationId>,
        now: Timestamp,
    ) -> Result<(), StorageError>;

    /// Leases events that nobody holds, oldest first, at most `limit` (1 to 500), for `lease` (1
    /// second to 1 hour). Of each member those from the earliest unpublished one on, and none while
    /// that one is held or waits to be tried again. What is being claimed by somebody else at the
    /// same moment is passed over, not waited for.
    async fn claim(
        &self,
        limit: u32,
        lease: Duration,
        now: Timestamp,
    ) -> Result<OutboxBatch, StorageError>;

    /// Says that events (at most 500) were handled: they are published. Those leased under another
    /// token by now, or published before, are left alone; how many were published.
    async fn ack(
        &self,
        ids: &[OutboxEventId],
        token: LeaseToken,
        now: Timestamp,
    ) -> Result<u64, StorageError>;

    /// Gives back events (at most 500) that were not tried, to be claimed by anybody at once. How
    /// many were still leased under this token.
    async fn release(&self, ids: &[OutboxEventId], token: LeaseToken) -> Result<u64, StorageError>;

    /// Gives back events (at most 500) whose handling failed, not to be claimed before `retry_at`;
    /// the member's later events wait with them. How many were still leased under this token.
    ///
    /// With the first that failed, release the member's later events of the same batch: to go on
    /// with them would be out of order.
    async fn fail(
        &self,
        ids: &[OutboxEventId],
        token: LeaseToken,
        retry_at: Timestamp,
    ) -> Result<u64, StorageError>;

    /// How the outbox stands, in one snapshot.
    async fn status(&self, now: Timestamp) -> Result<OutboxStatus, StorageError>;

    /// Deletes the first events published before `before`, at most `limit` (1 to 1000). How many.
    async fn purge(&self, before: Timestamp, limit: u32) -> Result<u64, StorageError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(payload: &str) -> OutboxEvent {
        OutboxEvent {
            id: OutboxEventId(1),
            user: UserId(7),
            kind: "LevelUp".to_owned(),
            payload: Json::new(payload.parse().unwrap()).unwrap(),
            correlation: None,
            created_at: Timestamp::EPOCH,
            attempts: 1,
        }
    }

    #[test]
    fn a_payload_of_another_release_says_so() {
        let known = event(r#"{"LevelUp": {"user": 7, "level": 3}}"#).event().unwrap();
        assert_eq!(known, DomainEvent::LevelUp { user: UserId(7), level: 3 });
        for foreign in [r#"{"MoonLanding": {"user": 7}}"#, r#"{"LevelUp": {"user": 7}}"#, "[]"] {
            let error = event(foreign).event().unwrap_err();
            assert_eq!(error.kind(), crate::ErrorKind::Serialization, "{foreign}");
        }
    }
}
