//! The relay: a task that renews the nonces of rows left behind, and deletes finished ones.

use std::future::Future;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::time::Instant;

use super::desk::Desk;
use super::{OutboxError, OutboxRow, ROWS_MAX};
use crate::cache::Inner;

/// Bound of every call to the outbox, whatever its own.
const DEADLINE: Duration = Duration::from_secs(10);
/// The first wait after a failure; it doubles up to the interval.
const PAUSE_MIN: Duration = Duration::from_millis(50);
/// Full batches in a row before finished rows get their turn again.
const BATCHES_MAX: u32 = 100;

/// Starts the relay if there is none at work, an outbox to work on, and a runtime.
pub(super) fn tend(inner: &Arc<Inner>) {
    let desk = &inner.desk;
    if desk.manned.load(Ordering::Relaxed) || desk.attached().is_none() {
        return;
    }
    let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
    if !desk.manned.swap(true, Ordering::AcqRel) {
        let desk = Arc::clone(&desk.0);
        // Built here, so that it notices a runtime that shuts down before the first poll.
        let relay = Relay { cache: Arc::downgrade(inner), desk, failed: 0 };
        runtime.spawn(relay.run());
    }
}

/// Its end, however it comes, lets another one start.
struct Relay {
    cache: Weak<Inner>,
    desk: Arc<Desk>,
    /// Rounds that failed in a row.
    failed: u32,
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.desk.manned.store(false, Ordering::Release);
    }
}

impl Relay {
    async fn run(mut self) {
        let mut next_look = Instant::now();
        loop {
            if self.desk.urgent.swap(false, Ordering::Relaxed) || Instant::now() >= next_look {
                let Some(inner) = self.cache.upgrade() else { break };
                next_look = Instant::now() + self.look(&inner).await;
            }
            self.flush().await;
            self.rest(next_look).await;
            if self.cache.strong_count() == 0 {
                break;
            }
        }
        self.flush().await;
    }

    /// Waits for the next look, or for finished rows and a moment more, since more will come.
    async fn rest(&self, next_look: Instant) {
        let Some(attached) = self.desk.attached() else { return };
        let called = tokio::time::timeout_at(next_look, self.desk.bell.notified()).await.is_ok();
        if called && !self.desk.presses() && self.cache.strong_count() > 0 {
            let until = next_look.min(Instant::now() + attached.options.settle_delay);
            tokio::time::sleep_until(until).await;
        }
    }

    /// Relays what is left behind. How long to wait before the next time.
    async fn look(&mut self, inner: &Inner) -> Duration {
        let Some(interval) = self.desk.attached().map(|attached| attached.options.interval) else {
            return DEADLINE;
        };
        match drain(inner).await {
            Ok(more) => {
                if self.failed > 0 {
                    tracing::info!(cache.relay.failed = self.failed, "the relay works again");
                }
                self.failed = 0;
                if more { Duration::ZERO } else { jittered(interval, inner.random.next_u64()) }
            }
            Err(error) => {
                self.desk.failures.fetch_add(1, Ordering::Relaxed);
                if self.failed == 0 {
                    tracing::warn!(
                        cause = %error,
                        "rows are left in the outbox; the relay tries again"
                    );
                }
                let pause = PAUSE_MIN.saturating_mul(1 << self.failed.min(10)).min(interval);
                self.failed = self.failed.saturating_add(1);
                jittered(pause, inner.random.next_u64())
            }
        }
    }

    /// What cannot be deleted now is found again as left behind.
    async fn flush(&self) {
        if let Err(error) = flush(&self.desk).await {
            self.desk.failures.fetch_add(1, Ordering::Relaxed);
            tracing::debug!(cause = %error, "finished rows stay in the outbox for the relay");
        }
    }
}

/// Three to five quarters of it, so that processes do not look all at once.
fn jittered(duration: Duration, random: u64) -> Duration {
    duration * 3 / 4 + duration.mul_f64((random >> 11) as f64 / (1_u64 << 54) as f64)
}

/// Deletes the rows that are finished.
pub(super) async fn flush(desk: &Desk) -> Result<(), OutboxError> {
    let Some(attached) = desk.attached() else { return Ok(()) };
    loop {
        let ids = desk.take_finished();
        if ids.is_empty() {
            return Ok(());
        }
        timed(attached.outbox.delete(&ids)).await?;
    }
}

/// Renews the nonces of the rows left behind, then deletes them: in this order, so that a row only
/// goes when its change is known. Whether more may be left.
async fn drain(inner: &Inner) -> Result<bool, OutboxError> {
    let (Some(attached), Some(shared)) = (inner.desk.attached(), inner.shared.as_deref()) else {
        return Ok(false);
    };
    let drained = inner.desk.drained.load(Ordering::Acquire);
    // Rows of this program's last run are not to be waited for: they hold every read up.
    let age_min = if drained { attached.options.age_min } else { Duration::ZERO };
    let namespace = inner.namespaces.named("(relay)");
    for _ in 0..BATCHES_MAX {
        let rows = timed(attached.outbox.left_behind(age_min, ROWS_MAX)).await?;
        if !rows.is_empty() {
            if !shared.renew_named(namespace, &names(&rows)).await {
                return Err("the shared level did not acknowledge".into());
            }
            // What this process loaded before is as old as what was stored.
            inner.generations.root.bump();
            let mut ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
            ids.sort_unstable();
            timed(attached.outbox.delete(&ids)).await?;
            inner.desk.relayed.fetch_add(rows.len() as u64, Ordering::Relaxed);
            tracing::debug!(cache.relay.rows = rows.len(), "relayed what writers left behind");
        }
        if rows.len() < usize::from(ROWS_MAX) {
            if !inner.desk.drained.swap(true, Ordering::AcqRel) {
                inner.generations.root.lower(); // Raised when the outbox was attached.
            }
            return Ok(false);
        }
    }
    Ok(true)
}

/// Every name once.
fn names(rows: &[OutboxRow]) -> Vec<String> {
    let mut names: Vec<String> =
        rows.iter().flat_map(|row| row.targets.lines()).map(str::to_owned).collect();
    names.sort_unstable();
    names.dedup();
    names
}

async fn timed<T>(call: impl Future<Output = Result<T, OutboxError>>) -> Result<T, OutboxError> {
    match tokio::time::timeout(DEADLINE, call).await {
        Ok(answer) => answer,
        Err(_) => Err(format!("the outbox did not answer within {DEADLINE:?}").into()),
    }
}
