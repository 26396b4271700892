//! Handing the events of the outbox to the application.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt;
use futures_util::future::{Either, select};
use futures_util::stream;
use guildhall_domain::{Clock, Random, Rule, Timestamp, UserId};
use guildhall_repository::{LeaseToken, OutboxEvent, OutboxEventId, Storage, StorageError};

/// Why an event was not handled; logged, and nothing else.
pub type HandlerError = Box<dyn std::error::Error + Send + Sync>;

/// What an application does about events. Plugged into a [`Dispatcher`].
#[async_trait]
pub trait OutboxHandler: Send + Sync {
    /// Handles one event. It may come again, even after it was handled: when the process dies
    /// before that is recorded, or when handling takes longer than the lease. A handler that sends
    /// a message keeps [`OutboxEvent::id`] with it, or bears to send it twice.
    ///
    /// An event of a kind that it does not care for is handled by doing nothing. An error makes
    /// the event come again later, and the member's later events wait for it.
    async fn handle(&self, event: &OutboxEvent) -> Result<(), HandlerError>;
}

/// How a [`Dispatcher`] works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DispatchOptions {
    /// The most events that are leased at a time, 1 to 500.
    pub batch: u32,
    /// How long they are leased, 1 second to 1 hour. When so much of it is used up that a call
    /// might not end in time, the rest goes back.
    pub lease: Duration,
    /// The longest that one call of the handler takes; less than the lease.
    pub handler_timeout: Duration,
    /// How many members' events are handled at a time. One member's come one after another.
    pub concurrency: usize,
    /// The wait before an empty outbox is looked at again.
    pub idle_pause: Duration,
    /// The wait after a first failure; it doubles with each further one.
    pub retry_pause: Duration,
    /// The longest wait after a failure.
    pub retry_pause_max: Duration,
}

impl Default for DispatchOptions {
    fn default() -> Self {
        Self {
            batch: 100,
            lease: Duration::from_secs(120),
            handler_timeout: Duration::from_secs(30),
            concurrency: 8,
            idle_pause: Duration::from_secs(1),
            retry_pause: Duration::from_secs(1),
            retry_pause_max: Duration::from_secs(300),
        }
    }
}

impl DispatchOptions {
    fn check(&self) -> Result<(), StorageError> {
        let range = |field, value: u64, min: u64, max: u64| {
            let bound = |bound: u64| i64::try_from(bound).unwrap_or(i64::MAX);
            let rule = Rule::OutOfRange { min: bound(min), max: bound(max) };
            let valid = (min..=max).contains(&value);
            if valid { Ok(()) } else { Err(StorageError::invalid(field, rule)) }
        };
        let ms = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        range("batch", u64::from(self.batch), 1, 500)?;
        range("lease", ms(self.lease), 1_000, 3_600_000)?;
        range("handler_timeout", ms(self.handler_timeout), 1, ms(self.lease) - 1)?;
        range("concurrency", self.concurrency as u64, 1, 1_000)?;
        range("idle_pause", ms(self.idle_pause), 1, 3_600_000)?;
        range("retry_pause", ms(self.retry_pause), 1, 86_400_000)?;
        range("retry_pause_max", ms(self.retry_pause_max), ms(self.retry_pause), 86_400_000)
    }
}

/// What became of one batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dispatched {
    /// Handled and acknowledged.
    pub handled: u64,
    /// Failed; they come again.
    pub failed: u64,
    /// Given back untried: they follow one that failed, or there was no time left.
    pub released: u64,
}

/// Claims events, hands them to the handler, and acknowledges them: at least once each, and in
/// order for each member. Any number of dispatchers may work on one outbox, in any processes.
pub struct Dispatcher {
    storage: Arc<dyn Storage>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    handler: Arc<dyn OutboxHandler>,
    options: DispatchOptions,
}

/// How one member's events of a batch ended.
#[derive(Default)]
struct Ended {
    handled: Vec<OutboxEventId>,
    failed: Option<(OutboxEventId, Timestamp)>,
    untried: Vec<OutboxEventId>,
}

impl Dispatcher {
    /// A dispatcher of this outbox. `Validation` names an option out of its range.
    pub fn new(
        storage: Arc<dyn Storage>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        handler: Arc<dyn OutboxHandler>,
        options: DispatchOptions,
    ) -> Result<Self, StorageError> {
        options.check()?;
        Ok(Self { storage, clock, random, handler, options })
    }

