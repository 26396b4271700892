//! Registering members.

use std::sync::Arc;

use guildhall_domain::{
    Clock, DomainEvent, NewExternal, NewUser, Outcome, Random, Timestamp, User,
};
use guildhall_repository::{LentUnit, RetryPolicy, Storage, StorageError, UnitOfWork};

use crate::outbox::Outbox;
use crate::units::Units;

/// Registers members, each with a point account and statistics, all or nothing.
///
/// It adds no errors of its own: every refusal is a [`StorageError`] whose kind says what to do.
#[derive(Clone)]
pub struct Registration {
    units: Units,
    clock: Arc<dyn Clock>,
    outbox: Outbox,
}

impl Registration {
    /// On this storage. `random` spreads the waits between attempts.
    #[must_use]
    pub fn new(storage: Arc<dyn Storage>, clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Self {
        Self { units: Units::new(storage, random), clock, outbox: Outbox::off() }
    }

    /// With events written to the outbox, or not.
    #[must_use]
    pub fn outbox(mut self, outbox: Outbox) -> Self {
        self.outbox = outbox;
        self
    }

    /// With another number of attempts, or other waits between them.
    #[must_use]
    pub const fn retry(mut self, policy: RetryPolicy) -> Self {
        self.units.retry = policy;
        self
    }

    /// Registers a member who is certainly new. `AlreadyExists` names the taken username, address,
    /// number or account; `Validation` two accounts of one provider.
    pub async fn register(&self, new: &NewUser) -> Result<Outcome<User>, StorageError> {
        new.check()?;
        let now = self.clock.now();
        let register = async |work: LentUnit| self.register_in(&*work, new, now).await;
        self.units.run_telling(&self.outbox, now, register).await
    }

    /// [`Self::register`] as a part of a larger unit, whose owner
    /// [publishes](Outbox::publish_in) the events.
    pub async fn register_in(
        &self,
        work: &dyn UnitOfWork,
        new: &NewUser,
        now: Timestamp,
    ) -> Result<Outcome<User>, StorageError> {
        let user = work.users().create(new, now).await?;
        let created = DomainEvent::UserCreated { user: user.id };
        Ok(Outcome::new(user, vec![created]))
    }

    /// The member with this account elsewhere, registered with `seed` if there is none: what a bot
    /// calls on every message. Concurrent callers get the same member, one of them with
    /// `UserCreated`. For a member who exists, the seed fills empty fields only, which `UserUpdated`
    /// tells; when there is nothing to fill, nothing is written and no unit is begun.
    pub async fn ensure(
        &self,
        external: &NewExternal,
        seed: &NewUser,
    ) -> Result<Outcome<User>, StorageError> {
        let known =
            self.units.storage.users().by_external(&external.provider, &external.external_id);
        let known = match known.await? {
            Some(user) if !fills(seed, &user) => return Ok(Outcome::replayed(user)),
            known => known.map(|user| user.id),
        };
        let now = self.clock.now();
        let ensure = async |work: LentUnit| {
            // The order of a member's events is that of the lock, which comes before the row.
            if let Some(user) = known.filter(|_| self.outbox.is_on()) {
                match work.points().lock(&[user]).await {
                    // Who was deleted since the look is registered anew, as somebody else.
                    Ok(()) | Err(StorageError::NotFound { .. }) => {}
                    Err(error) => return Err(error),
                }
            }
            let outcome = self.ensure_in(&*work, external, seed, now).await?;
            let is_locked = known == Some(outcome.value.id);
            if self.outbox.is_on() && !outcome.events.is_empty() && !is_locked {
                work.points().lock(&[outcome.value.id]).await?;
            }
            Ok(outcome)
        };
        self.units.run_telling(&self.outbox, now, ensure).await
    }

    /// [`Self::ensure`] as a part of a larger unit, whose owner [publishes](Outbox::publish_in)
    /// the events.
    pub async fn ensure_in(
        &self,
        work: &dyn UnitOfWork,
        external: &NewExternal,
        seed: &NewUser,
        now: Timestamp,
    ) -> Result<Outcome<User>, StorageError> {
        let mut outcome = work.users().ensure(external, seed, now).await?;
        let created = DomainEvent::UserCreated { user: outcome.value.id };
        if !outcome.replayed && !outcome.events.contains(&created) {
            outcome.events.insert(0, created);
        }
        Ok(outcome)
    }
}

/// Whether the seed knows something that the member's row does not.
fn fills(seed: &NewUser, user: &User) -> bool {
    seed.username.is_some() && user.username.is_none()
        || seed.first_name.is_some() && user.first_name.is_none()
        || seed.last_name.is_some() && user.last_name.is_none()
        || seed.display_name.is_some() && user.display_name.is_none()
        || seed.bio.is_some() && user.bio.is_none()
        || seed.avatar_url.is_some() && user.avatar_url.is_none()
        || seed.email.is_some() && user.email.is_none()
        || seed.phone.is_some() && user.phone.is_none()
}

#[cfg(test)]
mod tests {
    use guildhall_domain::Username;
    use guildhall_repository::{MockStorage, MockUnitOfWork};

