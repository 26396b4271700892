//! Rewards given by hand.

use guildhall_domain::{Outcome, Reward, Rule, Source, UserId};
use guildhall_repository::StorageError;

use crate::cascade::{Origin, Step, keyed};
use crate::workflows::{Done, Workflows};

/// Gives rewards that no mission or story gives.
#[derive(Clone)]
pub struct Rewards {
    workflows: Workflows,
}

impl Rewards {
    /// The most rewards of one call.
    pub const COUNT_MAX: usize = 20;

    /// On this ground.
    #[must_use]
    pub const fn new(workflows: Workflows) -> Self {
        Self { workflows }
    }

    /// Gives a member rewards, each once for this key: repeated, it gives what was not given yet,
    /// and is a replay when that is nothing. `source` says what for, and `key` which thing: a
    /// `prize` and the name of the contest.
    ///
    /// `NotFound` without the member, or for a reward that does not exist; then nothing is given.
    pub async fn grant(
        &self,
        user: UserId,
        rewards: &[Reward],
        source: &Source,
        key: &str,
    ) -> Result<Outcome<Done<()>>, StorageError> {
        if rewards.is_empty() || rewards.len() > Self::COUNT_MAX {
            let rule = Rule::OutOfRange { min: 1, max: Self::COUNT_MAX as i64 };
            return Err(StorageError::invalid("rewards", rule));
        }
        let mut outcome = self
            .workflows
            .run(user, None, async |mut cascade| {
                for (reward, once, _) in keyed(&format!("{source}:{key}:{user}"), rewards) {
                    let origin = Origin::new(source.as_str(), key, &once)?;
                    cascade.push(Step::Grant(reward.clone(), origin));
                }
                cascade.drain().await?;
                // Experience that reaches no level is told by no event.
                cascade.replayed = !cascade.granted;
                Ok((cascade, ()))
            })
            .await?;
        // Lore that was lost with a story is found again under the same key.
        outcome.replayed &= outcome.events.is_empty();
        Ok(outcome)
    }
}
