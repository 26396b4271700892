//! Members, compiled once per backend: `super::Conn` is what differs. Here stands what is checked
//! before the database is asked, and what each call needs around it.

use guildhall_domain::{
    Email, ExternalAccount, ExternalId, MatchId, NewExternal, NewUser, Nickname, Outcome, Provider,
    Rule, Timestamp, UiState, User, UserId, UserOverview, UserPatch, Username,
};
use guildhall_repository::{
    Change, ListLimit, Page, PageRequest, SearchField, StorageError, UserFilter, UserOrder,
    UserRepository,
};

use super::lease::{Lease, Mode};
use super::{user_batch, user_list, user_lookup, user_register, user_write};
use crate::batch::fits;
use crate::queries::queries;

/// The most ids looked up at once.
const IDS_MAX: usize = 500;

/// Refuses a number outside `1..=max`.
pub(super) fn in_range(field: &'static str, number: u32, max: u32) -> Result<(), StorageError> {
    if (1..=max).contains(&number) {
        return Ok(());
    }
    Err(StorageError::invalid(field, Rule::OutOfRange { min: 1, max: i64::from(max) }))
}

/// Refuses more than `max` of something.
pub(super) fn at_most(field: &'static str, count: usize, max: usize) -> Result<(), StorageError> {
    if count > max { Err(StorageError::invalid(field, Rule::TooLong { max })) } else { Ok(()) }
}

queries! {
    impl UserRepository by users, |lease| {
        Bare by_id(id: UserId) -> Option<User> => user_lookup::by_id_on;
        Bare by_ids(ids: &[UserId]) -> Vec<User> {
            at_most("ids", ids.len(), IDS_MAX)?;
            if ids.is_empty() {
                return Ok(Vec::new());
            }
        } => user_lookup::by_ids_on;
        Bare by_username(name: &Username) -> Option<User> {
            let name = name.folded();
        } => user_lookup::by_username_on(name);
        Bare by_email(email: &Email) -> Option<User> {
            let email = email.folded();
        } => user_lookup::by_email_on(email);
        Bare by_external(provider: &Provider, external_id: &ExternalId) -> Option<User>
            => user_lookup::by_external_on;
        Bare by_external_nickname(provider: &Provider, nickname: &Nickname) -> Vec<User> {
            let (provider, nickname) = (provider.to_string(), nickname.folded());
        } => user_lookup::by_nickname_on(provider, nickname);
        Bare search(text: &str, fields: &[SearchField], limit: ListLimit) -> Vec<User> {
            let Some(wanted) = user_list::Wanted::of(text, fields, limit)? else {
                return Ok(Vec::new());
            };
        } => user_list::search_on(wanted);
        Transaction create(new: &NewUser, now: Timestamp) -> User {
            new.check()?;
        } => user_register::create_on;
        Transaction create_batch(new: &[NewUser], now: Timestamp) -> Vec<User> {
            fits("new", new.len())?;
            new.iter().try_for_each(NewUser::check)?;
            if new.is_empty() {
                return Ok(Vec::new());
            }
        } => user_register::create_batch_on;
        Transaction ensure(external: &NewExternal, seed: &NewUser, now: Timestamp)
            -> Outcome<User> {
            // Most calls find the member with nothing left to fill in, and need not wait for
            // writers.
            if let Some(user) = lease.ensured(external, seed).await? {
                return Ok(Outcome::replayed(user));
            }
        } => user_register::ensure_on;
        Transaction update(
            id: UserId,
            patch: &UserPatch,
            expected_version: i64,
            takeover: bool,
            now: Timestamp,
        ) -> User {
            let patch = patch.clone();
            let change = user_write::Asked { id, patch, expected_version, takeover, now };
        } => user_write::update_on(change);
        Transaction delete(id: UserId, now: Timestamp) -> bool => user_batch::delete_on;
        Transaction update_batch(changes: &[Change<UserId, UserPatch>], now: Timestamp) -> u64 {
            fits("changes", changes.len())?;
        } => user_batch::update_batch_on;
        Transaction delete_batch(ids: &[UserId], now: Timestamp) -> u64 {
            fits("ids", ids.len())?;
        } => user_batch::delete_batch_on;
        Bare exists(id: UserId) -> bool => user_batch::exists_on;
        Bare list(filter: &UserFilter, order: UserOrder, now: Timestamp, page: &PageRequest)
            -> Page<User> {
            let wanted = user_list::Listed::of(filter, order, now, page)?;
        } => user_list::list_on(wanted);
        Bare count(filter: &UserFilter, now: Timestamp) -> u64 => user_list::count_on;
        Bare top_active(limit: ListLimit) -> Vec<User> => user_list::top_active_on;
        Woven set_admin(id: UserId, is_admin: bool, now: Timestamp) -> User {
            let note = lease.woven(Mode::Woven);
        } => user_write::set_admin_on(id, is_admin, now, note);
        Transaction link_external(id: UserId, external: &NewExternal, now: Timestamp)
            -> ExternalAccount => user_write::link_on;
        Transaction unlink_external(id: UserId, provider: &Provider, now: Timestamp) -> bool
            => user_write::unlink_on;
        Bare external_accounts(id: UserId) -> Vec<ExternalAccount> => user_lookup::externals_on;
        Bare ui_state(id: UserId) -> Option<UiState> => user_lookup::ui_state_on;
        Woven set_ui_state(id: UserId, state: &UiState) -> () {
            let state = state.clone();
            let note = lease.woven(Mode::Woven);
        } => user_write::set_ui_state_on(id, state, note);
        Woven set_last_checked_match(id: UserId, found: &MatchId) -> () {
            let found = found.clone();
            let note = lease.woven(Mode::Woven);
        } => user_write::set_last_checked_match_on(id, found, note);
        Woven touch_login(id: UserId, at: Timestamp) -> () {
            let note = lease.woven(Mode::Woven);
        } => user_write::touch_login_on(id, at, note);
        Snapshot overview(id: UserId, now: Timestamp) -> Option<UserOverview>
            => user_lookup::overview_on;
    }
}

impl Lease {
    async fn ensured(
        &self,
        external: &NewExternal,
        seed: &NewUser,
    ) -> Result<Option<User>, StorageError> {
        let args = (external.clone(), seed.clone());
        self.run("users.ensure", Mode::Bare, args, |conn, (external, seed)| {
            Box::pin(user_register::ensured_on(conn, external, seed))
        })
        .await
    }
}
