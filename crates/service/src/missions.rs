//! Missions: progress, completion, and what completing them pays.

use guildhall_domain::{
    Advance, BasisPoints, CounterBump, DomainEvent, IdemKey, MemberMission, Mission,
    MissionAvailability, MissionPeriod, ObjectiveKind, ObjectiveProgress, Outcome, Slug, UserId,
    objectives_progress,
};
use guildhall_repository::{MissionStep, StorageError};
use serde::{Deserialize, Serialize};

use crate::cascade::{Cascade, Origin, Step, keyed};
use crate::workflows::{Done, Workflows, once};

/// That a mission came closer to its end, or reached it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MissionAdvance {
    /// The mission.
    pub mission: Slug,
    /// The period it counts for.
    pub period: MissionPeriod,
    /// How much of it is done.
    pub progress: BasisPoints,
    /// Whether this completed it.
    pub completed: bool,
    /// How much of each objective is done.
    pub objectives: Vec<ObjectiveProgress>,
}

/// Lets members make progress with missions. Completing one pays its rewards in the same unit, for
/// every period once, whatever is retried, abandoned or reset.
#[derive(Clone)]
pub struct Missions {
    workflows: Workflows,
}

impl Missions {
    /// On this ground.
    #[must_use]
    pub const fn new(workflows: Workflows) -> Self {
        Self { workflows }
    }

    /// Makes progress with one objective, the `idx`-th of a mission: adds `amount`, or raises the
    /// value to it where the objective counts the greatest. On a period that is completed it is a
    /// replay that changes nothing.
    ///
    /// `NotFound` without member, mission or objective; `InvalidState` for a mission that is
    /// switched off, not begun, over, or abandoned by the member; `LimitExceeded` with the end of
    /// the cooldown; `Validation` for an amount of 0.
    pub async fn advance(
        &self,
        user: UserId,
        mission: &Slug,
        idx: u16,
        amount: u64,
        key: Option<&IdemKey>,
    ) -> Result<Outcome<Done<MissionAdvance>>, StorageError> {
        let request = once(key, "advance_mission", user, || format!("{mission} {idx} {amount}"))?;
        self.workflows
            .run(user, request, async |mut cascade| {
                let value = cascade.advance_one(mission, idx, Change::Amount(amount)).await?;
                Ok((cascade, value))
            })
            .await
    }

    /// Sets how much of one objective is done. It may complete the mission and does not reopen a
    /// completed period. Errors as [`Self::advance`].
    pub async fn set_progress(
        &self,
        user: UserId,
        mission: &Slug,
        idx: u16,
        value: u64,
        key: Option<&IdemKey>,
    ) -> Result<Outcome<Done<MissionAdvance>>, StorageError> {
        let request =
            once(key, "set_mission_progress", user, || format!("{mission} {idx} {value}"))?;
        self.workflows
            .run(user, request, async |mut cascade| {
                let value = cascade.advance_one(mission, idx, Change::Value(value)).await?;
                Ok((cascade, value))
            })
            .await
    }

    /// Lets an action, or a fact, count for every active mission that asks for it, in the order of
    /// their ids. What nobody asks for changes nothing.
    ///
    /// Give a key when the same action may be reported twice: actions add up.
    pub async fn record_action(
        &self,
        user: UserId,
        kind: ObjectiveKind,
        action: &Slug,
        amount: u64,
        key: Option<&IdemKey>,
    ) -> Result<Outcome<Done<()>>, StorageError> {
        Advance::Add(amount).check()?;
        let request = once(key, "record_action", user, || format!("{kind} {action} {amount}"))?;
        self.workflows
            .run(user, request, async |mut cascade| {
                cascade.act(kind, action.clone(), amount);
                Ok((cascade, ()))
            })
            .await
    }

