//! Registering members.

use std::sync::Arc;

use guildhall_domain::{
    Clock, DomainEvent, NewExternal, NewUser, Outcome, Random, Timestamp, User,
};
use guildhall_repository::{
    RetryPolicy, Storage, StorageError, UnitOfWork, conclude, retry_contention,
};

/// Registers members, each with a point account and statistics, all or nothing.
///
/// It adds no errors of its own: every refusal is a [`StorageError`] whose kind says what to do.
#[derive(Clone)]
pub struct Registration {
    storage: Arc<dyn Storage>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    retry: RetryPolicy,
}

impl Registration {
    /// On this storage. `random` spreads the waits between attempts.
    #[must_use]
    pub fn new(storage: Arc<dyn Storage>, clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Self {
        Self { storage, clock, random, retry: RetryPolicy::default() }
    }

    /// With another number of attempts, or other waits between them.
    #[must_use]
    pub const fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = policy;
        self
    }

    /// Registers a member who is certainly new. `AlreadyExists` names the taken username, address,
    /// number or account; `Validation` two accounts of one provider.
    pub async fn register(&self, new: &NewUser) -> Result<Outcome<User>, StorageError> {
        new.check()?;
        let now = self.clock.now();
        retry_contention(self.retry, &*self.random, || async move {
            let work = self.storage.begin().await?;
            let outcome = self.register_in(&*work, new, now).await;
            conclude(work, outcome).await
        })
        .await
    }

    /// [`Self::register`] as a part of a larger unit.
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
    /// `UserCreated`. For a member who exists, the seed fills empty fields only; when there is
    /// nothing to fill, nothing is written and no unit is begun.
    pub async fn ensure(
        &self,
        external: &NewExternal,
        seed: &NewUser,
    ) -> Result<Outcome<User>, StorageError> {
        let known = self.storage.users().by_external(&external.provider, &external.external_id);
        if let Some(user) = known.await?.filter(|user| !fills(seed, user)) {
            return Ok(Outcome::replayed(user));
        }
        let now = self.clock.now();
        retry_contention(self.retry, &*self.random, || async move {
            let work = self.storage.begin().await?;
            let outcome = self.ensure_in(&*work, external, seed, now).await;
            conclude(work, outcome).await
        })
        .await
    }

    /// [`Self::ensure`] as a part of a larger unit.
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
}
