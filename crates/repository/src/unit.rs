//! Running a workflow in a unit of work.

use std::fmt;
use std::future::Future;
use std::ops::Deref;
use std::sync::Arc;

use guildhall_domain::Random;

use crate::{AsStorageError, RetryPolicy, Storage, StorageError, UnitOfWork, retry_contention};

/// The unit that [`in_unit`] lends to its body.
///
/// It is handed over as a value, where a reference would keep the body's future from being `Send`
/// in the eyes of the compiler. Clones are the same unit. None of them may outlive the body.
#[derive(Clone)]
pub struct LentUnit(Arc<Box<dyn UnitOfWork>>);

impl Deref for LentUnit {
    type Target = dyn UnitOfWork;
    fn deref(&self) -> &Self::Target {
        &**self.0
    }
}

impl fmt::Debug for LentUnit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LentUnit").finish_non_exhaustive()
    }
}

/// Runs `body` in a unit of work and ends the unit by the outcome: commits on `Ok`; on `Err` rolls
/// back and keeps the error. While other writers win, all of it is done again, each time in a unit
/// of its own, within the policy. Dropped at any await, it took effect wholly or not at all.
///
/// The body may run more than once, so it does nothing but through its unit: mail and events are
/// sent after this has returned. A body that lets its unit escape gets `Internal`, and nothing is
/// written.
///
/// ```
/// # use guildhall_domain::{Random, Timestamp, UserId};
/// # use guildhall_repository::{RetryPolicy, Storage, StorageError, in_unit};
/// # async fn retire(
/// #     storage: &dyn Storage, retry: RetryPolicy, random: &dyn Random, id: UserId, now: Timestamp,
/// # ) -> Result<bool, StorageError> {
/// in_unit(storage, retry, random, async |work| {
///     let account = work.points().account(id).await?;
///     if account.is_none() { Ok(false) } else { work.users().delete(id, now).await }
/// })
/// .await
/// # }
/// ```
pub async fn in_unit<T, E, F>(
    storage: &dyn Storage,
    retry: RetryPolicy,
    random: &dyn Random,
    body: impl Fn(LentUnit) -> F + Send + Sync,
) -> Result<T, E>
where
    F: Future<Output = Result<T, E>> + Send,
    T: Send,
    E: From<StorageError> + AsStorageError + Send,
{
    let body = &body;
    retry_contention(retry, random, || async move { lend(storage.begin().await?, body).await })
        .await
}

/// The same in a unit that [`Storage::begin_act`] begins: for a body that passes on the first error
/// of a call that writes, and so costs fewer round trips.
pub async fn in_act<T, E, F>(
    storage: &dyn Storage,
    retry: RetryPolicy,
    random: &dyn Random,
    body: impl Fn(LentUnit) -> F + Send + Sync,
) -> Result<T, E>
where
    F: Future<Output = Result<T, E>> + Send,
    T: Send,
    E: From<StorageError> + AsStorageError + Send,
{
    let body = &body;
    retry_contention(retry, random, || async move { lend(storage.begin_act().await?, body).await })
        .await
}

/// Lends a unit to a body, and concludes it.
async fn lend<T, E, F>(
    work: Box<dyn UnitOfWork>,
    body: &(impl Fn(LentUnit) -> F + Send + Sync),
) -> Result<T, E>
where
    F: Future<Output = Result<T, E>> + Send,
    T: Send,
    E: From<StorageError> + Send,
{
    let work = Arc::new(work);
    let outcome = body(LentUnit(Arc::clone(&work))).await;
    let escaped = StorageError::Internal { operation: "conclude", source: None };
    conclude(Arc::into_inner(work).ok_or(escaped)?, outcome).await
}

/// Ends a unit by the outcome of its body: commits on `Ok`; on `Err` rolls back and keeps the
/// error. For a unit that is not run by [`in_unit`].
pub async fn conclude<T, E: From<StorageError>>(
    work: Box<dyn UnitOfWork>,
    outcome: Result<T, E>,
) -> Result<T, E> {
    match outcome {
        Ok(value) => {
            work.commit().await?;
            Ok(value)
        }
        Err(error) => {
            if let Err(failed) = work.rollback().await {
                // The connection is given up with the unit, which rolls back all the same.
                tracing::warn!(error = %failed, "roll-back failed; the connection is closed");
            }
            Err(error)
        }
    }
}
