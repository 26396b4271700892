//! Effects that happen once.

use async_trait::async_trait;
use guildhall_domain::{IdemKey, Json, Rule, Timestamp, UserId, Violation};

use crate::StorageError;

/// What a claim of a once-only key found.
#[derive(Clone, Debug, PartialEq)]
pub enum Claim {
    /// Nobody used the key before: the caller does the work and keeps its result.
    Mine,
    /// The work was done; this is its result. Nothing was written.
    Done(Json),
}

/// A request that is to take effect once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnceRequest {
    key: IdemKey,
    operation: &'static str,
    user: UserId,
    request: String,
}

impl OnceRequest {
    /// The longest description of a request, in bytes.
    pub const BYTES_MAX: usize = 4_000;

    /// Describes a request: `operation` of `user`, and in `request` whatever else tells it from
    /// another one. `Violation` for a description over the limit or with a NUL character.
    pub fn new(
        key: &IdemKey,
        operation: &'static str,
        user: UserId,
        request: impl Into<String>,
    ) -> Result<Self, Violation> {
        let request = request.into();
        if request.len() > Self::BYTES_MAX {
            return Err(Violation::new("request", Rule::TooLong { max: Self::BYTES_MAX }));
        }
        if request.contains('\0') {
            return Err(Violation::new("request", Rule::ContainsNul));
        }
        Ok(Self { key: key.clone(), operation, user, request })
    }

    /// The caller's key.
    #[must_use]
    pub const fn key(&self) -> &IdemKey {
        &self.key
    }

    /// What is to be done: `record_action`.
    #[must_use]
    pub const fn operation(&self) -> &'static str {
        self.operation
    }

    /// For whom.
    #[must_use]
    pub const fn user(&self) -> UserId {
        self.user
    }

    /// With what.
    #[must_use]
    pub fn request(&self) -> &str {
        &self.request
    }
}

/// Keys of requests that take effect once, with their results. Every implementation passes
/// `guildhall_testkit::contract::once`.
///
/// Meant for a unit of work, in which the key, the effects and the result become permanent
/// together: claim first, do the work, keep the result, commit. Outside a unit a claim is permanent
/// at once, and whoever comes later waits for a result in vain.
#[cfg_attr(feature = "mock", mockall::automock)] // Stays above `async_trait`: mockall requires it.
#[async_trait]
pub trait OnceRepository: Send + Sync {
    /// Claims the key of a request. Who comes second waits for the first: once that has committed
    /// it is `Done`, once that has rolled back it is `Mine`.
    ///
    /// `Conflict` when the key was used for another operation, member or request; `InvalidState`
    /// when it was claimed and no result was kept, as by an outer step of the same unit.
    async fn claim(&self, request: &OnceRequest, now: Timestamp) -> Result<Claim, StorageError>;

    /// Keeps the result of a claimed key. `NotFound` for a key that nobody claimed; `InvalidState`
    /// when it has a result already.
    async fn keep(&self, key: &IdemKey, result: &Json) -> Result<(), StorageError>;

    /// Forgets the oldest keys claimed before `before`, at most `limit` (1 to 1000); from then on a
    /// repeat of theirs takes effect again, as far as the effects have no key of their own. How
    /// many were forgotten.
    async fn purge(&self, before: Timestamp, limit: u32) -> Result<u64, StorageError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_has_an_end_and_no_nul() {
        let key = IdemKey::parse("k").unwrap();
        let described = |text: String| OnceRequest::new(&key, "test", UserId(1), text);
        assert!(described("x".repeat(4_000)).is_ok());
        for text in ["x".repeat(4_001), "a\0b".to_owned()] {
            assert_eq!(described(text).unwrap_err().field, "request");
        }
    }
}
