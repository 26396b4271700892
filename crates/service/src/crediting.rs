//! Crediting members: every way to earn points, and the plain ways to spend and send them.

use std::sync::Arc;

use guildhall_domain::{
    Award, BasisPoints, CheckIn, Clock, CounterBump, Deduct, EarningRules, EntryReference, Outcome,
    Participation, PointEntry, Random, Timestamp, Transfer, TransferPair, UserId,
};
use guildhall_repository::{
    LentUnit, PointRepository, RetryPolicy, Storage, StorageError, UnitOfWork,
};

use crate::multiplier::{EventMultiplier, NoEvents, of_role, product};
use crate::outbox::Outbox;
use crate::units::Units;

/// What credits are worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreditingRules {
    /// What each way to earn pays, and whose midnight begins a day.
    pub earning: EarningRules,
    /// What VIPs and administrators earn, of what others earn: times one by default.
    pub vip_multiplier: BasisPoints,
    /// No product of multipliers is greater: times ten by default.
    pub max_multiplier: BasisPoints,
}

impl Default for CreditingRules {
    fn default() -> Self {
        let ten = BasisPoints::new(100_000).unwrap_or(BasisPoints::ONE);
        Self {
            earning: EarningRules::default(),
            vip_multiplier: BasisPoints::ONE,
            max_multiplier: ten,
        }
    }
}

/// Credits members. A credit is multiplied by what events and the member's role say at that
/// instant, and raises the level when one is reached: the events of the outcome say so. What a level
/// unlocks is given by the workflows, such as [`Activities`](crate::Activities), for levels that are
/// reached in them; who credits by itself gives it upon [`DomainEvent::LevelUp`].
///
/// [`DomainEvent::LevelUp`]: guildhall_domain::DomainEvent::LevelUp
///
/// Where nothing can multiply, a credit is the one call of the repository; otherwise a unit of work
/// reads the factors and credits, and is tried again as a whole while other writers win.
///
/// It adds no errors of its own: every refusal is a [`StorageError`] whose kind says what to do.
#[derive(Clone)]
pub struct Crediting {
    pub(crate) units: Units,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) rules: Arc<CreditingRules>,
    pub(crate) events: Arc<dyn EventMultiplier>,
    pub(crate) lanes: usize,
    pub(crate) outbox: Outbox,
}

impl Crediting {
    /// On this storage, without events. `random` spreads the waits between attempts.
    #[must_use]
    pub fn new(
        storage: Arc<dyn Storage>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        rules: CreditingRules,
    ) -> Self {
        let (rules, events) = (Arc::new(rules), Arc::new(NoEvents));
        Self {
            units: Units::new(storage, random),
            clock,
            rules,
            events,
            lanes: 2,
            outbox: Outbox::off(),
        }
    }

    /// With events that multiply credits.
    #[must_use]
    pub fn events(mut self, events: Arc<dyn EventMultiplier>) -> Self {
        self.events = events;
        self
    }

    /// With another number of attempts, or other waits between them.
    #[must_use]
    pub const fn retry(mut self, policy: RetryPolicy) -> Self {
        self.units.retry = policy;
        self
    }

    /// With events written to the outbox, or not.
    #[must_use]
    pub fn outbox(mut self, outbox: Outbox) -> Self {
        self.outbox = outbox;
        self
    }

    /// With another number of transactions that [`Self::award_all`] has under way at a time: 2 by
    /// default, at least 1. Each takes a connection. More help a server with more cores.
    #[must_use]
    pub fn bulk_lanes(mut self, lanes: usize) -> Self {
        self.lanes = lanes.max(1);
        self
    }

    /// What credits are worth.
    #[must_use]
    pub fn rules(&self) -> &CreditingRules {
        &self.rules
    }

