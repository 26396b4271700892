//! The services: each takes what it needs through its constructor, and all stand on the same parts.

use std::sync::Arc;

use guildhall_domain::{Clock, Random};
use guildhall_repository::{OutboxRepository, RetryPolicy, Storage, StorageError};
use guildhall_service::{
    Achievements, Activities, Badges, Crediting, DispatchOptions, Dispatcher, EventMultiplier,
    Members, Missions, Outbox, OutboxHandler, Registration, Rewards, Store, Stories, WorkflowRules,
    Workflows,
};

use crate::{Guildhall, Settings};

/// What every service stands on.
pub(crate) struct Ground<'a> {
    pub(crate) storage: &'a Arc<dyn Storage>,
    pub(crate) clock: &'a Arc<dyn Clock>,
    pub(crate) random: &'a Arc<dyn Random>,
    pub(crate) retry: RetryPolicy,
}

/// Every service.
pub(crate) struct Services {
    registration: Registration,
    members: Members,
    crediting: Crediting,
    workflows: Workflows,
    activities: Activities,
    missions: Missions,
    stories: Stories,
    achievements: Achievements,
    badges: Badges,
    rewards: Rewards,
    store: Store,
}

impl Services {
    pub(crate) fn new(
        ground: Ground<'_>,
        events: Arc<dyn EventMultiplier>,
        settings: &Settings,
    ) -> Self {
        let Ground { storage, clock, random, retry } = ground;
        let parts = || (Arc::clone(storage), Arc::clone(clock), Arc::clone(random));
        let outbox = if settings.outbox_enabled { Outbox::on() } else { Outbox::off() };
        let (on, now, chance) = parts();
        let registration = Registration::new(on, now, chance).retry(retry).outbox(outbox.clone());
        let (on, now, chance) = parts();
        let crediting = Crediting::new(on, now, chance, settings.rules.clone());
        let crediting = crediting.events(events).retry(retry).outbox(outbox);
        let rules = WorkflowRules { multiply_rewards: settings.multiply_rewards };
        let workflows = Workflows::new(crediting.clone(), rules);
        Self {
            registration,
            members: Members::new(crediting.clone()),
            crediting,
            activities: Activities::new(workflows.clone()),
            missions: Missions::new(workflows.clone()),
            stories: Stories::new(workflows.clone()),
            achievements: Achievements::new(workflows.clone()),
            badges: Badges::new(workflows.clone()),
            rewards: Rewards::new(workflows.clone()),
            store: Store::new(workflows.clone()),
            workflows,
        }
    }
}

/// The services. Their events go to the outbox where `outbox.enabled` says so.
impl Guildhall {
    /// Registering members.
    #[must_use]
    pub fn registration(&self) -> &Registration {
        &self.0.services.registration
    }

    /// Letting members leave.
    #[must_use]
    pub fn members(&self) -> &Members {
        &self.0.services.members
    }

    /// Earning, spending and sending points.
    #[must_use]
    pub fn crediting(&self) -> &Crediting {
        &self.0.services.crediting
    }

    /// Messages, check-ins and taking part, and what it counts for.
    #[must_use]
    pub fn activities(&self) -> &Activities {
        &self.0.services.activities
    }

    /// Making progress with missions. Their catalogue is `storage().missions()`.
    #[must_use]
    pub fn missions(&self) -> &Missions {
        &self.0.services.missions
    }

    /// Going through the story, and finding lore. Its fragments are `storage().narrative()`.
    #[must_use]
    pub fn stories(&self) -> &Stories {
        &self.0.services.stories
    }

    /// Unlocking achievements. Their catalogue is `storage().achievements()`.
    #[must_use]
    pub fn achievements(&self) -> &Achievements {
        &self.0.services.achievements
    }

    /// Giving and taking badges. Who has which is `storage().badges()`.
    #[must_use]
    pub fn badges(&self) -> &Badges {
        &self.0.services.badges
    }

    /// Giving rewards for reasons of your own.
    #[must_use]
    pub fn rewards(&self) -> &Rewards {
        &self.0.services.rewards
    }

    /// Buying in the store. What is in it is `storage().store()`.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.0.services.store
    }

    /// What the services of missions, stories, achievements, badges, store and activities stand on:
    /// for one with a correlation id, such as
    /// `Missions::new(guildhall.workflows().with_correlation(id))`.
    #[must_use]
    pub fn workflows(&self) -> &Workflows {
        &self.0.services.workflows
    }

    /// How the outbox stands, and its housekeeping.
    #[must_use]
    pub fn outbox(&self) -> &dyn OutboxRepository {
        self.0.storage.outbox()
    }

    /// What hands the events of the outbox to `handler`, once it is run. `Validation` names an
    /// option out of its range.
    pub fn dispatcher(
        &self,
        handler: Arc<dyn OutboxHandler>,
        options: DispatchOptions,
    ) -> Result<Dispatcher, StorageError> {
        let (storage, clock) = (Arc::clone(&self.0.storage), Arc::clone(&self.0.clock));
        Dispatcher::new(storage, clock, Arc::clone(&self.0.random), handler, options)
    }
}
