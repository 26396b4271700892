//! What one act of a member sets off: a queue of steps, worked off in the unit of the act.

use std::collections::{HashMap, VecDeque};

use guildhall_domain::{
    Amount, Award, BadgeId, DomainEvent, EntryReference, GrantedReward, IdemKey, MissionPeriod,
    ObjectiveKind, PointEntry, Points, Reward, RewardKey, Slug, Source, StoreItem, Timestamp,
    UserId,
};
use guildhall_repository::{LentUnit, StorageError};
use serde::{Deserialize, Serialize};

use crate::Workflows;
use crate::missions::MissionAdvance;

/// What an act set off, each in the order of its happening.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Effects {
    /// Missions that came closer to their end, or reached it.
    pub missions: Vec<MissionAdvance>,
    /// Achievements unlocked.
    pub achievements: Vec<Slug>,
    /// Badges received.
    pub badges: Vec<BadgeId>,
    /// Lore found, by its code.
    pub lore: Vec<Slug>,
    /// Points received in all, after multipliers.
    pub points: Points,
}

/// Where a reward comes from.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    /// What kind of thing gives it.
    pub(crate) source: Source,
    /// Which one.
    pub(crate) reference: Option<EntryReference>,
    /// Makes it be given once: no other reward has this key. Of points it is the key in the ledger.
    pub(crate) key: RewardKey,
    /// The period of a mission whose row notes the entry.
    pub(crate) mission: Option<(Slug, MissionPeriod)>,
}

impl Origin {
    /// Of the thing `reference` of kind `source`, under a key.
    pub(crate) fn new(source: &str, reference: &str, key: &str) -> Result<Self, StorageError> {
        let reference = Some(EntryReference::parse(reference)?);
        let (source, key) = (Source::parse(source)?, RewardKey::parse(key)?);
        Ok(Self { source, reference, key, mission: None })
    }
}

/// The rewards of one thing, each under a key of its own: the base, the kind, and which one. It does
/// not depend on the order that an author wrote them in. The flag marks the first reward of points,
/// whose key is the base alone.
pub(crate) fn keyed<'r>(
    base: &str,
    rewards: impl IntoIterator<Item = &'r Reward>,
) -> Vec<(&'r Reward, String, bool)> {
    let mut seen: HashMap<String, u32> = HashMap::new();
    let key = |reward: &'r Reward| {
        let which = reward.key().map(|key| format!(":{key}")).unwrap_or_default();
        let key = format!("{base}:{}{which}", reward.kind());
        let times = seen.entry(key.clone()).or_insert(0);
        *times += 1;
        match (reward, *times) {
            (Reward::Points(_), 1) => (reward, base.to_owned(), true),
            (_, 1) => (reward, key, false),
            (_, n) => (reward, format!("{key}#{n}"), false),
        }
    };
    rewards.into_iter().map(key).collect()
}

pub(crate) enum Step {
    /// Give a reward.
    Grant(Reward, Origin),
    /// Let an action, or a fact, count for missions.
    Act(ObjectiveKind, Slug, u64),
    /// Give what reaching a level unlocks.
    Level(u32),
}

/// More steps than any act sets off: every step establishes a fact that can be established once.
const STEPS_MAX: u32 = 64;

/// The steps of one act, and what came of them. Handed to the body of a workflow as a value, and
/// back with its result, for the reason that [`LentUnit`] is.
pub(crate) struct Cascade {
    pub(crate) work: LentUnit,
    pub(crate) workflows: Workflows,
    pub(crate) user: UserId,
    pub(crate) now: Timestamp,
    /// What was taken from the store for this act.
    pub(crate) item: Option<StoreItem>,
    queue: VecDeque<Step>,
    /// Whether something changed that rules look at. Looked at when the queue is empty, so that
    /// one look sees all of it.
    evaluate: bool,
    steps: u32,
    /// Whether a reward was given that had not been given before.
    pub(crate) granted: bool,
    pub(crate) replayed: bool,
    pub(crate) effects: Effects,
    events: Vec<DomainEvent>,
}

/// What is left when nothing is to be done any more.
pub(crate) struct Finished {
    pub(crate) work: LentUnit,
    pub(crate) replayed: bool,
    pub(crate) effects: Effects,
    pub(crate) events: Vec<DomainEvent>,
}

impl Cascade {
    pub(crate) fn new(work: LentUnit, workflows: Workflows, user: UserId, now: Timestamp) -> Self {
        Self {
            work,
            workflows,
            user,
            now,
            item: None,
            queue: VecDeque::new(),
            evaluate: false,
            steps: 0,
            granted: false,
            replayed: false,
            effects: Effects::default(),
            events: Vec::new(),
        }
    }

    pub(crate) fn push(&mut self, step: Step) {
        self.queue.push_back(step);
    }

    pub(crate) fn act(&mut self, kind: ObjectiveKind, key: Slug, amount: u64) {
        self.push(Step::Act(kind, key, amount));
    }

    /// Has rules looked at once the queue is empty.
    pub(crate) const fn evaluate(&mut self) {
        self.evaluate = true;
    }