    /// Gives points. Its own multiplier, events and role are multiplied and held to the maximum.
    ///
    /// A repeated once-only key is a replay even if an event ended or a standing changed meanwhile:
    /// the first credit decided the multiplier.
    pub async fn award(&self, award: &Award) -> Result<Outcome<PointEntry>, StorageError> {
        let now = self.clock.now();
        if self.is_plain() {
            let plain = product([award.multiplier, BasisPoints::ONE, BasisPoints::ONE], self.max());
            return credit(self.units.storage.points(), award, plain, now).await;
        }
        self.run(now, async |work| self.award_in(&*work, award, now).await).await
    }

    /// [`Self::award`] as a part of a larger unit.
    pub async fn award_in(
        &self,
        work: &dyn UnitOfWork,
        award: &Award,
        now: Timestamp,
    ) -> Result<Outcome<PointEntry>, StorageError> {
        let multiplier = self.multiplier_in(work, award.user, award.multiplier, now).await?;
        credit(work.points(), award, multiplier, now).await
    }

    /// Takes points. `InsufficientBalance` when fewer are available.
    pub async fn deduct(&self, deduct: &Deduct) -> Result<Outcome<PointEntry>, StorageError> {
        let now = self.clock.now();
        if !self.outbox.is_on() {
            return self.units.storage.points().deduct(deduct, now).await;
        }
        self.run(now, async |work| work.points().deduct(deduct, now).await).await
    }

    /// Sends points from one member to another. Nothing multiplies them.
    pub async fn transfer(
        &self,
        transfer: &Transfer,
    ) -> Result<Outcome<TransferPair>, StorageError> {
        let now = self.clock.now();
        if !self.outbox.is_on() {
            return self.units.storage.points().transfer(transfer, now).await;
        }
        self.run(now, async |work| work.points().transfer(transfer, now).await).await
    }

    /// Counts a message and pays for it, unless one was paid for a moment ago: then `None`.
    pub async fn record_message(
        &self,
        user: UserId,
    ) -> Result<Outcome<Option<PointEntry>>, StorageError> {
        let (now, rules) = (self.clock.now(), &self.rules.earning);
        if self.is_plain() {
            let points = self.units.storage.points();
            return points.record_message(user, rules, BasisPoints::ONE, now).await;
        }
        self.run(now, async |work| self.record_message_in(&*work, user, now).await).await
    }

    /// [`Self::record_message`] as a part of a larger unit.
    pub async fn record_message_in(
        &self,
        work: &dyn UnitOfWork,
        user: UserId,
        now: Timestamp,
    ) -> Result<Outcome<Option<PointEntry>>, StorageError> {
        let rate = self.multiplier_in(work, user, BasisPoints::ONE, now).await?;
        work.points().record_message(user, &self.rules.earning, rate, now).await
    }

    /// Pays for taking part in something, once a member, kind and thing.
    pub async fn participate(
        &self,
        user: UserId,
        kind: Participation,
        reference: &EntryReference,
    ) -> Result<Outcome<PointEntry>, StorageError> {
        let (now, rules) = (self.clock.now(), &self.rules.earning);
        if self.is_plain() {
            let points = self.units.storage.points();
            return points
                .award_participation(user, kind, reference, rules, BasisPoints::ONE, now)
                .await;
        }
        let what = (user, kind, reference);
        self.run(now, async |work| self.participate_in(&*work, what, now).await).await
    }

    /// [`Self::participate`] as a part of a larger unit.
    pub async fn participate_in(
        &self,
        work: &dyn UnitOfWork,
        (user, kind, reference): (UserId, Participation, &EntryReference),
        now: Timestamp,
    ) -> Result<Outcome<PointEntry>, StorageError> {
        let rate = self.multiplier_in(work, user, BasisPoints::ONE, now).await?;
        let rules = &self.rules.earning;
        work.points().award_participation(user, kind, reference, rules, rate, now).await
    }

