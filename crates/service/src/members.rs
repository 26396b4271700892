//! Members who change, and members who leave.

use guildhall_domain::{DomainEvent, Outcome, Patch, Timestamp, User, UserId, UserPatch};
use guildhall_repository::{ErrorKind, StorageError, UnitOfWork};

use crate::Crediting;

/// Changes members, and lets them leave. Whoever wants to hear of it does, by the outbox.
#[derive(Clone)]
pub struct Members {
    crediting: Crediting,
}

impl Members {
    /// With the storage, clock and outbox of `crediting`.
    #[must_use]
    pub const fn new(crediting: Crediting) -> Self {
        Self { crediting }
    }

    /// Changes a member. An empty patch changes nothing: a replay that gives the stored row. With
    /// `takeover` a username that a platform proved is first taken from its old holder, whose row
    /// changes too. `NotFound` also for deleted members, `Conflict` when the version has moved,
    /// `AlreadyExists` for what is taken.
    pub async fn update(
        &self,
        user: UserId,
        patch: &UserPatch,
        expected_version: i64,
        takeover: bool,
    ) -> Result<Outcome<User>, StorageError> {
        let now = self.crediting.clock.now();
        self.crediting
            .run(now, async |work| {
                self.update_in(&*work, user, patch, expected_version, takeover, now).await
            })
            .await
    }

    /// [`Self::update`] as a part of a larger unit, whose owner
    /// [publishes](crate::Outbox::publish_in) the events. `Contention` when the username changes
    /// hands at this very moment.
    pub async fn update_in(
        &self,
        work: &dyn UnitOfWork,
        user: UserId,
        patch: &UserPatch,
        expected_version: i64,
        takeover: bool,
        now: Timestamp,
    ) -> Result<Outcome<User>, StorageError> {
        let users = work.users();
        if patch.is_empty() {
            let stored = users.update(user, patch, expected_version, false, now).await?;
            return Ok(Outcome::replayed(stored));
        }
        let holder = match &patch.username {
            Patch::Set(name) if takeover => users.by_username(name).await?,
            _ => None,
        };
        let holder = holder.filter(|holder| holder.id != user);
        let members: Vec<UserId> = holder.iter().map(|it| it.id).chain([user]).collect();
        work.points().lock(&members).await.map_err(|error| match error {
            // The holder left since the look, and the name is free.
            StorageError::NotFound { key, .. } if key != user.to_string() => {
                StorageError::Contention
            }
            error => error,
        })?;
        let mut events = Vec::new();
        if let Some(holder) = holder {
            let vacate = UserPatch { username: Patch::Clear, ..UserPatch::default() };
            let vacated = users.update(holder.id, &vacate, holder.version, false, now).await;
            vacated.map_err(|error| match error.kind() {
                ErrorKind::Conflict => StorageError::Contention,
                _ => error,
            })?;
            events.push(DomainEvent::UserUpdated { user: holder.id });
        }
        let updated = users.update(user, patch, expected_version, false, now).await;
        let updated = updated.map_err(|error| match error {
            // Somebody took it since the look: it has a holder again.
            StorageError::AlreadyExists { entity: "username", .. } if takeover => {
                StorageError::Contention
            }
            error => error,
        })?;
        events.push(DomainEvent::UserUpdated { user });
        Ok(Outcome::new(updated, events))
    }

    /// Makes or unmakes an administrator; a replay when the member was, or was not, one already.
    /// `NotFound` for who does not exist.
    pub async fn set_admin(
        &self,
        user: UserId,
        is_admin: bool,
    ) -> Result<Outcome<User>, StorageError> {
        let now = self.crediting.clock.now();
        self.crediting
            .run(now, async |work| self.set_admin_in(&*work, user, is_admin, now).await)
            .await
    }

    /// [`Self::set_admin`] as a part of a larger unit, whose owner
    /// [publishes](crate::Outbox::publish_in) the events.
    pub async fn set_admin_in(
        &self,
        work: &dyn UnitOfWork,
        user: UserId,
        is_admin: bool,
        now: Timestamp,
    ) -> Result<Outcome<User>, StorageError> {
        work.points().lock(&[user]).await?;
        let before = work.users().by_id(user).await?.map(|before| before.version);
        let after = work.users().set_admin(user, is_admin, now).await?;
        if before == Some(after.version) {
            return Ok(Outcome::replayed(after));
        }
        Ok(Outcome::new(after, vec![DomainEvent::UserUpdated { user }]))
    }

