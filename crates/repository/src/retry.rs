//! Trying a whole unit again when other writers won.

use std::future::Future;
use std::time::Duration;

use guildhall_domain::Random;

use crate::error::{ErrorKind, StorageError};

/// How often and how long to wait. The default: 3 attempts, 5 to 50 ms at random between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Attempts in all, at least 1.
    pub attempts: u32,
    /// The shortest wait in milliseconds.
    pub wait_min_ms: u64,
    /// The longest wait in milliseconds.
    pub wait_max_ms: u64,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self { attempts: 3, wait_min_ms: 5, wait_max_ms: 50 }
    }
}

/// Runs `attempt` until it does not end in [`StorageError::Contention`], within the policy. Every
/// attempt begins a unit of its own and rereads; a refusal is never repeated.
pub async fn retry_contention<T, E, F>(
    policy: RetryPolicy,
    random: &dyn Random,
    mut attempt: impl FnMut() -> F + Send,
) -> Result<T, E>
where
    F: Future<Output = Result<T, E>> + Send,
    E: AsStorageError,
{
    let mut count = 1;
    loop {
        let outcome = attempt().await;
        let contended = matches!(&outcome, Err(error)
            if error.as_storage_error().map(StorageError::kind) == Some(ErrorKind::Contention));
        if !contended || count >= policy.attempts {
            return outcome;
        }
        let wait_ms = random.between(policy.wait_min_ms, policy.wait_max_ms);
        tracing::warn!(attempt = count, wait_ms, "other writers won; trying again");
        tokio::time::sleep(Duration::from_millis(wait_ms)).await;
        count += 1;
    }
}

/// An error that may be, or hold, a [`StorageError`].
pub trait AsStorageError {
    /// The storage error in it, if any.
    fn as_storage_error(&self) -> Option<&StorageError>;
}

impl AsStorageError for StorageError {
    fn as_storage_error(&self) -> Option<&StorageError> {
        Some(self)
    }
}
