//! Stories: visiting, completing and deciding, and what it brings.

use std::collections::BTreeSet;

use guildhall_domain::{
    Choice, ChoiceId, Decision, Deduct, DomainEvent, EffectAction, EffectTrigger, Fragment,
    FragmentKind, IdemKey, Json, LoreId, ObjectiveKind, Outcome, Requirement, Reward, Rule, Slug,
    Source, UserFragment, UserId, UserLore, unmet,
};
use guildhall_repository::{NewDecision, NewUserLore, StorageError};
use serde::{Deserialize, Serialize};

use crate::cascade::{Cascade, Origin, Step, keyed};
use crate::workflows::{Done, Workflows, once};

/// Which choice of a fragment is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pick {
    /// The choice with this id.
    Id(ChoiceId),
    /// The choice at this place, from 0.
    Index(u32),
}

/// A decision, and where it led.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decided {
    /// The decision.
    pub decision: Decision,
    /// The fragment where the member is now.
    pub next: Fragment,
    /// Whether the member is there for the first time.
    pub first_visit: bool,
}

/// Leads members through the story. What a fragment or a choice brings comes once a member.
#[derive(Clone)]
pub struct Stories {
    workflows: Workflows,
}

impl Stories {
    /// On this ground.
    #[must_use]
    pub const fn new(workflows: Workflows) -> Self {
        Self { workflows }
    }

    /// Puts a member at the start of the story and visits it; who has begun stays where they are,
    /// and the outcome is a replay. `NotFound` without the member or a start; `AccessDenied` names
    /// what is missing.
    pub async fn start(&self, user: UserId) -> Result<Outcome<Done<Fragment>>, StorageError> {
        self.workflows
            .run(user, None, async |mut cascade| {
                let state = cascade.work.story().ensure_state(user, cascade.now).await?;
                let begun = state.value.current_fragment.is_some();
                if begun && let Some(here) = cascade.work.story().current_fragment(user).await? {
                    cascade.replayed = true;
                    return Ok((cascade, here));
                }
                let start = cascade.work.narrative().start().await?;
                let start = start.ok_or_else(|| StorageError::not_found("fragment", "start"))?;
                cascade.enter(&start).await?;
                Ok((cascade, start))
            })
            .await
    }

    /// Moves a member to a fragment and counts the visit; a replay unless it is the first one.
    /// `NotFound` without the member or the fragment; `AccessDenied` names what is missing.
    pub async fn visit(
        &self,
        user: UserId,
        fragment: &Slug,
    ) -> Result<Outcome<Done<UserFragment>>, StorageError> {
        self.workflows
            .run(user, None, async |mut cascade| {
                let fragment = cascade.fragment(fragment).await?;
                let visited = cascade.enter(&fragment).await?;
                cascade.replayed = visited.replayed;
                Ok((cascade, visited.value))
            })
            .await
    }

    /// Completes a fragment, and visits it if that was not done; a replay when it was completed
    /// before. Errors as [`Self::visit`].
    pub async fn complete(
        &self,
        user: UserId,
        fragment: &Slug,
    ) -> Result<Outcome<Done<UserFragment>>, StorageError> {
        self.workflows
            .run(user, None, async |mut cascade| {
                let fragment = cascade.fragment(fragment).await?;
                let story = cascade.work.story();
                let known = story.user_fragment(user, &fragment.id).await?;
                if known.is_none() {
                    cascade.enter(&fragment).await?;
                } else if known.is_some_and(|it| it.completed_at.is_none()) {
                    cascade.admit(&fragment).await?;
                }
                let value = cascade.complete_fragment(&fragment).await?;
                Ok((cascade, value))
            })
            .await
    }

    /// Takes one of the choices of the fragment where the member is: spends its price, remembers
    /// it, gives its reward the first time it is taken, and visits where it leads. The fragment is
    /// completed by it.
    ///
    /// `InvalidState` when the member is at another fragment by now, as with the second of two
    /// clicks, or at one without choices; `NotFound` without the fragment or the choice;
    /// `AccessDenied` names what is missing; `InsufficientBalance` for the price.
    pub async fn decide(
        &self,
        user: UserId,
        fragment: &Slug,
        pick: Pick,
        key: Option<&IdemKey>,
    ) -> Result<Outcome<Done<Decided>>, StorageError> {
        let request = once(key, "make_decision", user, || format!("{fragment} {pick:?}"))?;
        self.workflows
            .run(user, request, async |mut cascade| {
                let value = cascade.decide(fragment, pick).await?;
                Ok((cascade, value))
            })
            .await
    }

