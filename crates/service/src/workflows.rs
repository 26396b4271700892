//! What the workflows share: one unit, the member's lock, once-only keys, the cascade, the outbox.

use guildhall_domain::{CorrelationId, IdemKey, Json, Outcome, StoreItemId, UserId};
use guildhall_repository::{Claim, OnceRequest, StorageError};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::Crediting;
use crate::cascade::{Cascade, Effects, Finished};

/// How workflows reward.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkflowRules {
    /// Whether points of missions, stories, achievements and choices are multiplied by events and
    /// roles, as other credits are. By default they are.
    pub multiply_rewards: bool,
}

impl Default for WorkflowRules {
    fn default() -> Self {
        Self { multiply_rewards: true }
    }
}

/// What a workflow did, and what that set off.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Done<T> {
    /// The result of the act itself.
    pub value: T,
    /// What it set off, in the same unit.
    pub effects: Effects,
}

/// The ground that [`Missions`](crate::Missions), [`Stories`](crate::Stories),
/// [`Achievements`](crate::Achievements), [`Badges`](crate::Badges), [`Store`](crate::Store) and
/// [`Activities`](crate::Activities) stand on. Cheap to copy.
///
/// Every workflow is one unit of work. It locks the member, does its steps, works off what they set
/// off, and writes the events; any refusal undoes all of it, and so does dropping the call. While
/// other writers win it is tried again as a whole.
#[derive(Clone)]
pub struct Workflows {
    pub(crate) crediting: Crediting,
    pub(crate) rules: WorkflowRules,
}

impl Workflows {
    /// Workflows that credit by `crediting`, with its storage, clock, chance and retries.
    #[must_use]
    pub const fn new(crediting: Crediting, rules: WorkflowRules) -> Self {
        Self { crediting, rules }
    }

    /// The same workflows, whose events bear this id in the outbox.
    #[must_use]
    pub fn with_correlation(&self, id: CorrelationId) -> Self {
        let outbox = self.crediting.outbox.clone().correlated(id);
        Self { crediting: self.crediting.clone().outbox(outbox), rules: self.rules }
    }

    /// Runs a workflow of one member in a unit of its own. With a once-only key, a repeat gives the
    /// stored result of the first time.
    pub(crate) async fn run<T, F>(
        &self,
        user: UserId,
        once: Option<OnceRequest>,
        body: impl Fn(Cascade) -> F + Send + Sync,
    ) -> Result<Outcome<Done<T>>, StorageError>
    where
        F: Future<Output = Result<(Cascade, T), StorageError>> + Send,
        T: Serialize + DeserializeOwned + Send,
    {
        self.run_on(None, user, once, body).await
    }

    /// The same, where a thing of the store is taken before the member is locked: shared roots come
    /// before members, so that no two workflows wait for each other in a circle.
    pub(crate) async fn run_on<T, F>(
        &self,
        stock: Option<StoreItemId>,
        user: UserId,
        once: Option<OnceRequest>,
        body: impl Fn(Cascade) -> F + Send + Sync,
    ) -> Result<Outcome<Done<T>>, StorageError>
    where
        F: Future<Output = Result<(Cascade, T), StorageError>> + Send,
        T: Serialize + DeserializeOwned + Send,
    {
        let units = &self.crediting.units;
        let (once, body) = (once.as_ref(), &body);
        units
            .run(async |work| {
                // Before all locks: who repeats a request holds nothing while waiting for the first.
                let now = self.crediting.clock.now();
                if let Some(request) = once
                    && let Claim::Done(result) = work.once().claim(request, now).await?
                {
                    return Ok(Outcome::replayed(decode(&result)?));
                }
                let item = match stock {
                    Some(id) => Some(work.store().take_stock(id).await?),
                    None => None,
                };
                work.points().lock(&[user]).await?;
                let mut cascade = Cascade::new(work, self.clone(), user, now);
                cascade.item = item;
                let (mut cascade, value) = body(cascade).await?;
                cascade.drain().await?;
                let Finished { work, replayed, effects, events } = cascade.finish();
                let value = Done { value, effects };
                if let Some(request) = once {
                    work.once().keep(request.key(), &encode(&value)?).await?;
                }
                self.crediting.outbox.publish_in(&*work, &events, now).await?;
                Ok(Outcome { value, replayed, events })
            })
            .await
    }
}

/// A request under a caller's key, if there is one.
pub(crate) fn once(
    key: Option<&IdemKey>,
    operation: &'static str,
    user: UserId,
    request: impl FnOnce() -> String,
) -> Result<Option<OnceRequest>, StorageError> {
    Ok(key.map(|key| OnceRequest::new(key, operation, user, request())).transpose()?)
}

/// Wrapped in an array, since what is stored is an object or an array.
fn encode<T: Serialize>(value: &T) -> Result<Json, StorageError> {
    let value = serde_json::to_value([value]).map_err(serialization)?;
    Ok(Json::new(value)?)
}

fn decode<T: DeserializeOwned>(result: &Json) -> Result<T, StorageError> {
    let [value] =
        serde_json::from_value::<[T; 1]>(result.value().clone()).map_err(serialization)?;
    Ok(value)
}

fn serialization(error: serde_json::Error) -> StorageError {
    let source = Some(std::sync::Arc::new(error) as _);
    StorageError::Serialization { what: "the result of a workflow", source }
}