    /// Completes a mission for the current period, whether or not its objectives are met.
    ///
    /// `InvalidState` when it is completed already, switched off, not begun or over, unless the
    /// repeat bears the key of the first call; `LimitExceeded` with the end of the cooldown.
    pub async fn complete(
        &self,
        user: UserId,
        mission: &Slug,
        key: Option<&IdemKey>,
    ) -> Result<Outcome<Done<MissionAdvance>>, StorageError> {
        let request = once(key, "complete_mission", user, || mission.to_string())?;
        self.workflows
            .run(user, request, async |mut cascade| {
                let found = cascade.member_mission(mission).await?;
                if found.standing.is_done() {
                    return Err(not_open(&found, "complete it again"));
                }
                let refused = match found.standing.availability {
                    // Who gave it up and has it completed by hand takes it up by that.
                    MissionAvailability::Open | MissionAvailability::Abandoned => None,
                    _ => Some(not_open(&found, "complete it")),
                };
                refused.map_or(Ok(()), Err)?;
                cascade.begin(&found).await?;
                let objectives = found.standing.current.as_ref();
                let objectives = objectives.map_or_else(Vec::new, |row| row.objectives.clone());
                let value = cascade.close(&found, objectives).await?;
                Ok((cascade, value))
            })
            .await
    }
}

/// What is to become of an objective.
#[derive(Clone, Copy)]
enum Change {
    /// As much more, or at least as much, as the objective counts.
    Amount(u64),
    /// Exactly as much.
    Value(u64),
}

impl Cascade {
    async fn member_mission(&self, mission: &Slug) -> Result<MemberMission, StorageError> {
        let zone = &self.workflows.crediting.rules().earning.zone;
        let missions = self.work.mission_progress();
        let found = missions.member_mission(self.user, mission, zone, self.now).await?;
        found.ok_or_else(|| StorageError::not_found("mission", mission))
    }

    async fn advance_one(
        &mut self,
        mission: &Slug,
        idx: u16,
        change: Change,
    ) -> Result<MissionAdvance, StorageError> {
        let found = self.member_mission(mission).await?;
        let Some(objective) = found.mission.objectives.get(usize::from(idx)) else {
            return Err(StorageError::not_found("objective", format!("{mission}/{idx}")));
        };
        let change = match change {
            Change::Amount(amount) => Advance::of(objective.mode, amount),
            Change::Value(value) => Advance::Set(value),
        };
        change.check()?;
        match found.standing.availability {
            MissionAvailability::Open => self.progress(&found, &[(idx, change)]).await,
            MissionAvailability::Done if found.standing.is_done() => {
                self.replayed = true;
                Ok(advance_of(&found, current_objectives(&found), false))
            }
            _ => Err(not_open(&found, "advance it")),
        }
    }

    /// Lets an action count for every mission that asks for it.
    pub(crate) async fn count(
        &mut self,
        kind: ObjectiveKind,
        key: &Slug,
        amount: u64,
    ) -> Result<(), StorageError> {
        let zone = &self.workflows.crediting.rules().earning.zone;
        let missions = self.work.mission_progress();
        let asking = missions.objectives_for(self.user, kind, key, zone, self.now).await?;
        for found in asking {
            if found.standing.availability != MissionAvailability::Open {
                continue;
            }
            let objectives = found.mission.asking(kind, key);
            let changes: Vec<_> =
                objectives.map(|(idx, it)| (idx, Advance::of(it.mode, amount))).collect();
            self.progress(&found, &changes).await?;
        }
        Ok(())
    }

    /// Takes a step, and has rewards given when it completed the period.
    async fn progress(
        &mut self,
        found: &MemberMission,
        changes: &[(u16, Advance)],
    ) -> Result<MissionAdvance, StorageError> {
        let (mission, period) = (&found.mission.id, found.standing.period);
        let missions = self.work.mission_progress();
        if found.standing.availability == MissionAvailability::Abandoned {
            self.begin(found).await?;
        }
        let stepped = missions.step(self.user, mission, period, changes, self.now).await?;
        let MissionStep { objectives, completed, asked_for } = stepped.value;
        if completed {
            return self.completed(found, objectives, asked_for).await;
        }
        let before = current_objectives(found);
        let values = |all: &[ObjectiveProgress]| all.iter().map(|it| it.value).collect::<Vec<_>>();
        let advance = advance_of(found, objectives, false);
        if values(&before) != values(&advance.objectives) {
            self.tell([DomainEvent::MissionProgressed {
                user: self.user,
                mission: mission.clone(),
                period,
                progress: advance.progress,
            }]);
            self.effects.missions.push(advance.clone());
        }
        Ok(advance)
    }

