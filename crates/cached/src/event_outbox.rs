//! Events on their way to the application: never cached. The cache's own outbox is in `outbox.rs`.

use std::time::Duration;

use guildhall_domain::{CorrelationId, DomainEvent, Timestamp};
use guildhall_repository::{
    LeaseToken, OutboxBatch, OutboxEventId, OutboxRepository, OutboxStatus,
};

use crate::decorate::decorate;

decorate! {
    impl OutboxRepository by outbox, |link| {
        pass append(
            events: &[DomainEvent],
            correlation: Option<CorrelationId>,
            now: Timestamp,
        ) -> ();
        pass claim(limit: u32, lease: Duration, now: Timestamp) -> OutboxBatch;
        pass ack(ids: &[OutboxEventId], token: LeaseToken, now: Timestamp) -> u64;
        pass release(ids: &[OutboxEventId], token: LeaseToken) -> u64;
        pass fail(ids: &[OutboxEventId], token: LeaseToken, retry_at: Timestamp) -> u64;
        pass status(now: Timestamp) -> OutboxStatus;
        pass purge(before: Timestamp, limit: u32) -> u64;
    }
}
