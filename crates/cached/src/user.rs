//! Members through the cache.
//!
//! A name, address or account elsewhere leads to an id by a *hint*, which no write invalidates:
//! every use checks it against the member's own entries, and those are never stale. Only "nobody
//! has it" needs a tag, which every registration and change bumps.

use std::future::Future;

use guildhall_cache::{Key, Tag};
use guildhall_domain::{
    Email, ExternalAccount, ExternalId, MatchId, NewExternal, NewUser, Nickname, Outcome, Patch,
    Provider, Timestamp, UiState, User, UserId, UserOverview, UserPatch, Username, Vip,
};
use guildhall_repository::{
    Change, ListLimit, Page, PageRequest, SearchField, StorageError, UserFilter, UserOrder,
    UserRepository,
};

use crate::decorate::{decorate, first_page};
use crate::keys::{key, tag};
use crate::link::{Inner, Link};
use crate::takeover::Takeover;

impl Link {
    /// Looks a member up by a hint, or by `find` where there is none or it is wrong.
    async fn hinted<V, F>(
        &self,
        hint: Key,
        holds: impl FnOnce(User) -> V + Send,
        find: impl Fn() -> F + Send + Sync,
    ) -> Result<Option<User>, StorageError>
    where
        V: Future<Output = Result<Option<User>, StorageError>> + Send,
        F: Future<Output = Result<Option<User>, StorageError>> + Send,
    {
        let Some(cache) = self.cache() else { return find().await };
        let ttl = self.ttl.lookup;
        let hinted = cache.entry::<UserId>(hint.clone(), [], ttl).get().await;
        if let Some(id) = hinted
            && let Some(user) = self.by_id(id).await?
            && let Some(user) = holds(user).await?
        {
            return Ok(Some(user));
        }
        let known = cache.entry::<bool>(hint.clone().part("absent"), [tag::absent()], ttl);
        let known = known.negative_if(|exists| !exists);
        let mut found = None;
        let exists = known.get_or_load_with(|| async {
            found = find().await?;
            Ok::<_, StorageError>(match found {
                Some(_) => guildhall_cache::Loaded::DoNotStore(true),
                None => guildhall_cache::Loaded::Store(false),
            })
        });
        if exists.await? && found.is_none() {
            // Another caller's load found the member, maybe before a write that was over when this
            // call began: only that somebody is there may be taken from it.
            found = find().await?;
        }
        if let Some(user) = &found {
            cache.put_untagged(hint, user.id, ttl).await;
        }
        Ok(found)
    }

    /// A first page of ids through the cache. The members themselves are read by id, and so are
    /// never stale.
    async fn listed(
        &self,
        name: &'static str,
        page: &PageRequest,
        load: impl Future<Output = Result<Page<User>, StorageError>> + Send,
    ) -> Result<Page<User>, StorageError> {
        let Some(cache) = self.cache().filter(|_| page.cursor().is_none()) else {
            return load.await;
        };
        let entry = cache.entry(key::user_list(name, page), [tag::lists()], self.ttl.lists);
        let ids = || async {
            let Page { items, next_cursor } = load.await?;
            Ok(Page { items: items.iter().map(|user| user.id).collect(), next_cursor })
        };
        let Page { items: ids, next_cursor } = first_page(entry, ids).await?;
        Ok(Page { items: self.by_ids(&ids).await?, next_cursor })
    }

    /// Takes a username over, in a unit in which the holder and so the tags are known before the
    /// commit. In a caller's unit a holder who comes that very moment cannot be excluded, so all
    /// members' entries go with its commit.
    async fn take_over(
        &self,
        id: UserId,
        patch: &UserPatch,
        name: &Username,
        expected_version: i64,
        now: Timestamp,
    ) -> Result<User, StorageError> {
        let Some(storage) = self.storage() else {
            let update =
                async |on: Inner| on.users().update(id, patch, expected_version, true, now).await;
            // With the boards that show names.
            let namespaces = &["user", "users", "points", "achievements"];
            return self.write_namespaces(namespaces, update).await;
        };
        let mut attempt = 1;
        loop {
            let holder = self.inner().users().by_username(name).await?.map(|holder| holder.id);
            let own = self.identity(id).into_iter().chain([tag::unlocks()]);
            let tags: Vec<_> = holder.map(tag::user).into_iter().chain(own).collect();
            let takeover = Takeover { holder, id, patch, name, expected_version, now };
            let taken = async |on: Inner| takeover.run(storage, on.note()).await;
            match self.write(tags, taken).await {
                Err(StorageError::Contention) if attempt < Takeover::ATTEMPTS => attempt += 1,
                outcome => return outcome,
            }
        }
    }
}

