//! Achievements: unlocked by hand or by rule, each once, with the points they pay.

use guildhall_domain::{
    Amount, BadgeAward, BadgeId, Description, DomainEvent, Json, Outcome, Slug, Source, Unlock,
    UserAchievement, UserBadge, UserId,
};
use guildhall_repository::{Earned, StorageError};

use crate::cascade::{Cascade, Origin};
use crate::workflows::{Done, Workflows};

/// Unlocks achievements.
#[derive(Clone)]
pub struct Achievements {
    workflows: Workflows,
}

impl Achievements {
    /// On this ground.
    #[must_use]
    pub const fn new(workflows: Workflows) -> Self {
        Self { workflows }
    }

    /// Gives a member an achievement, whatever its criteria say, and pays what it pays. Who has it
    /// keeps the first row, and the outcome is a replay. `NotFound` without the member or an active
    /// achievement.
    pub async fn unlock(
        &self,
        user: UserId,
        achievement: &Slug,
        source: &Source,
        context: Option<&Json>,
    ) -> Result<Outcome<Done<UserAchievement>>, StorageError> {
        self.workflows
            .run(user, None, async |mut cascade| {
                let unlocked =
                    cascade.unlock(achievement, source.clone(), context.cloned()).await?;
                cascade.replayed = unlocked.replayed;
                Ok((cascade, unlocked.value))
            })
            .await
    }

    /// Reads what rules look at, and gives every achievement and badge that the member has earned by
    /// it and does not have; again, as long as what they pay earns more. A replay when there was
    /// nothing to give. `NotFound` without the member.
    pub async fn evaluate(&self, user: UserId) -> Result<Outcome<Done<()>>, StorageError> {
        let mut outcome = self
            .workflows
            .run(user, None, async |mut cascade| {
                cascade.evaluate();
                Ok((cascade, ()))
            })
            .await?;
        outcome.replayed = outcome.events.is_empty();
        Ok(outcome)
    }
}

/// Gives and takes badges.
#[derive(Clone)]
pub struct Badges {
    workflows: Workflows,
}

impl Badges {
    /// On this ground.
    #[must_use]
    pub const fn new(workflows: Workflows) -> Self {
        Self { workflows }
    }

    /// Gives a member a badge, and with it the VIP standing it brings. Who has it keeps the first
    /// one, with no second grant, and the outcome is a replay.
    ///
    /// `AccessDenied` when the badge has a rule that the member does not fulfil, unless `force`d;
    /// `InvalidState` for an inactive badge; `NotFound` without the member or the badge.
    pub async fn award(
        &self,
        user: UserId,
        badge: BadgeId,
        actor: Option<UserId>,
        force: bool,
    ) -> Result<Outcome<Done<UserBadge>>, StorageError> {
        self.workflows
            .run(user, None, async |mut cascade| {
                if !force {
                    cascade.deserves(badge).await?;
                }
                let source = Source::parse("admin")?;
                let given = cascade.give_badge(badge, actor, source, None).await?;
                cascade.replayed = given.replayed;
                Ok((cascade, given.value))
            })
            .await
    }

    /// Takes a badge from a member, and with it the VIP standing it brought: `false`, and a replay,
    /// when the member has none. `InvalidState` for a badge that cannot be taken back.
    pub async fn revoke(
        &self,
        user: UserId,
        badge: BadgeId,
        actor: Option<UserId>,
        reason: Option<&Description>,
    ) -> Result<Outcome<Done<bool>>, StorageError> {
        self.workflows
            .run(user, None, async |mut cascade| {
                let badges = cascade.work.badges();
                let taken = badges.take(user, badge, actor, reason.cloned(), cascade.now).await?;
                cascade.replayed = !taken.value;
                cascade.tell(taken.events);
                Ok((cascade, taken.value))
            })
            .await
    }
}

impl Cascade {
    /// Gives an achievement and pays for it, once.
    pub(crate) async fn unlock(
        &mut self,
        achievement: &Slug,
        source: Source,
        context: Option<Json>,
    ) -> Result<Outcome<UserAchievement>, StorageError> {
        let found = self.work.achievements().by_id(achievement).await?;
        let found = found.ok_or_else(|| StorageError::not_found("achievement", achievement))?;
        let unlock = Unlock {
            user: self.user,
            achievement: achievement.clone(),
            source,
            points: found.reward_points,
            context,
        };
        self.unlocked(unlock).await
    }

    async fn unlocked(&mut self, unlock: Unlock) -> Result<Outcome<UserAchievement>, StorageError> {
        let mut outcome = self.work.user_achievements().unlock(&unlock, self.now).await?;
        if outcome.replayed {
            return Ok(outcome);
        }
        self.tell(std::mem::take(&mut outcome.events));
        self.effects.achievements.push(unlock.achievement.clone());
        // No rule looks at achievements: only what one pays may earn more.
        if let Ok(amount) = Amount::from_minor(unlock.points.minor()) {
            let id = unlock.achievement.as_str();
            let key = format!("ach:{id}:{}", self.user);
            self.credit(amount, &Origin::new("achievement", id, &key)?).await?;
        }
        Ok(outcome)
    }

    pub(crate) async fn give_badge(
        &mut self,
        badge: BadgeId,
        by: Option<UserId>,
        source: Source,
        reason: Option<Description>,
    ) -> Result<Outcome<UserBadge>, StorageError> {
        let award = BadgeAward { user: self.user, badge, by, source, reason };
        let mut outcome = self.work.badges().give(&award, self.now).await?;
        if !outcome.replayed {
            self.effects.badges.push(badge);
            if outcome.events.iter().any(|it| matches!(it, DomainEvent::VipGranted { .. })) {
                self.evaluate();
            }
            self.tell(std::mem::take(&mut outcome.events));
        }
        Ok(outcome)
    }

    /// Refuses a badge whose rule the member does not fulfil.
    async fn deserves(&self, badge: BadgeId) -> Result<(), StorageError> {
        let found = self.work.badges().by_id(badge).await?;
        let found = found.ok_or_else(|| StorageError::not_found("badge", badge))?;
        let Some(rule) = &found.rule else { return Ok(()) };
        if self.work.badges().has(self.user, badge).await? {
            return Ok(());
        }
        let metrics = self.work.user_achievements().metrics(self.user, self.now).await?;
        match rule.holds(&metrics) {
            true => Ok(()),
            false => {
                let requirement = format!("{} of at least {}", rule.metric, rule.threshold);
                Err(StorageError::AccessDenied { requirement })
            }
        }
    }

    /// Gives everything that the member has earned by now. What makes a VIP has rules looked at
    /// again, and so does what pays, if a rule that is left looks at points.
    pub(crate) async fn evaluate_rules(&mut self) -> Result<(), StorageError> {
        let Earned { achievements, badges, points_may_earn_more } =
            self.work.user_achievements().earned(self.user, self.now).await?;
        let again = achievements.len().max(badges.len()) >= Earned::COUNT_MAX; // There may be more.
        self.evaluates_again(again);
        for achievement in achievements {
            let unlock = Unlock {
                user: self.user,
                achievement: achievement.id,
                source: Source::parse("rule")?,
                points: achievement.reward_points,
                context: None,
            };
            self.unlocked(unlock).await?;
        }
        if !points_may_earn_more {
            self.evaluates_again(again); // Whatever they paid, no rule would give more for it.
        }
        for badge in badges {
            self.give_badge(badge.id, None, Source::parse("rule")?, None).await?;
        }
        Ok(())
    }
}