    /// Dispatches until `stop` completes; what is out by then is finished. A storage that does not
    /// answer is tried again after a pause.
    pub async fn run(&self, stop: impl Future<Output = ()> + Send) {
        let mut stop = pin!(stop);
        loop {
            let pause = match self.run_once().await {
                Ok(done) if done.handled > 0 => Duration::ZERO,
                Ok(_) => self.options.idle_pause,
                Err(error) => {
                    tracing::warn!(%error, "the outbox cannot be dispatched; trying again");
                    self.options.retry_pause
                }
            };
            // Even a pause of nothing gives `stop` its turn.
            if let Either::Left(_) = select(&mut stop, pin!(tokio::time::sleep(pause))).await {
                return;
            }
        }
    }

    /// Dispatches one batch, which is empty when nothing is due.
    pub async fn run_once(&self) -> Result<Dispatched, StorageError> {
        let outbox = self.storage.outbox();
        let began = self.clock.now();
        let batch = outbox.claim(self.options.batch, self.options.lease, began).await?;
        let last_call = began.plus(self.options.lease - self.options.handler_timeout);
        let mut members: BTreeMap<UserId, Vec<OutboxEvent>> = BTreeMap::new();
        for event in batch.events {
            members.entry(event.user).or_default().push(event);
        }
        let work = members.into_values().map(|events| self.handle_member(events, last_call));
        let ended: Vec<Ended> =
            stream::iter(work).buffer_unordered(self.options.concurrency).collect().await;
        self.conclude(batch.token, ended).await
    }

    async fn handle_member(&self, events: Vec<OutboxEvent>, last_call: Timestamp) -> Ended {
        let mut ended = Ended::default();
        for event in events {
            if ended.failed.is_some() || self.clock.now() > last_call {
                ended.untried.push(event.id);
                continue;
            }
            let call = self.handler.handle(&event);
            let failure = match tokio::time::timeout(self.options.handler_timeout, call).await {
                Ok(Ok(())) => None,
                Ok(Err(error)) => Some(error.to_string()),
                Err(_) => Some("it took too long".to_owned()),
            };
            match failure {
                None => ended.handled.push(event.id),
                Some(failure) => {
                    let retry_at = self.clock.now().plus(self.pause_after(event.attempts));
                    tracing::warn!(
                        event.id = event.id.0,
                        event.kind = event.kind,
                        event.attempts = event.attempts,
                        failure,
                        "an event was not handled; it comes again"
                    );
                    ended.failed = Some((event.id, retry_at));
                }
            }
        }
        ended
    }

    async fn conclude(
        &self,
        token: LeaseToken,
        ended: Vec<Ended>,
    ) -> Result<Dispatched, StorageError> {
        let outbox = self.storage.outbox();
        let now = self.clock.now();
        let mut done = Dispatched::default();
        let (mut handled, mut untried, mut failed) = (Vec::new(), Vec::new(), Vec::new());
        for member in ended {
            handled.extend(member.handled);
            untried.extend(member.untried);
            failed.extend(member.failed);
        }
        handled.sort_unstable();
        if !handled.is_empty() {
            done.handled = outbox.ack(&handled, token, now).await?;
        }
        // Each waits for a time of its own. Failures are few, or everything fails.
        for (id, retry_at) in failed {
            done.failed += outbox.fail(&[id], token, retry_at).await?;
        }
        if !untried.is_empty() {
            done.released = outbox.release(&untried, token).await?;
        }
        Ok(done)
    }

    /// Doubled with every attempt, and spread by up to a half of it.
    fn pause_after(&self, attempts: u32) -> Duration {
        let doubled = 1_u32.checked_shl(attempts.saturating_sub(1)).unwrap_or(u32::MAX);
        let pause = self.options.retry_pause.saturating_mul(doubled);
        let pause = pause.min(self.options.retry_pause_max);
        let half_ms = u64::try_from(pause.as_millis() / 2).unwrap_or(u64::MAX);
        let spread = self.random.next_u64() % half_ms.saturating_add(1);
        pause.saturating_sub(Duration::from_millis(spread))
    }
}