/// What a change of a member's identity changes: the row, what finds it, and the lists it is in.
fn identity(id: UserId) -> [Tag; 3] {
    [tag::user(id), tag::absent(), tag::lists()]
}

/// Whether a patch changes what rankings and recent unlocks show of a member, or whether they do.
fn shows(patch: &UserPatch) -> bool {
    let UserPatch { username, first_name, last_name, display_name, avatar_url, .. } = patch;
    let names = *first_name != Patch::Keep || *last_name != Patch::Keep;
    let shown = *display_name != Patch::Keep || *username != Patch::Keep || names;
    shown || *avatar_url != Patch::Keep || patch.is_active.is_some()
}

impl Link {
    /// What a change of a member's identity changes, with rankings of points where they are live:
    /// they show names and accounts elsewhere.
    fn identity(&self, id: UserId) -> Vec<Tag> {
        let live = self.ttl.leaderboard_live.then(tag::leaderboard);
        identity(id).into_iter().chain(live).collect()
    }

    /// What many patches change.
    fn changed(&self, changes: &[Change<UserId, UserPatch>]) -> Vec<Tag> {
        let boards = changes.iter().any(|it| shows(&it.change)).then(tag::unlocks);
        changes.iter().flat_map(|it| self.identity(it.key)).chain(boards).collect()
    }

    /// What a registration changes; of a member who was there, names may have been filled in.
    fn ensured(&self, ensured: &Outcome<User>) -> Vec<Tag> {
        let mut tags = registered([&ensured.value]);
        if ensured.replayed {
            tags.push(tag::unlocks());
            tags.extend(self.ttl.leaderboard_live.then(tag::leaderboard));
        }
        tags
    }
}

/// What a removal changes.
pub(crate) fn removed(id: UserId) -> impl Iterator<Item = Tag> {
    let own = [tag::prefs(id), tag::activity(id), tag::points(id), tag::mission_progress(id)];
    let parts = own.into_iter().chain([tag::story(id), tag::achievements(id), tag::badges(id)]);
    let sums = [tag::leaderboard(), tag::totals(), tag::mission_stats(), tag::story_totals()];
    identity(id).into_iter().chain(parts).chain(sums).chain([tag::unlocks()])
}

/// What a registration changes: somebody may have asked for the member before, and "absent" is an
/// answer that is kept.
fn registered<'a>(users: impl IntoIterator<Item = &'a User>) -> Vec<Tag> {
    let each = |user: &User| {
        let id = user.id;
        [tag::user(id), tag::prefs(id), tag::activity(id), tag::points(id)]
    };
    let mut tags: Vec<Tag> = users.into_iter().flat_map(each).collect();
    tags.extend([tag::absent(), tag::lists()]);
    tags
}

/// The namespaces of everything about members.
const EVERY_MEMBER: &[&str] = &["user", "points"];

/// The same, and what tells of unlocks, which a member who comes back may be the first to show in.
const ENSURED: &[&str] = &["user", "points", "achievements"];

