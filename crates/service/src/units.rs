//! What every service stands on.

use std::future::Future;
use std::sync::Arc;

use guildhall_domain::{Outcome, Random, Timestamp};
use guildhall_repository::{LentUnit, RetryPolicy, Storage, StorageError, in_act};

use crate::outbox::Outbox;

/// The storage, and how units of work on it are run.
#[derive(Clone)]
pub(crate) struct Units {
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) retry: RetryPolicy,
}

impl Units {
    pub(crate) fn new(storage: Arc<dyn Storage>, random: Arc<dyn Random>) -> Self {
        Self { storage, random, retry: RetryPolicy::default() }
    }

    /// Runs a workflow in a unit of its own, and again while other writers win: see [`in_act`]. It
    /// passes on the first error of a call that writes.
    pub(crate) async fn run<T, F>(
        &self,
        body: impl Fn(LentUnit) -> F + Send + Sync,
    ) -> Result<T, StorageError>
    where
        F: Future<Output = Result<T, StorageError>> + Send,
        T: Send,
    {
        in_act(&*self.storage, self.retry, &*self.random, body).await
    }

    /// The same, where the events of the outcome go to the outbox, in the unit.
    pub(crate) async fn run_telling<T, F>(
        &self,
        outbox: &Outbox,
        now: Timestamp,
        body: impl Fn(LentUnit) -> F + Send + Sync,
    ) -> Result<Outcome<T>, StorageError>
    where
        F: Future<Output = Result<Outcome<T>, StorageError>> + Send,
        T: Send,
    {
        let body = &body;
        self.run(async |work| {
            let outcome = body(work.clone()).await?;
            outbox.publish_in(&*work, &outcome.events, now).await?;
            Ok(outcome)
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use guildhall_repository::{ErrorKind, MockStorage, MockUnitOfWork};

    use super::*;
    use crate::testing::Seven;

    fn units() -> Units {
        let storage = Arc::new(MockStorage::new(MockUnitOfWork::default()));
        let retry = RetryPolicy { attempts: 3, wait_min_ms: 0, wait_max_ms: 0 };
        Units { retry, ..Units::new(storage, Arc::new(Seven)) }
    }

    /// How often a body that ends in `error` runs.
    async fn runs(error: StorageError) -> u32 {
        let (count, refusal) = (AtomicU32::new(0), &error);
        let outcome: Result<(), _> = units()
            .run(async |_work| {
                count.fetch_add(1, Ordering::Relaxed);
                Err(refusal.clone())
            })
            .await;
        assert_eq!(outcome.unwrap_err().kind(), error.kind());
        count.into_inner()
    }

    #[tokio::test]
    async fn only_contention_is_tried_again_and_not_for_ever() {
        assert_eq!(runs(StorageError::Contention).await, 3);
        assert_eq!(runs(StorageError::not_found("user", 1)).await, 1);
    }

    #[tokio::test]
    async fn a_unit_that_escapes_its_body_is_not_committed() {
        let escaped = units().run(async |work| Ok(work)).await;
        assert_eq!(escaped.unwrap_err().kind(), ErrorKind::Internal);
    }
}