    async fn begin(&self, found: &MemberMission) -> Result<(), StorageError> {
        let (missions, mission) = (self.work.mission_progress(), &found.mission.id);
        match found.standing.availability {
            MissionAvailability::Abandoned => {
                let zone = &self.workflows.crediting.rules().earning.zone;
                missions.start(self.user, mission, zone, self.now).await?;
            }
            _ if found.standing.current.is_none() => {
                missions.open_period(self.user, mission, found.standing.period, self.now).await?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Closes a period, whatever its objectives, and has its rewards given.
    async fn close(
        &mut self,
        found: &MemberMission,
        objectives: Vec<ObjectiveProgress>,
    ) -> Result<MissionAdvance, StorageError> {
        let MemberMission { mission, standing } = found;
        let missions = self.work.mission_progress();
        if !missions.close_period(self.user, &mission.id, standing.period, self.now).await? {
            self.replayed = true;
            return Ok(advance_of(found, objectives, false));
        }
        self.completed(found, objectives, true).await
    }

    /// Has the rewards of a period given that was just closed, and counted for the missions that ask
    /// for it, if there may be any.
    async fn completed(
        &mut self,
        found: &MemberMission,
        objectives: Vec<ObjectiveProgress>,
        asked_for: bool,
    ) -> Result<MissionAdvance, StorageError> {
        let MemberMission { mission, standing } = found;
        self.tell([DomainEvent::MissionCompleted {
            user: self.user,
            mission: mission.id.clone(),
            period: standing.period,
        }]);
        let paid = standing.current.as_ref().is_some_and(|row| row.paid_elsewhere);
        if !paid {
            self.pay(mission, standing.period)?;
        }
        let bumps = [CounterBump::builtin("missions_completed", 1)?];
        self.work.activity().bump_counters(self.user, &bumps, self.now).await?;
        if asked_for {
            self.act(ObjectiveKind::Mission, mission.id.clone(), 1);
        }
        self.evaluate();
        let mut advance = advance_of(found, objectives, true);
        advance.progress = BasisPoints::ONE;
        self.effects.missions.push(advance.clone());
        Ok(advance)
    }

    fn pay(&mut self, mission: &Mission, period: MissionPeriod) -> Result<(), StorageError> {
        let base = format!("mission:{}:{}:{period}", mission.id, self.user);
        for (reward, key, is_first) in keyed(&base, &mission.rewards) {
            let mut origin = Origin::new("mission", mission.id.as_str(), &key)?;
            origin.mission = is_first.then(|| (mission.id.clone(), period));
            self.push(Step::Grant(reward.clone(), origin));
        }
        Ok(())
    }
}

fn current_objectives(found: &MemberMission) -> Vec<ObjectiveProgress> {
    match &found.standing.current {
        Some(row) => row.objectives.clone(),
        None => {
            let nothing =
                |(idx, target)| ObjectiveProgress { idx, value: 0, target, updated_at: None };
            (0..).zip(found.mission.objectives.iter().map(|it| it.target)).map(nothing).collect()
        }
    }
}

fn advance_of(
    found: &MemberMission,
    objectives: Vec<ObjectiveProgress>,
    completed: bool,
) -> MissionAdvance {
    let progress = match found.standing.is_done() {
        true => BasisPoints::ONE,
        false => objectives_progress(&objectives),
    };
    MissionAdvance {
        mission: found.mission.id.clone(),
        period: found.standing.period,
        progress,
        completed,
        objectives,
    }
}

/// Why a mission that is not open refuses.
fn not_open(found: &MemberMission, attempted: &'static str) -> StorageError {
    let standing = &found.standing;
    if standing.availability == MissionAvailability::Cooldown {
        return StorageError::LimitExceeded { limit: 1, used: 1, retry_at: standing.next_at };
    }
    StorageError::InvalidState {
        entity: "mission",
        key: found.mission.id.to_string(),
        state: standing.availability.to_string(),
        attempted,
    }
}