decorate! {
    impl UserRepository by users, |link| {
        find by_id(id: UserId) -> Option<User> = (key::user(id), [tag::user(id)], user);
        many by_ids(ids: &[UserId]) -> Vec<User>
            = (ids, 500, id => (key::user(*id), [tag::user(*id)]), user => user.id, user);
        pass by_external_nickname(provider: &Provider, nickname: &Nickname) -> Vec<User>;
        pass search(text: &str, fields: &[SearchField], limit: ListLimit) -> Vec<User>;
        write_then create(new: &NewUser, now: Timestamp) -> User
            = (user => registered([user]), EVERY_MEMBER);
        write_then create_batch(new: &[NewUser], now: Timestamp) -> Vec<User>
            = (users => registered(users), EVERY_MEMBER);
        // A new member changes who is absent. For one who exists the row may be filled, and whose
        // it is the result says: it may have been registered at this moment.
        write_then ensure(external: &NewExternal, seed: &NewUser, now: Timestamp) -> Outcome<User>
            = (ensured => link.ensured(ensured), ENSURED);
        write delete(id: UserId, now: Timestamp) -> bool = (removed(id));
        write update_batch(changes: &[Change<UserId, UserPatch>], now: Timestamp) -> u64
            = (link.changed(changes));
        write delete_batch(ids: &[UserId], now: Timestamp) -> u64
            = (ids.iter().copied().flat_map(removed));
        pass exists(id: UserId) -> bool;
        pass list(filter: &UserFilter, order: UserOrder, now: Timestamp, page: &PageRequest)
            -> Page<User>;
        pass count(filter: &UserFilter, now: Timestamp) -> u64;
        pass top_active(limit: ListLimit) -> Vec<User>;
        write set_admin(id: UserId, is_admin: bool, now: Timestamp) -> User = (identity(id));
        write link_external(id: UserId, external: &NewExternal, now: Timestamp) -> ExternalAccount
            = (link.identity(id));
        write unlink_external(id: UserId, provider: &Provider, now: Timestamp) -> bool
            = (link.identity(id));
        list external_accounts(id: UserId) -> Vec<ExternalAccount>
            = (key::externals(id), [tag::user(id)], user);
        write set_ui_state(id: UserId, state: &UiState) -> () = ([tag::user(id)]);
        write set_last_checked_match(id: UserId, found: &MatchId) -> () = ([tag::user(id)]);
        write touch_login(id: UserId, at: Timestamp) -> () = ([tag::user(id)]);
        // One snapshot of several aggregates: parts of different age would not add up.
        pass overview(id: UserId, now: Timestamp) -> Option<UserOverview>;
    }
    and {
        async fn by_username(&self, name: &Username) -> Result<Option<User>, StorageError> {
            let holds = async |user: User| {
                let same = user.username.as_ref().is_some_and(|own| own.folded() == name.folded());
                Ok(same.then_some(user))
            };
            self.hinted(key::by_name(name), holds, || self.inner().users().by_username(name)).await
        }

        async fn by_email(&self, email: &Email) -> Result<Option<User>, StorageError> {
            let holds = async |user: User| {
                let same = user.email.as_ref().is_some_and(|own| own.folded() == email.folded());
                Ok(same.then_some(user))
            };
            self.hinted(key::by_email(email), holds, || self.inner().users().by_email(email)).await
        }

        async fn by_external(
            &self,
            provider: &Provider,
            external_id: &ExternalId,
        ) -> Result<Option<User>, StorageError> {
            let this = |own: &ExternalAccount| {
                own.provider == *provider && own.external_id == *external_id
            };
            let holds = async |user: User| {
                let accounts = self.external_accounts(user.id).await?;
                Ok(accounts.iter().any(this).then_some(user))
            };
            let find = || self.inner().users().by_external(provider, external_id);
            self.hinted(key::by_external(provider, external_id), holds, find).await
        }

        async fn update(
            &self,
            id: UserId,
            patch: &UserPatch,
            version: i64,
            takeover: bool,
            now: Timestamp,
        ) -> Result<User, StorageError> {
            if let (true, Patch::Set(name)) = (takeover, &patch.username) {
                return self.take_over(id, patch, name, version, now).await;
            }
            let update =
                async |on: Inner| on.users().update(id, patch, version, takeover, now).await;
            let boards = shows(patch).then(tag::unlocks);
            self.write(self.identity(id).into_iter().chain(boards), update).await
        }

        async fn ui_state(&self, id: UserId) -> Result<Option<UiState>, StorageError> {
            if self.cache().is_none() {
                return self.inner().users().ui_state(id).await;
            }
            let present = self.by_id(id).await?.filter(|user| user.deleted_at.is_none());
            Ok(present.map(|user| user.ui_state))
        }

        async fn admins(
            &self,
            now: Timestamp,
            page: &PageRequest,
        ) -> Result<Page<User>, StorageError> {
            self.listed("admins", page, self.inner().users().admins(now, page)).await
        }

        async fn vip_users(
            &self,
            now: Timestamp,
            page: &PageRequest,
        ) -> Result<Page<User>, StorageError> {
            let vips = self.listed("vips", page, self.inner().users().vip_users(now, page));
            let mut listed = vips.await?;
            // The list was made at another time than `now`.
            listed.items.retain(|user| user.vip != Vip::None && user.vip.is_active(now));
            Ok(listed)
        }
    }
}
