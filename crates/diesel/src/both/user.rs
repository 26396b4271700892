//! Members, compiled once per backend: `super::Conn` is what differs. Here stands what is checked
//! before the database is asked, and what each call needs around it.

use async_trait::async_trait;
use guildhall_domain::{
    Email, ExternalAccount, ExternalId, MatchId, NewExternal, NewUser, Nickname, Outcome, Provider,
    Rule, Timestamp, UiState, User, UserId, UserOverview, UserPatch, Username,
};
use guildhall_repository::{
    ListLimit, Page, PageRequest, SearchField, StorageError, UserFilter, UserOrder, UserRepository,
};

use super::lease::{Lease, Mode};
use super::{user_list, user_lookup, user_register, user_write};

/// The repository on this database.
pub(super) struct DieselUsers {
    pub(super) lease: Lease,
}

/// The most ids looked up at once.
const IDS_MAX: usize = 500;
/// The most members registered at once.
const BATCH_MAX: usize = 1000;

/// Refuses more than `max` of something.
pub(super) fn at_most(field: &'static str, count: usize, max: usize) -> Result<(), StorageError> {
    if count > max { Err(StorageError::invalid(field, Rule::TooLong { max })) } else { Ok(()) }
}

#[async_trait]
impl UserRepository for DieselUsers {
    async fn by_id(&self, id: UserId) -> Result<Option<User>, StorageError> {
        self.lease
            .run("users.by_id", Mode::Bare, id, |conn, id| {
                Box::pin(user_lookup::by_id_on(conn, *id))
            })
            .await
    }

    async fn by_ids(&self, ids: &[UserId]) -> Result<Vec<User>, StorageError> {
        at_most("ids", ids.len(), IDS_MAX)?;
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        self.lease
            .run("users.by_ids", Mode::Bare, ids.to_vec(), |conn, ids| {
                Box::pin(user_lookup::by_ids_on(conn, ids))
            })
            .await
    }

    async fn by_username(&self, name: &Username) -> Result<Option<User>, StorageError> {
        self.lease
            .run("users.by_username", Mode::Bare, name.folded(), |conn, key| {
                Box::pin(user_lookup::by_username_on(conn, key))
            })
            .await
    }

    async fn by_email(&self, email: &Email) -> Result<Option<User>, StorageError> {
        self.lease
            .run("users.by_email", Mode::Bare, email.folded(), |conn, key| {
                Box::pin(user_lookup::by_email_on(conn, key))
            })
            .await
    }

    async fn by_external(
        &self,
        provider: &Provider,
        external_id: &ExternalId,
    ) -> Result<Option<User>, StorageError> {
        let account = (provider.clone(), external_id.clone());
        self.lease
            .run("users.by_external", Mode::Bare, account, |conn, (provider, external_id)| {
                Box::pin(user_lookup::by_external_on(conn, provider, external_id))
            })
            .await
    }

    async fn by_external_nickname(
        &self,
        provider: &Provider,
        nickname: &Nickname,
    ) -> Result<Vec<User>, StorageError> {
        let named = (provider.to_string(), nickname.folded());
        self.lease
            .run("users.by_external_nickname", Mode::Bare, named, |conn, (provider, key)| {
                Box::pin(user_lookup::by_nickname_on(conn, provider, key))
            })
            .await
    }

    async fn search(
        &self,
        text: &str,
        fields: &[SearchField],
        limit: ListLimit,
    ) -> Result<Vec<User>, StorageError> {
        let Some(wanted) = user_list::Wanted::of(text, fields, limit)? else {
            return Ok(Vec::new());
        };
        self.lease
            .run("users.search", Mode::Bare, wanted, |conn, wanted| {
                Box::pin(user_list::search_on(conn, wanted))
            })
            .await
    }

    async fn create(&self, new: &NewUser, now: Timestamp) -> Result<User, StorageError> {
        new.check()?;
        self.lease
            .run("users.create", Mode::Transaction, (new.clone(), now), |conn, (new, now)| {
                Box::pin(user_register::create_on(conn, new, *now))
            })
            .await
    }

    async fn create_batch(
        &self,
        new: &[NewUser],
        now: Timestamp,
    ) -> Result<Vec<User>, StorageError> {
        at_most("new", new.len(), BATCH_MAX)?;
        new.iter().try_for_each(NewUser::check)?;
        if new.is_empty() {
            return Ok(Vec::new());
        }
        let args = (new.to_vec(), now);
        self.lease
            .run("users.create_batch", Mode::Transaction, args, |conn, (new, now)| {
                Box::pin(user_register::create_batch_on(conn, new, *now))
            })
            .await
    }

    async fn ensure(
        &self,
        external: &NewExternal,
        seed: &NewUser,
        now: Timestamp,
    ) -> Result<Outcome<User>, StorageError> {
        let args = (external.clone(), seed.clone());
        // Most calls find the member with nothing left to fill in, and need not wait for writers.
        let known = self
            .lease
            .run("users.ensure", Mode::Bare, args.clone(), |conn, (external, seed)| {
                Box::pin(user_register::ensured_on(conn, external, seed))
            })
            .await?;
        if let Some(user) = known {
            return Ok(Outcome::replayed(user));
        }
        let args = (args, now);
        self.lease
            .run("users.ensure", Mode::Transaction, args, |conn, ((external, seed), now)| {
                Box::pin(user_register::ensure_on(conn, external, seed, *now))
            })
            .await
    }