    /// Deletes a member: empties what is personal, frees accounts elsewhere, hides the member
    /// everywhere. The ledger stays, and so does what others were told. `false`, and a replay, when
    /// there was nothing to delete; `InvalidState` while holds are active.
    pub async fn delete(&self, user: UserId) -> Result<Outcome<bool>, StorageError> {
        let now = self.crediting.clock.now();
        self.crediting
            .run(now, async |work| {
                match work.points().lock(&[user]).await {
                    // Absent or deleted: then there is nothing to keep others from.
                    Ok(()) | Err(StorageError::NotFound { .. }) => {}
                    Err(error) => return Err(error),
                }
                if !work.users().delete(user, now).await? {
                    return Ok(Outcome::replayed(false));
                }
                Ok(Outcome::new(true, vec![DomainEvent::UserDeleted { user }]))
            })
            .await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use guildhall_domain::Username;
    use guildhall_repository::{MockStorage, MockUnitOfWork};

    use super::*;
    use crate::CreditingRules;
    use crate::testing::{FixedClock, Seven, user};

    const ATTEMPTS: usize = 3;

    fn members(mocks: MockUnitOfWork) -> Members {
        let storage = Arc::new(MockStorage::new(mocks));
        let (clock, random) = (Arc::new(FixedClock), Arc::new(Seven));
        Members::new(Crediting::new(storage, clock, random, CreditingRules::default()))
    }

    /// What becomes of a name that member 7 takes from member 3, when the calls answer this.
    async fn taken_over(
        lock: impl Fn() -> Result<(), StorageError> + Send + Sync + 'static,
        update: impl Fn(UserId) -> Result<User, StorageError> + Send + Sync + 'static,
        locks: usize,
    ) -> Result<Outcome<User>, StorageError> {
        let mut mocks = MockUnitOfWork::default();
        mocks.users.expect_by_username().returning(|_| Ok(Some(user(3))));
        mocks.points.expect_lock().times(locks).returning(move |members| {
            assert_eq!(members, [UserId(3), UserId(7)]);
            lock()
        });
        mocks.users.expect_update().returning(move |id, _, version, takeover, _| {
            assert!(version == 1 && !takeover, "the holder is known");
            update(id)
        });
        let username = Patch::Set(Username::parse("crown").unwrap());
        let patch = UserPatch { username, ..UserPatch::default() };
        members(mocks).update(UserId(7), &patch, 1, true).await
    }

    #[tokio::test]
    async fn both_members_of_a_takeover_are_told_of_and_the_holder_first() {
        let taken = taken_over(|| Ok(()), |id| Ok(user(id.0)), 1).await.unwrap();
        let told = |id| DomainEvent::UserUpdated { user: UserId(id) };
        assert_eq!((taken.value.id, taken.events), (UserId(7), vec![told(3), told(7)]));
    }

    #[tokio::test(start_paused = true)]
    async fn who_loses_a_race_for_a_name_tries_again_and_not_for_ever() {
        let left = || Err(StorageError::not_found("user", 3));
        let lost = taken_over(left, |id| Ok(user(id.0)), ATTEMPTS).await.unwrap_err();
        assert_eq!(lost.kind(), ErrorKind::Contention);
        let changed = |id: UserId| match id.0 {
            3 => Err(StorageError::conflict("user", 3, 1, 2)),
            _ => Ok(user(id.0)),
        };
        let lost = taken_over(|| Ok(()), changed, ATTEMPTS).await.unwrap_err();
        assert_eq!(lost.kind(), ErrorKind::Contention);
        let taken = |id: UserId| match id.0 {
            7 => Err(StorageError::already_exists("username", "crown")),
            _ => Ok(user(id.0)),
        };
        let lost = taken_over(|| Ok(()), taken, ATTEMPTS).await.unwrap_err();
        assert_eq!(lost.kind(), ErrorKind::Contention);
    }

    #[tokio::test]
    async fn a_refusal_of_the_member_itself_is_not_tried_again() {
        let absent = || Err(StorageError::not_found("user", 7));
        let refused = taken_over(absent, |id| Ok(user(id.0)), 1).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::NotFound);
        let stale = |id: UserId| match id.0 {
            7 => Err(StorageError::conflict("user", 7, 1, 2)),
            _ => Ok(user(id.0)),
        };
        let refused = taken_over(|| Ok(()), stale, 1).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Conflict);
    }
}