    /// Gives a member a piece of lore, once; a replay when they have it. `NotFound` for a piece that
    /// is absent or inactive; `AccessDenied` names what is missing.
    pub async fn unlock_lore(
        &self,
        user: UserId,
        code: &Slug,
        source: &Source,
        context: Option<&Json>,
    ) -> Result<Outcome<Done<UserLore>>, StorageError> {
        self.workflows
            .run(user, None, async |mut cascade| {
                let piece = cascade.work.lore().piece(code).await?;
                let piece = piece.ok_or_else(|| StorageError::not_found("lore", code))?;
                if !cascade.work.lore().has(user, piece.id).await? {
                    cascade.require(&piece.requirements).await?;
                }
                let found = cascade.found(piece.id, source.clone(), context.cloned()).await?;
                cascade.replayed = found.replayed;
                Ok((cascade, found.value))
            })
            .await
    }

    /// Puts pieces of lore together: who has exactly those that a combination needs is given what it
    /// leads to. `NotFound` when no combination needs exactly these; `AccessDenied` for a piece that
    /// the member does not have.
    pub async fn combine_hints(
        &self,
        user: UserId,
        lore: &BTreeSet<LoreId>,
    ) -> Result<Outcome<Done<UserLore>>, StorageError> {
        self.workflows
            .run(user, None, async |mut cascade| {
                let pieces: Vec<_> = lore.iter().copied().collect();
                if pieces.len() > 500 {
                    let rule = Rule::TooLong { max: 500 };
                    return Err(StorageError::invalid("lore", rule));
                }
                let combination = cascade.work.lore().combination_of(lore).await?;
                let combination = combination
                    .ok_or_else(|| StorageError::not_found("combination", "of these pieces"))?;
                let held = cascade.work.lore().held(user, &pieces).await?;
                if let Some(missing) = lore.difference(&held).next() {
                    let requirement = format!("lore {missing}");
                    return Err(StorageError::AccessDenied { requirement });
                }
                let source = Source::parse("hints")?;
                let found = cascade.found(combination.reward, source, None).await?;
                cascade.replayed = found.replayed;
                Ok((cascade, found.value))
            })
            .await
    }
}

impl Cascade {
    async fn fragment(&self, id: &Slug) -> Result<Fragment, StorageError> {
        let found = self.work.narrative().fragment(id).await?;
        found.ok_or_else(|| StorageError::not_found("fragment", id))
    }

    /// Refuses when the member lacks any of these.
    async fn require(&self, requirements: &[Requirement]) -> Result<(), StorageError> {
        if requirements.is_empty() {
            return Ok(());
        }
        let standing = self.work.story().standing(self.user, requirements).await?;
        let missing = unmet(requirements, &standing, self.now);
        if missing.is_empty() {
            return Ok(());
        }
        Err(StorageError::AccessDenied { requirement: Requirement::describe(&missing) })
    }

    async fn admit(&self, fragment: &Fragment) -> Result<(), StorageError> {
        if !fragment.is_active {
            let requirement = format!("fragment {} to be active", fragment.id);
            return Err(StorageError::AccessDenied { requirement });
        }
        self.require(&fragment.requirements).await
    }

    /// Moves the member to a fragment that lets them in. Its effects come with the first visit.
    async fn enter(&mut self, fragment: &Fragment) -> Result<Outcome<UserFragment>, StorageError> {
        self.admit(fragment).await?;
        let story = self.work.story();
        let visited = story.visit(self.user, &fragment.id, self.now).await?;
        story.move_to(self.user, &fragment.id, self.now).await?;
        if !visited.replayed {
            self.tell(visited.events.clone());
            self.effects_of(fragment, EffectTrigger::Visit)?;
        }
        Ok(visited)
    }

    async fn complete_fragment(
        &mut self,
        fragment: &Fragment,
    ) -> Result<UserFragment, StorageError> {
        let story = self.work.story();
        let completed = story.complete(self.user, &fragment.id, self.now).await?;
        if completed.replayed {
            self.replayed = true;
            return Ok(completed.value);
        }
        self.tell(completed.events);
        self.effects_of(fragment, EffectTrigger::Complete)?;
        self.act(ObjectiveKind::Fragment, fragment.id.clone(), 1);
        self.evaluate();
        Ok(completed.value)
    }