    async fn update(
        &self,
        id: UserId,
        patch: &UserPatch,
        expected_version: i64,
        takeover: bool,
        now: Timestamp,
    ) -> Result<User, StorageError> {
        let change =
            user_write::Change { id, patch: patch.clone(), expected_version, takeover, now };
        self.lease
            .run("users.update", Mode::Transaction, change, |conn, change| {
                Box::pin(user_write::update_on(conn, change))
            })
            .await
    }

    async fn delete(&self, id: UserId, now: Timestamp) -> Result<bool, StorageError> {
        self.lease
            .run("users.delete", Mode::Transaction, (id, now), |conn, (id, now)| {
                Box::pin(user_write::delete_on(conn, *id, *now))
            })
            .await
    }

    async fn list(
        &self,
        filter: &UserFilter,
        order: UserOrder,
        now: Timestamp,
        page: &PageRequest,
    ) -> Result<Page<User>, StorageError> {
        let wanted = user_list::Listed::of(filter, order, now, page)?;
        self.lease
            .run("users.list", Mode::Bare, wanted, |conn, wanted| {
                Box::pin(user_list::list_on(conn, wanted))
            })
            .await
    }

    async fn count(&self, filter: &UserFilter, now: Timestamp) -> Result<u64, StorageError> {
        self.lease
            .run("users.count", Mode::Bare, (filter.clone(), now), |conn, (filter, now)| {
                Box::pin(user_list::count_on(conn, filter, *now))
            })
            .await
    }

    async fn top_active(&self, limit: ListLimit) -> Result<Vec<User>, StorageError> {
        self.lease
            .run("users.top_active", Mode::Bare, limit, |conn, limit| {
                Box::pin(user_list::top_active_on(conn, *limit))
            })
            .await
    }

    async fn set_admin(
        &self,
        id: UserId,
        is_admin: bool,
        now: Timestamp,
    ) -> Result<User, StorageError> {
        self.lease
            .run(
                "users.set_admin",
                Mode::Statement,
                (id, is_admin, now),
                |conn, (id, is_admin, now)| {
                    Box::pin(user_write::set_admin_on(conn, *id, *is_admin, *now))
                },
            )
            .await
    }

    async fn link_external(
        &self,
        id: UserId,
        external: &NewExternal,
        now: Timestamp,
    ) -> Result<ExternalAccount, StorageError> {
        let args = (id, external.clone(), now);
        self.lease
            .run("users.link_external", Mode::Transaction, args, |conn, (id, external, now)| {
                Box::pin(user_write::link_on(conn, *id, external, *now))
            })
            .await
    }

    async fn unlink_external(
        &self,
        id: UserId,
        provider: &Provider,
        now: Timestamp,
    ) -> Result<bool, StorageError> {
        let args = (id, provider.clone(), now);
        self.lease
            .run("users.unlink_external", Mode::Transaction, args, |conn, (id, provider, now)| {
                Box::pin(user_write::unlink_on(conn, *id, provider, *now))
            })
            .await
    }

    async fn external_accounts(&self, id: UserId) -> Result<Vec<ExternalAccount>, StorageError> {
        self.lease
            .run("users.external_accounts", Mode::Bare, id, |conn, id| {
                Box::pin(user_lookup::externals_on(conn, *id))
            })
            .await
    }

    async fn ui_state(&self, id: UserId) -> Result<Option<UiState>, StorageError> {
        self.lease
            .run("users.ui_state", Mode::Bare, id, |conn, id| {
                Box::pin(user_lookup::ui_state_on(conn, *id))
            })
            .await
    }

    async fn set_ui_state(&self, id: UserId, state: &UiState) -> Result<(), StorageError> {
        self.lease
            .run("users.set_ui_state", Mode::Statement, (id, state.clone()), |conn, (id, state)| {
                Box::pin(user_write::set_ui_state_on(conn, *id, state))
            })
            .await
    }

    async fn set_last_checked_match(
        &self,
        id: UserId,
        found: &MatchId,
    ) -> Result<(), StorageError> {
        let args = (id, found.clone());
        self.lease
            .run("users.set_last_checked_match", Mode::Statement, args, |conn, (id, found)| {
                Box::pin(user_write::set_last_checked_match_on(conn, *id, found))
            })
            .await
    }

    async fn touch_login(&self, id: UserId, at: Timestamp) -> Result<(), StorageError> {
        self.lease
            .run("users.touch_login", Mode::Statement, (id, at), |conn, (id, at)| {
                Box::pin(user_write::touch_login_on(conn, *id, *at))
            })
            .await
    }

    async fn overview(
        &self,
        id: UserId,
        now: Timestamp,
    ) -> Result<Option<UserOverview>, StorageError> {
        self.lease
            .run("users.overview", Mode::Snapshot, (id, now), |conn, (id, now)| {
                Box::pin(user_lookup::overview_on(conn, *id, *now))
            })
            .await
    }
}