    /// Whether rules are to be looked at once more, while they are being looked at.
    pub(crate) const fn evaluates_again(&mut self, again: bool) {
        self.evaluate = again;
    }

    pub(crate) fn tell(&mut self, events: impl IntoIterator<Item = DomainEvent>) {
        self.events.extend(events);
    }

    pub(crate) async fn drain(&mut self) -> Result<(), StorageError> {
        loop {
            let step = self.queue.pop_front();
            if step.is_none() && !std::mem::take(&mut self.evaluate) {
                return Ok(());
            }
            self.steps += 1;
            if self.steps > STEPS_MAX {
                tracing::error!(user = self.user.0, "an act sets off more than {STEPS_MAX} steps");
                return Err(StorageError::Internal { operation: "cascade", source: None });
            }
            match step {
                Some(Step::Grant(reward, origin)) => self.grant(reward, origin).await?,
                Some(Step::Act(kind, key, amount)) => self.count(kind, &key, amount).await?,
                Some(Step::Level(level)) => self.level_lore(level).await?,
                None => self.evaluate_rules().await?,
            }
        }
    }

    pub(crate) fn finish(self) -> Finished {
        let Self { work, replayed, effects, events, .. } = self;
        Finished { work, replayed, effects, events }
    }

    /// Gives a reward, once, and logs it.
    async fn grant(&mut self, reward: Reward, origin: Origin) -> Result<(), StorageError> {
        let granted = GrantedReward {
            user: self.user,
            reward: reward.clone(),
            source: origin.source.clone(),
            once_key: origin.key.clone(),
            granted_at: self.now,
        };
        let is_new = self.work.rewards().record(&granted).await?;
        // It was given before, by whatever led to it then. Lore can be lost since, with a story that
        // was begun anew; finding what is found does nothing.
        if !is_new && !matches!(reward, Reward::Lore(_)) {
            return Ok(());
        }
        self.granted |= is_new;
        match reward {
            Reward::Points(amount) => {
                let entry = self.credit(amount, &origin).await?;
                if let (Some(entry), Some((mission, period))) = (entry, &origin.mission) {
                    let missions = self.work.mission_progress();
                    missions.set_rewarded_entry(self.user, mission, *period, entry.id).await?;
                }
                Ok(())
            }
            Reward::Xp(xp) => {
                let outcome = self.work.points().grant_xp(self.user, xp, self.now).await?;
                self.levels_in(&outcome.events);
                self.tell(outcome.events);
                self.evaluate();
                Ok(())
            }
            Reward::Lore(code) => self.find_lore(&code, origin.source, None).await,
            Reward::Badge(id) => self.give_badge(id, None, origin.source, None).await.map(drop),
            Reward::Achievement(id) => self.unlock(&id, origin.source, None).await.map(drop),
        }
    }

    /// Credits points under the origin's key; `None` when the ledger has it already.
    pub(crate) async fn credit(
        &mut self,
        amount: Amount,
        origin: &Origin,
    ) -> Result<Option<PointEntry>, StorageError> {
        let award = Award {
            source_ref: origin.reference.clone(),
            idem_key: Some(IdemKey::parse(origin.key.as_str())?),
            ..Award::new(self.user, amount, origin.source.clone())
        };
        let outcome = if self.workflows.rules.multiply_rewards {
            self.workflows.crediting.award_in(&*self.work, &award, self.now).await?
        } else {
            self.work.points().award(&award, self.now).await?
        };
        if outcome.replayed {
            return Ok(None);
        }
        self.credited(&outcome.value, outcome.events)?;
        Ok(Some(outcome.value))
    }

    /// Takes note of a credit that was made.
    pub(crate) fn credited(
        &mut self,
        entry: &PointEntry,
        events: Vec<DomainEvent>,
    ) -> Result<(), StorageError> {
        self.effects.points = self.effects.points.plus(entry.amount)?;
        self.levels_in(&events);
        self.tell(events);
        self.evaluate();
        Ok(())
    }

    fn levels_in(&mut self, events: &[DomainEvent]) {
        for event in events {
            if let DomainEvent::LevelUp { level, .. } = event {
                self.push(Step::Level(*level));
            }
        }
    }

    /// Lets what levels unlock be found. A level that names lore nobody wrote, or that is switched
    /// off, must not keep anybody from earning points.
    async fn level_lore(&mut self, level: u32) -> Result<(), StorageError> {
        let levels = self.work.levels().list().await?;
        let code =
            levels.into_iter().find(|it| it.level == level).and_then(|it| it.unlocks_lore_code);
        let Some(code) = code else { return Ok(()) };
        match self.work.lore().piece(&code).await? {
            Some(piece) if piece.is_active => {
                let key = format!("level:{level}:{}", self.user);
                let origin = Origin::new("level", &level.to_string(), &key)?;
                self.push(Step::Grant(Reward::Lore(code), origin));
            }
            _ => tracing::warn!(level, lore = %code, "a level unlocks lore that is not there"),
        }
        Ok(())
    }
}