    fn effects_of(
        &mut self,
        fragment: &Fragment,
        trigger: EffectTrigger,
    ) -> Result<(), StorageError> {
        let actions: Vec<_> = fragment.effects_on(trigger).map(|(_, it)| &it.action).collect();
        let base = format!("fragment:{}:{}:{trigger}", fragment.id, self.user);
        let rewards = actions.iter().filter_map(|action| match action {
            EffectAction::Reward(reward) => Some(reward),
            EffectAction::MissionAction { .. } => None,
        });
        for (reward, key, _) in keyed(&base, rewards) {
            let origin = Origin::new("fragment", fragment.id.as_str(), &key)?;
            self.push(Step::Grant(reward.clone(), origin));
        }
        for action in actions {
            if let EffectAction::MissionAction { action, amount } = action {
                self.act(ObjectiveKind::Action, action.clone(), u64::from(*amount));
            }
        }
        Ok(())
    }

    async fn decide(&mut self, fragment: &Slug, pick: Pick) -> Result<Decided, StorageError> {
        let here = self.fragment(fragment).await?;
        let state = self.work.story().state_locked(self.user).await?;
        let Some(state) = state.filter(|it| it.current_fragment.as_ref() == Some(fragment)) else {
            return Err(refused(&here, "not where the member is"));
        };
        if here.kind != FragmentKind::Decision {
            return Err(refused(&here, "not a decision"));
        }
        let choice = match pick {
            Pick::Id(id) => here.choice(id),
            Pick::Index(idx) => here.choice_at(idx),
        };
        let Some(choice) = choice.filter(|it| it.is_active) else {
            let key = match pick {
                Pick::Id(id) => id.to_string(),
                Pick::Index(idx) => format!("{fragment}/{idx}"),
            };
            return Err(StorageError::not_found("choice", key));
        };
        self.admit(&here).await?;
        self.require(&choice.requirements).await?;
        let new = NewDecision {
            user: self.user,
            fragment: here.id.clone(),
            choice: choice.id,
            karma_delta: choice.karma_delta,
        };
        let decision = self.work.story().record_decision(&new, state.version, self.now).await?;
        self.pay_for(&here, choice, &decision).await?;
        self.tell([DomainEvent::DecisionMade {
            user: self.user,
            fragment: here.id.clone(),
            choice: choice.id,
        }]);
        if let Some(amount) = choice.reward {
            let key = format!("choice:{}:{}", choice.id, self.user);
            let origin = Origin::new("choice", &choice.id.to_string(), &key)?;
            self.push(Step::Grant(Reward::Points(amount), origin));
        }
        let next = self.fragment(&choice.destination).await?;
        self.complete_fragment(&here).await?;
        self.replayed = false; // A decision is new even where the fragment was completed before.
        let visited = self.enter(&next).await?;
        Ok(Decided { decision, next, first_visit: !visited.replayed })
    }

    /// Every decision costs its price, one that was made before too: the price is for going there.
    async fn pay_for(
        &mut self,
        here: &Fragment,
        choice: &Choice,
        decision: &Decision,
    ) -> Result<(), StorageError> {
        let Some(cost) = choice.cost else { return Ok(()) };
        let key = format!("decision:{}", decision.id);
        let origin = Origin::new("choice", here.id.as_str(), &key)?;
        let deduct = Deduct {
            source_ref: origin.reference,
            idem_key: Some(IdemKey::parse(origin.key.as_str())?),
            ..Deduct::new(self.user, cost, origin.source)
        };
        let spent = self.work.points().deduct(&deduct, self.now).await?;
        self.tell(spent.events);
        Ok(())
    }

    /// A piece of lore by its code, which a reward names.
    pub(crate) async fn find_lore(
        &mut self,
        code: &Slug,
        source: Source,
        context: Option<Json>,
    ) -> Result<(), StorageError> {
        let piece = self.work.lore().piece(code).await?;
        let piece = piece.ok_or_else(|| StorageError::not_found("lore", code))?;
        self.found(piece.id, source, context).await.map(drop)
    }

    async fn found(
        &mut self,
        lore: LoreId,
        source: Source,
        context: Option<Json>,
    ) -> Result<Outcome<UserLore>, StorageError> {
        let new = NewUserLore { user: self.user, lore, source, context };
        let mut found = self.work.lore().unlock(&new, self.now).await?;
        if !found.replayed {
            self.tell(std::mem::take(&mut found.events));
            self.effects.lore.push(found.value.code.clone());
            self.act(ObjectiveKind::Lore, found.value.code.clone(), 1);
            self.evaluate();
        }
        Ok(found)
    }
}

fn refused(fragment: &Fragment, state: &str) -> StorageError {
    StorageError::InvalidState {
        entity: "fragment",
        key: fragment.id.to_string(),
        state: state.to_owned(),
        attempted: "decide there",
    }
}