    /// Checks in for the community day: pays, with the bonus on every seventh day of a streak, and
    /// counts the check-in. `LimitExceeded` with the start of the next day when done already.
    pub async fn check_in(&self, user: UserId) -> Result<Outcome<CheckIn>, StorageError> {
        let now = self.clock.now();
        self.run(now, async |work| self.check_in_in(&*work, user, now).await).await
    }

    /// [`Self::check_in`] as a part of a larger unit.
    pub async fn check_in_in(
        &self,
        work: &dyn UnitOfWork,
        user: UserId,
        now: Timestamp,
    ) -> Result<Outcome<CheckIn>, StorageError> {
        let rate = self.multiplier_in(work, user, BasisPoints::ONE, now).await?;
        let outcome = work.points().check_in(user, &self.rules.earning, rate, now).await?;
        work.activity().bump_counters(user, &[CounterBump::builtin("checkins", 1)?], now).await?;
        Ok(outcome)
    }

    /// Claims the daily gift. `LimitExceeded` with the time of the next one within the cooldown.
    pub async fn claim_daily_gift(
        &self,
        user: UserId,
    ) -> Result<Outcome<PointEntry>, StorageError> {
        let (rules, now) = (&self.rules.earning, self.clock.now());
        if !self.outbox.is_on() {
            return self.units.storage.points().claim_daily_gift(user, rules, now).await;
        }
        self.run(now, async |work| work.points().claim_daily_gift(user, rules, now).await).await
    }

    /// Runs a workflow in a unit, which writes its events to the outbox.
    pub(crate) async fn run<T, F>(
        &self,
        now: Timestamp,
        body: impl Fn(LentUnit) -> F + Send + Sync,
    ) -> Result<Outcome<T>, StorageError>
    where
        F: Future<Output = Result<Outcome<T>, StorageError>> + Send,
        T: Send,
    {
        self.units.run_telling(&self.outbox, now, body).await
    }

    /// Whether a credit needs no unit: nothing but its own rate can multiply it, and nobody is to be
    /// told of it.
    pub(crate) fn is_plain(&self) -> bool {
        let multiplied = self.rules.vip_multiplier != BasisPoints::ONE || self.events.may_apply();
        !multiplied && !self.outbox.is_on()
    }

    pub(crate) fn max(&self) -> BasisPoints {
        self.rules.max_multiplier
    }

    async fn multiplier_in(
        &self,
        work: &dyn UnitOfWork,
        user: UserId,
        own: BasisPoints,
        now: Timestamp,
    ) -> Result<BasisPoints, StorageError> {
        let events = if self.events.may_apply() {
            self.events.product(work, user, now).await?
        } else {
            BasisPoints::ONE
        };
        let vip = self.rules.vip_multiplier;
        let role = if vip == BasisPoints::ONE {
            BasisPoints::ONE
        } else {
            // Who is absent is refused by the credit itself.
            let member = work.users().by_id(user).await?;
            member.map_or(BasisPoints::ONE, |member| of_role(member.role(now), vip))
        };
        Ok(product([own, events, role], self.max()))
    }
}

/// Credits at `multiplier`; if the once-only key was used at another one, at that one, so that the
/// rest of the request decides between replay and conflict.
async fn credit(
    points: &dyn PointRepository,
    award: &Award,
    multiplier: BasisPoints,
    now: Timestamp,
) -> Result<Outcome<PointEntry>, StorageError> {
    let mut award = Award { multiplier, ..award.clone() };
    let outcome = points.award(&award, now).await;
    let (Err(StorageError::Conflict { .. }), Some(key)) = (&outcome, &award.idem_key) else {
        return outcome;
    };
    let first = points.entry_by_key(key).await?.map(|entry| entry.multiplier);
    match first.map(|rate| rate.unwrap_or(BasisPoints::ONE)) {
        Some(rate) if rate != multiplier => {
            award.multiplier = rate;
            points.award(&award, now).await
        }
        _ => outcome,
    }
}

#[cfg(test)]
#[path = "crediting_tests.rs"]
mod tests;