    use super::*;
    use crate::testing::{FixedClock, Seven, user};

    fn registration(mocks: MockUnitOfWork) -> Registration {
        let storage = Arc::new(MockStorage::new(mocks));
        Registration::new(storage, Arc::new(FixedClock), Arc::new(Seven))
    }

    fn named(name: &str) -> NewUser {
        NewUser { username: Some(Username::parse(name).unwrap()), ..NewUser::default() }
    }

    #[tokio::test]
    async fn registering_tells_of_it_once() {
        let mut mocks = MockUnitOfWork::default();
        mocks.users.expect_create().once().returning(|_, _| Ok(user(7)));
        let outcome = registration(mocks).register(&named("ada")).await.unwrap();
        assert_eq!(outcome.events, [DomainEvent::UserCreated { user: outcome.value.id }]);
        assert!(!outcome.replayed);
    }

    #[tokio::test]
    async fn a_taken_name_is_refused_without_another_attempt() {
        let mut mocks = MockUnitOfWork::default();
        let taken = || StorageError::already_exists("username", "ada");
        mocks.users.expect_create().once().returning(move |_, _| Err(taken()));
        let error = registration(mocks).register(&named("ada")).await.unwrap_err();
        assert!(matches!(error, StorageError::AlreadyExists { .. }), "{error:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn contention_is_tried_three_times_and_no_more() {
        let mut mocks = MockUnitOfWork::default();
        mocks.users.expect_create().times(3).returning(|_, _| Err(StorageError::Contention));
        let error = registration(mocks).register(&named("ada")).await.unwrap_err();
        assert!(matches!(error, StorageError::Contention), "{error:?}");
    }

    #[tokio::test]
    async fn a_failing_commit_is_the_outcome() {
        let lost = StorageError::Unavailable { resource: "PostgreSQL", source: None };
        let mut mocks = MockUnitOfWork { commit_error: Some(lost), ..MockUnitOfWork::default() };
        mocks.users.expect_create().once().returning(|_, _| Ok(user(7)));
        let error = registration(mocks).register(&named("ada")).await.unwrap_err();
        assert!(!error.nothing_was_written());
    }

    #[tokio::test]
    async fn a_known_member_with_nothing_to_fill_costs_one_read() {
        let mut mocks = MockUnitOfWork::default();
        mocks.users.expect_by_external().once().returning(|_, _| Ok(Some(user(7))));
        let external = NewExternal::telegram(700_000_001);
        let outcome = registration(mocks).ensure(&external, &NewUser::default()).await.unwrap();
        assert!(outcome.replayed && outcome.events.is_empty());
    }

    #[tokio::test]
    async fn an_unknown_member_is_made_and_told_of() {
        let mut mocks = MockUnitOfWork::default();
        mocks.users.expect_by_external().once().returning(|_, _| Ok(None));
        mocks.users.expect_ensure().once().returning(|_, _, _| Ok(Outcome::new(user(7), vec![])));
        let external = NewExternal::telegram(700_000_001);
        let outcome = registration(mocks).ensure(&external, &named("ada")).await.unwrap();
        assert_eq!(outcome.events.len(), 1);
    }

    #[tokio::test]
    async fn a_seed_that_knows_more_reaches_the_storage() {
        let mut mocks = MockUnitOfWork::default();
        mocks.users.expect_by_external().once().returning(|_, _| Ok(Some(user(7))));
        mocks.users.expect_ensure().once().returning(|_, _, _| Ok(Outcome::replayed(user(7))));
        let external = NewExternal::telegram(700_000_001);
        let outcome = registration(mocks).ensure(&external, &named("ada")).await.unwrap();
        assert!(outcome.replayed && outcome.events.is_empty());
    }

    #[tokio::test]
    async fn what_cannot_be_told_did_not_happen() {
        let mut mocks =
            MockUnitOfWork { commit_error: Some(StorageError::Contention), ..Default::default() };
        mocks.users.expect_create().once().returning(|_, _| Ok(user(7)));
        let full = || StorageError::Unavailable { resource: "PostgreSQL", source: None };
        mocks.outbox.expect_append().once().returning(move |_, _, _| Err(full()));
        // Committed, it would be tried again: so it is rolled back, with the outbox's error.
        let registration = registration(mocks).outbox(Outbox::on());
        let error = registration.register(&named("ada")).await.unwrap_err();
        assert!(matches!(error, StorageError::Unavailable { .. }), "{error:?}");
    }
}
