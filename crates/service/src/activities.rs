//! What members do every day: messages, check-ins and taking part, and what it sets off.

use guildhall_domain::{
    CheckIn, EntryReference, ObjectiveKind, Outcome, Participation, PointEntry, Slug, UserId,
};
use guildhall_repository::StorageError;

use crate::cascade::Cascade;
use crate::workflows::{Done, Workflows};

/// Takes note of what members do: pays as [`Crediting`](crate::Crediting) does, and lets it count
/// for missions and achievements in the same unit.
#[derive(Clone)]
pub struct Activities {
    workflows: Workflows,
}

impl Activities {
    /// On this ground.
    #[must_use]
    pub const fn new(workflows: Workflows) -> Self {
        Self { workflows }
    }

    /// Checks in for the community day: pays, with the bonus on every seventh day of a streak, and
    /// counts as the actions `checkin` and, with the length of the streak, `login_streak`.
    /// `LimitExceeded` with the start of the next day when done already.
    pub async fn check_in(&self, user: UserId) -> Result<Outcome<Done<CheckIn>>, StorageError> {
        self.workflows
            .run(user, None, async |mut cascade| {
                let crediting = cascade.workflows.crediting.clone();
                let outcome = crediting.check_in_in(&*cascade.work, user, cascade.now).await?;
                let check_in = outcome.value;
                cascade.credited(&check_in.entry, outcome.events)?;
                if let Some(bonus) = &check_in.bonus {
                    cascade.effects.points = cascade.effects.points.plus(bonus.amount)?;
                }
                cascade.action("checkin", 1)?;
                cascade.action("login_streak", u64::from(check_in.streak))?;
                Ok((cascade, check_in))
            })
            .await
    }

    /// Counts a message, which counts as the action `message`, and pays for it unless one was paid
    /// for a moment ago: then `None`.
    pub async fn record_message(
        &self,
        user: UserId,
    ) -> Result<Outcome<Done<Option<PointEntry>>>, StorageError> {
        self.workflows
            .run(user, None, async |mut cascade| {
                let crediting = cascade.workflows.crediting.clone();
                let outcome =
                    crediting.record_message_in(&*cascade.work, user, cascade.now).await?;
                match &outcome.value {
                    Some(entry) => cascade.credited(entry, outcome.events)?,
                    None => cascade.evaluate(), // The message was counted all the same.
                }
                cascade.action("message", 1)?;
                Ok((cascade, outcome.value))
            })
            .await
    }

    /// Pays for taking part in something, once a member, kind and thing, and lets it count as the
    /// action of that name: `post`, `comment`, `poll`, `other`.
    pub async fn participate(
        &self,
        user: UserId,
        kind: Participation,
        reference: &EntryReference,
    ) -> Result<Outcome<Done<PointEntry>>, StorageError> {
        self.workflows
            .run(user, None, async |mut cascade| {
                let crediting = cascade.workflows.crediting.clone();
                let outcome = crediting
                    .participate_in(&*cascade.work, (user, kind, reference), cascade.now)
                    .await?;
                cascade.replayed = outcome.replayed;
                if !outcome.replayed {
                    cascade.credited(&outcome.value, outcome.events)?;
                    cascade.action(kind.as_str(), 1)?;
                }
                Ok((cascade, outcome.value))
            })
            .await
    }
}

impl Cascade {
    fn action(&mut self, name: &str, amount: u64) -> Result<(), StorageError> {
        self.act(ObjectiveKind::Action, Slug::parse(name)?, amount);
        Ok(())
    }
}
